"""What a review settled reaches the next candidate when somebody decides so by name, or not at all.

Readers accept, fix or reject a record of one candidate. Here a release owner or a review lead takes
that into the next one: the record stays out, or the edit is laid into its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.model.errors import GateError
from core.model.names import Digest, ReviewerId
from core.model.signoff import Person
from core.review.acts import StoredAct
from core.review.settlements import Settlement
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.private_text import refuse_private
from core.workbench.reviews import Reviews

GATE = "review"
REJECTED = "review.reject"
FIXED = "review.fix"
ACTIONS = ("apply", "leave")
_REJECTING = ("reject", "confirm")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledOutcome:
    """One thing the review settled that a next candidate can take up.

    `outcome` is `fix` (then `turn` and `words` are the edit) or `reject`. `decided` is what
    somebody decided about it for the version: "", `exclude`, `edit` or `leave`; `applied` says
    that the version's newest candidate was built so.
    """

    candidate: Digest
    claim: str
    record_id: str
    outcome: str
    reason: str
    by: ReviewerId
    turn: int = -1
    words: str = ""
    edit: StoredAct | None = None
    decided: str = ""
    applied: bool = False

    @property
    def place(self) -> Mapping[str, str]:
        """What a decision about it names."""
        if self.edit is None:
            return {"record_id": self.record_id}
        return {
            "record_id": self.record_id,
            "turn": str(self.turn),
            "claim": self.edit.act.claim,
            "proposed_for": self.edit.act.candidate,
            "edit": self.edit.sha256,
        }


@dataclass(frozen=True, slots=True)
class ReviewOutcomes:
    """What the reviews of one desk settled for next candidates."""

    desk: Desk
    candidates: Candidates
    reviews: Reviews

    def offered(self, version: str) -> tuple[SettledOutcome, ...]:
        """Return what was settled on the version's candidates, or on the last one before it.

        What an earlier candidate of the version was about is kept in the list: its decision
        stands in every later build.
        """
        found: dict[tuple[str, int], SettledOutcome] = {}
        for digest in self._reviewed(version):
            for item in self._settled(digest):
                found[item.record_id, item.turn] = item
        decisions = history.decisions(self.desk.entries(), version)
        newest = self.candidates.current(version)
        held = newest.decisions if newest is not None else ()
        return tuple(_with_decision(item, decisions, held) for _, item in sorted(found.items()))

    def waiting(self, version: str) -> tuple[SettledOutcome, ...]:
        """Return what nobody has decided about yet."""
        return tuple(item for item in self.offered(version) if not item.decided)

    def decide(
        self,
        version: str,
        items: Sequence[SettledOutcome],
        action: str,
        by: Person,
        reason: str = "",
    ) -> int:
        """Apply to the version's next candidate what was settled, or leave it; return how many.

        The last decision stands. Nothing of a standing candidate changes.

        Raises:
            NotAllowed: `by` does not decide here.
            GateError: `finding.action`, `finding.absent`, `finding.reason` when what was
                settled is to be left without a reason.
            ReviewError: `review.private_text`.
        """
        desk = self.desk
        desk.require(by, "release_owner", "review_lead")
        known = {(item.record_id, item.turn, item.outcome): item for item in self.offered(version)}
        if action not in ACTIONS:
            raise GateError("finding.action", "Apply what was settled, or leave it.")
        chosen = [known.get((item.record_id, item.turn, item.outcome)) for item in items]
        if not chosen or any(item is None for item in chosen):
            raise GateError("finding.absent", "The review settled no such thing.")
        if action == "leave" and len(reason.strip()) < 3:
            raise GateError("finding.reason", "Say in a few words why.")
        refuse_private(desk.policy, reason)
        for outcome, code, does in (("reject", REJECTED, "exclude"), ("fix", FIXED, "edit")):
            here = [item for item in chosen if item is not None and item.outcome == outcome]
            if here:
                self._record(
                    version, here, code, does if action == "apply" else "leave", reason, by
                )
        return len(chosen)

    def _record(
        self,
        version: str,
        items: Sequence[SettledOutcome],
        code: str,
        action: str,
        reason: str,
        by: Person,
    ) -> None:
        self.desk.record(
            by,
            "finding.decided",
            version=version,
            candidate=items[-1].candidate,
            gate=GATE,
            code=code,
            action=action,
            reason=reason.strip()[:500] or "Settled by a second person in the review.",
            places=[dict(item.place) for item in items],
        )

    def _reviewed(self, version: str) -> tuple[Digest, ...]:
        """Return the version's candidates, oldest first, or the last one of any other."""
        entries = self.desk.entries()
        frozen = dict.fromkeys(
            Digest(str(entry.event["candidate"]))
            for entry in history.of_type(entries, "plan.frozen")
        )
        own = {item.candidate for item in history.built(entries, version)}
        mine = tuple(name for name in frozen if name in own)
        return mine or tuple(frozen)[-1:]

    def _settled(self, digest: Digest) -> Iterator[SettledOutcome]:
        """Yield what is settled on one candidate; a rejection by any claim outweighs a fix."""
        rejected: dict[str, SettledOutcome] = {}
        fixed: dict[tuple[str, int], SettledOutcome] = {}
        for claim in self.reviews.plans(digest):
            for record, stored in self.reviews.decided(digest, claim).items():
                settlement = stored.settlement
                item = SettledOutcome(
                    candidate=digest,
                    claim=claim,
                    record_id=record,
                    outcome="reject",
                    reason=settlement.reason,
                    by=settlement.by,
                )
                # Of the first desks only a confirmed flag said that the record must leave.
                first = settlement.decision == "confirm" and settlement.kind != "flag"
                if settlement.decision in _REJECTING and not first:
                    rejected[record] = item
                elif settlement.decision == "fix":
                    for edit in self._edits(digest, settlement):
                        fixed[record, edit.act.turn] = replace(
                            item,
                            outcome="fix",
                            turn=edit.act.turn,
                            words=edit.act.note,
                            edit=edit,
                        )
        yield from rejected.values()
        yield from (item for item in fixed.values() if item.record_id not in rejected)

    def _edits(self, digest: Digest, settlement: Settlement) -> tuple[StoredAct, ...]:
        known = self.reviews.proposals(digest, settlement.claim, settlement.record_id)
        return tuple(one for one in known if one.sha256 in settlement.edits)


def _with_decision(
    item: SettledOutcome,
    decisions: Sequence[Mapping[str, str]],
    held: Sequence[Mapping[str, str]],
) -> SettledOutcome:
    code = REJECTED if item.outcome == "reject" else FIXED
    for decision in decisions:
        named = (decision["gate"], decision["code"], decision.get("record_id", ""))
        if named != (GATE, code, item.record_id):
            continue
        if decision.get("turn", "-1") != str(item.turn):
            continue
        # A decision about other words is none about these.
        if decision.get("edit", "") == (item.edit.sha256 if item.edit is not None else ""):
            return replace(item, decided=decision["action"], applied=decision in held)
    return item
