"""A write-once put ends as created, the same, taken by others, or honestly unknown.

The SDK's retries turn our own success into a 412 and a lost reply into an error, so neither is
believed: the key is read back and compared byte for byte.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Literal

from core.model.errors import (
    Exists,
    KeyTaken,
    Missing,
    OutcomeUnknown,
    StorageError,
    TooLarge,
    Transient,
)
from core.storage.ports import ObjectStore

Outcome = Literal["created", "same"]


def put_once(
    store: ObjectStore,
    key: str,
    body: bytes,
    *,
    tries: int = 6,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Outcome:
    """Put `body` at `key` unless something stands there, and find out what became of it.

    Args:
        store: the bucket.
        key: where; the object is never replaced.
        body: the exact bytes.
        tries: how many times to send before giving up.
        sleep: waits this many seconds between tries (at most about 3 s at the sixth).
        jitter: a number in [0, 1), so that writers do not march in step.

    Returns:
        "created" when the server acknowledged this very put; "same" when exactly these bytes
        stand at the key, which may be our own put with its reply lost, or somebody's before us.

    Raises:
        KeyTaken: other bytes stand at the key.
        Forbidden: the credentials may not write here; tried once.
        StorageError: the server refused for a reason that will not pass; tried once.
        OutcomeUnknown: the put may or may not have landed, and the key cannot tell.
    """
    doubtful = False
    for attempt in range(tries):
        if attempt:
            sleep(0.1 * 2 ** (attempt - 1) * (0.5 + jitter() / 2))
        try:
            store.put_if_absent(key, body)
        except (Exists, Transient):
            # 412 may be our own earlier success; anything else may have landed unheard.
            doubtful = True
        except StorageError:
            # Refused for good. With an earlier try in doubt, only the key can still tell.
            if not doubtful:
                raise
            return _settle(store, key, body)
        else:
            return "created"
        if _stands(store, key, body):
            return "same"
    raise _unknown(key)


def _stands(store: ObjectStore, key: str, body: bytes) -> bool:
    """True when the key holds `body`, False when it is absent or cannot be read just now."""
    try:
        held = store.get(key, limit=len(body))
    except (Missing, Transient):
        return False
    except TooLarge:
        raise _taken(key) from None
    except StorageError:
        raise _unknown(key) from None
    if held.body != body:
        raise _taken(key)
    return True


def _settle(store: ObjectStore, key: str, body: bytes) -> Outcome:
    if _stands(store, key, body):
        return "same"
    raise _unknown(key)


def _taken(key: str) -> KeyTaken:
    return KeyTaken("storage.key_taken", "Other bytes hold this key for good.", place=key)


def _unknown(key: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "storage.outcome_unknown",
        "The bucket did not answer; the write may or may not have landed. Resume to settle it.",
        place=key,
    )
