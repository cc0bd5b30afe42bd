"""Therapy talk of our own making with labelled identifiers: the same seed gives the same set.

Carriers are written the way clients write: lower case, no punctuation, asides. Values follow the
form of the identifier; names come from lists that the name finder does not ship with its code.
"""

from __future__ import annotations

import random
from collections.abc import Callable

Labelled = tuple[str, list[tuple[int, int, str]]]

_FIRST = [
    "Margaret",
    "Daniela",
    "Terrence",
    "Aisha",
    "Wojciech",
    "Priya",
    "Connor",
    "Beatriz",
    "Hannah",
    "Malik",
    "Sofia",
    "Rasmus",
    "Yolanda",
    "Dmitri",
    "Keisha",
    "Anneliese",
    "Tobias",
    "Carmen",
    "Nadia",
    "Patrick",
    "Lakshmi",
    "Eduardo",
    "Bronwyn",
    "Samuel",
]
_LAST = [
    "Thompson",
    "Okafor",
    "Kowalski",
    "Ramirez",
    "Lindqvist",
    "Patel",
    "Brennan",
    "Nakamura",
    "Goldstein",
    "Ferreira",
    "Novak",
    "Washington",
    "Castellano",
    "Hughes",
    "Abernathy",
    "Petrov",
    "Chaudhary",
    "Sorensen",
    "Delacroix",
    "Whitfield",
]
_STREETS = [
    "Maple",
    "Larkspur",
    "Hollis",
    "Juniper",
    "Garfield",
    "Wexford",
    "Cedar",
    "Beacon",
    "Tamarack",
    "Sutton",
]
_KINDS = ["Street", "Avenue", "Road", "Lane", "Drive", "Court", "Boulevard", "Terrace"]
_WORDS = [
    "moon",
    "river",
    "sad",
    "panda",
    "quiet",
    "storm",
    "paper",
    "crane",
    "lost",
    "echo",
    "blue",
    "fern",
]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "October",
    "November",
]


def _digits(r: random.Random, count: int) -> str:
    return str(r.randint(1, 9)) + "".join(str(r.randint(0, 9)) for _ in range(count - 1))


def _person(r: random.Random) -> str:
    return f"{r.choice(_FIRST)} {r.choice(_LAST)}"


def _phone(r: random.Random) -> str:
    area, last = r.choice(("415", "212", "312", "617", "503")), _digits(r, 4)
    form = r.choice(("{0}-555-{1}", "({0}) 555-{1}", "{0}.555.{1}", "+1 {0} 555 {1}"))
    return form.format(area, last)


def _date(r: random.Random) -> str:
    day, year = r.randint(1, 28), r.randint(1948, 2008)
    return r.choice(
        (f"{r.choice(_MONTHS)} {day}, {year}", f"{r.randint(1, 12):02}/{day:02}/{year}")
    )


def _card(r: random.Random) -> str:
    body = "4" + _digits(r, 14)
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str((10 - total % 10) % 10)


def _ssn(r: random.Random) -> str:
    return f"{r.randint(101, 665)}-{r.randint(11, 99)}-{r.randint(1000, 9999)}"


def _plate(r: random.Random) -> str:
    return f"{r.randint(1, 9)}{''.join(r.choices('ABCDEFGHJKLMNPRSTVWXYZ', k=3))}{_digits(r, 3)}"


def _vin(r: random.Random) -> str:
    return r.choice(("1HGCM82633A004352", "1M8GDM9AXKP042788", "5YJSA1DG9DFP14705"))


# entity: (value, carriers with {} where it stands)
IDENTIFIERS: dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]] = {
    "PERSON": (
        _person,
        (
            "my ex husband {} keeps calling me at night",
            "My sister {} told me I was being dramatic.",
            "I used to see a therapist, Dr. {}, but it did not help.",
            "My name is {} and I have been feeling low for months.",
            "so my boss {} yelled at me in front of everyone",
        ),
    ),
    "EMAIL_ADDRESS": (
        lambda r: f"{r.choice(_WORDS)}.{r.choice(_WORDS)}{r.randint(1, 99)}@example.org",
        ("you can write me at {} if that is easier", "He found my old address, {}, and used it."),
    ),
    "PHONE_NUMBER": (
        _phone,
        ("please call me on {} when you can", "my number is {}", "she texted me from {} again"),
    ),
    "US_SSN": (
        _ssn,
        ("the form wanted my social security number, {}", "they have my SSN {} and I panicked"),
    ),
    "STREET_ADDRESS": (
        lambda r: f"{r.randint(2, 9800)} {r.choice(_STREETS)} {r.choice(_KINDS)}",
        ("i live at {} and he knows it", "We moved to {} after the divorce."),
    ),
    "ZIP_CODE": (
        lambda r: r.choice(("60614", "97214", "02139", "78704", "30307")),
        ("my zip code is {} so nothing is near", "We are in {} and every therapist is full."),
    ),
    "DATE_OF_BIRTH": (
        _date,
        ("i was born on {} if you need it", "My date of birth is {}.", "They admitted me on {}."),
    ),
    "AGE_OVER_89": (
        lambda r: str(r.randint(90, 104)),
        ("my grandmother is {} years old and alone", "he turned {} and has nobody left"),
    ),
    "MRN": (
        lambda r: _digits(r, 8),
        ("my MRN is {} at the clinic", "the chart says medical record number {}"),
    ),
    "HEALTH_PLAN_ID": (
        lambda r: f"XGH{_digits(r, 9)}",
        ("my insurance member ID is {}", "They asked for my health plan number: {}."),
    ),
    "ACCOUNT_NUMBER": (
        lambda r: _digits(r, 12),
        ("he emptied my bank account number {}", "my account number is {} and it is at zero"),
    ),
    "CREDIT_CARD": (_card, ("i paid the session with card {} twice", "My card {} was declined.")),
    "US_DRIVER_LICENSE": (
        lambda r: f"D{_digits(r, 7)}",
        ("my driver's license number is {}", "they photographed my driver's license, no. {}"),
    ),
    "US_PASSPORT": (
        lambda r: _digits(r, 9),
        ("my passport number is {} and he hid it", "He holds my passport no. {}."),
    ),
    "LICENSE_PLATE": (
        _plate,
        ("his license plate is {} and I see it everywhere", "A car with plate number {} waits."),
    ),
    "VIN": (_vin, ("the VIN is {} if the police ask", "vin {} on the title he forged")),
    "DEVICE_ID": (
        lambda r: f"PM{_digits(r, 7)}",
        ("my pacemaker serial number is {}", "The pump has serial no. {} and beeps all night."),
    ),
    "IP_ADDRESS": (
        lambda r: (
            f"{r.randint(11, 200)}.{r.randint(1, 250)}.{r.randint(1, 250)}.{r.randint(2, 250)}"
        ),
        ("somebody logged in from {} and read it all", "The stalker's address was {}."),
    ),
    "URL": (
        lambda r: f"https://{r.choice(_WORDS)}{r.choice(_WORDS)}.com/p/{r.randint(1, 999)}",
        ("i wrote about it on {} last night", "My blog is {} if you want to read."),
    ),
    "USERNAME": (
        lambda r: f"@{r.choice(_WORDS)}_{r.choice(_WORDS)}_{r.randint(1, 99)}",
        ("i am {} there and nobody knows", "She found me as {} and posted it."),
    ),
    "SECRET": (
        lambda r: f"{r.choice(_WORDS).title()}{r.randint(100, 999)}!x",
        ("my password is {} and he guessed it", "He changed it, the password was {} before."),
    ),
}

CLEAN = (
    "I take 50 mg of sertraline every morning and it helps a little.",
    "Two weeks ago I stopped sleeping, maybe three hours a night.",
    "She scored 14 on the PHQ-9 and 12 on the GAD-7 last Tuesday.",
    "If it gets worse tonight, call or text 988, or text HOME to 741741.",
    "You can reach the lifeline at 1-800-273-8255 at any hour.",
    "In the UK the Samaritans answer on 116 123, day and night.",
    "We fought 2-3 times a week from 2015 to 2019, mostly about money.",
    "I am 34 years old, my son is 9 and my mother is 71.",
    "It sounds as if nobody in that house asked what you needed.",
    "Breathe in for 4, hold for 7, out for 8, and repeat it four times.",
    "Carl Rogers wrote that acceptance comes before change.",
    "I keep checking the stove 10 or 12 times before I can leave.",
    "My blood pressure was 120/80 and my pulse 72 at 10:30 am.",
    "I was awake 24/7 with the baby and cried in the shower.",
    "What would it be like to let that thought pass without arguing?",
    "I drink maybe 6 beers, and on weekends 12, and then I feel ashamed.",
)
_SAID = CLEAN[:3] + CLEAN[6:]


def labelled(count: int = 40, seed: int = 4) -> list[Labelled]:
    """Return `count` texts for each identifier, between two harmless sentences."""
    r = random.Random(seed)
    rows: list[Labelled] = []
    for entity, (value_of, carriers) in IDENTIFIERS.items():
        for number in range(count):
            value, carrier = value_of(r), carriers[number % len(carriers)]
            before = r.choice(_SAID) + " "
            start = len(before) + carrier.index("{}")
            text = before + carrier.format(value) + " " + r.choice(_SAID)
            rows.append((text, [(start, start + len(value), entity)]))
    return rows


def clean(count: int = 500, seed: int = 4) -> list[str]:
    """Return texts that identify nobody, crisis lines among them."""
    r = random.Random(seed)
    return [" ".join(r.sample(CLEAN, 4)) for _ in range(count)]
