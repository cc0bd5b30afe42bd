"""An S3 server's refusal (HTTP status and code) means one of our own errors, and only one."""

from __future__ import annotations

from core.model.errors import Changed, Exists, Forbidden, Missing, StorageError, Transient

_BAD_DIGEST = (
    "BadDigest",
    "InvalidDigest",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
)
_SKEWED = ("RequestTimeTooSkewed", "RequestExpired")
_STANDS = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")
_NO_LOCK = ("ObjectLockConfigurationNotFoundError", "InvalidBucketState")
_PASSING = ("RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable")


class EmptyRange(StorageError):
    """A range was asked of an object without bytes."""


class BucketStands(StorageError):
    """The bucket to create is there."""


def error_for(
    status: int, code: str, place: str, failed_condition: type[StorageError]
) -> StorageError:
    """Return the error for an answer; `failed_condition` says what a 412 means to the caller."""
    if status == 412:
        return _condition_failed(place, failed_condition)
    kind, name, sentence = _named(code) or _numbered(status)
    return kind(name, sentence, place=place)


_Answer = tuple[type[StorageError], str, str]


def _named(code: str) -> _Answer | None:
    """What the server's own code word settles, whatever the status beside it."""
    if code == "NoSuchBucket":
        return StorageError, "storage.no_bucket", "There is no such bucket."
    if code in _STANDS:
        return BucketStands, "storage.bucket_exists", "The bucket exists."
    if code in _SKEWED:
        return Forbidden, "storage.clock_skew", "This machine's clock is wrong; set it."
    if code in _BAD_DIGEST:
        return StorageError, "storage.bad_digest", "The bytes did not match their digest."
    if code in _NO_LOCK:
        return StorageError, "storage.no_lock", "The bucket has no object lock."
    if code == "NotImplemented":
        return StorageError, "storage.not_supported", "This server cannot do that."
    if code in _PASSING:
        return Transient, "storage.transient", "The bucket's server failed; try again."
    return None


def _numbered(status: int) -> _Answer:
    if status in (401, 403):
        return Forbidden, "storage.forbidden", "The credentials may not do this."
    if status == 404:
        return Missing, "storage.missing", "There is no object at this key."
    if status == 416:
        return EmptyRange, "storage.empty_range", "The object has no such bytes."
    if status == 501:
        return StorageError, "storage.not_supported", "This server cannot do that."
    if status in (408, 409, 429) or status >= 500:
        return Transient, "storage.transient", "The bucket's server failed; try again."
    if 300 <= status < 400:
        return StorageError, "storage.wrong_region", "The bucket lives in another region."
    return (
        StorageError,
        "storage.refused",
        f"The bucket refused the request with HTTP status {status}.",
    )


def _condition_failed(place: str, kind: type[StorageError]) -> StorageError:
    if kind is Exists:
        return Exists("storage.exists", "An object stands at this key already.", place=place)
    return Changed("storage.changed", "The object is no longer the one that was seen.", place=place)
