"""Every page has help for every role, the README says the same, and both are short."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from core.model.signoff import ROLES
from pages.frame.help import first_for, page_helps

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
LONGEST = 160


def test_the_pages_with_help_are_the_pages():
    assert sorted(page_helps()) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is_for_what_to_do_first_and_when_blocked(name):
    found = page_helps()[name]
    assert found.words
    assert set(found.first) <= {*ROLES, "others"}
    texts = (found.about, found.blocked, *found.first.values(), *found.words.values())
    assert all(3 <= len(text) <= LONGEST for text in texts)
    assert all(text.endswith(".") for text in (found.about, found.blocked, *found.first.values()))
    for role in ROLES:
        assert first_for(found, SimpleNamespace(roles=(role,)))


def test_somebody_of_two_roles_is_told_for_both():
    found = page_helps()["pii_check"]
    both = first_for(found, SimpleNamespace(roles=("review_lead", "clinician")))
    assert both == (found.first["review_lead"], found.first["clinician"])


@pytest.mark.parametrize("name", PAGES)
def test_the_readme_says_of_a_page_what_the_page_says(name):
    found, title = page_helps()[name], name.replace("_", " ").capitalize()
    title = {"Pii check": "PII check"}.get(title, title)
    row = f"| {title} | {found.about} | {found.blocked} |"
    assert row in (ROOT / "README.md").read_text("utf-8")
