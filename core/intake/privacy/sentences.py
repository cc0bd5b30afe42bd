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
_OPENERS = frozenset('.!?:"-*•();/>\n')
CAPITAL = re.compile(
    r"(?<![^\W\d_])(?<![^\W\d_]['-])[A-Z\u00c0-\u00de\u0100-\u017f\u0391-\u03a9\u0410-\u042f]"
    r"[^\W\d_]+(?:['-][^\W\d_]+)*"
)
_SMALL_PAIR = re.compile(
    r"\b(?P<first>[a-z]{2,20}) (?:[a-z]\.? )?(?=(?P<last>[a-z]{2,20})\b)(?P=last)"
)

RELATIVES = (
    r"husband|wife|spouse|partner|fiancée?|fiance|boyfriend|girlfriend|bf|gf|ex|friend|bestie|mom"
    r"|mother|mum|dad|father|brother|sister|son|daughter|kid|child|baby|twin|aunt|auntie|uncle"
    r"|cousin|niece|nephew|grandma|grandpa|grandmother|grandfather|stepmom|stepdad|stepson"
    r"|stepdaughter|boss|manager|coworker|colleague|supervisor|therapist|counselor|counsellor"
    r"|psychiatrist|psychologist|doctor|nurse|teacher|professor|coach|neighbou?r|roommate"
    r"|classmate|client|patient|dog|cat"
)
RELATION = re.compile(
    r"\b(?:(?P<strong>name(?:'s|\sis|\swas|:)|named|called|calls?\sme|known\sas"
    r"|(?:dr|mr|mrs|ms|mx|prof)\.?)"
    r"|(?P<own>(?:my|his|her|our|their|your)\s(?:[a-z]+\s)?)?"
    rf"(?P<kin>(?:{RELATIVES})(?:,|'s name is| is named)?|this is|hi|hello|hey|dear|thanks|"
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
    """Whether a model should look: a capital that is no everyday word, or words of relation."""
    for hit in CAPITAL.finditer(sentence):
        word = hit.group()
        if word.isupper() or is_stop(word):
            continue
        bare = word.removesuffix("'s")
        if gazetteer.may_name(bare):
            return True
        # An ambiguous name (Hope, Will) counts where no sentence, quote or line opens.
        if bare.lower() in gazetteer.first and not opens(sentence, hit.start()):
            return True
    if small_names(sentence, gazetteer):
        return True
    return any(
        hit["strong"] is not None
        or gazetteer.is_first(hit["name"].removesuffix("'s"))
        or (hit["name"][0].isupper() and hit["name"].lower().removesuffix("'s") in gazetteer.first)
        for hit in RELATION.finditer(sentence)
    )


def opens(sentence: str, place: int) -> bool:
    """Whether the word at `place` opens a sentence, a quotation, a list or a line."""
    before = sentence[:place].rstrip(" ")
    return not before or before[-1] in _OPENERS


def small_names(sentence: str, gazetteer: Gazetteer) -> list[tuple[int, int]]:
    """Return where a given name and a surname stand together, both written small."""
    if gazetteer.sure.isdisjoint(sentence.split()):
        return []
    return [
        hit.span()
        for hit in _SMALL_PAIR.finditer(sentence)
        if gazetteer.is_first(hit["first"])
        and gazetteer.is_name(hit["last"])
        and hit["last"] not in gazetteer.common
        and not is_stop(hit["last"])
    ]
