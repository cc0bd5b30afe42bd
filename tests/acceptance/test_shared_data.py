"""Real dialogues go down the whole road, and every number of the release is true of its bytes.

No word of the data is kept: sources are read where they lie, into a bucket that is dropped.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from core.model.errors import ReleaseError
from core.release.consume import open_release
from core.settings import BucketSettings
from core.storage.ports import ObjectStore
from core.storage.s3 import S3Store
from core.workbench import Workbench
from tests import road
from tests.acceptance_recount import Recount
from tests.real_desk import PROFILE, a_real_desk, json_lines

pytestmark = [pytest.mark.seaweed, pytest.mark.slow, pytest.mark.timeout(900)]
VERSION = "v2026-11-22.2"
SHARED = Path(os.environ.get("RELEASE_DESK_SHARED", Path(__file__).parents[3] / "shared" / "data"))
DATA = SHARED / "permissive"
LICENCES = {
    "professional_therapeutic": "mit",
    "priority": "cc-by",
    "cot_reasoning": "mit",
    "edge_cases": "synthetic",
    "voice": "cc-by",
}
COUNSEL = "A_dialogue/counsel-chat/20200325_counsel_chat.no_therapist_cols.csv"
NOTES = "A_dialogue/mts-dialog/MTS-Dialog-ValidationSet.csv"
PERSONA = "A_persona/synthetic-persona-chat/Synthetic-Persona-Chat_valid.csv"
NOTES_KEY = "gdrive/processed/priority/notes.csv"


def first_rows(
    path: Path, count: int, keep: Callable[[dict[str, str]], bool] | None = None
) -> bytes:
    """The first rows of a CSV that `keep` keeps, as CSV with the same columns."""
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.DictReader(source)
        rows = [row for row in reader if keep is None or keep(row)][:count]
        columns = list(reader.fieldnames or ())
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def two_speakers(row: dict[str, str]) -> bool:
    """Whether only the doctor and the patient speak, and take turns at it."""
    speakers = [line.split(":")[0].strip() for line in row["dialogue"].splitlines() if line.strip()]
    return set(speakers) == {"Doctor", "Patient"}


def crisis_dialogues(count: int) -> list[object]:
    """Invented calls to a crisis line; no two open alike."""
    pick = Random(20261122)
    feelings = ("numb", "cornered", "worn out", "ashamed", "frightened", "empty", "furious")
    causes = ("the divorce", "losing my work", "the accident", "my exams", "what my brother said")
    places = ("in the car", "on the kitchen floor", "at the station", "on the roof", "in bed")
    asks = ("Are you safe where you are", "Is anybody with you", "Have you hurt yourself tonight")
    plans = ("put the pills in another room", "call your sister while we talk", "unlock the door")
    found: list[object] = []
    for number in range(count):
        feeling, cause, place = pick.choice(feelings), pick.choice(causes), pick.choice(places)
        turns = [
            (
                f"I have been {feeling} since {cause}, this is night {number + 2} of it, and I sit "
                f"{place} and count reasons not to go on."
            ),
            f"I am glad that you said it to me. {pick.choice(asks)}, {place}, right now?",
            (
                f"{pick.choice(('No', 'Yes', 'I think so'))}. After {cause} it got worse, "
                f"and {number + 3} times I nearly did not write."
            ),
            (
                f"Then let us keep the next {number + 5} minutes small. Would you "
                f"{pick.choice(plans)}? If it gets sharper, call or text 988 and somebody answers."
            ),
        ]
        roles = ("user", "assistant", "user", "assistant")
        found.append(
            {"messages": [{"role": r, "content": t} for r, t in zip(roles, turns, strict=True)]}
        )
    return found


def fill(store: ObjectStore) -> None:
    """Put real dialogues under the five families' canonical prefixes."""
    reasoning = (DATA / "A_cot/gsm8k/test.jsonl").read_bytes().splitlines(keepends=True)
    objects = {
        "gdrive/processed/professional_therapeutic/answers.csv": first_rows(DATA / COUNSEL, 220),
        NOTES_KEY: (DATA / NOTES).read_bytes(),
        "gdrive/processed/cot_reasoning/sums.jsonl": b"".join(reasoning[:220]),
        "gdrive/processed/edge_cases/prompts.csv": (
            DATA / "A_crisis/xstest/xstest_prompts.csv"
        ).read_bytes(),
        "gdrive/processed/edge_cases/calls.jsonl": json_lines(crisis_dialogues(120)),
        "voice/talks.csv": first_rows(DATA / PERSONA, 120),
        "voice/profile.json": json.dumps(PROFILE).encode(),
    }
    for key, body in objects.items():
        store.put_if_absent(key, body)


def decide_sources(bench: Workbench) -> None:
    """List the bucket and keep every family under the licence its source names."""
    owner = road.person(bench, "engineer")
    bench.data.take_inventory(owner)
    for family, licence in LICENCES.items():
        bench.data.decide_source(family, "keep", "cleared", licence, "as its source says", owner)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not here")
def test_real_dialogues_become_a_release_whose_every_number_is_true_of_its_bytes(
    make_bucket: Callable[[], BucketSettings], tmp_path: Path
) -> None:
    bucket = make_bucket()
    bench = a_real_desk(bucket, tmp_path)
    store = bench.desk.store
    fill(store)
    decide_sources(bench)
    coverage = bench.data.coverage(VERSION).families
    assert {name: found.state for name, found in coverage.items()} == dict.fromkeys(
        LICENCES, "present"
    )

    # One source loses more rows than the policy bears: named, and not to be waved through.
    candidate, reports = road.build_and_judge(bench, VERSION)
    lost = bench.candidates.findings(candidate.digest, code="provenance.rows_lost")
    assert {finding.detail.split()[0] for _, finding in lost if finding.blocking} != set()
    assert reports["provenance"].report.verdict == "fail"
    held = store.get(NOTES_KEY, limit=1 << 26)
    store.put_if_match(NOTES_KEY, first_rows(DATA / NOTES, 100, two_speakers), held.etag)
    bench.data.take_inventory(road.person(bench, "engineer"))

    candidate, _ = road.build_until_passed(bench, VERSION)
    lanes = {source.key: dict(source.lanes) for source in candidate.sources}
    assert lanes["gdrive/processed/edge_cases/prompts.csv"] == {"prompt_only": 450}
    assert lanes["voice/profile.json"] == {"persona": 1}
    assert all(sum(splits.values()) > 0 for splits in candidate.families.values())
    assert set(candidate.families) == set(LICENCES)

    road.rate_all(bench, candidate.digest)
    road.sign_all(bench, candidate.digest)
    owner = road.person(bench, "owner")
    assert bench.releases.blockers(candidate.digest, owner) == ()
    outcome = bench.releases.publish(candidate.digest, owner)
    assert (outcome.smoke_passed, outcome.secrets_found) == (True, 0)
    assert bench.releases.verify(VERSION).faults == ()
    assert bench.releases.smoke(VERSION, owner)["passed"] is True
    open_lines = [
        line.id for line in bench.sheet.lines(VERSION) if line.state not in ("done", "waived")
    ]
    assert open_lines == []

    objects = {found.key: store.get(found.key, limit=1 << 28).body for found in store.list("")}
    recount = Recount(objects, VERSION, "exports/")
    recount.check_everything()
    assert recount.manifest["totals"]["records"] == outcome.records == candidate.records
    assert outcome.manifest_sha256 == bench.releases.verify(VERSION).manifest_sha256

    # The counting can fail: one byte more in one shard, and both the recount and we say so.
    shard = recount.shards[0]
    body = objects[shard["key"]]
    spoiled = {**objects, shard["key"]: body[:-2] + b" }\n"}
    with pytest.raises((AssertionError, ValueError)):
        Recount(spoiled, VERSION, "exports/").check_everything()
    etag = store.get(shard["key"], limit=1 << 28).etag
    store.put_if_match(shard["key"], spoiled[shard["key"]], etag)
    faults = bench.releases.verify(VERSION).faults
    assert any(shard["key"] in fault for fault in faults)
    release = open_release(S3Store(bucket), VERSION, exports="exports/")
    with pytest.raises(ReleaseError):
        sum(1 for split in release.splits for _ in release.iterate(split))
