"""The probe believes nothing it has not tried, and leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from core.settings import BucketSettings
from core.storage.ports import SystemClock
from core.storage.probe import ProbeReport, probe
from core.storage.s3 import S3Store

if TYPE_CHECKING:
    from core.storage.ports import Clock
    from tests.clock import FixedClock
    from tests.simulator import Simulator


def failed(report: ProbeReport) -> set[str]:
    return {check.name for check in report.checks if not check.ok}


def test_a_bucket_that_keeps_its_promises_passes_and_is_left_clean(
    simulator: Simulator, clock: FixedClock
) -> None:
    report = probe(simulator, clock, "exports/")
    assert report.ok
    assert failed(report) == set()
    assert len(report.checks) == 10
    assert simulator.keys() == []
    assert all(key.startswith("exports/_probe/") for _, key in simulator.calls if key)


@pytest.mark.seaweed
def test_the_embedded_server_keeps_its_promises(seaweed_store: S3Store) -> None:
    report = probe(seaweed_store, SystemClock(), "exports/")
    assert report.ok
    assert failed(report) == {"remembers_deleted", "object_lock"}
    assert list(seaweed_store.list("exports/")) == []


def test_moto_fails_the_probe_because_it_ignores_checksums(moto_store: S3Store) -> None:
    report = probe(moto_store, SystemClock(), "exports/")
    assert not report.ok
    assert failed(report) == {"checksum", "remembers_deleted", "object_lock"}
    assert list(moto_store.list("")) == []


def test_a_server_that_ignores_conditions_is_found_out(
    simulator: Simulator, clock: FixedClock
) -> None:
    simulator.honours_conditions = False
    report = probe(simulator, clock, "exports/")
    assert not report.ok
    assert failed(report) == {"write_once", "replace_only_if_same"}


def test_a_server_that_ignores_checksums_is_found_out(
    simulator: Simulator, clock: FixedClock
) -> None:
    simulator.checks_digests = False
    report = probe(simulator, clock, "exports/")
    assert not report.ok
    assert failed(report) == {"checksum"}
    assert simulator.keys() == []


@pytest.mark.parametrize("how", ["forbidden", "slow_down"])
def test_a_checksum_trial_that_fails_for_another_reason_proves_nothing(
    simulator: Simulator, clock: FixedClock, how: str
) -> None:
    simulator.fail(op="put_with_wrong_checksum", how=how)  # type: ignore[arg-type]
    assert failed(probe(simulator, clock, "exports/")) == {"checksum"}


@pytest.mark.parametrize(
    ("hours", "ok"), [(1, False), (-1, False), (24, False), (0.08, True), (-0.08, True), (0, True)]
)
def test_d17_a_clock_more_than_five_minutes_off_turns_publishing_off(
    simulator: Simulator, clock: FixedClock, hours: float, ok: bool
) -> None:
    simulator.skew = timedelta(hours=hours)
    report = probe(simulator, clock, "exports/")
    assert report.ok is ok
    assert failed(report) == (set() if ok else {"clock"})


def test_credentials_that_may_not_write_fail_in_plain_words(
    simulator: Simulator, clock: FixedClock
) -> None:
    simulator.readonly = True
    report = probe(simulator, clock, "exports/")
    assert not report.ok
    assert {"write", "write_once", "checksum"} <= failed(report)
    [write] = [check for check in report.checks if check.name == "write"]
    assert write.required
    assert "storage.forbidden" in write.detail


@pytest.mark.parametrize("op", ["put_if_absent", "put_if_match", "list", "get", "server_time"])
def test_an_error_is_never_a_pass(simulator: Simulator, clock: FixedClock, op: str) -> None:
    simulator.fail(op=op, how="error_500", times=None)
    assert not probe(simulator, clock, "exports/").ok


def test_credentials_that_may_not_delete_may_still_publish(
    simulator: Simulator, clock: FixedClock
) -> None:
    simulator.fail(op="delete", how="forbidden", times=None)
    report = probe(simulator, clock, "exports/")
    assert report.ok
    assert failed(report) == {"delete"}


def test_a_store_that_cannot_try_a_wrong_checksum_does_not_pass(
    simulator: Simulator, clock: FixedClock
) -> None:
    class Plain:
        def __getattr__(self, name: str) -> object:
            if name == "put_with_wrong_checksum":
                raise AttributeError(name)
            return getattr(simulator, name)

    report = probe(Plain(), clock, "exports/")  # type: ignore[arg-type]
    assert failed(report) == {"checksum"}


def test_two_probes_at_once_do_not_meet(simulator: Simulator) -> None:
    clock: Clock = simulator.clock
    assert probe(simulator, clock, "exports/").ok
    assert probe(simulator, clock, "exports/").ok


def test_nobody_at_the_endpoint_is_a_failed_probe_and_no_crash() -> None:
    settings = BucketSettings(
        endpoint="http://127.0.0.1:9", bucket="b", region="r", access_key="a", secret_key="s"
    )
    report = probe(S3Store(settings, connect_timeout=0.2), SystemClock(), "exports/")
    assert not report.ok
    assert all(not check.ok for check in report.checks if check.required)
