"""A bucket in memory that keeps versions and can be told to misbehave, once or for ever.

    simulator.fail(op="put_if_absent", nth=3, how="lost_reply")
    simulator.when(op="get", nth=1, do=lambda: simulator.put("a", b"other bytes"))

`nth` counts calls of `op` (or of anything, for op="any") from the moment the plan is made;
`key` narrows it to one key; `times=None` means every call from the nth on. A listing counts as
one call per page of 1,000 keys. `fired` says how many faults have struck so far, so that a test
can loop over nth until none does.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from core.model.dataset import SourceObject
from core.model.errors import Changed, Exists, Forbidden, Missing, StorageError, TooLarge, Transient
from core.storage.ports import Clock, Held
from tests.clock import FixedClock

How = Literal[
    "lost_reply",  # it happened, the caller is told Transient
    "retried_reply",  # it happened, the SDK tried again by itself: the caller is told 412
    "error_500",
    "slow_down",
    "reset",
    "timeout",
    "conflict_409",
    "forbidden",
    "flip_byte",  # the bytes are altered on the way, in or out, and nobody says so
    "short_body",  # half the bytes come, then the read breaks off
    "silent_short_body",  # half the bytes come and the server pretends that was all
]
_BEFORE = {
    "error_500": "The server failed.",
    "slow_down": "The server asked to slow down.",
    "reset": "The connection was reset.",
    "timeout": "The server did not answer in time.",
    "conflict_409": "Another write was under way.",
}
BLOCK = 1 << 20
PAGE = 1000


@dataclass(slots=True)
class _Plan:
    op: str
    key: str | None
    nth: int
    times: int | None
    how: How | None
    do: Callable[[], object] | None
    seen: int = 0
    fired: int = 0


@dataclass(frozen=True, slots=True)
class _Version:
    body: bytes | None  # None is a delete marker
    version_id: str
    etag: str
    modified: datetime


@dataclass(slots=True)
class Simulator:
    """An `ObjectStore` in memory. `versioned`, `honours_conditions` and `checks_digests` may be

    turned off to play a lesser server; `skew` shifts the server's clock; `readonly` refuses
    every write as a server would for a read-only key.
    """

    clock: Clock = field(default_factory=FixedClock)
    bucket: str = "simulated"
    versioned: bool = True
    honours_conditions: bool = True
    checks_digests: bool = True
    readonly: bool = False
    object_lock: bool = True
    skew: timedelta = timedelta(0)
    calls: list[tuple[str, str]] = field(default_factory=list)
    _objects: dict[str, list[_Version]] = field(default_factory=dict)
    _retained: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _plans: list[_Plan] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _serial: int = 0

    # Planning ------------------------------------------------------------------------------

    def fail(
        self,
        *,
        op: str,
        how: How,
        nth: int = 1,
        times: int | None = 1,
        key: str | None = None,
    ) -> None:
        """Plan a fault for the `nth` call of `op` and the `times - 1` calls after it."""
        with self._lock:
            self._plans.append(_Plan(op, key, nth, times, how, None))

    def when(
        self, *, op: str, do: Callable[[], object], nth: int = 1, key: str | None = None
    ) -> None:
        """Plan that `do` runs just before the `nth` call of `op`: the other party of a race."""
        with self._lock:
            self._plans.append(_Plan(op, key, nth, 1, None, do))

    def heal(self) -> None:
        """Forget every plan."""
        with self._lock:
            self._plans.clear()

    @property
    def fired(self) -> int:
        """How many planned faults and actions have struck since the last `heal`."""
        return sum(plan.fired for plan in self._plans)

    def count(self, op: str, key: str | None = None) -> int:
        """How often `op` was called (on `key`)."""
        return sum(1 for call in self.calls if call[0] == op and key in (None, call[1]))

    # Seeding, as somebody else would --------------------------------------------------------

    def put(self, key: str, body: bytes) -> str:
        """Put without condition, past every fault; return the etag."""
        with self._lock:
            return self._store(key, body)

    def keys(self, prefix: str = "") -> list[str]:
        """Every present key under `prefix`, past every fault."""
        with self._lock:
            return [key for key in self._ordered() if key.startswith(prefix)]

    def body(self, key: str) -> bytes:
        """The present bytes of `key`, past every fault."""
        return self._present(key).body or b""

    def versions(self, key: str) -> int:
        """How many versions with bytes `key` has ever had (delete markers do not count)."""
        return sum(1 for version in self._objects.get(key, []) if version.body is not None)

    def retained(self, key: str) -> datetime | None:
        """Until when the present version of `key` is retained, past every fault."""
        return self._retained.get((key, self._present(key).version_id))

    def copied(self, clock: Clock) -> Simulator:
        """Another bucket with the same past, a clock of its own and no faults planned."""
        with self._lock:
            return Simulator(
                clock=clock,
                bucket=self.bucket,
                versioned=self.versioned,
                honours_conditions=self.honours_conditions,
                checks_digests=self.checks_digests,
                skew=self.skew,
                object_lock=self.object_lock,
                _retained=dict(self._retained),
                _objects={key: list(versions) for key, versions in self._objects.items()},
                _serial=self._serial,
            )

    def forget(self, key: str) -> None:
        """Remove every version of `key`, as if it had never been."""
        with self._lock:
            self._objects.pop(key, None)

    # The port ------------------------------------------------------------------------------

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        """Yield in UTF-8 byte order, page by page; each page is one call."""
        after = start_after
        while True:
            self._call("list", prefix)
            page = self._page(prefix, after)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].key

    def get(self, key: str, *, limit: int, if_match: str | None = None) -> Held:
        """As the port says."""
        how = self._call("get", key)
        found = self._matching(key, if_match, None)
        body = _damaged(found.body or b"", how, key)
        if how == "short_body":
            raise _transient("The body broke off.", key)
        if len(body) > limit:
            raise TooLarge("storage.too_large", "The object is too large.", place=key)
        return Held(
            body=body, etag=found.etag, version_id=found.version_id if self.versioned else None
        )

    def head_bytes(self, key: str, count: int) -> bytes:
        """As the port says."""
        how = self._call("head_bytes", key)
        body = (self._matching(key, None, None).body or b"")[:count]
        if how == "short_body":
            raise _transient("The body broke off.", key)
        return _damaged(body, how, key)

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        """As the port says."""
        how = self._call("stream", key)
        body = _damaged(self._matching(key, if_match, version_id).body or b"", how, key)
        for start in range(0, len(body), BLOCK):
            yield body[start : start + BLOCK]
        if how == "short_body":
            raise _transient("The body broke off.", key)

    def put_if_absent(self, key: str, body: bytes) -> None:
        """As the port says."""
        with self._lock:
            how = self._call("put_if_absent", key)
            self._writable(key)
            if self.honours_conditions and self._current(key) is not None:
                raise Exists("storage.exists", "An object is there already.", place=key)
            self._store(key, _damaged(body, how, key))
            self._after(how, key)

    def put_if_match(self, key: str, body: bytes, etag: str) -> None:
        """As the port says."""
        with self._lock:
            how = self._call("put_if_match", key)
            self._writable(key)
            present = self._present(key)
            if self.honours_conditions and present.etag != etag:
                raise Changed("storage.changed", "The object has changed.", place=key)
            self._store(key, _damaged(body, how, key))
            if how == "retried_reply":
                raise Changed("storage.changed", "The object has changed.", place=key)
            self._after(how, key)

    def put_with_wrong_checksum(self, key: str) -> None:
        """Send bytes with a digest that is not theirs; raises what a checking server answers."""
        with self._lock:
            self._call("put_with_wrong_checksum", key)
            self._writable(key)
            if self.checks_digests:
                raise StorageError("storage.bad_digest", "The bytes do not match.", place=key)
            self._store(key, b"wrong checksum")

    def copy(self, source: str, target: str) -> None:
        """As the port says."""
        with self._lock:
            how = self._call("copy", target)
            self._writable(target)
            self._store(target, _damaged(self._present(source).body or b"", how, target))
            self._after(how, target)

    def was_ever(self, key: str) -> bool:
        """As the port says."""
        self._call("was_ever", key)
        return bool(self._objects.get(key))

    def can_lock(self) -> bool:
        """As the port says; object lock needs versions."""
        self._call("can_lock", "")
        return self.object_lock and self.versioned

    def retain(self, key: str, until: datetime) -> None:
        """As the port says."""
        with self._lock:
            how = self._call("retain", key)
            self._writable(key)
            if not (self.object_lock and self.versioned):
                raise StorageError("storage.no_lock", "There is no object lock.", place=key)
            held = (key, self._present(key).version_id)
            self._retained[held] = max(until, self._retained.get(held, until))
            self._after(how, key)

    def delete(self, key: str) -> None:
        """Leave a delete marker where versioned; forget the object where not."""
        with self._lock:
            self._call("delete", key)
            self._writable(key)
            if not self.versioned:
                self._objects.pop(key, None)
            elif self._current(key) is not None:
                self._objects[key].append(self._version(None))

    def server_time(self) -> datetime:
        """The clock's present, shifted by `skew`."""
        self._call("server_time", "")
        return (self.clock.now() + self.skew).astimezone(UTC)

    # Inside --------------------------------------------------------------------------------

    def _call(self, op: str, key: str) -> How | None:
        with self._lock:
            self.calls.append((op, key))
            struck = [plan for plan in self._plans if _strikes(plan, op, key)]
            for plan in struck:
                plan.fired += 1
        for plan in struck:
            if plan.do is not None:
                plan.do()
        how = next((plan.how for plan in struck if plan.how is not None), None)
        if how == "forbidden":
            raise Forbidden("storage.forbidden", "The credentials may not do this.", place=key)
        if how in _BEFORE:
            raise _transient(_BEFORE[how], key)
        if how in ("lost_reply", "retried_reply") and not op.startswith(("put", "copy")):
            raise _transient("The reply was lost.", key)
        return how

    def _after(self, how: How | None, key: str) -> None:
        if how == "lost_reply":
            raise _transient("The reply was lost.", key)
        if how == "retried_reply":
            raise Exists("storage.exists", "An object is there already.", place=key)

    def _writable(self, key: str) -> None:
        if self.readonly:
            raise Forbidden("storage.forbidden", "The credentials may not write.", place=key)

    def _version(self, body: bytes | None) -> _Version:
        self._serial += 1
        # The etag is the MD5 S3 gives a single put: the same bytes, the same etag.
        etag = hashlib.md5(body or b"", usedforsecurity=False).hexdigest()
        modified = self.clock.now().astimezone(UTC).replace(tzinfo=None)
        return _Version(body, f"v{self._serial:08d}", etag, modified)

    def _store(self, key: str, body: bytes) -> str:
        version = self._version(bytes(body))
        if self.versioned:
            self._objects.setdefault(key, []).append(version)
        else:
            self._objects[key] = [version]
        return version.etag

    def _current(self, key: str) -> _Version | None:
        versions = self._objects.get(key)
        return versions[-1] if versions and versions[-1].body is not None else None

    def _present(self, key: str) -> _Version:
        found = self._current(key)
        if found is None:
            raise Missing("storage.missing", "There is no such object.", place=key)
        return found

    def _matching(self, key: str, if_match: str | None, version_id: str | None) -> _Version:
        with self._lock:
            if version_id is None:
                found = self._present(key)
            else:
                found = next(
                    (v for v in self._objects.get(key, []) if v.version_id == version_id), None
                )
                if found is None or found.body is None:
                    raise Missing("storage.missing", "There is no such version.", place=key)
        if if_match is not None and found.etag != if_match:
            raise Changed("storage.changed", "The object has changed.", place=key)
        return found

    def _ordered(self) -> list[str]:
        present = [key for key in self._objects if self._current(key) is not None]
        return sorted(present, key=lambda key: key.encode("utf-8"))

    def _page(self, prefix: str, after: str) -> list[SourceObject]:
        with self._lock:
            wanted = [
                key
                for key in self._ordered()
                if key.startswith(prefix) and key.encode("utf-8") > after.encode("utf-8")
            ]
            return [self._described(key) for key in wanted[:PAGE]]

    def _described(self, key: str) -> SourceObject:
        found = self._present(key)
        return SourceObject(
            key=key, size=len(found.body or b""), etag=found.etag, modified=found.modified
        )


def _strikes(plan: _Plan, op: str, key: str) -> bool:
    if plan.op not in ("any", op) or (plan.key is not None and plan.key != key):
        return False
    plan.seen += 1
    return plan.seen >= plan.nth and (plan.times is None or plan.seen < plan.nth + plan.times)


def _damaged(body: bytes, how: How | None, key: str) -> bytes:
    if how == "flip_byte":
        return bytes([body[0] ^ 1]) + body[1:] if body else b"\x00"
    if how in ("short_body", "silent_short_body"):
        return body[: len(body) // 2]
    return body


def _transient(sentence: str, key: str) -> Transient:
    return Transient("storage.transient", sentence, place=key)
