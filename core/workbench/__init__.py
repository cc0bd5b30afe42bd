"""One method per thing a person can do; pages, the terminal and workers all call these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.demo.fill import ensure_filled
from core.jobs.queue import Queue
from core.model.progress import silent
from core.model.signoff import Person
from core.policy.load import load_policy
from core.policy.roster import roster_at
from core.review.invented import read_bank
from core.settings import Settings, read_settings
from core.storage.embedded import ensure_running, read_only_settings
from core.storage.journal import Journal
from core.storage.ports import Clock
from core.storage.private_files import ensure_private_folder
from core.storage.s3 import S3Store
from core.workbench.adoption import in_force, with_policy_in_force
from core.workbench.audit import Audit
from core.workbench.bias import Bias
from core.workbench.candidates import Candidates
from core.workbench.care import Care
from core.workbench.comparing import Comparing
from core.workbench.data import Data
from core.workbench.desk import Desk
from core.workbench.leftovers import Leftovers
from core.workbench.long_jobs import LongJobs
from core.workbench.people import demo_people, identify
from core.workbench.pii_checks import PiiChecks
from core.workbench.releases import Releases
from core.workbench.review_outcomes import ReviewOutcomes
from core.workbench.review_reports import ReviewReports
from core.workbench.reviews import Reviews
from core.workbench.sheet import Sheet
from core.workbench.signing import Signing
from core.workbench.sources import Sources
from core.workbench.waivers import Waivers

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Workbench:
    """The desk's acts, grouped as the road runs: data, candidates, reviews, releases."""

    desk: Desk
    data: Data
    sources: Sources
    candidates: Candidates
    reviews: Reviews
    pii: PiiChecks
    review_reports: ReviewReports
    outcomes: ReviewOutcomes
    signing: Signing
    waivers: Waivers
    releases: Releases
    comparing: Comparing
    leftovers: Leftovers
    sheet: Sheet
    jobs: LongJobs
    audit: Audit
    care: Care
    bias: Bias

    def demo_people(self) -> tuple[Person, ...]:
        """Return whom one may be on the demo bucket; nobody anywhere else."""
        if not self.desk.settings.embedded:
            return ()
        return demo_people(self.desk.now())

    def current(self) -> Workbench:
        """Return this workbench, or one under the policy adopted since it was opened."""
        if in_force(self.desk, self.desk.entries()) == self.desk.policy.digest:
            return self
        return assemble(with_policy_in_force(self.desk))

    def identify(self, issuer: str, subject: str, auth_time: str) -> Person | None:
        """Return the person an identity provider means, if they may act here, or None."""
        return identify(self.desk.people(), issuer=issuer, subject=subject, auth_time=auth_time)


def open_workbench(environment: Mapping[str, str], *, clock: Clock) -> Workbench:
    """Open the desk that `environment` describes.

    With no bucket configured this starts (or finds) the embedded one and fills it the first
    time.

    Raises:
        DeskError: the settings, the policy or the bucket cannot be used.
    """
    return assemble(connect_desk(read_settings(environment, home=ROOT), clock=clock))


def connect_desk(settings: Settings, *, clock: Clock) -> Desk:
    """Return the desk for `settings`, its bucket within reach."""
    policy = load_policy(settings.policy_file, embedded=settings.embedded)
    ensure_private_folder(settings.workspace)
    if settings.bucket is not None:
        bucket = settings.bucket
        reader = settings.reader or bucket
    else:
        bucket = ensure_running(settings.workspace)
        reader = read_only_settings(settings.workspace)
    store = S3Store(bucket)
    if settings.embedded:
        ensure_filled(store, silent)
    desk = Desk(
        settings=settings,
        store=store,
        journal=Journal(store, settings.exports_prefix, clock),
        policy=policy,
        clock=clock,
        connect=partial(S3Store, bucket),
        connect_reader=partial(S3Store, reader),
        people=roster_at(settings.people_file),
        bank=read_bank(settings.known_bad_file, policy.claims),
    )
    return with_policy_in_force(desk)


def assemble(desk: Desk) -> Workbench:
    """Return the workbench over `desk`; tests give one over a store of their own."""
    data = Data(desk)
    candidates = Candidates(desk, data)
    reviews = Reviews(desk, candidates)
    signing = Signing(desk, candidates, reviews)
    pii = PiiChecks(desk, candidates)
    releases = Releases(desk, data, candidates, reviews, signing, pii)
    return Workbench(
        desk=desk,
        data=data,
        sources=Sources(desk, data),
        candidates=candidates,
        reviews=reviews,
        review_reports=ReviewReports(desk, candidates, reviews),
        outcomes=ReviewOutcomes(desk, candidates, reviews),
        pii=pii,
        signing=signing,
        waivers=Waivers(desk, candidates),
        releases=releases,
        comparing=Comparing(desk),
        leftovers=Leftovers(desk),
        sheet=Sheet(desk, data, candidates, reviews, signing, releases, pii),
        jobs=LongJobs(desk, Queue(desk.workspace, desk.clock)),
        audit=Audit(desk),
        care=Care(desk),
        bias=Bias(desk, candidates, reviews),
    )
