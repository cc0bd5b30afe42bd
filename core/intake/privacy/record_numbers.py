"""Numbers of a person in somebody's books: charts, plans, accounts, licences, vehicles, cards."""

# ruff: noqa: E501
from __future__ import annotations

from core.intake.privacy.pattern import ID, NUMBER, has_digits, pattern


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


def is_card_number(value: str) -> bool:
    """Whether 13 to 19 digits begin as cards do and end in their check digit (Luhn, ISO 7812)."""
    digits = [int(sign) for sign in value if sign.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6) or len(set(digits)) < 3:
        return False
    doubled = (digit * 2 for digit in digits[-2::-2])
    return (sum(digits[::-2]) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def _is_plate(value: str) -> bool:
    return any(map(str.isdigit, value)) and len(value) >= 4


RECORD_NUMBERS = (
    pattern(
        "MRN",
        0.85,
        r"\b(?:mrn|mr\#|med(?:ical)?\.?\s?rec(?:ord)?s?|(?:hospital|clinic|patient|health)\s(?:record|chart)"
        r"|chart|patient\s(?:id|identifier|number|no\.?|\#)|hospital\s(?:id|number|no\.?))"
        + NUMBER
        + ID,
        has_digits(4),
        words="mr med record chart patient hospital",
        digits=4,
    ),
    pattern(
        "MRN",
        0.6,
        r"\b(?:ID|case|file|record|encounter|claim|visit|reference|ref(?:\.\scode)?|study|site|specimen|rx)"
        r"\s?(?:id|number|no\.|\#)?\s?[:\#]\s?" + ID,
        has_digits(4),
        words="id case file record encounter claim visit ref study site specimen rx",
        digits=4,
    ),
    pattern(
        "HEALTH_PLAN_ID",
        0.85,
        r"\b(?:(?:health\s)?(?:insurance|plan|policy|member(?:ship)?|subscriber|beneficiary|medicaid"
        r"|medicare|hpbn|hicn|mbi|group|payer|coverage|ins\.?|hbn|bcbs|blue\scross|aetna|cigna|humana|kaiser)"
        r"(?:\s(?:plan|policy|member|beneficiary|subscriber|insurance|card))?)" + NUMBER + ID,
        has_digits(5),
        words="insurance plan policy member subscriber beneficiary medic hpbn hicn mbi ins hbn group payer coverage bcbs cross aetna cigna humana kaiser",
        digits=5,
    ),
    pattern(
        "ACCOUNT_NUMBER",
        0.85,
        r"\b(?:(?:bank\s|checking\s|savings\s|patient\s|billing\s)?(?:account|acct)|routing|iban|sort\scode"
        r"|aba)" + NUMBER + r"(?P<v>\b(?:[A-Z]{0,4}-?\d(?:\d|[ -](?=\d)){4,24}))\b",
        has_digits(6),
        words="account acct routing iban code aba",
        digits=6,
    ),
    pattern(
        "DEVICE_ID",
        0.85,
        r"\b(?:serial|device|implant|pacemaker|imei|udi|(?:insulin\s)?pump|cgm|hearing\said|stimulator"
        r"|machine|model\sserial)(?:\s(?:serial|device|model))?" + NUMBER + ID,
        has_digits(5),
        words="serial device implant pacemaker imei udi pump cgm aid stimulator machine",
        digits=5,
    ),
    pattern(
        "US_DRIVER_LICENSE",
        0.85,
        r"\b(?:driv(?:er|ing)'?s?'?\s(?:licen[cs]e|lic\.?|permit)|dl|licen[cs]e\s(?:number|no\.?|\#))"
        + NUMBER
        + ID,
        has_digits(4),
        words="driv dl licen",
        digits=4,
    ),
    pattern(
        "US_DRIVER_LICENSE",
        0.7,
        r"\b(?:licen[cs]e|certificate|cert|permit|dea|npi)\s?(?:number|no\.?|\#|id)" + NUMBER + ID,
        has_digits(4),
        words="licen cert permit dea npi",
        digits=4,
    ),
    pattern(
        "US_PASSPORT",
        0.85,
        r"\bpassport" + NUMBER + r"(?P<v>\b[A-Z]{0,2}\d{6,9})\b",
        words="passport",
        digits=6,
    ),
    pattern(
        "LICENSE_PLATE",
        0.8,
        r"\b(?:licen[cs]e\s|number\s|car\s|vehicle\s)?(?:plates?|tags?|registration)"
        + NUMBER
        + r"(?-i:(?P<v>\b[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5}))\b",
        _is_plate,
        words="plate tag registration",
        digits=1,
    ),
    pattern(
        "LICENSE_PLATE",
        0.8,
        r"\b(?:licen[cs]e\splate|plate\snumber|number\splate)s?\s{0,2}(?:is|was|:|\#|=)?\s{0,2}"
        r"(?P<v>\b[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5})\b",
        _is_plate,
        words="plate",
        digits=1,
    ),
    pattern("VIN", 0.9, r"\b(?P<v>[A-HJ-NPR-Z0-9]{17})\b", vin_is_valid, digits=2),
    pattern(
        "VIN",
        0.8,
        r"\b(?:vin|vehicle\sidentification)" + NUMBER + r"(?P<v>\b[A-HJ-NPR-Z0-9]{11,17})\b",
        has_digits(4),
        words="vin vehicle",
        digits=4,
    ),
    pattern("US_SSN", 0.85, r"(?<![\w-])(?P<v>(?!000)\d{3}([- .])\d{2}\2\d{4})(?![\w-])", digits=9),
    pattern(
        "US_SSN",
        0.85,
        r"\b(?:ssn|soc(?:ial)?(?:\s?sec(?:urity)?)?|itin|tax\s?id)"
        + NUMBER
        + r"(?P<v>\b\d{3}[- .]?\d{2}[- .]?\d{4})\b",
        words="ssn soc itin tax",
        digits=9,
    ),
    pattern(
        "US_SSN",
        0.7,
        r"\b(?:last\s(?:four|4)\s(?:digits\s)?of\s(?:my|his|her|the|their)?\s?(?:ssn|social(?:\ssecurity)?))"
        r"[^\d\n]{0,20}(?P<v>\b\d{4})\b",
        words="last",
        digits=4,
    ),
    pattern(
        "CREDIT_CARD",
        0.7,
        r"\b(?:(?:credit|debit|bank)?\s?card|visa|master\s?card|amex|discover)"
        + NUMBER
        + r"(?P<v>\b\d{4}[- ]?\d{4,6}[- ]?\d{4,5}(?:[- ]?\d{2,4})?)\b",
        has_digits(12),
        words="card visa amex discover",
        digits=12,
    ),
    pattern(
        "CREDIT_CARD",
        0.75,
        r"(?<![\w.,/$+-])(?P<v>\d(?:[ -]?\d){12,18})(?![\w-]|[.,]\d)",
        is_card_number,
        digits=13,
    ),
    pattern(
        "IBAN_CODE",
        0.8,
        r"\biban"
        + NUMBER
        + r"(?P<v>\b(?:(?-i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30})|[A-Z]{2}\d{2}[A-Z0-9]{11,30}))\b",
        has_digits(6),
        words="iban",
        digits=6,
    ),
)
