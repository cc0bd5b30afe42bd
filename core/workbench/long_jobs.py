"""Starting, watching, stopping and resuming the work that outlives a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.jobs.queue import Job, JobError, Queue
from core.model.signoff import DeskRole, Person
from core.workbench.desk import Desk
from core.workbench.people import person_to_mapping

_ROLES: Mapping[str, tuple[DeskRole, ...]] = {
    "inventory": ("release_owner", "review_lead"),
    "build": ("release_owner",),
    "gates": ("release_owner", "review_lead"),
    "publish": ("release_owner",),
}


@dataclass(frozen=True, slots=True)
class LongJobs:
    """The jobs of one desk."""

    desk: Desk
    queue: Queue

    def start(self, kind: str, params: Mapping[str, str], by: Person) -> Job:
        """Start a job in a process of its own.

        Raises:
            NotAllowed: `by` holds no role that may start this.
            JobError: the kind is unknown, or one of the kind is running.
        """
        if kind not in _ROLES:
            raise JobError("job.kind", "There is no such job.", place=kind)
        self.desk.require(by, *_ROLES[kind])
        return self.queue.start(kind, params, person_to_mapping(by))

    def latest(self, *kinds: str) -> Job | None:
        """Return the newest job of any of `kinds`."""
        return self.queue.latest(*kinds)

    def cancel(self, job: str, by: Person) -> None:
        """Ask a job to stop."""
        self.desk.require(by, *_ROLES[self.queue.get(job).kind])
        self.queue.cancel(job)

    def resume(self, job: str, by: Person) -> Job:
        """Go on with an interrupted, cancelled or failed job."""
        self.desk.require(by, *_ROLES[self.queue.get(job).kind])
        return self.queue.resume(job)
