"""A plan is stored once for each claim of a candidate, under a name its bytes answer for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, parse_digest
from core.model.review import SamplePart, SamplePlan
from core.review.strata import SampleFrame, freeze_frame
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/sample-plan/3"
SECOND_SCHEMA = "release-desk/sample-plan/2"
FIRST_SCHEMA = "release-desk/sample-plan/1"
_PLAN_LIMIT = 8 << 20
_TEXT = ("id", "candidate", "claim", "scope", "role", "rubric", "seed")
_COUNTS = ("frame", "first", "second", "overlap")
_PART_TEXT = ("candidate", "since", "seed", "drawn_from")
_PART_COUNTS = ("frame", "ships", "first", "second", "overlap", "skipped")


def plan_bytes(plan: SamplePlan) -> bytes:
    """Return the bytes a plan is stored as; rates are text, so that they have one form."""
    content: dict[str, object] = {name: getattr(plan, name) for name in (*_TEXT, *_COUNTS)}
    content |= {"limit": repr(plan.limit), "confidence": repr(plan.confidence)}
    content["records"] = plan.records
    framed = bool(plan.drawn_from or plan.parts)
    if not (framed or plan.failed or plan.left_in or plan.gone):
        # What the first desks stored is what it always was, to the byte.
        return canonical_bytes({"schema": FIRST_SCHEMA, **content})
    content |= {"failed": plan.failed, "left_in": plan.left_in, "gone": plan.gone}
    if not framed:
        return canonical_bytes({"schema": SECOND_SCHEMA, **content})
    content |= {"drawn_from": plan.drawn_from, "parts": [part_content(p) for p in plan.parts]}
    return canonical_bytes({"schema": SCHEMA, **content})


def plan_digest(plan: SamplePlan) -> Digest:
    """Return the digest that names a plan in keys and signatures."""
    return sha256_hex(plan_bytes(plan))


def parse_plan(body: bytes) -> SamplePlan:
    """Return the plan of stored bytes; raise `ReviewError` `review.plan_broken` for others."""
    try:
        content = decode(body)
        plan = plan_of(content)
        whole = plan_bytes(plan) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken() from error
    if not whole:
        raise _broken()
    return plan


def freeze_plan(
    store: ObjectStore, prefix: str, plan: SamplePlan, frame: SampleFrame | None = None
) -> str:
    """Store the plan for good, and before it the frame it names, and return its key.

    Raises:
        ReviewError: `review.frozen_already` when another plan stands for this claim: a second
            draw would let somebody pick the kinder one.
    """
    held = load_plans(store, prefix, plan.candidate).get(plan.claim)
    if held is not None and held != plan:
        raise ReviewError(
            "review.frozen_already",
            "The sample of this claim is frozen; a second draw is refused.",
            place=held.id,
        )
    if frame is not None:
        freeze_frame(store, prefix, frame)
    key = f"{_folder(prefix, plan.candidate)}{plan.claim}-{plan_digest(plan)}.json"
    put_once(store, key, plan_bytes(plan))
    return key


def load_plans(store: ObjectStore, prefix: str, candidate: Digest) -> Mapping[str, SamplePlan]:
    """Return the frozen plans of a candidate by claim.

    Raises:
        ReviewError: `review.plan_broken` when a plan's bytes do not match its name,
            `review.two_plans` when a claim has more than one.
    """
    found: dict[str, SamplePlan] = {}
    for entry in store.list(_folder(prefix, candidate)):
        body = store.get(entry.key, limit=_PLAN_LIMIT).body
        plan = parse_plan(body)
        named = f"{plan.claim}-{sha256_hex(body)}.json"
        if plan.candidate != candidate or entry.key != _folder(prefix, candidate) + named:
            raise _broken(entry.key)
        if plan.claim in found:
            raise ReviewError("review.two_plans", "A claim has two samples.", place=plan.claim)
        found[plan.claim] = plan
    return found


def plan_of(content: Mapping[str, object]) -> SamplePlan:
    """Return the plan of this content; raise `KeyError`, `TypeError` or `ValueError` for none."""
    text = {name: str(content[name]) for name in _TEXT}
    counts = {name: int(str(content[name])) for name in _COUNTS}
    records = content["records"]
    if not isinstance(records, (list, tuple)):
        raise TypeError
    return SamplePlan(
        id=text["id"],
        candidate=Digest(text["candidate"]),
        claim=text["claim"],
        scope=text["scope"],
        role=text["role"],
        rubric=Digest(text["rubric"]),
        seed=text["seed"],
        limit=float(str(content["limit"])),
        confidence=float(str(content["confidence"])),
        records=tuple(str(record_id) for record_id in records),
        failed=tuple((int(fails), int(read)) for fails, read in _list(content, "failed")),
        left_in=tuple(str(name) for name in _list(content, "left_in")),
        gone=tuple(str(name) for name in _list(content, "gone")),
        drawn_from=str(content.get("drawn_from", "")),
        parts=tuple(_part(entry) for entry in _list(content, "parts")),
        **counts,
    )


def part_content(part: SamplePart) -> dict[str, object]:
    """Return a stratum as a plan stores it."""
    return {name: getattr(part, name) for name in (*_PART_TEXT, *_PART_COUNTS, "records")}


def _part(content: Mapping[str, Any]) -> SamplePart:
    return SamplePart(
        candidate=parse_digest(str(content["candidate"])),
        since=str(content["since"]),
        seed=str(content["seed"]),
        drawn_from=str(content["drawn_from"]),
        records=tuple(str(name) for name in content["records"]),
        **{name: int(str(content[name])) for name in _PART_COUNTS},
    )


def _list(content: Mapping[str, object], name: str) -> Sequence[Any]:
    found = content.get(name, ())
    if not isinstance(found, (list, tuple)):
        raise TypeError
    return found


def _folder(prefix: str, candidate: Digest) -> str:
    return f"{prefix}reviews/{candidate}/plans/"


def _broken(place: str = "") -> ReviewError:
    return ReviewError(
        "review.plan_broken", "A stored sample plan is not what its name says.", place=place
    )
