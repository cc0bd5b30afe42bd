"""The desk's own patterns: identifiers that Presidio lacks, misses or takes for something else.

Each pattern is bounded, so that it never reaches further than a window does, and marks the
value itself (not the words around it) as the group `v`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One compiled expression. `check` may refuse a value that only looks right.

    A window that holds none of `words` (lower case) or fewer than `digits` digits is skipped:
    the expression could not match there.
    """

    entity: str
    score: float
    expression: re.Pattern[str]
    check: Check | None = None
    words: tuple[str, ...] = ()
    digits: int = 0


def has_digits(count: int) -> Check:
    """Return a check for values that hold at least `count` digits."""
    return lambda value: sum(map(str.isdigit, value)) >= count


def vin_is_valid(value: str) -> bool:
    """Whether the ninth character of a 17-character VIN is its check digit (ISO 3779, US)."""
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
    plain = value.upper()
    total = sum(
        weight * int(letters.get(character, character))
        for weight, character in zip(weights, plain, strict=True)
    )
    return plain[8] == "0123456789X"[total % 11]


def _has_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _looks_like_secret(value: str) -> bool:
    return len(value) >= 4 and any(not character.isalpha() for character in value.strip("'\"."))


def _is_plate(value: str) -> bool:
    return any(map(str.isdigit, value)) and len(value) >= 4


def _is_grouped_phone(value: str) -> bool:
    groups = re.findall(r"\d+", value)
    years = [group for group in groups if re.fullmatch(r"(?:19|20)\d\d", group)]
    return 8 <= sum(map(len, groups)) <= 13 and len(years) < 2 and len(set(groups)) > 1


def _is_street(value: str) -> bool:
    words = [word for word in value.split()[1:] if word[0].isalpha()]
    year = re.search(r"\b(?:19|20)\d\d$", value) is not None
    capital = bool(words) and words[0][0].isupper()
    return capital and not year and words[0].lower().strip(".,") not in _NEVER_STREETS


_NEVER_STREETS = frozenset(
    "jan january feb february mar march apr april may june july jun jul aug august sept september"
    " oct october nov november dec december am pm mg phq gad bdi".split()
)
_NUMBER = (
    r"\s{0,3}(?:numbers?\b|no\b\.?|num\b\.?|nr\b\.?|id\b|code\b|card\b|\#)?"
    r"\s{0,3}(?:is|was|are|reads?|=|:|\#|-|--)?\s{0,3}[:#\"'(]?\s{0,2}"
)
_ID = r"(?P<v>\b(?=[A-Z-]{0,8}\d)[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){3,24})\b"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_FULL_DATE = (
    rf"(?:{_MONTH}\s{{1,2}}{_DAY}(?:st|nd|rd|th)?\s?,?\s{{0,2}}(?:{_YEAR}|'\d\d\b)"
    rf"|\b{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH},?\s{{1,2}}{_YEAR}"
    rf"|\b(?:{_DAY}[/.-]{_DAY}[/.-](?:{_YEAR}|\d\d)|{_YEAR}[/.-]{_DAY}[/.-]{_DAY}))(?![\d/])"
)
_DAY_DATE = (
    rf"(?:{_MONTH}\s{{1,2}}{_DAY}(?:st|nd|rd|th)?\b|\b{_DAY}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH})"
)
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
_RELATIVE_AGE = (
    r"(?!\s?(?:%|percent|degrees|minutes?|mins?|seconds?|hours?|hrs?|days?|weeks?|months?|miles?"
    r"|lbs?\b|pounds?|kgs?\b|kilos?|dollars|bucks|points?|mg\b|bpm|beats|times|people|calories|\d|[.,:/]\d))"
)


def _pattern(
    entity: str,
    score: float,
    expression: str,
    check: Check | None = None,
    *,
    case: bool = False,
    words: str = "",
    digits: int = 0,
) -> Pattern:
    return Pattern(
        entity=entity,
        score=score,
        expression=re.compile(expression, re.NOFLAG if case else re.IGNORECASE),
        check=check,
        words=tuple(words.split()),
        digits=digits,
    )


RECORD_NUMBERS = (
    _pattern(
        "MRN",
        0.85,
        r"\b(?:mrn|mr\#|med(?:ical)?\.?\s?rec(?:ord)?s?|(?:hospital|clinic|patient|health)\s(?:record|chart)"
        r"|chart|patient\s(?:id|identifier|number|no\.?|\#)|hospital\s(?:id|number|no\.?))"
        + _NUMBER
        + _ID,
        has_digits(4),
        words="mr med record chart patient hospital",
        digits=4,
    ),
    _pattern(
        "MRN",
        0.6,
        r"\b(?:ID|case|file|record|encounter|claim|visit|reference|ref(?:\.\scode)?|study|site|specimen|rx)"
        r"\s?(?:id|number|no\.|\#)?\s?[:\#]\s?" + _ID,
        has_digits(4),
        words="id case file record encounter claim visit ref study site specimen rx",
        digits=4,
    ),
    _pattern(
        "HEALTH_PLAN_ID",
        0.85,
        r"\b(?:(?:health\s)?(?:insurance|plan|policy|member(?:ship)?|subscriber|beneficiary|medicaid"
        r"|medicare|hpbn|hicn|mbi|group|payer|coverage|ins\.?|hbn|bcbs|blue\scross|aetna|cigna|humana|kaiser)"
        r"(?:\s(?:plan|policy|member|beneficiary|subscriber|insurance|card))?)" + _NUMBER + _ID,
        has_digits(5),
        words="insurance plan policy member subscriber beneficiary medic hpbn hicn mbi ins hbn group payer coverage bcbs cross aetna cigna humana kaiser",
        digits=5,
    ),
    _pattern(
        "ACCOUNT_NUMBER",
        0.85,
        r"\b(?:(?:bank\s|checking\s|savings\s|patient\s|billing\s)?(?:account|acct)|routing|iban|sort\scode"
        r"|aba)" + _NUMBER + r"(?P<v>\b(?:[A-Z]{0,4}-?\d(?:\d|[ -](?=\d)){4,24}))\b",
        has_digits(6),
        words="account acct routing iban code aba",
        digits=6,
    ),
    _pattern(
        "DEVICE_ID",
        0.85,
        r"\b(?:serial|device|implant|pacemaker|imei|udi|(?:insulin\s)?pump|cgm|hearing\said|stimulator"
        r"|machine|model\sserial)(?:\s(?:serial|device|model))?" + _NUMBER + _ID,
        has_digits(5),
        words="serial device implant pacemaker imei udi pump cgm aid stimulator machine",
        digits=5,
    ),
    _pattern(
        "US_DRIVER_LICENSE",
        0.85,
        r"\b(?:driv(?:er|ing)'?s?'?\s(?:licen[cs]e|lic\.?|permit)|dl|licen[cs]e\s(?:number|no\.?|\#))"
        + _NUMBER
        + _ID,
        has_digits(4),
        words="driv dl licen",
        digits=4,
    ),
    _pattern(
        "US_DRIVER_LICENSE",
        0.7,
        r"\b(?:licen[cs]e|certificate|cert|permit|dea|npi)\s?(?:number|no\.?|\#|id)"
        + _NUMBER
        + _ID,
        has_digits(4),
        words="licen cert permit dea npi",
        digits=4,
    ),
    _pattern(
        "US_PASSPORT",
        0.85,
        r"\bpassport" + _NUMBER + r"(?P<v>\b[A-Z]{0,2}\d{6,9})\b",
        words="passport",
        digits=6,
    ),
    _pattern(
        "LICENSE_PLATE",
        0.8,
        r"\b(?:licen[cs]e\s|number\s|car\s|vehicle\s)?(?:plates?|tags?|registration)"
        + _NUMBER
        + r"(?-i:(?P<v>\b[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5}))\b",
        _is_plate,
        words="plate tag registration",
        digits=1,
    ),
    _pattern(
        "LICENSE_PLATE",
        0.8,
        r"\b(?:licen[cs]e\splate|plate\snumber|number\splate)s?\s{0,2}(?:is|was|:|\#|=)?\s{0,2}"
        r"(?P<v>\b[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5})\b",
        _is_plate,
        words="plate",
        digits=1,
    ),
    _pattern("VIN", 0.9, r"\b(?P<v>[A-HJ-NPR-Z0-9]{17})\b", vin_is_valid, digits=2),
    _pattern(
        "VIN",
        0.8,
        r"\b(?:vin|vehicle\sidentification)" + _NUMBER + r"(?P<v>\b[A-HJ-NPR-Z0-9]{11,17})\b",
        has_digits(4),
        words="vin vehicle",
        digits=4,
    ),
    _pattern(
        "US_SSN", 0.85, r"(?<![\w-])(?P<v>(?!000)\d{3}([- .])\d{2}\2\d{4})(?![\w-])", digits=9
    ),
    _pattern(
        "US_SSN",
        0.85,
        r"\b(?:ssn|soc(?:ial)?(?:\s?sec(?:urity)?)?|itin|tax\s?id)"
        + _NUMBER
        + r"(?P<v>\b\d{3}[- .]?\d{2}[- .]?\d{4})\b",
        words="ssn soc itin tax",
        digits=9,
    ),
    _pattern(
        "US_SSN",
        0.7,
        r"\b(?:last\s(?:four|4)\s(?:digits\s)?of\s(?:my|his|her|the|their)?\s?(?:ssn|social(?:\ssecurity)?))"
        r"[^\d\n]{0,20}(?P<v>\b\d{4})\b",
        words="last",
        digits=4,
    ),
    _pattern(
        "CREDIT_CARD",
        0.7,
        r"\b(?:(?:credit|debit|bank)?\s?card|visa|master\s?card|amex|discover)"
        + _NUMBER
        + r"(?P<v>\b\d{4}[- ]?\d{4,6}[- ]?\d{4,5}(?:[- ]?\d{2,4})?)\b",
        has_digits(12),
        words="card visa amex discover",
        digits=12,
    ),
    _pattern(
        "IBAN_CODE",
        0.8,
        r"\biban"
        + _NUMBER
        + r"(?P<v>\b(?:(?-i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30})|[A-Z]{2}\d{2}[A-Z0-9]{11,30}))\b",
        has_digits(6),
        words="iban",
        digits=6,
    ),
)

PHONES = (
    _pattern(
        "PHONE_NUMBER",
        0.75,
        r"(?<![\w.,/$-])(?<!\d )(?P<v>(?:\+?1[-. ]{0,2})?(?:\(\d{3}\)[-. ]{0,2}|\d{3}[-. ])\d{3}[-. ]{1,2}\d{4}"
        r"(?:\s?(?:x|ext\.?|extension)\s?\d{1,5})?)(?![\w-]|[.,]\d)",
        digits=10,
    ),
    _pattern(
        "PHONE_NUMBER",
        0.7,
        r"(?<![\w+])(?P<v>\+\d{1,3}[-. (]{0,2}\d(?:[-. ()/]{0,2}\d){6,12})(?!\d)",
        words="+",
        digits=7,
    ),
    _pattern(
        "PHONE_NUMBER",
        0.7,
        r"\b(?:(?:tele)?phone|cell(?:phone)?|mobile|fax|pager|number|call(?:ed|ing)?|text(?:ed|ing)?|dial|reach"
        r"|ring|tel|contact|whats\s?app|home|work|line|\#)(?:\s(?:me|us|him|her|them|you))?"
        r"(?:\s(?:number|no|phone|cell))?\s{0,2}(?:is|was|at|on|back|=|:|\#|\.)?\s{0,2}(?:at|on|:)?\s?"
        r"(?P<v>[(+]?\d(?:[-. ()/]{0,2}\d){6,14})(?!\d|[,/]\d|\s?(?:%|percent|years?|mg))",
        lambda value: (
            not re.fullmatch(
                r"(?:19|20)\d\d[-/ .]+(?:19|20)\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", value
            )
        ),
        words="phone cell mobile fax pager number call text dial reach ring tel contact app home work line #",
        digits=7,
    ),
    _pattern(
        "PHONE_NUMBER",
        0.6,
        r"(?<![\w.,/$+-])(?P<v>0\d{2,4}[-. ]\d{3,4}[-. ]?\d{3,4})(?![\w-]|[.,]\d)",
        has_digits(10),
        words="0",
        digits=10,
    ),
    _pattern(
        "PHONE_NUMBER",
        0.55,
        r"(?<![\w.,/$+-])(?P<v>[2-9]\d{2}[2-9]\d{6})(?![\w-]|[.,]\d)",
        digits=10,
    ),
    _pattern(
        "PHONE_NUMBER",
        0.5,
        r"(?<![\w.,/$+:#-])(?<!\d )(?P<v>\(?\d{2,4}\)?([ -])\d{2,4}(?:\2\d{2,4}){1,3})(?![\w-]|[.,/:]\d| \d|%)",
        _is_grouped_phone,
        digits=8,
    ),
)

PLACES = (
    _pattern(
        "ZIP_CODE",
        0.8,
        r"\b(?:zip(?:\s?code)?|post(?:al\s?)?code)\s{0,2}(?:is|was|:|\#|=|of)?\s{0,2}"
        r"(?P<v>\b(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z][ -]?\d[A-Z]\d|\d{4,6}))\b",
        words="zip code",
        digits=4,
    ),
    _pattern(
        "ZIP_CODE",
        0.7,
        rf"\b(?:{_STATES}),? {{1,2}}(?P<v>\d{{5}}(?:-\d{{4}})?)\b",
        case=True,
        digits=5,
    ),
    _pattern(
        "ZIP_CODE", 0.7, rf"\b(?:{_STATE_NAMES}),? {{1,2}}(?P<v>\d{{5}}(?:-\d{{4}})?)\b", digits=5
    ),
    _pattern("ZIP_CODE", 0.6, r"(?<![\w-])(?P<v>\d{5}-\d{4})(?![\w-])", words="-", digits=9),
    _pattern(
        "ZIP_CODE",
        0.6,
        r"\b(?P<v>(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d))\b",
        case=True,
        digits=2,
    ),
    _pattern(
        "ZIP_CODE",
        0.5,
        r"\b(?:live|living|lives|lived|reside[sd]?|moved|located|based|area)\s(?:in|at|near|to|around)?\s?"
        r"(?P<v>\b\d{5})\b(?!\s?(?:people|miles|dollars))",
        words="live living lived reside moved located based area",
        digits=5,
    ),
    _pattern(
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
    _pattern(
        "STREET_ADDRESS",
        0.75,
        r"(?:\b(?:at|on|address(?:\sis)?|to|near|is|lives?|house)[:,]?\s{1,2})(?P<v>\d{1,6} (?:(?!"
        + _NOT_A_STREET
        + r")[a-z0-9'.]{1,24} ){1,3}(?:street|avenue|ave|road|lane|drive|boulevard|blvd|court"
        r"|place|terrace|circle|highway|parkway|crescent|close|st|rd|dr|ln)\b" + _UNIT + r")",
        words="street ave road lane drive boulevard blvd court place terrace circle highway parkway crescent close st rd dr ln",
        digits=1,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.8,
        r"\b(?P<v>(?:P\.?\s?O\.?\s?Box|Post(?:al)?\s?(?:Office\s)?Box)\s{0,2}\#?\s?\d{1,7})\b",
        words="box",
        digits=1,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.7,
        r"\b(?:live[sd]?|living|reside[sd]?|stay(?:ing|s)?|moved)\s(?:at|to)\s(?P<v>\d{1,6}[A-Za-z]? "
        r"[A-Z][\w'.-]{1,24}(?: [A-Z][\w'.-]{1,24}){0,3}" + r"(?i:" + _UNIT + r"))",
        case=True,
        words="live living reside stay moved",
        digits=1,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.7,
        r"\b(?:address)\s{0,2}(?:is|was|:)\s{0,2}(?P<v>(?:\d{1,6}[A-Za-z]? [A-Z][\w'.-]{1,24}(?: [A-Z][\w'.-]{1,24}){0,3}"
        r"|[A-Z][\w'.-]{2,24}(?: [A-Z][\w'.-]{1,24}){0,3} \d{1,5}[A-Za-z]?))\b",
        case=True,
        words="address",
        digits=1,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.6,
        r"(?<!\w)(?P<v>[\w'.-]{3,30}(?:stra(?:ss|ß)e|str\.|gatan?|vägen|weg|laan|straat|gata|tie|katu)\s\d{1,4}[A-Za-z]?)\b"
        r"|\b(?P<w>(?:Rue|Via|Calle|Avenida|Rua|Piazza|Plaza)\s(?:(?:de|del|della|la|du|des|di)\s){0,2}[A-Z][\w'.-]{2,24}"
        r"(?:\s[A-Z][\w'.-]{2,24}){0,2},?\s\d{1,4})\b",
        case=True,
        words="str gat vägen weg laan tie katu rue via calle avenida rua piazza plaza",
        digits=1,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.6,
        r"(?<![\w$.,/-])(?P<v>\d{2,6}[A-Za-z]?,? {1,2}(?:[^\W\d_][\w'.-]{1,24} ){1,3}\d{1,4}[A-Za-z]?\b(?![%\d])"
        + r"(?i:"
        + _UNIT
        + r"))",
        _is_street,
        digits=3,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.6,
        r"\b(?P<v>(?:Apt|Apartment|Suite|Ste)\b\.? {0,2}\#? ?[A-Z]?-?\d{1,5}[A-Z]?)\b",
        words="apt apart suite ste",
        digits=1,
    ),
    _pattern(
        "STREET_ADDRESS",
        0.8,
        r"\b(?P<v>(?:(?:PSC|CMR|Unit) \d{1,5},? Box \d{1,5}|(?:APO|FPO|DPO),? (?:AA|AE|AP) \d{5}))\b",
        words="psc cmr unit apo fpo dpo",
        digits=2,
    ),
)

TIMES = (
    _pattern(
        "AGE_OVER_89",
        0.85,
        r"(?<![\w.$/-])(?P<v>(?:9\d|1[01]\d)[-\s]{0,2}(?:years?[-\s](?:old|of\sage)|yrs?\.?[-\s]old|year-old|y/?\.?o\b\.?|yo[mf]?\b))",
        words="year yr yo y/o y.o",
        digits=2,
    ),
    _pattern(
        "AGE_OVER_89",
        0.8,
        r"\b(?P<v>(?:aged?|age\sof)\s{0,2}(?:is|:|=)?\s{0,2}(?:9\d|1[01]\d))\b" + _RELATIVE_AGE,
        words="age",
        digits=2,
    ),
    _pattern(
        "AGE_OVER_89",
        0.7,
        r"\b(?:turn(?:ed|s|ing)|she's|he's|she\sis|he\sis|i'm|im|i\sam|who(?:'s|\sis)|grand(?:mother|father|ma|pa|mom|dad)"
        r"(?:'s|\sis|\swas)|(?:mother|father|mom|dad|nana|papa|aunt|uncle)(?:'s|\sis|\swas)|(?:died|passed(?:\saway)?)\sat)"
        r"\s(?:just\s|now\s|already\s|almost\s)?(?P<v>9\d|1[01]\d)\b(?=\s?(?:[.,;!?)]|$|\n|and\b|now\b|but\b|this\b|next\b|years?\b))"
        + _RELATIVE_AGE,
        digits=2,
    ),
    _pattern(
        "AGE_OVER_89",
        0.7,
        r"\b(?P<v>(?:9\dth|9[123](?:st|nd|rd)|1[01]\d(?:th|st|nd|rd))\s(?:birthday|year\sof\slife))",
        words="birthday life",
        digits=2,
    ),
    _pattern(
        "AGE_OVER_89",
        0.8,
        r"\b(?P<v>(?:ninety(?:[-\s](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a)\shundred(?:\sand\s\w{3,8})?)"
        r"[-\s]years?[-\s](?:old|of\sage))\b",
        words="ninety hundred",
    ),
    _pattern(
        "DATE_OF_BIRTH",
        0.85,
        r"\b(?:born|birth\s?-?(?:day|date)?|d\.?o\.?b\.?|bday)\b[^\d\n]{0,24}?(?P<v>"
        + _FULL_DATE
        + r")",
        words="born birth dob bday d.o",
        digits=2,
    ),
    _pattern(
        "DATE_OF_BIRTH",
        0.7,
        r"\b(?:born|birth\s?-?(?:day|date)|d\.?o\.?b\.?|bday)(?:\s(?:is|was|on|in|falls))*\s{0,2}:?\s?(?P<v>"
        + _DAY_DATE
        + r")",
        words="born birth dob d.o bday",
        digits=1,
    ),
    _pattern(
        "DATE_OF_BIRTH",
        0.75,
        r"\b(?:admi(?:tted|ssion)|discharged?|hospitali[sz]ed|surgery|operated|operation|died|deceased|death|passed\saway"
        r"|diagnosed|appointment|visit(?:ed)?|seen|evaluated|treated|intake|session|married|divorced|transferred)\b"
        r"[^\d\n]{0,60}?(?P<v>" + _FULL_DATE + r")",
        words="admi discharg hospitali surg operat die dec death passed diagnos appoint visit seen evaluat treat intake session married divorced transfer",
        digits=4,
    ),
    _pattern("DATE_OF_BIRTH", 0.5, r"(?P<v>" + _FULL_DATE + r")", digits=4),
)

ONLINE = (
    _pattern(
        "EMAIL_ADDRESS",
        0.8,
        r"(?<![\w.+%-])(?P<v>[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4})(?![\w-])",
        words="@",
    ),
    _pattern(
        "EMAIL_ADDRESS",
        0.7,
        r"\b(?P<v>[\w.+-]{2,40}\s?[\[({]?\s?(?:at|@)\s?[\])}]?\s?[\w-]{2,40}(?:\s?[\[({]?\s?dot\s?[\])}]?\s?[\w-]{2,30}){0,2}"
        r"\s?[\[({]?\s?(?:dot)\s?[\])}]?\s?(?:com|org|net|edu|gov|co|io|uk))\b",
        words="dot",
    ),
    _pattern(
        "URL",
        0.8,
        r"\b(?P<v>(?:https?|ftp|s3)://[^\s<>\"'\[\](){}]{3,2000}?|www\.[\w-]{2,}\.[^\s<>\"'\[\](){}]{2,2000}?)(?=[.,;:!?]*(?:[\s<>\"'\[\](){}]|$))",
        words="http ftp s3 www.",
    ),
    _pattern(
        "URL",
        0.6,
        r"(?<![\w@.-])(?P<v>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])\.){1,4}"
        r"(?:com|org|net|edu|gov|mil|info|biz|io|app|dev|xyz|online|co\.uk|org\.uk|ac\.uk|nhs\.uk|gov\.uk|com\.au|org\.au"
        r"|ca|de|fr|nl|ch|eu|nz)(?:/[^\s<>\"'\[\](){}]{0,500}?)?)(?![\w-])(?=[.,;:!?/]*(?:[\s<>\"'\[\](){}]|$))",
        case=True,
        words=".",
    ),
    _pattern(
        "USERNAME",
        0.7,
        r"(?<![\w@.%+/-])(?P<v>@(?=\w*[A-Za-z])[A-Za-z0-9_](?:[\w.]{1,28})\w)(?!@|\.\w)",
        words="@",
    ),
    _pattern("USERNAME", 0.7, r"(?<![\w/])(?P<v>/?u/[\w-]{3,24})\b", words="u/"),
    _pattern(
        "USERNAME",
        0.75,
        r"\b(?:user\s?name|screen\s?name|login(?:\sname)?|gamer\s?tag|handle)\s{0,2}(?:is|was|:|=)\s{0,2}[\"']?"
        r"(?P<v>[A-Za-z0-9_][\w.-]{2,30}\w)",
        lambda value: value.lower() not in _PLAIN_WORDS,
        words="user screen login gamer handle",
    ),
    _pattern(
        "USERNAME",
        0.7,
        r"\b(?:insta(?:gram)?|snap(?:chat)?|twitter|discord|kik|tik\s?tok|telegram|skype|venmo|facebook|reddit|xbox|ig)"
        r"(?:\s(?:name|id|account|user|handle|username))?\s{0,2}(?:is|was|:|=|as|at)?\s{0,2}[\"']?"
        r"(?P<v>\b(?=[\w.-]{0,30}[\d_])[A-Za-z_][\w.-]{2,30}\w)",
        lambda value: any(character.isdigit() or character == "_" for character in value),
        words="insta snap twitter discord kik tik telegram skype venmo facebook reddit xbox ig",
    ),
)
_PLAIN_WORDS = frozenset(
    "this that what just very really something nothing anything stupid weird taken wrong your"
    " their there about also only because like with when where".split()
)

SECRETS = (
    _pattern(
        "SECRET",
        0.95,
        r"(?<![A-Z0-9])(?P<v>(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})(?![A-Z0-9])",
        case=True,
        words="akia asia aroa aida",
    ),
    _pattern(
        "SECRET",
        0.95,
        r"\b(?P<v>gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w-]{20,64})",
        case=True,
        words="gh glpat",
    ),
    _pattern("SECRET", 0.95, r"\b(?P<v>xox[abeprs]-[A-Za-z0-9-]{10,250})", case=True, words="xox"),
    _pattern(
        "SECRET",
        0.95,
        r"\b(?P<v>AIza[\w-]{35}|sk-(?:proj-|ant-|live-)?[\w-]{20,200}|[rs]k_(?:live|test)_\w{16,200}|hf_[A-Za-z0-9]{30,60}|pypi-[\w-]{50,250}|npm_[A-Za-z0-9]{36})",
        case=True,
        words="aiza sk- k_ hf_ pypi npm_",
    ),
    _pattern(
        "SECRET",
        0.9,
        r"\b(?P<v>eyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{10,1000})",
        case=True,
        words="eyj",
    ),
    _pattern(
        "SECRET",
        0.9,
        r"\b(?P<v>[a-z][a-z0-9+.-]{2,12}://[^\s:/@]{1,64}:[^\s:/@]{3,128}@[^\s/]{3,120})",
        words="://",
    ),
    _pattern(
        "SECRET", 0.8, r"\bbearer\s{1,2}(?P<v>[\w.~+/-]{20,2000}=*)", has_digits(2), words="bearer"
    ),
    _pattern(
        "SECRET",
        0.8,
        r"\b(?:api[\s_-]?key|secret[\s_-]?(?:access[\s_-]?)?key|access[\s_-]?(?:key|token)|auth[\s_-]?token|client[\s_-]?secret)"
        r"[\"']?\s{0,2}(?:is|:|=)\s{0,2}[\"']?(?P<v>[\w.~+/-]{12,500}=*)",
        has_digits(1),
        words="key token secret",
    ),
    _pattern(
        "SECRET",
        0.8,
        r"\b(?:pass\s?(?:word|wd|phrase)|pwd|pass\s?code)s?[\"']?\s{0,2}(?:is|was|:|=)\s{0,2}(?:[\"'](?P<v>[^\"'\n]{4,80})[\"']|(?P<w>[^\s\"'\[<]{4,80}))",
        _looks_like_secret,
        words="pass pwd",
    ),
    _pattern(
        "SECRET",
        0.7,
        r"\b(?:pin|door\scode|gate\scode|security\scode|cvv|access\scode)(?:\s(?:number|code))?\s{0,2}(?:is|was|:|=)\s{0,2}(?P<v>\d{3,8})\b",
        words="pin code cvv",
        digits=3,
    ),
)
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,20000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
)

VERSION = "1"
OWN = (*RECORD_NUMBERS, *PHONES, *PLACES, *TIMES, *ONLINE, *SECRETS)
