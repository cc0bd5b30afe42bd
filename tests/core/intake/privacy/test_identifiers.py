"""The table of the 18 identifiers is whole, and says in the README what the code says."""

from __future__ import annotations

from pathlib import Path

from core.intake.privacy.identifiers import IDENTIFIERS, measured_recall, table_lines
from core.intake.privacy.spans import _RANK

README = Path(__file__).resolve().parents[4] / "README.md"


def test_all_eighteen_are_named_once_and_every_entity_of_ours_stands_under_one() -> None:
    assert "".join(item.letter for item in IDENTIFIERS) == "ABCDEFGHIJKLMNOPQR"
    named = {entity for item in IDENTIFIERS for entity in item.entities}
    assert named == set(_RANK)


def test_every_identifier_says_how_it_is_found_or_that_it_is_no_text() -> None:
    for item in IDENTIFIERS:
        assert item.entities or item.found_by == "not in text", item.name
        assert item.found_by


def test_recall_is_measured_for_every_entity_with_a_form_beside_presidio() -> None:
    recall = measured_recall()
    missing = set(_RANK) - set(recall)
    assert missing == {"LOCATION", "IBAN_CODE"}
    for entity, found in recall.items():
        assert found.of >= 40
        assert found.desk >= 0.95, entity
        assert 0 <= found.baseline <= 1


def test_the_readme_prints_the_table_as_measured() -> None:
    assert "\n".join(table_lines()) in README.read_text("utf-8")
