"""Postal addresses and codes below the level of a state."""

# ruff: noqa: E501
from __future__ import annotations

import re

from core.intake.privacy.pattern import pattern

_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM"
    "|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR"
)
_STATE_NAMES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia"
    "|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts"
    "|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey"
    "|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania"
    "|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington"
    "|West Virginia|Wisconsin|Wyoming"
)
_SUFFIX = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way"
    r"|Terrace|Ter|Circle|Cir|Highway|Hwy|Parkway|Pkwy|Square|Sq|Trail|Trl|Close|Crescent|Gardens"
    r"|Row|Mews|Grove|Alley|Loop|Plaza|Pike|Turnpike"
    r"|Creek|Heights|Ridge|Crossing|Landing|Cove|Meadows?|Hills?|Point|Park)\b\.?"
)
_UNIT = r"(?:,?\s{1,2}(?:(?:apt|apartment|unit|suite|ste|flat|room)\b\.?|\#)\s{0,2}\#?\s?[A-Z]?-?\d{0,5}[A-Z]?\b)?"
_NOT_A_STREET = (
    r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|yrs?|times?|people|blocks?|miles?"
    r"|the|a|an|my|your|his|her|our|their|of|and|or|to|in|on|at|is|was|with|for|more|percent|steps?)\b"
)
_NEVER_STREETS = frozenset(
    [
        "jan",
        "january",
        "feb",
        "february",
        "mar",
        "march",
        "apr",
        "april",
        "may",
        "june",
        "july",
        "jun",
        "jul",
        "aug",
        "august",
        "sept",
        "september",
        "oct",
        "october",
        "nov",
        "november",
        "dec",
        "december",
        "am",
        "pm",
        "mg",
        "phq",
        "gad",
        "bdi",
    ]
)


def _is_street(value: str) -> bool:
    words = [word for word in value.split()[1:] if word[0].isalpha()]
    year = re.search(r"\b(?:19|20)\d\d$", value) is not None
    capital = bool(words) and words[0][0].isupper()
    return capital and not year and words[0].lower().strip(".,") not in _NEVER_STREETS


def _is_place_with_number(value: str) -> bool:
    names = [word for word in value.split() if not word.isdigit()]
    return any(map(str.isdigit, value)) and all(name[0].isupper() for name in names)


PLACES = (
    pattern(
        "ZIP_CODE",
        0.8,
        r"\b(?:zip(?:\s?code)?|post(?:al\s?)?code)\s{0,2}(?:is|was|:|\#|=|of)?\s{0,2}"
        r"(?P<v>\b(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z][ -]?\d[A-Z]\d|\d{3,6}(?:[ -]\d{2,3})?))\b",
        words="zip code",
        digits=3,
    ),
    pattern(
        "ZIP_CODE",
        0.7,
        rf"\b(?:{_STATES}),? {{1,2}}(?P<v>\d{{5}}(?:-\d{{4}})?)\b",
        case=True,
        digits=5,
    ),
    pattern(
        "ZIP_CODE", 0.7, rf"\b(?:{_STATE_NAMES}),? {{1,2}}(?P<v>\d{{5}}(?:-\d{{4}})?)\b", digits=5
    ),
    pattern("ZIP_CODE", 0.6, r"(?<![\w-])(?P<v>\d{5}-\d{4})(?![\w-])", words="-", digits=9),
    pattern(
        "ZIP_CODE",
        0.6,
        r"\b(?P<v>(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d))\b",
        case=True,
        digits=2,
    ),
    pattern(
        "ZIP_CODE",
        0.5,
        r"\b(?:live|living|lives|lived|reside[sd]?|moved|located|based|area)\s(?:in|at|near|to|around)?\s?"
        r"(?P<v>\b\d{5})\b(?!\s?(?:people|miles|dollars))",
        words="live living lived reside moved located based area",
        digits=5,
    ),
    pattern(
        "ZIP_CODE",
        0.5,
        r"\b(?:we|i)(?:\s(?:are|am|was|were)|'re|'m)\sin\s(?P<v>\d{5})\b(?![,.]?\d|\s?(?:people|dollars|pieces))",
        words="in",
        digits=5,
    ),
    pattern(
        "STREET_ADDRESS",
        0.8,
        r"(?<![\w$.,/-])(?P<v>\d{1,6}[A-Za-z]?(?:-\d{1,4})?,? {1,2}(?:[NSEW]{1,2}\.? {1,2}|(?:North|South|East|West) )?"
        r"(?:(?:[A-Z][\w'.-]{0,24}|\d{1,3}(?:st|nd|rd|th)) {1,2}){1,4}"
        + _SUFFIX
        + r"(?i:"
        + _UNIT
        + r"))",
        case=True,
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.75,
        r"(?:\b(?:at|on|address(?:\sis)?|to|near|is|lives?|house)[:,]?\s{1,2})(?P<v>\d{1,6} (?:(?!"
        + _NOT_A_STREET
        + r")[a-z0-9'.]{1,24} ){1,3}(?:street|avenue|ave|road|lane|drive|boulevard|blvd|court"
        r"|place|terrace|circle|highway|parkway|crescent|close|st|rd|dr|ln)\b" + _UNIT + r")",
        words="street ave road lane drive boulevard blvd court place terrace circle highway parkway crescent close st rd dr ln",
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.8,
        r"\b(?P<v>(?:P\.?\s?O\.?\s?Box|Post(?:al)?\s?(?:Office\s)?Box)\s{0,2}\#?\s?\d{1,7})\b",
        words="box",
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.7,
        r"\b(?:live[sd]?|living|reside[sd]?|stay(?:ing|s)?|moved)\s(?:at|to)\s(?P<v>\d{1,6}[A-Za-z]? "
        r"[A-Z][\w'.-]{1,24}(?: [A-Z][\w'.-]{1,24}){0,3}" + r"(?i:" + _UNIT + r"))",
        case=True,
        words="live living reside stay moved",
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.7,
        r"\b(?:address)\s{0,2}(?:is|was|:)\s{0,2}(?P<v>(?:\d{1,6}[A-Za-z]? [A-Z][\w'.-]{1,24}(?: [A-Z][\w'.-]{1,24}){0,3}"
        r"|[A-Z][\w'.-]{2,24}(?: [A-Z][\w'.-]{1,24}){0,3} \d{1,5}[A-Za-z]?))\b",
        case=True,
        words="address",
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.6,
        r"(?<!\w)(?P<v>[\w'.-]{3,30}(?: Stra(?:ss|ß)e|stra(?:ss|ß)e|str\.|gatan?|vägen|weg|laan|straat|gata|tie|katu)\s\d{1,4}[A-Za-z]?)\b"
        r"|\b(?P<w>(?:\d{1,5},? )?(?:[Rr]ue|ul\.|Via|C/|R[uú]a|Calle|Avenida|Rua|Piazza|Plaza)\s(?:(?:de|del|della|la|du|des|di)\s){0,2}[^\W\d_][\w'.-]{2,24}"
        r"(?:\s[A-Z][\w'.-]{2,24}){0,2},?\s\d{1,4})\b"
        r"|\b(?P<x>\d{1,5},? [Rr]ue\s(?:(?:de|la|les?|du|des|l')\s?){1,2}[^\W\d_][\w'-]{2,24}(?:\s[A-Z][\w'-]{2,24}){0,2})\b",
        case=True,
        words="str gat c/ rúa vägen weg laan tie katu rue ul. via calle avenida rua piazza plaza",
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.6,
        r"(?<![\w$.,/-])(?P<v>\d{2,6}[A-Za-z]?,? {1,2}(?:(?:[A-ZÀ-ÞŁŚŻ][\w'.-]{1,24}|de|la|van|der|den|ul\.) ){1,4}\d{1,4}[A-Za-z]?"
        r"(?i:" + _UNIT + r"))(?=\s*(?:[,;)]|\.(?!\d)|\n|$))",
        _is_street,
        digits=3,
    ),
    pattern(
        "STREET_ADDRESS",
        0.6,
        r"\b(?P<v>(?:Apt|Apartment|Suite|Ste)\b\.? {0,2}\#? ?[A-Z]?-?\d{1,5}[A-Z]?)\b",
        words="apt apart suite ste",
        digits=1,
    ),
    pattern(
        "STREET_ADDRESS",
        0.6,
        r"\b(?:station|house|home|office|clinic|practice|restaurant|shop|school|church|hotel|apartment|flat)"
        r"\s(?:is|was)\s(?:located\s)?(?:on|at|in)\s(?P<v>(?:\d{1,6} ){0,2}[^\W\d_][\w'.-]{2,24} [^\W\d_][\w'-]{2,24}"
        r"(?: \d{1,5})?)(?=\s*(?:[.,;)\n]|$))",
        _is_place_with_number,
        words="is was",
        digits=2,
    ),
    pattern(
        "STREET_ADDRESS",
        0.8,
        r"\b(?P<v>(?:(?:PSC|CMR|Unit) \d{1,5},? Box \d{1,5}|(?:APO|FPO|DPO),? (?:AA|AE|AP) \d{5}))\b",
        words="psc cmr unit apo fpo dpo",
        digits=2,
    ),
)
