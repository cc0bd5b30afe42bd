"""The cheap first look loses nothing that a full look would find."""

from __future__ import annotations

import csv
import itertools
import os
import random
from pathlib import Path

import pytest

from core.intake.privacy import build_detector, triggers
from core.intake.privacy.canaries import CANARIES
from tests.builders import a_text
from tests.privacy_rules import a_privacy_rule
from tests.privacy_texts import FOUND_TEXTS

DETECTOR = build_detector(a_privacy_rule())


def shared_data() -> Path:
    beside = Path(__file__).resolve().parents[5] / "shared" / "data"
    return Path(os.environ.get("RELEASE_DESK_SHARED", beside))


@pytest.mark.parametrize("text", [*CANARIES.values(), *FOUND_TEXTS])
def test_an_identifier_deep_in_harmless_text_is_found_as_by_the_full_look(text):
    around = f"{a_text(1, 12)} {text} {a_text(2, 12)}"
    quick = DETECTOR.find(around)
    assert quick
    assert quick == DETECTOR.find(around, everywhere=True)


def test_identifiers_scattered_at_random_are_all_found():
    pick = random.Random(7)
    for round_number in range(25):
        parts = [
            a_text(f"{round_number}-{place}", pick.randint(0, 6)) + " " + pick.choice(FOUND_TEXTS)
            for place in range(6)
        ]
        text = pick.choice([" ", "\n"]).join(parts)
        assert DETECTOR.find(text) == DETECTOR.find(text, everywhere=True)


def test_harmless_text_has_no_windows():
    assert triggers.windows(a_text("plain", 40)) == ()


def test_windows_are_apart_and_in_order():
    text = f"1 {a_text(1, 9)} 22 {a_text(2, 9)} a@b {a_text(3, 9)} 333"
    areas = triggers.windows(text)
    assert len(areas) == 3
    assert all(first[1] < second[0] for first, second in itertools.pairwise(areas))


def test_real_therapy_texts_lose_nothing_and_few_are_flagged():
    path = shared_data() / "permissive/A_dialogue/counsel-chat"
    files = sorted(path.glob("*.csv"))
    if not files:
        pytest.skip("shared data is not here")
    csv.field_size_limit(10**8)
    with files[0].open(encoding="utf-8") as rows:
        texts = sorted({row["answerText"] for row in csv.DictReader(rows)})[:400]
    flagged = 0
    for text in texts:
        spans = DETECTOR.find(text)
        assert spans == DETECTOR.find(text, everywhere=True)
        # Links and the practices' own telephone numbers in these answers are real.
        flagged += any(
            DETECTOR.action(span) and span.entity not in ("URL", "PHONE_NUMBER") for span in spans
        )
    assert flagged <= 0.02 * len(texts)
