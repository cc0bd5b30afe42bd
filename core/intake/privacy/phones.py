"""Telephone numbers in the ways people write them."""

# ruff: noqa: E501
from __future__ import annotations

import re

from core.intake.privacy.pattern import has_digits, pattern


def _is_grouped_phone(value: str) -> bool:
    groups = re.findall(r"\d+", value)
    years = [group for group in groups if re.fullmatch(r"(?:19|20)\d\d", group)]
    return 8 <= sum(map(len, groups)) <= 13 and len(years) < 2 and len(set(groups)) > 1


PHONES = (
    pattern(
        "PHONE_NUMBER",
        0.75,
        r"(?<![\w.,/$-])(?<!\d )(?P<v>(?:\+?1[-. ]{0,2})?(?:\(\d{3}\)[-. ]{0,2}|\d{3}[-. ])\d{3}[-. ]{1,2}\d{4}"
        r"(?:\s?(?:x|ext\.?|extension)\s?\d{1,5})?)(?![\w-]|[.,]\d)",
        digits=10,
    ),
    pattern(
        "PHONE_NUMBER",
        0.7,
        r"(?<![\w+])(?P<v>\+\d{1,3}[-. (]{0,2}\d(?:[-. ()/]{0,2}\d){6,12})(?!\d)",
        words="+",
        digits=7,
    ),
    pattern(
        "PHONE_NUMBER",
        0.7,
        r"\b(?:(?:tele)?phone|cell(?:phone)?|mobile|fax|pager|number|call(?:ed|ing)?|answer(?:ed|ing|s)?|registered|text(?:ed|ing)?|dial|reach"
        r"|ring|tel|contact|whats\s?app|home|work|line|\#)(?:\s(?:me|us|him|her|them|you))?"
        r"(?:\s(?:number|no|phone|cell))?\s{0,2}(?:is|was|at|on|back|=|:|\#|\.)?\s{0,2}(?:at|on|:)?\s?"
        r"(?P<v>[(+]?\d(?:[-. ()/]{0,2}\d){6,14})(?!\d|[,/]\d|\s?(?:%|percent|years?|mg))",
        lambda value: (
            not re.fullmatch(
                r"(?:19|20)\d\d[-/ .]+(?:19|20)\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", value
            )
        ),
        words="phone cell mobile fax pager number call answer registered text dial reach ring tel contact app home work line #",
        digits=7,
    ),
    pattern(
        "PHONE_NUMBER",
        0.65,
        r"(?<![\w.,/$+-])(?P<v>\d{3}[- ]\d{4})(?=\s{1,2}\(?(?:office|home|cell|mobile|work|fax|phone|tel)\b)",
        words="office home cell mobile work fax phone tel",
        digits=7,
    ),
    pattern(
        "PHONE_NUMBER",
        0.6,
        r"(?<![\w.,/$+-])(?P<v>0\d{2,4}[-. ]\d{3,4}[-. ]?\d{3,4})(?![\w-]|[.,]\d)",
        has_digits(10),
        words="0",
        digits=10,
    ),
    pattern(
        "PHONE_NUMBER",
        0.55,
        r"(?<![\w.,/$+-])(?P<v>[2-9]\d{2}[2-9]\d{6})(?![\w-]|[.,]\d)",
        digits=10,
    ),
    pattern(
        "PHONE_NUMBER",
        0.5,
        r"(?<![\w.,/$+:#-])(?<!\d )(?P<v>\(?\d{2,4}\)?([ -])\d{2,4}(?:\2\d{2,4}){1,3})(?![\w-]|[.,/:]\d| \d|%)",
        _is_grouped_phone,
        digits=8,
    ),
)
