"""Damaged data looks like data: one reply to everything, records in quotes, words turned to tags.

Each alarm counts the records of a family that show it and remembers where a hundred of them are.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.gates import signs
from core.gates.gate import stated_id
from core.intake.text import digest_text
from core.model.dataset import Message, ShippedRecord
from core.policy.types import DistributionRule

PLACES_KEPT = 100
ALIKE_CHARACTERS = 200

# A short record may hold one long word or one placeholder and be whole.
_LEAST_CHARACTERS = 180
_LEAST_PLACEHOLDERS = 3

# The text of a JSON or Python mapping: a brace, then a quoted key and a colon.
_STRINGIFIED = re.compile(r"""\s*[\[{(][\s\[{(]*(['"])[^'"\n]{1,80}\1\s*:""")
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_ -]{1,40}\]|<[A-Z][A-Z0-9_]{1,40}>")
# Scripts written without spaces: there, one letter counts as one word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_WORD = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")


_SIGNS: Mapping[str, Callable[[Sequence[Message]], bool]] = {
    "truncated_ending": signs.ends_cut,
    "role_swap": signs.is_swapped,
    "mojibake": signs.is_misread,
    "prompt_echo": signs.echoes,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record stands."""

    shard: str
    line: int
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One kind of damage in one family: in how many records, and where the first ones are."""

    code: str
    records: int
    share: float
    limit: float
    raised: bool
    places: tuple[Place, ...]


def count_words(text: str) -> int:
    """Return how many words a text has; a letter of an unspaced script counts as one."""
    return len(text.split()) if text.isascii() else len(_WORD.findall(text))


class Damage:
    """What is damaged in one family. Fed one record at a time, asked once at the end."""

    def __init__(self, rule: DistributionRule, *, redaction_share: float) -> None:
        """`redaction_share` is the most of a record's words that may be placeholders."""
        self._rule = rule
        self._redaction_share = redaction_share
        self._shards: list[str] = []
        self._places: list[tuple[int, int, str]] = []
        self._marked: dict[str, list[int]] = {
            name: []
            for name in ("stringified", "over_redacted", "empty_turn", "one_sided", *_SIGNS)
        }
        self._single = 0
        self._truncated = 0
        self._replies = _Shared()
        self._beginnings = _Shared()
        self._prompts = _Shared()

    @property
    def records(self) -> int:
        """How many records were fed."""
        return len(self._places)

    def add(self, record: ShippedRecord, *, characters: int, words: int) -> None:
        """Look at one record, whose messages have `characters` and `words` in all."""
        number = self._remember(record)
        messages = record.messages
        users = [message.content for message in messages if message.role == "user"]
        replies = [message.content for message in messages if message.role == "assistant"]
        if any(_STRINGIFIED.match(text) for text in users):
            self._marked["stringified"].append(number)
        if self._over_redacted(messages, characters, words):
            self._marked["over_redacted"].append(number)
        if any(not message.content.strip() for message in messages):
            self._marked["empty_turn"].append(number)
        if not users or not replies:
            self._marked["one_sided"].append(number)
        for name, shows in _SIGNS.items():
            if shows(messages):
                self._marked[name].append(number)
        self._single += len(users) <= 1 and len(replies) <= 1
        self._truncated += bool(messages) and signs.breaks_off(messages[-1].content)
        self._replies.add(number, {digest_text(text) for text in replies})
        self._prompts.add(number, {digest_text(text) for text in users[:1]})
        self._beginnings.add(number, {_beginning(replies)} if replies else set())

    def _remember(self, record: ShippedRecord) -> int:
        if not self._shards or self._shards[-1] != record.shard.key:
            self._shards.append(record.shard.key)
        self._places.append((len(self._shards) - 1, record.line, stated_id(record)))
        return len(self._places) - 1

    def _over_redacted(self, messages: Sequence[Message], characters: int, words: int) -> bool:
        limit = self._rule.characters_per_word
        if characters >= _LEAST_CHARACTERS and characters > limit * words:
            return True
        placeholders = sum(len(_PLACEHOLDER.findall(message.content)) for message in messages)
        return placeholders >= _LEAST_PLACEHOLDERS and placeholders > self._redaction_share * words

    def alarms(self) -> Iterator[Alarm]:
        """Yield every alarm, raised or not."""
        rule = self._rule
        for name, limit in (
            ("stringified", rule.stringified_share),
            ("over_redacted", rule.over_redacted_share),
            ("empty_turn", 0.0),
            ("one_sided", rule.one_sided_share),
            ("mojibake", rule.mojibake_share),
            ("prompt_echo", rule.echo_share),
        ):
            yield self._alarm(name, self._marked[name], limit, least=1)
        floor = rule.constant_reply_floor
        for name, shared, limit in (
            ("constant_reply", self._replies, rule.constant_reply_share),
            ("alike", self._beginnings, rule.alike_share),
        ):
            yield self._alarm(name, shared.most_common(), limit, least=floor)
        for name, limit in (
            ("truncated_ending", rule.truncated_share),
            ("role_swap", rule.role_swap_share),
        ):
            yield self._alarm(name, self._marked[name], limit, least=floor)

    def shares(self) -> dict[str, float]:
        """Return the shares of records that are measured without an alarm."""
        return {
            "single_turn": self._share(self._single),
            "truncated_ending": self._share(self._truncated),
            "shared_prompt": self._share(self._prompts.repeated()),
        }

    def _share(self, count: int) -> float:
        return round(count / self.records, 6) if self.records else 0.0

    def _alarm(self, name: str, numbers: Sequence[int], limit: float, *, least: int) -> Alarm:
        count = len(numbers)
        share = count / self.records if self.records else 0.0
        return Alarm(
            code=f"distribution.{name}",
            records=count,
            share=round(share, 6),
            limit=limit,
            raised=count > 0 and count >= least and share > limit,
            places=tuple(self._place(number) for number in numbers[:PLACES_KEPT]),
        )

    def _place(self, number: int) -> Place:
        shard, line, name = self._places[number]
        return Place(shard=self._shards[shard], line=line, record_id=name)


class _Shared:
    """Which records hold the same text, in 16 bytes per text instead of a dictionary entry."""

    def __init__(self) -> None:
        self._digests = array("Q")
        self._numbers = array("Q")

    def add(self, number: int, digests: set[bytes]) -> None:
        # A blank text has no digest, and being blank is another alarm.
        for digest in digests - {b""}:
            self._digests.append(int.from_bytes(digest[:8], "big"))
            self._numbers.append(number)

    def most_common(self) -> list[int]:
        """The records that hold the text which the most records hold."""
        if not self._digests:
            return []
        digests = np.frombuffer(self._digests, dtype=np.uint64)
        values, counts = np.unique(digests, return_counts=True)
        mask = digests == values[counts.argmax()]
        found: list[int] = np.frombuffer(self._numbers, dtype=np.uint64)[mask].tolist()
        return found

    def repeated(self) -> int:
        """How many records hold a text that another record holds too."""
        if not self._digests:
            return 0
        digests = np.frombuffer(self._digests, dtype=np.uint64)
        _, places, counts = np.unique(digests, return_inverse=True, return_counts=True)
        numbers = np.frombuffer(self._numbers, dtype=np.uint64)
        return len(np.unique(numbers[counts[places] > 1]))


def _beginning(replies: Sequence[str]) -> bytes:
    """The digest of the first 200 characters that the assistant says, white space collapsed."""
    return digest_text(" ".join(" ".join(replies).split())[:ALIKE_CHARACTERS])
