"""A candidate's sources are those of the stored listing it names, version by version."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.intake.document import is_first_form
from core.intake.inventory import Listing, date_listing, listing_key, load_listing
from core.model.candidate import Candidate
from core.model.errors import GateError, IntakeError, Missing
from core.model.gate import Finding
from core.storage.ports import ObjectStore

LISTING = "provenance.listing"
ReadsListing = Callable[[], Listing]


def stored_listing(store: ObjectStore, prefix: str, candidate: Candidate) -> ReadsListing:
    """Return what reads the listing that `candidate` names, when a gate asks for it.

    Reading raises `GateError`: `gate.listing_missing` when it is gone, `gate.listing_damaged` when
    it is not the listing of its name.
    """

    def read() -> Listing:
        try:
            return load_listing(store, prefix, candidate.snapshot)
        except Missing:
            raise _no_listing(listing_key(prefix, candidate.snapshot)) from None
        except IntakeError:
            raise GateError(
                "gate.listing_damaged",
                "The stored listing is not the one this candidate was built from; "
                "list the bucket and build again.",
                place=listing_key(prefix, candidate.snapshot),
            ) from None

    return read


def no_listing() -> Listing:
    """Raise `GateError`: without its listing nothing is proven of a candidate's sources."""
    raise _no_listing("")


def listing_faults(candidate: Candidate, listing: Listing) -> Iterator[Finding]:
    """Yield a blocking finding for every source that the listing does not hold as it is entered.

    A candidate of the first form dates no source; of it, keys and versions are compared.
    """
    if listing.digest != candidate.snapshot:
        yield Finding(code=LISTING, blocking=True, detail="another listing than it names")
    listed = {item.key: item for item in date_listing(listing, candidate.snapshot_at).objects}
    dated = not is_first_form(candidate)
    for source in candidate.sources:
        item = listed.get(source.key)
        if item is None:
            fault = "not in the listing"
        elif (source.size, source.etag, source.version_id) != (
            item.size,
            item.etag,
            item.version_id,
        ):
            fault = "another version than listed"
        elif dated and source.listed_at != item.listed_at:
            fault = "first listed at another time"
        else:
            continue
        yield Finding(
            code=LISTING, blocking=True, family=source.family, detail=f"{fault}: {source.key}"
        )


def _no_listing(place: str) -> GateError:
    return GateError(
        "gate.listing_missing",
        "The listing this candidate was built from is not there; list the bucket and build again.",
        place=place,
    )
