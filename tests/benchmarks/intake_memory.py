"""How much memory a scan of one large object takes (`python -m tests.benchmarks.intake_memory 1`).

Writes the object to a temporary folder, scans it in a process of its own, and prints the peak.
Of 1,000 MB (154,563 records, four parts of features) the peak was 513 MiB, 249 of which stood
before the scan; it is reached in the first minute and stays.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from core.intake.scan import scan_object, scan_settings_digest
from core.model.dataset import SourceObject
from core.policy.load import load_policy
from tests.builders import PREFIX, a_text
from tests.file_store import LISTED, FileStore
from tests.listed import take_listing

LIMIT = 1 << 30


class StreamingStore(FileStore):
    """A folder whose large object is never held whole, as no server's would be."""

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[SourceObject]:
        for path in self.folder.rglob("*"):
            if path.is_file() and path.stat().st_size > 1 << 20:
                size = path.stat().st_size
                yield SourceObject(key=KEY, size=size, etag="large", modified=LISTED)

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        with self._path(key).open("rb") as file:
            while block := file.read(1 << 20):
                yield block


KEY = "gdrive/processed/priority/large.jsonl"


def write_rows(path: Path, size: int) -> None:
    """Write distinct dialogues of about 4 KB each until the file has `size` bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [a_text(f"large {number}", 12) for number in range(400)]
    with path.open("wb") as file:
        row = 0
        while file.tell() < size:
            turns = [
                {
                    "role": ("user", "assistant")[turn % 2],
                    "content": f"{row}.{turn} {texts[(row * 7 + turn * 13) % len(texts)]}",
                }
                for turn in range(6)
            ]
            file.write(json.dumps({"messages": turns}).encode() + b"\n")
            row += 1


def main(gigabytes: float) -> int:
    """Scan an object of this many GB; return 1 when the peak is over 1 GiB."""
    policy = load_policy(None, embedded=False)
    with tempfile.TemporaryDirectory() as folder:
        store = StreamingStore(Path(folder))
        store.put(KEY, b"")
        write_rows(store._path(KEY), int(gigabytes * 10**9))
        [source] = take_listing(store, exclude_prefix=PREFIX).objects
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.monotonic()
        scan = scan_object(
            store,
            source,
            policy=policy,
            settings_digest=scan_settings_digest(policy),
            prefix=PREFIX,
        )
        took = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{source.size / 1e6:.0f} MB, {scan.records} records, {scan.features_parts} parts: "
        f"{took:.0f} s, {source.size / 1e6 / took:.1f} MB/s, peak {peak / 2**20:.0f} MiB "
        f"({before / 1024:.0f} MiB before the scan)"
    )
    return int(peak > LIMIT)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
