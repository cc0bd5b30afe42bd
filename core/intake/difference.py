"""What changed between two listings is told by key and content, never by date."""

from __future__ import annotations

from dataclasses import dataclass

from core.intake.inventory import Listing
from core.model.dataset import SourceObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Objects that came, went, or hold other content, each in key order.

    `changed` pairs an object as it was with what it is. `same` counts the rest.
    """

    added: tuple[SourceObject, ...]
    removed: tuple[SourceObject, ...]
    changed: tuple[tuple[SourceObject, SourceObject], ...]
    same: int

    @property
    def bytes(self) -> int:
        """How many bytes the bucket gained; negative when it shrank."""
        return (
            sum(item.size for item in self.added)
            - sum(item.size for item in self.removed)
            + sum(new.size - old.size for old, new in self.changed)
        )


def difference(former: Listing, latter: Listing) -> Difference:
    """Return what changed from `former` to `latter`."""
    before = {item.key: item for item in former.objects}
    after = {item.key: item for item in latter.objects}
    both = [(before[key], item) for key, item in after.items() if key in before]
    changed = tuple((old, new) for old, new in both if _content(old) != _content(new))
    return Difference(
        added=tuple(item for key, item in after.items() if key not in before),
        removed=tuple(item for key, item in before.items() if key not in after),
        changed=changed,
        same=len(both) - len(changed),
    )


def _content(item: SourceObject) -> tuple[int, str]:
    return item.size, item.etag
