"""The catalogue of findings is complete and holds nothing that no gate can say."""

from __future__ import annotations

import re
from pathlib import Path

from core.gates import codes
from core.gates.leakage import _KINDS
from core.intake.privacy.spans import _RANK

GATES = Path(codes.__file__).parent
LITERAL = re.compile(
    r"\"((?:privacy|provenance|duplicates|leakage|distribution|gate)\.[a-z0-9_]+)\""
)
ALARM = re.compile(r"^            \(\"([a-z_]+)\", ", re.MULTILINE)
POSSIBLE = {"privacy.person_possible", "privacy.location_possible"}
# What people find in the PII sample is decided about on the same page as a gate's findings.
READ_BY_PEOPLE = {"privacy.sampling_escape"}


def literal() -> set[str]:
    texts = [path.read_text("utf-8") for path in GATES.glob("*.py") if path.name != "codes.py"]
    return {code for text in texts for code in LITERAL.findall(text)}


def composed() -> set[str]:
    """The codes that gates put together from an entity, a kind of leak or an alarm's name."""
    alarms = {
        f"distribution.{name}" for name in ALARM.findall((GATES / "damage.py").read_text("utf-8"))
    }
    assert len(alarms) >= 6
    leaks = {f"leakage.{held}{kind}" for kind in _KINDS for held in ("", "holdout_")}
    return alarms | leaks | {f"privacy.{entity.lower()}" for entity in _RANK} | POSSIBLE


def test_every_code_a_gate_can_give_is_in_the_catalogue() -> None:
    assert len(literal()) > 40
    assert literal() - set(codes.CODES) == set()
    assert composed() - set(codes.CODES) == set()


def test_every_code_in_the_catalogue_is_given_by_a_gate() -> None:
    assert set(codes.CODES) - literal() - composed() == READ_BY_PEOPLE


def test_no_gate_composes_codes_that_this_test_does_not_know() -> None:
    places = {
        path.name: len(re.findall(r"f\"(?:privacy|leakage|distribution|provenance)\.\{", text))
        for path in GATES.glob("*.py")
        if path.name != "codes.py" and (text := path.read_text("utf-8"))
    }
    found = {name: count for name, count in places.items() if count}
    assert found == {"privacy.py": 1, "leakage.py": 1, "damage.py": 1}


def test_every_code_has_a_title_and_a_sentence_for_a_person() -> None:
    for code, (title, sentence) in codes.CODES.items():
        assert title, code
        assert not title.endswith("."), code
        assert sentence.endswith("."), code


def test_an_unknown_code_is_its_own_title_and_has_no_cure() -> None:
    assert codes.title_of("privacy.new") == "privacy.new"
    assert codes.cure_of("privacy.new") == ""
    assert codes.title_of("duplicates.exact") == "Exact copy"
