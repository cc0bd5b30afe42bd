"""The register decides about many lines with one form; coverage gives a stray prefix a family."""

from __future__ import annotations

import dataclasses

import pytest

from core.model.errors import NotAllowed
from core.workbench import Workbench
from core.workbench.refusals import Refusals
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
        page.radio[0].set_value("shown")
        page.selectbox[_box(page, "Decision")].select(word)
        page.text_input[_text(page, "Why")].input("a test")
        next(b for b in page.button if b.label == "Record the decision").click().run()
        assert not page.exception
        assert any("Recorded for" in said.value for said in page.success)
        lines = judged_desk.sources.lines(JUDGED_VERSION)
        assert {line.state for line in lines if line.family == family} == {state}
        assert len([line for line in lines if line.family == family]) == len(shown)


def test_nothing_is_decided_that_nobody_chose(judged_desk: Workbench, open_page: OpenPage) -> None:
    page = open_page("sources", OWNER, version=JUDGED_VERSION)
    before = len(judged_desk.audit.entries())
    page.radio[0].set_value("shown")
    page.text_input[_text(page, "Why")].input("a test")
    next(b for b in page.button if b.label == "Record the decision").click().run()
    assert any("Choose keep, defer or reject" in said.value for said in page.error)
    page.selectbox[_box(page, "Decision")].select("keep")
    next(b for b in page.button if b.label == "Record the decision").click().run()
    assert any("licence" in said.value for said in page.error)
    assert len(judged_desk.audit.entries()) == before


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
    heads = [head.value for head in page.header]
    for words in ("What changed", "What matched no family", "Take it along"):
        assert words in heads


def _box(page: object, label: str) -> int:
    boxes = page.selectbox  # type: ignore[attr-defined]
    return next(n for n, box in enumerate(boxes) if box.label == label)


def _text(page: object, label: str) -> int:
    boxes = page.text_input  # type: ignore[attr-defined]
    return next(n for n, box in enumerate(boxes) if box.label == label)


def test_a_refused_row_is_shown_to_those_allowed_and_its_place_to_all(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    candidate = judged_desk.candidates.current(JUDGED_VERSION)
    assert candidate is not None
    refusals = Refusals(judged_desk.desk, judged_desk.candidates)
    counts = refusals.counts(candidate.digest)
    assert sum(one.count for one in counts) == sum(candidate.rejections.values()) > 0
    key = next(one.key for one in counts if refusals.rows(candidate.digest, key=one.key)[0].line)
    line = refusals.rows(candidate.digest, key=key)[0].line

    page = open_page("sources", "demo:clinician-1", version=JUDGED_VERSION)
    page.selectbox[_box(page, "Look into")].select(key).run()
    page.selectbox[_box(page, "Show the row at line")].select(line).run()
    assert not page.exception
    reader = next(p for p in judged_desk.demo_people() if p.id == "demo:clinician-1")
    text = refusals.excerpt(candidate.digest, key, line, reader)
    assert text
    assert text in [shown.value for shown in page.text]


def test_nobody_without_a_role_sees_a_row(judged_desk: Workbench) -> None:
    candidate = judged_desk.candidates.current(JUDGED_VERSION)
    assert candidate is not None
    refusals = Refusals(judged_desk.desk, judged_desk.candidates)
    one = refusals.counts(candidate.digest)[0]
    known = next(p for p in judged_desk.demo_people() if p.id == "demo:engineer")
    guest = dataclasses.replace(known, roles=())
    with pytest.raises(NotAllowed):
        refusals.excerpt(candidate.digest, one.key, 1, guest)
