"""People read a frozen sample of each family for anybody named; only then the machine speaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.canonical import document_bytes
from core.model.candidate import Candidate
from core.model.errors import ReviewError
from core.model.gate import Finding
from core.model.names import Digest, ReviewerId
from core.model.pii import PiiAnswer, PiiState, PiiVerdict
from core.model.review import SamplePlan
from core.model.signoff import Person
from core.review.frame import FoundRecord, find_records, read_frame
from core.review.pii_answers import StoredAnswer, submit_answer
from core.review.pii_question import METHOD, QUESTION, READERS
from core.review.pii_sample import draw_pii_plan, freeze_pii_plan, load_pii_plans
from core.review.pii_state import pii_state
from core.review.plans import plan_digest
from core.workbench import history
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from core.workbench.people import acting_people
from core.workbench.pii_earlier import answers_of, earlier_answers, earlier_samples, released_parts

ESCAPE = "privacy.sampling_escape"
EVIDENCE_SCHEMA = "release-desk/pii-check/2"


@dataclass(frozen=True, slots=True)
class PiiChecks:
    """The PII sampling check of one desk."""

    desk: Desk
    candidates: Candidates

    def families(self, digest: str) -> tuple[str, ...]:
        """Return the families of this candidate whose sample the policy asks for."""
        return asked_families(self.desk, self.candidates.get(digest))

    def states(self, digest: str) -> Mapping[str, PiiState]:
        """Return where the reading of every family stands that the policy asks for."""
        if not self.families(digest):
            return {}
        desk, entries = self.desk, self.desk.entries()
        candidate = self.candidates.get(digest)
        plans = load_pii_plans(desk.store, desk.prefix, candidate.digest)
        escapes = [
            (str(entry.event["family"]), str(entry.event["record_id"]))
            for entry in history.of_type(entries, "pii.escape")
        ]
        rules = desk.policy.pii_families()
        return {
            family: pii_state(
                plans.get(family),
                self.answers(digest, family),
                rule=rules[family],
                family=family,
                seed=history.seed_of(entries, candidate.version),
                readers=self.readers(digest),
                journalled=[record for name, record in escapes if name == family],
                earlier=earlier_samples(desk, candidate, family),
                carried=earlier_answers(desk, candidate, family),
            )
            for family in self.families(digest)
        }

    def freeze(self, digest: str, by: Person) -> None:
        """Freeze what is not frozen yet; it follows from the seed the reviews' samples have.

        Raises:
            ReviewError: `review.not_frozen` before the version's seed is fixed.
        """
        self.desk.require(by, "review_lead")
        candidate = self.candidates.get(digest)
        seed = history.seed_of(self.desk.entries(), candidate.version)
        if seed is None:
            raise ReviewError(
                "review.not_frozen", "Freeze the reviews' samples first; that fixes the seed."
            )
        frame = [row.drawable for row in read_frame(self.desk.store, candidate)]
        freeze_pii_samples(self.desk, candidate, frame, seed, by)

    def answers(self, digest: str, family: str) -> tuple[StoredAnswer, ...]:
        """Return every answer for a family."""
        return answers_of(self.desk, Digest(digest), family)

    def readers(self, digest: str) -> frozenset[ReviewerId]:
        """Return who may read: they hold a reader's role and have not built the candidate."""
        return readers_of(self.desk, digest)

    def next_record(self, digest: str, family: str, by: Person) -> str | None:
        """Return the record `by` should read next, None when every one has been read.

        One reader a record is enough, so readers start at different places of the list.
        """
        self.desk.require(by, *READERS)
        plan = self._plan(digest, family)
        readers = sorted(self.readers(digest))
        read = {
            item.answer.record_id
            for item in self.answers(digest, family)
            if item.answer.reviewer in readers
        }
        candidate = self.candidates.get(digest)
        read |= {
            item.answer.record_id
            for item in earlier_answers(self.desk, candidate, family)
            if item.answer.reviewer in readers
        }
        first = plan.shipped
        place = readers.index(by.id) if by.id in readers else 0
        start = place * len(first) // max(len(readers), 1)
        return next((one for one in (*first[start:], *first[:start]) if one not in read), None)

    def record(self, digest: str, family: str, record_id: str, by: Person) -> FoundRecord:
        """Return a record of the sample as it would ship, and nothing that a machine said."""
        self.desk.require(by, *READERS)
        return self._planned(digest, family, record_id)

    def answer(
        self,
        digest: str,
        family: str,
        record_id: str,
        by: Person,
        verdict: PiiVerdict,
        *,
        shown_sha256: str,
        turn: int = -1,
        kind: str = "",
        seconds: int = 0,
    ) -> PiiAnswer:
        """Store one person's answer for good; that somebody could be identified is journalled.

        Raises:
            NotAllowed, ReviewError: as `submit_answer`.
        """
        desk = self.desk
        desk.require(by, *READERS)
        plan = self._plan(digest, family)
        given = PiiAnswer(
            candidate=plan.candidate,
            family=family,
            record_id=record_id,
            plan=plan_digest(plan),
            reviewer=by.id,
            answer=verdict,
            turn=turn,
            kind=kind,
            shown_sha256=Digest(shown_sha256),
            at=desk.now(),
            seconds=seconds,
        )
        stored = submit_answer(
            desk.store,
            desk.prefix,
            given,
            person=by,
            plan=plan,
            record=self._planned(digest, family, record_id),
            builder=history.builder_of(desk.entries(), digest, by.id),
        )
        if stored.answer.answer == "somebody" and not self._told(digest, stored.key):
            desk.record(
                by,
                "pii.escape",
                candidate=digest,
                family=family,
                record_id=record_id,
                by_what=stored.answer.kind,
                key=stored.key,
            )
        return stored.answer

    def machine(self, digest: str, family: str, record_id: str, by: Person) -> tuple[Finding, ...]:
        """Return what both tiers find in a record, for somebody who has answered about it.

        Raises:
            ReviewError: `review.answer_first` when `by` has not.
        """
        self.desk.require(by, *READERS)
        if not any(
            (item.answer.record_id, item.answer.reviewer) == (record_id, by.id)
            for item in self.answers(digest, family)
        ):
            raise ReviewError(
                "review.answer_first", "Answer first; then you see what the machine found."
            )
        # Imported here because the detectors take seconds to load and most acts need none.
        from core.intake.privacy.text import scan_text

        found = self._planned(digest, family, record_id)
        return tuple(
            Finding(
                code=f"privacy.{span.entity.lower()}",
                blocking=False,
                family=family,
                shard=found.shard,
                line=found.line,
                record_id=record_id,
                turn=turn,
                start=span.start,
                end=span.end,
            )
            for turn, message in enumerate(found.messages)
            for span in scan_text(self.desk.policy.privacy, message.content)
        )

    def exclude_escapes(self, digest: str, by: Person) -> int:
        """Decide that every record that identifies somebody stays out of the next candidate."""
        records = sorted({r for state in self.states(digest).values() for r in state.escapes})
        return self.candidates.decide(
            digest,
            gate="privacy",
            code=ESCAPE,
            action="exclude",
            reason="A reader of the PII sample could identify somebody.",
            by=by,
            places=[{"record_id": record} for record in records],
        )

    def evidence(self, digest: str) -> bytes:
        """Return what ships of the check: size, method, misses and exact bound, no text.

        No desk reads it back, so none can misread a newer one: it is for people, the manifest
        names its bytes, and what a desk itself has to know follows from plans and answers, whose
        readers refuse what they do not know.
        """
        return document_bytes(
            {
                "schema": EVIDENCE_SCHEMA,
                "candidate": digest,
                "question": QUESTION,
                "method": METHOD,
                "families": [
                    {
                        "family": family,
                        "state": state.state,
                        "plan": state.plan,
                        "seed": state.seed,
                        "frame": state.frame,
                        "planned": state.planned,
                        "unchanged": [
                            {"since": since, "records": ships} for since, ships in state.unchanged
                        ],
                        "read": state.read,
                        "misses": len(state.escapes),
                        "failed_before": [
                            {"misses": misses, "read": read} for misses, read in state.failed
                        ],
                        "limit": repr(state.limit),
                        "confidence": repr(state.confidence),
                        "upper": None if state.upper is None else repr(state.upper),
                        "readers": list(state.readers),
                        "answers": [item.sha256 for item in self.answers(digest, family)],
                        "sentence": state.sentence,
                    }
                    for family, state in self.states(digest).items()
                ],
            }
        )

    def _told(self, digest: str, key: str) -> bool:
        events = history.of_type(self.desk.entries(), "pii.escape")
        return any((e.event["candidate"], e.event["key"]) == (digest, key) for e in events)

    def _plan(self, digest: str, family: str) -> SamplePlan:
        if family not in self.families(digest):
            raise ReviewError(
                "review.no_such_claim", "The policy asks for no such PII check.", place=family
            )
        plan = load_pii_plans(self.desk.store, self.desk.prefix, Digest(digest)).get(family)
        if plan is None:
            raise ReviewError("review.not_frozen", "The sample is not frozen yet.", place=family)
        return plan

    def _planned(self, digest: str, family: str, record_id: str) -> FoundRecord:
        kept = self.desk.memory.setdefault("pii planned", {})
        assert isinstance(kept, dict)
        if (digest, family) not in kept:
            plan = self._plan(digest, family)
            kept[digest, family] = find_records(
                self.desk.store,
                self.candidates.get(digest),
                plan.shipped,
                families=(family,),
            )
        found: Mapping[str, FoundRecord] = kept[digest, family]
        if record_id not in found:
            raise ReviewError("review.not_in_plan", "This record is not in the sample.")
        return found[record_id]


def readers_of(desk: Desk, digest: str) -> frozenset[ReviewerId]:
    """Return who may read for names: they hold a reader's role and have not built the candidate."""
    built = history.builders(desk.entries(), digest)
    return frozenset(
        name
        for name, held in acting_people(desk.people(), desk.settings.embedded).items()
        if set(held) & set(READERS) and name not in built
    )


def asked_families(desk: Desk, candidate: Candidate) -> tuple[str, ...]:
    """Return the families the policy asks a PII check of and of which the candidate ships any."""
    return tuple(
        family
        for family in desk.policy.pii_families()
        if sum(candidate.families.get(family, {}).values()) > 0
    )


def freeze_pii_samples(
    desk: Desk,
    candidate: Candidate,
    records: Iterable[tuple[str, str, str]],
    seed: str,
    by: Person,
) -> None:
    """Freeze and journal the sample of every family the policy asks for."""
    frame = list(records)
    rules = desk.policy.pii_families()
    for family in asked_families(desk, candidate):
        drawn = draw_pii_plan(
            frame,
            rule=rules[family],
            family=family,
            candidate=candidate.digest,
            seed=seed,
            earlier=earlier_samples(desk, candidate, family),
            before=released_parts(desk, candidate, family, readers_of(desk, candidate.digest)),
        )
        key = freeze_pii_plan(desk.store, desk.prefix, drawn, family)
        desk.record(
            by,
            "pii.frozen",
            candidate=candidate.digest,
            family=family,
            plan=plan_digest(drawn.plan),
            key=key,
        )
