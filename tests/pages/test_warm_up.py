"""Practice is offered, openly so, answered beside a model answer, and counted nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.workbench import Workbench
from pages.frame import bench as page_bench
from tests.clock import FixedClock
from tests.desk import VERSION, a_desk, person_of
from tests.pages.test_review_pages import FORM, FOUNDATION, button, rate, said, see, shown_record
from tests.simulator import Simulator


@pytest.fixture
def bench(
    simulator: Simulator, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workbench:
    """The workbench the pages are served from."""
    made = a_desk(simulator, tmp_path, clock=clock)
    monkeypatch.setattr(page_bench, "_open", lambda: [made])
    return made


def at_practice() -> AppTest:
    app = see("clinician_review", "clinician-1")
    next(one for one in app.button if one.label.startswith("Warm up")).click().run()
    assert not app.exception
    return app


def answer(app: AppTest, value: str = "1") -> None:
    for group in app.button_group:
        if group.key and group.key.startswith("practice:"):
            group.set_value(value)
    app.radio[0].set_value("reject")
    button(app, "Compare with the model answer").click()  # type: ignore[attr-defined]
    app.run()
    assert not app.exception


def test_practice_shows_an_invented_dialogue_in_exact_text_and_no_record(bench: Workbench) -> None:
    app = at_practice()
    first = bench.reviews.warm_ups(FOUNDATION, person_of(bench, "clinician-1"))[0]
    assert [one.value for one in app.text][: len(first.messages)] == [
        message.content for message in first.messages
    ]
    assert "Practice on invented dialogues" in said(app)
    assert not app.get(FORM)


def test_the_model_answer_comes_after_ones_own_and_nothing_is_stored(bench: Workbench) -> None:
    app = at_practice()
    first = bench.reviews.warm_ups(FOUNDATION, person_of(bench, "clinician-1"))[0]
    before = [entry.key for entry in bench.desk.store.list("")]
    assert not app.dataframe
    answer(app)
    assert "differ from the model answer" in said(app)
    assert "Their reason" in said(app)
    rows = app.dataframe[0].value
    assert "≠" in set(rows[""])
    assert [entry.key for entry in bench.desk.store.list("")] == before
    assert first not in bench.reviews.warm_ups(FOUNDATION, person_of(bench, "clinician-1"))
    button(app, "To the records").click()  # type: ignore[attr-defined]
    app.run()
    assert len(app.get(FORM)) == 1


def test_an_unfinished_practice_answer_is_not_compared(bench: Workbench) -> None:
    app = at_practice()
    button(app, "Compare with the model answer").click()  # type: ignore[attr-defined]
    app.run()
    assert "Answer every question" in said(app)
    assert not app.dataframe


def test_practice_is_offered_in_words_before_the_first_record_of_the_day(bench: Workbench) -> None:
    app = see("clinician_review", "clinician-1")
    assert "you may warm up" in said(app)
    rate(bench, shown_record(app))
    app.run()
    assert "you may warm up" not in said(app)
    assert [one for one in app.button if one.label.startswith("Warm up")]


def test_practice_is_for_the_readers_of_the_claim(bench: Workbench) -> None:
    assert bench.candidates.current(VERSION) is not None
    app = see("clinician_review", "lead")
    assert not [one for one in app.button if one.label.startswith("Warm up")]
