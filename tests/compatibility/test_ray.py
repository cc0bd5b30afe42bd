"""A build on a Ray cluster gives the candidate that this machine's processes give, bit for bit.

Ray has an environment of its own that looks into the desk's: it needs both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from core.bootstrap import ROOT, install, make_environment

LOCK = Path(__file__).parent / "ray.lock"
BUILD = """
import json, os, signal, sys
from pathlib import Path
from core.intake import scan_all
from core.intake.ray_pool import RayPools
from tests.core.intake.test_compile import some_bucket
from tests.sources import build
from tests.file_store import FileStore


class Connect:
    '''Reaches the bucket; the first worker that asks is killed before it has scanned.'''

    def __init__(self, folder, mark):
        self.folder, self.mark = folder, mark

    def __call__(self):
        if self.mark:
            try:
                os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return FileStore(self.folder)


def main():
    folder, how = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir()
    store = FileStore(folder)
    some_bucket(store)
    mark = str(folder) + ".killed" if how == "killed" else ""
    if how == "local":
        scan_all.WORTH_A_POOL = 0
    pools = None if how == "local" else RayPools("local")
    made = build(store, workers=2, connect=Connect(folder, mark), pools=pools)
    killed = bool(mark) and os.path.exists(mark)
    print(json.dumps({"digest": made.digest, "killed": killed, "ray": "ray" in sys.modules}))


if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def ray_python() -> Path:
    """An interpreter that has Ray, and the packages of the environment the tests run in."""
    prefix = ROOT / ".venv-compatibility-ray"
    python = make_environment(prefix)
    install(LOCK, python, prefix, options=("--no-compile",))
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    told = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    beside = Path(told.stdout.strip()) / "desk.pth"
    beside.write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return python


def built(python: Path, tmp_path: Path, how: str) -> dict[str, object]:
    """Build the same bucket in a process of its own; return what it says of the candidate."""
    program = tmp_path / "build_candidate.py"
    program.write_text(BUILD)
    finished = subprocess.run(
        [str(python), str(program), str(tmp_path / how), how],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    found: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_two_ray_workers_one_of_them_killed_give_the_same_candidate(ray_python, tmp_path):
    local = built(ray_python, tmp_path, "local")
    killed = built(ray_python, tmp_path, "killed")
    assert (local["killed"], local["ray"]) == (False, False)
    assert (killed["killed"], killed["ray"]) == (True, True)
    assert killed["digest"] == local["digest"]
