"""People read a frozen sample of each family; one record that identifies somebody blocks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from pathlib import Path

import pytest

from core.canonical import decode, digest_of, sha256_hex
from core.intake.privacy.values import value_digest
from core.model.dataset import Split
from core.model.errors import NotAllowed, ReviewError
from core.model.gate import Finding
from core.policy.types import PiiCheckRule
from core.review.frame import read_frame
from core.review.pii_attempts import EarlierSample
from core.review.pii_sample import draw_pii_plan
from core.review.plans import plan_digest
from core.storage.ports import SystemClock
from core.workbench import Workbench, assemble
from tests.builders import Row, a_row
from tests.desk import (
    NONCE,
    VERSION,
    Rows,
    a_desk,
    add_candidate,
    pass_gates,
    person_of,
    some_rows_to_read,
    spoken,
)
from tests.simulator import Simulator

A = digest_of("a candidate")
RULE = PiiCheckRule(families=("edge_cases", "priority"), limit=0.35, confidence=0.8, first=4)


@pytest.fixture
def store() -> Simulator:
    return Simulator(clock=SystemClock())


@pytest.fixture
def bench(store: Simulator, tmp_path: Path) -> Workbench:
    """A desk whose policy asks for four records of two families; samples frozen."""
    plain = a_desk(store, tmp_path, frozen=False)
    policy = dataclasses.replace(plain.desk.policy, pii_checks=(RULE,))
    bench = assemble(dataclasses.replace(plain.desk, policy=policy))
    pass_gates(bench, bench.candidates.get(digest_of_current(bench)))
    bench.reviews.freeze(digest_of_current(bench), NONCE, person_of(bench, "lead"))
    return bench


def with_priority(row: Row) -> Rows:
    """Some records of every family, and `row` alone of the priority family."""
    return {**some_rows_to_read("other"), ("priority", "train"): [row]}


def digest_of_current(bench: Workbench) -> str:
    found = bench.candidates.current(VERSION)
    assert found is not None
    return found.digest


def read_all(bench: Workbench, family: str, name: str = "clinician-1") -> list[str]:
    """Answer for every record of the sample that nobody could be identified."""
    digest, person = digest_of_current(bench), person_of(bench, name)
    read = []
    while (record_id := bench.pii.next_record(digest, family, person)) is not None:
        record = bench.pii.record(digest, family, record_id, person)
        bench.pii.answer(digest, family, record_id, person, "nobody", shown_sha256=record.sha256)
        read.append(record_id)
    return read


def name_somebody(bench: Workbench, family: str, name: str = "bias") -> str:
    """Answer that somebody could be identified by the next record; return which it was."""
    digest, person = digest_of_current(bench), person_of(bench, name)
    record_id = bench.pii.next_record(digest, family, person)
    assert record_id is not None
    record = bench.pii.record(digest, family, record_id, person)
    bench.pii.answer(
        digest,
        family,
        record_id,
        person,
        "somebody",
        shown_sha256=record.sha256,
        turn=0,
        kind="name",
    )
    return record_id


def with_many(store: Simulator, tmp_path: Path) -> Workbench:
    """A desk with forty records of the family, so that a sample leaves most of them unread."""
    rows = [a_row(family="edge_cases", seed=f"m{n}", source_line=n) for n in range(1, 41)]
    plain = a_desk(
        store,
        tmp_path,
        rows={**some_rows_to_read(), ("edge_cases", "train"): rows},
        frozen=False,
    )
    policy = dataclasses.replace(plain.desk.policy, pii_checks=(RULE,))
    bench = assemble(dataclasses.replace(plain.desk, policy=policy))
    pass_gates(bench, bench.candidates.get(digest_of_current(bench)))
    bench.reviews.freeze(digest_of_current(bench), NONCE, person_of(bench, "lead"))
    return bench


def rebuilt(bench: Workbench, *, without: Collection[str], version: str = VERSION) -> str:
    """Freeze a candidate with the same rows but those, and one record more of another family."""
    old = bench.candidates.get(digest_of_current(bench))
    rows: dict[tuple[str, Split], list[Row | bytes]] = {}
    for shard in old.shards:
        body = bench.desk.store.get(shard.key, limit=1 << 20).body
        kept = [line for line in body.splitlines() if not any(o in line.decode() for o in without)]
        rows.setdefault((shard.family, shard.split), []).extend(json.loads(k) for k in kept)
    more = len(without) + old.records
    rows["voice", "train"].append(a_row(family="voice", seed=f"more {more}", source_line=900))
    candidate = add_candidate(bench, rows, version=version)
    pass_gates(bench, candidate)
    bench.reviews.freeze(candidate.digest, NONCE, person_of(bench, "lead"))
    return candidate.digest


def dice(*words: str) -> float:
    """A share between 0 and 1 that follows from the words."""
    return int(sha256_hex(" ".join(words).encode())[:13], 16) / 16**13


def codes(bench: Workbench) -> list[str]:
    found = bench.releases.blockers(digest_of_current(bench))
    return sorted({blocker.code for blocker in found if blocker.code.startswith("privacy.")})


def test_nothing_is_published_before_every_family_that_the_policy_names_was_read(
    bench: Workbench,
) -> None:
    assert codes(bench) == ["privacy.sampling_open"]
    read_all(bench, "edge_cases")
    assert codes(bench) == ["privacy.sampling_open"]
    read_all(bench, "priority")
    assert codes(bench) == []


def test_the_statement_has_size_misses_and_the_exact_bound(bench: Workbench) -> None:
    read = read_all(bench, "edge_cases")
    state = bench.pii.states(digest_of_current(bench))["edge_cases"]
    assert (state.state, state.frame, state.planned, state.read) == ("done", 5, 3, 3)
    assert len(read) == len(set(read)) == 3
    # Three of five seen without one: with two bad among five, 3 clean is C(3,3)/C(5,3) = 10 %.
    assert state.upper == pytest.approx(1 / 5)
    assert "3 of 3 sampled records of edge_cases (of 5) were read by people" in state.sentence
    assert "at most 20 %" in state.sentence


def test_one_record_that_identifies_somebody_blocks_until_it_is_gone(bench: Workbench) -> None:
    read_all(bench, "priority")
    escaped = name_somebody(bench, "edge_cases")
    read_all(bench, "edge_cases")
    digest = digest_of_current(bench)
    state = bench.pii.states(digest)["edge_cases"]
    assert (state.state, state.escapes) == ("escaped", (escaped,))
    assert codes(bench) == ["privacy.sampling_escape"]
    assert bench.pii.exclude_escapes(digest, person_of(bench, "lead")) == 1
    (decision,) = bench.candidates.decisions(VERSION)
    assert (decision["action"], decision["record_id"]) == ("exclude", escaped)
    assert codes(bench) == ["privacy.sampling_escape"], "deciding alone sets nothing free"


def test_who_said_that_somebody_could_be_identified_cannot_take_it_back(bench: Workbench) -> None:
    escaped = name_somebody(bench, "priority")
    digest, bias = digest_of_current(bench), person_of(bench, "bias")
    record = bench.pii.record(digest, "priority", escaped, bias)
    with pytest.raises(ReviewError) as caught:
        bench.pii.answer(digest, "priority", escaped, bias, "nobody", shown_sha256=record.sha256)
    assert caught.value.code == "review.conflict"


def test_who_said_nobody_may_say_somebody_later(bench: Workbench) -> None:
    read = read_all(bench, "priority")
    digest, clinician = digest_of_current(bench), person_of(bench, "clinician-1")
    record = bench.pii.record(digest, "priority", read[0], clinician)
    bench.pii.answer(
        digest,
        "priority",
        read[0],
        clinician,
        "somebody",
        shown_sha256=record.sha256,
        turn=1,
        kind="story",
    )
    assert bench.pii.states(digest)["priority"].escapes == (read[0],)


def test_an_answer_taken_out_of_the_bucket_does_not_set_its_record_free(
    bench: Workbench, store: Simulator
) -> None:
    escaped = name_somebody(bench, "priority")
    digest = digest_of_current(bench)
    (stored,) = bench.pii.answers(digest, "priority")
    store.delete(stored.key)
    assert bench.pii.answers(digest, "priority") == ()
    assert bench.pii.states(digest)["priority"].escapes == (escaped,)


def test_the_machine_speaks_only_to_who_has_answered(store: Simulator, tmp_path: Path) -> None:
    said = spoken("Write to jo.bloggs@example.org please, I am sad.", "I hear you.")
    plain = a_desk(store, tmp_path, rows=with_priority(said), frozen=False)
    policy = dataclasses.replace(plain.desk.policy, pii_checks=(RULE,))
    bench = assemble(dataclasses.replace(plain.desk, policy=policy))
    digest, lead = digest_of_current(bench), person_of(bench, "lead")
    bench.desk.record(
        lead, "seed.fixed", version=VERSION, candidate=digest, nonce="x", seed="5" * 64
    )
    bench.pii.freeze(digest, lead)
    record_id = bench.pii.next_record(digest, "priority", lead)
    assert record_id is not None
    with pytest.raises(ReviewError) as caught:
        bench.pii.machine(digest, "priority", record_id, lead)
    assert caught.value.code == "review.answer_first"
    read_all(bench, "priority", "lead")
    found = bench.pii.machine(digest, "priority", record_id, lead)
    assert [(item.code, item.turn, item.start, item.end) for item in found] == [
        ("privacy.email_address", 0, 9, 30)
    ]


def test_who_built_the_candidate_and_who_is_no_reader_may_not_answer(bench: Workbench) -> None:
    digest = digest_of_current(bench)
    with pytest.raises(NotAllowed):
        bench.pii.next_record(digest, "priority", person_of(bench, "auditor"))
    clinician = person_of(bench, "clinician-1")
    bench.desk.record(clinician, "candidate.built", version=VERSION, candidate=digest)
    record_id = bench.pii.next_record(digest, "priority", clinician)
    assert record_id is not None
    record = bench.pii.record(digest, "priority", record_id, clinician)
    with pytest.raises(NotAllowed) as caught:
        bench.pii.answer(
            digest, "priority", record_id, clinician, "nobody", shown_sha256=record.sha256
        )
    assert caught.value.code == "review.builder"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"verdict": "nobody", "turn": 0, "kind": "name"}, "review.answer"),
        ({"verdict": "somebody"}, "review.answer"),
        ({"verdict": "somebody", "turn": 99, "kind": "name"}, "review.answer"),
        ({"verdict": "somebody", "turn": 0, "kind": "a hunch"}, "review.answer"),
        ({"verdict": "nobody", "shown_sha256": "0" * 64}, "review.stale"),
    ],
)
def test_an_answer_that_says_too_little_or_is_about_other_bytes_is_refused(
    bench: Workbench, changes: dict[str, object], code: str
) -> None:
    digest, clinician = digest_of_current(bench), person_of(bench, "clinician-1")
    record_id = bench.pii.next_record(digest, "priority", clinician)
    assert record_id is not None
    record = bench.pii.record(digest, "priority", record_id, clinician)
    given = {"shown_sha256": record.sha256, **changes}
    with pytest.raises(ReviewError) as caught:
        bench.pii.answer(digest, "priority", record_id, clinician, **given)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_a_second_draw_is_refused_and_the_same_draw_is_harmless(bench: Workbench) -> None:
    digest, lead = digest_of_current(bench), person_of(bench, "lead")
    before = bench.pii.states(digest)
    bench.pii.freeze(digest, lead)
    assert bench.pii.states(digest) == before
    wider = dataclasses.replace(RULE, limit=0.5, first=3)
    policy = dataclasses.replace(bench.desk.policy, pii_checks=(wider,))
    other = assemble(dataclasses.replace(bench.desk, policy=policy))
    with pytest.raises(ReviewError) as caught:
        other.pii.freeze(digest, lead)
    assert caught.value.code == "review.frozen_already"
    assert {state.state for state in other.pii.states(digest).values()} == {"stale"}
    assert "privacy.sampling_open" in codes(other)


def test_the_evidence_that_ships_has_the_numbers_and_no_text(bench: Workbench) -> None:
    read_all(bench, "edge_cases")
    name_somebody(bench, "priority")
    body = bench.pii.evidence(digest_of_current(bench))
    found = {item["family"]: item for item in decode(body)["families"]}
    assert found["edge_cases"]["misses"] == 0
    assert found["edge_cases"]["upper"] == "0.2"
    assert found["priority"]["misses"] == 1
    assert b"content" not in body


def test_the_run_sheet_holds_the_sampling_beside_the_privacy_gate(bench: Workbench) -> None:
    (line,) = [line for line in bench.sheet.lines(VERSION) if line.id == "4.1"]
    assert (line.state, line.page) == ("blocked", "pii_check")
    read_all(bench, "edge_cases")
    read_all(bench, "priority")
    (line,) = [line for line in bench.sheet.lines(VERSION) if line.id == "4.1"]
    assert line.state == "done"
    assert "3 of 3 sampled records of edge_cases" in line.why


def test_a_policy_without_the_check_says_so_on_the_sheet(store: Simulator, tmp_path: Path) -> None:
    asking = a_desk(store, tmp_path)
    policy = dataclasses.replace(asking.desk.policy, pii_checks=())
    plain = assemble(dataclasses.replace(asking.desk, policy=policy))
    assert plain.pii.states(digest_of_current(plain)) == {}
    (line,) = [line for line in plain.sheet.lines(VERSION) if line.id == "4.1"]
    assert "No PII sampling check is asked for" in line.why


def test_the_same_text_in_the_next_candidate_need_not_be_read_again(bench: Workbench) -> None:
    first = read_all(bench, "edge_cases")
    second = rebuilt(bench, without=())
    state = bench.pii.states(second)["edge_cases"]
    assert (state.state, state.read, state.failed) == ("done", 3, ())
    assert read_all(bench, "edge_cases") == []
    assert len(first) == 3


def test_another_text_in_the_next_candidate_has_to_be_read(bench: Workbench) -> None:
    read_all(bench, "priority")
    second = add_candidate(bench, with_priority(spoken("Another.", "Yes.")))
    pass_gates(bench, second)
    bench.reviews.freeze(second.digest, NONCE, person_of(bench, "lead"))
    state = bench.pii.states(second.digest)["priority"]
    assert (state.state, state.read) == ("reading", 0)


def test_leaving_out_who_was_found_needs_a_new_sample_of_what_nobody_has_read(
    store: Simulator, tmp_path: Path
) -> None:
    """Otherwise every family passes in the end: read, leave out what was found, read on."""
    bench = with_many(store, tmp_path)
    escaped = name_somebody(bench, "edge_cases")
    before = {escaped, *read_all(bench, "edge_cases")}
    second = rebuilt(bench, without={escaped})
    state = bench.pii.states(second)["edge_cases"]
    assert (state.state, state.read, state.failed) == ("reading", 0, ((1, 4),))
    assert state.confidence == pytest.approx(0.9), "the risk is halved"
    assert state.planned == 5, "one more than before, of thirty-six unread"
    assert not before & set(read_all(bench, "edge_cases"))
    state = bench.pii.states(second)["edge_cases"]
    assert state.state == "done"
    assert "the second sample, of records" in state.sentence
    assert "in 1 of 4 records read" in state.sentence
    (family,) = [
        one
        for one in decode(bench.pii.evidence(second))["families"]
        if one["family"] == "edge_cases"
    ]
    assert family["failed_before"] == [{"misses": 1, "read": 4}]


def test_a_version_begun_anew_does_not_forget_the_sample_that_failed(
    store: Simulator, tmp_path: Path
) -> None:
    bench = with_many(store, tmp_path)
    escaped = name_somebody(bench, "edge_cases")
    second = rebuilt(bench, without={escaped}, version="v2026-11-22")
    assert bench.pii.states(second)["edge_cases"].failed == ((1, 1),)


def test_a_record_that_identifies_somebody_is_not_frozen_past(
    store: Simulator, tmp_path: Path
) -> None:
    bench = with_many(store, tmp_path)
    escaped = name_somebody(bench, "edge_cases")
    with pytest.raises(ReviewError) as caught:
        rebuilt(bench, without={"no record"})
    assert (caught.value.code, caught.value.place) == (
        "review.escape_ships",
        f"edge_cases/{escaped}",
    )


def test_a_family_that_was_read_whole_is_judged_by_what_is_left(bench: Workbench) -> None:
    escaped = name_somebody(bench, "edge_cases")
    digest, person = digest_of_current(bench), person_of(bench, "clinician-1")
    read_all(bench, "edge_cases")
    second = rebuilt(bench, without={escaped})
    state = bench.pii.states(second)["edge_cases"]
    assert (state.frame, state.state) == (2, "reading"), "two of five had not been read"
    read_all(bench, "edge_cases")
    assert bench.pii.states(second)["edge_cases"].state == "done"
    third = rebuilt(bench, without={escaped, "nothing more"})
    state = bench.pii.states(third)["edge_cases"]
    assert (state.state, state.failed) == ("done", ((1, 3),))
    assert digest != second
    assert bench.pii.next_record(third, "edge_cases", person) is None


def test_however_often_one_leaves_out_what_was_found_a_bad_family_seldom_passes() -> None:
    """A family a tenth of which identifies somebody; the lead never gives up before six samples."""
    rule = PiiCheckRule(families=("f",), limit=0.05, confidence=0.95, first=59)
    passed = 0
    for trial in range(200):
        frame = [(f"{trial}-{number}", "", "f") for number in range(1_000)]
        bad = {record for record, _, _ in frame if dice(record, "bad") < 0.05}
        earlier: list[EarlierSample] = []
        for _ in range(6):
            plan = draw_pii_plan(
                frame, rule=rule, family="f", candidate=A, seed=f"s{trial}", earlier=earlier
            ).plan
            found = bad & set(plan.records[: plan.first])
            if not found:
                passed += 1
                break
            # Whoever finds somebody early stops reading: the kindest way to go on.
            read = plan.records[: 1 + min(map(plan.records.index, found))]
            earlier.append(
                EarlierSample(
                    candidate=A,
                    plan=plan_digest(plan),
                    read=frozenset(read),
                    escapes=frozenset(found & set(read)),
                )
            )
            frame = [one for one in frame if one[0] not in found & set(read)]
    # Twice the risk of one sample bounds it: 20 of 200, and three standard deviations.
    assert passed <= 20 + 13


def test_allowing_a_value_stores_its_digest_and_never_the_value(
    store: Simulator, tmp_path: Path
) -> None:
    said = spoken("My sister Margaret Thompson called me.", "How was that?")
    bench = a_desk(store, tmp_path, rows=with_priority(said), frozen=False)
    digest = digest_of_current(bench)
    record_id = next(
        row.record_id
        for row in read_frame(store, bench.candidates.get(digest))
        if row.family == "priority"
    )
    finding = Finding(
        code="privacy.person",
        blocking=True,
        family="priority",
        record_id=record_id,
        turn=0,
        start=10,
        end=27,
    )
    places = bench.candidates.values_of(digest, [finding, finding])
    assert [set(place) for place in places] == [{"scope"}]
    bench.candidates.decide(
        digest,
        gate="privacy",
        code="privacy.person",
        action="allow",
        reason="Somebody invented.",
        by=person_of(bench, "lead"),
        places=places,
    )
    (decision,) = bench.candidates.decisions(VERSION)
    assert decision["scope"] == value_digest("privacy.person", "margaret thompson")
    assert b"Margaret" not in bench.audit.export()
