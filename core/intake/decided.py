"""What people decided to redact is replaced in every later build of the version.

A decision names a record by its id, the digest of its whole text, and a place in it. So it can
only ever strike the very text somebody looked at, and nowhere does it hold the value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec
import pyarrow.parquet as pq

from core.intake.features import FeatureFile, Row
from core.intake.ledger import Source
from core.intake.measure import decode_messages, measure_records
from core.intake.privacy.redact import Redacted, Replacement, replace_spans
from core.intake.privacy.spans import Span, merge
from core.intake.scan import read_features
from core.model.dataset import Conversation, Message, PiiStatus
from core.model.errors import IntakeError
from core.model.personal import entity_of
from core.policy.types import Policy

Decision = Mapping[str, str]
_GROUP_ROWS = 5_000


def redact_decided(
    sources: Iterable[Source], decisions: Iterable[Decision], policy: Policy
) -> tuple[list[Source], frozenset[str]]:
    """Return the sources with decided spans replaced, and the ids of the records that changed.

    Features are written anew beside the old ones, for the sources that hold such a record.

    Raises:
        IntakeError: `intake.redaction_misplaced` when a decision names no place of its record.
    """
    wanted = _wanted(decisions)
    changed: set[str] = set()
    found = [_rewritten(source, wanted, policy, changed) for source in sources]
    return found, frozenset(changed)


def _wanted(decisions: Iterable[Decision]) -> Mapping[str, Sequence[Decision]]:
    """Return the redactions by record; a record that leaves anyway is left alone to leave."""
    known = list(decisions)
    leaving = {
        item.get("record_id", "")
        for item in known
        if item.get("action") in ("exclude", "exclude_group")
    }
    wanted: defaultdict[str, list[Decision]] = defaultdict(list)
    for item in known:
        signed = item.get("by", "").strip() and item.get("reason", "").strip()
        if item.get("action") == "redact" and item.get("gate") == "privacy" and signed:
            wanted[item.get("record_id", "")].append(item)
    return {record: items for record, items in wanted.items() if record not in leaving}


def _rewritten(
    source: Source, wanted: Mapping[str, Sequence[Decision]], policy: Policy, changed: set[str]
) -> Source:
    if not wanted:
        return source
    held = read_features(source.features, ["record_id"])["record_id"].to_pylist()
    if wanted.keys().isdisjoint(held):
        return source
    path = source.features.with_suffix(".decided.parquet")
    with path.open("wb") as file, pq.ParquetFile(source.features) as table:
        features = FeatureFile(file)
        try:
            for batch in table.iter_batches(_GROUP_ROWS):
                for row in batch.to_pylist():
                    while row["record_id"] in wanted:
                        row = _redacted(row, wanted[row["record_id"]], policy)
                        changed.add(str(row["record_id"]))
                    features.add(row)
        finally:
            features.close()
    return replace(source, features=path)


def _redacted(row: Row, decisions: Sequence[Decision], policy: Policy) -> Row:
    """Return a record's row measured again after the decided spans have been replaced."""
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
    earlier = msgspec.json.decode(str(row["redactions"]), type=list[Replacement])
    status: PiiStatus = "scrubbed"
    if row["pii_status"] == "requires_review":
        status = "requires_review"
    redacted = Redacted(
        messages=shown,
        spans=tuple(
            sorted(
                [*_moved(earlier, spans, places), *places],
                key=lambda place: (place.turn, place.start),
            )
        ),
        status=status,
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
