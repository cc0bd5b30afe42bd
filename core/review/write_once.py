"""What a review stores is written once, under a name its bytes answer for, and read as that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from core.canonical import sha256_hex
from core.model.errors import DeskError
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once


class OfClaim(Protocol):
    """Something that a candidate has once for each claim."""

    @property
    def candidate(self) -> Digest:
        """Whose it is."""

    @property
    def claim(self) -> str:
        """Under which claim."""


Kept = TypeVar("Kept")
Frozen = TypeVar("Frozen", bound=OfClaim)
Broken = Callable[[str], DeskError]


def claim_of(item: OfClaim) -> str:
    """Return the claim something is of."""
    return item.claim


def freeze_for_claim(store: ObjectStore, folder: str, claim: str, body: bytes) -> str:
    """Store a claim's one object for good and return its key."""
    key = _claim_key(folder, claim, body)
    put_once(store, key, body)
    return key


def load_by_claim(
    store: ObjectStore,
    folder: str,
    candidate: Digest,
    *,
    parse: Callable[[bytes, str], Frozen],
    broken: Broken,
    limit: int,
    named: Callable[[Frozen], str] = claim_of,
    twice: Broken | None = None,
) -> Mapping[str, Frozen]:
    """Return a candidate's objects by claim; raise `broken` for one that is not what it is named.

    Two of one claim are one too many, whichever came first: `twice` or else `broken`. `named`
    gives the name an object lies under, where that is not its claim's.
    """
    found: dict[str, Frozen] = {}
    for entry in store.list(folder):
        body = store.get(entry.key, limit=limit).body
        item = parse(body, entry.key)
        name = named(item)
        if item.candidate != candidate or entry.key != _claim_key(folder, name, body):
            raise broken(entry.key)
        if name in found:
            raise (twice or broken)(entry.key)
        found[name] = item
    return found


def read_kept(
    store: ObjectStore,
    key: str,
    cache: dict[str, Kept] | None,
    make: Callable[[bytes], Kept],
    *,
    limit: int,
) -> Kept:
    """Return what lies at a key that is never written twice, from `cache` where it was read."""
    known: dict[str, Kept] = {} if cache is None else cache
    if key not in known:
        known[key] = make(store.get(key, limit=limit).body)
    return known[key]


def _claim_key(folder: str, claim: str, body: bytes) -> str:
    return f"{folder}{claim}-{sha256_hex(body)}.json"
