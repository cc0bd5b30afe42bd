"""Every kind of event in the journal has one plain sentence, and only one."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "alias.confirmed": "Somebody confirmed that a family's data lies under another name.",
    "baseline.chosen": "Somebody chose the release that a version is compared with.",
    "candidate.built": "A candidate was built from the listed sources.",
    "checklist.closed": "The run sheet was kept as it stood beside a release.",
    "edit.proposed": "A reader proposed other words for a record; nothing was changed.",
    "extra.chosen": "More records were drawn for a review, beyond its plan.",
    "family.waived": "Somebody decided that a version goes without a family, and why.",
    "finding.decided": "Somebody decided about what a gate or a reader found.",
    "flag.settled": "A second person accepted, fixed or rejected what readers raised.",
    "gap.recorded": "Somebody wrote down what a review does not cover.",
    "gate.finished": "A gate ran over a candidate to its end and gave its verdict.",
    "inventory.taken": "The bucket was listed.",
    "key.registered": "A desk made its signing key known; sign-offs are checked against it.",
    "known_bad.mixed_in": "Invented bad records were mixed unseen into a sample.",
    "norming.opened": "Readers' scores of a shared record were opened to be talked over.",
    "pii.escape": "A person read something personal that the detectors had let through.",
    "pii.frozen": "The records to be read for personal data were fixed.",
    "plan.frozen": "The records to be read for a claim were fixed, before the first was shown.",
    "policy.adopted": "A changed policy came into force.",
    "probe.finished": "The bucket was tried out: does it keep what publishing relies on?",
    "publish.abandoned": "A publication was given up before its commit; no reader sees it.",
    "publish.committed": "The manifest stands: from here on the version is a release.",
    "publish.intent": "A version was claimed for one candidate, to be published.",
    "publish.locked": "Every object of a release was locked against removal until a date.",
    "publish.not_locked": "Not every object of a release could be locked; it stands all the same.",
    "publish.verified": "A fresh client read every byte of the release and found it whole.",
    "rating.undone": "A reader took back their own rating.",
    "ratings.carried": "Ratings of unchanged records were carried over from an earlier candidate.",
    "release.withdrawn": "A release was withdrawn: it must no longer be used. Nothing was deleted.",
    "secrets.scanned": "The release's own files and the logs were searched for secrets.",
    "samples.frozen": "All samples of the candidate stand, with what they take over.",
    "seed.fixed": "The chance that draws the samples was fixed.",
    "signoff.given": "Somebody signed an approval or a refusal.",
    "signoff.revoked": "Somebody took back their sign-off.",
    "smoke.finished": "The release was read as a trainer would, with nothing but the bucket.",
    "source.decided": "Somebody decided about a source: its licence, its rights, its use.",
    "sweep.begun": "Somebody began to remove what belongs to no release; the name is closed.",
    "sweep.finished": "The removal of what belongs to no release ended.",
    "version.drafted": "Somebody began a new version.",
    "waiver.given": "A second person signed: what a gate found is accepted for this candidate.",
    "waiver.proposed": "Somebody signed that they would accept what a gate found; one more must.",
    "waiver.revoked": "A waiver was taken back.",
}
UNKNOWN = "This desk has no words for this kind of event; a newer one may have written it."


def sentence_for(kind: str) -> str:
    """Return what an event of this kind says, for somebody who does not know the desk."""
    return SENTENCES.get(kind, UNKNOWN)
