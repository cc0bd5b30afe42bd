"""The demo bucket is filled once, whatever interrupts it."""

from __future__ import annotations

import pytest

from core.demo.fill import MARKER, ensure_filled, is_filled
from core.demo.layout import demo_objects
from core.model.errors import KeyTaken
from core.model.progress import silent
from core.policy.load import load_policy
from tests.simulator import Simulator


def test_a_fresh_bucket_gets_every_object_byte_for_byte(simulator: Simulator) -> None:
    created = ensure_filled(simulator, silent)
    wanted = dict(demo_objects())
    assert created == len(wanted)
    for key, body in wanted.items():
        assert simulator.get(key, limit=10_000_000).body == body
    assert {item.key for item in simulator.list("")} == {*wanted, MARKER}


def test_filling_twice_writes_nothing_more(simulator: Simulator) -> None:
    ensure_filled(simulator, silent)
    assert ensure_filled(simulator, silent) == 0


def test_a_half_filled_bucket_is_completed(simulator: Simulator) -> None:
    first = list(demo_objects())[:7]
    for key, body in first:
        simulator.put_if_absent(key, body)
    assert not is_filled(simulator)
    assert ensure_filled(simulator, silent) == len(list(demo_objects())) - len(first)
    assert is_filled(simulator)


def test_a_lost_reply_does_not_stop_it(simulator: Simulator) -> None:
    simulator.fail(op="put_if_absent", nth=3, how="lost_reply")
    ensure_filled(simulator, silent)
    assert is_filled(simulator)


def test_somebody_elses_bytes_are_never_replaced(simulator: Simulator) -> None:
    key = next(key for key, body in demo_objects() if body)
    simulator.put_if_absent(key, b"mine")
    with pytest.raises(KeyTaken):
        ensure_filled(simulator, silent)
    assert not is_filled(simulator)
    assert simulator.get(key, limit=100).body == b"mine"


def test_progress_ends_where_it_said_it_would(simulator: Simulator) -> None:
    seen: list[tuple[int, int]] = []
    ensure_filled(simulator, lambda done, total, message: seen.append((done, total)))
    assert seen[-1] == (len(list(demo_objects())),) * 2


def test_the_marker_belongs_to_no_family() -> None:
    policy = load_policy(None, embedded=True)
    for family in policy.families:
        assert not MARKER.startswith((*family.prefixes, *family.aliases))
