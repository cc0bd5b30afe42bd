"""The smoke test passes only on a release a trainer could really read, from the bucket alone."""

from __future__ import annotations

import json

import pytest

from core.model.errors import NoSuchRelease
from core.model.names import Version
from core.release.consume import open_release
from core.release.publish import publish_release
from core.release.smoke import run_isolated, smoke_release
from core.settings import BucketSettings
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
    assert evidence["isolated"] == {"home": "empty", "left_in_home": 0}
    assert moto_settings.secret_key not in json.dumps(evidence)
    with pytest.raises(NoSuchRelease):
        run_isolated(settings, Version("v2020-01-01"), exports=PREFIX)
