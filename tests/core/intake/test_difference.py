"""What changed is told by key and content; a touch of the date is no change."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from core.intake.difference import difference
from core.intake.inventory import make_listing
from core.model.dataset import SourceObject


def an_object(key: str, size: int = 3, etag: str = "e") -> SourceObject:
    return SourceObject(
        key=key, size=size, etag=etag, modified=datetime.fromisoformat("2026-01-02")
    )


def test_everything_is_added_removed_changed_or_the_same() -> None:
    kept, old, gone = an_object("kept"), an_object("new bytes"), an_object("gone", 5)
    new, come = an_object("new bytes", 4, "f"), an_object("come", 10)
    touched = dataclasses.replace(kept, modified=kept.modified + timedelta(days=1))

    found = difference(make_listing([kept, old, gone]), make_listing([touched, new, come]))

    assert found.added == (come,)
    assert found.removed == (gone,)
    assert found.changed == ((old, new),)
    assert found.same == 1
    assert found.bytes == 10 - 5 + 1


def test_a_listing_does_not_differ_from_itself() -> None:
    listing = make_listing([an_object("a"), an_object("b")])
    found = difference(listing, listing)
    assert (found.added, found.removed, found.changed, found.same, found.bytes) == (
        (),
        (),
        (),
        2,
        0,
    )
