"""The same acts from a terminal: one JSON document on stdout, everything else on stderr.

Exit status: 0 done or passed, 1 blocked or failed, 2 wrong usage or settings, 3 outcome
unknown. There is no command to rate or to sign: people do that, at the desk.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from core.logs import configure_logging, log_error
from core.model.errors import DeskError
from core.model.names import parse_version
from core.storage.ports import SystemClock
from core.terminal.acts import Answer, Terminal
from core.terminal.arguments import command_line
from core.terminal.printing import plain_lines, print_document
from core.terminal.texts import answer_near_duplicates, answer_scan_text
from core.workbench import open_workbench
from core.workbench.anchoring import tell_journal_head


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    asked = command_line(__doc__ or "").parse_args(arguments)
    configure_logging()
    try:
        return _run(asked)
    except DeskError as error:
        failed = error
    except Exception as error:  # noqa: BLE001  a library's words may quote what broke it
        log_error(error, "terminal.broken")
        failed = DeskError(
            "terminal.broken", "The desk itself broke; report the code.", place=type(error).__name__
        )
    sys.stderr.write(f"{failed}\n")
    if getattr(asked, "json", False):
        print_document({"error": failed.code, "sentence": failed.sentence, "place": failed.place})
    return failed.exit_status


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "scan-text":
        return answer_scan_text()
    if asked.command == "near-duplicates":
        return answer_near_duplicates(asked.threshold)
    if "version" in asked:
        parse_version(asked.version)
    bench = open_workbench(os.environ, clock=SystemClock())
    tell_journal_head(bench.desk.journal)
    terminal = Terminal(bench)
    act: Callable[[argparse.Namespace], Answer] = getattr(terminal, asked.command)
    answer, passed = act(asked)
    if asked.json:
        print_document(answer)
    else:
        sys.stdout.write("".join(line + "\n" for line in plain_lines(answer)))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
