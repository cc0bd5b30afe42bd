"""What people answered in the PII check is kept for good; a "somebody" is never taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, ReviewerId, parse_digest, parse_reviewer
from core.model.pii import PiiAnswer, PiiVerdict
from core.model.review import SamplePlan
from core.model.signoff import Person
from core.review.answers import check_person, moment_of
from core.review.frame import FoundRecord
from core.review.pii_question import KINDS, READERS
from core.review.plans import plan_digest
from core.review.write_once import read_kept
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/pii-answer/1"
_LIMIT = 1 << 20
_TEXT = ("candidate", "family", "record_id", "plan", "reviewer", "answer", "kind", "at")
_NAME = re.compile(r"(?P<record>[^/]+)/(?P<reviewer>[^/]+)-(?P<sha>[0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer and where it lies."""

    answer: PiiAnswer
    key: str
    sha256: Digest


def check_answer(answer: PiiAnswer, plan: SamplePlan, record: FoundRecord) -> None:
    """Refuse an answer that is not one to this question about this record.

    Raises:
        ReviewError: `review.not_in_plan`, `review.stale`, `review.answer`.
    """
    if answer.record_id not in plan.records or record.record_id != answer.record_id:
        raise ReviewError("review.not_in_plan", "This record is not in the sample.")
    if (answer.candidate, answer.plan) != (plan.candidate, plan_digest(plan)):
        raise ReviewError("review.not_in_plan", "The answer is of another candidate or sample.")
    if answer.shown_sha256 != record.sha256:
        raise ReviewError(
            "review.stale", "What was shown is not what would ship.", place=answer.record_id
        )
    if not _whole(answer, len(record.messages)):
        raise ReviewError(
            "review.answer",
            "Say that nobody could be identified, or in which turn and by what somebody could.",
        )
    moment_of(answer.at)


def submit_answer(
    store: ObjectStore,
    prefix: str,
    answer: PiiAnswer,
    *,
    person: Person,
    plan: SamplePlan,
    record: FoundRecord,
    builder: ReviewerId,
) -> StoredAnswer:
    """Check the answer and store it for good; sending it twice is harmless.

    Who said "nobody" may say "somebody" later, having thought or having seen the machine's
    hits; nobody takes a "somebody" back.

    Raises:
        NotAllowed: `review.role`, `review.not_yourself`, `review.builder`.
        ReviewError: as `check_answer`; `review.conflict` when the person has answered.
    """
    check_person(person, answer.reviewer, READERS, builder)
    check_answer(answer, plan, record)
    for stored in load_answers(store, prefix, answer.candidate, answer.family):
        held = stored.answer
        if (held.record_id, held.reviewer) != (answer.record_id, answer.reviewer):
            continue
        if (held.answer, held.turn, held.kind) == (answer.answer, answer.turn, answer.kind):
            return stored
        if held.answer == "somebody" or answer.answer == "nobody":
            raise ReviewError(
                "review.conflict",
                "You have answered for this record; that somebody could be identified stands.",
                place=answer.record_id,
            )
    body = answer_bytes(answer)
    digest = sha256_hex(body)
    folder = _folder(prefix, answer.candidate, answer.family)
    key = f"{folder}{answer.record_id}/{answer.reviewer}-{digest[:16]}.json"
    put_once(store, key, body)
    return StoredAnswer(answer=answer, key=key, sha256=digest)


def load_answers(
    store: ObjectStore,
    prefix: str,
    candidate: Digest,
    family: str,
    *,
    cache: dict[str, StoredAnswer] | None = None,
) -> tuple[StoredAnswer, ...]:
    """Return every answer for a family, in order of key; `cache` keeps what was read.

    Raises:
        ReviewError: `review.answer_broken` when an object under the prefix is no answer.
    """
    folder = _folder(prefix, candidate, family)
    found = []
    for entry in store.list(folder):

        def make(body: bytes, key: str = entry.key) -> StoredAnswer:
            return _read(body, key, folder, candidate, family)

        found.append(read_kept(store, entry.key, cache, make, limit=_LIMIT))
    return tuple(found)


def answer_bytes(answer: PiiAnswer) -> bytes:
    """Return the bytes an answer is stored as."""
    content: dict[str, object] = {name: getattr(answer, name) for name in _TEXT}
    return canonical_bytes(
        {
            "schema": SCHEMA,
            **content,
            "turn": answer.turn,
            "shown_sha256": answer.shown_sha256,
            "seconds": answer.seconds,
        }
    )


def _whole(answer: PiiAnswer, turns: int) -> bool:
    if answer.answer == "nobody":
        return answer.turn == -1 and answer.kind == ""
    return answer.answer == "somebody" and 0 <= answer.turn < turns and answer.kind in KINDS


def _read(body: bytes, key: str, folder: str, candidate: Digest, family: str) -> StoredAnswer:
    named = _NAME.fullmatch(key.removeprefix(folder))
    try:
        content = decode(body)
        answer = _answer(content)
        whole = content["schema"] == SCHEMA and answer_bytes(answer) == body
        moment_of(answer.at)
    except (DeskError, KeyError, TypeError, ValueError, AttributeError):
        raise _broken(key) from None
    digest = sha256_hex(body)
    mine = (answer.candidate, answer.family) == (candidate, family)
    if not whole or not mine or named is None:
        raise _broken(key)
    if named.groups() != (answer.record_id, answer.reviewer, digest[:16]):
        raise _broken(key)
    return StoredAnswer(answer=answer, key=key, sha256=digest)


def _answer(content: Mapping[str, object]) -> PiiAnswer:
    given = str(content["answer"])
    if given not in ("nobody", "somebody"):
        raise ValueError
    verdict: PiiVerdict = "nobody" if given == "nobody" else "somebody"
    answer = PiiAnswer(
        candidate=parse_digest(str(content["candidate"])),
        family=str(content["family"]),
        record_id=str(content["record_id"]),
        plan=parse_digest(str(content["plan"])),
        reviewer=parse_reviewer(str(content["reviewer"])),
        answer=verdict,
        turn=int(str(content["turn"])),
        kind=str(content["kind"]),
        shown_sha256=parse_digest(str(content["shown_sha256"])),
        at=str(content["at"]),
        seconds=int(str(content["seconds"])),
    )
    # How many turns the record has is not known here; that there is one is.
    if not _whole(answer, answer.turn + 1):
        raise ValueError
    return answer


def _folder(prefix: str, candidate: Digest, family: str) -> str:
    return f"{prefix}reviews/{candidate}/pii/answers/{family}/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.answer_broken", "A stored PII answer is not what its name says.", place=place
    )
