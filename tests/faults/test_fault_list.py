"""The list of faults and the tests that stand for them agree."""

from __future__ import annotations

import re

from tests.faults.fault_list import FAULTS, NEEDS_A_REAL_BUCKET, TESTS, faults_of

DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def every_test():
    for path in TESTS.rglob("test_*.py"):
        place = path.relative_to(TESTS).as_posix()
        for name in DEFINED.findall(path.read_text(encoding="utf-8")):
            yield f"tests/{place}::{name}"


def test_every_fault_has_a_test():
    shown = {number for node in every_test() for number in faults_of(node)}
    assert sorted(set(FAULTS) - shown) == []
    assert shown <= set(FAULTS), "a test is named after a fault that the list does not have"
    assert set(NEEDS_A_REAL_BUCKET) <= set(FAULTS)


def test_every_place_in_the_list_exists():
    known = {node.removeprefix("tests/") for node in every_test()}
    known |= {node.partition("::")[0] for node in known}
    named = {place for fault in FAULTS.values() for place in fault.get("places", ())}
    assert sorted(named - known) == []


def test_a_test_is_selected_by_its_number():
    assert faults_of("tests/core/release/test_verify.py::test_an_object_that_grew_is_named") == [
        "D15"
    ]
    assert faults_of("tests/x.py::test_d61_of_a_librarys_error[a]") == ["D61"]
