"""On real dialogues, every pair that brute force finds is found, band by band, and no other."""

from __future__ import annotations

import csv
import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from datasketch import MinHash, MinHashLSH

from core.intake.kernel import SCHEME
from core.intake.near import near_duplicate_pairs, sketch_in_batches
from core.intake.text import digest_text
from tests.builders import a_policy, a_text

RULE = a_policy().near_duplicates
_BESIDE = Path(__file__).resolve().parents[4] / "shared/data"
SHARED = Path(os.environ.get("RELEASE_DESK_SHARED") or _BESIDE)
SETS = {
    "counsel-chat": "permissive/A_dialogue/counsel-chat",
    "aci-bench": "permissive/A_dialogue/aci-bench",
    "mts-dialog": "permissive/A_dialogue/mts-dialog",
    "mts-backtranslation": "permissive/C_neardup/mts-backtranslation",
    "topical-chat": "sharealike/C_neardup/topical-chat-asr",
}
BANDS = ((0.8, 0.85), (0.85, 0.9), (0.9, 0.95), (0.95, 1.01))
_LEAST = 80
Grams = frozenset[tuple[str, ...]]


def grams(text: str) -> Grams:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4)))


def brute_force(texts: list[str]) -> dict[tuple[int, int], float]:
    """The exact similarity of every pair that shares a 5-gram."""
    sets = [grams(text) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    for place, found in enumerate(sets):
        for gram in found:
            holders.setdefault(gram, []).append(place)
    shared: Counter[tuple[int, int]] = Counter()
    for places in holders.values():
        shared.update(combinations(places, 2))
    return {
        (i, j): count / (len(sets[i]) + len(sets[j]) - count) for (i, j), count in shared.items()
    }


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a JSON document with the name of the field it stands in."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                yield name, item
            else:
                yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def texts_of(folder: Path) -> list[str]:
    """Long texts of a set's CSV columns; of JSON the turns of a dialogue, field by field."""
    texts: list[str] = []
    csv.field_size_limit(1 << 24)
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                texts += [text for text in row.values() if isinstance(text, str)]
    for path in sorted(folder.rglob("*.json")):
        for dialogue in json.loads(path.read_text(encoding="utf-8")).values():
            by_field: dict[str, list[str]] = {}
            for name, text in strings(dialogue):
                by_field.setdefault(name, []).append(text)
            texts += [" ".join(said) for said in by_field.values()]
    ascii_ones = (text for text in texts if len(text) >= _LEAST and text.isascii())
    return list(ascii_ones)


def with_edited_copies(texts: list[str], seed: int = 3) -> list[str]:
    """The texts, and of every second one a copy with a few words changed."""
    pick = random.Random(seed)
    edited = []
    for text in texts[::2]:
        words = text.split()
        for place in pick.sample(
            range(len(words)), min(len(words), pick.randint(1, max(1, len(words) // 40)))
        ):
            words[place] = f"altered{place}"
        edited.append(" ".join(words))
    return texts + edited


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_recall_by_band_and_precision_on_real_texts(name: str) -> None:
    folder = SHARED / SETS[name]
    if not folder.is_dir():
        pytest.skip("the shared data are not here")
    texts = with_edited_copies(texts_of(folder))
    assert len(texts) > 100
    truth = {pair: value for pair, value in brute_force(texts).items() if value >= 0.8}
    found = {(i, j): value for i, j, value in near_duplicate_pairs(texts, RULE)}
    told = []
    for low, high in BANDS:
        band = {pair for pair, value in truth.items() if low <= value < high}
        told.append(f"{low:.2f}: {len(band & set(found))}/{len(band)}")
    print(f"{name}: {len(texts)} texts, {len(truth)} pairs; " + ", ".join(told))
    assert len(truth) > 20
    # Precision is 1: what is found was compared exactly. Twice the same text is a pair without
    # a word of its own, which brute force over words cannot see.
    assert {pair for pair in found if texts[pair[0]] != texts[pair[1]]} <= set(truth)
    assert len(set(truth) & set(found)) >= 0.995 * len(truth)


def test_the_pairs_are_those_that_the_librarys_own_index_proposes() -> None:
    texts = with_edited_copies([a_text(f"lsh-{n}", sentences=8) for n in range(150)])
    firsts = list({digest_text(text): text for text in texts}.values())
    signatures, _ = sketch_in_batches(firsts, RULE)
    index = MinHashLSH(params=(RULE.bands, RULE.rows), num_perm=RULE.permutations)
    hashes = [
        MinHash(num_perm=RULE.permutations, seed=RULE.seed, hashvalues=row, scheme=SCHEME)
        for row in signatures
    ]
    for number, minhash in enumerate(hashes):
        index.insert(str(number), minhash)
    sets = [grams(text) for text in firsts]
    proposed = {
        (min(number, int(other)), max(number, int(other)))
        for number, minhash in enumerate(hashes)
        for other in index.query(minhash)
        if int(other) != number
    }
    expected = {
        (i, j) for i, j in proposed if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8
    }
    found = {(i, j) for i, j, _ in near_duplicate_pairs(firsts, RULE)}
    assert found == expected
    assert len(found) > 30
