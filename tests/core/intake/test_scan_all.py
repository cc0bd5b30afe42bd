"""A scan of many objects says how fast it goes, and reads again only what changed."""

from __future__ import annotations

from itertools import count

import pytest

from core.intake.scan import scan_settings_digest
from core.intake.scan_all import ScanJob, scan_all, workers_for_this_machine
from core.model.errors import Cancelled, IntakeError
from tests.builders import PREFIX, a_policy
from tests.simulator import Simulator
from tests.sources import PRIORITY, fill, jsonl, some_source_rows

POLICY = a_policy()
JOB = ScanJob(policy=POLICY, settings=scan_settings_digest(POLICY), prefix=PREFIX)


def a_bucket(simulator: Simulator, objects: int = 6) -> None:
    fill(
        simulator,
        {f"{PRIORITY}{n}.jsonl": some_source_rows(n + 1, seed=str(n)) for n in range(objects)},
    )


def scan(simulator: Simulator, told: list[tuple[int, int, str]] | None = None) -> list[str]:
    """Scan everything as a build would, the clock moving one second whenever it is read."""
    sources = list(simulator.list(PRIORITY))
    ticks = count()

    def tell(done: int, total: int, message: str) -> None:
        if told is not None:
            told.append((done, total, message))

    found = scan_all(
        simulator, sources, JOB, 4, lambda: simulator, tell, seconds=lambda: float(next(ticks))
    )
    return [scan.source.key for scan in found]


def test_the_scans_come_in_the_order_of_the_sources(simulator: Simulator) -> None:
    a_bucket(simulator)
    assert scan(simulator) == [item.key for item in simulator.list(PRIORITY)]


def test_objects_rate_and_time_left_are_told(simulator: Simulator) -> None:
    a_bucket(simulator)
    told: list[tuple[int, int, str]] = []
    scan(simulator, told)
    words = [message for _, _, message in told]
    assert words[0] == "looking 6 objects up"
    assert any(
        message.startswith("scan 1/6 objects, 0.0 MB/s, ") and message.endswith(" s left")
        for message in words
    )
    assert told[-1][:2] == (6, 6)
    assert words[-1].endswith(" MB/s, 0 s left")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


def test_a_changed_object_is_scanned_again_alone(simulator: Simulator) -> None:
    a_bucket(simulator)
    scan(simulator)
    simulator.put(f"{PRIORITY}3.jsonl", jsonl(some_source_rows(2, seed="new")))
    told: list[tuple[int, int, str]] = []
    scan(simulator, told)
    streamed = {n: simulator.count("stream", f"{PRIORITY}{n}.jsonl") for n in range(6)}
    assert streamed == {0: 1, 1: 1, 2: 1, 3: 2, 4: 1, 5: 1}
    assert [message for _, _, message in told].count("scanned before") == 5


def test_a_scan_is_cancelled_at_the_next_object(simulator: Simulator) -> None:
    a_bucket(simulator)

    def stop(done: int, total: int, message: str) -> None:
        if done == 2:
            raise Cancelled("job.cancelled", "stopped")

    with pytest.raises(Cancelled):
        scan_all(simulator, list(simulator.list(PRIORITY)), JOB, 1, None, stop)
    assert simulator.count("stream") == 2


def test_the_first_failure_ends_the_scan(simulator: Simulator) -> None:
    a_bucket(simulator)
    sources = list(simulator.list(PRIORITY))
    simulator.put(f"{PRIORITY}5.jsonl", b"other")
    with pytest.raises(IntakeError, match=r"intake\.object_changed"):
        scan_all(simulator, sources, JOB, 1, None, lambda *_: None)


def test_there_is_a_worker_for_each_core() -> None:
    assert workers_for_this_machine() >= 1
