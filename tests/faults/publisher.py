"""A process that publishes in children it may kill: `python -m tests.faults.publisher`.

One JSON request a line on standard input: a list of publications to run at the same time, each
in a child of its own. One JSON answer a line: for each, the signal or the result.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from core.model.errors import DeskError
from core.model.names import ReviewerId
from core.policy.types import ReleaseRule
from core.release.publish import publish_release
from core.settings import BucketSettings
from core.storage.ports import SystemClock
from core.storage.s3 import S3Store
from tests.builders import a_policy, some_claims, some_signoffs
from tests.release_builders import some_inputs
from tests.simulator import Simulator

POLICY = a_policy(
    required_gates=("privacy", "provenance"),
    claims=some_claims()[:1],
    signoffs=(some_signoffs()[0], some_signoffs()[3]),
)


def rows_of(request: dict[str, Any]) -> dict[tuple[str, str], int]:
    """The rows of the candidate a request asks for."""
    return {("priority", "train"): request.get("records", 2), ("priority", "test"): 1}


class RetainingStore(S3Store):
    """A bucket whose every retention is a step to die at, just before it is asked for."""

    def __init__(self, settings: BucketSettings, on_retain: Callable[[str], None]) -> None:
        super().__init__(settings)
        self._on_retain = on_retain

    def retain(self, key: str, until: datetime) -> None:
        """Tell, then retain."""
        self._on_retain("retain")
        super().retain(key, until)


def _publish(request: dict[str, Any]) -> dict[str, Any]:
    names: list[str] = []

    def step(name: str) -> None:
        names.append(name)
        if len(names) == request.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)

    store = RetainingStore(BucketSettings(**request["settings"]), step)
    rule = ReleaseRule(retention_days=request.get("retention_days", 0))

    inputs = some_inputs(
        store,
        clock=SystemClock(),
        policy=dataclasses.replace(POLICY, release=rule),
        rows=rows_of(request),
        version=request["version"],
        publisher=ReviewerId(request.get("publisher", "paula")),
        on_step=step,
    )
    try:
        published = publish_release(inputs)
    except DeskError as error:
        return {"error": type(error).__name__, "code": error.code, "steps": len(names)}
    return {"manifest": published.manifest_sha256, "steps": len(names), "names": names}


def _start(request: dict[str, Any]) -> tuple[int, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer: dict[str, Any] = {"error": "crashed"}
        try:
            answer = _publish(request)
        finally:
            os.write(writer, json.dumps(answer).encode())
            os._exit(0)
    os.close(writer)
    return child, reader


def _collect(child: int, reader: int) -> dict[str, Any]:
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    result: dict[str, Any] = json.loads(answer)
    return result


def main() -> None:
    """Answer requests until standard input ends."""
    # Slow first times happen here, once, and not in every child.
    publish_release(some_inputs(Simulator(), policy=POLICY, rows=rows_of({})))
    for line in sys.stdin:
        started = [_start(request) for request in json.loads(line)]
        answers = [_collect(child, reader) for child, reader in started]
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
