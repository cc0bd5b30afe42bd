"""What ships and where: each record is dropped for a reason, or stands in one split.

Records that must not be parted form a group: copies, near-duplicates, one prompt, one
conversation or document of a source, one value of a key that the policy names. Dropped records
still hold their group together, and a group that any test-only record belongs to goes to test
whole, so that no text of it is trained on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.intake.fields import field_name
from core.intake.grouping import DOCUMENT, KEY
from core.intake.kernel import Indices
from core.intake.ledger import Ledger, is_id
from core.intake.near import MeasuredPairs, Pairs, find_pairs, label_clusters
from core.intake.packed_digests import first_alike
from core.intake.split import Groups, NamedGroups, name_groups, split_all
from core.model.dataset import SPLITS, Split
from core.policy.types import Policy

Reason = Literal["requires_review", "excluded_by_decision", "exact_duplicate", "near_duplicate"]
_STATUSES = ("unique", "near_duplicate_kept", "kept_first")
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
    known: MeasuredPairs | None = None,
) -> Placement:
    """Return where every record of the ledger goes.

    `replaced` are the digests of texts that decided edits took the place of: no copy ships.
    `known` are similarities that need not be measured again.
    """
    heads, places = first_alike(ledger.text_digest.packed)
    pairs = find_pairs(
        ledger.text_digest.packed[heads].view(f"S{ledger.text_digest.packed.shape[1]}").ravel(),
        # Most corpora hold few copies: where there is none, nothing is copied either.
        ledger.signatures[heads] if len(heads) < len(ledger) else ledger.signatures,
        ledger.shingles[heads],
        lambda some: ledger.texts(heads[list(some)].tolist()),
        policy.near_duplicates,
        known=known,
    )
    head_labels = label_clusters(pairs.low, pairs.high, len(heads))
    labels = head_labels[places]
    roots = _group(ledger, heads, places, pairs, policy).labels()
    reasons, kept = _reasons(
        ledger, policy, places, labels, _excluded(ledger, decisions, places, roots, replaced)
    )
    digests = ledger.text_digest.packed[heads]
    groups = name_groups("group", roots[heads], digests)
    clusters = name_groups("cluster", head_labels, digests)
    return Placement(
        reason=tuple(reasons),
        kept=tuple(kept),
        similarity=_similarities(kept, places, pairs),
        group=_each(groups.names, groups.members[places]),
        cluster=_each(clusters.names, clusters.members[places]),
        split=_splits(ledger, policy, groups, groups.members[places]),
        dedup_status=_statuses(places, labels, head_labels),
        pairs=pairs,
    )


def _group(ledger: Ledger, heads: Indices, places: Indices, pairs: Pairs, policy: Policy) -> Groups:
    groups = Groups(len(ledger))
    groups.join_pairs(heads[places], np.arange(len(ledger)))
    groups.join_pairs(heads[pairs.low], heads[pairs.high])
    prompts = ledger.prompt_digest.packed
    asked = np.flatnonzero(prompts.any(axis=1))
    first, which = first_alike(prompts[asked])
    groups.join_pairs(asked[first[which]], asked)
    if any(name is not None for name in ledger.conversation_id):
        groups.join_alike(
            None if name is None else (source, name)
            for source, name in zip(ledger.source.tolist(), ledger.conversation_id, strict=True)
        )
    if any(ledger.labels):
        groups.join_alike(
            (source, labels[DOCUMENT]) if DOCUMENT in labels else None
            for source, labels in zip(ledger.source.tolist(), ledger.labels, strict=True)
        )
        for key in policy.intake.group_keys:
            name = KEY + field_name(key)
            groups.join_alike(labels.get(name) for labels in ledger.labels)
    return groups


def _reasons(
    ledger: Ledger,
    policy: Policy,
    places: Indices,
    labels: Indices,
    excluded: npt.NDArray[np.bool_],
) -> tuple[list[Reason | None], list[int | None]]:
    """Return why each record is dropped, and what is kept instead; None where it ships."""
    reasons: list[Reason | None] = [None] * len(ledger)
    kept: list[int | None] = [None] * len(ledger)
    review = ledger.pii_status.is_word("requires_review")
    for index in np.flatnonzero(excluded).tolist():
        reasons[index] = "excluded_by_decision"
    for index in np.flatnonzero(review).tolist():
        reasons[index] = "requires_review"
    names = {rule.name for rule in policy.families if rule.near_duplicates == "one_per_cluster"}
    lone = _of_families(ledger, names)
    text_of: dict[int, int] = {}
    cluster_of: dict[int, int] = {}
    # Nothing is dropped for the sake of another where a cluster holds one record.
    akin = np.bincount(labels)[labels] > 1 if len(labels) else np.zeros(0, np.bool_)
    for index in np.flatnonzero(akin & ~excluded & ~review).tolist():
        text, cluster = int(places[index]), int(labels[index])
        if text in text_of:
            reasons[index], kept[index] = "exact_duplicate", text_of[text]
        elif lone[index] and cluster in cluster_of:
            reasons[index], kept[index] = "near_duplicate", cluster_of[cluster]
        else:
            text_of[text] = index
            cluster_of.setdefault(cluster, index)
    return reasons, kept


def _similarities(
    kept: Sequence[int | None], places: Indices, pairs: Pairs
) -> tuple[float | None, ...]:
    """Return how alike each dropped record and the one kept instead are, where it was measured."""
    found: list[float | None] = [None] * len(kept)
    dropped = [(index, instead) for index, instead in enumerate(kept) if instead is not None]
    if not dropped:
        return tuple(found)
    measured = {
        (low, high): value
        for low, high, value in zip(
            pairs.low.tolist(), pairs.high.tolist(), pairs.jaccard.tolist(), strict=True
        )
    }
    for index, instead in dropped:
        one, other = sorted((int(places[index]), int(places[instead])))
        found[index] = 1.0 if one == other else measured.get((one, other))
    return tuple(found)


def _excluded(
    ledger: Ledger,
    decisions: Decisions,
    places: Indices,
    roots: Indices,
    replaced: frozenset[bytes],
) -> npt.NDArray[np.bool_]:
    """Say which records people left out, with every copy of their text and of replaced ones."""
    by_action: dict[str, set[str]] = {"exclude": set(), "exclude_group": set()}
    for decision in decisions:
        if decision.get("action") in by_action:
            by_action[decision["action"]].add(decision.get("record_id", ""))
    gone = np.zeros(len(ledger), np.bool_)
    texts = np.union1d(
        ledger.ids.find([bytes.fromhex(name) for name in by_action["exclude"] if is_id(name)]),
        ledger.text_digest.find(list(replaced)),
    )
    groups = ledger.ids.find(
        [bytes.fromhex(name) for name in by_action["exclude_group"] if is_id(name)]
    )
    if len(texts):
        gone |= np.isin(places, places[texts])
    if len(groups):
        gone |= np.isin(roots, roots[groups])
    return gone


def _each(names: Sequence[str], members: Indices) -> tuple[str, ...]:
    return tuple(map(names.__getitem__, members.tolist()))


def _of_families(ledger: Ledger, names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return for each record whether its family is one of `names`."""
    flags = np.array([source.family in names for source in ledger.sources], np.bool_)
    return flags[ledger.source] if len(flags) else np.zeros(0, np.bool_)


def _splits(
    ledger: Ledger, policy: Policy, groups: NamedGroups, members: Indices
) -> tuple[Split, ...]:
    test_only = {rule.name for rule in policy.families if rule.test_only}
    sides = split_all(groups.positions, policy.splits)
    sides[members[_of_families(ledger, test_only)]] = SPLITS.index("test")
    return tuple(map(SPLITS.__getitem__, sides[members].tolist()))


def _statuses(places: Indices, labels: Indices, head_labels: Indices) -> tuple[str, ...]:
    """Say of each record whether its very text, else its cluster, holds another one.

    Args:
        places: which of the distinct texts each record has.
        labels: the cluster of each record.
        head_labels: the cluster of each distinct text.
    """
    copied = np.bincount(places)[places] > 1 if len(places) else np.zeros(0, np.bool_)
    akin = np.bincount(head_labels)[labels] > 1 if len(places) else np.zeros(0, np.bool_)
    codes = np.where(copied, 2, akin.astype(np.int64))
    return tuple(map(_STATUSES.__getitem__, codes.tolist()))
