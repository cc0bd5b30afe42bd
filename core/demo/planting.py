"""What the gates must find is planted on purpose, and counted while it is planted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from core.demo.dialogues import Dialogue
from core.demo.dice import Dice

# Invented people. Each stands in one record, with the words that make the name personal.
NAMED: tuple[str, ...] = (
    "My husband Daniel Whitcombe says that I am overreacting.",
    "My cousin Helena Marlowe cried with me when I told her.",
    "My boss, Marcus Delacroix, put it in writing.",
    "My daughter Ellen Hartwig stopped visiting after that.",
    "I still see my ex-husband Tomas Lindqvist at the school gate.",
    "My sister Aisha Farouk thinks that I should move in with her.",
    "My therapist before you was called Margaret Pemberton, and I miss her.",
    "My son Joaquin Villareal heard the whole thing.",
    "My neighbour Hannah Ostrowski drove me home.",
    "My colleague Kenji Morimoto covered for me again.",
    "My mother, Sofia Bellandi, never speaks about it.",
    "My brother Owen Carmichael will not answer my calls.",
)

_WORDS = ("quiet", "maple", "river", "lantern", "pebble", "orchard", "harbor", "willow", "copper")
_STREETS = ("Alder Lane", "Larkspur Road", "Old Mill Street", "Quarry Avenue", "Juniper Drive")
_TEMPLATES: tuple[tuple[str, str], ...] = (
    ("EMAIL_ADDRESS", "You can write to me at {email} if that is easier."),
    ("EMAIL_ADDRESS", "The school only answers to {email}, and I never hear back."),
    ("PHONE_NUMBER", "If I don't turn up, please ring me on {phone}."),
    ("PHONE_NUMBER", "My new number is {phone}, by the way."),
    ("US_SSN", "They even asked for my social security number, {ssn}, over the phone."),
    ("MRN", "The hospital letter says MRN: {mrn} at the top."),
    ("STREET_ADDRESS", "We moved to {house} {street}, ZIP code {zip}, and I know nobody there."),
)

# Written out or drawn together, nothing changes for a reader: a near-duplicate in the wild.
_EDITS: tuple[tuple[str, str], ...] = (
    ("I am ", "I'm "),
    ("do not ", "don't "),
    ("I have ", "I've "),
    ("It is ", "It's "),
    ("that is ", "that's "),
    ("you are ", "you're "),
    ("can't ", "cannot "),
    ("don't ", "do not "),
    ("We could ", "We can "),
    ("You might ", "You could "),
    (" really ", " truly "),
    (" and then ", " and afterwards "),
    (" because ", " since "),
    ("You have ", "You've "),
    ("It sounds ", "This sounds "),
    ("I feel ", "I just feel "),
    ("would be ", "might be "),
    ("to be ", "to stay "),
    (" often ", " usually "),
    (" very ", " quite "),
    (" hard ", " difficult "),
    (" every ", " each "),
)
_SHINGLE = 5
_CLOSEST, _FARTHEST = 0.93, 0.83


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Every planted fact of the demo bucket, counted while the bytes were made.

    `rows` are the rows that a reader of each family meets, malformed ones included;
    `dialogues` those that become conversations, copies included; `malformed` is by key.
    `exact_copies` counts the rows that repeat another row's dialogue.
    """

    objects: int
    bytes: int
    rows: dict[str, int]
    dialogues: dict[str, int]
    malformed: dict[str, int]
    pii: dict[str, int]
    pii_records: int
    named_records: int
    exact_copies: int
    near_pairs: int
    shared_prompts: int
    crisis_lines: int
    preference_rows: int
    prompt_only_rows: int
    persona_profiles: int
    empty_objects: int


@dataclass(slots=True)
class Ledger:
    """Counts what is planted while an object is written."""

    rows: Counter[str] = field(default_factory=Counter)
    dialogues: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    pii: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)


def with_identifiers(dialogue: Dialogue, dice: Dice, ledger: Ledger) -> Dialogue:
    """Return the dialogue with one invented identifier at the end of a user turn."""
    entity, template = dice.one(_TEMPLATES)
    sentence = template.format(
        email=f"{dice.one(_WORDS)}.{dice.one(_WORDS)}{dice.between(10, 99)}@example.org",
        phone=f"({dice.one((212, 415, 312, 617))}) 555-01{dice.between(10, 99)}",
        # No such number was ever issued: areas from 900 up are not, nor are these groups.
        ssn=f"{dice.between(900, 986)}-{dice.between(10, 49)}-{dice.between(1001, 9998)}",
        mrn=str(dice.between(10_000_000, 99_999_999)),
        house=dice.between(11, 899),
        street=dice.one(_STREETS),
        zip=f"{dice.one(('00501', '01001', '62704', '73301'))}-{dice.between(1001, 9998)}",
    )
    ledger.pii[entity] += 1
    if entity == "STREET_ADDRESS":
        ledger.pii["ZIP_CODE"] += 1
    ledger.facts["pii_records"] += 1
    return with_sentence(dialogue, sentence)


def with_sentence(dialogue: Dialogue, sentence: str) -> Dialogue:
    """Return the dialogue with `sentence` at the end of its first user turn."""
    return dialogue.with_turn(0, f"{dialogue.prompt} {sentence}")


def lightly_edited(dialogue: Dialogue) -> Dialogue | None:
    """Return a reworded copy with a word-5-gram Jaccard of 0.83 to 0.93, where one can be had."""
    edited = dialogue
    for position in range(len(dialogue.turns)):
        for plain, drawn in _EDITS:
            text = edited.turns[position].text
            if plain not in text:
                continue
            changed = edited.with_turn(position, text.replace(plain, drawn, 1))
            likeness = jaccard(dialogue, changed)
            if likeness < _FARTHEST:
                continue
            edited = changed
            if likeness <= _CLOSEST:
                return edited
    return None


def jaccard(one: Dialogue, other: Dialogue) -> float:
    """Return the share of word-5-grams that two dialogues have in common."""
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / len(first | second)


def _shingles(dialogue: Dialogue) -> set[tuple[str, ...]]:
    words = dialogue.words
    return {tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1)}
