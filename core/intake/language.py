"""The language of a text is guessed from its script and its commonest words, or left open."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

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
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def language_of(text: str) -> str:
    """Return an ISO 639-1 code, or `und` where script and common words do not settle it."""
    sample = text[:_SAMPLE].lower()
    script = None if sample.isascii() else _script_language(sample)
    if script is not None:
        return script
    words = _WORD.findall(sample)
    hits: Counter[str] = Counter()
    for word, times in Counter(words).items():
        for language in _LANGUAGES.get(word, ()):
            hits[language] += times
    ranked = hits.most_common(2)
    if not ranked or ranked[0][1] < max(_LEAST_HITS, _LEAST_SHARE * len(words)):
        return UNKNOWN
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        return UNKNOWN
    return ranked[0][0]


def _script_language(sample: str) -> str | None:
    """Return the language of the script most letters belong to; None for Latin."""
    scripts: Counter[str] = Counter()
    for letter in sample:
        if letter.isalpha():
            name = "LATIN" if letter.isascii() else unicodedata.name(letter, "?").split(" ")[0]
            scripts[name.split("-")[0]] += 1
    if not scripts:
        return None
    # Japanese mixes kana with more Han signs than kana; any real share of kana settles it.
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if kana * 5 > scripts["CJK"] and kana + scripts["CJK"] > scripts.total() / 2:
        return "ja"
    return _SCRIPTS.get(scripts.most_common(1)[0][0])
