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

# The same in Chinese, which has no spaces to bound a word by.
_COUNSEL_CHINESE = re.compile(
    "\u542c\u8d77\u6765\u4f60|\u542c\u4f60\u8fd9\u4e48\u8bf4|\u8c22\u8c22\u4f60\u7684\u5206\u4eab|\u6211\u80fd\u7406\u89e3\u4f60|\u6211\u7406\u89e3\u4f60\u7684"
    "|\u8fd9\u8ba9\u4f60\u6709\u4ec0\u4e48\u611f\u53d7|\u4f60\u6709\u6ca1\u6709(?:\u8003\u8651|\u8bd5)\u8fc7|\u4f60\u7684\u611f\u53d7\u662f|\u5efa\u8bae\u4f60"
    "|\u53ef\u4ee5\u591a\u8bf4\u4e00\u70b9|\u5fc3\u7406\u54a8\u8be2\u5e08"
)
_CLIENT_CHINESE = re.compile(
    "\u6211\u89c9\u5f97(?:\u5f88|\u81ea\u5df1|\u597d)|\u6211\u611f\u5230|\u6211\u6700\u8fd1|\u6211\u8be5\u600e\u4e48\u529e|\u6211\u4e0d\u77e5\u9053\u8be5|\u6211\u7761\u4e0d\u7740|\u6211\u5fcd\u4e0d\u4f4f"
    "|\u6211\u7684(?:\u7236\u4eb2|\u6bcd\u4eb2|\u7238\u7238|\u5988\u5988|\u8001\u516c|\u8001\u5a46|\u4e08\u592b|\u59bb\u5b50|\u7537\u670b\u53cb|\u5973\u670b\u53cb)"
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
    """Whether the user counsels and the assistant seeks counsel; both must, and neither else.

    Only English and Chinese phrases are known: dialogues in other languages are never accused.
    """
    said = {role: _said(messages, role) for role in ("user", "assistant")}
    counsel = {role: _times(text, _COUNSEL, _COUNSEL_CHINESE) for role, text in said.items()}
    if counsel["user"] == 0 or counsel["assistant"] >= counsel["user"]:
        return False
    client = {role: _times(text, _CLIENT, _CLIENT_CHINESE) for role, text in said.items()}
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


def _times(text: str, english: re.Pattern[str], chinese: re.Pattern[str]) -> int:
    found = len(english.findall(text))
    return found if text.isascii() else found + len(chinese.findall(text))


def _said(messages: Sequence[Message], role: str) -> str:
    text = " ".join(message.content for message in messages if message.role == role)
    return fold_text(text).replace("\u2019", "'")


def _squeezed(text: str) -> str:
    return " ".join(fold_text(text).split())
