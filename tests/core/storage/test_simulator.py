"""The simulator misbehaves exactly as told: a fault that never struck would prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.model.errors import Exists, Forbidden, StorageError, Transient

if TYPE_CHECKING:
    from tests.simulator import How, Simulator


def test_a_fault_strikes_the_nth_call_and_no_other(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", nth=2, how="error_500")
    simulator.put_if_absent("a", b"1")
    with pytest.raises(Transient):
        simulator.put_if_absent("b", b"2")
    simulator.put_if_absent("b", b"2")
    assert simulator.fired == 1


def test_any_counts_every_operation(simulator: Simulator) -> None:
    simulator.fail(op="any", nth=3, how="reset")
    simulator.put_if_absent("a", b"1")
    simulator.get("a", limit=9)
    with pytest.raises(Transient):
        list(simulator.list(""))


def test_a_fault_may_be_kept_to_one_key(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", key="b", how="forbidden", times=None)
    simulator.put_if_absent("a", b"1")
    for _ in range(2):
        with pytest.raises(Forbidden):
            simulator.put_if_absent("b", b"2")
    assert simulator.keys() == ["a"]


@pytest.mark.parametrize(
    ("how", "landed", "kind"),
    [
        ("lost_reply", True, Transient),
        ("retried_reply", True, Exists),
        ("error_500", False, Transient),
        ("slow_down", False, Transient),
        ("reset", False, Transient),
        ("timeout", False, Transient),
        ("conflict_409", False, Transient),
        ("forbidden", False, Forbidden),
    ],
)
def test_each_fault_lands_or_does_not(
    simulator: Simulator, how: How, landed: bool, kind: type[StorageError]
) -> None:
    simulator.fail(op="put_if_absent", how=how)
    with pytest.raises(kind):
        simulator.put_if_absent("a", b"1")
    assert simulator.keys() == (["a"] if landed else [])


def test_d11_bytes_flipped_on_the_way_in_stay_flipped(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="flip_byte")
    simulator.put_if_absent("a", b"1234")
    assert simulator.get("a", limit=9).body == b"0234"


def test_bytes_flipped_on_the_way_out_come_right_at_the_next_read(simulator: Simulator) -> None:
    simulator.put("a", b"1234")
    simulator.fail(op="stream", how="flip_byte")
    assert b"".join(simulator.stream("a")) == b"0234"
    assert b"".join(simulator.stream("a")) == b"1234"


def test_d12_a_short_body_gives_its_half_and_then_breaks(simulator: Simulator) -> None:
    simulator.put("a", b"12345678")
    simulator.fail(op="stream", how="short_body")
    received: list[bytes] = []
    with pytest.raises(Transient):
        received.extend(simulator.stream("a"))
    simulator.fail(op="get", how="silent_short_body")
    assert simulator.get("a", limit=9).body == b"1234"


def test_a_listing_is_one_call_a_page_and_a_fault_may_strike_the_second(
    simulator: Simulator,
) -> None:
    for number in range(1500):
        simulator.put(f"{number:04d}", b"")
    simulator.fail(op="list", nth=2, how="slow_down")
    received = []
    with pytest.raises(Transient):
        received.extend(found.key for found in simulator.list(""))
    assert simulator.count("list") == 2


def test_an_action_runs_just_before_the_call_it_waits_for(simulator: Simulator) -> None:
    simulator.when(op="put_if_absent", do=lambda: simulator.put("a", b"theirs"))
    with pytest.raises(Exists):
        simulator.put_if_absent("a", b"ours")
    assert simulator.body("a") == b"theirs"


def test_versions_are_counted_without_delete_markers(simulator: Simulator) -> None:
    simulator.put("a", b"1")
    simulator.delete("a")
    simulator.put_if_absent("a", b"2")
    assert simulator.versions("a") == 2
