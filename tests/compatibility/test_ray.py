"""A Ray cluster gives the candidate and the evidence of this machine's processes, bit for bit.

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
SECONDS = 600
"""How long one build and its judging may take, on a machine that is busy with other tests."""
BUILD = """
import json, os, signal, sys
from pathlib import Path
from core.gates import ray_sketching, sketching
from core.gates.corpus import open_corpus
from core.gates.duplicates import DuplicatesGate
from core.gates.evidence import store_report
from core.gates.leakage import LeakageGate
from core.gates.comparison import Comparison
from core.gates.run import run_gates
from core.intake import scan_all
from core.intake.ray_pool import RayPools
from tests.builders import a_candidate, some_rows
from tests.clock import FixedClock
from tests.core.gates.test_planted_leaks import KINDS, POLICY, planted
from tests.core.intake.test_compile import some_bucket
from tests.sources import build
from tests.file_store import FileStore


def die_first(mark):
    '''Kill this process if it is the first to come here.'''
    if mark:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)


class Connect:
    '''Reaches the bucket; the first worker that asks is killed before it has scanned.'''

    def __init__(self, folder, mark):
        self.folder, self.mark = folder, mark

    def __call__(self):
        die_first(self.mark)
        return FileStore(self.folder)


def dying(sketch, mark):
    def sketch_or_die(body, shard, rule):
        die_first(mark)
        return sketch(body, shard, rule)

    return sketch_or_die


def judge(store, pools):
    '''Return the digest of each gate's evidence on records with every kind of leak.'''
    rows = {("priority", "train"): list(some_rows(30))}
    for kind in KINDS:
        for row in planted(kind):
            place = row["metadata"]["source_family"], row["metadata"]["split"]
            rows.setdefault(place, []).append(row)
    candidate = a_candidate(store, rows, POLICY)
    shared = Comparison(POLICY.near_duplicates)
    gates = DuplicatesGate(POLICY, shared), LeakageGate(POLICY, shared)
    corpus = open_corpus(store, candidate)
    reports = run_gates(gates, corpus, clock=FixedClock(), workers=2, pools=pools)
    kept = [store_report(store, "judged/", report).sha256 for report in reports]
    return {"evidence": kept, "verdicts": [report.verdict for report in reports]}


def main():
    folder, how = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir()
    store = FileStore(folder)
    some_bucket(store)
    mark = str(folder) + ".killed" if how == "killed" else ""
    if how == "local":
        scan_all.WORTH_A_POOL = sketching.WORTH_A_POOL = 0
    pools = None if how == "local" else RayPools("local")
    made = build(store, workers=2, connect=Connect(folder, mark), pools=pools)
    sketchers = None
    if how == "killed":
        sketch = ray_sketching.sketch_on_cluster
        ray_sketching.sketch_on_cluster = dying(sketch, mark + ".sketching")
        sketchers = ray_sketching.StartsRaySketchers("local")
    found = judge(store, sketchers)
    killed = [bool(mark) and os.path.exists(mark + kind) for kind in ("", ".sketching")]
    found |= {"digest": made.digest, "killed": killed, "ray": "ray" in sys.modules}
    print(json.dumps(found))


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
    """Build and judge in a process of its own; return what it says of both."""
    program = tmp_path / "build_candidate.py"
    program.write_text(BUILD)
    # Ray is many processes, and each would compile all of it where nothing compiled is kept.
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    finished = subprocess.run(
        [str(python), str(program), str(tmp_path / how), how],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=SECONDS,
        env={**told, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    found: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.timeout(3 * SECONDS)
def test_two_ray_workers_one_of_them_killed_give_the_same_candidate_and_evidence(
    ray_python, tmp_path
):
    local = built(ray_python, tmp_path, "local")
    killed = built(ray_python, tmp_path, "killed")
    assert (local["killed"], local["ray"]) == ([False, False], False)
    assert (killed["killed"], killed["ray"]) == ([True, True], True)
    assert killed["digest"] == local["digest"]
    assert killed["verdicts"] == local["verdicts"] == ["fail", "fail"]
    assert killed["evidence"] == local["evidence"]
