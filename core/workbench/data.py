"""What lies in the bucket: listing, coverage, and the decisions people take about sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.canonical import canonical_bytes, digest_of, sha256_hex
from core.intake.coverage import CoverageReport, measure_coverage, to_json
from core.intake.inventory import (
    Listing,
    carry_times,
    date_listing,
    load_listing,
    make_listing,
    store_listing,
    write_listing_snapshot,
)
from core.intake.listing_files import read_listing_key, read_listing_path
from core.intake.listing_pages import ListingPages
from core.model.errors import IntakeError, Missing
from core.model.names import Digest, Version, parse_version
from core.model.progress import Progress, silent
from core.model.signoff import Person
from core.storage.duck import open_snapshot
from core.storage.probe import ProbeReport, probe
from core.storage.put_once import put_once
from core.workbench import history
from core.workbench.adoption import policy_key
from core.workbench.deciding import check_decision
from core.workbench.desk import Desk
from core.workbench.history import Snapshot, SourceDecision


@dataclass(frozen=True, slots=True)
class Data:
    """Listing, coverage and the source register of one desk."""

    desk: Desk

    def probe(self, by: Person) -> ProbeReport:
        """Try what publishing relies on, against the bucket itself, and journal the outcome."""
        desk = self.desk
        desk.require(by, "release_owner", "review_lead")
        report = probe(desk.store, desk.clock, desk.prefix)
        desk.record(
            by,
            "probe.finished",
            ok=report.ok,
            failed=[check.name for check in report.checks if not check.ok],
            checks=len(report.checks),
        )
        return report

    def take_inventory(
        self,
        by: Person,
        progress: Progress = silent,
        *,
        from_key: str = "",
        from_path: Path | None = None,
    ) -> Snapshot:
        """List the bucket, or read a listing file instead, and journal what was seen.

        A listing cut short goes on after its last stored page. A listing equal to an earlier
        one keeps the earlier one's times, and an object that the listing before held keeps the
        time it had there. Nothing of our own prefix is ever in a listing.

        Args:
            by: who asks.
            progress: told the count so far.
            from_key: an S3 Inventory manifest, CSV or Parquet table inside the bucket.
            from_path: the same on this machine.
        """
        desk = self.desk
        desk.require(by, "release_owner", "review_lead")
        self.probe(by)
        pages = ListingPages(
            self._pages_folder(), exclude=desk.prefix, now=desk.clock.now().timestamp()
        )
        origin: dict[str, object] = {}
        if from_key:
            file = read_listing_key(desk.store, from_key, bucket=desk.store.bucket)
            objects, origin = list(file.objects), {"from": from_key, "from_sha256": file.sha256}
        elif from_path is not None:
            file = read_listing_path(from_path, bucket=desk.store.bucket)
            objects = list(file.objects)
            # The name alone: where it lay on somebody's machine is nobody's business.
            origin = {"from": from_path.name, "from_sha256": file.sha256}
        else:
            objects, resumed = pages.list_all(desk.store, progress)
            origin = {"resumed": True} if resumed else {}
        progress(len(objects), len(objects), "storing the listing")
        foreign = [one for one in objects if not one.key.startswith(desk.prefix)]
        listing = make_listing(carry_times(foreign, self._former(), desk.now()))
        listing = store_listing(desk.store, desk.prefix, listing)
        desk.record(
            by,
            "inventory.taken",
            listing=listing.digest,
            objects=len(listing.objects),
            bytes=listing.bytes,
            **origin,
        )
        pages.forget()
        snapshot = self.snapshot()
        assert snapshot is not None
        write_listing_snapshot(listing, desk.workspace / "inventory" / f"{listing.digest}.duckdb")
        desk.memory["listing"] = listing
        return snapshot

    def _former(self) -> Listing | None:
        """Return the newest listing, or None: one that is lost costs times and nothing else."""
        snapshot = self.snapshot()
        if snapshot is None:
            return None
        try:
            return date_listing(self.listing(), snapshot.at)
        except (IntakeError, Missing):
            return None

    def _pages_folder(self) -> Path:
        """Return the folder for this bucket's pages: another bucket's are never gone on from."""
        settings = self.desk.settings.bucket
        endpoint = settings.endpoint if settings is not None else "embedded"
        name = digest_of([endpoint, self.desk.store.bucket])[:16]
        return self.desk.workspace / "inventory" / "pages" / name

    def snapshot(self) -> Snapshot | None:
        """Return the newest listing's facts, or None before the first."""
        return history.latest_snapshot(self.desk.entries())

    def listing(self) -> Listing:
        """Return the newest listing's objects.

        Raises:
            IntakeError: the bucket has not been listed yet.
        """
        snapshot = self.snapshot()
        if snapshot is None:
            raise IntakeError(
                "inventory.absent", "The bucket has not been listed yet; take an inventory first."
            )
        held = self.desk.memory.get("listing")
        if isinstance(held, Listing) and held.digest == snapshot.listing:
            return held
        listing = load_listing(self.desk.store, self.desk.prefix, snapshot.listing)
        self.desk.memory["listing"] = listing
        return listing

    def coverage(self, version: str, progress: Progress = silent) -> CoverageReport:
        """Return what the newest listing proves for each family of `version`.

        Opening objects takes time, so the answer is kept for the same listing, policy and
        decisions.
        """
        desk = self.desk
        listing = self.listing()
        entries = desk.entries()
        confirmed = history.confirmed_aliases(entries)
        waived = history.waived_families(entries, version)
        name = digest_of(
            {
                "listing": listing.digest,
                "policy": desk.policy.digest,
                "confirmed": sorted(list(pair) for pair in confirmed),
                "waived": dict(waived),
            }
        )
        kept = desk.memory.setdefault("coverage", {})
        assert isinstance(kept, dict)
        if name not in kept:
            kept[name] = measure_coverage(
                desk.store,
                listing,
                desk.policy,
                confirmed=confirmed,
                waived=waived,
                rule=desk.policy.intake,
                progress=progress,
            )
        report: CoverageReport = kept[name]
        return report

    def coverage_document(self, version: str, progress: Progress = silent) -> Mapping[str, Any]:
        """Return the coverage report as JSON data: evidence as keys, and what each gave beside."""
        document: dict[str, Any] = to_json(self.coverage(version, progress))
        for found in document["families"].values():
            found["opened_objects"] = found["evidence"]
            found["evidence"] = [
                item["key"] for item in found["evidence"] if item["state"] in ("usable", "asset")
            ]
        return document

    def bytes_by_prefix(self) -> tuple[Mapping[str, Any], ...]:
        """Return prefix (two folders deep), bytes and objects of the listing, largest first."""
        rows = self._ask_snapshot(
            "select case when strpos(key, '/') = 0 then '(top)/'"
            "  else array_to_string(list_slice(string_split(key, '/'), 1,"
            "   least(2, len(string_split(key, '/')) - 1)), '/') || '/' end as prefix,"
            " sum(size)::bigint, count(*) from objects group by prefix order by 2 desc, 1"
        )
        return tuple({"prefix": row[0], "bytes": row[1], "objects": row[2]} for row in rows)

    def bytes_by_day(self) -> tuple[tuple[str, int], ...]:
        """Return the running total of bytes by the day objects were last written."""
        rows = self._ask_snapshot(
            "select day, sum(bytes) over (order by day)::bigint from"
            " (select strftime(modified, '%Y-%m-%d') as day, sum(size) as bytes"
            "  from objects group by day) order by day"
        )
        return tuple((str(row[0]), int(row[1])) for row in rows)

    def _ask_snapshot(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the DuckDB snapshot of the newest listing; a lost workspace makes it anew."""
        listing = self.listing()
        path = self.desk.workspace / "inventory" / f"{listing.digest}.duckdb"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_listing_snapshot(listing, path)
        with open_snapshot(path) as connection:
            return connection.execute(query).fetchall()

    def confirm_alias(self, family: str, alias: str, by: Person) -> None:
        """Say by name that objects under `alias` are really `family`'s."""
        self.desk.require(by, "release_owner", "review_lead")
        if alias not in self.desk.policy.family(family).aliases:
            raise IntakeError("alias.unknown", "The policy names no such alias.", place=family)
        self.desk.record(by, "alias.confirmed", family=family, alias=alias)

    def decide_source(
        self, family: str, decision: str, rights: str, licence_tag: str, reason: str, by: Person
    ) -> None:
        """Decide by name whether a family's data may be used, and under which licence."""
        desk = self.desk
        desk.require(by, "release_owner")
        rule = desk.policy.family(family)
        check_decision(desk.policy, decision, rights, licence_tag, reason)
        desk.record(
            by,
            "source.decided",
            family=rule.name,
            decision=decision,
            rights=rights,
            licence_tag=licence_tag,
            reason=reason.strip()[:500],
        )

    def decisions(self) -> Mapping[str, SourceDecision]:
        """Return the standing decision per family."""
        return history.source_decisions(self.desk.entries())

    def waive_family(self, version: str, family: str, reason: str, by: Person) -> None:
        """Let `version` go without a required family, by name and with a reason that ships."""
        self.desk.require(by, "release_owner")
        if not reason.strip():
            raise IntakeError("family.reason", "A waiver needs its reason.")
        self.desk.record(
            by,
            "family.waived",
            version=parse_version(version),
            family=self.desk.policy.family(family).name,
            reason=reason.strip()[:500],
        )

    def draft(self, version: str, by: Person) -> Version:
        """Pick the version that the next candidate is built for."""
        self.desk.require(by, "release_owner")
        name = parse_version(version)
        if name not in history.versions(self.desk.entries()):
            self.desk.record(by, "version.drafted", version=name)
        return name

    def versions(self) -> tuple[Version, ...]:
        """Return every version drafted, newest first."""
        return history.versions(self.desk.entries())

    def store_coverage(self, version: str) -> tuple[str, Digest, bytes]:
        """Store the coverage report for a release; return its key, digest and bytes."""
        body = canonical_bytes(self.coverage_document(version))
        digest = sha256_hex(body)
        key = f"{self.desk.prefix}coverage/{digest}.json"
        put_once(self.desk.store, key, body)
        return key, digest, body

    def policy_stored(self) -> str:
        """Store the policy in force beside the candidates it governs; return its key."""
        key = policy_key(self.desk.prefix, self.desk.policy.digest)
        try:
            self.desk.store.head_bytes(key, 1)
        except Missing:
            put_once(self.desk.store, key, self.desk.policy.source)
        return key
