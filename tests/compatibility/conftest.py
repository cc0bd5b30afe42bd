"""Readers of a release run in an environment of their own, made once and kept beside the clone."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.bootstrap import ROOT, install, make_environment
from core.release.publish import publish_release
from core.settings import BucketSettings
from core.storage.s3 import S3Store
from tests.builders import PREFIX, a_row
from tests.release_builders import some_inputs

VERSION = "v2026-11-21"
LOCK = Path(__file__).parent / "requirements.lock"
COUNTS = {
    ("priority", "train"): 12,
    ("priority", "val"): 2,
    ("priority", "test"): 2,
    ("edge_cases", "train"): 5,
}
_SNIPPET = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Published:
    """A release in a bucket on an S3 server, and a copy of its prefix in a folder."""

    settings: BucketSettings
    store: S3Store
    copy: Path

    def environment(self) -> dict[str, str]:
        """What a reader is told of the bucket."""
        return {
            "DESK_S3_ENDPOINT": str(self.settings.endpoint),
            "DESK_S3_BUCKET": self.settings.bucket,
            "DESK_S3_REGION": self.settings.region,
            "DESK_S3_ACCESS_KEY": self.settings.access_key,
            "DESK_S3_SECRET_KEY": self.settings.secret_key,
        }


def snippets() -> dict[str, str]:
    """The programs of the README, by name."""
    return dict(_SNIPPET.findall((ROOT / "README.md").read_text("utf-8")))


@pytest.fixture(scope="session")
def reader_python() -> Path:
    """The interpreter of an environment with what readers use, and nothing of the desk."""
    prefix = ROOT / ".venv-compatibility"
    python = make_environment(prefix)
    # Compiled when first imported: most of what is installed never is.
    install(LOCK, python, prefix, options=("--no-compile",))
    return python


@pytest.fixture(scope="session")
def released(moto_settings: BucketSettings) -> BucketSettings:
    """A bucket with a release of two families in three splits."""
    rows = {
        (family, split): [
            a_row(family=family, split=split, seed=str(n), source_line=n + 1) for n in range(count)
        ]
        for (family, split), count in COUNTS.items()
    }
    settings = replace(moto_settings, bucket="readers")
    store = S3Store(settings)
    store.ensure_bucket()
    publish_release(some_inputs(store, rows=rows))
    return settings


@pytest.fixture
def published(released: BucketSettings, tmp_path: Path) -> Published:
    """The release with a copy of its prefix, for one test to spoil."""
    store, copy = S3Store(released), tmp_path / "copy"
    prefix = f"{PREFIX}releases/{VERSION}/"
    for found in store.list(prefix):
        path = copy / found.key.removeprefix(prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(found.key, limit=1 << 24).body)
    return Published(released, store, copy)


Run = Callable[..., object]


@pytest.fixture
def run(reader_python: Path, published: Published, tmp_path: Path) -> Run:
    """Runs a program as a reader would: an empty home, the bucket's name and keys, no network.

    `run(code, say="expression")` returns what the expression is at the end, as JSON.
    """
    return runner(reader_python, published, tmp_path)


@pytest.fixture
def train(published: Published, tmp_path: Path) -> Run:
    """Runs a program as `run` does, with the interpreter that RELEASE_DESK_TRAINER names.

    The package index has PyTorch for Linux only with three gigabytes of CUDA beside it, so that
    an environment with PyTorch and TRL is made by hand, and these tests are skipped without it.
    """
    python = os.environ.get("RELEASE_DESK_TRAINER", "")
    if not python:
        pytest.skip("RELEASE_DESK_TRAINER names no interpreter with PyTorch and TRL")
    return runner(Path(python), published, tmp_path)


def runner(python: Path, published: Published, tmp_path: Path) -> Run:
    """Return what runs a program in a process of its own, with an empty home."""

    def run_it(code: str, *, say: str, fails: bool = False, **environment: str) -> object:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        # A file, not `-c`: what a loader's spawned workers import anew is the program itself.
        program = home / "program.py"
        program.write_text(
            f"{code}\nimport json as _json\nprint('\\n' + _json.dumps({say}))\n", "utf-8"
        )
        finished = subprocess.run(
            [str(python), str(program)],
            capture_output=True,
            text=True,
            cwd=home,
            timeout=300,
            env={
                "PATH": os.defpath,
                "HOME": str(home),
                "PYTHONPATH": str(ROOT),
                # Nobody answers there: a program that asks a hub fails.
                "HF_ENDPOINT": "http://127.0.0.1:9",
                "AWS_EC2_METADATA_DISABLED": "true",
                **published.environment(),
                **environment,
            },
        )
        if fails:
            assert finished.returncode != 0, finished.stdout
            return finished.stderr
        assert finished.returncode == 0, finished.stderr[-3000:]
        return json.loads(finished.stdout.splitlines()[-1])

    return run_it
