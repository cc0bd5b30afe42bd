"""`python3 -m tests` is the whole test run on any machine: environment, browser, pytest."""

from __future__ import annotations

import os
import sys

from core.bootstrap import ROOT, CannotStart, become, obtain_chromium, prepare, say
from tests.environment import LOCK


def main(arguments: list[str]) -> None:
    """Become pytest with `arguments`: its exit code is ours, its closing line comes last."""
    try:
        prepare(LOCK, ["-m", "tests", *arguments])
    except CannotStart as error:
        say(str(error))
        sys.exit(2)
    chromium = obtain_chromium(dict(os.environ))
    if chromium is None:
        say("No Chromium found: the tests marked `browser` will be skipped.")
    else:
        os.environ["RELEASE_DESK_CHROMIUM"] = chromium
    os.chdir(ROOT)
    become([sys.executable, "-m", "pytest", *_shared_out(arguments), *arguments])


def _shared_out(arguments: list[str]) -> list[str]:
    """A process per core, each with whole files, unless one file or a number was asked for.

    The tests wait for servers and browsers as much as they compute; together they are twice as
    fast. More than four would only start more servers.
    """
    if any(argument.startswith(("-n", "--pdb", "tests")) for argument in arguments):
        return []
    return ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"]


if __name__ == "__main__":
    main(sys.argv[1:])
