"""The catalogue of refusals is complete and holds nothing that no reader can say."""

from __future__ import annotations

import re
from pathlib import Path

from core.intake import codes

INTAKE = Path(codes.__file__).parent
PATTERN = re.compile(r"\"((?:object|line|json|csv|row)\.[a-z0-9_]+)\"")
READERS = [
    *INTAKE.glob("containers/*.py"),
    *(INTAKE / f"{name}.py" for name in ("shapes", "sniff", "speakers", "strict_json", "turns")),
]


def used() -> set[str]:
    return {code for path in READERS for code in PATTERN.findall(path.read_text("utf-8"))}


def test_every_code_a_reader_can_give_is_in_the_catalogue() -> None:
    assert len(used()) > 30
    assert used() - set(codes.CODES) == set()


def test_every_code_in_the_catalogue_is_given_by_a_reader() -> None:
    assert set(codes.CODES) - used() == set()


def test_every_code_has_a_title_and_a_sentence_for_a_person() -> None:
    for code, (title, sentence) in codes.CODES.items():
        assert title, code
        assert not title.endswith("."), code
        assert sentence.endswith("."), code


def test_an_unknown_code_is_its_own_title() -> None:
    assert codes.title_of("row.new") == "row.new"
    assert codes.title_of("row.empty_turn") == "Empty turn"
