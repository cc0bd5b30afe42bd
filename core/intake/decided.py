"""What people decided to redact or to edit is replaced in every later build of the version.

A decision names a record by its id, the digest of its whole text, and a place in it. So it can
only ever strike the very text somebody looked at, and nowhere does it hold the value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from core.intake.edits import Edit, circle, replace_turns, stale, wanted_edits
from core.intake.features import FeatureFile, Row
from core.intake.ledger import Ledger
from core.intake.measure import decode_messages, measure_records
from core.intake.privacy.redact import Redacted, Replacement, replace_spans
from core.intake.privacy.spans import Span, merge
from core.model.dataset import Conversation, Message, PiiStatus
from core.model.errors import IntakeError
from core.model.personal import entity_of
from core.policy.types import Policy

Decision = Mapping[str, str]
_GROUP_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What came of decisions about words.

    `steps` are the decided steps by the id of a record that changed; `replaced` the digests of
    texts that an edit put others in the place of, so that no copy of them ships instead.
    """

    steps: Mapping[str, tuple[str, ...]]
    replaced: frozenset[bytes]


def apply_decided(
    ledger: Ledger,
    folder: Path,
    decisions: Iterable[Decision],
    policy: Policy,
    edits: Iterable[Edit] = (),
) -> Decided:
    """Replace decided spans and turns in the ledger.

    For the sources that hold such a record, features are written anew in `folder`.

    Raises:
        IntakeError: `intake.redaction_misplaced` when a decision names no place of its record,
            `intake.edit_stale` when no source holds the text of an edit (any more),
            `intake.edit_missing`, `intake.edit_conflict`, `intake.edit_circle`.
    """
    known = list(decisions)
    leaving = frozenset(
        item.get("record_id", "")
        for item in known
        if item.get("action") in ("exclude", "exclude_group")
    )
    changes = _Changes(
        redactions=_wanted(known, leaving), edits=wanted_edits(edits, known, leaving)
    )
    if changes.records:
        held = ledger.holding(changes.records)
        for number, path in zip(held, list(ledger.features.paths(held)), strict=True):
            target = folder / f"{number}.decided.parquet"
            _rewrite(path, target, changes, policy)
            ledger.replace(number, target)
    for record in sorted(changes.edits.keys() - changes.met):
        raise stale(f"{record}:{changes.edits[record][0].turn}")
    return Decided(
        steps={name: tuple(sorted(steps)) for name, steps in changes.steps.items()},
        replaced=frozenset(changes.replaced),
    )


class _Changes:
    """What is to change, by record id, and what has come of it so far."""

    def __init__(
        self, redactions: Mapping[str, Sequence[Decision]], edits: Mapping[str, Sequence[Edit]]
    ) -> None:
        self.redactions = redactions
        self.edits = edits
        self.met: set[str] = set()
        self.steps: defaultdict[str, set[str]] = defaultdict(set)
        self.replaced: set[bytes] = set()

    def wants(self, record: str) -> bool:
        return record in self.redactions or record in self.edits

    @property
    def records(self) -> set[str]:
        return {*self.redactions, *self.edits}


def _wanted(
    decisions: Iterable[Decision], leaving: Collection[str]
) -> Mapping[str, Sequence[Decision]]:
    """Return the redactions by record; a record that leaves anyway is left alone to leave."""
    wanted: defaultdict[str, list[Decision]] = defaultdict(list)
    for item in decisions:
        signed = item.get("by", "").strip() and item.get("reason", "").strip()
        if item.get("action") == "redact" and item.get("gate") == "privacy" and signed:
            wanted[item.get("record_id", "")].append(item)
    return {record: items for record, items in wanted.items() if record not in leaving}


def _rewrite(path: Path, target: Path, changes: _Changes, policy: Policy) -> None:
    with target.open("wb") as file, pq.ParquetFile(path) as table:
        features = FeatureFile(file)
        try:
            for batch in table.iter_batches(_GROUP_ROWS):
                for row in batch.to_pylist():
                    features.add(_changed(row, changes, policy))
        finally:
            features.close()


def _changed(row: Row, changes: _Changes, policy: Policy) -> Row:
    """Return the row after every decision about it, those about its new text on top."""
    met: set[str] = set()
    steps: set[str] = set()
    while changes.wants(record := str(row["record_id"])):
        if record in met:
            raise circle(record)
        met.add(record)
        redactions, edits = changes.redactions.get(record, ()), changes.edits.get(record, ())
        before = row["text_digest"]
        row = _replaced(row, redactions, edits, policy)
        steps |= {"redact_by_decision"} if redactions else set()
        steps |= {"edit_by_decision"} if edits else set()
        if edits and row["text_digest"] != before:
            assert isinstance(before, bytes)
            changes.replaced.add(before)
    changes.met |= met
    if steps:
        changes.steps[str(row["record_id"])] |= steps
    return row


def _replaced(
    row: Row, decisions: Sequence[Decision], edits: Sequence[Edit], policy: Policy
) -> Row:
    """Return a record's row measured again after what was decided has been replaced."""
    body = row["messages"]
    assert isinstance(body, bytes)
    messages = decode_messages(body)
    spans = _spans(messages, decisions)
    rules = policy.privacy.entities
    placeholders = {
        span.entity: (rules[span.entity].placeholder if span.entity in rules else "")
        or f"[{span.entity}]"
        for found in spans.values()
        for span in found
    }
    shown, places, gone = replace_spans(
        messages, spans, placeholders, numbered=policy.privacy.numbered
    )
    shown = replace_turns(shown, edits, spans.keys())
    edited = {edit.turn for edit in edits}
    earlier = msgspec.json.decode(str(row["redactions"]), type=list[Replacement])
    kept = [place for place in _moved(earlier, spans, places) if place.turn not in edited]
    redacted = Redacted(
        messages=shown,
        spans=tuple(sorted([*kept, *places], key=lambda place: (place.turn, place.start))),
        status=_status(str(row["pii_status"]), bool(spans)),
        redacted_characters=int(str(row["redacted_characters"])) + gone,
    )
    conversation = Conversation(
        line=int(str(row["line"])),
        shape=str(row["shape"]),
        messages=shown,
        conversation_id=None if row["conversation_id"] is None else str(row["conversation_id"]),
        labels=msgspec.json.decode(str(row["labels"]), type=dict[str, str]),
    )
    (measured,) = measure_records([(conversation, redacted)], policy.near_duplicates)
    return {**row, **measured}


def _status(before: str, redacted: bool) -> PiiStatus:
    if before == "requires_review":
        return "requires_review"
    return "scrubbed" if redacted or before == "scrubbed" else "none_detected"


def _spans(
    messages: Sequence[Message], decisions: Iterable[Decision]
) -> Mapping[int, tuple[Span, ...]]:
    found: defaultdict[int, list[Span]] = defaultdict(list)
    for item in decisions:
        entity = entity_of(item.get("code", ""))
        turn, start, end = (_number(item.get(name, "")) for name in ("turn", "start", "end"))
        if entity is None or not 0 <= turn < len(messages):
            raise _misplaced(item)
        if not 0 <= start < end <= len(messages[turn].content):
            raise _misplaced(item)
        found[turn].append(Span(start=start, end=end, entity=entity, score=1.0, tier="person"))
    return {turn: merge(spans) for turn, spans in found.items()}


def _moved(
    earlier: Iterable[Replacement],
    spans: Mapping[int, Collection[Span]],
    places: Iterable[Replacement],
) -> Iterable[Replacement]:
    """Yield where earlier placeholders stand now; one inside a decided span is gone with it."""
    grown: defaultdict[int, list[tuple[Span, int]]] = defaultdict(list)
    pairs = zip(
        ((turn, span) for turn in sorted(spans) for span in spans[turn]), places, strict=True
    )
    for (turn, span), place in pairs:
        grown[turn].append((span, (place.end - place.start) - (span.end - span.start)))
    for item in earlier:
        if any(span.start < item.end and item.start < span.end for span, _ in grown[item.turn]):
            continue
        by = sum(more for span, more in grown[item.turn] if span.end <= item.start)
        yield replace(item, start=item.start + by, end=item.end + by)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _misplaced(decision: Decision) -> IntakeError:
    return IntakeError(
        "intake.redaction_misplaced",
        "A decision to redact names no place in its record.",
        place=decision.get("record_id", ""),
    )
