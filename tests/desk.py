"""A whole desk over any bucket, with a candidate ready to be read; no build, no scan.

    bench = a_desk(simulator, tmp_path)            # in memory, for AppTest
    bench = an_embedded_desk(tmp_path)             # on a real S3 server, for a browser

The candidate's gates have passing reports, journalled as the desk itself would; its PII sample
has been read, and nobody was found in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.canonical import digest_of
from core.gates.evidence import store_report
from core.model.candidate import Candidate
from core.model.dataset import Split
from core.model.gate import GateReport
from core.model.signoff import Person
from core.policy.load import load_policy
from core.settings import Settings
from core.storage.journal import Journal
from core.storage.ports import Clock, ObjectStore, SystemClock
from core.workbench import Workbench, assemble, connect_desk
from core.workbench.desk import Desk
from tests.builders import PREFIX, Row, a_candidate, a_row
from tests.road import read_for_names

VERSION = "v2026-11-21"
NONCE = "rain on the tin roof"
Rows = Mapping[tuple[str, Split], int | Sequence[Row | bytes]]


def some_rows_to_read(name: str = "") -> dict[tuple[str, Split], Sequence[Row | bytes]]:
    """A handful of records of every family, their own for each name."""
    counts = {
        "priority": 3,
        "professional_therapeutic": 3,
        "edge_cases": 5,
        "cot_reasoning": 2,
        "voice": 2,
    }
    return {
        (family, "train"): [
            a_row(family=family, seed=f"{name}-{number}", source_line=1 + number)
            for number in range(count)
        ]
        for family, count in counts.items()
    }


def spoken(*turns: str, family: str = "priority", split: Split = "train", line: int = 1) -> Row:
    """A row whose turns are exactly `turns`, the client first."""
    roles = ("user", "assistant")
    said = [{"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns)]
    return a_row(said, family=family, split=split, source_line=line)


def a_desk(
    store: ObjectStore,
    workspace: Path,
    *,
    rows: Rows | None = None,
    clock: Clock | None = None,
    passed: bool = True,
    frozen: bool = True,
) -> Workbench:
    """A demo desk over `store` with one candidate, its gates passed and its samples frozen."""
    bench = a_bare_desk(store, workspace, clock=clock)
    return prepare(bench, rows=rows, passed=passed, frozen=frozen)


def a_bare_desk(store: ObjectStore, workspace: Path, *, clock: Clock | None = None) -> Workbench:
    """A demo desk over `store`, which holds what it holds and no candidate yet."""
    clock = clock or SystemClock()
    settings = Settings(
        bucket=None, exports_prefix=PREFIX, policy_file=None, workspace=workspace.resolve()
    )
    settings.workspace.mkdir(parents=True, exist_ok=True)
    desk = Desk(
        settings=settings,
        store=store,
        journal=Journal(store, PREFIX, clock),
        policy=load_policy(None, embedded=True),
        clock=clock,
        connect=lambda: store,
        connect_reader=lambda: store,
    )
    return assemble(desk)


def an_embedded_desk(
    workspace: Path,
    *,
    rows: Rows | None = None,
    passed: bool = True,
    frozen: bool = True,
    policy: Path | None = None,
) -> Workbench:
    """The same on the workspace's embedded server, which this starts and nobody stops."""
    bench = an_embedded_desk_alone(workspace, policy=policy)
    return prepare(bench, rows=rows, passed=passed, frozen=frozen)


def an_embedded_desk_alone(workspace: Path, *, policy: Path | None = None) -> Workbench:
    """A desk on the workspace's embedded server, which holds the demo's data and no candidate."""
    settings = Settings(
        bucket=None, exports_prefix=PREFIX, policy_file=policy, workspace=workspace.resolve()
    )
    return assemble(connect_desk(settings, clock=SystemClock()))


def person_of(bench: Workbench, name: str) -> Person:
    """The demo person `demo:<name>`."""
    return next(person for person in bench.demo_people() if person.id == f"demo:{name}")


def prepare(
    bench: Workbench, *, rows: Rows | None, passed: bool = True, frozen: bool = True
) -> Workbench:
    """Put a candidate on the desk, pass its gates and freeze its samples."""
    add_ready_candidate(bench, rows, passed=passed, frozen=frozen)
    return bench


def add_ready_candidate(
    bench: Workbench,
    rows: Rows | None = None,
    *,
    version: str = VERSION,
    passed: bool = True,
    frozen: bool = True,
) -> Candidate:
    """Store a candidate, pass its gates, freeze its samples and find nobody named in them."""
    candidate = add_candidate(bench, rows, version=version)
    if passed:
        pass_gates(bench, candidate)
    if frozen:
        bench.reviews.freeze(candidate.digest, NONCE, person_of(bench, "lead"))
        read_for_names(bench, candidate.digest)
    return candidate


def add_candidate(
    bench: Workbench, rows: Rows | None = None, *, version: str = VERSION
) -> Candidate:
    """Store a candidate of `rows` and journal that the demo engineer built it."""
    desk = bench.desk
    candidate = a_candidate(
        desk.store, rows or some_rows_to_read(), desk.policy, version=version, prefix=desk.prefix
    )
    engineer = person_of(bench, "engineer")
    bench.data.draft(candidate.version, engineer)
    desk.record(
        engineer,
        "candidate.built",
        version=candidate.version,
        candidate=candidate.digest,
        policy=desk.policy.digest,
        listing=candidate.snapshot,
        records=candidate.records,
    )
    return candidate


def pass_gates(bench: Workbench, candidate: Candidate) -> None:
    """File and journal a pass of every gate, as if judged under the desk's own settings."""
    desk = bench.desk
    for gate in desk.policy.required_gates:
        report = GateReport(
            gate=gate,
            candidate=candidate.digest,
            settings=digest_of("settings of the tests"),
            verdict="pass",
            examined=candidate.records,
            expected=candidate.records,
            started_at=desk.now(),
            finished_at=desk.now(),
        )
        file_report(bench, candidate, report)


def file_report(bench: Workbench, candidate: Candidate, report: GateReport) -> None:
    """File and journal one gate's report, as if the demo engineer had run it."""
    desk = bench.desk
    stored = store_report(desk.store, desk.prefix, report)
    desk.record(
        person_of(bench, "engineer"),
        "gate.finished",
        candidate=candidate.digest,
        gate=report.gate,
        verdict=report.verdict,
        evidence=stored.sha256,
        settings=report.settings,
        fingerprint=bench.candidates._fingerprint(candidate),
    )


def read_everything(
    bench: Workbench,
    claim: str,
    by: str,
    *,
    version: str = VERSION,
    but: int = 0,
    **changes: object,
) -> None:
    """Rate all but `but` sampled records of a claim cleanly, as that demo person.

    Known-bad records are rated so too: a reading that finds nothing.
    """
    candidate = bench.candidates.current(version)
    assert candidate is not None
    person = person_of(bench, by)
    items = bench.reviews.queue(candidate.digest, claim, person).items
    plan = bench.reviews.plans(candidate.digest)[claim]
    left = [item.record_id for item in items if item.record_id in plan.records][-but:]
    for item in items:
        if but and item.record_id in left:
            continue
        answers = clean_answers(bench, candidate.digest, claim, item.record_id, person)
        bench.reviews.submit(
            candidate.digest, claim, item.record_id, person, {**answers, **changes}
        )


def clean_answers(
    bench: Workbench, digest: str, claim: str, record_id: str, person: Person
) -> dict[str, object]:
    """What the form would send for a record in which nothing is wrong."""
    rubric = bench.reviews.rubric(claim)
    screen = bench.reviews.screen(digest, claim, record_id, person)
    return {
        "scores": {item.id: "4" for item in rubric.items if item.unit == "record"},
        "verdict": "accept",
        "flags": [],
        "note": "",
        "shown_sha256": screen.sha256,
        "seconds": 60,
    }
