"""What no family claims is shown by prefix, with a guess that somebody may act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from core.intake.codes import title_of
from core.intake.read import read_object
from core.model.dataset import Asset, Conversation, Rejection, SourceObject
from core.model.errors import Changed, Forbidden, Missing
from core.policy.types import IntakeRule
from core.storage.ports import ObjectStore

_DEPTH: Final = 3
_OPENED: Final = 100
_HEAD: Final = 1 << 16
_NAMED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedPrefix:
    """Objects under one prefix that no family claims. `guess` is of its largest object.

    `keys` names the objects that lie in no folder, at most 200: each is a prefix of its own.
    """

    prefix: str
    objects: int
    bytes: int
    guess: str
    keys: tuple[str, ...] = ()


def group_unmatched(
    store: ObjectStore, objects: Iterable[SourceObject], *, rule: IntakeRule
) -> tuple[UnmatchedPrefix, ...]:
    """Return the prefixes (at most three folders deep), the largest first.

    One object is opened in each of the first hundred; the rest say so.
    """
    groups: dict[str, list[SourceObject]] = {}
    for item in objects:
        folders = item.key.split("/")[:-1][:_DEPTH]
        groups.setdefault("".join(folder + "/" for folder in folders), []).append(item)
    ordered = sorted(
        groups.items(), key=lambda group: (-sum(item.size for item in group[1]), group[0])
    )
    return tuple(
        UnmatchedPrefix(
            prefix=prefix,
            objects=len(items),
            bytes=sum(item.size for item in items),
            guess=_guess(store, items, rule) if number < _OPENED else "not opened",
            keys=() if prefix else tuple(sorted(item.key for item in items)[:_NAMED]),
        )
        for number, (prefix, items) in enumerate(ordered)
    )


def _guess(store: ObjectStore, items: list[SourceObject], rule: IntakeRule) -> str:
    largest = max(items, key=lambda item: (item.size, item.key))
    try:
        head = store.head_bytes(largest.key, _HEAD)
    except (Changed, Missing, Forbidden):
        return "could not be opened"
    reading = read_object((head,), key=largest.key, rule=rule, sample=_HEAD)
    seen: list[str] = []
    for item in islice(reading, 20):
        if isinstance(item, Conversation):
            return f"{reading.container}: {item.shape}"
        seen.append(item.lane if isinstance(item, Asset) else _refused(item))
    return f"{reading.container}: {seen[0]}" if seen else reading.container


def _refused(item: Rejection) -> str:
    title = title_of(item.code).lower()
    return f"{title} ({', '.join(item.fields)})" if item.fields else title
