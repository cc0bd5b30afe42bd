"""What a bucket promises is tried out before anything is published to it.

Servers exist that accept a condition or a checksum and ignore it; on those, "write once" would
be a wish.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

from core.model.errors import Changed, DeskError, Exists, Missing, StorageError
from core.storage.ports import Clock, ObjectStore

LARGEST_SKEW = timedelta(minutes=5)
_BODY = b"release desk probe\n"
_SECOND = b"release desk probe, written a second time\n"
_STALE = "0" * 32


@runtime_checkable
class ChecksumTrial(Protocol):
    """A store that can send a wrong SHA-256 on purpose."""

    def put_with_wrong_checksum(self, key: str) -> None:
        """Put bytes under another bytes' SHA-256; a checking server makes this raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck:
    """One promise tried out. A miss of a `required` one turns publishing off."""

    name: str
    ok: bool
    detail: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """Every check, in the order tried. `ok` when each required one held."""

    ok: bool
    checks: tuple[ProbeCheck, ...]


class _Failed(Exception):
    """A promise the bucket did not keep."""


def probe(
    store: ObjectStore,
    clock: Clock,
    prefix: str,
    *,
    make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> ProbeReport:
    """Try everything the desk relies on, under `prefix` + "_probe/", and tidy up.

    Never raises for what the bucket does; whatever goes wrong is a check that failed.
    """
    key = f"{prefix}_probe/{make_id()}"
    wrong = f"{key}-wrong-checksum"
    tried: tuple[tuple[str, bool, Callable[[], str]], ...] = (
        ("write", True, lambda: _write(store, key)),
        ("list", True, lambda: _list(store, key)),
        ("read_back", True, lambda: _read_back(store, key)),
        ("write_once", True, lambda: _write_once(store, key)),
        ("replace_only_if_same", True, lambda: _replace_only_if_same(store, key)),
        ("checksum", True, lambda: _checksum(store, wrong)),
        ("clock", True, lambda: _clock(store, clock)),
        ("delete", False, lambda: _delete(store, key, wrong)),
        ("remembers_deleted", False, lambda: _remembers(store, key)),
        ("object_lock", False, lambda: _object_lock(store)),
    )
    checks = tuple(_check(name, required, act) for name, required, act in tried)
    return ProbeReport(ok=all(check.ok for check in checks if check.required), checks=checks)


def _check(name: str, required: bool, act: Callable[[], str]) -> ProbeCheck:
    try:
        return ProbeCheck(name=name, ok=True, detail=act(), required=required)
    except _Failed as miss:
        return ProbeCheck(name=name, ok=False, detail=str(miss), required=required)
    except DeskError as error:
        detail = f"{error.sentence} ({error.code})"
        return ProbeCheck(name=name, ok=False, detail=detail, required=required)


def _write(store: ObjectStore, key: str) -> str:
    store.put_if_absent(key, _BODY)
    return "The desk can write under its exports prefix."


def _list(store: ObjectStore, key: str) -> str:
    found = [item for item in store.list(key) if item.key == key]
    if len(found) != 1 or found[0].size != len(_BODY):
        raise _Failed("The listing does not show an object that was just written.")
    return "The listing shows an object as soon as it is written."


def _read_back(store: ObjectStore, key: str) -> str:
    whole = store.get(key, limit=len(_BODY)).body
    if whole != _BODY or b"".join(store.stream(key)) != _BODY:
        raise _Failed("The bytes read back are not the bytes written.")
    return "The bytes read back are the bytes written."


def _write_once(store: ObjectStore, key: str) -> str:
    try:
        store.put_if_absent(key, _SECOND)
    except Exists:
        if store.get(key, limit=len(_SECOND)).body == _BODY:
            return "A second write to the same key is refused (If-None-Match is honoured)."
        raise _Failed("A second write was refused, yet it changed the object.") from None
    raise _Failed("A second write to the same key went through: If-None-Match is ignored.")


def _replace_only_if_same(store: ObjectStore, key: str) -> str:
    try:
        store.put_if_match(key, _SECOND, _STALE)
    except Changed:
        return "A write against a stale version is refused (If-Match is honoured)."
    raise _Failed("A write against a stale version went through: If-Match is ignored.")


def _checksum(store: ObjectStore, key: str) -> str:
    if not isinstance(store, ChecksumTrial):
        raise _Failed("This store cannot be asked whether it checks digests.")
    try:
        store.put_with_wrong_checksum(key)
    except StorageError as error:
        # Only a refusal of these bytes proves anything: a 403 or a 503 is no checksum check.
        if error.code == "storage.bad_digest":
            return "Bytes that do not match their SHA-256 are refused."
        raise
    raise _Failed("Bytes that do not match their SHA-256 were accepted: checksums are ignored.")


def _clock(store: ObjectStore, clock: Clock) -> str:
    before = clock.now()
    server = store.server_time()
    skew = server - (before + (clock.now() - before) / 2)
    seconds = round(abs(skew.total_seconds()))
    if abs(skew) > LARGEST_SKEW:
        raise _Failed(f"This machine's clock and the server's are {seconds} s apart; set it.")
    return f"The clocks agree within {seconds} s."


def _delete(store: ObjectStore, *keys: str) -> str:
    for key in keys:
        try:
            store.get(key, limit=1 << 10)
        except Missing:
            continue
        store.delete(key)
    return "The probe's objects are deleted again."


def _remembers(store: ObjectStore, key: str) -> str:
    if not store.was_ever(key):
        raise _Failed(
            "The bucket keeps no versions: that a version's name was used before is known from"
            " the journal alone."
        )
    return "The bucket keeps versions: a deleted object stays known."


def _object_lock(store: ObjectStore) -> str:
    # Only asked: a retention tried out would leave an object nobody may remove.
    if not store.can_lock():
        raise _Failed("The bucket has no object lock: releases cannot be retained in it.")
    return "The bucket has object lock: releases can be retained."
