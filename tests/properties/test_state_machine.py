"""Any order of deciding, reading, signing, revoking, publishing, withdrawing and crashing.

What must hold after every step, whatever broke on the way: one manifest per version at most; a
manifest only where every approval stood, unrevoked, when its intent was written; every listed
object is the bytes its digest names; nothing acknowledged is lost; the journal is one chain.

The approvals are recounted from the journal's raw entries, with no code of `core.release` or
`core.review`. `RELEASE_DESK_STATES` asks for more runs than the few of every test run.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.canonical import digest_of, sha256_hex
from core.gates.evidence import store_report
from core.model.errors import DeskError, OutcomeUnknown, Transient
from core.model.gate import Finding, GateReport
from core.model.progress import silent
from core.policy.load import load_policy
from core.release.inputs import unwatched
from core.release.publish import publish_release
from core.settings import Settings
from core.storage.journal import Journal
from core.storage.put_once import put_once
from core.workbench import assemble
from core.workbench.desk import Desk
from tests.builders import PREFIX
from tests.clock import FixedClock
from tests.desk import add_candidate, clean_answers, person_of, some_rows_to_read
from tests.release_builders import no_wait
from tests.road import read_for_names
from tests.simulator import Simulator

RUNS = int(os.environ.get("RELEASE_DESK_STATES", "8"))
VERSIONS = ("v2026-11-21", "v2026-11-22")
CLAIMS = {"clinician_foundation": "clinician-1", "clinician_edge": "clinician-1",
          "bias_foundation": "bias"}  # fmt: skip
SIGNERS = {**CLAIMS, "release_decision": "owner"}
HOW = st.sampled_from(["lost_reply", "retried_reply", "error_500", "timeout"])


class Desks(RuleBasedStateMachine):
    """One bucket, one desk at a time; a crash is a new machine with an empty workspace."""

    # What all runs together reached: a walk that never publishes would prove nothing.
    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.workspace = Path(tempfile.mkdtemp())
        self.machines = itertools.count()
        self.names = itertools.count()
        self.policy = load_policy(None, embedded=True)
        self.ratings: dict[tuple[str, str, str, str], object] = {}
        self.signoffs: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.published: dict[str, str] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.workspace)

    # What may happen ------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.store = Simulator(clock=FixedClock())
        self.store.put("raw/priority/a.jsonl", b"{}")
        self.crash()
        self.bench.data.probe(self.person("owner"))
        self.bench.data.take_inventory(self.person("engineer"))
        for version in VERSIONS:
            self._build(version)

    @rule()
    def crash(self) -> None:
        """The process is gone and its disk with it."""
        self.store.heal()
        workspace = self.workspace / str(next(self.machines))
        workspace.mkdir()
        self.bench = assemble(
            Desk(
                settings=Settings(
                    bucket=None, exports_prefix=PREFIX, policy_file=None, workspace=workspace
                ),
                store=self.store,
                journal=Journal(self.store, PREFIX, self.store.clock, sleep=no_wait),
                policy=self.policy,
                clock=self.store.clock,
                connect=lambda: self.store,
                connect_reader=lambda: self.store,
            )
        )

    @rule(version=st.sampled_from(VERSIONS))
    def rebuild(self, version: str) -> None:
        """Another candidate, judged and frozen; what was signed before is about other bytes."""
        if version not in self.published:
            self._build(version)

    @rule(version=st.sampled_from(VERSIONS), gate=st.integers(0, 4))
    def judge_again_and_fail(self, version: str, gate: int) -> None:
        self._judge(self.digest(version), (self.policy.required_gates[gate],), "fail")

    @rule(
        version=st.sampled_from(VERSIONS),
        claim=st.sampled_from(sorted(CLAIMS)),
        nth=st.integers(0, 25),
        how=HOW,
    )
    def read(self, version: str, claim: str, nth: int, how: str) -> None:
        """Rate everything of a claim, with one call breaking on the way."""
        digest, reader = self.digest(version), self.person(CLAIMS[claim])
        plan = self.bench.reviews.plans(digest)[claim]
        with self.breaking(nth, how):
            for record in plan.records[: plan.first]:
                answers = clean_answers(self.bench, digest, claim, record, reader)
                rating = self.bench.reviews.submit(digest, claim, record, reader, answers)
                self.ratings[digest, claim, record, reader.id] = rating

    @rule(
        version=st.sampled_from(VERSIONS),
        wanted=st.sampled_from(sorted(SIGNERS)),
        decision=st.sampled_from(["approve", "approve", "approve", "refuse"]),
        nth=st.integers(0, 40),
        how=HOW,
    )
    def sign(self, version: str, wanted: str, decision: str, nth: int, how: str) -> None:
        signer = self.person(SIGNERS[wanted])
        with self.breaking(nth, how):
            given = self.bench.signing.sign(
                self.digest(version), wanted, decision, signer.name, signer
            )
            self.signoffs[given.sha256] = given.candidate

    @rule(version=st.sampled_from(VERSIONS), nth=st.integers(0, 400), how=HOW, down=st.booleans())
    def walk_the_road(self, version: str, nth: int, how: str, down: bool) -> None:
        """Read, sign, publish, and publish again once the bucket works: few walks get that far."""
        for claim in CLAIMS:
            self.read(version, claim, 0, "timeout")
        for wanted in SIGNERS:
            self.sign(version, wanted, "approve", 0, "timeout")
        self.publish(version, nth, how, down)
        self.publish(version, 0, how, down)

    @precondition(lambda self: set(self.signoffs) - self.revoked)
    @rule(choice=st.integers(0, 99), nth=st.integers(0, 20), how=HOW)
    def revoke(self, choice: int, nth: int, how: str) -> None:
        standing = sorted(set(self.signoffs) - self.revoked)
        chosen = standing[choice % len(standing)]
        digest = self.signoffs[chosen]
        entry = next(s for s in self.bench.signing.load(digest).signoffs if s.sha256 == chosen)
        signer = self.person(entry.reviewer.removeprefix("demo:"))
        with self.breaking(nth, how):
            self.bench.signing.revoke(digest, chosen, "I looked again.", signer)
            self.revoked.add(chosen)
            self.reached["revoked"] += 1

    @rule(version=st.sampled_from(VERSIONS), nth=st.integers(0, 330), how=HOW, down=st.booleans())
    def publish(self, version: str, nth: int, how: str, down: bool) -> None:
        """Publish with a call that breaks, or with a bucket that is down from that call on."""
        owner = self.person("owner")
        with self.breaking(nth, "timeout" if down else how, times=None if down else 1):
            inputs = self.bench.releases._inputs(self.digest(version), owner, silent, unwatched)
            published = publish_release(inputs)
            self.reached["published"] += version not in self.published
            assert self.published.setdefault(version, published.manifest_sha256) == (
                published.manifest_sha256
            )

    @precondition(lambda self: self.published)
    @rule(nth=st.integers(0, 12), how=HOW)
    def withdraw(self, nth: int, how: str) -> None:
        version = sorted(self.published)[0]
        with self.breaking(nth, how):
            self.bench.releases.withdraw(version, "It should not be used.", self.person("owner"))
            self.reached["withdrawn"] += 1

    # What must hold -------------------------------------------------------------------------

    @invariant()
    def a_version_has_one_manifest_at_most_and_it_stays(self) -> None:
        for version in VERSIONS:
            key = manifest_key(version)
            assert self.store.versions(key) <= 1
            if version in self.published:
                assert sha256_hex(self.store.body(key)) == self.published[version]

    @invariant()
    def a_manifest_rests_on_approvals_that_stood_at_its_intent(self) -> None:
        for version in VERSIONS:
            if self.store.versions(manifest_key(version)):
                manifest = json.loads(self.store.body(manifest_key(version)))
                self.check_intent(version, manifest)

    @invariant()
    def every_listed_object_is_what_its_digest_says(self) -> None:
        for version in VERSIONS:
            if self.store.versions(manifest_key(version)):
                for file in json.loads(self.store.body(manifest_key(version)))["files"]:
                    body = self.store.body(file["key"])
                    assert (sha256_hex(body), len(body)) == (file["sha256"], file["size"])

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        for (digest, claim, record, reader), rating in self.ratings.items():
            held = self.bench.reviews.ratings(digest, claim)
            assert rating in [
                item.rating
                for item in held
                if (item.rating.record_id, item.rating.reviewer) == (record, reader)
            ]
        for digest in set(self.signoffs.values()):
            loaded = self.bench.signing.load(digest)
            assert loaded.faults == ()
            wanted = {sha for sha, candidate in self.signoffs.items() if candidate == digest}
            assert wanted <= {item.sha256 for item in loaded.signoffs}
            taken_back = {item.sha256 for item in loaded.signoffs if item.revoked}
            assert wanted & self.revoked <= taken_back

    @invariant()
    def the_journal_is_one_chain(self) -> None:
        before = "0" * 64
        for number, key in enumerate(self.journal_keys(), 1):
            body = self.store.body(key)
            entry = json.loads(body)
            assert (entry["seq"], entry["prev"]) == (number, before)
            before = sha256_hex(body)

    # Helpers --------------------------------------------------------------------------------

    @contextmanager
    def breaking(self, nth: int, how: str, times: int | None = 1):
        """Break the `nth` call (none for 0); a refusal or an unknown outcome is no surprise."""
        if nth:
            self.store.fail(op="any", nth=nth, how=how, times=times)
        plans = list(self.store._plans)
        try:
            yield
        except (Transient, OutcomeUnknown):
            assert any(plan.fired for plan in plans), "nothing was broken"
            self.reached["unknown"] += 1
        except DeskError:
            self.reached["refused"] += 1  # The invariants say whether that was all.
        finally:
            self.reached["broken"] += sum(plan.fired for plan in plans)
            self.store.heal()

    def person(self, name: str):
        return person_of(self.bench, name)

    def digest(self, version: str) -> str:
        return self.bench.candidates.current(version).digest

    def journal_keys(self) -> list[str]:
        return self.store.keys(f"{PREFIX}journal/")

    def check_intent(self, version: str, manifest: dict) -> None:
        """Recount from raw entries what stood when the manifest's intent was written."""
        entries = [json.loads(self.store.body(key)) for key in self.journal_keys()]
        events = [entry["event"] for entry in entries]
        candidate = manifest["candidate"]
        candidate = candidate["digest"] if isinstance(candidate, dict) else candidate
        intents = [
            number
            for number, event in enumerate(events)
            if event["type"] == "publish.intent"
            and (event["version"], event["candidate"]) == (version, candidate)
        ]
        # Of the intents for these bytes, the last that precedes the commit is the one that led
        # to it; with the commit's entry still missing, the last of all.
        commits = [
            number
            for number, event in enumerate(events)
            if event["type"] == "publish.committed" and event["version"] == version
        ]
        assert len(commits) <= 1
        last = max(number for number in intents if not commits or number < commits[0])
        before = events[:last]
        taken_back = {e["signoff"] for e in before if e["type"] == "signoff.revoked"}
        standing: dict[str, set[str]] = {}
        for event in before:
            given = event["type"] == "signoff.given" and event["candidate"] == candidate
            if given and event["sha256"] not in taken_back:
                standing.setdefault(event["requirement"], set()).add(event["decision"])
        assert standing == {wanted: {"approve"} for wanted in SIGNERS}, standing
        verdicts: dict[str, set[str]] = {}
        for event in before:
            if event["type"] == "gate.finished" and event["candidate"] == candidate:
                verdicts.setdefault(event["gate"], set()).add(event["verdict"])
        assert verdicts == {gate: {"pass"} for gate in self.policy.required_gates}

    def _build(self, version: str) -> None:
        rows = some_rows_to_read(f"{version}-{next(self.names)}")
        candidate = add_candidate(self.bench, rows, version=version)
        self._judge(candidate.digest, self.policy.required_gates, "pass")
        self.bench.reviews.freeze(candidate.digest, "rain on the roof", self.person("lead"))
        read_for_names(self.bench, candidate.digest)

    def _judge(self, digest: str, gates: tuple[str, ...], verdict: str) -> None:
        desk, candidate = self.bench.desk, self.bench.candidates.get(digest)
        for gate in gates:
            findings = (Finding(code=f"{gate}.planted", blocking=True),) * (verdict == "fail")
            report = GateReport(
                gate=gate,
                candidate=candidate.digest,
                settings=digest_of("settings of the tests"),
                verdict=verdict,
                examined=candidate.records,
                expected=candidate.records,
                findings=findings,
                started_at=desk.now(),
                finished_at=desk.now(),
            )
            stored = store_report(desk.store, desk.prefix, report)
            desk.record(
                self.person("engineer"),
                "gate.finished",
                candidate=candidate.digest,
                gate=gate,
                verdict=verdict,
                evidence=stored.sha256,
                settings=report.settings,
                fingerprint=self.bench.candidates._fingerprint(candidate),
            )


def manifest_key(version: str) -> str:
    return f"{PREFIX}releases/{version}/manifest.json"


def test_no_order_of_acts_and_faults_makes_a_release_that_should_not_be(monkeypatch):
    monkeypatch.setitem(put_once.__kwdefaults__, "sleep", no_wait)
    run_state_machine_as_test(
        Desks,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=15,
            deadline=None,
            derandomize="RELEASE_DESK_STATES" not in os.environ,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate]
            + [Phase.shrink] * ("RELEASE_DESK_STATES" in os.environ),
        ),
    )
    print(dict(Desks.reached))
    for wanted in ("published", "revoked", "broken", "unknown", "refused"):
        assert Desks.reached[wanted], f"no run ever reached: {wanted}"
