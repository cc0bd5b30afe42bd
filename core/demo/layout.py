"""The demo bucket is a pure function of one seed: the same keys and bytes on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from core.demo import families
from core.demo.noise import noise
from core.demo.planting import Planted
from core.demo.shelf import Shelf

SEED = 20261121


def demo_objects(seed: int = SEED) -> Iterator[tuple[str, bytes]]:
    """Yield every object of the demo bucket as key and bytes, sorted by key."""
    yield from sorted(_shelf(seed).objects.items())


def planted(seed: int = SEED) -> Planted:
    """Return what was planted in `demo_objects(seed)`, counted while it was made."""
    return _shelf(seed).planted()


@lru_cache(maxsize=1)
def _shelf(seed: int) -> Shelf:
    shelf = Shelf(seed)
    families.professional(shelf)
    families.priority(shelf)
    families.cot_reasoning(shelf)
    families.voice(shelf)
    families.edge_cases(shelf)
    for key, body in noise():
        shelf.put_other(key, body)
    return shelf
