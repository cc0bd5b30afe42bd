"""Pairs, the set, gaps, edits, records beside the sample and the planner, on their pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.workbench import Workbench
from pages.frame import bench as page_bench
from tests.browser.review_pictures import rows_of
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk, clean_answers, person_of
from tests.pages.test_review_pages import FOUNDATION, button, digest_of, said, see
from tests.simulator import Simulator

BIAS = "bias_foundation"


@pytest.fixture
def bench(
    simulator: Simulator, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workbench:
    """The workbench the pages are served from; its clients name groups."""
    made = a_desk(simulator, tmp_path, clock=clock, rows=rows_of(VERSION))
    monkeypatch.setattr(page_bench, "_open", lambda: [made])
    return made


def see_part(part: str, who: str = "bias") -> AppTest:
    app = see("bias_review", who)
    app.segmented_control(key=f"part:{BIAS}").set_value(part).run()
    assert not app.exception
    return app


def plainly(app: AppTest) -> str:
    return said(app).replace("\\", "")


def typed(app: AppTest, start: str) -> object:
    return next(one for one in (*app.text_area, *app.text_input) if one.label.startswith(start))


def test_a_pair_is_shown_whole_and_its_answer_is_stored(bench: Workbench) -> None:
    app = see_part("Matched pairs")
    digest, me = digest_of(bench), person_of(bench, "bias")
    (first, *_) = bench.bias.pairs(digest, BIAS, me)
    screen = bench.bias.pair_screen(digest, BIAS, first.id, me)
    shown = [one.value for one in app.text]
    assert sorted(shown) == sorted(
        turn.content for left in (True, False) for turn in screen.turns(left=left, mask=False)
    )
    assert "They differ in" in plainly(app)
    assert button(app, "Store my answer")
    next(one for one in app.radio if one.label.startswith("1: plainly")).set_value("2")
    next(one for one in app.radio if one.label.startswith("Which side")).set_value(
        screen.left.record_id
    )
    typed(app, "Why").input("Shorter, and colder.")  # type: ignore[attr-defined]
    button(app, "Store my answer").click()  # type: ignore[attr-defined]
    app.run()
    assert "Your answer is stored" in said(app)
    answer = bench.bias.answered(digest, BIAS, me)[first.id]
    assert (answer.score, answer.worse, answer.note) == (
        "2",
        screen.left.record_id,
        "Shorter, and colder.",
    )


def test_an_unanswered_pair_is_refused_and_nothing_is_stored(bench: Workbench) -> None:
    app = see_part("Matched pairs")
    button(app, "Store my answer").click()  # type: ignore[attr-defined]
    app.run()
    assert app.error
    assert not bench.bias.answered(digest_of(bench), BIAS, person_of(bench, "bias"))


def test_masked_words_and_the_name_of_the_group_are_out_of_sight(bench: Workbench) -> None:
    app = see_part("Matched pairs")
    assert any("Muslim" in one.value or "Jewish" in one.value for one in app.text)
    next(one for one in app.toggle if one.label.startswith("Hide the words")).set_value(True).run()
    everything = plainly(app) + " ".join(one.value for one in app.text)
    for word in ("Muslim", "Jewish", "muslim", "jewish", "refugee"):
        assert word not in everything


def test_others_see_a_pair_and_are_not_asked(bench: Workbench) -> None:
    app = see_part("Matched pairs", who="auditor")
    assert app.text
    assert not [one for one in app.button if "my answer" in one.label]


def test_the_set_says_who_is_named_and_that_nobody_is_guessed(bench: Workbench) -> None:
    app = see_part("The set")
    words = plainly(app)
    assert "Counted over all 8 records of the scope" in words.replace("*", "")
    assert "Nobody's identity is inferred" in words
    rows = next(one.value for one in app.dataframe if "group named" in one.value)
    held = {(row["dimension"], row["group named"]) for _, row in rows.iterrows()}
    assert ("religion or spirituality", "Muslim") in held
    assert "no word of these dimensions stands at all" in words


def test_a_gap_is_written_down_once_and_an_empty_one_is_refused(bench: Workbench) -> None:
    app = see_part("The set")
    digest = digest_of(bench)
    button(app, "Write it down").click()  # type: ignore[attr-defined]
    app.run()
    assert not bench.bias.gaps(digest, BIAS)
    typed(app, "What is missing").input("Nobody older than 65 speaks.")  # type: ignore[attr-defined]
    button(app, "Write it down").click()  # type: ignore[attr-defined]
    app.run()
    assert bench.bias.gaps(digest, BIAS) == ("Nobody older than 65 speaks.",)
    assert "Nobody older than 65 speaks." in plainly(app)
    assert typed(app, "What is missing").value == ""  # type: ignore[attr-defined]
    watching = see_part("The set", who="auditor")
    assert "Nobody older than 65 speaks." in plainly(watching)
    assert not [one for one in watching.button if one.label == "Write it down"]


def test_what_others_tagged_waits_until_ones_own_records_are_read(bench: Workbench) -> None:
    assert "once you have read your records" in said(see_part("Tags"))
    assert "Nobody has tagged a turn so far" in plainly(see_part("Tags", who="auditor"))


def planned(app: AppTest) -> dict[str, str]:
    return {one.label: str(one.value) for one in app.metric}


def test_the_planner_says_more_records_and_hours_for_a_stricter_limit(bench: Workbench) -> None:
    app = see("adjudication", "lead")
    app.toggle(key="planner open").set_value(True).run()
    assert not app.exception
    loose = planned(app)
    assert "problem would be missed" in plainly(app)
    before = bench.reviews.plans(digest_of(bench))
    app.select_slider(key=f"limit:{FOUNDATION}").set_value(0.3).run()
    app.select_slider(key=f"confidence:{FOUNDATION}").set_value(0.95).run()
    assert not app.exception
    strict = planned(app)
    assert int(strict["Read first"]) > int(loose["Read first"])
    assert float(strict["Hours"]) > float(loose["Hours"])
    assert bench.reviews.plans(digest_of(bench)) == before


def test_a_named_record_is_read_beside_the_sample_and_moves_no_bound(bench: Workbench) -> None:
    digest, lead = digest_of(bench), person_of(bench, "lead")
    sampled = set(bench.reviews.plans(digest)[FOUNDATION].records)
    everything = bench.candidates.get(digest)
    assert everything.records > len(sampled)
    beside = beside_the_sample(bench)
    planned_before = bench.reviews.state(digest, FOUNDATION).planned
    app = see("adjudication", "lead")
    app.text_area(key="extra named").input(beside)
    button(app, "Have them read").click()  # type: ignore[attr-defined]
    app.run()
    assert not app.exception
    assert bench.reviews.extras(digest, FOUNDATION) == {beside}
    reader = person_of(bench, "clinician-1")
    assert beside in [
        one.record_id for one in bench.reviews.queue(digest, FOUNDATION, reader).items
    ]
    assert bench.reviews.state(digest, FOUNDATION).planned == planned_before
    assert lead.holds("review_lead")


def beside_the_sample(bench: Workbench) -> str:
    """A shipped record of the claim's families that was not drawn."""
    digest, me = digest_of(bench), person_of(bench, "bias")
    sampled = set(bench.reviews.plans(digest)[FOUNDATION].records)
    pairs = bench.bias.pairs(digest, BIAS, me)
    return next(name for pair in pairs for name in pair.records if name not in sampled)


def test_no_record_named_is_said_and_none_is_chosen(bench: Workbench) -> None:
    app = see("adjudication", "lead")
    button(app, "Have them read").click()  # type: ignore[attr-defined]
    app.run()
    assert "Choose a finding, or name records" in said(app)
    assert not bench.reviews.extras(digest_of(bench), FOUNDATION)


def test_an_edit_is_proposed_beside_the_text_and_changes_no_record(bench: Workbench) -> None:
    digest, reader = digest_of(bench), person_of(bench, "clinician-1")
    record = bench.reviews.plans(digest)[FOUNDATION].records[0]
    answers = clean_answers(bench, digest, FOUNDATION, record, reader)
    asked = {**answers, "verdict": "accept_with_edit", "note": "A word is missing."}
    bench.reviews.submit(digest, FOUNDATION, record, reader, asked)
    before = bench.reviews.record(digest, record, reader).messages
    app = see("adjudication", "clinician-1")
    typed(app, "What it should say").input("That is a lot.")  # type: ignore[attr-defined]
    app.text_input(key=f"why:{record}:1").input("The word was missing.")
    button(app, "Propose").click()  # type: ignore[attr-defined]
    app.run()
    assert not app.exception
    (stored,) = bench.reviews.proposals(digest, FOUNDATION)
    assert (stored.act.record_id, stored.act.turn, stored.act.note) == (record, 1, "That is a lot.")
    assert "That is a lot." in [one.value for one in app.text]
    assert bench.reviews.record(digest, record, reader).messages == before
