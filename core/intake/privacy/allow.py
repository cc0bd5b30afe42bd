"""The allow-list wins over every span: crisis lines, clinical measures and doses stay.

A detector that eats the number of a crisis line does more harm than the one it misses.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.canonical import sha256_hex
from core.intake.privacy.spans import Span

_FILE = Path(__file__).with_name("allow.toml")
_KEYS = dict(zip("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999", strict=True))
PLACEHOLDER = re.compile(
    r"\[\[?[A-Z][A-Z_]{1,30}(?:[ -][A-Z]{2,20}){0,2}(?:[_ ]?\d{1,4})?\]?\]"
    r"|<[A-Z][A-Z_]{1,30}(?:_?\d{1,4})?>|\{\{?[A-Z][A-Z_]{1,30}(?:_?\d{1,4})?\}?\}|█{3,}"
)
"""A typed placeholder in any style people use, ours or another scrubber's."""

_LINE_WORDS = re.compile(
    r"\b(?:life\s?line|hot\s?line|help\s?line|warm\s?line|crisis\s(?:text\s)?(?:line|center|centre|team"
    r"|service|number|support|intervention)|suicide\s(?:prevention|line)|samaritans|988|poison\scontrol)\b",
    re.IGNORECASE,
)
_CRISIS_WORDS = re.compile(
    r"\b(?:crisis|suicid\w{1,6}|life\s?line|hot\s?line|help\s?line|warm\s?line|samaritans|988)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:my|me|mine|his|her|hers|him|their|our|i|i'm|he|she|we)\b", re.IGNORECASE
)
_TOLL_FREE = re.compile(
    r"\(?(?:\+?1[-. ]?)?\(?8(?:00|33|44|55|66|77|88)\)?[-. ]|0?800[-. ]|080[08][-. ]"
)
_SUM_BEFORE = re.compile(r"(?:<<|[$€£*×]|\d\s?[=+/])\s?\(?$|\d\s[-–]\s$")
_SUM_AFTER = re.compile(r"\s?(?:=|\+|\*|×|>>|/\s?\d|[-–]\d{1,2}[^\d])")
_DIGITS = re.compile(r"\d")
_REACH = 160
_NUMERIC = frozenset(
    [
        "PHONE_NUMBER",
        "US_SSN",
        "ZIP_CODE",
        "MRN",
        "ACCOUNT_NUMBER",
        "DEVICE_ID",
        "HEALTH_PLAN_ID",
        "US_DRIVER_LICENSE",
        "US_PASSPORT",
        "CREDIT_CARD",
        "AGE_OVER_89",
        "DATE_OF_BIRTH",
        "LICENSE_PLATE",
        "IP_ADDRESS",
        "SECRET",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One thing that is allowed. Where none of `keys` stands the expression cannot match."""

    name: str
    expression: re.Pattern[str]
    keys: tuple[str, ...] = ("",)


class AllowList:
    """The packaged list with the policy's own additions (`extra`, literal texts)."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        raw = _FILE.read_bytes()
        table = tomllib.loads(raw.decode("utf-8"))
        self.version = str(table["version"])
        self._extra = tuple(extra)
        # No packaged expression is longer; the policy's texts may be.
        self._reach = max([_REACH, *(len(text) + 16 for text in self._extra)])
        self.digest = sha256_hex(raw + "\n".join(self._extra).encode())
        lines = [
            _Entry(
                name=f"{line['country']}: {line['name']}",
                expression=_numbers(line["spellings"]),
                keys=_first_groups(line["spellings"]),
            )
            for line in table["line"]
        ]
        self._entries = (
            *lines,
            *(
                _Entry(
                    name=site["name"],
                    expression=_sites(site["domains"]),
                    keys=tuple(domain.lower() for domain in site["domains"]),
                )
                for site in table["site"]
            ),
            *(
                _Entry(name=item["name"], expression=re.compile(item["pattern"], re.IGNORECASE))
                for item in table["expression"]
            ),
            *(_Entry(name=f"policy: {text}", expression=_literal(text)) for text in self._extra),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The entries' names, as `uses` counts them."""
        return tuple(dict.fromkeys(entry.name for entry in self._entries))

    def without(self, text: str, spans: Iterable[Span], uses: dict[str, int]) -> tuple[Span, ...]:
        """Return the spans that stand; count in `uses` every entry that saved some text."""
        found = list(spans)
        regions = sorted(self._regions(text, found))
        longest = max((end - start for start, end, _ in regions), default=0)
        kept: list[Span] = []
        for span in found:
            first = bisect_left(regions, (span.start - longest, 0, ""))
            last = bisect_left(regions, (span.end, 0, ""))
            name = _saved_by(text, span, regions[first:last])
            if name is None:
                name = _crisis_number(text, span) or _sum(text, span)
            if name is None:
                kept.append(span)
            elif name:
                uses[name] = uses.get(name, 0) + 1
        return tuple(kept)

    def _regions(self, text: str, spans: Iterable[Span]) -> list[tuple[int, int, str]]:
        """Return what is allowed around the spans; elsewhere nothing needs saving."""
        reach = self._reach
        areas: list[tuple[int, int]] = []
        for span in sorted(spans, key=lambda span: span.start):
            start, end = max(0, span.start - reach), span.end + reach
            if areas and start <= areas[-1][1]:
                areas[-1] = (areas[-1][0], max(end, areas[-1][1]))
            else:
                areas.append((start, end))
        found: list[tuple[int, int, str]] = []
        for start, end in areas:
            lowered = text[start:end].lower()
            for entry in self._entries:
                if not any(key in lowered for key in entry.keys):
                    continue
                found.extend(
                    (*hit.span(), entry.name) for hit in entry.expression.finditer(text, start, end)
                )
            found.extend((*hit.span(), "") for hit in PLACEHOLDER.finditer(text, start, end))
        return found


def crisis_line_nearby(text: str, start: int, end: int, *, reach: int = 60) -> bool:
    """Whether crisis words stand near and nobody's own number seems to be meant."""
    before, after = text[max(0, start - reach) : start], text[end : end + reach // 2]
    for hit in _CRISIS_WORDS.finditer(before):
        if not _PERSONAL.search(before, hit.end()):
            return True
    hit_after = _CRISIS_WORDS.search(after)
    if hit_after is None or _PERSONAL.search(after, 0, hit_after.start()):
        return False
    return not _PERSONAL.search(text[max(0, start - 20) : start])


def _crisis_number(text: str, span: Span) -> str | None:
    """A number given as a crisis line's is kept although the list does not know it."""
    if span.entity != "PHONE_NUMBER":
        return None
    before = text[max(0, span.start - 40) : span.start]
    hits = list(_LINE_WORDS.finditer(before))
    if hits and not _PERSONAL.search(before, hits[-1].end()):
        return "named as a crisis line"
    if _TOLL_FREE.match(text[span.start : span.end]) and crisis_line_nearby(
        text, span.start, span.end, reach=100
    ):
        return "toll-free beside crisis words"
    return None


def _sum(text: str, span: Span) -> str | None:
    """Numbers of a calculation are nobody's telephone number."""
    if span.entity not in ("PHONE_NUMBER", "ZIP_CODE"):
        return None
    before, after = text[max(0, span.start - 12) : span.start], text[span.end : span.end + 4]
    if _SUM_BEFORE.search(before) or _SUM_AFTER.match(after):
        return "part of a calculation"
    return None


def _saved_by(text: str, span: Span, regions: list[tuple[int, int, str]]) -> str | None:
    touching = [area for area in regions if area[0] < span.end and span.start < area[1]]
    if span.entity == "AGE_OVER_89":
        # Some countries' short numbers are possible ages; words of age have settled which.
        touching = [area for area in touching if ": " not in area[2]]
    for start, end, name in touching:
        if start <= span.start and span.end <= end:
            return name
    if span.entity == "URL":
        return next((name for start, _, name in touching if name == "public help sites"), None)
    if span.entity not in _NUMERIC or not touching:
        return None
    places = [span.start + hit.start() for hit in _DIGITS.finditer(text[span.start : span.end])]
    if places and all(any(a <= place < b for a, b, _ in touching) for place in places):
        return touching[0][2]
    return None


def _numbers(spellings: Iterable[str]) -> re.Pattern[str]:
    forms = sorted({form for text in spellings for form in _forms(text)}, key=len, reverse=True)
    return re.compile(
        r"(?<![\w])(?<!\d[-. ])(?:" + "|".join(forms) + r")(?![\w])(?![-.]\d)", re.IGNORECASE
    )


def _first_groups(spellings: Iterable[str]) -> tuple[str, ...]:
    """Return what every spelling begins with, country code aside, in letters and in digits."""
    found: set[str] = set()
    for spelling in spellings:
        groups = [group for group in re.split(r"[-. ]+", spelling.lower()) if group]
        long = sum(character.isalnum() for character in spelling) >= 7
        first = groups[1] if long and groups[0] == "1" else groups[0]
        found |= {first, "".join(_KEYS.get(character, character) for character in first)}
    return tuple(sorted(found))


def _forms(spelling: str) -> Iterable[str]:
    """Yield expressions for a spelling as given and, where it holds letters, as digits."""
    long = sum(character.isalnum() for character in spelling) >= 7
    plain = {spelling, "".join(_KEYS.get(character, character) for character in spelling.lower())}
    for text in plain:
        groups = [re.escape(group) for group in re.split(r"[-. ]+", text)]
        joint = r"[-. ()]{0,3}" if long else r"[- ]?"
        if long and groups[0] == "1":
            yield r"(?:\+?1[-. ]{0,2})?\(?" + joint.join(groups[1:])
        else:
            yield (r"\(?" if long else "") + joint.join(groups)


def _sites(domains: Iterable[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(domain) for domain in domains)
    return re.compile(rf"(?:https?://)?(?<![\w-])(?:[\w-]+\.)?(?:{names})\b", re.IGNORECASE)


def _literal(text: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + re.escape(text) + r"(?!\w)", re.IGNORECASE)
