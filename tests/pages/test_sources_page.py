"""The register decides about many lines with one form; coverage gives a stray prefix a family."""

from __future__ import annotations

from core.workbench import Workbench
from tests.pages.conftest import JUDGED_VERSION, OpenPage

OWNER = "demo:engineer"


def test_an_owner_decides_about_all_lines_shown_and_takes_it_back(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("sources", OWNER, version=JUDGED_VERSION)
    assert not page.exception
    family = next(iter(judged_desk.desk.policy.families)).name
    page.selectbox[_box(page, "Family")].select(family).run()
    shown = [line for line in judged_desk.sources.lines(JUDGED_VERSION) if line.family == family]
    for word, state in (("defer", "defer"), ("inherit", "keep")):
        page.selectbox[_box(page, "Decision")].select(word)
        page.text_input[_text(page, "Why")].input("a test")
        next(b for b in page.button if b.label == "Record the decision").click().run()
        assert not page.exception
        assert any("Recorded for" in said.value for said in page.success)
        lines = judged_desk.sources.lines(JUDGED_VERSION)
        assert {line.state for line in lines if line.family == family} == {state}
        assert len([line for line in lines if line.family == family]) == len(shown)


def test_a_reader_sees_the_register_and_no_form(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("sources", "demo:clinician-1", version=JUDGED_VERSION)
    assert not page.exception
    assert [b.label for b in page.button if b.label == "Record the decision"] == []
    assert any("were refused" in said.value for said in page.markdown)


def test_coverage_shows_changes_downloads_and_strays(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("coverage", OWNER, version=JUDGED_VERSION)
    assert not page.exception
    heads = [head.value for head in page.subheader]
    for words in ("What changed", "What matched no family", "Take it along"):
        assert words in heads


def _box(page: object, label: str) -> int:
    boxes = page.selectbox  # type: ignore[attr-defined]
    return next(n for n, box in enumerate(boxes) if box.label == label)


def _text(page: object, label: str) -> int:
    boxes = page.text_input  # type: ignore[attr-defined]
    return next(n for n, box in enumerate(boxes) if box.label == label)
