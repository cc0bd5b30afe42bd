"""D13 and D43: a disk that is full, and a revocation that races a publication."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.model.errors import DeskError
from core.model.progress import silent
from core.release.inputs import unwatched
from core.release.publish import publish_release
from core.storage.ports import SystemClock
from core.storage.put_once import put_once
from tests.builders import PREFIX
from tests.desk import VERSION, a_desk, person_of, read_everything
from tests.faults.test_fault_loop import Bucket
from tests.file_store import FileStore
from tests.release_builders import no_wait
from tests.simulator import Simulator
from tests.sources import PRIORITY, PROFESSIONAL, build, jsonl, some_source_rows

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
MANIFEST = f"{PREFIX}releases/{VERSION}/manifest.json"
SIGNERS = {"clinician_foundation": "clinician-1", "clinician_edge": "clinician-1",
           "bias_foundation": "bias", "release_decision": "owner"}  # fmt: skip
RACES = 12

# Runs where a file may not grow beyond so many bytes, as on a full disk.
BUILD = """
import resource, sys
from pathlib import Path
from tests.file_store import FileStore
from tests.sources import build
import core.intake.compile, core.intake.kernel  # compiled code is written before the disk is full
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    build(FileStore(Path(sys.argv[1])))
except BaseException as error:
    print(type(error).__name__, getattr(error, "code", ""))
    sys.exit(1)
"""


def build_in_a_process(folder, room):
    return subprocess.run(
        [sys.executable, "-c", BUILD, str(folder), str(room)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_d13_a_full_disk_ends_the_build_and_leaves_no_candidate(tmp_path):
    store = FileStore(tmp_path)
    store.put(f"{PROFESSIONAL}a.jsonl", jsonl(some_source_rows(30, seed="pro")))
    store.put(f"{PRIORITY}b.jsonl", jsonl(some_source_rows(20, seed="pri")))
    room = 4096
    ended = build_in_a_process(tmp_path, room)
    assert ended.returncode == 1, ended.stderr[-500:]
    assert ended.stdout.split()[0] in ("OSError", "IntakeError", "IOException", "WorkerDied")
    assert [found.key for found in store.list(f"{PREFIX}candidates/")] == []
    # What lay half written is not taken for whole once there is room.
    assert build(store).records == 50


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """Everything read and signed; nothing published."""
    workspace = tmp_path_factory.mktemp("signed")
    store = Simulator(clock=SystemClock())
    store.put("raw/priority/a.jsonl", b"{}")
    bench = a_desk(store, workspace / "first", clock=store.clock)
    bench.data.probe(person_of(bench, "owner"))
    bench.data.take_inventory(person_of(bench, "engineer"))
    for claim in list(SIGNERS)[:3]:
        read_everything(bench, claim, SIGNERS[claim])
    digest = bench.candidates.current(VERSION).digest
    for wanted, name in SIGNERS.items():
        signer = person_of(bench, name)
        bench.signing.sign(digest, wanted, "approve", signer.name, signer)
    return Bucket(store, workspace, itertools.count())


def calls_of_a_publication(signed):
    """How many calls of the store publishing takes when nobody interferes."""
    store = signed.store.copied(SystemClock())
    desk = signed.opened(store)
    digest = desk.candidates.current(VERSION).digest
    inputs = desk.releases._inputs(digest, person_of(desk, "owner"), silent, unwatched)
    before = len(store.calls)
    publish_release(inputs)
    return len(store.calls) - before


def test_d43_a_revocation_and_a_publication_have_one_order(signed, monkeypatch):
    monkeypatch.setitem(put_once.__kwdefaults__, "sleep", no_wait)
    outcomes = {"published": 0, "stopped": 0}
    calls = calls_of_a_publication(signed)
    for number in range(RACES):
        store = signed.store.copied(SystemClock())
        publisher, revoker = signed.opened(store), signed.opened(store)
        digest = publisher.candidates.current(VERSION).digest
        owner, clinician = person_of(publisher, "owner"), person_of(revoker, "clinician-1")
        chosen = next(
            s for s in revoker.signing.load(digest).signoffs if s.reviewer == clinician.id
        )
        inputs = publisher.releases._inputs(digest, owner, silent, unwatched)
        # The revocation is decided at another moment of the publication each time.
        moment = threading.Event()
        store.when(op="any", nth=1 + number * calls // RACES, do=moment.set)

        def revoke(desk=revoker, digest=digest, sha=chosen.sha256, by=clinician, at=moment):
            at.wait(20)
            desk.signing.revoke(digest, sha, "I looked again.", by)

        other = threading.Thread(target=revoke)
        other.start()
        try:
            publish_release(inputs)
            published = True
        except DeskError:
            published = False
        moment.set()
        other.join()
        store.heal()
        kinds = [str(entry.event["type"]) for entry in revoker.audit.entries()]
        assert kinds.count("signoff.revoked") == 1
        assert published == bool(store.versions(MANIFEST)) == ("publish.committed" in kinds)
        if published:
            assert kinds.index("publish.intent") < kinds.index("signoff.revoked")
        outcomes["published" if published else "stopped"] += 1
    print(outcomes)
    assert min(outcomes.values()) > 0, outcomes
