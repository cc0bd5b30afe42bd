"""Every command names its places and options once, and says in a few words what it does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.workbench.anchoring import read_anchor
from core.workbench.leftovers import REASONS


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise ValueError
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise ValueError
    return number


_ABOUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "probe": ("what the bucket can do", ()),
    "inventory": ("list the bucket", ()),
    "coverage": ("what each family's objects prove", ("version",)),
    "build": ("read every source into a candidate", ("version",)),
    "gates": ("judge a candidate's shards", ("candidate",)),
    "findings": ("what the gates saw", ("candidate",)),
    "sample": ("the frozen sample plans", ("candidate",)),
    "blockers": ("what stands before publishing", ("candidate",)),
    "publish": ("publish a signed candidate", ("candidate",)),
    "abandon": ("give up a publication that will not be finished", ("version",)),
    "sweep": ("what lies under the releases and belongs to none", ()),
    "verify": ("read a release as a stranger", ("version",)),
    "smoke": ("consume a release as a trainer", ("version",)),
    "checklist": ("the run sheet", ("version",)),
    "journal": ("everything decided, checked", ()),
}
_OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "inventory": {
        "--from": {
            "dest": "source",
            "default": "",
            "metavar": "KEY_OR_PATH",
            "help": "an S3 Inventory manifest, or a CSV or Parquet table, instead of listing",
        }
    },
    "build": {
        "--workers": {"type": _workers, "default": None, "help": "one for each core if absent"}
    },
    "findings": {"--gate": {"default": ""}, "--code": {"default": ""}},
    "publish": {"--dry-run": {"action": "store_true"}},
    "abandon": {"--because": {"required": True, "choices": tuple(REASONS)}},
    "sweep": {
        "--remove": {
            "default": "",
            "metavar": "VERSION",
            "help": "delete this version's orphans",
        }
    },
    "verify": {
        "--receipt": {
            "type": Path,
            "default": None,
            "metavar": "FILE",
            "help": "a receipt kept outside the bucket, which the release must be",
        }
    },
    "journal": {
        "--head": {
            "type": read_anchor,
            "action": "append",
            "default": [],
            "metavar": "SEQ:DIGEST",
            "help": "a head that a start-up log names and the journal must still hold",
        }
    },
}


def command_line(description: str) -> argparse.ArgumentParser:
    """Return the parser of every command; what it refuses ends with status 2."""
    parser = argparse.ArgumentParser(prog="python -m core", description=description)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (words, places) in _ABOUT.items():
        command = commands.add_parser(name, help=words)
        for place in places:
            command.add_argument(place, metavar=place.upper())
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
        for flag, given in _OPTIONS.get(name, {}).items():
            command.add_argument(flag, **given)
    commands.add_parser("scan-text", help="JSONL of id and text in, spans out")
    near = commands.add_parser("near-duplicates", help="JSONL of id and text in, pairs out")
    near.add_argument("--threshold", type=_share, default=0.8)
    return parser
