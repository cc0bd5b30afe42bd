"""What damage looks like in one record: cut endings, swapped roles, broken encoding, echoes.

Each test is lexical and strict: it would rather miss a damaged record than accuse a sound one,
for an alarm goes by the share of a family's records and not by one of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from core.intake.text import fold_text
from core.model.dataset import Message

# An echo shorter than this may be a greeting returned.
_ECHO_CHARACTERS = 24
_CUT_CHARACTERS = 80

# UTF-8 read as Windows-1252 or Latin-1 (é, ’, a no-break space, an emoji), and what is shown
# where a decoder gave up. A lone Ã or Â is a letter of Portuguese, French or Vietnamese.
_MOJIBAKE = re.compile(
    "\ufffd|\u00c3[\u0080-\u00bf\u0192\u2018-\u2022\u2030\u0160\u0152]"
    "|\u00c2[\u0080-\u00a0\u00a3\u00a9\u00ab\u00ae\u00b0\u00b4\u00b7\u00bb]"
    "|\u00e2\u20ac[\u0080-\u00bf\u0153\u02dc\u2122\u0161\u201c\u201d\u00a6]"
    "|\u00e2\u0080[\u0080-\u00bf]|\u00ef\u00bb\u00bf|\u00f0[\u0178\u009f]"
)

_COUNSEL = re.compile(
    r"\b(?:it sounds like you|what i(?:'| a)?m hearing|i hear (?:that )?you|thank you for sharing"
    r"|how (?:does|did) that make you feel|have you (?:considered|thought about|talked to|tried)"
    r"|it is (?:understandable|normal) (?:that you|to feel)|your feelings are valid"
    r"|i(?:'| a)?m sorry (?:to hear|you)|i would encourage you|a licensed (?:therapist|counselor)"
    r"|tell me more about|what brings you (?:in|here)|i understand (?:that )?you(?:'re| are| feel))"
)
_CLIENT = re.compile(
    r"\b(?:i feel (?:so|like|very|really|sad|lost|alone|anxious|depressed|empty|guilty)"
    r"|i(?:'ve| have) been (?:feeling|struggling|having|so)|i don't know what to do"
    r"|i can't (?:sleep|stop|cope|focus|take|do)|my (?:husband|wife|boyfriend|girlfriend|mom|mother"
    r"|dad|father|boss|parents|depression|anxiety) (?:is|was|has|and|keeps|left|told|makes)"
    r"|what should i do|how (?:can|do) i (?:stop|deal|cope|get|tell|handle)|am i (?:crazy|wrong)"
    r"|i(?:'m| am) (?:so|really|very|always) (?:sad|tired|anxious|depressed|lonely|scared|angry))"
)


def breaks_off(text: str) -> bool:
    """Whether a text ends in the middle of a sentence, as a cut-off generation does."""
    last = text.rstrip()[-1:]
    return last in {",", ";", ":", "-"} or unicodedata.category(last or ".")[0] in "LN"


def ends_cut(messages: Sequence[Message]) -> bool:
    """Whether the assistant has the last word and stops inside a sentence.

    Short answers and those that end in a number are whole: "Yes", "#### 18".
    """
    if not messages or messages[-1].role != "assistant":
        return False
    text = messages[-1].content.rstrip()
    return len(text) >= _CUT_CHARACTERS and breaks_off(text) and not text[-1].isnumeric()


def is_swapped(messages: Sequence[Message]) -> bool:
    """Whether the user counsels and the assistant seeks counsel; both must, and neither else."""
    said = {role: _said(messages, role) for role in ("user", "assistant")}
    counsel = {role: len(_COUNSEL.findall(text)) for role, text in said.items()}
    if counsel["user"] == 0 or counsel["assistant"] >= counsel["user"]:
        return False
    client = {role: len(_CLIENT.findall(text)) for role, text in said.items()}
    return client["assistant"] > 0 and client["user"] < client["assistant"]


def is_misread(messages: Sequence[Message]) -> bool:
    """Whether some text was decoded with the wrong encoding."""
    return any(
        not message.content.isascii() and _MOJIBAKE.search(message.content) for message in messages
    )


def echoes(messages: Sequence[Message]) -> bool:
    """Whether the assistant gives a user's turn back, whole, at the start of the answer."""
    for asked, answered in pairwise(messages):
        if (asked.role, answered.role) != ("user", "assistant"):
            continue
        question = _squeezed(asked.content)
        if len(question) < _ECHO_CHARACTERS or len(answered.content) < _ECHO_CHARACTERS:
            continue
        # The answer is folded only as far as the question reaches.
        if _squeezed(answered.content[: 2 * len(asked.content) + 64]).startswith(question):
            return True
    return False


def _said(messages: Sequence[Message], role: str) -> str:
    text = " ".join(message.content for message in messages if message.role == role)
    return fold_text(text).replace("\u2019", "'")


def _squeezed(text: str) -> str:
    return " ".join(fold_text(text).split())
