"""The first minute on a machine: a fitting Python, an environment, exactly the locked packages.

Runs before anything is installed, so it needs the standard library alone, and an old Python must
get far enough through it to be told that it is too old.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
PYTHON = (3, 11)
_WAIT = "Installing the packages of {lock}, once. This takes a minute or two."
_CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
_CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


class CannotStart(Exception):
    """The machine lacks something; the message tells a person what to do about it."""


def prepare(lock: Path, command: list[str], *, root: Path = ROOT) -> None:
    """Return once this process runs in an environment that holds the packages of `lock`.

    Uses the active virtual environment, or else `.venv` under `root`, which it makes and then
    re-executes itself in.

    Args:
        lock: a requirements file with hashes.
        command: the arguments to run again inside the new environment, without the interpreter.
        root: where `.venv` may stand.

    Raises:
        CannotStart: Python is too old, or the environment or its packages cannot be made.
    """
    require_python(sys.version_info[:2])
    if sys.prefix != sys.base_prefix:
        install(lock, Path(sys.executable), Path(sys.prefix))
        return
    prefix = root / ".venv"
    python = make_environment(prefix)
    install(lock, python, prefix)
    become([str(python), *command])


def require_python(version: tuple[int, ...]) -> None:
    """Raise `CannotStart` when `version` is older than the desk needs."""
    if version < PYTHON:
        raise CannotStart(
            "Release Desk needs Python {}.{} or newer; this is {}.{}. "
            "Start it with a newer one, for instance python3.12.".format(*PYTHON, *version[:2])
        )


def make_environment(prefix: Path) -> Path:
    """Return the interpreter of the virtual environment at `prefix`, making it when it is unfit."""
    python = prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _fits(python):
        return python
    say(f"Making a virtual environment in {prefix.name}.")
    command = [sys.executable, "-m", "venv", "--clear", str(prefix)]
    if not _succeeds(command) and not (_install_debian("python3-venv") and _succeeds(command)):
        raise CannotStart(
            "Python cannot make a virtual environment here. On Debian or Ubuntu install "
            "python3-venv; or activate a virtual environment of your own and start again."
        )
    return python


def install(lock: Path, python: Path, prefix: Path, *, options: Sequence[str] = ()) -> None:
    """Install `lock` into the environment at `prefix` unless its stamp says that it is there.

    `options` are further options of pip.
    """
    if is_installed(lock, prefix):
        return
    say(_WAIT.format(lock=lock.name))
    if not _succeeds([str(python), "-m", "pip", "--version"], quiet=True):
        _succeeds([str(python), "-m", "ensurepip", "--upgrade"], quiet=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--require-hashes", *options, "-r", str(lock)]
    if not _succeeds(command):
        raise CannotStart(
            f"The packages of {lock.name} could not be installed; pip says why above. "
            "Check the network or the package index that pip is set to, and start again."
        )
    _stamp(lock, prefix).write_text(_digest(lock) + "\n")


def is_installed(lock: Path, prefix: Path) -> bool:
    """Whether the stamp in the environment at `prefix` is that of these very bytes of `lock`."""
    stamp = _stamp(lock, prefix)
    return stamp.is_file() and stamp.read_text().strip() == _digest(lock)


def choose_port(wanted: int, address: str, *, tries: int = 50) -> int:
    """Return `wanted`, or the next port up that nobody listens on at `address`.

    Raises:
        CannotStart: none of the `tries` ports is free.
    """
    for port in range(wanted, min(wanted + tries, 65536)):
        if _is_free(port, address):
            return port
    raise CannotStart(f"No port from {wanted} to {wanted + tries - 1} is free. Set DESK_PORT.")


def read_port(text: str | None, default: int = 8501) -> int:
    """Return the port that `text` names, or `default` when there is none.

    Raises:
        CannotStart: `text` is no port.
    """
    if not text:
        return default
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise CannotStart("DESK_PORT must be a number from 1 to 65535.")


def find_chromium(environment: dict[str, str]) -> str | None:
    """Return the path of a Chromium that browser tests can drive, or None."""
    named = environment.get("RELEASE_DESK_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    found = (shutil.which(name, path=environment.get("PATH")) for name in _CHROMIUM_NAMES)
    present = (place for place in _CHROMIUM_PLACES if Path(place).is_file())
    return next((path for path in found if path), None) or next(present, None)


def obtain_chromium(environment: dict[str, str]) -> str | None:
    """Return a Chromium, installing Debian's when this is Debian or Ubuntu and we are root."""
    found = find_chromium(environment)
    if found or environment.get("RELEASE_DESK_CHROMIUM"):
        return found
    if _install_debian("chromium"):
        return find_chromium(environment)
    return None


def say(words: str) -> None:
    """Tell the person at the terminal, at once, without touching standard output."""
    sys.stderr.write(f"Release Desk: {words}\n")
    sys.stderr.flush()


def become(command: list[str]) -> NoReturn:
    """Go on as `command`; nothing of this process is left, its exit code is the command's."""
    sys.stderr.flush()
    sys.stdout.flush()
    if os.name == "nt":
        sys.exit(subprocess.call(command))  # noqa: S603
    os.execv(command[0], command)  # noqa: S606


def _stamp(lock: Path, prefix: Path) -> Path:
    return prefix / f".release-desk-{lock.parent.name}-{lock.stem}"


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _install_debian(package: str) -> bool:
    """Install a Debian package; False when this is no Debian, we are not root, or it fails."""
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    say(f"Installing {package} with apt-get, once.")
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return _succeeds([apt, "update", "-qq"], quiet=True, environment=quietly) and _succeeds(
        [apt, "install", "-y", "-qq", "--no-install-recommends", package],
        quiet=True,
        environment=quietly,
    )


def _fits(python: Path) -> bool:
    code = "import sys; sys.exit(sys.version_info[:2] < {} or sys.prefix == sys.base_prefix)"
    return python.is_file() and _succeeds([str(python), "-c", code.format(PYTHON)], quiet=True)


def _succeeds(
    command: list[str], *, quiet: bool = False, environment: dict[str, str] | None = None
) -> bool:
    out = subprocess.DEVNULL if quiet else sys.stderr
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL if quiet else None,
            env=environment,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def _is_free(port: int, address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
