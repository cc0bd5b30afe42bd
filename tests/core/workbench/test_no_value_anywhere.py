"""A value that was found, decided about and struck stands in no artefact, log or journal entry."""

from __future__ import annotations

import logging

import pytest

from core.intake.privacy import build_detector
from core.model.errors import ReviewError
from core.policy.load import load_policy
from core.storage.ports import SystemClock
from tests.desk import a_desk, add_candidate, person_of, some_rows_to_read, spoken
from tests.simulator import Simulator

SEEDED = {
    "privacy.person": "Margaret Oystercatcher",
    "privacy.us_ssn": "536-22-8471",
    "privacy.email_address": "seeded.value@oystercatcher-test.org",
    "privacy.secret": "AKIAIOSFODNN7SEEDED1",
    "privacy.phone_number": "five five five one two three four five six seven",
}
TEXT = (
    "My name is {privacy.person}, my ssn is {privacy.us_ssn}. Write {privacy.email_address}. "
    "The key is {privacy.secret}, and call {privacy.phone_number} please."
)


def seeded_text() -> str:
    text = TEXT
    for code, value in SEEDED.items():
        text = text.replace("{" + code + "}", value)
    return text


def test_seeded_values_stand_in_their_shard_and_nowhere_else(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    store = Simulator(clock=SystemClock())
    bench = a_desk(store, tmp_path, frozen=False)
    rows = {**some_rows_to_read("seeded"), ("priority", "train"): [spoken(seeded_text(), "Yes.")]}
    candidate = add_candidate(bench, rows)
    lead = person_of(bench, "lead")
    bench.candidates.run_gates(candidate.digest, lead)
    found = bench.candidates.findings(candidate.digest, gate="privacy")
    assert set(SEEDED) <= {finding.code for _, finding in found if finding.blocking}
    for code in SEEDED:
        for action in ("redact", "false_positive"):
            bench.candidates.decide(
                candidate.digest,
                gate="privacy",
                code=code,
                action=action,
                reason="read in its context",
                by=lead,
            )
    for value in ("It is Margaret Oystercatcher again.", "key AKIAIOSFODNN7SEEDED1 leaked"):
        with pytest.raises(ReviewError) as raised:
            bench.candidates.decide(
                candidate.digest,
                gate="privacy",
                code="privacy.person",
                action="exclude",
                reason=value,
                by=lead,
            )
        assert raised.value.code == "review.private_text"
    names = [f for _, f in found if f.code == "privacy.person"]
    bench.candidates.values_of(candidate.digest, names)
    bench.candidates.reports(candidate.digest)
    shards = {shard.key for shard in candidate.shards}
    held = {
        entry.key: store.get(entry.key, limit=1 << 24).body
        for entry in store.list("")
        if entry.key not in shards
    }
    kept_here = {
        str(path): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and "shards" not in path.parts
    }
    written = capsys.readouterr()
    said = {"log": caplog.text.encode(), "out": (written.out + written.err).encode()}
    assert len(held) > 5
    for value in SEEDED.values():
        for part in (value, value.split()[-1]):
            for place, body in {**held, **kept_here, **said}.items():
                assert part.encode() not in body, place


@pytest.mark.parametrize("name", ["release0", "demo"])
def test_the_packaged_policies_act_on_every_kind_that_was_seeded(name):
    policy = load_policy(None, embedded=name == "demo")
    detector = build_detector(policy.privacy)
    acted = {
        f"privacy.{span.entity.lower()}"
        for span in detector.find(seeded_text())
        if detector.action(span) == "redact"
    }
    assert acted == set(SEEDED) - {"privacy.person"}
