"""Every fault the desk is built against, by number, and the tests that show what happens then.

`pytest -k D14` runs the tests of one (`-k D1` those of D10 to D19 as well).
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FAULTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

# Shown on the embedded server with read-only keys. That a publisher's own keys may not delete is
# a matter of the bucket's policy: the README has it, and only a real bucket can refuse.
NEEDS_A_REAL_BUCKET = {"D70": "a publisher's keys that may put but not delete"}

_NUMBERED = re.compile(r"::test_(d\d+)_")


def faults_of(node: str) -> list[str]:
    """The numbers a test stands for; `node` is its id from the repository's root."""
    place = re.sub(r"\[.*", "", node.removeprefix("tests/"))
    file = place.partition("::")[0]
    found = [name for name, fault in FAULTS.items() if {place, file} & set(fault.get("places", ()))]
    numbered = _NUMBERED.search(node)
    if numbered:
        found.append(numbered[1].upper())
    return found
