"""put_once under every fault: created, the same, taken, or unknown; never a wrong answer."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from core.model.errors import Forbidden, KeyTaken, OutcomeUnknown, StorageError
from core.storage.put_once import put_once

if TYPE_CHECKING:
    from tests.simulator import How, Simulator

KEY, BODY = "exports/thing", b"the very bytes"
LOST: list[How] = ["lost_reply", "retried_reply"]
NOT_DONE: list[How] = ["error_500", "slow_down", "conflict_409", "reset", "timeout"]


def put(simulator: Simulator, body: bytes = BODY, **more: int) -> str:
    return put_once(simulator, KEY, body, sleep=lambda _: None, jitter=lambda: 0.5, **more)


def test_a_quiet_put_is_created_with_a_single_request(simulator: Simulator) -> None:
    assert put(simulator) == "created"
    assert simulator.calls == [("put_if_absent", KEY)]


def test_putting_the_same_bytes_again_is_the_same(simulator: Simulator) -> None:
    put(simulator)
    assert put(simulator) == "same"
    assert simulator.versions(KEY) == 1


@pytest.mark.parametrize("held", [b"other", b"the very bytez", b"the very bytes and more", b""])
def test_other_bytes_at_the_key_are_never_taken_for_ours(simulator: Simulator, held: bytes) -> None:
    simulator.put(KEY, held)
    with pytest.raises(KeyTaken) as caught:
        put(simulator)
    assert (caught.value.code, caught.value.place) == ("storage.key_taken", KEY)
    assert simulator.body(KEY) == held


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("times", [1, None])
def test_d7_a_lost_reply_is_settled_by_reading_the_key(
    simulator: Simulator, how: How, times: int | None
) -> None:
    simulator.fail(op="put_if_absent", how=how, times=times)
    assert put(simulator) == "same"
    assert simulator.body(KEY) == BODY
    assert simulator.versions(KEY) == 1
    assert simulator.fired >= 1


@pytest.mark.parametrize("how", NOT_DONE)
@pytest.mark.parametrize("times", [1, 3, 5])
def test_d8_a_failure_that_passes_ends_created(simulator: Simulator, how: How, times: int) -> None:
    simulator.fail(op="put_if_absent", how=how, times=times)
    assert put(simulator) == "created"
    assert simulator.body(KEY) == BODY
    assert simulator.fired == times


@pytest.mark.parametrize("how", NOT_DONE)
def test_d8_a_failure_that_stays_is_unknown_and_never_failed(
    simulator: Simulator, how: How
) -> None:
    simulator.fail(op="put_if_absent", how=how, times=None)
    with pytest.raises(OutcomeUnknown) as caught:
        put(simulator)
    assert caught.value.exit_status == 3
    assert (caught.value.code, caught.value.place) == ("storage.outcome_unknown", KEY)
    assert simulator.count("put_if_absent") == 6


@pytest.mark.parametrize("how", NOT_DONE)
def test_d8_an_unknown_outcome_is_settled_by_putting_again(simulator: Simulator, how: How) -> None:
    simulator.fail(op="put_if_absent", how="lost_reply")
    simulator.fail(op="put_if_absent", how=how, nth=2, times=None)
    simulator.fail(op="get", how=how, times=None)
    with pytest.raises(OutcomeUnknown):
        put(simulator)
    simulator.heal()
    assert put(simulator) == "same"
    assert simulator.versions(KEY) == 1


def test_d8_every_pair_of_faults_ends_with_the_bytes_or_unknown(simulator: Simulator) -> None:
    faults: list[How] = [*LOST, *NOT_DONE]
    places = [(op, nth) for op in ("put_if_absent", "get") for nth in (1, 2, 3)]
    struck = 0
    for first, second in itertools.product(itertools.product(places, faults), repeat=2):
        simulator.forget(KEY)
        simulator.heal()
        for (op, nth), how in (first, second):
            simulator.fail(op=op, nth=nth, how=how)
        assert put(simulator) in ("created", "same")
        assert simulator.body(KEY) == BODY
        assert simulator.versions(KEY) == 1
        struck += simulator.fired
    assert struck > 500


def test_d10_forbidden_stops_at_once(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="forbidden", times=None)
    with pytest.raises(Forbidden) as caught:
        put(simulator)
    assert caught.value.code == "storage.forbidden"
    assert simulator.count("put_if_absent") == 1


def test_d10_forbidden_after_a_doubtful_try_is_not_called_a_failure(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="timeout")
    simulator.fail(op="put_if_absent", how="forbidden", nth=2, times=None)
    with pytest.raises(OutcomeUnknown) as caught:
        put(simulator)
    assert caught.value.place == KEY
    assert simulator.count("put_if_absent") == 2


def test_forbidden_after_a_try_that_landed_unheard_is_settled_by_the_key(
    simulator: Simulator,
) -> None:
    simulator.fail(op="put_if_absent", how="lost_reply")
    simulator.fail(op="get", how="timeout")
    simulator.fail(op="put_if_absent", how="forbidden", nth=2, times=None)
    assert put(simulator) == "same"
    assert simulator.versions(KEY) == 1


def test_a_key_that_may_not_be_read_leaves_the_outcome_unknown(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="lost_reply", times=None)
    simulator.fail(op="get", how="forbidden", times=None)
    with pytest.raises(OutcomeUnknown):
        put(simulator)


def test_d11_bytes_altered_behind_a_lost_reply_are_not_taken_for_ours(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", how="flip_byte")
    simulator.fail(op="put_if_absent", how="timeout", nth=2)
    put(simulator)
    with pytest.raises(KeyTaken):
        put(simulator)


def test_d12_a_short_body_is_never_compared_as_if_it_were_whole(simulator: Simulator) -> None:
    put(simulator)
    simulator.fail(op="get", how="short_body")
    assert put(simulator) == "same"


def test_tries_are_counted_and_waits_grow_between_them_only(simulator: Simulator) -> None:
    waits: list[float] = []
    simulator.fail(op="put_if_absent", how="error_500", times=None)
    with pytest.raises(OutcomeUnknown):
        put_once(simulator, KEY, BODY, tries=4, sleep=waits.append, jitter=lambda: 0.999)
    assert len(waits) == 3
    assert waits == sorted(waits)
    assert max(waits) < 1


def test_a_race_of_equal_bytes_converges(simulator: Simulator) -> None:
    simulator.when(op="put_if_absent", do=lambda: simulator.put(KEY, BODY))
    assert put(simulator) == "same"


def test_a_race_of_different_bytes_has_one_winner(simulator: Simulator) -> None:
    def write(number: int) -> str:
        try:
            return put(simulator, b"body %d" % number)
        except KeyTaken:
            return "taken"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert outcomes.count("created") == 1
    assert outcomes.count("taken") == 7


def test_no_error_shows_the_bytes(simulator: Simulator) -> None:
    simulator.put(KEY, b"somebody's secret")
    with pytest.raises(StorageError) as caught:
        put(simulator)
    assert "secret" not in str(caught.value)
    assert "very" not in str(caught.value)
