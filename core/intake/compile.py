"""A candidate is built from a listing and a policy, and nothing else decides its bytes.

Neither the order of the listing, nor the number of workers, nor the state of the cache shows in
the result. Whatever is left out is counted, and the books must balance before anything is named.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.canonical import canonical_bytes, sha256_hex
from core.intake.books import (
    add_counts,
    check_books,
    family_counts,
    in_order,
    note_gaps,
    source_entries,
)
from core.intake.choose import choose_sources
from core.intake.columns import KeptColumns
from core.intake.decided import apply_decided
from core.intake.document import (
    decode_candidate,
    encode_candidate,
    load_candidate,
    store_candidate,
)
from core.intake.dropped import store_dropped
from core.intake.edits import Edit
from core.intake.fetched import FetchedFeatures
from core.intake.inventory import Listing, date_listing
from core.intake.kept_pairs import KeptPairs
from core.intake.ledger import Ledger, Source
from core.intake.place import place_records
from core.intake.routing import build_routing
from core.intake.scan import StoreFactory, scan_settings_digest
from core.intake.scan_all import ScanJob, StartsPools, scan_all
from core.intake.shards import write_shards
from core.model.candidate import Candidate
from core.model.errors import IntakeError
from core.model.names import Digest, Version
from core.model.progress import Progress, silent
from core.policy.types import Policy
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

__all__ = [
    "compile_candidate",
    "decode_candidate",
    "encode_candidate",
    "load_candidate",
    "store_candidate",
]


def compile_candidate(
    store: ObjectStore,
    *,
    listing: Listing,
    snapshot_at: str,
    policy: Policy,
    version: Version,
    confirmed: frozenset[tuple[str, str]] = frozenset(),
    waived: Mapping[str, str] | None = None,
    licences: Mapping[str, str] | None = None,
    refused: Mapping[str, str] | None = None,
    decisions: Sequence[Mapping[str, str]] = (),
    edits: Sequence[Edit] = (),
    prefix: str,
    workers: int = 1,
    connect: StoreFactory | None = None,
    pools: StartsPools | None = None,
    progress: Progress = silent,
) -> Candidate:
    """Read every source, write shards, routing and document, and return the candidate.

    Args:
        store: the bucket.
        listing: what was listed; a source that has changed since fails the build.
        snapshot_at: ISO 8601 UTC, when this listing was first seen. It stands in the rows of
            objects of which the listing does not say since when they were listed.
        policy: families, splits, rules.
        version: the release's version.
        confirmed: (family, alias) pairs somebody confirmed; other aliases stay out.
        waived: {family: reason} left out by name.
        licences: {family or key prefix: licence tag}; the longest prefix wins.
        refused: {family or key prefix: decision} of sources that must stay out.
        decisions: what people decided about earlier candidates: of findings and after reviews.
        edits: the words of the edits that `decisions` apply.
        prefix: the exports prefix.
        workers: how many processes scan; more than one needs `connect`.
        connect: a picklable way to reach the same bucket from another process.
        pools: where those processes are; by default on this machine.
        progress: told after every object and phase; may raise `Cancelled`.

    Raises:
        IntakeError: `intake.object_changed`, `intake.nothing_to_ship`, `intake.stage_empty`,
            `intake.rows_do_not_add_up`, `intake.redaction_misplaced`, `intake.edit_stale`,
            `intake.edit_missing`, `intake.edit_conflict`, `intake.edit_circle`.
        StorageError: the store failed; scans already made are kept.
    """
    waived = waived or {}
    chosen, exclusions = choose_sources(
        date_listing(listing, snapshot_at), policy, confirmed, waived, licences or {}, refused or {}
    )
    job = ScanJob(policy=policy, settings=scan_settings_digest(policy), prefix=prefix)
    wanted = [item.source for item in chosen]
    scans = scan_all(store, wanted, job, workers, connect, progress, pools=pools)
    with tempfile.TemporaryDirectory(prefix="release-desk-") as folder:
        ledger = Ledger(
            [
                Source(scan=scan, family=item.family, licence_tag=item.licence_tag)
                for item, scan in zip(chosen, scans, strict=True)
            ],
            FetchedFeatures(store, scans, job, Path(folder), connect),
            KeptColumns(store, job.settings, prefix),
            policy.near_duplicates.permutations,
        )
        decided = apply_decided(ledger, Path(folder), decisions, policy, edits)
        progress(0, 1, "find duplicates")
        placement = place_records(
            ledger,
            policy,
            decisions,
            decided.replaced,
            KeptPairs(store, job.settings, prefix),
        )
        ledger.let_signatures_go()
        if all(reason is not None for reason in placement.reason):
            raise IntakeError("intake.nothing_to_ship", "No record is left to ship.")
        shards = write_shards(
            store,
            ledger,
            placement,
            policy,
            scan_settings=job.settings,
            steps=decided.steps,
            prefix=prefix,
            progress=progress,
        )
        ledger.close()
    families = family_counts(shards)
    routing = build_routing(policy, families, version=version, waived=waived)
    routing_sha256 = sha256_hex(routing.body)
    routing_key = f"{prefix}routing/{routing_sha256}.json"
    put_once(store, routing_key, routing.body)
    put_once(store, f"{prefix}policy/{policy.digest}.toml", policy.source)
    entries = source_entries(ledger, placement)
    candidate = Candidate(
        digest=Digest("0" * 64),
        version=version,
        policy=policy.digest,
        scan_settings=job.settings,
        snapshot=listing.digest,
        snapshot_at=snapshot_at,
        shards=shards,
        routing_key=routing_key,
        routing_sha256=routing_sha256,
        sources=entries,
        rejections=add_counts(entry.rejected for entry in entries),
        dropped=add_counts(entry.dropped for entry in entries),
        families=families,
        exclusions=in_order(
            [*exclusions, *routing.notes, *note_gaps(ledger, placement, policy, families)]
        ),
        decisions=tuple(sorted(({**item} for item in decisions), key=canonical_bytes)),
        rows=sum(entry.rows for entry in entries),
        records=sum(shard.records for shard in shards),
    )
    check_books(candidate)
    sealed = store_candidate(store, prefix, candidate)
    store_dropped(store, prefix, sealed.digest, ledger, placement)
    progress(1, 1, "built")
    return sealed
