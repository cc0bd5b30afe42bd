"""Practice is offered, openly so, answered beside a model answer, and counted nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.workbench import Workbench
from pages.frame import bench as page_bench
from pages.frame.review_form.practice import finished
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


def answer(bench: Workbench, app: AppTest, value: str = "1", flags: tuple[str, ...] = ()) -> None:
    """What the form does with a finished answer; the keys themselves take a browser."""
    reader = person_of(bench, "clinician-1")
    (first, *_), rubric = (
        bench.reviews.warm_ups(FOUNDATION, reader),
        bench.reviews.rubric(FOUNDATION),
    )
    given = {
        "scores": {item.id: value for item in rubric.items if item.unit == "record"},
        "verdict": "reject",
        "flags": [{"id": flag} for flag in flags],
    }
    found = bench.reviews.answer_warm_up(FOUNDATION, first.id, reader, given)
    app.session_state[f"practice:{FOUNDATION}:{reader.id}:compared"] = (first, given, found)
    app.run()
    assert not app.exception


def test_practice_is_answered_in_the_form_and_shows_no_record(bench: Workbench) -> None:
    app = at_practice()
    (form,) = app.get(FORM)
    shown = json.loads(form.proto.json)
    first = bench.reviews.warm_ups(FOUNDATION, person_of(bench, "clinician-1"))[0]
    assert [turn["content"] for turn in shown["messages"]] == [
        message.content for message in first.messages
    ]
    assert shown["practice"] is True
    assert shown["records"] == [{"id": first.id, "state": "open"}]
    assert "Practice on invented dialogues" in said(app)


def test_the_model_answer_comes_after_ones_own_and_nothing_is_stored(bench: Workbench) -> None:
    app = at_practice()
    first = bench.reviews.warm_ups(FOUNDATION, person_of(bench, "clinician-1"))[0]
    before = [entry.key for entry in bench.desk.store.list("")]
    assert not app.dataframe
    answer(bench, app, flags=("F1",))
    assert "differ from the model answer" in said(app)
    assert "Their reason" in said(app)
    assert "Your flags: F1 Means or method information. Theirs: none. ≠" in said(app).replace(
        "\\", ""
    )
    assert "≠" in set(app.dataframe[0].value[""])
    speakers = {c.value.partition(" · ")[2] for c in app.caption if c.value[:1].isdigit()}
    assert speakers == {"Client", "Helper"}, "as the form names them"
    assert [entry.key for entry in bench.desk.store.list("")] == before
    assert first not in bench.reviews.warm_ups(FOUNDATION, person_of(bench, "clinician-1"))
    button(app, "To the records").click()  # type: ignore[attr-defined]
    app.run()
    assert len(app.get(FORM)) == 1
    assert not app.dataframe


def test_a_finished_answer_is_heard_once() -> None:
    events = [
        {"seq": 3, "kind": "opened", "payload": {}},
        {"seq": 4, "kind": "submit", "payload": {"verdict": "accept"}},
    ]
    heard = finished(events, 0)
    assert heard is not None
    assert heard["payload"] == {"verdict": "accept"}
    assert finished(events, 4) is None
    assert finished(events[:1], 0) is None


def test_practice_is_offered_in_words_before_the_first_record_of_the_day(bench: Workbench) -> None:
    app = see("clinician_review", "clinician-1")
    assert "Warming up is practice" in said(app)
    rate(bench, shown_record(app))
    app.run()
    assert "Warming up is practice" not in said(app)
    assert [one for one in app.button if one.label.startswith("Warm up")]


def test_practice_is_for_the_readers_of_the_claim(bench: Workbench) -> None:
    assert bench.candidates.current(VERSION) is not None
    app = see("clinician_review", "lead")
    assert not [one for one in app.button if one.label.startswith("Warm up")]
