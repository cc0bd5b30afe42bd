"""Every code the desk can show is in the README, and the README names no code that is gone."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AREAS = (
    "alias|candidate|canonical|coverage|csv|demo|distribution|duplicates|embedded|family|finding"
    "|four_eyes|gate|identity|intake|inventory|job|journal|json|keys|leakage|line|logs|name"
    "|object|people|policy|privacy|probe|provenance|release|review|role|row|settings|signoff|smoke"
    "|source|storage|terminal|version|waiver|withdraw"
)
LITERAL = re.compile(rf'"((?:{AREAS})\.[a-z0-9_]+)[" ]')
DOCUMENTED = re.compile(rf"`((?:{AREAS})\.[a-z0-9_]+)`")
# Journal events and other dotted names that nobody is shown as a code.
NOT_CODES = {
    "alias.confirmed",
    "candidate.built",
    "canonical.py",
    "distribution.ranges",
    "family.waived",
    "finding.decided",
    "gate.finished",
    "intake.mappings",
    "intake.reasoning",
    "inventory.taken",
    "policy.adopted",
    "privacy.entities",
    "probe.finished",
    "signoff.given",
    "smoke.finished",
    "source.decided",
    "version.drafted",
    "waiver.given",
    "waiver.proposed",
    "waiver.revoked",
}
# Made up from parts in the source, so that no literal shows them whole.
COMPOSED = re.compile(r"(privacy|signoff|release|smoke|journal|leakage|provenance|intake)\.")


def test_every_code_in_the_source_is_in_the_readme() -> None:
    used = {
        code
        for path in (ROOT / "core").rglob("*.py")
        for code in LITERAL.findall(path.read_text(encoding="utf-8"))
    }
    documented = set(DOCUMENTED.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(used) > 300
    assert sorted(used - documented - NOT_CODES) == []


def test_the_readme_names_no_code_that_is_gone() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "core").rglob("*.py"))
    documented = set(DOCUMENTED.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    gone = [
        code
        for code in sorted(documented)
        if code not in source and not (COMPOSED.match(code) and code.split(".")[1] in source)
    ]
    assert gone == []


def test_every_test_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", readme)
    assert len(named) > 20
    for path, name in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {name}(" in source if name else "def test_" in source, (path, name)


def test_every_threat_names_a_test() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("## How it keeps its word")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 20
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py", row)] == []


def test_every_command_of_the_terminal_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    source = (ROOT / "core" / "terminal" / "arguments.py").read_text(encoding="utf-8")
    commands = re.findall(r'^    "([a-z]+)": \("', source, re.MULTILINE)
    assert len(commands) >= 13
    for command in (*commands, "scan-text", "near-duplicates"):
        assert f"python -m core {command}" in readme


def test_every_environment_variable_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {
        name
        for path in (*(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"))
        for name in re.findall(r'"(DESK_[A-Z_0-9]*[A-Z0-9])"', path.read_text(encoding="utf-8"))
    }
    assert named
    assert sorted(name for name in named if name not in readme) == []
