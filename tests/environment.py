"""`python3 -m tests.environment` makes the tests' environment and prints its interpreter."""

from __future__ import annotations

import sys

from core.bootstrap import ROOT, CannotStart, prepare, say

LOCK = ROOT / "tests" / "requirements.lock"


def main() -> None:
    """Print the path of the interpreter that holds everything the tests need."""
    try:
        prepare(LOCK, ["-m", "tests.environment"])
    except CannotStart as error:
        say(str(error))
        sys.exit(2)
    sys.stdout.write(sys.executable + "\n")


if __name__ == "__main__":
    main()
