"""Addresses and names on the net. A missing space after a full stop is no address."""

from __future__ import annotations

from core.intake.privacy.pattern import pattern

_PLAIN_WORDS = frozenset(
    [
        "this",
        "that",
        "what",
        "just",
        "very",
        "really",
        "something",
        "nothing",
        "anything",
        "stupid",
        "weird",
        "taken",
        "wrong",
        "your",
        "their",
        "there",
        "about",
        "also",
        "only",
        "because",
        "like",
        "with",
        "when",
        "where",
    ]
)

ONLINE = (
    pattern(
        "EMAIL_ADDRESS",
        0.8,
        r"(?<![\w.+%-])(?P<v>[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4})(?![\w-])",
        words="@",
    ),
    pattern(
        "EMAIL_ADDRESS",
        0.7,
        r"\b(?P<v>[\w.+-]{2,40}\s?[\[({]?\s?(?:at|@)\s?[\])}]?\s?[\w-]{2,40}(?:\s?[\[({]?\s?dot\s?[\])}]?\s?[\w-]{2,30}){0,2}"
        r"\s?[\[({]?\s?(?:dot)\s?[\])}]?\s?(?:com|org|net|edu|gov|co|io|uk))\b",
        words="dot",
    ),
    pattern(
        "URL",
        0.8,
        r"\b(?P<v>(?:https?|ftp|s3)://[^\s<>\"'\[\](){}]{3,2000}?|www\.[\w-]{2,}\.[^\s<>\"'\[\](){}]{2,2000}?)(?=[.,;:!?]*(?:[\s<>\"'\[\](){}]|$))",
        words="http ftp s3 www.",
    ),
    pattern(
        "URL",
        0.6,
        r"(?<![\w@.-])(?P<v>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])\.){1,4}"
        r"(?:com|org|net|edu|gov|mil|info|biz|io|app|dev|xyz|online|co\.uk|org\.uk|ac\.uk|nhs\.uk|gov\.uk|com\.au|org\.au"
        r"|ca|de|fr|nl|ch|eu|nz)(?:/[^\s<>\"'\[\](){}]{0,500}?)?)(?![\w-])(?=[.,;:!?/]*(?:[\s<>\"'\[\](){}]|$))",
        case=True,
        words=".",
    ),
    pattern(
        "USERNAME",
        0.7,
        r"(?<![\w@.%+/-])(?P<v>@(?=\w*[A-Za-z])[A-Za-z0-9_](?:[\w.]{1,28})\w)(?!@|\.\w)",
        words="@",
    ),
    pattern("USERNAME", 0.7, r"(?<![\w/])(?P<v>/?u/[\w-]{3,24})\b", words="u/"),
    pattern(
        "USERNAME",
        0.75,
        r"\b(?:user\s?name|screen\s?name|login(?:\sname)?|gamer\s?tag|handle)\s{0,2}(?:is\b|was\b|:|=)\s{0,2}[\"']?"
        r"(?P<v>[A-Za-z0-9_][\w.-]{2,30}\w)",
        lambda value: value.lower() not in _PLAIN_WORDS,
        words="user screen login gamer handle",
    ),
    pattern(
        "USERNAME",
        0.7,
        r"\b(?:insta(?:gram)?|snap(?:chat)?|twitter|discord|kik|tik\s?tok|telegram|skype|venmo|facebook|reddit|xbox|ig)"
        r"(?:\s(?:name|id|account|user|handle|username))?\s{0,2}(?:is\b|was\b|:|=|as\b|at\b)?\s{0,2}[\"']?"
        r"(?P<v>\b(?=[\w.-]{0,30}[\d_])[A-Za-z_][\w.-]{2,30}\w)",
        lambda value: any(character.isdigit() or character == "_" for character in value),
        words="insta snap twitter discord kik tik telegram skype venmo facebook reddit xbox ig",
    ),
)
