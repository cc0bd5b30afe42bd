"""Keys, tokens and passwords."""

# ruff: noqa: E501
from __future__ import annotations

import re

from core.intake.privacy.pattern import has_digits, pattern


def _looks_like_secret(value: str) -> bool:
    return len(value) >= 4 and any(not character.isalpha() for character in value.strip("'\"."))


SECRETS = (
    pattern(
        "SECRET",
        0.95,
        r"(?<![A-Z0-9])(?P<v>(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})(?![A-Z0-9])",
        case=True,
        words="akia asia aroa aida",
    ),
    pattern(
        "SECRET",
        0.95,
        r"\b(?P<v>gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w-]{20,64})",
        case=True,
        words="gh glpat",
    ),
    pattern("SECRET", 0.95, r"\b(?P<v>xox[abeprs]-[A-Za-z0-9-]{10,250})", case=True, words="xox"),
    pattern(
        "SECRET",
        0.95,
        r"\b(?P<v>AIza[\w-]{35}|sk-(?:proj-|ant-|live-)?[\w-]{20,200}|[rs]k_(?:live|test)_\w{16,200}|hf_[A-Za-z0-9]{30,60}|pypi-[\w-]{50,250}|npm_[A-Za-z0-9]{36})",
        case=True,
        words="aiza sk- k_ hf_ pypi npm_",
    ),
    pattern(
        "SECRET",
        0.9,
        r"\b(?P<v>eyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{10,1000})",
        case=True,
        words="eyj",
    ),
    pattern(
        "SECRET",
        0.9,
        r"\b(?P<v>[a-z][a-z0-9+.-]{2,12}://[^\s:/@]{1,64}:[^\s:/@]{3,128}@[^\s/]{3,120})",
        words="://",
    ),
    pattern(
        "SECRET", 0.8, r"\bbearer\s{1,2}(?P<v>[\w.~+/-]{20,2000}=*)", has_digits(2), words="bearer"
    ),
    pattern(
        "SECRET",
        0.8,
        r"\b(?:api[\s_-]?key|secret[\s_-]?(?:access[\s_-]?)?key|access[\s_-]?(?:key|token)|auth[\s_-]?token|client[\s_-]?secret)"
        r"[\"']?\s{0,2}(?:is\b|:|=)\s{0,2}[\"']?(?P<v>[\w.~+/-]{12,500}=*)",
        has_digits(1),
        words="key token secret",
    ),
    pattern(
        "SECRET",
        0.8,
        r"\b(?:pass\s?(?:word|wd|phrase)|pwd|pass\s?code)s?[\"']?\s{0,2}(?:is\b|was\b|:|=)\s{0,2}(?:[\"'](?P<v>[^\"'\n]{4,80})[\"']|(?P<w>[^\s\"'\[<]{4,80}))",
        _looks_like_secret,
        words="pass pwd",
    ),
    pattern(
        "SECRET",
        0.7,
        r"\b(?:pin|door\scode|gate\scode|security\scode|cvv|access\scode)(?:\s(?:number|code))?\s{0,2}(?:is\b|was\b|:|=)\s{0,2}(?P<v>\d{3,8})\b",
        words="pin code cvv",
        digits=3,
    ),
)
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,20000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
)
