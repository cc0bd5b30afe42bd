"""An object proves a family only by being opened and yielding records; its name proves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from core.intake.codes import CODES, title_of
from core.intake.read import Item, read_object
from core.model.dataset import Asset, Conversation, SourceObject
from core.model.errors import Changed, Forbidden, Missing
from core.policy.types import IntakeRule
from core.storage.ports import ObjectStore

EvidenceState = Literal["usable", "asset", "unusable", "unread", "shared"]
OPENED_BYTES: Final = 4 << 20
_SHAPES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one opened object gave: counts of rows, never their text.

    `sampled` says that only the first 4 MiB were read. `rejected` is the sum of `codes`;
    `lanes` counts assets by lane, `unknown_fields` the rows of unknown shapes by the names of
    their fields, the five commonest. `prefix` is the pattern that claimed the object.
    """

    key: str
    size: int
    state: EvidenceState
    container: str = ""
    records: int = 0
    rejected: int = 0
    why: str = ""
    codes: Mapping[str, int]
    lanes: Mapping[str, int]
    prefix: str = ""
    alias: bool = False
    confirmed: bool = True
    sampled: bool = False
    unknown_fields: Mapping[str, int] = field(default_factory=dict)


def open_object(
    store: ObjectStore,
    source: SourceObject,
    *,
    rule: IntakeRule,
    prefix: str = "",
    alias: bool = False,
    confirmed: bool = True,
) -> Evidence:
    """Open the object, read at most its first 4 MiB with the real reader, and say what it gave.

    An object that changed, went or is forbidden is `unread`; other errors of the store are
    raised, since they say nothing about the object.
    """
    sampled = source.size > OPENED_BYTES
    tally = _Tally()
    refused = ""
    container = ""
    stream: Iterator[bytes] = iter(())
    try:
        stream = store.stream(source.key, if_match=source.etag, version_id=source.version_id)
        reading = read_object(stream, key=source.key, rule=rule, sample=OPENED_BYTES)
        for item in reading:
            tally.add(item)
        container = reading.container
    except (Changed, Missing, Forbidden) as error:
        tally, refused = _Tally(), _UNREAD[type(error)]
    finally:
        _close(stream)
    return Evidence(
        key=source.key,
        size=source.size,
        state="unread" if refused else tally.state,
        container=container,
        records=tally.records,
        rejected=sum(tally.codes.values()),
        why=refused or tally.why(rule),
        codes=dict(sorted(tally.codes.items())),
        lanes=dict(sorted(tally.lanes.items())),
        prefix=prefix,
        alias=alias,
        confirmed=confirmed,
        sampled=sampled,
        unknown_fields=dict(tally.fields.most_common(_SHAPES)),
    )


_UNREAD: Final = {
    Changed: "The object changed after it was listed; take a new inventory.",
    Missing: "The object went after it was listed; take a new inventory.",
    Forbidden: "The desk's credentials may not read the object.",
}


class _Tally:
    """Counts of what an object gave."""

    def __init__(self) -> None:
        self.records = 0
        self.codes: Counter[str] = Counter()
        self.lanes: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.whole = ""

    def add(self, item: Item) -> None:
        if isinstance(item, Conversation):
            self.records += 1
        elif isinstance(item, Asset):
            self.lanes[item.lane] += 1
        else:
            self.codes[item.code] += 1
            if item.fields:
                self.fields[", ".join(item.fields)] += 1
            if item.line == 0:
                self.whole = item.code

    @property
    def state(self) -> EvidenceState:
        if self.records:
            return "usable"
        return "asset" if self.lanes else "unusable"

    def why(self, rule: IntakeRule) -> str:
        """Say in one sentence what stands out, or nothing."""
        rejected = sum(self.codes.values())
        if self.whole and not self.records and not self.lanes:
            return f"{title_of(self.whole)}: {CODES[self.whole][1]}"
        if self.lanes and not self.records:
            lanes = ", ".join(f"{count} {lane}" for lane, count in sorted(self.lanes.items()))
            return f"No conversation in it, only {lanes}."
        if not self.records:
            if not rejected:
                return "No whole row."
            return f"No row could be used: {_named(self.codes)}.{self._shape()}"
        rows = self.records + rejected + sum(self.lanes.values())
        if rejected >= rule.rejected_floor and rejected > rule.rejected_share * rows:
            return f"{rejected} of {rows} rows were refused: {_named(self.codes)}.{self._shape()}"
        return ""

    def _shape(self) -> str:
        """Name the fields of the commonest unknown shape, which a policy could map."""
        if not self.fields:
            return ""
        [(names, rows)] = self.fields.most_common(1)
        return f" {rows} have the fields {names}."


def _named(codes: Counter[str]) -> str:
    return ", ".join(f"{title_of(code)} ({count})" for code, count in codes.most_common(3))


def _close(stream: Iterator[bytes]) -> None:
    """Let the connection go: a stream left half read would hold it."""
    close = getattr(stream, "close", None)
    if close is not None:
        close()
