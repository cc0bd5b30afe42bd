"""What was near a record that people edited or rejected ships only after somebody has read it.

Once such a record has other words, or has left, its near-copies may share no cluster with
anything that ships, and nothing else would hold them. They are known by the newest reviewed
candidate that shipped the record as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.intake.dropped import load_dropped
from core.model.candidate import Candidate
from core.model.names import Digest
from core.review.frame import FoundRecord, FrameRow, find_records, read_frame, read_records
from core.workbench import history
from core.workbench.candidates import Candidates

GATE = "review"
_DECIDED = ("edit", "exclude")
_BATCH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What an earlier candidate knew: ids that shipped, and those near an original."""

    shipped: frozenset[str]
    near: frozenset[str]
    originals: Mapping[str, FoundRecord]


def siblings_of_decided(
    candidates: Candidates, candidate: Candidate, rows: Sequence[FrameRow]
) -> frozenset[str]:
    """Return which of the candidate's `rows` were near a record that its decisions changed.

    These are the members of the near-duplicate cluster in which the record stood when it last
    shipped as it was, those the build had left out as near-copies included; and, of what ships
    now and did not then, every record as similar to the old text as the policy calls near.
    What people's own words stand in is no sibling: it is read for itself.

    Raises:
        ReviewError: `review.shard_changed`, `review.row_broken` for a shard of either candidate.
        IntakeError: `candidate.dropped_altered`.
    """
    wanted = {
        decision.get("record_id", "")
        for decision in candidate.decisions
        if decision.get("gate") == GATE and decision.get("action") in _DECIDED
    }
    if not wanted:
        return frozenset()
    here = {row.record_id for row in rows if not row.edited}
    found: set[str] = set()
    for seen in _last_seen(candidates, candidate.digest, wanted):
        found |= seen.near & here
        arrived = here - seen.shipped - found
        found |= _alike(candidates, candidate, arrived, seen.originals.values())
    return frozenset(found - wanted)


def _last_seen(candidates: Candidates, digest: Digest, wanted: set[str]) -> Iterator[_Seen]:
    """Yield, newest first, the reviewed candidates that shipped one of `wanted` last."""
    entries = candidates.desk.entries()
    reviewed = dict.fromkeys(
        Digest(str(entry.event["candidate"]))
        for entry in reversed(tuple(history.of_type(entries, "plan.frozen")))
    )
    left = set(wanted)
    for name in reviewed:
        if name == digest or not left:
            continue
        earlier = candidates.get(name)
        clusters = {
            row.record_id: row.cluster_id for row in read_frame(candidates.desk.store, earlier)
        }
        last = left & clusters.keys()
        if last:
            yield _seen(candidates, earlier, clusters, last)
        left -= last


def _seen(
    candidates: Candidates, earlier: Candidate, clusters: Mapping[str, str], last: set[str]
) -> _Seen:
    desk = candidates.desk
    names = {clusters[record] for record in last}
    near = {record for record, cluster in clusters.items() if cluster in names}
    dropped = load_dropped(desk.store, desk.prefix, earlier) or ()
    near |= {entry.record_id for entry in dropped if entry.kept in near}
    return _Seen(
        shipped=frozenset(clusters),
        near=frozenset(near - last),
        originals=find_records(desk.store, earlier, last),
    )


def _alike(
    candidates: Candidates,
    candidate: Candidate,
    arrived: set[str],
    originals: Iterable[FoundRecord],
) -> frozenset[str]:
    """Return which of the `arrived` records are as near to an original as the policy says."""
    # Imported here because what compares is compiled, and loads in seconds.
    import numpy as np

    from core.intake.kernel import jaccards, shingle_sets
    from core.intake.text import compared_text

    rule = candidates.desk.policy.near_duplicates
    old = [compared_text(record.messages) for record in originals]
    found: set[str] = set()
    for records in _batches(read_records(candidates.desk.store, candidate, arrived)):
        texts = [compared_text(record.messages) for record in records]
        hashes, bounds = shingle_sets(old + texts, rule.shingle)
        left = np.repeat(np.arange(len(old)), len(texts))
        right = np.tile(np.arange(len(texts)), len(old)) + len(old)
        near = right[jaccards(hashes, bounds, left, right) >= rule.threshold] - len(old)
        found |= {records[place].record_id for place in near.tolist()}
    return frozenset(found)


def _batches(records: Iterable[FoundRecord]) -> Iterator[list[FoundRecord]]:
    batch: list[FoundRecord] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
