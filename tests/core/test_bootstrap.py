"""The two commands do the right thing on a machine that has nothing yet."""

from __future__ import annotations

import ast
import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core import bootstrap
from core.bootstrap import CannotStart

ROOT = bootstrap.ROOT


def write_program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)
    return path


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "repo" / "requirements.lock"
    path.parent.mkdir()
    path.write_text("nothing==1.0\n")
    return path


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter that notes how it was called, and fails where a file `fail` says so."""
    return write_program(
        tmp_path / "bin" / "python",
        "import sys, pathlib\n"
        "here = pathlib.Path(__file__).parent\n"
        "with (here / 'calls').open('a') as calls:\n"
        "    calls.write(' '.join(sys.argv[1:]) + '\\n')\n"
        "sys.exit((here / 'fail').exists() and 'install' in sys.argv)\n",
    )


def calls(python: Path) -> list[str]:
    noted = python.parent / "calls"
    return noted.read_text().splitlines() if noted.exists() else []


def test_an_old_python_is_told_so_in_a_sentence() -> None:
    with pytest.raises(CannotStart, match=r"needs Python 3\.11 or newer; this is 3\.10"):
        bootstrap.require_python((3, 10))
    bootstrap.require_python((3, 11))


def test_an_old_python_gets_far_enough_to_be_told() -> None:
    for name in ("app.py", "core/__init__.py", "core/bootstrap.py", "tests/__main__.py"):
        ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_first_minute_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); import core.bootstrap; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - sys.stdlib_module_names - {'core'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_packages_are_installed_by_hash_and_only_once(
    lock: Path, python: Path, tmp_path: Path
) -> None:
    bootstrap.install(lock, python, tmp_path)
    installs = [call for call in calls(python) if "install" in call]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert installs[0].endswith(f"-r {lock}")
    before = len(calls(python))
    bootstrap.install(lock, python, tmp_path)
    assert len(calls(python)) == before


def test_a_changed_lock_is_installed_again(lock: Path, python: Path, tmp_path: Path) -> None:
    bootstrap.install(lock, python, tmp_path)
    lock.write_text("nothing==2.0\n")
    bootstrap.install(lock, python, tmp_path)
    assert sum("install" in call for call in calls(python)) == 2
    stamps = [path.read_text().strip() for path in tmp_path.glob(".release-desk-*")]
    assert stamps == [hashlib.sha256(lock.read_bytes()).hexdigest()]


def test_a_failed_install_leaves_no_stamp_and_says_what_to_do(
    lock: Path, python: Path, tmp_path: Path
) -> None:
    (python.parent / "fail").touch()
    with pytest.raises(CannotStart, match="could not be installed; pip says why"):
        bootstrap.install(lock, python, tmp_path)
    assert not list(tmp_path.glob(".release-desk-*"))


def test_an_environment_is_made_where_none_fits(tmp_path: Path) -> None:
    made = bootstrap.make_environment(tmp_path / ".venv")
    shown = subprocess.run(
        [str(made), "-c", "import sys; print(sys.prefix != sys.base_prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "True"
    stamp = made.stat().st_ino
    assert bootstrap.make_environment(tmp_path / ".venv").stat().st_ino == stamp


def test_a_half_made_environment_is_made_again(tmp_path: Path) -> None:
    write_program(tmp_path / ".venv" / "bin" / "python", "raise SystemExit(1)\n")
    made = bootstrap.make_environment(tmp_path / ".venv")
    assert subprocess.run([str(made), "-c", ""], check=False).returncode == 0


def test_a_taken_port_gives_way_to_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        chosen = bootstrap.choose_port(wanted, "127.0.0.1")
        assert wanted < chosen < wanted + 50
        with pytest.raises(CannotStart, match="DESK_PORT"):
            bootstrap.choose_port(wanted, "127.0.0.1", tries=1)


@pytest.mark.parametrize("text", ["0", "65536", "eight", "-1", "²"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="DESK_PORT must be a number"):
        bootstrap.read_port(text)


def test_no_port_means_the_usual_one() -> None:
    assert bootstrap.read_port(None) == 8501
    assert bootstrap.read_port("9000") == 9000


def test_a_named_browser_wins_and_a_wrong_name_is_not_replaced(tmp_path: Path) -> None:
    browser = write_program(tmp_path / "bin" / "chromium", "")
    path = {"PATH": str(browser.parent)}
    assert bootstrap.find_chromium(path) == str(browser)
    other = write_program(tmp_path / "mine", "")
    assert bootstrap.find_chromium({**path, "RELEASE_DESK_CHROMIUM": str(other)}) == str(other)
    wrong = {**path, "RELEASE_DESK_CHROMIUM": str(tmp_path / "absent")}
    assert bootstrap.obtain_chromium(wrong) is None


def test_the_locks_hold_hashes_and_name_no_host() -> None:
    for name in ("requirements.lock", "tests/requirements.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert len(lines) > 50
        assert all("==" in line for line in lines)
        assert text.count("--hash=sha256:") >= len(lines)


def test_the_two_locks_agree_on_every_version() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.rstrip(" \\") for line in lines if line and line[0].isalnum()}

    names = {pin.partition("==")[0] for pin in pins("requirements.lock")}
    shared = {pin for pin in pins("tests/requirements.lock") if pin.partition("==")[0] in names}

    def version(pin: str) -> str:
        return pin.partition(" ")[0]

    assert {version(pin) for pin in pins("requirements.lock")} == {version(pin) for pin in shared}


@pytest.mark.slow
def test_the_test_command_passes_arguments_on_and_returns_pytests_code() -> None:
    if not bootstrap.is_installed(ROOT / "tests" / "requirements.lock", Path(sys.prefix)):
        pytest.skip("this environment was not made by the test command")
    done = subprocess.run(
        [sys.executable, "-m", "tests", "--collect-only", "-q", "-k", "no_such_test_at_all"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RELEASE_DESK_CHROMIUM": sys.executable},
    )
    assert done.returncode == 5
    assert "deselected" in done.stdout.strip().splitlines()[-1]
