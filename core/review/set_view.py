"""Who appears in a set, spoken of by whom, with which problems, and which help it names.

Counted are words that name a group. Nobody's identity is inferred, least of all from a name: a
record in which no such word stands is unknown, and unknown is shown as large as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from core.canonical import sha256_hex
from core.model.dataset import Message
from core.model.errors import PolicyError
from core.model.names import Digest

UNKNOWN = "unknown"
ROLES = ("client", "helper")
_SPEAKERS = {"user": "client", "assistant": "helper"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A phrase in lower case and what it stands for; `pattern` finds it as whole words."""

    start: str
    pattern: re.Pattern[str]
    group: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The words of one file; `digest` names its bytes, and every count names the digest."""

    digest: Digest
    dimensions: tuple[Word, ...]
    problems: tuple[Word, ...]
    resources: tuple[Word, ...]

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """Every dimension, in the file's order."""
        return tuple(dict.fromkeys(word.group for word in self.dimensions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What one record names: by role the (dimension, value) pairs, its problems, its help."""

    named: Mapping[str, frozenset[tuple[str, str]]]
    problems: tuple[str, ...]
    resources: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """In how many records a value of a dimension is named by a role beside a problem.

    `problem` is `unknown` where no problem is named; "" sums over problems. A value of "" counts
    each record once for its dimension, and the dimension `unknown` those that name none at all.
    """

    dimension: str
    value: str
    role: str
    problem: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetView:
    """The set as its words show it. `records` of `frame` were read, by rank of the frozen seed.

    `unknown` counts, by dimension, the records in which none of its words stands.
    """

    frame: int
    records: int
    lexicon: Digest
    appearances: tuple[Appearance, ...]
    unknown: Mapping[str, int]
    problems: Mapping[str, int]
    resources: Mapping[str, int]

    def silent(self) -> tuple[str, ...]:
        """Return the dimensions that no record names at all."""
        return tuple(name for name, count in self.unknown.items() if count == self.records)


def draw_portrait(messages: Sequence[Message], lexicon: Lexicon) -> Portrait:
    """Return what the turns of one record name. System prompts speak for nobody."""
    said = {
        role: _plain(message.content for message in messages if _SPEAKERS.get(message.role) == role)
        for role in ROLES
    }
    return Portrait(
        named={role: frozenset(find(text, lexicon.dimensions)) for role, text in said.items()},
        problems=tuple(sorted({group for group, _ in find(said["client"], lexicon.problems)})),
        resources=frozenset(group for group, _ in find(said["helper"], lexicon.resources)),
    )


def draw_set_view(portraits: Sequence[Portrait], frame: int, lexicon: Lexicon) -> SetView:
    """Return the counts over several records."""
    cells: Counter[tuple[str, str, str, str]] = Counter()
    named: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    helped: Counter[str] = Counter()
    for portrait in portraits:
        beside = portrait.problems or (UNKNOWN,)
        problems.update(beside)
        helped.update(portrait.resources or {UNKNOWN})
        everything = frozenset().union(*portrait.named.values())
        named.update({dimension for dimension, _ in everything})
        for role, pairs in portrait.named.items():
            # A record counts once for a dimension, however many of its values it names.
            for dimension, value in pairs | {(dimension, "") for dimension, _ in pairs}:
                cells.update((dimension, value, role, problem) for problem in ("", *beside))
        if not everything:
            cells.update((UNKNOWN, "", "client", problem) for problem in ("", *beside))
    return SetView(
        frame=frame,
        records=len(portraits),
        lexicon=lexicon.digest,
        appearances=tuple(
            Appearance(dimension=cell[0], value=cell[1], role=cell[2], problem=cell[3], records=n)
            for cell, n in sorted(cells.items(), key=lambda item: (-item[1], item[0]))
        ),
        unknown={name: len(portraits) - named[name] for name in lexicon.dimension_names},
        problems=dict(problems.most_common()),
        resources=dict(helped.most_common()),
    )


def find(text: str, words: Sequence[Word]) -> set[tuple[str, str]]:
    """Return the (group, value) of every word that stands in a text of lower case."""
    # Looking for the plain letters first costs a tenth of running every pattern.
    return {
        (word.group, word.value)
        for word in words
        if word.start in text and word.pattern.search(text)
    }


def _plain(texts: Iterable[str]) -> str:
    return "\n".join(texts).lower().replace("’", "'")


@cache
def load_lexicon() -> Lexicon:
    """Return the packaged words."""
    return parse_lexicon((resources.files("core.policy") / "portrayal.yaml").read_bytes())


def parse_lexicon(source: bytes) -> Lexicon:
    """Return the words of one YAML document; raise `PolicyError` `policy.portrayal` for others."""
    try:
        document = yaml.safe_load(source)
        if document["schema_version"] != 1:
            raise ValueError
        lexicon = Lexicon(
            digest=sha256_hex(source),
            dimensions=tuple(
                word
                for dimension, values in document["dimensions"].items()
                for word in _words(dimension, values)
            ),
            problems=tuple(_flat(document["problems"])),
            resources=tuple(_flat(document["resources"])),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyError(
            "policy.portrayal", "The words of the set view cannot be read."
        ) from error
    return lexicon


def _flat(groups: Mapping[str, Sequence[Any]]) -> Iterable[Word]:
    return (word for group, phrases in groups.items() for word in _words(group, {"": phrases}))


def _words(group: str, values: Mapping[str, Sequence[Any]]) -> list[Word]:
    return [
        _word(str(phrase).lower(), str(group), str(value))
        for value, phrases in values.items()
        for phrase in phrases
    ]


def _word(phrase: str, group: str, value: str) -> Word:
    parts = [re.escape(part) for part in phrase.split("*")]
    return Word(
        start=phrase.split("*")[0],
        pattern=re.compile(r"(?<![\w-])" + r"\w*".join(parts) + r"(?![\w-])"),
        group=group,
        value=value,
    )
