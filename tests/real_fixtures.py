"""One signed desk on a real S3 server, made once; each test breaks a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from core.settings import BucketSettings
from core.storage import embedded
from core.storage.s3 import S3Store
from core.workbench import Workbench
from tests import road
from tests.real_desk import VERSION, a_real_desk, bucket_settings, copy_bucket, fill_small


@dataclass(frozen=True, slots=True)
class RealDesk:
    """A desk on a bucket of its own, the folder of its policy and workspace, and its candidate."""

    bench: Workbench
    bucket: BucketSettings
    folder: Path
    digest: str = ""

    def reopened(self, workspace: str) -> Workbench:
        """The same bucket from a workspace that has never seen it."""
        return a_real_desk(self.bucket, self.folder, workspace=workspace)


@pytest.fixture(scope="session")
def make_bucket(seaweed_workspace: Path) -> Iterator[Callable[[], BucketSettings]]:
    """Makes buckets on the session's S3 server, and drops them afterwards."""
    near = embedded.ensure_running(seaweed_workspace)
    made: list[S3Store] = []

    def make() -> BucketSettings:
        settings = BucketSettings(
            endpoint=near.endpoint,
            bucket=f"accept-{uuid4().hex[:10]}",
            region=near.region,
            access_key=near.access_key,
            secret_key=near.secret_key,
        )
        store = S3Store(settings)
        store.ensure_bucket()
        made.append(store)
        return bucket_settings(store, near)

    yield make
    for store in made:
        store.drop_bucket()


@pytest.fixture(scope="session")
def rated_once(
    make_bucket: Callable[[], BucketSettings], tmp_path_factory: pytest.TempPathFactory
) -> RealDesk:
    """A small bucket walked up to the last rating, through the workbench."""
    bucket, folder = make_bucket(), tmp_path_factory.mktemp("rated")
    bench = a_real_desk(bucket, folder)
    fill_small(bench.desk.store)
    candidate = road.walk_to_rated(bench, VERSION)
    return RealDesk(bench, bucket, folder, candidate.digest)


@pytest.fixture(scope="session")
def signed_once(
    rated_once: RealDesk,
    make_bucket: Callable[[], BucketSettings],
    tmp_path_factory: pytest.TempPathFactory,
) -> RealDesk:
    """The same, signed by everybody: nothing stands in the owner's way."""
    desk = _copy(rated_once, make_bucket(), tmp_path_factory.mktemp("signed"))
    road.sign_all(desk.bench, desk.digest)
    owner = road.person(desk.bench, "owner")
    assert desk.bench.releases.blockers(desk.digest, owner) == ()
    return desk


@pytest.fixture(scope="session")
def published_once(
    signed_once: RealDesk,
    make_bucket: Callable[[], BucketSettings],
    tmp_path_factory: pytest.TempPathFactory,
) -> RealDesk:
    """The same, published; tests may only add beside it."""
    desk = _copy(signed_once, make_bucket(), tmp_path_factory.mktemp("published"))
    desk.bench.releases.publish(desk.digest, road.person(desk.bench, "owner"))
    return desk


@pytest.fixture
def rated(
    rated_once: RealDesk, make_bucket: Callable[[], BucketSettings], tmp_path: Path
) -> RealDesk:
    """A copy of the bucket that is read and not yet signed, for one test to break."""
    return _copy(rated_once, make_bucket(), tmp_path)


@pytest.fixture
def signed(
    signed_once: RealDesk, make_bucket: Callable[[], BucketSettings], tmp_path: Path
) -> RealDesk:
    """A copy of the signed bucket and its workspace, for one test to break."""
    return _copy(signed_once, make_bucket(), tmp_path)


def _copy(desk: RealDesk, bucket: BucketSettings, folder: Path) -> RealDesk:
    copy_bucket(desk.bench.desk.store, S3Store(bucket))
    shutil.copytree(desk.bench.desk.workspace, folder / "workspace")
    return RealDesk(a_real_desk(bucket, folder), bucket, folder, desk.digest)


@pytest.fixture
def unfilled(make_bucket: Callable[[], BucketSettings], tmp_path: Path) -> RealDesk:
    """A desk on an empty bucket."""
    bucket = make_bucket()
    return RealDesk(a_real_desk(bucket, tmp_path), bucket, tmp_path)
