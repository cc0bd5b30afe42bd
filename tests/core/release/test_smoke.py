"""The smoke test passes only on a release a trainer could really read, from the bucket alone."""

from __future__ import annotations

import json

import pytest

from core.model.errors import NoSuchRelease
from core.model.names import Version
from core.release.consume import open_release
from core.release.publish import publish_release
from core.release.smoke import may_write, run_isolated, smoke_release
from core.settings import BucketSettings
from core.storage.embedded import ensure_running, read_only_settings
from core.storage.s3 import S3Store
from tests.builders import PREFIX, a_row, count_tokens, some_messages
from tests.release_builders import no_wait, some_inputs

VERSION = Version("v2026-11-21")


def smoke(store):
    return smoke_release(store, VERSION, exports=PREFIX, sleep=no_wait)


def test_every_row_is_rendered_and_counted(simulator):
    publish_release(some_inputs(simulator))
    evidence = smoke(simulator)

    assert evidence["ok"]
    assert evidence["rows"] == evidence["groups"] == 9
    expected = sum(
        count_tokens(
            "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in row["messages"])
        )
        for row in open_release(simulator, VERSION, exports=PREFIX).iterate("test")
    )
    assert evidence["families"]["priority"]["test"]["tokens"] == expected
    assert set(evidence["families"]["edge_cases"]) == {"train"}
    assert evidence["families"]["priority"]["train"]["batch"]["rows"] == 4


def test_rows_too_long_for_a_context_are_counted(simulator):
    long = [{"role": "user", "content": "word " * 3000}, {"role": "assistant", "content": "Yes."}]
    rows = [a_row(long), a_row(some_messages("short"))]
    publish_release(some_inputs(simulator, rows={("priority", "train"): rows}))

    cut = smoke(simulator)["families"]["priority"]["train"]["truncated"]
    assert cut["2048"] == {"rows": 1, "share": 0.5}
    assert cut["4096"] == {"rows": 0, "share": 0.0}


def test_a_reply_that_is_empty_fails(simulator):
    silent = [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": " "}]
    publish_release(some_inputs(simulator, rows={("priority", "train"): [a_row(silent)]}))
    evidence = smoke(simulator)
    assert not evidence["ok"]
    assert evidence["faults"][0].startswith("smoke.empty_reply ")


def test_it_runs_in_a_process_that_has_only_the_bucket(moto_store, moto_settings, monkeypatch):
    publish_release(some_inputs(moto_store))
    monkeypatch.setenv("DESK_WORKSPACE", "/nonexistent/workspace")
    settings = BucketSettings(
        endpoint=moto_settings.endpoint,
        bucket=moto_store.bucket,
        region=moto_settings.region,
        access_key=moto_settings.access_key,
        secret_key=moto_settings.secret_key,
    )
    evidence = run_isolated(settings, VERSION, exports=PREFIX)

    assert evidence["ok"]
    assert evidence["rows"] == 9
    assert evidence["isolated"]["left_in_home"] == 0
    assert evidence["isolated"]["workspace"] == "not told"
    # The test's key may do everything, and the evidence does not hide it.
    assert evidence["read_only"] is False
    assert moto_settings.secret_key not in json.dumps(evidence)
    with pytest.raises(NoSuchRelease):
        run_isolated(settings, Version("v2020-01-01"), exports=PREFIX)


def test_a_record_on_two_sides_of_a_split_fails(simulator):
    said = some_messages("the same words")
    rows = {
        ("priority", "train"): [a_row(said, group_id="one")],
        ("priority", "test"): [a_row(said, split="test", group_id="two")],
    }
    publish_release(some_inputs(simulator, rows=rows))
    evidence = smoke(simulator)
    assert not evidence["ok"]
    assert [fault.split()[0] for fault in evidence["faults"]] == ["smoke.record_parted"]


def test_each_phase_gives_rows_of_each_family_by_its_share(simulator):
    publish_release(some_inputs(simulator))
    evidence = smoke(simulator)
    drawn, weights = evidence["drawn"]["curriculum"], evidence["weights"]["curriculum"]
    assert sum(drawn.values()) == 64
    for family, weight in weights.items():
        assert abs(drawn[family] - 64 * weight) < 1
    assert evidence["rows"] == evidence["expected"]


def test_a_batch_is_a_rectangle_of_tokens(simulator):
    long, short = some_messages("long", turns=8), some_messages("short", turns=2)
    rows = {("priority", "train"): [a_row(long), a_row(short)]}
    publish_release(some_inputs(simulator, rows=rows))
    cell = smoke(simulator)["families"]["priority"]["train"]
    batch = cell["batch"]
    assert batch["rows"] == 2
    assert batch["width"] == cell["longest"]
    assert batch["pads"] == 2 * cell["longest"] - cell["tokens"] > 0


def test_a_key_that_could_write_is_told_from_one_that_may_only_read(simulator):
    publish_release(some_inputs(simulator))
    key = f"{PREFIX}releases/{VERSION}/manifest.json"
    before = simulator.body(key)
    assert may_write(simulator, VERSION, exports=PREFIX)
    simulator.fail(op="put_if_match", nth=1, how="forbidden")
    assert not may_write(simulator, VERSION, exports=PREFIX)
    assert simulator.body(key) == before


@pytest.mark.seaweed
def test_on_the_demo_bucket_the_reading_key_may_not_write(seaweed_workspace):
    settings = read_only_settings(seaweed_workspace)
    owner = S3Store(ensure_running(seaweed_workspace))
    publish_release(some_inputs(owner, version="v2031-01-01"))
    evidence = run_isolated(settings, Version("v2031-01-01"), exports=PREFIX)
    assert evidence["ok"]
    assert evidence["read_only"] is True
    assert not any(name.startswith("DESK_") for name in evidence["isolated"]["environment"])
