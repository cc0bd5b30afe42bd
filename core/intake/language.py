"""The language of a text is guessed from its script and its commonest words, or left open."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from core.intake.compiled import compiled
from core.intake.utf8 import Table, eight_at, join_bodies, letters_end

UNKNOWN = "und"
_SAMPLE = 4000
_LEAST_HITS = 3
_LEAST_SHARE = 0.08

_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "THAI": "th",
    "ARABIC": "ar",
    "HEBREW": "he",
    "GREEK": "el",
    "DEVANAGARI": "hi",
    "CYRILLIC": "ru",
}
_COMMON = {
    "en": "the and you that have with what this are was not for but your feel they about can",
    "es": (
        "de la en del se y al que los las una por para con está pero muy como más "
        "estoy cuando también tengo qué el"
    ),
    "fr": (
        "de la en le et du les des une est pas vous que pour dans avec mais je "
        "suis cette c'est nous qui sur"
    ),
    "de": "der die das und ist nicht ich mit ein eine auch sie auf für wenn haben habe wie",
    "pt": (
        "de da do em e que não uma você com para mas muito estou como isso também "
        "quando meu minha ele são"
    ),
    "it": (
        "di la il e del che non una per con sono come anche questo quando molto "
        "della mio mia ma più gli cosa"
    ),
    "nl": "de en van het een ik niet dat met voor maar zijn ook heb wat als mijn naar omdat bij",
}
_LANGUAGES: dict[str, list[str]] = {}
for _language, _words in _COMMON.items():
    for _word in _words.split():
        _LANGUAGES.setdefault(_word, []).append(_language)
_SENTENCE = re.compile(r"\n+|(?<=[.!?])\s+")
_LEAST_ENGLISH = 200
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_NOT_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
# A common word of ASCII letters fits into eight bytes; the table is four times as long as full.
_WORD_BYTES = 8
_SLOTS = 1024
_NAMES = tuple(_COMMON)


def language_of(text: str) -> str:
    """Return an ISO 639-1 code, or `und` where script and common words do not settle it."""
    return languages_of([text])[0]


def languages_of(texts: Sequence[str]) -> list[str]:
    """Return the language of each text; its first 4,000 characters decide."""
    found: list[str] = []
    plain: list[bytes] = []
    for text in texts:
        sample = text[:_SAMPLE]
        body, language = sample, ""
        if not sample.isascii():
            beyond = "".join(_BEYOND_ASCII.findall(sample))
            # Quotes and dashes are no letters of any script, and no part of a word.
            if any(sign.isalnum() for sign in beyond):
                language = _read_slowly(sample.lower())
            body = _BEYOND_ASCII.sub(" ", sample)
        plain.append(b"" if language else body.encode())
        found.append(language)
    _, data, bounds = join_bodies(plain)
    words = np.zeros(len(plain), np.int64)
    hits = np.zeros((len(plain), len(_NAMES)), np.int64)
    _count_words(data, bounds, *_common_words(), words, hits)
    rows = zip(found, words.tolist(), hits.tolist(), strict=True)
    return [known or _settle(count, row) for known, count, row in rows]


def _read_slowly(sample: str) -> str:
    """Return the language of a lowered sample with letters beyond ASCII."""
    script = _script_language(sample)
    if script is not None:
        return script
    words = _WORD.findall(sample)
    hits: Counter[str] = Counter()
    for word, times in Counter(words).items():
        for language in _LANGUAGES.get(word, ()):
            hits[language] += times
    return _settle(len(words), [hits[name] for name in _NAMES])


def _settle(words: int, hits: list[int]) -> str:
    most = max(hits)
    if most < max(_LEAST_HITS, _LEAST_SHARE * words) or hits.count(most) > 1:
        return UNKNOWN
    return _NAMES[hits.index(most)]


@compiled
def _word_end(data: Any, at: Any, stop: Any) -> Any:
    """Return where the word at `at` ends; an apostrophe between letters belongs to it, once."""
    end = letters_end(data, at, stop)
    if end + 1 < stop and data[end] == 0x27:
        after = letters_end(data, end + 1, stop)
        if after > end + 1:
            return after
    return end


@compiled
def _count_words(data: Any, bounds: Any, keys: Any, votes: Any, words: Any, hits: Any) -> Any:
    """Count the words of each ASCII text, and those of each language's common ones.

    The data goes on for `core.intake.utf8.PAD` after the last text.
    """
    for text in range(bounds.size - 1):
        at, stop = bounds[text], bounds[text + 1]
        while at < stop:
            end = _word_end(data, at, stop)
            size = end - at
            at = end + 1  # what stands after a word begins none
            if size == 0:
                continue
            words[text] += 1
            if size > 8:
                continue
            # Letters made small; an apostrophe has that bit already.
            key = eight_at(data, end - size) | np.uint64(0x2020202020202020)
            if size < 8:
                key &= (np.uint64(1) << np.uint64(8 * size)) - np.uint64(1)
            slot = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(54))
            while keys[slot] and keys[slot] != key:
                slot = (slot + 1) & 1023
            if keys[slot]:
                hits[text] += votes[slot]


@cache
def _common_words() -> tuple[Table, Table]:
    """Return the common words of ASCII letters by slot, and whose they are."""
    keys = np.zeros(_SLOTS, np.uint64)
    votes = np.zeros((_SLOTS, len(_NAMES)), np.int64)
    for word, languages in _LANGUAGES.items():
        if not word.isascii():
            continue
        assert len(word) <= _WORD_BYTES, word
        key = int.from_bytes(word.encode(), "little")
        slot = (key * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 54
        while keys[slot]:
            slot = (slot + 1) % _SLOTS
        keys[slot] = key
        for language in languages:
            votes[slot, _NAMES.index(language)] += 1
    return keys, votes


def holds_english(texts: Iterable[str]) -> bool:
    """Whether a fifth of the characters, or two hundred, stand in sentences of English."""
    whole = english = 0
    for text in texts:
        for sentence in _SENTENCE.split(text):
            whole += len(sentence)
            english += len(sentence) if language_of(sentence) == "en" else 0
    return english >= _LEAST_ENGLISH or (english > 0 and 5 * english >= whole)


@lru_cache(maxsize=1 << 16)
def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ")[0].split("-")[0]


def _script_language(sample: str) -> str | None:
    """Return the language of the script most letters belong to; None for Latin."""
    scripts: Counter[str] = Counter()
    beyond = Counter("".join(_BEYOND_ASCII.findall(sample)))
    for letter, times in beyond.items():
        if letter.isalpha():
            scripts[_script_of(letter)] += times
    plain = len(sample.encode("ascii", "ignore").translate(None, _NOT_LETTERS))
    if plain:
        scripts["LATIN"] += plain
    if not scripts:
        return None
    # Japanese mixes kana with more Han signs than kana; any real share of kana settles it.
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if kana * 5 > scripts["CJK"] and kana + scripts["CJK"] > scripts.total() / 2:
        return "ja"
    return _SCRIPTS.get(scripts.most_common(1)[0][0])
