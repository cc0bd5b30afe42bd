"""What ships and where: each record is dropped for a reason, or stands in one split.

Records that must not be parted form a group: copies, near-duplicates, one prompt, one
conversation or document of a source, one value of a key that the policy names. Dropped records
still hold their group together, and a group that any test-only record belongs to goes to test
whole, so that no text of it is trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.intake.fields import field_name
from core.intake.grouping import DOCUMENT, KEY
from core.intake.ledger import Ledger
from core.intake.near import Pairs, find_pairs, label_clusters
from core.intake.split import Groups, group_digest, split_of
from core.model.dataset import Split
from core.policy.types import Policy

Reason = Literal["requires_review", "excluded_by_decision", "exact_duplicate", "near_duplicate"]
Decisions = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One entry per record of the ledger. `reason` is None for a record that ships.

    `kept` is the record that ships instead of a copy or near-copy, else None; `similarity` the
    Jaccard similarity of the two, None where only a chain of others joins them.
    """

    reason: tuple[Reason | None, ...]
    kept: tuple[int | None, ...]
    similarity: tuple[float | None, ...]
    group: tuple[str, ...]
    cluster: tuple[str, ...]
    split: tuple[Split, ...]
    dedup_status: tuple[str, ...]
    pairs: Pairs


def place_records(
    ledger: Ledger,
    policy: Policy,
    decisions: Decisions,
    replaced: frozenset[bytes] = frozenset(),
) -> Placement:
    """Return where every record of the ledger goes.

    `replaced` are the digests of texts that decided edits took the place of: no copy ships.
    """
    digests = list(ledger.text_digest)
    first: dict[bytes, int] = {}
    for index, digest in enumerate(digests):
        first.setdefault(digest, index)
    heads = list(first.values())
    head_of = {digest: place for place, digest in enumerate(first)}
    pairs = find_pairs(
        list(first),
        # Most corpora hold few copies: where there is none, nothing is copied either.
        ledger.signatures[heads] if len(heads) < len(ledger) else ledger.signatures,
        ledger.shingles[heads],
        lambda some: ledger.texts([heads[place] for place in some]),
        policy.near_duplicates,
    )
    head_labels = label_clusters(pairs.low, pairs.high, len(heads)).tolist()
    labels = [head_labels[head_of[digest]] for digest in digests]
    groups = _group(ledger, labels, policy)
    roots = [groups.find(index) for index in range(len(digests))]
    reasons, kept = _reasons(ledger, policy, decisions, labels, roots, replaced)
    places = [head_of[digest] for digest in digests]
    names = _digests("group", roots, digests)
    return Placement(
        reason=tuple(reasons),
        kept=tuple(kept),
        similarity=_similarities(kept, places, pairs),
        group=_short(names, roots),
        cluster=_short(_digests("cluster", labels, digests), labels),
        split=_splits(ledger, policy, roots, names),
        dedup_status=_statuses(digests, labels),
        pairs=pairs,
    )


def _group(ledger: Ledger, labels: Sequence[int], policy: Policy) -> Groups:
    groups = Groups(len(ledger))
    sources = ledger.source.tolist()
    groups.join_alike(labels)
    groups.join_alike(digest or None for digest in ledger.prompt_digest)
    groups.join_alike(
        None if name is None else (source, name)
        for source, name in zip(sources, ledger.conversation_id, strict=True)
    )
    groups.join_alike(
        (source, labels[DOCUMENT]) if DOCUMENT in labels else None
        for source, labels in zip(sources, ledger.labels, strict=True)
    )
    for key in policy.intake.group_keys:
        name = KEY + field_name(key)
        groups.join_alike(labels.get(name) for labels in ledger.labels)
    return groups


def _reasons(
    ledger: Ledger,
    policy: Policy,
    decisions: Decisions,
    labels: Sequence[int],
    roots: Sequence[int],
    replaced: frozenset[bytes],
) -> tuple[list[Reason | None], list[int | None]]:
    excluded = _excluded(ledger, decisions, roots, replaced)
    lone = {rule.name for rule in policy.families if rule.near_duplicates == "one_per_cluster"}
    seen: dict[bytes, int] = {}
    kept_clusters: dict[int, int] = {}
    reasons: list[Reason | None] = []
    kept: list[int | None] = []
    for index, digest in enumerate(ledger.text_digest):
        instead: int | None = None
        if ledger.pii_status[index] == "requires_review":
            reasons.append("requires_review")
        elif index in excluded:
            reasons.append("excluded_by_decision")
        elif digest in seen:
            reasons.append("exact_duplicate")
            instead = seen[digest]
        elif ledger.family(index) in lone and labels[index] in kept_clusters:
            reasons.append("near_duplicate")
            instead = kept_clusters[labels[index]]
        else:
            seen[digest] = index
            kept_clusters.setdefault(labels[index], index)
            reasons.append(None)
        kept.append(instead)
    return reasons, kept


def _similarities(
    kept: Sequence[int | None], places: Sequence[int], pairs: Pairs
) -> tuple[float | None, ...]:
    """Return how alike each dropped record and the one kept instead are, where it was measured."""
    measured = {
        (low, high): value
        for low, high, value in zip(
            pairs.low.tolist(), pairs.high.tolist(), pairs.jaccard.tolist(), strict=True
        )
    }
    found: list[float | None] = []
    for index, instead in enumerate(kept):
        if instead is None:
            found.append(None)
        elif places[index] == places[instead]:
            found.append(1.0)
        else:
            one, other = sorted((places[index], places[instead]))
            found.append(measured.get((one, other)))
    return tuple(found)


def _excluded(
    ledger: Ledger, decisions: Decisions, roots: Sequence[int], replaced: frozenset[bytes]
) -> set[int]:
    """Return the records people left out, with every copy of their text and of replaced ones."""
    by_action: dict[str, set[str]] = {"exclude": set(), "exclude_group": set()}
    for decision in decisions:
        if decision.get("action") in by_action:
            by_action[decision["action"]].add(decision.get("record_id", ""))
    if not any(by_action.values()) and not replaced:
        return set()
    texts: set[bytes] = set(replaced)
    groups: set[int] = set()
    for index, record_id in enumerate(ledger.record_ids()):
        if record_id in by_action["exclude"]:
            texts.add(ledger.text_digest[index])
        if record_id in by_action["exclude_group"]:
            groups.add(roots[index])
    return {
        index
        for index, digest in enumerate(ledger.text_digest)
        if digest in texts or roots[index] in groups
    }


def _short(names: Mapping[int, str], labels: Sequence[int]) -> tuple[str, ...]:
    """Return the 32-hex name of every record's group; one string for all of a group."""
    short = {label: name[:32] for label, name in names.items()}
    return tuple(short[label] for label in labels)


def _digests(kind: str, labels: Sequence[int], digests: Sequence[bytes]) -> dict[int, str]:
    """Return the 64-hex name of every group, the same for any order of records."""
    smallest: dict[int, bytes] = {}
    for label, digest in zip(labels, digests, strict=True):
        smallest[label] = min(smallest.get(label, digest), digest)
    return {label: group_digest(kind, [digest]) for label, digest in smallest.items()}


def _splits(
    ledger: Ledger, policy: Policy, roots: Sequence[int], names: Mapping[int, str]
) -> tuple[Split, ...]:
    test_only = {rule.name for rule in policy.families if rule.test_only}
    held_out = {root for index, root in enumerate(roots) if ledger.family(index) in test_only}
    decided: dict[int, Split] = {
        root: "test" if root in held_out else split_of(digest, policy.splits)
        for root, digest in names.items()
    }
    return tuple(decided[root] for root in roots)


def _statuses(digests: Sequence[bytes], labels: Sequence[int]) -> tuple[str, ...]:
    copies: dict[bytes, int] = {}
    distinct: dict[int, set[bytes]] = {}
    for digest, label in zip(digests, labels, strict=True):
        copies[digest] = copies.get(digest, 0) + 1
        distinct.setdefault(label, set()).add(digest)
    return tuple(
        "kept_first"
        if copies[digest] > 1
        else ("near_duplicate_kept" if len(distinct[label]) > 1 else "unique")
        for digest, label in zip(digests, labels, strict=True)
    )
