"""Whatever a command does, stdout is what was promised and the exit status says how it ended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core import __main__ as terminal
from core.canonical import decode
from core.model.errors import OutcomeUnknown
from core.storage import embedded
from core.storage.ports import SystemClock
from core.workbench import open_workbench
from core.workbench.releases import Releases
from tests import road
from tests.real_desk import VERSION, environment

pytestmark = [pytest.mark.seaweed, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
DIGEST = re.compile(r"[0-9a-f]{64}")


def run(settings, *words, given=b""):
    """One command in a process that knows nothing but these settings."""
    return subprocess.run(
        [sys.executable, "-m", "core", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": settings["DESK_WORKSPACE"], **settings},
        input=given,
        capture_output=True,
        timeout=300,
        check=False,
    )


def answer(settings, *words, status=0):
    """What the command says on stdout: one JSON document on one line, and nothing else."""
    done = run(settings, *words, "--json")
    assert done.returncode == status, (words, done.returncode, done.stderr[-800:])
    assert done.stdout.count(b"\n") == 1, words
    assert done.stdout.endswith(b"\n")
    return json.loads(done.stdout)


# --- The embedded demo bucket, with nothing configured.


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """An empty workspace: the first command brings the demo bucket up."""
    workspace = tmp_path_factory.mktemp("terminal")
    yield {"DESK_WORKSPACE": str(workspace)}
    embedded.stop(workspace, patience=0.5)


@pytest.fixture(scope="module")
def built(demo):
    """The demo bucket's candidate, as the build command tells of it.

    One family lies under an alias alone: until a person confirms it, its stage is empty.
    """
    early = answer(demo, "build", VERSION, status=1)
    assert (early["error"], early["place"]) == ("intake.stage_empty", "reasoning")
    road.decide_sources(open_workbench(demo, clock=SystemClock()), VERSION)
    return answer(demo, "build", VERSION, "--workers", "1")


def test_probe_says_what_the_bucket_can_do(demo):
    said = answer(demo, "probe")
    assert said["ok"] is True
    assert said["checks"]
    assert all(set(check) == {"name", "ok", "detail"} for check in said["checks"])


def test_inventory_counts_objects_and_bytes(demo):
    said = answer(demo, "inventory")
    assert set(said) == {"objects", "bytes", "snapshot"}
    assert said["objects"] > 10
    assert said["bytes"] > 100_000
    assert DIGEST.fullmatch(said["snapshot"])


def test_coverage_names_every_family_with_keys_as_evidence(demo):
    said = answer(demo, "coverage", VERSION)
    assert set(said["families"]) == {
        "professional_therapeutic",
        "priority",
        "cot_reasoning",
        "edge_cases",
        "voice",
    }
    keys = {"stage", "state", "objects", "bytes", "records", "evidence", "why"}
    for found in said["families"].values():
        assert keys <= set(found)
        assert all(isinstance(key, str) for key in found["evidence"])
    assert any(found["evidence"] for found in said["families"].values())


def test_build_balances_and_names_its_shards(built):
    promised = {"candidate", "records", "rows", "rejections", "dropped", "families", "shards"}
    assert promised <= set(built)
    assert DIGEST.fullmatch(built["candidate"])
    assert built["records"] == sum(shard["records"] for shard in built["shards"])
    assert built["rows"] >= built["records"] + sum(built["dropped"].values())
    assert built["rejections"]
    for shard in built["shards"]:
        assert set(shard) == {"key", "sha256", "bytes", "records", "family", "split"}
        assert shard["key"] == f"exports/shards/{shard['sha256']}.jsonl"
    for family, splits in built["families"].items():
        for split, count in splits.items():
            mine = [s for s in built["shards"] if (s["family"], s["split"]) == (family, split)]
            assert sum(shard["records"] for shard in mine) == count


def test_building_again_with_more_workers_gives_the_same_candidate(demo, built):
    assert answer(demo, "build", VERSION, "--workers", "2") == built


@pytest.fixture(scope="module")
def judged(demo, built):
    """The gates of the demo candidate, which was planted so that some of them fail."""
    return answer(demo, "gates", built["candidate"][:8], status=1)


def test_gates_examine_every_record_and_a_failure_is_status_1(built, judged):
    assert set(judged) == {"gates", "blocking"}
    assert set(judged["gates"]) == {
        "privacy",
        "provenance",
        "duplicates",
        "leakage",
        "distribution",
    }
    for found in judged["gates"].values():
        assert {"verdict", "examined", "expected", "measures", "findings"} <= set(found)
        assert found["examined"] == found["expected"] == built["records"]
        assert found["verdict"] in ("pass", "fail")
        assert all(isinstance(count, int) for count in found["findings"].values())
    failed = {name for name, found in judged["gates"].items() if found["verdict"] == "fail"}
    assert failed == {item["gate"] for item in judged["blocking"]}
    assert failed


def test_findings_are_places_and_can_be_narrowed(demo, built, judged):
    short = built["candidate"][:8]
    everything = answer(demo, "findings", short)
    assert everything
    assert all("text" not in item for item in everything)
    gate, code = everything[0]["gate"], everything[0]["code"]
    some = answer(demo, "findings", short, "--gate", gate, "--code", code)
    assert some == [i for i in everything if (i["gate"], i["code"]) == (gate, code)]


def test_an_unread_candidate_has_no_plans_yet(demo, built):
    assert answer(demo, "sample", built["candidate"][:8]) == {}


def test_blockers_have_code_detail_and_page(demo, built, judged):
    said = answer(demo, "blockers", built["candidate"][:8], status=1)
    assert all(set(item) == {"code", "detail", "page"} for item in said)
    assert {"gate.failed", "review.not_frozen", "signoff.absent"} <= {i["code"] for i in said}


def test_publishing_a_blocked_candidate_is_status_1_and_writes_nothing(demo, built, judged):
    said = answer(demo, "publish", built["candidate"][:8], status=1)
    assert said["published"] is False
    assert said["blockers"]
    assert answer(demo, "verify", VERSION, status=1)["error"] == "release.none"
    assert answer(demo, "smoke", VERSION, status=1)["error"] == "release.none"


def test_checklist_has_a_state_for_every_line(demo, judged):
    said = answer(demo, "checklist", VERSION, status=1)
    assert len(said["lines"]) > 10
    for line in said["lines"]:
        assert {"id", "title", "state", "evidence"} <= set(line)
        assert isinstance(line["evidence"], list)
    assert len({line["id"] for line in said["lines"]}) == len(said["lines"])


def test_journal_is_whole_and_says_who(demo, built):
    said = answer(demo, "journal")
    assert said["ok"] is True
    kinds = [entry["event"]["type"] for entry in said["entries"]]
    assert "candidate.built" in kinds
    assert [entry["seq"] for entry in said["entries"]] == list(range(1, len(kinds) + 1))


def test_progress_goes_to_stderr_and_plain_words_to_stdout(demo, built):
    done = run(demo, "build", VERSION)
    assert done.returncode == 0
    assert done.stdout.startswith(f"candidate: {built['candidate']}\n".encode())
    assert b" %  " not in done.stdout
    assert b"100 %  " in done.stderr


# --- Texts in, findings out.


def test_scan_text_answers_line_by_line_with_places(demo):
    rows = [
        {"id": "a", "text": "Write to someone.invented@example.com today."},
        {"id": 7, "text": "Nothing to see here."},
    ]
    given = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    done = run(demo, "scan-text", given=given)
    assert done.returncode == 0, done.stderr[-500:]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in said] == ["a", 7]
    [span] = [span for span in said[0]["spans"] if span["entity"] == "EMAIL_ADDRESS"]
    assert set(span) == {"start", "end", "entity", "score"}
    assert rows[0]["text"][span["start"] : span["end"]] == "someone.invented@example.com"
    assert said[1]["spans"] == []


def test_near_duplicates_are_pairs_with_their_similarity(demo):
    long = "I keep the garden gate closed at night because the wind moves it and I cannot sleep"
    rows = [
        {"id": 1, "text": long + " at all."},
        {"id": 2, "text": long + " at all, ever."},
        {"id": 3, "text": "A wholly different thing about trains and their quiet drivers at dawn."},
    ]
    given = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    done = run(demo, "near-duplicates", "--threshold", "0.7", given=given)
    assert done.returncode == 0, done.stderr[-500:]
    [pair] = [json.loads(line) for line in done.stdout.splitlines()]
    assert {pair["a"], pair["b"]} == {1, 2}
    assert 0.7 <= pair["jaccard"] < 1


@pytest.mark.parametrize("line", [b"not json\n", b'{"id": 1}\n', b'["text"]\n'])
def test_a_line_that_is_no_text_is_refused_by_its_number(demo, line):
    good = b'{"id": 1, "text": "fine"}\n'
    done = run(demo, "near-duplicates", given=good + line)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"terminal.line" in done.stderr
    assert b"line 2" in done.stderr


# --- Usage and settings.


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["rate", "abc"],
        ["sign", "abc"],
        ["build"],
        ["build", VERSION, "--workers", "0"],
        ["near-duplicates", "--threshold", "2"],
        ["publish", "12345678", "--force"],
    ],
)
def test_wrong_usage_is_status_2_and_leaves_stdout_empty(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        terminal.main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().out == ""


def test_nobody_can_rate_or_sign_from_a_terminal(capsys):
    with pytest.raises(SystemExit):
        terminal.main(["--help"])
    commands = set(re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE))
    assert commands == {
        "probe",
        "inventory",
        "coverage",
        "build",
        "gates",
        "findings",
        "sample",
        "blockers",
        "publish",
        "abandon",
        "sweep",
        "verify",
        "smoke",
        "checklist",
        "journal",
        "scan-text",
        "near-duplicates",
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["coverage", "tomorrow"], "name.version"),
        (["build", "v2026-13-01"], "name.version"),
        (["checklist", "v1"], "name.version"),
        (["verify", ".."], "name.version"),
        (["gates", "abc"], "name.digest_prefix"),
    ],
)
def test_a_name_that_is_none_is_status_2(demo, words, code):
    assert answer(demo, *words, status=2)["error"] == code


def test_a_digest_nobody_built_is_status_1(demo):
    assert answer(demo, "blockers", "0" * 8, status=1)["error"] == "candidate.unknown"


def test_half_a_configuration_is_status_2_and_never_the_demo_bucket(tmp_path):
    half = {"DESK_WORKSPACE": str(tmp_path / "none"), "OVH_S3_ENDPOINT": "http://127.0.0.1:9"}
    said = answer(half, "inventory", status=2)
    assert said["error"] == "settings.half_configured"
    assert not (tmp_path / "none" / "bucket").exists()


def test_a_policy_that_is_none_is_status_2(tmp_path):
    (tmp_path / "policy.toml").write_text("not = [toml")
    wrong = {"DESK_WORKSPACE": str(tmp_path), "DESK_POLICY": str(tmp_path / "policy.toml")}
    assert answer(wrong, "inventory", status=2)["error"] == "policy.not_toml"


# --- A real bucket: from a signed candidate to a verified release.


def test_a_signed_candidate_is_tried_published_verified_and_consumed(rated):
    settings = environment(rated.bucket, rated.folder)
    short = rated.digest[:8]
    plans = answer(settings, "sample", short)
    assert set(plans) == {"clinician_foundation", "clinician_edge", "bias_foundation"}
    assert all(len(plan["records"]) >= plan["first"] for plan in plans.values())
    said = answer(settings, "publish", short, status=1)
    assert {item["code"] for item in said["blockers"]} >= {"signoff.absent"}

    road.sign_all(rated.bench, rated.digest)
    assert answer(settings, "blockers", short) == []
    trial = answer(settings, "publish", short, "--dry-run")
    assert trial["blockers"] == []
    assert answer(settings, "verify", VERSION, status=1)["error"] == "release.none"

    done = answer(settings, "publish", short)
    assert (done["published"], done["smoke"], done["version"]) == (True, True, VERSION)
    assert done["manifest"] == f"exports/releases/{VERSION}/manifest.json"
    listed = {file.key for file in rated.bench.desk.store.list(f"exports/releases/{VERSION}/")}
    assert {item["key"] for item in trial["objects"]} <= listed

    found = answer(settings, "verify", VERSION)
    assert (found["ok"], found["faults"], found["withdrawn"]) == (True, [], False)
    assert found["manifest_sha256"] == done["manifest_sha256"]
    smoke = answer(settings, "smoke", VERSION)
    assert smoke["passed"] is True
    lines = answer(settings, "checklist", VERSION)["lines"]
    assert {line["state"] for line in lines} <= {"done", "waived"}
    assert [line["id"] for line in lines if not line["evidence"]] == []
    said = rated.bench.releases.last_sheet(VERSION)
    closed = decode(rated.bench.releases.closing_sheet(VERSION))
    assert (said["lines"], said["open"]) == (len(lines), [])
    assert closed["manifest"] == done["manifest_sha256"]
    assert [(line["id"], line["state"], line["evidence"]) for line in closed["lines"]] == [
        (line["id"], line["state"], line["evidence"]) for line in lines
    ]
    assert answer(settings, "publish", short)["manifest_sha256"] == done["manifest_sha256"]


def test_an_unknown_outcome_is_status_3(signed, monkeypatch, capsysbinary):
    for name, value in environment(signed.bucket, signed.folder).items():
        monkeypatch.setenv(name, value)

    def lost(*_, **__):
        raise OutcomeUnknown("storage.outcome_unknown", "The bucket did not answer.", place="k")

    monkeypatch.setattr(Releases, "publish", lost)
    assert terminal.main(["publish", signed.digest, "--json"]) == 3
    assert json.loads(capsysbinary.readouterr().out)["error"] == "storage.outcome_unknown"


def test_a_fault_of_the_desk_says_its_kind_and_not_the_words(signed, monkeypatch, capsysbinary):
    for name, value in environment(signed.bucket, signed.folder).items():
        monkeypatch.setenv(name, value)

    def broken(*_, **__):
        raise KeyError("a secret of somebody")

    monkeypatch.setattr(Releases, "blockers", broken)
    assert terminal.main(["blockers", signed.digest, "--json"]) == 1
    caught = capsysbinary.readouterr()
    assert json.loads(caught.out)["error"] == "terminal.broken"
    assert b"secret of somebody" not in caught.out + caught.err
