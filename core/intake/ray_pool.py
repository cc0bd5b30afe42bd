"""The scan on a Ray cluster: the same function over the same objects, so the same candidate.

Ray is imported only when a cluster is asked for (`pip install ray`). A task whose worker or
machine is lost runs again elsewhere: scanning has no effect but the scan it stores.
"""

from __future__ import annotations

import os
from concurrent.futures import Future
from typing import Any

from core.intake.scan import ObjectScan, StoreFactory
from core.intake.scan_all import ScanJob, ScanPool, scan_one, worker_died
from core.model.dataset import SourceObject
from core.model.errors import DeskError, IntakeError

RETRIES = 3
"""How often a task is begun again after its worker was lost."""
STARTS = 3
"""How often a cluster of our own is started: Ray gives up on one whose agent needs more than
fifteen seconds to import what it uses (ray-project/ray issue 65983), as on a busy machine."""


class RayPools:
    """Starts tasks on the cluster at `address`, or on a cluster of its own for "local"."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def worth(self) -> int:
        """Nothing is too little: whoever names a cluster wants it used."""
        return 0

    def start(self, connect: StoreFactory, job: ScanJob, workers: int) -> ScanPool:
        """Join the cluster.

        Raises:
            IntakeError: Ray is not installed, or the cluster cannot be joined.
        """
        return RayPool(join_cluster(self._address, workers), connect, job)


class RayPool:
    """Scans as tasks, one a source. The cluster decides where, and how many at once."""

    def __init__(self, ray: Any, connect: StoreFactory, job: ScanJob) -> None:
        self._ray = ray
        self._given = ray.put((connect, job))
        # One core a scan, and a worker that scanned is used again: its models are loaded.
        self._scan = ray.remote(num_cpus=1, max_retries=RETRIES)(scan_on_cluster)

    def submit(self, source: SourceObject) -> Future[ObjectScan]:
        """Begin to scan one source."""
        told: Future[ObjectScan] = Future()
        reference = self._scan.remote(self._given, source)
        reference.future().add_done_callback(lambda done: self._tell(done, told))
        return told

    def shutdown(self) -> None:
        """Leave the cluster; what it still scans for us is cancelled."""
        self._ray.shutdown()

    def _tell(self, done: Any, told: Future[ObjectScan]) -> None:
        error = done.exception()
        if error is None:
            told.set_result(done.result())
            return
        cause = getattr(error, "cause", None)
        told.set_exception(cause if isinstance(cause, DeskError) else worker_died())


def scan_on_cluster(given: tuple[StoreFactory, ScanJob], source: SourceObject) -> ObjectScan:
    """Return the scan of one source, in whichever process of the cluster this is."""
    connect, job = given
    return scan_one(connect(), source, job, fresh=True)


def join_cluster(address: str, workers: int) -> Any:
    """Return Ray, as a part of the cluster; a "local" one has as many cores as `workers`.

    Raises:
        IntakeError: Ray is not installed, or the cluster cannot be joined.
    """
    # Neither Ray's statistics nor its workers' output leave the cluster by way of the desk.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise IntakeError(
            "intake.no_ray", "DESK_RAY_ADDRESS is set, and Ray is not installed: pip install ray."
        ) from None
    alone = address == "local"
    options = {"num_cpus": workers, "include_dashboard": False} if alone else {}
    for _ in range(STARTS if alone else 1):
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False, **options)
        except Exception:  # noqa: BLE001  what Ray raises when a node does not start is no less
            ray.shutdown()
        else:
            return ray
    raise IntakeError(
        "intake.no_cluster",
        "The Ray cluster of DESK_RAY_ADDRESS cannot be joined; is it running, and with the "
        "same versions of Python and Ray?",
    )
