"""Shards are sketched on a Ray cluster by the same function, so the evidence is the same.

A shard travels with its task, and is proven again where it arrives; the cluster's machines need
neither the bucket nor the desk's folders. A task whose worker or machine is lost runs again
elsewhere: sketching has no effect but what it gives back.
"""

from __future__ import annotations

import dataclasses
import tempfile
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from core.gates.sketched import Sketched
from core.gates.sketching import Sketchers, sketch_file
from core.intake.ray_pool import RETRIES, join_cluster
from core.model.dataset import Shard
from core.policy.types import NearDuplicateRule


class StartsRaySketchers:
    """Sketches on the cluster at `address`, or on a cluster of its own for "local"."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def worth(self) -> int:
        """Nothing is too little: whoever names a cluster wants it used."""
        return 0

    def start(self, rule: NearDuplicateRule, workers: int) -> Sketchers:
        """Join the cluster.

        Raises:
            IntakeError: Ray is not installed, or the cluster cannot be joined.
        """
        return RaySketchers(join_cluster(self._address, workers), rule)


class RaySketchers:
    """Sketches as tasks, one a shard. The cluster decides where."""

    def __init__(self, ray: Any, rule: NearDuplicateRule) -> None:
        self._ray = ray
        self._rule = rule
        self._sketch = ray.remote(num_cpus=1, max_retries=RETRIES)(sketch_on_cluster)

    @property
    def workers(self) -> int:
        """The cluster's cores, as many as it has by now."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def submit(self, lines: Path, shard: Shard, texts: Path) -> Future[Sketched]:
        """Begin to sketch one shard."""
        told: Future[Sketched] = Future()
        reference = self._sketch.remote(lines.read_bytes(), shard, self._rule)
        reference.future().add_done_callback(lambda done: _tell(done, told, texts))
        return told

    def shutdown(self) -> None:
        """Leave the cluster; what it still sketches for us is cancelled."""
        self._ray.shutdown()


def sketch_on_cluster(body: bytes, shard: Shard, rule: NearDuplicateRule) -> tuple[Sketched, bytes]:
    """Return a shard's records and their texts, in whichever process of the cluster this is."""
    with tempfile.TemporaryDirectory(prefix="release-desk-") as folder:
        lines, texts = Path(folder, "lines"), Path(folder, "texts")
        lines.write_bytes(body)
        part = sketch_file(lines, shard, texts, rule)
        return part, texts.read_bytes()


def _tell(done: Any, told: Future[Sketched], texts: Path) -> None:
    """Pass on what became of a task; whoever waits must hear of it, whatever it is."""
    error = done.exception()
    try:
        if error is None:
            part, body = done.result()
            told.set_result(_land(part, body, texts))
            return
    except Exception as failed:  # noqa: BLE001  raised here it would be lost, and the gate wait
        told.set_exception(failed)
        return
    # What a task raised is raised as if it had run here; a task that is lost is a worker lost.
    cause = getattr(error, "cause", None)
    told.set_exception(cause if isinstance(cause, Exception) else BrokenProcessPool())


def _land(part: Sketched, body: bytes, texts: Path) -> Sketched:
    """Return the records as this process's own, their texts in the file `texts`."""
    texts.write_bytes(body)
    # As they came, columns lie in memory that the cluster takes back when the desk leaves it.
    columns: dict[str, Any] = {
        field.name: value.copy()
        for field in dataclasses.fields(part)
        if isinstance(value := getattr(part, field.name), np.ndarray)
    }
    return dataclasses.replace(part, **columns, texts=texts)
