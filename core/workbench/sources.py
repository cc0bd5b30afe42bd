"""The source register: what was decided about which prefix, by whom, and what it covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.intake.assignment import Assignment, assign
from core.intake.difference import Difference, difference
from core.intake.inventory import load_listing
from core.model.errors import IntakeError, NotAllowed
from core.model.names import Digest
from core.model.signoff import Person
from core.policy.assign import standing
from core.policy.types import Policy
from core.workbench import history
from core.workbench.adoption import adopt_assignment
from core.workbench.data import Data
from core.workbench.deciding import INHERIT, check_decision
from core.workbench.desk import Desk
from core.workbench.history import SourceDecision

DEPTH = 4
UNDECIDED = "undecided"
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One prefix of one family. `records` is what a build or the opened objects gave so far.

    `decision` is what holds for the prefix as a whole, None where nothing was decided;
    `decided_by` is the prefix or family decided about. `inside` counts decisions on longer
    prefixes, which win there.
    """

    prefix: str
    family: str
    objects: int
    bytes: int
    records: int
    alias: bool
    decision: SourceDecision | None
    decided_by: str
    inside: int

    @property
    def state(self) -> str:
        """keep, defer, reject or undecided."""
        return self.decision.decision if self.decision is not None else UNDECIDED


@dataclass(frozen=True, slots=True)
class Sources:
    """The register of one desk, and assigning what no family claims."""

    desk: Desk
    data: Data

    def lines(self, version: str, *, depth: int = DEPTH) -> tuple[SourceLine, ...]:
        """Return the register: every prefix of at most `depth` folders that a family claims.

        A prefix somebody decided about has a line of its own, however deep it lies.
        """
        entries = self.desk.entries()
        return register_lines(
            self._assignment(),
            history.source_decisions(entries),
            history.prefix_decisions(entries),
            self._records(version),
            depth=depth,
        )

    def decide(
        self,
        prefixes: Sequence[str],
        decision: str,
        rights: str,
        licence_tag: str,
        reason: str,
        by: Person,
    ) -> int:
        """Decide about everything under each of `prefixes`, in one entry; return how many.

        `inherit` takes earlier decisions on these prefixes back. The longest prefix wins.

        Raises:
            IntakeError: as `check_decision`; `source.prefix` when a prefix is empty, unknown
                to the listing, or there are none or too many.
        """
        desk = self.desk
        desk.require(by, "release_owner")
        if decision == INHERIT:
            if not reason.strip():
                raise IntakeError("source.reason", "Say in a few words why.")
            rights, licence_tag = "unknown", ""
        else:
            check_decision(desk.policy, decision, rights, licence_tag, reason)
        wanted = sorted(set(prefixes))
        self._check_prefixes(wanted)
        desk.record(
            by,
            "source.decided",
            family="",
            prefix=wanted[0] if len(wanted) == 1 else "",
            prefixes=wanted,
            decision=decision,
            rights=rights,
            licence_tag=licence_tag,
            reason=reason.strip()[:500],
        )
        return len(wanted)

    def _check_prefixes(self, prefixes: Sequence[str]) -> None:
        if not 0 < len(prefixes) <= _AT_ONCE:
            raise IntakeError("source.prefix", f"Choose between 1 and {_AT_ONCE} prefixes.")
        families = {rule.name for rule in self.desk.policy.families}
        keys = [item.key for item in self.data.listing().objects]
        decided = history.prefix_decisions(self.desk.entries())
        for prefix in prefixes:
            known = prefix in decided or any(key.startswith(prefix) for key in keys)
            if not prefix or prefix in families or not known:
                raise IntakeError(
                    "source.prefix", "No listed object lies under this prefix.", place=prefix[:200]
                )

    def undecided_families(self) -> frozenset[str]:
        """Return the families with an object about which nobody has decided."""
        entries = self.desk.entries()
        decided = history.source_decisions(entries)
        prefixes = tuple(history.prefix_decisions(entries))
        return frozenset(
            family
            for family, matches in self._assignment().by_family.items()
            if family not in decided
            and any(not match.object.key.startswith(prefixes) for match in matches)
        )

    def assign(self, family: str, prefix: str, by: Person) -> Policy:
        """Give what lies under `prefix` and matched no family to `family`; a new policy.

        Sign-offs and candidates under the former policy stand no longer: that is the price.

        Raises:
            IntakeError: `source.prefix` when nothing unmatched lies there.
            PolicyError: as `adopt_assignment`.
        """
        self.desk.require(by, "release_owner")
        unmatched = self._assignment().unmatched
        if not prefix or not any(item.key.startswith(prefix) for item in unmatched):
            raise IntakeError(
                "source.prefix", "Nothing that matched no family lies there.", place=prefix[:200]
            )
        if family not in {rule.name for rule in self.desk.policy.families}:
            raise NotAllowed("source.family", "The policy has no such family.", place=family[:60])
        return adopt_assignment(self.desk, family, prefix, by)

    def take_back(self, prefix: str, by: Person) -> Policy:
        """Take an assignment back; a new policy as well."""
        self.desk.require(by, "release_owner")
        return adopt_assignment(self.desk, "", prefix, by)

    def assigned(self) -> Mapping[str, str]:
        """Return prefix → family for the assignments that stand."""
        return standing(self.desk.policy)

    def changed(self) -> tuple[history.Snapshot, Difference] | None:
        """Return the listing before the newest one and what changed since, or None."""
        taken = history.snapshots(self.desk.entries())
        if len(taken) < 2:
            return None
        former = taken[-2]
        listing = self.data.listing()
        kept = self.desk.memory.get("difference")
        if not isinstance(kept, tuple) or kept[:2] != (former.listing, listing.digest):
            before = load_listing(self.desk.store, self.desk.prefix, Digest(former.listing))
            kept = (former.listing, listing.digest, difference(before, listing))
            self.desk.memory["difference"] = kept
        return former, kept[2]

    def _assignment(self) -> Assignment:
        listing = self.data.listing()
        kept = self.desk.memory.get("assignment")
        if not isinstance(kept, tuple) or kept[0] != listing.digest:
            kept = (listing.digest, assign(listing.objects, self.desk.policy))
            self.desk.memory["assignment"] = kept
        found: Assignment = kept[1]
        return found

    def _records(self, version: str) -> Mapping[str, int]:
        """Return key → records, as far as objects were opened."""
        report = self.data.coverage(version)
        return {
            item.key: item.records
            for found in report.families.values()
            for item in found.evidence
            if item.records
        }


def register_lines(
    assignment: Assignment,
    families: Mapping[str, SourceDecision],
    prefixes: Mapping[str, SourceDecision],
    records: Mapping[str, int],
    *,
    depth: int,
) -> tuple[SourceLine, ...]:
    """Return one line per family and prefix, in the order of families and prefixes."""
    longest_first = sorted(prefixes, key=len, reverse=True)
    groups: dict[tuple[str, str], list[Any]] = {}
    for family, matches in assignment.by_family.items():
        for match in matches:
            key = match.object.key
            decided = next((p for p in longest_first if key.startswith(p)), "")
            folder = _folder(key, depth)
            prefix = decided if len(decided) > len(folder) else folder
            group = groups.setdefault((family, prefix), [0, 0, 0, False])
            group[0] += 1
            group[1] += match.object.size
            group[2] += records.get(key, 0)
            group[3] = group[3] or match.alias
    order = {name: place for place, name in enumerate(assignment.by_family)}
    lines = []
    for (family, prefix), (objects, size, seen, alias) in groups.items():
        by = next((p for p in longest_first if prefix.startswith(p)), "")
        decision = prefixes[by] if by else families.get(family)
        lines.append(
            SourceLine(
                prefix=prefix,
                family=family,
                objects=objects,
                bytes=size,
                records=seen,
                alias=alias,
                decision=decision,
                decided_by=by or (family if decision is not None else ""),
                inside=_inside(prefix, prefixes),
            )
        )
    return tuple(sorted(lines, key=lambda line: (order[line.family], line.prefix)))


def _folder(key: str, depth: int) -> str:
    """Return the first `depth` folders of a key; of a key without folders, the key itself."""
    folders = key.split("/")[:-1][:depth]
    return "".join(folder + "/" for folder in folders) or key


def _inside(prefix: str, decided: Iterable[str]) -> int:
    return sum(1 for other in decided if other.startswith(prefix) and other != prefix)
