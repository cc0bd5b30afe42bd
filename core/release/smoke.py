"""A smoke test does what a trainer does, with a bucket to read and nothing else.

`run_isolated` starts a process of its own with an empty home, an empty working directory and no
setting but the bucket's; what it prints is the evidence. It fails on an empty reply, a row that
does not parse, a group or a record on two sides of a split, or routing that does not resolve.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.canonical import decode, document_bytes
from core.intake.tokens import ENCODING, encode
from core.model.errors import Changed, DeskError, Forbidden, Missing, NoSuchRelease, ReleaseError
from core.model.names import Version
from core.model.release import ReleaseFile
from core.release.consume import Release, open_release
from core.release.layout import MANIFEST, release_prefix
from core.release.manifest import MANIFEST_LIMIT
from core.release.routing import routing_faults
from core.release.rows import FAULTS_KEPT, Row, parse_row
from core.settings import BucketSettings
from core.storage.ports import ObjectStore
from core.storage.s3 import S3Store

SCHEMA = "release-desk/smoke/1"
LENGTHS = (2048, 4096, 8192)
BATCH = 8
PADDING = -1
DRAWN = 64
"""Rows drawn from the mix of each phase, to see that its shares resolve to rows."""
SECONDS = 6 * 3600


@dataclass(slots=True, kw_only=True)
class _Cell:
    """One family in one split. `batch` holds the tokens of the first rows."""

    rows: int = 0
    tokens: int = 0
    longest: int = 0
    truncated: dict[int, int] = field(default_factory=lambda: dict.fromkeys(LENGTHS, 0))
    batch: list[list[int]] = field(default_factory=list)

    def add(self, tokens: list[int]) -> None:
        """Count one rendered row."""
        self.rows += 1
        self.tokens += len(tokens)
        self.longest = max(self.longest, len(tokens))
        for length in LENGTHS:
            self.truncated[length] += len(tokens) > length
        if len(self.batch) < BATCH:
            self.batch.append(tokens)

    def collate(self) -> tuple[list[list[int]], int]:
        """Return the batch padded with `PADDING` to a rectangle, and how many pads it took."""
        width = max(map(len, self.batch))
        padded = [row + [PADDING] * (width - len(row)) for row in self.batch]
        return padded, sum(width - len(row) for row in self.batch)

    def to_json(self) -> dict[str, Any]:
        """Return the cell as evidence: shares are of rows, a batch is rows × longest row."""
        padded, pads = self.collate()
        return {
            "rows": self.rows,
            "tokens": self.tokens,
            "longest": self.longest,
            "truncated": {
                str(length): {"rows": count, "share": round(count / self.rows, 6)}
                for length, count in self.truncated.items()
            },
            "batch": {"rows": len(padded), "width": len(padded[0]), "pads": pads},
        }


def render_chatml(row: Row) -> str:
    """Return the row in the ChatML template, as a trainer would tokenise it."""
    return "".join(
        f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in row.messages
    )


def smoke_release(
    store: ObjectStore,
    version: Version,
    *,
    exports: str,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Read 100 % of a release as a trainer would and return the evidence.

    `ok` is true when `faults` is empty and something was read. Withdrawn releases are refused.

    Raises:
        NoSuchRelease, Withdrawn, ReleaseError, StorageError: it could not be read at all.
    """
    release = open_release(store, version, exports=exports, sleep=sleep)
    cells: dict[tuple[str, str], _Cell] = {}
    seen = _Seen()
    faults = seen.faults
    for file in release.manifest.of_kind("shard"):
        _read(release, file, cells, seen)
    counts: dict[str, dict[str, int]] = {}
    for (family, split), cell in cells.items():
        counts.setdefault(family, {})[split] = cell.rows
    faults += routing_faults(release.routing, version=version, counts=counts)
    rows = sum(cell.rows for cell in cells.values())
    expected = release.manifest.document["totals"]["records"]
    if rows != expected:
        faults.append("smoke.rows")
    drawn = _draw(release, faults)
    return {
        "schema": SCHEMA,
        "version": version,
        "manifest_sha256": release.manifest.sha256,
        "ok": not faults and rows > 0,
        "faults": faults,
        "rows": rows,
        "expected": expected,
        "encoding": ENCODING,
        "template": "chatml",
        "families": _by_family(cells),
        "groups": len(seen.groups),
        "drawn": drawn,
        "weights": {
            phase.name: dict(release.weights(phase.name)) for phase in release.routing.phases
        },
    }


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Which split each group and each record was met in, and what was wrong."""

    groups: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def _read(
    release: Release, file: ReleaseFile, cells: dict[tuple[str, str], _Cell], seen: _Seen
) -> None:
    """Parse, render and count every row of one shard; faults name a place and no text."""
    shard = release.prove(file)
    for number in range(len(shard)):
        place = f"{file.key}:{number + 1}"
        try:
            row = parse_row(shard.line(number), place=place)
        except ReleaseError as error:
            _note(seen.faults, f"{error.code} {place}")
            continue
        metadata = row.metadata
        cell = cells.setdefault((metadata.source_family, metadata.split), _Cell())
        cell.add(encode(render_chatml(row)))
        for fault in _row_faults(row, file, seen):
            _note(seen.faults, f"{fault} {place}")


def _row_faults(row: Row, file: ReleaseFile, seen: _Seen) -> Iterator[str]:
    metadata = row.metadata
    if metadata.split != file.split or metadata.source_family != file.family:
        yield "smoke.misplaced"
    if seen.groups.setdefault(metadata.group_id, metadata.split) != metadata.split:
        yield "smoke.group_parted"
    if seen.records.setdefault(metadata.record_id, metadata.split) != metadata.split:
        yield "smoke.record_parted"
    replies = [message for message in row.messages if message.role == "assistant"]
    if not replies or not all(message.content.strip() for message in replies):
        yield "smoke.empty_reply"


def _draw(release: Release, faults: list[str]) -> dict[str, dict[str, int]]:
    """Draw from the mix of each phase as training does; return rows by phase and family."""
    found: dict[str, dict[str, int]] = {}
    for phase in release.routing.phases:
        try:
            rows = release.mix("train", phase.name, rows=DRAWN, seed=0)
            families = Counter(row["metadata"]["source_family"] for row in rows)
        except ReleaseError as error:
            _note(faults, f"{error.code} {phase.name}")
            continue
        found[phase.name] = dict(sorted(families.items()))
    return found


def _note(faults: list[str], fault: str) -> None:
    if len(faults) < FAULTS_KEPT:
        faults.append(fault)


def _by_family(cells: Mapping[tuple[str, str], _Cell]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for (family, split), cell in sorted(cells.items()):
        found.setdefault(family, {})[split] = cell.to_json()
    return found


def may_write(store: ObjectStore, version: Version, *, exports: str) -> bool:
    """Whether these credentials could put objects, asked without changing any.

    The manifest is put over itself under an etag it never had: who may not write is told so,
    who may is told that the etag is wrong, and a server that ignores etags gets the same bytes.
    """
    key = release_prefix(exports, version) + MANIFEST
    held = store.get(key, limit=MANIFEST_LIMIT)
    try:
        store.put_if_match(key, held.body, "0" * 32)
    except Forbidden:
        return False
    except (Changed, Missing):
        return True
    return True


def run_isolated(
    settings: BucketSettings, version: Version, *, exports: str, seconds: float = SECONDS
) -> dict[str, Any]:
    """Run the smoke test in a process that has nothing but the bucket, and return its evidence.

    Credentials travel over standard input. A failure inside comes back as evidence with
    `ok` false and the error's code among the faults.

    Raises:
        ReleaseError: the process died or said nothing that can be read.
        NoSuchRelease: there is no such release.
    """
    request = {"settings": asdict(settings), "version": version, "exports": exports}
    root = str(Path(__file__).resolve().parents[2])
    with tempfile.TemporaryDirectory(prefix="smoke-") as empty:
        home, here = Path(empty) / "home", Path(empty) / "here"
        home.mkdir()
        here.mkdir()
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": root,
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "TMPDIR": str(here),
            "LANG": "C.UTF-8",
        }
        try:
            finished = subprocess.run(
                [sys.executable, "-m", "core.release.smoke"],
                input=json.dumps(request).encode(),
                capture_output=True,
                cwd=here,
                env=environment,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _died(version) from None
        left_behind = sorted(path.name for path in home.iterdir())
    try:
        evidence: dict[str, Any] = decode(finished.stdout)
    except DeskError:
        raise _died(version) from None
    if evidence.get("faults") == ["release.none"]:
        raise NoSuchRelease("release.none", "There is no such release.", place=version)
    isolated = {
        "home": "empty",
        "left_in_home": len(left_behind),
        "workspace": "not told",
        "environment": sorted(environment),
    }
    return {**evidence, "isolated": isolated}


def read_evidence(body: bytes, *, place: str = "") -> dict[str, Any]:
    """Return stored evidence of a smoke test.

    Raises:
        ReleaseError: `smoke.schema`: a newer desk wrote it, or it is none.
    """
    try:
        evidence = json.loads(body)
    except ValueError:
        evidence = None
    if not isinstance(evidence, dict) or evidence.get("schema") != SCHEMA:
        raise ReleaseError(
            "smoke.schema", "This is no smoke evidence that this desk can read.", place=place
        )
    return evidence


def _died(version: Version) -> ReleaseError:
    return ReleaseError(
        "smoke.died", "The smoke test's process ended without a result.", place=version
    )


def main() -> int:
    """Read a request from standard input, print the evidence, and exit 0 when all is well."""
    request = json.loads(sys.stdin.buffer.read())
    version = Version(request["version"])
    try:
        store = S3Store(BucketSettings(**request["settings"]))
        evidence = smoke_release(store, version, exports=request["exports"])
        evidence["read_only"] = not may_write(store, version, exports=request["exports"])
    except DeskError as error:
        evidence = {
            "schema": SCHEMA,
            "version": version,
            "ok": False,
            "faults": [error.code],
            "place": error.place,
        }
    sys.stdout.buffer.write(document_bytes(evidence))
    return 0 if evidence["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
