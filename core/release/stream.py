"""The order of a release's rows follows from its manifest, a phase and a seed, on any machine.

A stream can stop after any row and go on exactly there: its position is a short text. Two ways
to read: every row once, or a mix in which each family has its share of the phase.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec

from core.model.errors import ReleaseError
from core.model.release import ReleaseFile
from core.release.proven import ProvenShard
from core.release.rows import parse_row

SCHEMA = "release-desk/position/1"

Prove = Callable[[ReleaseFile], ProvenShard]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What decides which rows come, and when.

    Attributes:
        manifest: the digest of the release's manifest.
        split: train, val or test.
        phase: a phase of the routing, or "" for all families.
        mixed: each family by its share of the phase, starting over when it runs out; otherwise
            every row once.
        draws: how many rows there are in all, over all workers.
        seed: None for the manifest's own order; a number for an order of its own.
        epoch: another order under the same seed.
        worker: (index, number of workers); row n goes to worker n modulo their number.
    """

    manifest: str
    split: str
    phase: str
    mixed: bool
    draws: int
    seed: int | None
    epoch: int
    worker: tuple[int, int]


@dataclass(slots=True, kw_only=True)
class Lane:
    """Shards that are drawn from in turn, with their share of the draws. `drawn` counts them."""

    name: str
    weight: float
    shards: Sequence[ReleaseFile]
    drawn: int = 0
    _opened: tuple[int, ReleaseFile, ProvenShard, Sequence[int]] | None = field(
        default=None, repr=False
    )
    _first: int = 0

    @property
    def rows(self) -> int:
        """How many rows the lane's shards hold."""
        return sum(file.records for file in self.shards)

    @property
    def due(self) -> float:
        """When the next row of this lane is due, on a clock on which all lanes agree."""
        return (self.drawn + 0.5) / self.weight

    def take(self, order: Order, prove: Prove) -> tuple[str, bytes]:
        """Return the place and the bytes of the row that the next draw gives."""
        turn, index = divmod(self.drawn, self.rows)
        held = self._opened
        if held is None or held[0] != turn or not 0 <= index - self._first < len(held[3]):
            held = self._open(order, turn, index, prove)
        _, file, shard, numbers = held
        number = numbers[index - self._first]
        return f"{file.key}:{number + 1}", shard.line(number)

    def _open(
        self, order: Order, turn: int, index: int, prove: Prove
    ) -> tuple[int, ReleaseFile, ProvenShard, Sequence[int]]:
        files = _shuffled(self.shards, order, turn, lambda file: file.sha256)
        first = 0
        for file in files:
            if index < first + file.records:
                break
            first += file.records
        # Let go of the last shard before the next is read, so that one is held at a time.
        self._opened = None
        shard = prove(file)
        name = file.sha256
        numbers = _shuffled(range(len(shard)), order, turn, lambda line: f"{name}:{line}")
        self._first, self._opened = first, (turn, file, shard, numbers)
        return self._opened


class RowStream:
    """The rows of one worker, as `{"messages", "metadata"}`; `position` says where it stands."""

    def __init__(self, order: Order, lanes: Sequence[Lane], prove: Prove) -> None:
        self._order = order
        self._lanes = {lane.name: lane for lane in lanes}
        self._prove = prove
        self._drawn = 0

    def __iter__(self) -> RowStream:
        return self

    def __next__(self) -> dict[str, Any]:
        index, workers = self._order.worker
        while self._drawn < self._order.draws:
            lane = min(self._lanes.values(), key=lambda lane: (lane.due, lane.name))
            mine = self._drawn % workers == index
            taken = lane.take(self._order, self._prove) if mine else None
            lane.drawn += 1
            self._drawn += 1
            if taken is not None:
                place, line = taken
                found: dict[str, Any] = msgspec.to_builtins(parse_row(line, place=place))
                return found
        raise StopIteration

    @property
    def order(self) -> Order:
        """What decides which rows come, and when."""
        return self._order

    @property
    def position(self) -> str:
        """A short text with which a stream of the same order goes on after the last row given."""
        return json.dumps(self.state_dict(), separators=(",", ":"), sort_keys=True)

    def state_dict(self) -> dict[str, Any]:
        """Return the position as a document, the way stateful data loaders ask for it."""
        return {
            "schema": SCHEMA,
            **_plain(self._order),
            "drawn": {name: lane.drawn for name, lane in sorted(self._lanes.items())},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken.

        Raises:
            ReleaseError: `release.position`: it is of another release, order or worker, or none.
        """
        wanted = {"schema": SCHEMA, **_plain(self._order)}
        counts = state.get("drawn")
        told = {name: value for name, value in state.items() if name != "drawn"}
        if told != wanted or not isinstance(counts, dict) or set(counts) != set(self._lanes):
            raise _no_position()
        if not all(type(count) is int and count >= 0 for count in counts.values()):
            raise _no_position()
        if sum(counts.values()) > self._order.draws:
            raise _no_position()
        for name, lane in self._lanes.items():
            lane.drawn = counts[name]
        self._drawn = sum(counts.values())


def read_position(text: str) -> dict[str, Any]:
    """Return the document of a position; raise `ReleaseError` for anything else."""
    try:
        state = json.loads(text)
    except ValueError:
        state = None
    if not isinstance(state, dict):
        raise _no_position()
    return state


def every_row(
    order: Order, shards: Sequence[ReleaseFile], prove: Prove, start: str | None
) -> RowStream:
    """Return a stream that gives each row of `shards` once."""
    total = sum(file.records for file in shards)
    order = replace(order, draws=total)
    lanes = [Lane(name="rows", weight=1.0, shards=shards)] if total else []
    return _begun(RowStream(order, lanes, prove), start)


def mixture(
    order: Order,
    shards: Sequence[ReleaseFile],
    weights: Mapping[str, float],
    prove: Prove,
    start: str | None,
) -> RowStream:
    """Return a stream in which, after n rows, each family gave its share of n but for one or two.

    Each next row comes from the family whose next row is due first (Webster's method of
    apportionment), so no chance is involved and any stretch of the stream keeps the shares.
    """
    by_family: dict[str, list[ReleaseFile]] = {}
    for file in shards:
        if file.records and weights.get(file.family, 0.0) > 0:
            by_family.setdefault(file.family, []).append(file)
    lanes = [
        Lane(name=name, weight=weights[name], shards=files)
        for name, files in sorted(by_family.items())
    ]
    if order.draws < 0 or (order.draws and not lanes):
        raise ReleaseError("release.nothing_to_mix", "No family of the phase has such rows.")
    return _begun(RowStream(order, lanes, prove), start)


def _begun(stream: RowStream, start: str | None) -> RowStream:
    if start is not None:
        stream.load_state_dict(read_position(start))
    return stream


def _plain(order: Order) -> dict[str, Any]:
    return {
        "manifest": order.manifest,
        "split": order.split,
        "phase": order.phase,
        "mixed": order.mixed,
        "draws": order.draws,
        "seed": order.seed,
        "epoch": order.epoch,
        "worker": list(order.worker),
    }


def _shuffled(
    items: Sequence[Item], order: Order, turn: int, name: Callable[[Item], str]
) -> Sequence[Item]:
    """Return `items` ranked by a hash of seed, epoch, turn and name; the same in any Python."""
    if order.seed is None:
        return items
    salt = f"{order.seed}:{order.epoch}:{turn}:"
    return sorted(items, key=lambda item: hashlib.sha256((salt + name(item)).encode()).digest())


def _no_position() -> ReleaseError:
    return ReleaseError(
        "release.position",
        "This position is not one of this release, split, phase, seed and worker.",
    )
