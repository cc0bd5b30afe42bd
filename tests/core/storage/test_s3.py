"""The real client under faults on the wire: our errors only, and none of the SDK's words."""

from __future__ import annotations

import io
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff

from core.model.errors import (
    Forbidden,
    Missing,
    OutcomeUnknown,
    StorageError,
    Transient,
)
from core.settings import BucketSettings
from core.storage.answers import error_for
from core.storage.put_once import put_once
from core.storage.s3 import S3Store, _parse_timestamp


class Wire:
    """Stands between the client and its connection; `script` says what befalls each put."""

    def __init__(self, store: S3Store, script: list[str]) -> None:
        self.sent = 0
        self._script = script
        session = store._client._endpoint.http_session
        self._send = session.send
        session.send = self

    def __call__(self, request: object) -> object:
        if request.method != "PUT":  # type: ignore[attr-defined]
            return self._send(request)
        self.sent += 1
        how = self._script.pop(0) if self._script else "fine"
        if how == "reset":
            raise ConnectionClosedError(endpoint_url=request.url)  # type: ignore[attr-defined]
        if how.isdigit():
            return answer(request, int(how))
        reply = self._send(request)
        if how == "lost_reply":
            raise ReadTimeoutError(endpoint_url=request.url)  # type: ignore[attr-defined]
        return reply


class Raw(io.BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def answer(request: object, status: int) -> AWSResponse:
    code = {403: "AccessDenied", 409: "ConditionalRequestConflict", 503: "SlowDown"}.get(status, "")
    body = f"<Error><Code>{code or 'InternalError'}</Code><Message>s3cr3t</Message></Error>"
    headers = {"content-type": "application/xml"}
    return AWSResponse(request.url, status, headers, Raw(body.encode()))  # type: ignore[attr-defined]


@pytest.fixture
def quick(moto_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    return moto_store


@pytest.mark.parametrize(
    "script",
    [
        ["lost_reply"],
        ["lost_reply"] * 3,
        ["500", "503"],
        ["503"] * 4,
        ["409"],
        ["reset", "reset"],
        ["reset"] * 4 + ["lost_reply"],
        ["500", "lost_reply", "409"],
    ],
)
def test_d8_put_once_over_the_real_client_ends_well(quick: S3Store, script: list[str]) -> None:
    wire = Wire(quick, [*script])
    assert put_once(quick, "key", b"body", sleep=lambda _: None) in ("created", "same")
    assert quick.get("key", limit=9).body == b"body"
    assert wire.sent >= len(script)


def test_d7_the_sdk_turns_our_own_success_into_exists_and_put_once_back(quick: S3Store) -> None:
    Wire(quick, ["lost_reply"])
    assert put_once(quick, "key", b"body", sleep=lambda _: None) == "same"


def test_d10_a_403_is_sent_once(quick: S3Store) -> None:
    wire = Wire(quick, ["403"] * 20)
    with pytest.raises(Forbidden) as caught:
        put_once(quick, "key", b"body", sleep=lambda _: None)
    assert wire.sent == 1
    assert caught.value.code == "storage.forbidden"
    assert "s3cr3t" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_d8_a_server_that_never_answers_is_transient_and_then_unknown() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        store = S3Store(_settings(taken.getsockname()[1]), connect_timeout=0.2, read_timeout=0.2)
        with pytest.raises(Transient) as caught:
            store.put_if_absent("key", b"body")
        assert "127.0.0.1" not in str(caught.value)
        with pytest.raises(OutcomeUnknown):
            put_once(store, "key", b"body", tries=1)


def test_a_bucket_that_is_not_there_is_not_a_missing_object(moto_settings: BucketSettings) -> None:
    store = S3Store(
        BucketSettings(
            endpoint=moto_settings.endpoint,
            bucket="no-such-bucket",
            region="us-east-1",
            access_key="a",
            secret_key="b",
        )
    )
    with pytest.raises(StorageError) as caught:
        store.get("key", limit=9)
    assert caught.value.code == "storage.no_bucket"
    assert not isinstance(caught.value, Missing)


def test_settings_the_sdk_cannot_use_are_refused_in_our_words() -> None:
    with pytest.raises(StorageError) as caught:
        S3Store(
            BucketSettings(
                endpoint="not a url", bucket="b", region="r", access_key="a", secret_key="b"
            )
        )
    assert caught.value.code == "storage.unusable"


@contextmanager
def half_a_server(promised: int, body: bytes) -> Iterator[int]:
    """Answer every request with a 200 that promises `promised` bytes, send `body`, hang up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                head = f'HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\nETag: "e"\r\n\r\n'
                connection.sendall(head.encode() + body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_d12_a_body_that_breaks_off_never_ends_quietly() -> None:
    with half_a_server(3 << 20, b"x" * (1 << 20)) as port:
        store = S3Store(_settings(port), read_timeout=2)
        received: list[bytes] = []
        with pytest.raises(Transient) as caught:
            received.extend(store.stream("key"))
        assert caught.value.code == "storage.short_body"
        assert sum(map(len, received)) <= 1 << 20
        for read in (lambda: store.get("key", limit=1 << 30), lambda: store.head_bytes("key", 9)):
            with pytest.raises(Transient):
                read()


@pytest.mark.parametrize(
    ("status", "code", "kind", "name"),
    [
        (401, "", Forbidden, "storage.forbidden"),
        (403, "SignatureDoesNotMatch", Forbidden, "storage.forbidden"),
        (403, "RequestTimeTooSkewed", Forbidden, "storage.clock_skew"),
        (404, "NoSuchKey", Missing, "storage.missing"),
        (404, "NoSuchVersion", Missing, "storage.missing"),
        (404, "NoSuchBucket", StorageError, "storage.no_bucket"),
        (400, "BadDigest", StorageError, "storage.bad_digest"),
        (400, "RequestTimeout", Transient, "storage.transient"),
        (409, "ConditionalRequestConflict", Transient, "storage.transient"),
        (429, "", Transient, "storage.transient"),
        (500, "InternalError", Transient, "storage.transient"),
        (503, "SlowDown", Transient, "storage.transient"),
        (501, "NotImplemented", StorageError, "storage.not_supported"),
        (301, "PermanentRedirect", StorageError, "storage.wrong_region"),
        (400, "InvalidArgument", StorageError, "storage.refused"),
    ],
)
def test_every_answer_has_one_error(
    status: int, code: str, kind: type[StorageError], name: str
) -> None:
    error = error_for(status, code, "some/key", StorageError)
    assert type(error) is kind
    assert (error.code, error.place) == (name, "some/key")


def test_the_fast_timestamp_parser_reads_what_s3_sends() -> None:
    expected = datetime(2026, 11, 21, 9, 0, 0, tzinfo=UTC)
    assert _parse_timestamp("2026-11-21T09:00:00.000Z") == expected
    assert _parse_timestamp("2026-11-21T09:00:00Z") == expected
    assert _parse_timestamp("Sat, 21 Nov 2026 09:00:00 GMT") == expected


def test_d60_no_secret_stands_in_the_settings_or_the_store(moto_settings: BucketSettings) -> None:
    assert "moto-secret" not in repr(moto_settings)
    assert "moto-secret" not in repr(vars(S3Store(moto_settings)))


def test_one_client_serves_many_threads(moto_store: S3Store) -> None:
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(5):
                key = f"{number}/{step}"
                moto_store.put_if_absent(key, key.encode())
                assert moto_store.get(key, limit=99).body == key.encode()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(moto_store.list(""))) == 40


def _settings(port: int) -> BucketSettings:
    return BucketSettings(
        endpoint=f"http://127.0.0.1:{port}",
        bucket="bucket",
        region="us-east-1",
        access_key="access",
        secret_key="secret",
    )
