"""A PII sample that found somebody has failed, and leaving that record out does not mend it.

Ranks stay within a version. So the next candidate would be shown the same records but for the one
that was found, and every family would pass in the end. So the next sample is drawn from records
nobody has read, and each further one must prove its limit at half the risk of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.model.errors import ReviewError
from core.model.names import Digest
from core.policy.types import PiiCheckRule
from core.review.attempts import confidence_after, ordinal
from core.review.bounds import plan_size


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierSample:
    """The sample of an earlier candidate: who was found, what was read.

    `released`: it is of another version, and one that became a release. It is no attempt at
    this one; every other is, for to begin a version anew is no way around a sample that failed.
    """

    candidate: Digest
    plan: Digest
    read: frozenset[str]
    escapes: frozenset[str]
    released: bool = False


def failed_samples(earlier: Iterable[EarlierSample]) -> tuple[EarlierSample, ...]:
    """Return the attempts in which somebody could be identified, in the order given."""
    return tuple(sample for sample in earlier if sample.escapes and not sample.released)


def rule_after(rule: PiiCheckRule, failed: int) -> PiiCheckRule:
    """Return what a sample must show after `failed` others have failed.

    The risk is halved each time, so that all samples together let a family pass that is exactly
    at the limit with less than twice the risk of the first alone.
    """
    if not failed:
        return rule
    confidence = confidence_after(rule.confidence, failed)
    return replace(rule, confidence=confidence, first=plan_size(rule.limit, confidence))


def unread_records(
    records: Iterable[tuple[str, str, str]], family: str, earlier: Sequence[EarlierSample]
) -> list[tuple[str, str, str]]:
    """Return what the next sample of `family` is drawn from: nothing a failed one has read.

    Once every record of the family has been read there is nothing else to draw from, and all
    of them are returned.

    Raises:
        ReviewError: `review.escape_ships` when a record that identifies somebody is among them.
    """
    frame = [item for item in records if item[2] == family]
    known = frozenset().union(*(sample.escapes for sample in earlier))
    shipped = sorted(known & {item[0] for item in frame})
    if shipped:
        raise ReviewError(
            "review.escape_ships",
            "A record in which a reader could identify somebody is still in this candidate. "
            "Leave it out and build again.",
            place=f"{family}/{shipped[0]}",
        )
    read = frozenset().union(*(sample.read for sample in failed_samples(earlier)))
    return [item for item in frame if item[0] not in read] or frame


def attempts_sentence(failed: Sequence[tuple[int, int]]) -> str:
    """Say what the failed samples found, as pairs of records found and read; nothing of none."""
    if not failed:
        return ""
    number = len(failed)
    found = ", then in ".join(f"{misses:,} of {read:,}" for misses, read in failed)
    return (
        f" This is the {ordinal(number + 1)} sample, of records nobody had read: in the earlier "
        f"one{'s' if number > 1 else ''} somebody could be identified in {found} records read."
    )
