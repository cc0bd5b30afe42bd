from __future__ import annotations

import csv
import dataclasses
import os
import random
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from core.intake.near import (
    banding,
    expect_missed,
    find_pairs,
    label_clusters,
    near_duplicate_pairs,
    sketch_in_batches,
)
from core.intake.text import digest_text
from core.model.errors import IntakeError
from tests.builders import a_policy, a_text

RULE = a_policy().near_duplicates
_BESIDE = Path(__file__).resolve().parents[4] / "shared/data"
SHARED = Path(os.environ.get("RELEASE_DESK_SHARED") or _BESIDE)


def some_texts(seed: int = 7) -> list[str]:
    """600 texts: 200 families of an original, an edited copy and a copy, or a stranger."""
    pick = random.Random(seed)
    texts: list[str] = []
    for family in range(200):
        original = a_text(f"near-{family}", sentences=pick.randint(3, 14))
        words = original.split()
        edits = pick.randint(1, max(2, len(words) // 12))
        changed = list(words)
        for place in pick.sample(range(len(words)), edits):
            changed[place] = f"other{place}"
        extra = pick.choice([original.upper(), " ".join(words[: len(words) * 9 // 10]), original])
        texts += [original, " ".join(changed), extra]
    pick.shuffle(texts)
    return texts


def grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + 5]) for start in range(max(1, len(words) - 4))}


def brute_force(texts: list[str]) -> dict[tuple[int, int], float]:
    sets = [grams(text) for text in texts]
    return {
        (i, j): len(sets[i] & sets[j]) / len(sets[i] | sets[j])
        for i, j in combinations(range(len(texts)), 2)
        if sets[i] & sets[j]
    }


def test_every_pair_that_brute_force_finds_is_found_and_no_other():
    texts = some_texts()
    truth = {pair: value for pair, value in brute_force(texts).items() if value >= 0.8}
    assert len(truth) > 250
    assert sum(value < 0.95 for value in truth.values()) > 80
    found = {(i, j): value for i, j, value in near_duplicate_pairs(texts, RULE)}
    assert set(found) <= set(truth)
    assert len(found) >= 0.995 * len(truth)
    assert all(found[pair] == pytest.approx(truth[pair]) for pair in found)


@pytest.mark.parametrize("threshold", [0.5, 0.9])
def test_another_threshold_is_served_as_well(threshold):
    texts = some_texts(seed=11)[:300]
    truth = {pair for pair, value in brute_force(texts).items() if value >= threshold}
    found = {(i, j) for i, j, _ in near_duplicate_pairs(texts, RULE, threshold)}
    assert found <= truth
    assert len(found) >= 0.99 * len(truth) > 0


def test_the_pairs_do_not_depend_on_the_order_of_the_texts():
    texts = some_texts()
    order = list(range(len(texts)))
    random.Random(3).shuffle(order)
    straight = {(texts[i], texts[j], value) for i, j, value in near_duplicate_pairs(texts, RULE)}
    shuffled = near_duplicate_pairs([texts[place] for place in order], RULE)
    turned = {(texts[order[i]], texts[order[j]], value) for i, j, value in shuffled}
    both_ways = {frozenset(pair[:2]) for pair in straight}
    assert both_ways == {frozenset(pair[:2]) for pair in turned}
    assert len(straight) > 100


def test_all_pairs_of_identical_texts_are_named_in_input_order():
    text = a_text("same", sentences=4)
    pairs = near_duplicate_pairs([text, a_text("else", 4), text.upper(), text], RULE)
    assert pairs == [(0, 2, 1.0), (0, 3, 1.0), (2, 3, 1.0)]


def test_blank_and_wordless_texts_are_no_pairs_unless_they_are_identical():
    assert near_duplicate_pairs(["?!", "...", "", ""], RULE) == [(2, 3, 1.0)]
    assert near_duplicate_pairs([], RULE) == []
    assert near_duplicate_pairs(["one text alone"], RULE) == []


def test_nearly_the_same_chinese_is_a_pair():
    base = (
        "今天天气真好我们去公园散步然后在湖边喝茶聊天看看远处的山和云直到太阳下山才慢慢走回家吃晚饭"
    )
    [(i, j, value)] = near_duplicate_pairs(
        [base, base[:-1] + "面", "完全不同的一句话说的是别的事情"], RULE
    )
    assert (i, j) == (0, 1)
    assert 0.8 <= value < 1


def test_a_crowded_bucket_is_capped_and_says_so():
    base = a_text("template", sentences=30)
    texts = [f"{base} and finally number{place}" for place in range(40)]
    keys = [digest_text(text) for text in texts]
    signatures, counts = sketch_in_batches(texts, RULE)
    tight = dataclasses.replace(RULE, bucket_cap=5)

    def pairs_under(rule):
        return find_pairs(keys, signatures, counts, lambda some: [texts[i] for i in some], rule)

    capped, whole = pairs_under(tight), pairs_under(RULE)
    assert whole.capped_buckets == 0
    assert len(whole.low) == 40 * 39 // 2
    assert capped.capped_buckets > 0
    assert capped.largest_bucket == 40
    assert len(capped.low) < len(whole.low)
    labels = label_clusters(capped.low, capped.high, 40)
    assert len(set(labels.tolist())) == 1


def test_lower_thresholds_get_shorter_bands():
    assert banding(RULE, 0.8) == (21, 6)
    assert banding(RULE, 0.95) == (21, 6)
    bands, rows = banding(RULE, 0.5)
    assert rows < 6
    assert bands * rows <= 128


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01])
def test_a_threshold_that_is_no_similarity_is_refused(threshold):
    with pytest.raises(IntakeError, match=r"intake\.threshold"):
        near_duplicate_pairs(["a", "b"], RULE, threshold)


@pytest.mark.slow
def test_answers_that_real_people_repeated_are_all_found():
    file = SHARED / "permissive/A_dialogue/counsel-chat"
    file /= "20200325_counsel_chat.no_therapist_cols.csv"
    if not file.is_file():
        pytest.skip("the shared data are not here")
    csv.field_size_limit(1 << 24)
    with file.open(encoding="utf-8", newline="") as lines:
        texts = [row["answerText"] for row in csv.DictReader(lines)]
    sets = [grams(text) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    for place, found in enumerate(sets):
        for gram in found:
            holders.setdefault(gram, []).append(place)
    sharing = {pair for places in holders.values() for pair in combinations(places, 2)}
    truth = {(i, j) for i, j in sharing if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8}
    assert len(truth) > 100
    assert {(i, j) for i, j, _ in near_duplicate_pairs(texts, RULE)} == truth


def test_the_pairs_expected_to_be_missed_are_as_many_as_chance_misses():
    rule = a_policy().near_duplicates
    pick = np.random.default_rng(4)
    similar = pick.uniform(0.5, 0.9, 40_000)
    agree = pick.random((len(similar), rule.bands, rule.rows)) < similar[:, None, None]
    found = agree.all(axis=2).any(axis=1)
    missed = int((~found).sum())
    assert missed > 1_000
    assert expect_missed(similar[found], rule) == pytest.approx(missed, rel=0.05)
    assert expect_missed(np.empty(0), rule) == 0
