"""A bucket is listed for a test the way the desk lists it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from core.intake.inventory import Listing, make_listing
from core.intake.listing_pages import ListingPages
from core.model.progress import Progress, silent
from core.storage.ports import ObjectStore


def take_listing(
    store: ObjectStore, *, exclude_prefix: str, progress: Progress = silent
) -> Listing:
    """List the whole bucket but for `exclude_prefix`; nothing is left to go on from."""
    with tempfile.TemporaryDirectory() as folder:
        pages = ListingPages(Path(folder), exclude=exclude_prefix, now=0)
        objects, _ = pages.list_all(store, progress)
    return make_listing(objects)
