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
    become([sys.executable, "-m", "pytest", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
