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
from core.intake.ledger import Ledger
from core.intake.near import Pairs, find_pairs, label_clusters
from core.intake.split import Groups, name_group, split_of
from core.model.dataset import Split
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
) -> Placement:
    """Return where every record of the ledger goes.

    `replaced` are the digests of texts that decided edits took the place of: no copy ships.
    """
    digests = list(ledger.text_digest)
    first: dict[bytes, int] = {}
    firsts = [first.setdefault(digest, index) for index, digest in enumerate(digests)]
    heads, places = np.unique(np.array(firsts, np.int64), return_inverse=True)
    pairs = find_pairs(
        ledger.text_digest.packed[heads].view(f"S{ledger.text_digest.packed.shape[1]}").ravel(),
        # Most corpora hold few copies: where there is none, nothing is copied either.
        ledger.signatures[heads] if len(heads) < len(ledger) else ledger.signatures,
        ledger.shingles[heads],
        lambda some: ledger.texts(heads[list(some)].tolist()),
        policy.near_duplicates,
    )
    head_labels = label_clusters(pairs.low, pairs.high, len(heads))
    labels = head_labels[places]
    roots = _group(ledger, labels.tolist(), policy).labels()
    reasons, kept = _reasons(ledger, policy, decisions, labels.tolist(), roots.tolist(), replaced)
    names = _names("group", roots, digests)
    return Placement(
        reason=tuple(reasons),
        kept=tuple(kept),
        similarity=_similarities(kept, places.tolist(), pairs),
        group=_short(names, roots.tolist()),
        cluster=_short(_names("cluster", labels, digests), labels.tolist()),
        split=_splits(ledger, policy, roots, names),
        dedup_status=_statuses(places, labels, head_labels),
        pairs=pairs,
    )


def _group(ledger: Ledger, labels: Sequence[int], policy: Policy) -> Groups:
    groups = Groups(len(ledger))
    groups.join_alike(labels)
    groups.join_alike(digest or None for digest in ledger.prompt_digest)
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
    decisions: Decisions,
    labels: Sequence[int],
    roots: Sequence[int],
    replaced: frozenset[bytes],
) -> tuple[list[Reason | None], list[int | None]]:
    excluded = _excluded(ledger, decisions, roots, replaced)
    names = {rule.name for rule in policy.families if rule.near_duplicates == "one_per_cluster"}
    lone = _of_families(ledger, names).tolist()
    review = ledger.pii_status.is_word("requires_review").tolist()
    seen: dict[bytes, int] = {}
    kept_clusters: dict[int, int] = {}
    reasons: list[Reason | None] = []
    kept: list[int | None] = []
    for index, digest in enumerate(ledger.text_digest):
        instead: int | None = None
        if review[index]:
            reasons.append("requires_review")
        elif index in excluded:
            reasons.append("excluded_by_decision")
        elif digest in seen:
            reasons.append("exact_duplicate")
            instead = seen[digest]
        elif lone[index] and labels[index] in kept_clusters:
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
    if all(instead is None for instead in kept):
        return (None,) * len(kept)
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
    return tuple(map(short.__getitem__, labels))


def _names(kind: str, labels: Indices, digests: Sequence[bytes]) -> dict[int, str]:
    """Return the 64-hex name of every group, the same for any order of records."""
    smallest: dict[int, bytes] = {}
    for label, digest in zip(labels.tolist(), digests, strict=True):
        held = smallest.get(label)
        if held is None or digest < held:
            smallest[label] = digest
    start = kind.encode()
    return {label: name_group(start, digest) for label, digest in smallest.items()}


def _of_families(ledger: Ledger, names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return for each record whether its family is one of `names`."""
    flags = np.array([source.family in names for source in ledger.sources], np.bool_)
    return flags[ledger.source] if len(flags) else np.zeros(0, np.bool_)


def _splits(
    ledger: Ledger, policy: Policy, roots: Indices, names: Mapping[int, str]
) -> tuple[Split, ...]:
    test_only = {rule.name for rule in policy.families if rule.test_only}
    held_out = set(roots[_of_families(ledger, test_only)].tolist())
    decided: dict[int, Split] = {
        root: "test" if root in held_out else split_of(digest, policy.splits)
        for root, digest in names.items()
    }
    return tuple(map(decided.__getitem__, roots.tolist()))


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
