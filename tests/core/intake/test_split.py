from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import sha256_hex
from core.intake.packed_digests import first_alike
from core.intake.split import Groups, name_groups, split_all
from core.model.dataset import SPLITS

SHARES = {"train": 0.9, "val": 0.05, "test": 0.05}


def split_of(digest):
    """The split of one group, by its digest in hex."""
    return SPLITS[int(split_all(np.array([int(digest[:16], 16)], np.uint64), SHARES)[0])]


def rows_of(*digests):
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), 16)


def test_splits_come_out_in_the_shares_asked_for():
    counts = Counter(split_of(sha256_hex(str(n).encode())) for n in range(20_000))
    assert 0.89 < counts["train"] / 20_000 < 0.91
    assert 0.04 < counts["val"] / 20_000 < 0.06
    assert 0.04 < counts["test"] / 20_000 < 0.06


def test_the_ends_of_the_range_belong_to_the_first_and_last_split():
    ends = np.array([0, 2**64 - 1], np.uint64)
    assert [SPLITS[side] for side in split_all(ends, SHARES)] == ["train", "test"]
    assert [SPLITS[side] for side in split_all(ends, {"train": 1.0})] == ["train", "train"]
    thirds = {"train": 0.333333333333, "test": 0.666666666666}
    assert [SPLITS[side] for side in split_all(ends, thirds)] == ["train", "test"]


@given(st.lists(st.integers(0, 6), max_size=30), st.randoms())
def test_groups_are_the_same_whatever_the_order_of_joining(keys, random):
    count = len(keys)
    one = Groups(count)
    one.join_alike(keys)
    links = [(i, j) for i in range(count) for j in range(count) if keys[i] == keys[j]]
    random.shuffle(links)
    other = Groups(count)
    for i, j in links:
        other.join(i, j)
    assert one.labels().tolist() == other.labels().tolist() == [keys.index(key) for key in keys]


def test_a_thing_without_a_key_joins_nothing():
    groups = Groups(3)
    groups.join_alike([None, None, "x"])
    assert groups.labels().tolist() == [0, 1, 2]
    assert Groups(0).labels().tolist() == []


def test_a_group_is_named_by_its_smallest_member_and_its_kind():
    a, b, c = (bytes([letter]) * 16 for letter in b"abc")
    found = name_groups("group", np.array([7, 3, 7]), rows_of(b, c, a))
    assert found.members.tolist() == [1, 0, 1]
    expected = [hashlib.sha256(b"group:" + smallest).hexdigest() for smallest in (c, a)]
    assert found.names == [name[:32] for name in expected]
    assert found.positions.tolist() == [int(name[:16], 16) for name in expected]
    other = name_groups("cluster", np.array([7, 3, 7]), rows_of(b, c, a))
    assert set(other.names).isdisjoint(found.names)


@given(st.lists(st.binary(min_size=16, max_size=16) | st.just(bytes(16)), max_size=12))
def test_the_first_of_what_is_alike_is_found(digests):
    heads, places = first_alike(rows_of(*digests))
    firsts = [digests.index(digest) for digest in digests]
    assert heads.tolist() == sorted(set(firsts))
    assert heads[places].tolist() == firsts
