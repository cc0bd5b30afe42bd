"""What a training engineer needs and can run into, in the words that the release itself carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.release.documents.text import cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One way in which reading a release fails, and what to do about it."""

    seen: str
    why: str
    cure: str


FAILURES = (
    Failure(
        seen="`release.none`",
        why="nobody has published that version; objects under a prefix are no release",
        cure="check the name; look at `latest.json`",
    ),
    Failure(
        seen="`release.withdrawn`",
        why="the release must no longer be used, also when that was said while you read",
        cure="stop; read `withdrawn.json`; move to the next version",
    ),
    Failure(
        seen="`release.altered`",
        why="an object is absent, cut short or altered; none of its rows was given to you",
        cure="do not train; run `python -m core verify`; tell the release owner",
    ),
    Failure(
        seen="`release.latest_differs`",
        why="`latest.json` names another manifest than the one that stands there",
        cure="do not train; open by version and tell the release owner",
    ),
    Failure(
        seen="`release.other_manifest`",
        why="the manifest is not the one your run is pinned to",
        cure="do not train; a release never changes, so ask why this one did",
    ),
    Failure(
        seen="`release.manifest_schema_unknown`",
        why="the release was made by a newer desk than the reader",
        cure="update the reader",
    ),
    Failure(
        seen="`release.position`",
        why="the position is of another release, split, phase, seed, epoch or worker",
        cure="go on with the very call that gave it, or begin anew",
    ),
    Failure(
        seen="`storage.forbidden`",
        why="the key may not read the release's prefix",
        cure="ask for list and get on the releases' prefix and `latest.json`",
    ),
    Failure(
        seen="`storage.transient`",
        why="the bucket did not answer, five times",
        cure="start again from the last position",
    ),
    Failure(
        seen="no split called `val`",
        why="Hugging Face calls it `validation`",
        cure="ask for `validation` there, for `val` here",
    ),
    Failure(
        seen="answers that stop early",
        why="rows longer than the model's context were cut by the trainer",
        cure="see how many in the smoke test's evidence; raise the length, or drop such rows",
    ),
)

NEEDS = (
    "Python 3.11 or newer with `boto3`, `msgspec` and `jsonschema`; nothing else of the desk.",
    "The desk's `core` folder on `PYTHONPATH`.",
    (
        "A key that may list and get under this prefix and get `latest.json`; it needs no put. "
        "Without list a bucket answers 403 for an absent `withdrawn.json`, and nothing is opened."
    ),
    "`DESK_S3_ENDPOINT`, `_BUCKET`, `_REGION`, `_ACCESS_KEY`, `_SECRET_KEY` in the environment.",
    "A clock right to within fifteen minutes, or the bucket refuses the signature.",
    "Memory, or temporary space for shards over 32 MiB, of one shard; of one a family when mixing.",
)


def training_section(document: Mapping[str, Any], prefix: str) -> list[str]:
    """Return the part of the card that a training engineer reads."""
    return [
        "## Training on it",
        "",
        *(f"- {need}" for need in NEEDS),
        "",
        "```python",
        *read_snippet(document["version"], prefix).splitlines(),
        "```",
        "",
        "| what you see | why | what to do |",
        "|---|---|---|",
        *(f"| {cell_code(f.seen)} | {f.why} | {f.cure} |" for f in FAILURES),
        "",
    ]


def read_snippet(version: str, prefix: str) -> str:
    """Return a program that reads the release row by row."""
    exports = prefix.removesuffix(f"releases/{version}/")
    return f"""\
import os
from pathlib import Path

from core.release.consume import open_release
from core.settings import read_settings
from core.storage.s3 import S3Store

settings = read_settings(os.environ, home=Path.cwd())
release = open_release(S3Store(settings.bucket), "{version}", exports="{exports}")
rows = release.mix("train", release.phases[0])  # each family by its share of the phase
for row in rows:
    messages = row["messages"]  # its shard was proven before this first row of it
    position = rows.position    # give it back as start= and the next row follows
"""


def cell_code(text: str) -> str:
    """Return a cell that may hold code of ours."""
    return text if "`" in text else cell(text)
