"""A training loop gets each row once from however many ranks and loader workers, and can stop."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.model.errors import NoSuchRelease, ReleaseError
from core.release.publish import publish_release
from core.release.training import TrainingRows
from core.storage.s3 import S3Store
from tests.builders import PREFIX
from tests.release_builders import some_inputs

ROOT = Path(__file__).resolve().parents[3]

# As much of PyTorch as its loader's protocol needs: a base class, and who a worker is.
TORCH = """
class IterableDataset:
    pass

class _Info:
    def __init__(self, id, num_workers):
        self.id, self.num_workers = id, num_workers

worker = None

def get_worker_info():
    return worker
"""
LOADER = """
import json, pickle, sys
import torch.utils.data as data
from core.release.training import TrainingRows
from core.storage.s3 import S3Store
from core.settings import BucketSettings
from functools import partial

assert issubclass(TrainingRows, data.IterableDataset)
asked = json.load(sys.stdin)
connect = partial(S3Store, BucketSettings(**asked["settings"]))
rows = TrainingRows(connect, "latest", seed=4)
found = []
for index in range(asked["workers"]):
    data.worker = data._Info(index, asked["workers"])
    inside = pickle.loads(pickle.dumps(rows))
    found.append([row["metadata"]["record_id"] for row in inside])
print(json.dumps(found))
"""


@pytest.fixture
def published(simulator):
    publish_release(some_inputs(simulator))
    return simulator


def rows_of(store, **more):
    return TrainingRows(lambda: store, "latest", exports=PREFIX, **more)


def names(rows):
    return [row["metadata"]["record_id"] for row in rows]


def test_every_epoch_gives_every_row_in_an_order_of_its_own(published):
    rows = rows_of(published)
    first, again = names(rows), names(rows)
    rows.set_epoch(1)
    second = names(rows)
    assert first == again
    assert first != second
    assert sorted(first) == sorted(second)
    assert len(first) == len(rows) == 7


def test_ranks_share_the_rows_and_know_how_many_they_get(published):
    parts = [rows_of(published, rank=(n, 3)) for n in range(3)]
    assert sorted(name for part in parts for name in names(part)) == sorted(
        names(rows_of(published))
    )
    assert [len(part) for part in parts] == [len(names(part)) for part in parts] == [3, 2, 2]


def test_it_stays_with_the_release_it_was_opened_on(published):
    rows = rows_of(published)
    before = names(rows)
    publish_release(some_inputs(published, version="v2026-11-22"))
    assert rows.version == "v2026-11-21"
    assert names(rows) == before


def test_it_goes_on_where_another_process_stopped(published):
    rows = rows_of(published, mixed=True, phase="curriculum", rows=30)
    rows.set_epoch(2)
    whole = names(rows)
    stopped = iter(rows)
    before = [next(stopped)["metadata"]["record_id"] for _ in range(11)]
    state = json.loads(json.dumps(rows.state_dict()))

    later = rows_of(published, mixed=True, phase="curriculum", rows=30)
    later.load_state_dict(state)
    assert before + names(later) == whole
    # The state is spent: the next iteration is a whole epoch again.
    assert names(later) == whole


def test_a_state_from_elsewhere_is_refused(published):
    rows = rows_of(published)
    next(iter(rows))
    other = rows_of(published, seed=9)
    other.load_state_dict(rows.state_dict())
    with pytest.raises(ReleaseError, match=r"release\.position"):
        iter(other)


def test_a_row_takes_the_shape_the_loop_wants(published):
    turns = list(rows_of(published, shape=lambda row: len(row["messages"])))
    assert turns
    assert all(isinstance(count, int) for count in turns)


def test_a_mix_needs_a_phase_and_a_release_must_exist(published):
    with pytest.raises(ReleaseError, match=r"release\.no_such_phase"):
        rows_of(published, mixed=True)
    with pytest.raises(NoSuchRelease):
        TrainingRows(lambda: published, "v2020-01-01", exports=PREFIX)


def test_it_follows_into_a_spawned_worker_after_it_was_read_here(moto_store, moto_settings):
    publish_release(some_inputs(moto_store))
    settings = replace(moto_settings, bucket=moto_store.bucket)
    rows = TrainingRows(partial(S3Store, settings), "latest", exports=PREFIX)
    here = names(rows)
    sent = pickle.loads(pickle.dumps(rows))
    assert names(sent) == here
    assert rows.state_dict()
    assert TrainingRows.state_dict(pickle.loads(pickle.dumps(rows))) == {}


@pytest.mark.parametrize("workers", [1, 3])
def test_the_workers_of_a_loader_share_the_rows(moto_store, moto_settings, tmp_path, workers):
    publish_release(some_inputs(moto_store))
    package = tmp_path / "torch" / "utils"
    package.mkdir(parents=True)
    for name, text in (("../__init__", ""), ("__init__", ""), ("data", TORCH)):
        (package / f"{name}.py").write_text(text)
    asked = {
        "settings": {
            "endpoint": moto_settings.endpoint,
            "bucket": moto_store.bucket,
            "region": moto_settings.region,
            "access_key": moto_settings.access_key,
            "secret_key": moto_settings.secret_key,
        },
        "workers": workers,
    }
    finished = subprocess.run(
        [sys.executable, "-c", LOADER],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )
    parts = json.loads(finished.stdout)
    assert [len(part) for part in parts] == [len(range(n, 7, workers)) for n in range(workers)]
    assert len({name for part in parts for name in part}) == 7
