"""What readers of earlier candidates found holds for later ones: by record, and by sample."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from core.model.candidate import Candidate
from core.model.names import Digest, ReviewerId
from core.model.review import SamplePlan
from core.review.pii_answers import StoredAnswer, load_answers
from core.review.pii_attempts import EarlierSample
from core.review.pii_question import question
from core.review.pii_sample import load_pii_plans
from core.review.plans import plan_digest
from core.review.strata import ReadPart, read_parts
from core.storage.journal import Entry
from core.workbench import history
from core.workbench.desk import Desk

Held = TypeVar("Held")


def answers_of(desk: Desk, candidate: Digest, family: str) -> tuple[StoredAnswer, ...]:
    """Return every answer for a family of a candidate."""
    read: dict[str, StoredAnswer] = _kept(desk, "pii answers", {})
    return load_answers(desk.store, desk.prefix, candidate, family, cache=read)


def earlier_answers(desk: Desk, candidate: Candidate, family: str) -> tuple[StoredAnswer, ...]:
    """Return the answers given for earlier candidates, oldest sample first.

    They are read once by this process: an answer that comes late is one that names somebody,
    and that is in the journal.
    """
    kept: dict[tuple[str, str], tuple[StoredAnswer, ...]] = _kept(desk, "pii earlier answers", {})
    found: list[StoredAnswer] = []
    for entry in _frozen_before(desk, candidate, family):
        name = Digest(str(entry.event["candidate"]))
        if (name, family) not in kept:
            kept[name, family] = answers_of(desk, name, family)
        found += kept[name, family]
    return tuple(found)


def earlier_samples(desk: Desk, candidate: Candidate, family: str) -> tuple[EarlierSample, ...]:
    """Return the samples of a family that earlier candidates had, oldest first.

    Earlier is what was frozen before this candidate's own sample. Somebody who was found only
    after that does not change what this sample had to show; the record blocks by itself.
    """
    mine = _frozen_at(desk, candidate, family)
    answers = earlier_answers(desk, candidate, family)
    versions = {one.candidate: one.version for one in history.built(desk.entries())}
    released = {
        str(one.event["version"])
        for one in history.of_type(desk.entries(), "publish.committed")
        if mine is None or one.seq < mine
    } - {str(candidate.version)}
    found = []
    for entry in _frozen_before(desk, candidate, family):
        name = Digest(str(entry.event["candidate"]))
        given = [item for item in answers if item.answer.candidate == name]
        told = [
            one
            for one in history.of_type(desk.entries(), "pii.escape")
            if (one.event["candidate"], one.event["family"]) == (name, family)
        ]
        keys = {str(one.event["key"]) for one in told}
        # An answer whose journal entry was lost in a crash counts as if it had come in time.
        named = {
            item.answer.record_id
            for item in given
            if item.answer.answer == "somebody" and item.key not in keys
        }
        named |= {str(one.event["record_id"]) for one in told if mine is None or one.seq < mine}
        plan = _plan(desk, name, family)
        found.append(
            EarlierSample(
                candidate=name,
                plan=plan_digest(plan),
                read=frozenset(item.answer.record_id for item in given) | named,
                escapes=frozenset(named),
                released=str(versions.get(name)) in released,
            )
        )
    return tuple(found)


def released_parts(
    desk: Desk, candidate: Candidate, family: str, readers: Collection[ReviewerId]
) -> tuple[ReadPart, ...]:
    """Return the strata of the newest standing release's sample, as `readers` have read them."""
    newest = history.newest_release(desk.entries(), candidate.version)
    if newest is None:
        return ()
    released = Digest(str(newest.event["candidate"]))
    plan = load_pii_plans(desk.store, desk.prefix, released).get(family)
    if plan is None or plan.rubric != question().digest:
        return ()
    answers = earlier_answers(desk, candidate, family)
    read = frozenset(one.answer.record_id for one in answers if one.answer.reviewer in readers)
    return read_parts(desk.store, desk.prefix, plan, str(newest.event["version"]), read)


def _frozen_at(desk: Desk, candidate: Candidate, family: str) -> int | None:
    for entry in _frozen(desk, family):
        if entry.event["candidate"] == candidate.digest:
            return entry.seq
    return None


def _frozen_before(desk: Desk, candidate: Candidate, family: str) -> Sequence[Entry]:
    mine = _frozen_at(desk, candidate, family)
    first: dict[str, Entry] = {}
    for entry in _frozen(desk, family):
        name = str(entry.event["candidate"])
        if name != candidate.digest and (mine is None or entry.seq < mine):
            first.setdefault(name, entry)
    return tuple(first.values())


def _frozen(desk: Desk, family: str) -> Sequence[Entry]:
    entries = history.of_type(desk.entries(), "pii.frozen")
    return [entry for entry in entries if entry.event["family"] == family]


def _plan(desk: Desk, candidate: Digest, family: str) -> SamplePlan:
    kept: dict[tuple[str, str], SamplePlan] = _kept(desk, "pii earlier plans", {})
    if (candidate, family) not in kept:
        kept[candidate, family] = load_pii_plans(desk.store, desk.prefix, candidate)[family]
    return kept[candidate, family]


def _kept(desk: Desk, name: str, empty: Held) -> Held:
    held = desk.memory.setdefault(name, empty)
    assert isinstance(held, type(empty))
    return held
