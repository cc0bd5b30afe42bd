"""Ten reviewers at once over the embedded bucket: how long the next record takes to come.

    python -m tests.benchmarks.ten_reviewers [readers] [records each] [seconds a record]

Prints the median and the 95th percentile in milliseconds of `next` with `screen`, of a saved
draft and of a submit, the processor's seconds (the machine may be shared), and whether anything
was lost or given twice. The target is a median of 300 ms for the next record.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from core.model.signoff import Person
from core.storage.embedded import stop
from core.workbench import Workbench, assemble
from core.workbench import people as desk_people
from tests.builders import a_row
from tests.desk import VERSION, add_ready_candidate, an_embedded_desk, person_of

CLAIM = "clinician_foundation"
SIZES = {
    "priority": 600,
    "professional_therapeutic": 600,
    "edge_cases": 200,
    "cot_reasoning": 20,
    "voice": 20,
}
Made = TypeVar("Made")


def timed(times: list[float], act: Callable[[], Made]) -> Made:
    """Do `act` and note how long it took, in milliseconds."""
    started = time.perf_counter()
    made = act()
    times.append((time.perf_counter() - started) * 1000)
    return made


def ten_clinicians(count: int) -> None:
    """Let the demo desk know so many clinicians."""
    more = tuple(
        (f"demo:reader-{number}", f"Demo Reader {number}", ("clinician",))
        for number in range(count)
    )
    desk_people._DEMO += more  # type: ignore[assignment]


def wide_claims(bench: Workbench, first: int, overlap: int) -> Workbench:
    """The same desk with a claim large enough for everybody."""
    claims = tuple(
        dataclasses.replace(claim, first=first, second=0, overlap=overlap, limit=0.05,
                            confidence=0.95, known_bad=6)
        if claim.id == CLAIM else claim
        for claim in bench.desk.policy.claims
    )  # fmt: skip
    policy = dataclasses.replace(bench.desk.policy, claims=claims)
    return assemble(dataclasses.replace(bench.desk, policy=policy, memory={}))


def read(
    bench: Workbench, digest: str, person: Person, count: int, times: dict[str, list[float]],
    given: list[tuple[str, str]],
    pause: float,
) -> None:  # fmt: skip
    """Read `count` records as one person."""
    reviews = bench.reviews
    scores = {item.id: "4" for item in reviews.rubric(CLAIM).items if item.unit == "record"}
    for _ in range(count):
        started = time.perf_counter()
        record = reviews.next(digest, CLAIM, person)
        if record is None:
            return
        screen = reviews.screen(digest, CLAIM, record, person)
        times["next"].append((time.perf_counter() - started) * 1000)
        given.append((record, person.id))
        time.sleep(pause * (0.5 + int(person.id.rpartition("-")[2]) % 10 / 10))
        answers = {
            "scores": scores,
            "verdict": "accept",
            "flags": [],
            "note": "",
            "shown_sha256": screen.sha256,
            "seconds": 60,
            "supersedes": "",
        }
        where = (digest, CLAIM, record, person, answers)
        draft = partial(reviews.save_draft, *where, tab=person.id, seq=1, based_on=0)
        timed(times["draft"], draft)
        timed(times["submit"], partial(reviews.submit, *where))


def main(readers: int = 10, each: int = 8, pause: int = 5) -> None:
    """Run and print."""
    ten_clinicians(readers)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        try:
            bench = wide_claims(an_embedded_desk(workspace, frozen=False), 113, 50)
            rows = {
                (family, "train"): [
                    a_row(family=family, seed=f"b{number}", source_line=number + 1)
                    for number in range(count)
                ]
                for family, count in SIZES.items()
            }
            add_ready_candidate(bench, rows, version=f"{VERSION}.2")  # type: ignore[arg-type]
            candidate = bench.candidates.current(f"{VERSION}.2")
            assert candidate is not None
            run(bench, candidate.digest, readers, each, pause)
        finally:
            stop(workspace)


def run(bench: Workbench, digest: str, readers: int, each: int, pause: float) -> None:
    """Let everybody read at once, then count what stands."""
    people = [person_of(bench, f"reader-{number}") for number in range(readers)]
    times: dict[str, list[float]] = {"next": [], "draft": [], "submit": []}
    given: list[tuple[str, str]] = []
    faults: list[str] = []

    def work(person: Person) -> None:
        try:
            read(bench, digest, person, each, times, given, pause)
        except Exception as error:
            faults.append(f"{type(error).__name__} {getattr(error, 'code', '')}")

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    started, busy = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, values in times.items():
        high = statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("nan")
        print(f"{name:7} n={len(values):4} median {statistics.median(values):7.1f} ms  "
              f"p95 {high:7.1f} ms")  # fmt: skip
    planted = set(bench.reviews.known_bad(digest)[CLAIM].ids)
    stored = {(s.rating.record_id, s.rating.reviewer) for s in bench.reviews.ratings(digest, CLAIM)}
    sampled = {pair for pair in given if pair[0] not in planted}
    plan = bench.reviews.plan(digest, CLAIM)
    needs = {name: 2 if place < plan.overlap else 1 for place, name in enumerate(plan.records)}
    over = [name for name, count in Counter(r for r, _ in sampled).items() if count > needs[name]]
    print(f"{readers} readers, {len(given)} records in {time.perf_counter() - started:.1f} s, "
        f"{time.process_time() - busy:.1f} s of one processor; "
          f"ratings lost: {len(sampled - stored)}; places given twice: {len(over)}; "
          f"faults: {faults or 'none'}")  # fmt: skip


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
