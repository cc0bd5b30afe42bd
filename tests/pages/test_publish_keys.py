"""Whoever publishes sees whose seals are believed for lying in the bucket, and how to end that."""

from __future__ import annotations

import pytest

from core.workbench import Workbench
from core.workbench.signing import BelievedKey, Signing
from tests.pages.conftest import JUDGED_VERSION, OpenPage

KEYS = (
    BelievedKey(id="0123456789abcdef", by="test:owner", at="2026-11-22T09:00:00.000Z"),
    BelievedKey(id="f" * 16, by="test:lead", at="2026-11-22T10:00:00.000Z"),
)


def test_publish_names_the_keys_and_the_line_that_lists_them(
    judged_desk: Workbench, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Signing, "unlisted_keys", lambda self: KEYS)
    page = open_page("publish", "demo:owner", version=JUDGED_VERSION)
    assert "DESK_TRUSTED_KEYS=0123456789abcdef,ffffffffffffffff" in [c.value for c in page.code]
    assert any("registered by" in note.value for note in page.caption)


def test_the_demo_says_nothing_of_keys(judged_desk: Workbench, open_page: OpenPage) -> None:
    page = open_page("publish", "demo:owner", version=JUDGED_VERSION)
    assert not any("DESK_TRUSTED_KEYS" in code.value for code in page.code)
