"""The journal is a chain: every entry names the digest of the one before, and lands once.

An edit, a gap or a swap breaks the chain. A tail cut off leaves a shorter chain that still holds,
which is why heads are anchored elsewhere (in sign-offs and manifests) and given to `verify`.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from core.canonical import NotCanonical, canonical_bytes, decode, sha256_hex
from core.model.errors import (
    Exists,
    JournalBroken,
    KeyTaken,
    Missing,
    StorageError,
    TooLarge,
    Transient,
)
from core.model.names import Digest
from core.storage.ports import Clock, Held, ObjectStore, timestamp
from core.storage.put_once import put_once

EMPTY_HEAD = Digest("0" * 64)
ENTRY_LIMIT = 1 << 20
_FIELDS = {"seq", "prev", "at", "actor", "event"}
_PATIENCE = 8
_RACES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing decided. `digest` is the SHA-256 of the exact stored bytes at `key`.

    `seq` counts from 1; `prev` is the digest of the entry before, 64 zeros for the first; `at` is
    ISO 8601 UTC and says nothing about order.
    """

    seq: int
    prev: Digest
    at: str
    actor: str
    event: Mapping[str, object]
    digest: Digest
    key: str


class Journal:
    """The journal under `prefix` + "journal/". Safe to share between threads.

    Args:
        store: the bucket.
        prefix: the exports prefix, with its final slash.
        clock: dates entries.
        sleep: waits so many seconds between tries.
        make_id: gives an event without "id" one nobody else has.
    """

    def __init__(
        self,
        store: ObjectStore,
        prefix: str,
        clock: Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._exports = prefix
        self._prefix = prefix + "journal/"
        self._clock = clock
        self._sleep = sleep
        self._make_id = make_id
        self._jitter = jitter
        self._entries: list[Entry] = []
        self._etags: list[str] = []
        self._by_id: dict[str, Entry] = {}
        self._lock = threading.RLock()
        self._moment = threading.local()

    def append(self, actor: str, event: Mapping[str, object]) -> Entry:
        """Append `event` at the next free place and return its entry; it lands exactly once.

        An event whose "id" is in the journal already is not written again: the entry that
        holds it is returned, so an append of unknown outcome may simply be repeated.

        Raises:
            NotCanonical: the event holds a float, or text without a canonical form.
            KeyTaken: another event holds this "id".
            OutcomeUnknown, Forbidden, StorageError: as `put_once`.
        """
        event = self._identified(event)
        for _ in range(_RACES):
            entries = self._patiently()
            known = self._landed(actor, event)
            if known is not None:
                return known
            head = entries[-1].digest if entries else EMPTY_HEAD
            try:
                return self._put(len(entries) + 1, head, actor, event)
            except KeyTaken:
                self._sleep(0.02 * self._jitter())
        raise StorageError("journal.crowded", "The journal is too busy; try again.")

    def append_after(self, head: Digest, actor: str, event: Mapping[str, object]) -> Entry:
        """Append `event` only if `head` is still the newest entry.

        Raises:
            Exists: something was decided since `head`; nothing was written.
            Others as `append`.
        """
        event = self._identified(event)
        entries = self._patiently()
        known = self._landed(actor, event)
        if known is not None and known.prev == head:
            return known
        if (entries[-1].digest if entries else EMPTY_HEAD) != head:
            raise _moved(self._prefix)
        try:
            return self._put(len(entries) + 1, head, actor, event)
        except KeyTaken:
            raise _moved(self._prefix) from None

    def replay(self) -> tuple[Entry, ...]:
        """Return every entry in order, each link verified; only new ones are read.

        Raises:
            JournalBroken: the chain does not hold, or its end is no longer what was seen.
        """
        with self._lock:
            self._refresh()
            return tuple(self._entries)

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Let `glance` of this thread read the journal once, until it writes or this ends.

        For drawing one page, which asks a dozen times what has been decided: each asking is a
        request, and all of one picture should show the same. Nothing that decides may rely on it.
        """
        self._moment.open, self._moment.entries = True, None
        try:
            yield
        finally:
            self._moment.open, self._moment.entries = False, None

    def glance(self) -> tuple[Entry, ...]:
        """Return every entry as `replay` does; within a `moment`, as this thread read it in it."""
        if not getattr(self._moment, "open", False):
            return self.replay()
        if self._moment.entries is None:
            self._moment.entries = self.replay()
        found: tuple[Entry, ...] = self._moment.entries
        return found

    def head(self) -> Digest:
        """Return the digest of the newest entry, or 64 zeros when there is none."""
        entries = self.replay()
        return entries[-1].digest if entries else EMPTY_HEAD

    def verify(self, anchors: Iterable[tuple[int, Digest]]) -> None:
        """Read the whole journal afresh and hold it against `anchors` of (seq, digest).

        Raises:
            JournalBroken: a link does not hold, or an anchored entry is absent or another one.
        """
        fresh = Journal(self._store, self._exports, self._clock, sleep=self._sleep)
        entries = fresh._patiently()
        with self._lock:
            seen = [(entry.seq, entry.digest) for entry in self._entries]
        for seq, digest in [*seen, *anchors]:
            if (seq, digest) == (0, EMPTY_HEAD):
                continue
            if not 1 <= seq <= len(entries):
                raise _broken("journal.cut", "Entries somebody vouched for are gone.", str(seq))
            if entries[seq - 1].digest != digest:
                raise _broken(
                    "journal.replaced", "An entry is not the one vouched for.", entries[seq - 1].key
                )

    def _identified(self, event: Mapping[str, object]) -> dict[str, object]:
        kind = event.get("type")
        if not isinstance(kind, str) or not kind:
            raise NotCanonical("journal.event", 'An event has a "type".')
        if "id" in event and not isinstance(event["id"], str):
            raise NotCanonical("journal.event", 'An event\'s "id" is text.')
        whole = dict(event) if "id" in event else {**event, "id": self._make_id()}
        # What is compared later is what will be read back: tuples become lists here.
        decoded: dict[str, object] = decode(canonical_bytes(whole))
        return decoded

    def _landed(self, actor: str, event: Mapping[str, object]) -> Entry | None:
        with self._lock:
            known = self._by_id.get(str(event["id"]))
        if known is not None and (known.event != event or known.actor != actor):
            raise KeyTaken(
                "journal.id_taken", "Another event in the journal has this id.", place=known.key
            )
        return known

    def _put(self, seq: int, head: Digest, actor: str, event: Mapping[str, object]) -> Entry:
        at = timestamp(self._clock.now())
        body = canonical_bytes({"seq": seq, "prev": head, "at": at, "actor": actor, "event": event})
        key = f"{self._prefix}{seq:012d}.json"
        if len(body) > ENTRY_LIMIT:
            raise TooLarge("journal.too_large", "An entry has at most 1 MiB.", place=key)
        self._moment.entries = None
        put_once(self._store, key, body, sleep=self._sleep, jitter=self._jitter)
        return Entry(
            seq=seq, prev=head, at=at, actor=actor, event=event, digest=sha256_hex(body), key=key
        )

    def _patiently(self) -> tuple[Entry, ...]:
        """Replay, waiting out a server that fails for a moment; what was read is kept."""
        failures, reached = 0, 0
        while True:
            try:
                return self.replay()
            except Transient:
                known = len(self._entries)
                failures = 1 if known > reached else failures + 1
                reached = known
                if failures > _PATIENCE:
                    raise
                self._sleep(0.05 * 2**failures * (0.5 + self._jitter() / 2))

    def _refresh(self) -> None:
        """List from the last known entry on, so that its absence or change is noticed too."""
        known = len(self._entries)
        after = f"{self._prefix}{known - 1:012d}.json" if known > 1 else ""
        position = max(known - 1, 0)
        for found in self._store.list(self._prefix, start_after=after):
            position += 1
            key = f"{self._prefix}{position:012d}.json"
            if found.key != key:
                raise _broken("journal.gap", "An entry is missing or does not belong.", found.key)
            if position <= known:
                if found.etag != self._etags[position - 1]:
                    raise _broken("journal.edited", "An entry is not what was read before.", key)
                continue
            self._read(key, position)
        if position < known:
            raise _broken("journal.cut", "Entries that were read before are gone.", self._prefix)

    def _read(self, key: str, seq: int) -> None:
        try:
            held = self._store.get(key, limit=ENTRY_LIMIT)
        except Missing:
            raise _broken("journal.gap", "An entry went missing.", key) from None
        except TooLarge:
            raise _broken("journal.shape", "An entry is too large to be one.", key) from None
        entry = _parse(held, key)
        expected = self._entries[-1].digest if self._entries else EMPTY_HEAD
        if entry.seq != seq or entry.prev != expected:
            raise _broken("journal.link", "An entry does not follow the one before it.", key)
        event_id = str(entry.event["id"])
        if event_id in self._by_id:
            raise _broken("journal.repeated", "An event stands in the journal twice.", key)
        self._entries.append(entry)
        self._etags.append(held.etag)
        self._by_id[event_id] = entry


def _parse(held: Held, key: str) -> Entry:
    try:
        value = decode(held.body)
        canonical = canonical_bytes(value) == held.body
    except NotCanonical:
        raise _broken("journal.shape", "An entry is not canonical JSON.", key) from None
    if not canonical or not isinstance(value, dict) or set(value) != _FIELDS:
        raise _broken("journal.shape", "An entry does not have the shape of one.", key)
    event = value["event"]
    texts = (value["prev"], value["at"], value["actor"])
    if (
        type(value["seq"]) is not int  # `true` equals 1, and is no number
        or not all(isinstance(text, str) for text in texts)
        or not isinstance(event, dict)
        or not isinstance(event.get("type"), str)
        or not isinstance(event.get("id"), str)
    ):
        raise _broken("journal.shape", "An entry does not have the shape of one.", key)
    return Entry(
        seq=value["seq"],
        prev=Digest(value["prev"]),
        at=value["at"],
        actor=value["actor"],
        event=event,
        digest=sha256_hex(held.body),
        key=key,
    )


def _broken(code: str, sentence: str, place: str) -> JournalBroken:
    return JournalBroken(code, sentence + " Publishing stops until this is explained.", place=place)


def _moved(place: str) -> Exists:
    return Exists("journal.head_moved", "Something was decided meanwhile; look again.", place=place)
