"""Who sees what on the review pages, and that nothing is signed or settled that may not be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.workbench import Workbench
from pages.frame import bench as page_bench
from pages.frame import review_form
from pages.frame.review_form import Seat
from tests import desk as desks
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk, person_of, read_everything, spoken
from tests.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
FOUNDATION = "clinician_foundation"
FORM = "bidi_component"

Open = Callable[..., AppTest]
Desk = Callable[..., Workbench]


@pytest.fixture
def desk(
    simulator: Simulator, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """`desk(frozen=…, passed=…, rows=…)` → the workbench the pages are served from."""

    def make(**how: object) -> Workbench:
        bench = a_desk(simulator, tmp_path, clock=clock, **how)  # type: ignore[arg-type]
        monkeypatch.setattr(page_bench, "_open", lambda: [bench])
        return bench

    return make


def see(page: str, identity: str) -> AppTest:
    """The page as that demo person, run once."""
    app = AppTest.from_file(str(ROOT / "pages" / "frame" / "shell.py"), default_timeout=60)
    app.session_state["demo_identity"] = f"demo:{identity}"
    app = app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """Everything the page says in words of its own."""
    kinds = (
        app.markdown,
        app.caption,
        app.info,
        app.warning,
        app.error,
        app.success,
        app.header,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app: AppTest, label: str, nth: int = 0) -> object:
    return [one for one in app.button if one.label == label][nth]


def digest_of(bench: Workbench) -> str:
    candidate = bench.candidates.current(VERSION)
    assert candidate is not None
    return str(candidate.digest)


def flag_first(bench: Workbench, by: str) -> str:
    """Have somebody raise F1 on the first record they read; return the record."""
    digest, person = digest_of(bench), person_of(bench, by)
    record = bench.reviews.plans(digest)[FOUNDATION].records[0]
    answers = desks.clean_answers(bench, digest, FOUNDATION, record, person)
    flags = [{"id": "F1", "turn": 1, "note": "It names a means."}]
    bench.reviews.submit(
        digest, FOUNDATION, record, person, {**answers, "flags": flags, "verdict": "reject"}
    )
    return record


def test_an_unfrozen_sample_is_explained_and_shows_no_form(desk: Desk) -> None:
    desk(frozen=False)
    app = see("clinician_review", "clinician-1")
    assert "not frozen yet" in said(app)
    assert not app.get(FORM)


def test_the_lead_freezes_what_was_announced(desk: Desk) -> None:
    bench = desk(frozen=False)
    app = see("adjudication", "lead")
    assert len(app.dataframe[0].value) == len(bench.desk.policy.claims)
    app.text_input(key="nonce").input("rain on the tin roof")
    button(app, "Freeze the samples").click()  # type: ignore[attr-defined]
    app.run()
    assert "frozen" in said(app)
    assert set(bench.reviews.plans(digest_of(bench))) == {c.id for c in bench.desk.policy.claims}


def test_a_short_nonce_is_refused_and_nothing_is_frozen(desk: Desk) -> None:
    bench = desk(frozen=False)
    app = see("adjudication", "lead")
    app.text_input(key="nonce").input("abc")
    button(app, "Freeze the samples").click()  # type: ignore[attr-defined]
    app.run()
    assert "review\\.nonce" in said(app)
    assert not bench.reviews.plans(digest_of(bench))


def test_a_candidate_whose_gates_have_not_passed_is_not_frozen(desk: Desk) -> None:
    desk(frozen=False, passed=False)
    app = see("adjudication", "lead")
    assert button(app, "Freeze the samples").disabled  # type: ignore[attr-defined]
    assert "must pass first" in said(app)


def test_only_the_lead_is_offered_to_freeze(desk: Desk) -> None:
    desk(frozen=False)
    app = see("adjudication", "clinician-1")
    assert not [one for one in app.button if one.label == "Freeze the samples"]
    assert "A review lead does that here" in said(app)


def test_a_clinician_gets_the_form_and_the_statement(desk: Desk) -> None:
    desk()
    app = see("clinician_review", "clinician-1")
    assert len(app.get(FORM)) == 1
    assert "0 of 3 read" in said(app)


@pytest.mark.parametrize("identity", ["auditor", "lead", "owner", "bias"])
def test_others_see_how_far_it_is_and_may_read_but_get_no_form(desk: Desk, identity: str) -> None:
    bench = desk()
    app = see("clinician_review", identity)
    assert "0 of 3 read" in said(app)
    assert not app.get(FORM)
    app.toggle(key=f"browse:{FOUNDATION}").set_value(True).run()
    first = bench.reviews.plans(digest_of(bench))[FOUNDATION].records[0]
    record = bench.reviews.record(digest_of(bench), first, person_of(bench, identity))
    assert [one.value for one in app.text][: len(record.messages)] == [
        message.content for message in record.messages
    ]


def test_words_of_a_record_are_never_drawn_as_markdown(desk: Desk) -> None:
    hostile = "# zebra ![x](http://127.0.0.1:9/zebra.png) :red[zebra] <b>zebra</b>"
    rows = desks.some_rows_to_read()
    for family in ("priority", "professional_therapeutic"):
        rows[family, "train"] = [
            spoken(f"{n} {hostile}", f"{n} {family} {hostile}", family=family, line=n)
            for n in range(3)
        ]
    bench = desk(rows=rows)
    flag_first(bench, "clinician-1")
    for page, identity in (("clinician_review", "auditor"), ("adjudication", "lead")):
        app = see(page, identity)
        for toggle in app.toggle:
            toggle.set_value(True)
        app.run()
        assert any(hostile in one.value for one in app.text)
        assert "zebra" not in said(app)


def test_the_whole_sample_read_leads_to_a_signature_with_a_receipt(desk: Desk) -> None:
    bench = desk()
    read_everything(bench, FOUNDATION, "clinician-1")
    app = see("clinician_review", "clinician-1")
    assert "Nothing is left for you to read" in said(app)
    assert not app.get(FORM)
    name = next(one for one in app.text_input if one.label.startswith("Type your name"))
    name.input("Somebody Else")
    button(app, "Approve").click()  # type: ignore[attr-defined]
    app.run()
    assert "signoff\\.name" in said(app)
    name = next(one for one in app.text_input if one.label.startswith("Type your name"))
    name.input("Demo Clinician One")
    button(app, "Approve").click()  # type: ignore[attr-defined]
    app.run()
    assert "Approved" in said(app)
    assert "demo\\:clinician\\-1" in said(app)
    signoff = bench.signing.requirements(digest_of(bench))[0].signoff
    assert signoff is not None
    assert signoff.decision == "approve"
    assert json.loads(bench.signing.receipt(signoff))
    assert app.get("download_button")


def test_a_refusal_needs_the_tick_and_then_stands(desk: Desk) -> None:
    bench = desk()
    read_everything(bench, FOUNDATION, "clinician-1")
    app = see("clinician_review", "clinician-1")
    next(one for one in app.text_input if one.label.startswith("Type")).input("Demo Clinician One")
    button(app, "Refuse").click()  # type: ignore[attr-defined]
    app.run()
    assert bench.signing.requirements(digest_of(bench))[0].signoff is None
    app.checkbox[0].set_value(True)
    button(app, "Refuse").click()  # type: ignore[attr-defined]
    app.run()
    signoff = bench.signing.requirements(digest_of(bench))[0].signoff
    assert signoff is not None
    assert signoff.decision == "refuse"
    assert "Refused" in said(app)


def test_an_unfinished_review_offers_no_approval(desk: Desk) -> None:
    bench = desk()
    read_everything(bench, FOUNDATION, "clinician-1", but=1)
    app = see("clinician_review", "clinician-1")
    assert len(app.get(FORM)) == 1
    assert not [one for one in app.button if one.label == "Approve"]


def choose(app: AppTest, outcome: str) -> None:
    """Take one of accept, fix and reject."""
    group = next(
        one for one in app.get("button_group") if one.label == "What becomes of this record"
    )
    group.set_value(outcome)
    app.run()


def because(app: AppTest, reason: str) -> None:
    next(one for one in app.text_area if one.label == "Why").input(reason)


def test_a_flag_pauses_the_claim_and_a_second_person_settles_it(desk: Desk) -> None:
    bench = desk()
    flag_first(bench, "clinician-1")
    assert "Paused" in said(see("clinician_review", "clinician-2"))
    raiser = see("adjudication", "clinician-1")
    assert "You raised this" in said(raiser)
    assert not [one for one in raiser.button if one.label == "Reject the record"]
    lead = see("adjudication", "lead")
    assert "Means or method information" in said(lead)
    assert "1 record waits" in said(lead)
    choose(lead, "reject")
    button(lead, "Reject the record").click()  # type: ignore[attr-defined]
    lead.run()
    assert "review\\.reason" in said(lead)
    because(lead, "Read again: it does.")
    button(lead, "Reject the record").click()  # type: ignore[attr-defined]
    lead.run()
    assert "Rejected" in said(lead)
    assert not bench.reviews.open_flags(digest_of(bench))
    assert "Read again: it does." in [one.value for one in lead.text]
    button(lead, "Apply to the next candidate").click()  # type: ignore[attr-defined]
    lead.run()
    assert "Goes into the next build" in said(lead)
    assert bench.outcomes.waiting(VERSION) == ()
    assert bench.candidates.pending_decisions(digest_of(bench)) == 1


def test_a_fix_is_written_in_place_and_shown_beside_what_it_replaces(desk: Desk) -> None:
    bench = desk()
    flag_first(bench, "clinician-1")
    lead = see("adjudication", "lead")
    choose(lead, "fix")
    area = next(one for one in lead.text_area if one.label == "What turn 2 should say")
    old = str(area.value)
    area.input("Would you tell me more about that?")
    because(lead, "It must not name a means.")
    button(lead, "Keep this edit").click()  # type: ignore[attr-defined]
    lead.run()
    shown = [one.value for one in lead.text]
    assert old in shown
    assert "Would you tell me more about that?" in shown
    assert "Waits for a decision" in said(lead)
    assert "waits for a decision" in said(see("gates", "owner"))


def test_bias_reviewers_have_a_page_of_their_own(desk: Desk) -> None:
    desk()
    app = see("bias_review", "bias")
    assert len(app.get(FORM)) == 1
    assert "0 of 3 read" in said(app)
    assert not see("bias_review", "clinician-1").get(FORM)


def states(bench: Workbench, by: str) -> dict[str, str]:
    queue = bench.reviews.queue(digest_of(bench), FOUNDATION, person_of(bench, by))
    return {item.record_id: item.state for item in queue.items}


def shown_record(app: AppTest) -> str:
    """The record that the form has open."""
    return str(app.session_state[f"_review:{FOUNDATION}:demo:clinician-1"].at)


def rate(bench: Workbench, record: str, by: str = "clinician-1") -> None:
    digest, person = digest_of(bench), person_of(bench, by)
    answers = desks.clean_answers(bench, digest, FOUNDATION, record, person)
    bench.reviews.submit(digest, FOUNDATION, record, person, answers)


def test_twenty_minutes_reserve_what_fits_and_the_form_opens_the_first_of_it(desk: Desk) -> None:
    bench = desk()
    app = see("clinician_review", "clinician-1")
    assert "About 7 minutes a record (assumed until five are read)" in said(app).replace("\\", "")
    app.button(key=f"sit:{FOUNDATION}:20").click().run()
    digest, reader = digest_of(bench), person_of(bench, "clinician-1")
    sitting = bench.reviews.sitting_under_way(digest, FOUNDATION, reader)
    assert sitting is not None
    assert len(sitting.records) == 2
    assert "**0 of 2** of this sitting" in said(app)
    assert shown_record(app) == sitting.records[0]
    rate(bench, sitting.records[0])
    app.run()
    assert "**1 of 2** of this sitting" in said(app)
    rate(bench, sitting.records[1])
    app.run()
    assert "This sitting is done: 2 of 2" in said(app)
    assert app.button(key=f"sit:{FOUNDATION}:10")


def test_ending_a_sitting_gives_the_rest_back(desk: Desk) -> None:
    bench = desk()
    app = see("clinician_review", "clinician-1")
    app.button(key=f"sit:{FOUNDATION}:40").click().run()
    assert "elsewhere" in states(bench, "clinician-2").values()
    app.button(key=f"stand:{FOUNDATION}").click().run()
    assert "The sitting is over" in said(app)
    # What is on the screen is still theirs, and nothing else is.
    held = [name for name, state in states(bench, "clinician-2").items() if state == "elsewhere"]
    assert held in ([], [shown_record(app)])


def test_nobody_but_a_reader_of_the_claim_is_offered_a_sitting(desk: Desk) -> None:
    desk()
    app = see("clinician_review", "lead")
    assert not [one for one in app.button if one.label.endswith("minutes")]


def test_my_last_answers_open_a_record_again_to_be_undone(desk: Desk) -> None:
    bench = desk()
    app = see("clinician_review", "clinician-1")
    first = shown_record(app)
    rate(bench, first)
    app.session_state[f"last:{FOUNDATION}"] = True
    app.run()
    mine = app.button(key=f"again:{FOUNDATION}:0")
    assert "accept" in mine.label
    assert "can be undone" in mine.label
    other = next(name for name, state in states(bench, "clinician-1").items() if state == "open")
    app.session_state[f"_review:{FOUNDATION}:demo:clinician-1"].at = other
    mine.click().run()
    assert shown_record(app) == first
    assert app.session_state[f"_review:{FOUNDATION}:demo:clinician-1"].undoable == first


def test_my_last_answers_open_one_when_nothing_is_left_to_read(desk: Desk) -> None:
    bench = desk()
    read_everything(bench, FOUNDATION, "clinician-1")
    app = see("clinician_review", "clinician-1")
    assert not app.get(FORM)
    app.session_state[f"last:{FOUNDATION}"] = True
    app.run()
    app.button(key=f"again:{FOUNDATION}:0").click().run()
    assert len(app.get(FORM)) == 1


def test_a_record_that_another_reader_took_meanwhile_is_not_given_twice(desk: Desk) -> None:
    bench = desk()
    digest = digest_of(bench)
    # Both lists were drawn up before either reader had anything open.
    wanted = list(bench.reviews.plan(digest, FOUNDATION).records)

    def take(reader: str, records: list[str], otherwise: str = "") -> str:
        seat = Seat(bench=bench, person=person_of(bench, reader), digest=digest,
                    claim=FOUNDATION, rubric=bench.reviews.rubric(FOUNDATION))  # fmt: skip
        return review_form._taken(seat, records, otherwise)

    assert take("clinician-1", wanted) == wanted[0]
    assert take("clinician-2", wanted) == wanted[1]
    assert take("clinician-2", wanted[:1], "nothing") == "nothing"
    assert take("clinician-1", wanted) == wanted[0], "one's own stays one's own"
