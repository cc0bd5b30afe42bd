"""The one place that talks to boto3. No word of the SDK's own errors leaves this file.

Every put is a single PutObject with a plain SHA-256 header over a signed payload: other forms
break S3-compatible stores. A retry inside the SDK can turn our own success into a 412, which is
why nobody but `put_once` may read anything into `Exists`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as sdk
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from core.model.dataset import SourceObject
from core.model.errors import (
    Changed,
    Exists,
    StorageError,
    TooLarge,
    Transient,
)
from core.settings import BucketSettings
from core.storage.answers import BucketStands, EmptyRange, error_for
from core.storage.ports import Held

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BLOCK = 1 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PASSING = (
    sdk.HTTPClientError,
    sdk.ConnectionError,
    # Half an answer, or a socket that died under the SDK: what was asked may have been done.
    ResponseParserError,
    OSError,
)
_WITHOUT_LOCK = ("storage.no_lock", "storage.not_supported")


class S3Store:
    """One bucket over S3. Safe to share between threads; make one per process, not per call.

    Args:
        settings: where the bucket is and who asks.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds the server may be silent.
    """

    def __init__(
        self, settings: BucketSettings, *, connect_timeout: float = 5, read_timeout: float = 30
    ) -> None:
        self._bucket = settings.bucket
        with _translated(settings.bucket):
            self._client = _make_client(settings, connect_timeout, read_timeout)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        """Yield every object under `prefix` in key order, over all pages."""
        with _translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, StartAfter=start_after
            )
            for page in pages:
                for item in page.get("Contents", []):
                    yield SourceObject(
                        key=item["Key"],
                        size=item["Size"],
                        etag=item["ETag"].strip('"'),
                        modified=item["LastModified"].astimezone(UTC).replace(tzinfo=None),
                    )

    def get(self, key: str, *, limit: int, if_match: str | None = None) -> Held:
        """Return the whole object; see the port for errors."""
        with _translated(key, failed_condition=Changed):
            found = self._client.get_object(**self._named(key, if_match=if_match))
            with closing(found["Body"]) as body:
                if found["ContentLength"] > limit:
                    raise TooLarge(
                        "storage.too_large",
                        f"The object has more than the {limit} bytes this reader allows.",
                        place=key,
                    )
                data = body.read()
        _require_length(len(data), found["ContentLength"], key)
        return Held(body=data, etag=found["ETag"].strip('"'), version_id=_version(found))

    def head_bytes(self, key: str, count: int) -> bytes:
        """Return the first `count` bytes, or fewer when the object is shorter."""
        if count <= 0:
            return b""
        try:
            with _translated(key):
                found = self._client.get_object(
                    Bucket=self._bucket, Key=key, Range=f"bytes=0-{count - 1}"
                )
                with closing(found["Body"]) as body:
                    data = body.read()
        except EmptyRange:
            return b""
        _require_length(len(data), found["ContentLength"], key)
        return data[:count]

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        """Yield the object in blocks of at most 1 MiB; a body that breaks off is `Transient`."""
        received = 0
        with _translated(key, failed_condition=Changed):
            found = self._client.get_object(
                **self._named(key, if_match=if_match, version_id=version_id)
            )
            with closing(found["Body"]) as body:
                while block := body.read(BLOCK):
                    received += len(block)
                    yield block
        _require_length(received, found["ContentLength"], key)

    def put_if_absent(self, key: str, body: bytes) -> None:
        """Put where nothing stands; `Exists` when something does, `Transient` when unknown."""
        with _translated(key, failed_condition=Exists):
            self._put(key, body, _checksum(body), IfNoneMatch="*")

    def put_if_match(self, key: str, body: bytes, etag: str) -> None:
        """Replace exactly the object that has this etag; `Changed` or `Missing` otherwise."""
        with _translated(key, failed_condition=Changed):
            self._put(key, body, _checksum(body), IfMatch=f'"{etag}"')

    def put_with_wrong_checksum(self, key: str) -> None:
        """Send bytes with a digest that is not theirs, for the probe: it must raise."""
        with _translated(key):
            self._put(key, b"these bytes", _checksum(b"other bytes"))

    def copy(self, source: str, target: str) -> None:
        """Copy inside the bucket without condition; for content-addressed keys only."""
        with _translated(source):
            self._client.copy_object(
                Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source}
            )

    def was_ever(self, key: str) -> bool:
        """Whether any version or delete marker of `key` exists (the present object included)."""
        with _translated(key):
            # The key itself sorts before every longer key with the same beginning.
            found = self._client.list_object_versions(Bucket=self._bucket, Prefix=key, MaxKeys=2)
        versions = [item["Key"] for item in found.get("Versions", [])]
        markers = [item["Key"] for item in found.get("DeleteMarkers", [])]
        return key in versions or key in markers

    def can_lock(self) -> bool:
        """Whether the bucket has object lock; False where the server knows no such thing."""
        try:
            with _translated(self._bucket):
                found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except StorageError as error:
            if error.code in _WITHOUT_LOCK:
                return False
            raise
        configured = found.get("ObjectLockConfiguration", {})
        return configured.get("ObjectLockEnabled") == "Enabled"

    def retain(self, key: str, until: datetime) -> None:
        """Retain the present version in GOVERNANCE mode, and look whether it is; see the port."""
        until = until.astimezone(UTC)
        with _translated(key):
            version, standing = self._retention(key)
            if standing is not None and standing >= until:
                return
            self._client.put_object_retention(
                **self._named(key, version_id=version),
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            )
            _, standing = self._retention(key, version)
        if standing is None or standing < until:
            raise StorageError(
                "storage.not_retained",
                "The server accepted a retention and does not show it.",
                place=key,
            )

    def _retention(
        self, key: str, version: str | None = None
    ) -> tuple[str | None, datetime | None]:
        found = self._client.head_object(**self._named(key, version_id=version))
        until = found.get("ObjectLockRetainUntilDate")
        return _version(found), None if until is None else until.astimezone(UTC)

    def delete(self, key: str) -> None:
        """Delete one key. Only `probe` and a sweep by hand call it."""
        with _translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def server_time(self) -> datetime:
        """The server's own clock, aware UTC, in whole seconds."""
        with _translated(self._bucket):
            found = self._client.head_bucket(Bucket=self._bucket)
        header = found["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(header).astimezone(UTC)
        except (TypeError, ValueError):
            raise StorageError(
                "storage.no_date", "The server does not say what time it is.", place=self._bucket
            ) from None

    def ensure_bucket(self, *, object_lock: bool = False) -> None:
        """Create the bucket unless it is ours already. For the embedded server and tests."""
        try:
            with _translated(self._bucket):
                self._client.create_bucket(
                    Bucket=self._bucket, ObjectLockEnabledForBucket=object_lock
                )
        except BucketStands:
            return

    def drop_bucket(self) -> None:
        """Empty and delete the bucket. For tests; no part of the desk calls it."""
        for found in [*self.list("")]:
            self.delete(found.key)
        with _translated(self._bucket):
            self._client.delete_bucket(Bucket=self._bucket)

    def enable_versions(self) -> None:
        """Keep every version from now on. For the embedded server and tests."""
        with _translated(self._bucket):
            self._client.put_bucket_versioning(
                Bucket=self._bucket, VersioningConfiguration={"Status": "Enabled"}
            )

    def _put(self, key: str, body: bytes, checksum: str, **condition: Any) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=checksum,
            **condition,
        )

    def _named(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> dict[str, Any]:
        named = {"Bucket": self._bucket, "Key": key}
        if if_match is not None:
            named["IfMatch"] = f'"{if_match}"'
        if version_id is not None:
            named["VersionId"] = version_id
        return named


def _make_client(settings: BucketSettings, connect_timeout: float, read_timeout: float) -> S3Client:
    session = botocore.session.get_session()
    # Half of a listing's time is the SDK guessing date formats; S3 sends ISO 8601.
    session.get_component("response_parser_factory").set_parser_defaults(
        timestamp_parser=_parse_timestamp
    )
    here = settings.endpoint is not None and urlsplit(settings.endpoint).hostname in _LOOPBACK
    config = Config(
        signature_version="s3v4",
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "max_attempts": 3},
        max_pool_connections=32,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if settings.endpoint else "auto"},
        # A proxy of the environment must not see what never leaves this machine.
        proxies={} if here else None,
    )
    return boto3.Session(botocore_session=session).client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=config,
    )


def _parse_timestamp(text: Any) -> datetime:
    if isinstance(text, str) and text[4:5] == "-":
        return datetime.fromisoformat(text)
    parsed: datetime = parse_timestamp(text)
    return parsed


def _checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


def _version(found: Mapping[str, Any]) -> str | None:
    version = found.get("VersionId")
    return version if version and version != "null" else None


def _require_length(received: int, promised: int, key: str) -> None:
    if received != promised:
        raise _broken_off(key)


def _broken_off(place: str) -> Transient:
    return Transient(
        "storage.short_body", "The object's bytes broke off on the way; try again.", place=place
    )


@contextmanager
def _translated(
    place: str, *, failed_condition: type[StorageError] = StorageError
) -> Iterator[None]:
    """Turn whatever the SDK raises into our own errors, without a word of its text."""
    try:
        yield
    except sdk.ClientError as error:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise error_for(status, code, place, failed_condition) from None
    except (sdk.IncompleteReadError, sdk.ResponseStreamingError):
        raise _broken_off(place) from None
    except sdk.SSLError:
        raise StorageError(
            "storage.tls", "The server's certificate is not one we trust.", place=place
        ) from None
    except _PASSING:
        raise Transient(
            "storage.unreachable", "The bucket's server does not answer; try again.", place=place
        ) from None
    except (sdk.BotoCoreError, ValueError):
        # The SDK refused before anything was sent: an unusable key, endpoint or region.
        raise StorageError(
            "storage.unusable", "The bucket's settings or this key cannot be used.", place=place
        ) from None
