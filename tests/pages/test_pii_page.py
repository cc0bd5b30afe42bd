"""The PII check page hides what the machine found until its reader has answered."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.policy.types import PiiCheckRule
from core.storage.ports import SystemClock
from core.workbench import Workbench, assemble
from pages.frame import bench as page_bench
from tests.builders import Row
from tests.desk import NONCE, VERSION, a_desk, person_of, some_rows_to_read, spoken
from tests.pages.conftest import ROOT
from tests.simulator import Simulator

SEEN = "jo.bloggs@example.org"
RULE = PiiCheckRule(families=("priority",), limit=0.35, confidence=0.8, first=4)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workbench:
    """A desk that asks for one family of two records to be read."""
    rows: list[Row | bytes] = [
        spoken(f"Write to {SEEN} please, I am sad.", "I hear you."),
        spoken("I could not sleep again.", "How long has that been so?", line=2),
    ]
    plain = a_desk(
        Simulator(clock=SystemClock()),
        tmp_path,
        rows={**some_rows_to_read(), ("priority", "train"): rows},
        frozen=False,
    )
    policy = dataclasses.replace(plain.desk.policy, pii_checks=(RULE,))
    bench = assemble(dataclasses.replace(plain.desk, policy=policy))
    monkeypatch.setattr(page_bench, "_open", lambda: [bench])
    return bench


def opened(identity: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "frame" / "shell.py"), default_timeout=60)
    page.session_state["demo_identity"] = identity
    page.session_state["version"] = VERSION
    return page.switch_page(str(ROOT / "pages" / "pii_check.py")).run()


def words(page: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "error", "success")
    return "\n".join(str(item.value) for kind in kinds for item in getattr(page, kind))


def freeze(bench: Workbench) -> str:
    candidate = bench.candidates.current(VERSION)
    assert candidate is not None
    bench.reviews.freeze(candidate.digest, NONCE, person_of(bench, "lead"))
    return candidate.digest


def press(page: AppTest, label: str) -> AppTest:
    (button,) = [button for button in page.button if button.label == label]
    return button.click().run()


def test_before_the_freeze_the_page_says_who_freezes(desk: Workbench) -> None:
    page = opened("demo:clinician-1")
    assert not page.exception
    assert "on Adjudication" in words(page)
    assert not page.text, "no record is shown before the sample is frozen"


def test_a_reader_answers_first_and_then_sees_what_the_machine_found(desk: Workbench) -> None:
    digest = freeze(desk)
    page = opened("demo:clinician-1")
    assert not page.exception
    for _ in range(2):
        shown = words(page)
        assert "What the machine finds" not in str([item.label for item in page.expander])
        assert "⟦" not in shown, "nothing is pointed out before the answer"
        if SEEN in shown:
            page = press(page, "Somebody could be identified")
            break
        page = press(page, "Nobody could be identified")
        page.session_state["pii:done"] = None
        page = page.run()
    assert not page.exception
    assert f"⟦{SEEN}⟧" in words(page)
    assert "Somebody can be identified" in words(page)
    assert desk.pii.states(digest)["priority"].state == "escaped"
    lead = opened("demo:lead")
    lead = press(lead, "Leave these records out")
    assert not lead.exception
    assert [item["action"] for item in desk.candidates.decisions(VERSION)] == ["exclude"]


@pytest.mark.parametrize("identity", ["demo:engineer", "demo:owner", "demo:auditor"])
def test_who_does_not_read_sees_numbers_and_no_record(desk: Workbench, identity: str) -> None:
    freeze(desk)
    page = opened(identity)
    assert not page.exception
    assert not page.text
    assert "sampled records of Priority" in words(page).replace("\\", "")


def test_the_privacy_page_shows_the_eighteen_and_the_allow_list(desk: Workbench) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "frame" / "shell.py"), default_timeout=60)
    page.session_state["demo_identity"] = "demo:auditor"
    page.session_state["version"] = VERSION
    page = page.switch_page(str(ROOT / "pages" / "privacy.py")).run()
    assert not page.exception
    assert len(page.table[0].value) == 18
    names = list(page.dataframe[0].value["never touched"])
    assert "US: 988 Suicide and Crisis Lifeline" in names
