"""Only sentences in which a name could stand are worth a model's time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.intake.privacy.gazetteer import Gazetteer

_BREAK = re.compile(
    r"(?<=[.!?])(?<!\b[A-Za-z]\.)(?<!\b(?:Dr|Mr|Ms|St|Jr|Sr|vs)\.)(?<!\b(?:Mrs|Rev|Hon)\.)(?<!\bProf\.)"
    r"[\"')\]]{0,2}\s+|\n+"
)
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_LONGEST = 600
_OPENERS = frozenset([".", "!", "?", ":", '"', "-", "*", "•", "(", ")", ";", "/"])

RELATIVES = (
    r"husband|wife|spouse|partner|fiancée?|fiance|boyfriend|girlfriend|bf|gf|ex|friend|bestie|mom"
    r"|mother|mum|dad|father|brother|sister|son|daughter|kid|child|baby|twin|aunt|auntie|uncle"
    r"|cousin|niece|nephew|grandma|grandpa|grandmother|grandfather|stepmom|stepdad|stepson"
    r"|stepdaughter|boss|manager|coworker|colleague|supervisor|therapist|counselor|counsellor"
    r"|psychiatrist|psychologist|doctor|nurse|teacher|professor|coach|neighbou?r|roommate"
    r"|classmate|client|patient|dog|cat"
)
RELATION = re.compile(
    r"\b(?:(?P<strong>name(?:'s|\sis|\swas)|named|called|(?:dr|mr|mrs|ms|mx|prof)\.?)"
    rf"|(?P<kin>(?:{RELATIVES})(?:,|'s name is| is named)?|this is|hi|hello|hey|dear|thanks|"
    r"thank you|sincerely,?|regards,?|i am|i'm|im|love,))\s+(?P<name>[^\W\d_]+(?:['-][^\W\d_]+)*)",
    re.IGNORECASE,
)
_STOP = frozenset(Path(__file__).with_name("stop_words.txt").read_text("utf-8").split("\n")) - {""}


def is_stop(word: str) -> bool:
    """Whether a capitalised `word` says nothing about a name."""
    lowered = word.lower()
    return lowered in _STOP or (lowered.endswith("'s") and lowered[:-2] in _STOP)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of the sentences of `text`, cut where one is beyond all reason."""
    start = 0
    for hit in (*_BREAK.finditer(text), None):
        end = len(text) if hit is None else hit.start()
        for place in range(start, end, _LONGEST):
            yield place, min(place + _LONGEST, end)
        start = end if hit is None else hit.end()


def may_hold_name(sentence: str, gazetteer: Gazetteer) -> bool:
    """Whether a model should look: a capital inside, a name in front, or words of relation."""
    first = True
    for hit in WORD.finditer(sentence):
        word = hit.group()
        opens = first or sentence[max(0, hit.start() - 2) : hit.start()].strip() in _OPENERS
        capital = word[0].isupper() and not word.isupper() and not is_stop(word)
        if capital and (not opens or gazetteer.is_first(word.removesuffix("'s"))):
            return True
        first = False
    return any(
        hit["strong"] is not None
        or gazetteer.is_first(hit["name"].removesuffix("'s"))
        or (hit["name"][0].isupper() and hit["name"].lower().removesuffix("'s") in gazetteer.first)
        for hit in RELATION.finditer(sentence)
    )
