from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.canonical import sha256_hex
from core.intake.split import Groups, group_digest, split_of

SHARES = {"train": 0.9, "val": 0.05, "test": 0.05}


def test_splits_come_out_in_the_shares_asked_for():
    counts = Counter(split_of(sha256_hex(str(n).encode()), SHARES) for n in range(20_000))
    assert 0.89 < counts["train"] / 20_000 < 0.91
    assert 0.04 < counts["val"] / 20_000 < 0.06
    assert 0.04 < counts["test"] / 20_000 < 0.06


def test_the_ends_of_the_range_belong_to_the_first_and_last_split():
    assert split_of("0" * 64, SHARES) == "train"
    assert split_of("f" * 64, SHARES) == "test"
    assert split_of("f" * 64, {"train": 1.0}) == "train"
    assert split_of("f" * 64, {"train": 0.333333333333, "test": 0.666666666666}) == "test"


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
    assert group_digest("group", [b"b", b"a"]) == group_digest("group", [b"a", b"c"])
    assert group_digest("group", [b"a"]) != group_digest("cluster", [b"a"])
