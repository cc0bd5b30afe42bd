"""Ages above 89, birth dates and calendar dates; how long something took stays."""

# ruff: noqa: E501
from __future__ import annotations

from core.intake.privacy.pattern import pattern

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_FULL_DATE = (
    rf"(?:{_MONTH}\s{{1,2}}{_DAY}(?:st|nd|rd|th)?\s?,?\s{{0,2}}(?:{_YEAR}|'\d\d\b)"
    rf"|\b{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH},?\s{{1,2}}{_YEAR}"
    rf"|(?<![\w/.-])(?:{_DAY}(?P<one>[/.-]){_DAY}(?P=one)(?:{_YEAR}|\d\d)|{_YEAR}(?P<two>[/.-]){_DAY}(?P=two){_DAY}))(?![\d/]|[-+*=]\d)"
)
_DAY_DATE = (
    rf"(?:{_MONTH}\s{{1,2}}{_DAY}(?:st|nd|rd|th)?\b|\b{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH})"
)
_RELATIVE_AGE = (
    r"(?!\s?(?:%|percent|degrees|minutes?|mins?|seconds?|hours?|hrs?|days?|weeks?|months?|miles?"
    r"|lbs?\b|pounds?|kgs?\b|kilos?|dollars|bucks|points?|mg\b|bpm|beats|times|people|calories|\d|[.,:/]\d))"
)

DATES = (
    pattern(
        "AGE_OVER_89",
        0.85,
        r"(?<![\w.$/-])(?P<v>(?:9\d|1[01]\d)[-\s]{0,2}(?:years?[-\s](?:old|of\sage)|yrs?\.?[-\s]old|year-old|y/?\.?o\b\.?|yo[mf]?\b))",
        words="year yr yo y/o y.o",
        digits=2,
    ),
    pattern(
        "AGE_OVER_89",
        0.8,
        r"\b(?P<v>(?:aged?|age\sof)\s{0,2}(?:is|:|=)?\s{0,2}(?:9\d|1[01]\d))\b" + _RELATIVE_AGE,
        words="age",
        digits=2,
    ),
    pattern(
        "AGE_OVER_89",
        0.7,
        r"\b(?:turn(?:ed|s|ing)|she's|he's|she\sis|he\sis|i'm|im|i\sam|who(?:'s|\sis)|grand(?:mother|father|ma|pa|mom|dad)"
        r"(?:'s|\sis|\swas)|(?:mother|father|mom|dad|nana|papa|aunt|uncle)(?:'s|\sis|\swas)|(?:died|passed(?:\saway)?)\sat)"
        r"\s(?:just\s|now\s|already\s|almost\s)?(?P<v>9\d|1[01]\d)\b(?=\s?(?:[.,;!?)]|$|\n|and\b|now\b|but\b|this\b|next\b|years?\b))"
        + _RELATIVE_AGE,
        digits=2,
    ),
    pattern(
        "AGE_OVER_89",
        0.7,
        r"\b(?P<v>(?:9\dth|9[123](?:st|nd|rd)|1[01]\d(?:th|st|nd|rd))\s(?:birthday|year\sof\slife))",
        words="birthday life",
        digits=2,
    ),
    pattern(
        "AGE_OVER_89",
        0.8,
        r"\b(?P<v>(?:ninety(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a)\shundred(?:\sand\s\w{3,8})?)"
        r"[-\s]years?[-\s](?:old|of\sage))\b",
        words="ninety hundred",
    ),
    pattern(
        "DATE_OF_BIRTH",
        0.85,
        r"\b(?:born|birth\s?-?(?:day|date)?|d\.?o\.?b\.?|bday)\b[^\d\n]{0,24}?(?P<v>"
        + _FULL_DATE
        + r")",
        words="born birth dob bday d.o",
        digits=2,
    ),
    pattern(
        "DATE_OF_BIRTH",
        0.7,
        r"\b(?:born|birth\s?-?(?:day|date)|d\.?o\.?b\.?|bday)(?:\s(?:is|was|on|in|falls))*\s{0,2}:?\s?(?P<v>"
        + _DAY_DATE
        + r")",
        words="born birth dob d.o bday",
        digits=1,
    ),
    pattern(
        "DATE_OF_BIRTH",
        0.75,
        r"\b(?:admi(?:tted|ssion)|discharged?|hospitali[sz]ed|surgery|operated|operation|died|deceased|death|passed\saway"
        r"|diagnosed|appointment|visit(?:ed)?|seen|evaluated|treated|intake|session|married|divorced|transferred)\b"
        r"[^\d\n]{0,60}?(?P<v>" + _FULL_DATE + r")",
        words="admi discharg hospitali surg operat die dec death passed diagnos appoint visit seen evaluat treat intake session married divorced transfer",
        digits=4,
    ),
    pattern("DATE_OF_BIRTH", 0.5, r"(?P<v>" + _FULL_DATE + r")", digits=4),
)
