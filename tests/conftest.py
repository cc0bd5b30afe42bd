"""Fixtures everybody shares: three buckets that answer alike, and a clock that stands still."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from core.settings import BucketSettings
from tests.clock import FixedClock
from tests.faults.fault_list import faults_of
from tests.real_fixtures import (  # noqa: F401  fixtures, for acceptance and faults
    make_bucket,
    published_once,
    rated,
    rated_once,
    signed,
    signed_once,
    unfilled,
)
from tests.simulator import Simulator

if TYPE_CHECKING:
    from core.storage.ports import ObjectStore
    from core.storage.s3 import S3Store

_numbers = count(1)

# No test fails for being slow: how long an example takes says how busy the machine is.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


# Files of few and long tests: begun last, they would keep one process busy beside idle ones.
_LONG = ("test_road.py", "test_publish_kills.py", "test_jobs.py", "test_readers.py", "test_ray.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the order within a file, and of the others, stays."""
    items.sort(key=lambda item: item.path.name not in _LONG)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k D14` select what the list of faults names."""
    item.extra_keyword_matches.update(faults_of(item.nodeid))


_main = sys.modules["__main__"]


def pytest_runtest_setup() -> None:
    """Undo what a page run in this process leaves: a `__main__` that no child can be started from.

    Streamlit puts each script's module there; `multiprocessing` runs it anew in every worker.
    """
    sys.modules["__main__"] = _main


@pytest.fixture
def clock() -> FixedClock:
    """A clock at 2026-11-21 09:00 UTC that only `tick` moves."""
    return FixedClock()


@pytest.fixture
def simulator(clock: FixedClock) -> Simulator:
    """An empty versioned bucket in memory, sharing the test's clock."""
    return Simulator(clock=clock)


@pytest.fixture(scope="session")
def moto_settings() -> Iterator[BucketSettings]:
    """A moto server on a free loopback port, for the whole session."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield BucketSettings(
            endpoint=f"http://{host}:{port}",
            bucket="moto",
            region="us-east-1",
            access_key="moto-access",
            secret_key="moto-secret",
        )
    finally:
        server.stop()


@pytest.fixture
def moto_store(moto_settings: BucketSettings) -> S3Store:
    """A fresh, unversioned bucket on moto."""
    return _fresh_bucket(moto_settings)


@pytest.fixture
def locking_store(moto_settings: BucketSettings) -> S3Store:
    """A fresh bucket on moto that keeps versions and has object lock."""
    return _fresh_bucket(moto_settings, object_lock=True)


@pytest.fixture(scope="session")
def seaweed_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The workspace of one embedded server, started once and always stopped."""
    from core.storage import embedded

    workspace = tmp_path_factory.mktemp("embedded")
    try:
        embedded.ensure_running(workspace)
        yield workspace
    finally:
        embedded.stop(workspace, patience=0.5)


@pytest.fixture
def seaweed_store(seaweed_workspace: Path) -> Iterator[S3Store]:
    """A fresh bucket on the embedded server, dropped afterwards (a bucket costs volumes)."""
    from core.storage import embedded

    store = _fresh_bucket(embedded.ensure_running(seaweed_workspace))
    yield store
    store.drop_bucket()


@pytest.fixture(
    params=["simulator", "moto", pytest.param("seaweed", marks=pytest.mark.seaweed)],
)
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """The same empty bucket three times over: simulator, moto, SeaweedFS."""
    fixture: ObjectStore = request.getfixturevalue(
        {"simulator": "simulator", "moto": "moto_store", "seaweed": "seaweed_store"}[request.param]
    )
    return fixture


@pytest.fixture
def no_sleep() -> Callable[[float], None]:
    """A sleep that returns at once, for code that takes one."""
    return lambda seconds: None


def _fresh_bucket(settings: BucketSettings, *, object_lock: bool = False) -> S3Store:
    from core.storage.s3 import S3Store

    store = S3Store(
        BucketSettings(
            endpoint=settings.endpoint,
            bucket=f"test-{next(_numbers):05d}",
            region=settings.region,
            access_key=settings.access_key,
            secret_key=settings.secret_key,
        )
    )
    store.ensure_bucket(object_lock=object_lock)
    return store
