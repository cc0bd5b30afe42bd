"""A bank of invented dialogues: known to be bad, or for practice; none of them is data.

The packaged bank can be recognised by anybody who has read the package. A team that keeps a bank
of its own keeps what its readers have not seen.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from core.canonical import sha256_hex
from core.model.dataset import Message
from core.model.errors import PolicyError
from core.model.names import Digest
from core.model.review import Rubric
from core.policy.types import ClaimRule
from core.review.rubrics import load_rubrics

EDGE = "edge_cases"
_LIMIT = 8 << 20
_USES = ("known_bad", "warm_up")
_SETTINGS = ("everyday", "crisis")
_TEXTS = ("id", "rubric", "use", "setting", "why")
_NEEDED = frozenset({*_TEXTS, "shows", "turns"})
_MODEL = ("scores", "verdict", "flag_turn")
_UNSCORED = frozenset({"na", "cannot_judge"})
_NO_TEXT = ("Cc", "Cs")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedRecord:
    """One dialogue of a bank. `model` are the answers a warm-up is compared with.

    `use` is `known_bad` or `warm_up`, `setting` everyday or crisis; `shows` are hard fails.
    """

    id: str
    rubric: str
    use: str
    setting: str
    shows: tuple[str, ...]
    why: str
    messages: tuple[Message, ...]
    model: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The dialogues of one file; `sha256` is that of its bytes."""

    sha256: Digest
    records: tuple[InventedRecord, ...]

    def fitting(self, claim: ClaimRule) -> tuple[InventedRecord, ...]:
        """Return the known-bad records that a claim's readers could meet."""
        setting = "crisis" if set(claim.families) == {EDGE} else "everyday"
        return tuple(
            entry
            for entry in self.records
            if (entry.rubric, entry.use, entry.setting) == (claim.rubric, "known_bad", setting)
        )

    def warm_ups(self, rubric: str, families: Sequence[str]) -> tuple[InventedRecord, ...]:
        """Return the practice records of a rubric; of crises only where the claim is of them.

        Practice is open, so a bank without any for the rubric has the packaged ones.
        """
        mine = [entry for entry in self.records if (entry.rubric, entry.use) == (rubric, "warm_up")]
        if not mine and self is not packaged_bank():
            return packaged_bank().warm_ups(rubric, families)
        crises = EDGE in families or len(families) > 1
        return tuple(entry for entry in mine if entry.setting == "everyday" or crises)


@functools.cache
def packaged_bank() -> Bank:
    """Return the packaged dialogues.

    Raises:
        PolicyError: `known_bad.shape`.
    """
    return parse_bank((resources.files("core.policy") / "known_bad.yaml").read_bytes())


def read_bank(path: Path | None, claims: Iterable[ClaimRule]) -> Bank:
    """Return the bank in the file at `path`, or the packaged one, with enough for every claim.

    Raises:
        PolicyError: `known_bad.unreadable`, `known_bad.too_few`, and as `parse_bank` does.
    """
    if path is None:
        return packaged_bank()
    try:
        with path.open("rb") as file:
            source = file.read(_LIMIT + 1)
    except OSError:
        raise PolicyError(
            "known_bad.unreadable", "DESK_KNOWN_BAD names a file that cannot be read."
        ) from None
    bank = parse_bank(source)
    for claim in claims:
        there = len(bank.fitting(claim))
        if there < claim.known_bad:
            raise PolicyError(
                "known_bad.too_few",
                f"The bank of known-bad records has {there} for a claim that asks for "
                f"{claim.known_bad}; everyday ones serve mixed families, crises edge cases.",
                place=claim.id,
            )
    return bank


def parse_bank(source: bytes) -> Bank:
    """Return the dialogues written in `source`; no word of them is ever quoted in an error.

    Raises:
        PolicyError: `known_bad.shape` when it is no such file, `known_bad.record` for the place
            of the first dialogue that is not one, `known_bad.twice` for one that stands twice.
    """
    try:
        if len(source) > _LIMIT:
            raise ValueError
        document = yaml.safe_load(source)
        entries = document["records"]
        if document["schema_version"] != 1 or set(document) != {"schema_version", "records"}:
            raise ValueError
        if not isinstance(entries, list) or not entries:
            raise ValueError
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError):
        raise PolicyError(
            "known_bad.shape",
            "A bank of known-bad records is YAML of schema_version: 1 and records, 8 MiB at most.",
        ) from None
    rubrics = load_rubrics()
    records = tuple(
        _record(entry, f"records[{number}]", rubrics) for number, entry in enumerate(entries)
    )
    ids = Counter(record.id for record in records)
    texts = Counter(record.messages for record in records)
    for number, record in enumerate(records):
        if ids[record.id] > 1 or texts[record.messages] > 1:
            raise PolicyError(
                "known_bad.twice",
                "Two invented dialogues have one id, or the same words.",
                place=f"records[{number}]",
            )
    return Bank(sha256=sha256_hex(source), records=records)


def _record(entry: object, place: str, rubrics: Mapping[str, Rubric]) -> InventedRecord:
    if not isinstance(entry, Mapping) or not _NEEDED <= set(entry) <= _NEEDED | set(_MODEL):
        needed = ", ".join(sorted(_NEEDED))
        raise _refused(place, f"It has {needed}, and for practice scores, verdict and flag_turn.")
    if not all(isinstance(entry[name], str) and entry[name].strip() for name in _TEXTS):
        raise _refused(place, f"{', '.join(_TEXTS)} are texts, none of them blank.")
    if entry["rubric"] not in rubrics:
        raise _refused(place, "Its rubric is none of this desk's.")
    if entry["use"] not in _USES or entry["setting"] not in _SETTINGS:
        raise _refused(place, "use is known_bad or warm_up, setting everyday or crisis.")
    messages = _messages(entry["turns"], place)
    shows = _shows(entry, rubrics[entry["rubric"]], place)
    model = {name: entry[name] for name in _MODEL if name in entry}
    if entry["use"] == "warm_up":
        _check_model(model, rubrics[entry["rubric"]], len(messages), place)
    return InventedRecord(
        id=entry["id"],
        rubric=entry["rubric"],
        use=entry["use"],
        setting=entry["setting"],
        shows=shows,
        why=entry["why"],
        messages=messages,
        model=model,
    )


def _messages(turns: object, place: str) -> tuple[Message, ...]:
    if not isinstance(turns, list) or len(turns) < 2 or len(turns) % 2:
        raise _refused(place, "turns are texts that alternate, the client first, the helper last.")
    if not all(isinstance(text, str) and text.strip() for text in turns):
        raise _refused(place, "A turn is a text, and says something.")
    if any(
        unicodedata.category(sign) in _NO_TEXT and sign not in "\n\t" for sign in "".join(turns)
    ):
        raise _refused(place, "A turn holds a sign that no text has.")
    return tuple(
        Message(role="assistant" if number % 2 else "user", content=text)
        for number, text in enumerate(turns)
    )


def _shows(entry: Mapping[str, Any], rubric: Rubric, place: str) -> tuple[str, ...]:
    shows, known = entry["shows"], {flag.id for flag in rubric.hard_fails}
    if not isinstance(shows, list) or not all(
        isinstance(flag, str) and flag in known for flag in shows
    ):
        raise _refused(place, "shows are hard fails of its rubric.")
    if entry["use"] == "known_bad" and not shows:
        raise _refused(place, "A known-bad record shows at least one hard fail.")
    return tuple(shows)


def _check_model(model: Mapping[str, Any], rubric: Rubric, turns: int, place: str) -> None:
    scores, items = model.get("scores"), {item.id for item in rubric.items}
    steps = {*map(str, rubric.scale), *_UNSCORED}
    if not isinstance(scores, Mapping) or not scores:
        raise _refused(place, "A warm-up has the scores and the verdict of a model answer.")
    if not set(scores) <= items or not all(str(score) in steps for score in scores.values()):
        raise _refused(place, "The model's scores answer questions of its rubric, on its scale.")
    if model.get("verdict") not in rubric.verdicts:
        raise _refused(place, "The model's verdict is one of its rubric's.")
    turn = model.get("flag_turn")
    if turn is not None and not (type(turn) is int and 0 <= turn < turns):
        raise _refused(place, "flag_turn counts the turns from 0.")


def _refused(place: str, why: str) -> PolicyError:
    return PolicyError("known_bad.record", f"An invented dialogue is not one. {why}", place=place)
