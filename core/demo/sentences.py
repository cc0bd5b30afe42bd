"""Every sentence of the demo stands in a bank that a clinician can read and correct."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.demo.dice import Dice

_BANKS = Path(__file__).with_name("banks")
_SLOT = re.compile(r"\{(\w+)\}")

Lines = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One open question and the answers that fit it."""

    ask: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What people say, and what a helper may say, about one kind of trouble."""

    name: str
    title: str
    openers: Lines
    moments: Lines
    costs: Lines
    reflections: Lines
    insights: Lines
    techniques: Lines
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of crisis or test of limits, and the careful way through it."""

    title: str
    company_step: bool
    openers: Lines
    details: Lines
    asks: Lines
    answers: Lines
    understands: Lines
    plans: Lines
    lines: Lines
    reliefs: Lines
    endings: Lines


@cache
def bank(name: str) -> Mapping[str, Any]:
    """Return the bank called `name` as it stands in its file."""
    return tomllib.loads((_BANKS / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def topics() -> tuple[Topic, ...]:
    """Return every topic, sorted by name."""
    names = sorted(path.stem for path in (_BANKS / "topics").glob("*.toml"))
    return tuple(_topic(name) for name in names)


@cache
def cases() -> tuple[Case, ...]:
    """Return every crisis case; what a case does not say itself comes from the shared lines."""
    crisis = bank("crisis")
    shared = {name: crisis[name] for name in ("plans", "lines", "reliefs", "endings")}
    return tuple(Case(**{**shared, **case}) for case in crisis["cases"])


def fill(text: str, dice: Dice) -> str:
    """Return `text` with each slot such as `{when}` filled from the common bank."""
    return _SLOT.sub(lambda found: _word(found.group(1), dice), text)


def _topic(name: str) -> Topic:
    fields = dict(bank(f"topics/{name}"))
    exchanges = tuple(
        Exchange(ask=each["ask"], answers=tuple(each["answers"]))
        for each in fields.pop("exchanges")
    )
    return Topic(name=name, exchanges=exchanges, **fields)


def _word(slot: str, dice: Dice) -> str:
    common = bank("common")
    if slot == "day":
        day: str = dice.one(common["days"])
        return day
    if slot == "person_cap":
        person: str = dice.one(common["person"])
        return person[0].upper() + person[1:]
    if slot == "person_s":
        return f"{dice.one(common['person'])}'s"
    word: str = dice.one(common[slot])
    return word
