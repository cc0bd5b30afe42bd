"""A transcript in which one person talks is prose; who talks, and on what, only the key says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_WORDS: Final = 120
_LETTERS: Final = 0.7
_STRUCTURE_SHARE: Final = 0.2
_STRUCTURE = re.compile(r"\s*(?:#{1,6} |[-*+] |\d+[.)] |\||```|>|!\[|\[[^\]]*\]\(|[{}]|<)")
_WORD = re.compile(r"[^\W\d_]+")
# Scripts without spaces: two characters count as one word.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_CODE = re.compile(r"https?://|[;{}=]\s*$")
_SUFFIX = re.compile(r"(?:\.(?:txt|md|vtt|srt|gz|zst))+$", re.IGNORECASE)
_LIST = re.compile(r"^(?:PL[\w-]{10,}_)?(?:NA_|\d+_)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptName:
    """What a key says of a transcript; either may be empty."""

    creator: str
    title: str


def is_monologue(text: str) -> bool:
    """Whether `text` is prose of some length: sentences, not notes, lists, tables or code."""
    sample = text[:65536]
    words = len(_WORD.findall(sample)) + len(_UNSPACED.findall(sample)) // 2
    shown = [character for character in sample if not character.isspace()]
    if words < _WORDS or sum(map(str.isalpha, shown)) < _LETTERS * len(shown):
        return False
    lines = [line for line in sample.splitlines() if line.strip()]
    structured = sum(1 for line in lines if _STRUCTURE.match(line) or _CODE.search(line))
    return structured <= _STRUCTURE_SHARE * len(lines)


def name_of_transcript(key: str) -> TranscriptName:
    """Return the creator (the folder) and the title (the file) of a transcript's key."""
    folders = key.split("/")
    creator = folders[-2].strip() if len(folders) > 1 else ""
    title = _LIST.sub("", _SUFFIX.sub("", folders[-1]).strip()).strip()
    return TranscriptName(creator=creator, title=title)
