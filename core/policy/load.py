"""A policy that contradicts itself is refused when it is loaded, not when it is relied on."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.canonical import sha256_hex
from core.model.errors import PolicyError
from core.policy.types import (
    AssignmentRule,
    CareRule,
    ClaimRule,
    DistributionRule,
    EntityRule,
    FamilyRule,
    IntakeRule,
    MappingRule,
    NearDuplicateRule,
    PhaseRule,
    PiiCheckRule,
    Policy,
    PrivacyRule,
    RangeRule,
    ReasoningRule,
    ReleaseRule,
    SignoffRule,
    StageRule,
)

Rule = TypeVar("Rule")
_TOLERANCE = 1e-9
# Ten years: a slip of the keyboard must not bind a bucket for a century.
_LONGEST_RETENTION = 3650
REASONING_MODES = ("drop", "keep_in_answer", "lane")
KNOWN_GATES = ("privacy", "provenance", "duplicates", "leakage", "distribution")


def packaged_source(name: str) -> bytes:
    """Return the TOML bytes of the packaged policy `release0` or `demo`."""
    folder = resources.files("core.policy") / "packaged"
    return (folder / f"{name}.head.toml").read_bytes() + (folder / "body.toml").read_bytes()


def load_policy(path: Path | None, *, embedded: bool) -> Policy:
    """Return the policy in force: the file named, or the packaged one for this bucket.

    Raises:
        PolicyError: the file is unreadable, contradicts itself, or is a demo policy while
            the bucket is a real one.
    """
    if path is None:
        source = packaged_source("demo" if embedded else "release0")
    else:
        try:
            source = path.read_bytes()
        except OSError:
            raise PolicyError(
                "policy.unreadable", "DESK_POLICY names a file that cannot be read."
            ) from None
    policy = parse_policy(source)
    if policy.demo and not embedded:
        raise PolicyError(
            "policy.demo_outside", "The demo policy serves the embedded demo bucket alone."
        )
    return policy


def parse_policy(source: bytes) -> Policy:
    """Return the policy written in `source` (TOML), or raise `PolicyError`."""
    try:
        document = tomllib.loads(source.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise PolicyError("policy.not_toml", "The policy is not valid TOML in UTF-8.") from None
    policy = _read(document, source)
    for check in _CHECKS:
        check(policy)
    return policy


def _read(document: dict[str, Any], source: bytes) -> Policy:
    known = {field.name for field in dataclasses.fields(Policy)} - {"digest", "source"}
    if document.pop("people", None):
        # A policy is stored in the bucket, and names of people are not for it.
        raise PolicyError(
            "policy.people",
            "People stand in a file of their own, which DESK_PEOPLE names; move [[people]] there.",
        )
    _refuse_unknown(document, known, "policy")
    absent = known - document.keys() - {"assignments", "pii_checks", "care", "release"}
    if absent:
        raise PolicyError("policy.absent", f"The policy lacks {', '.join(sorted(absent))}.")
    privacy = dict(document["privacy"])
    entities = _rules(privacy.pop("entities", []), EntityRule, "privacy.entities")
    distribution = dict(document["distribution"])
    intake = dict(document["intake"])
    mappings = _rules(intake.pop("mappings", []), MappingRule, "intake.mappings")
    reasoning = _rule(intake.pop("reasoning", {}), ReasoningRule, "intake.reasoning")
    ranges = _rules(distribution.pop("ranges", []), RangeRule, "distribution.ranges")
    return Policy(
        name=_rule(document["name"], str, "name"),
        version=_rule(document["version"], str, "version"),
        demo=_rule(document["demo"], bool, "demo"),
        digest=sha256_hex(source),
        source=source,
        stages=_rules(document["stages"], StageRule, "stages"),
        families=_rules(document["families"], FamilyRule, "families"),
        phases=_rules(document["phases"], PhaseRule, "phases"),
        splits=_rule(document["splits"], dict, "splits"),
        near_duplicates=_rule(document["near_duplicates"], NearDuplicateRule, "near_duplicates"),
        intake=_rule(
            {
                **intake,
                "mappings": [_plain(rule) for rule in mappings],
                "reasoning": _plain(reasoning),
            },
            IntakeRule,
            "intake",
        ),
        privacy=_rule(
            {**privacy, "entities": {rule.entity: _plain(rule) for rule in entities}},
            PrivacyRule,
            "privacy",
        ),
        distribution=_rule(
            {**distribution, "ranges": [_plain(rule) for rule in ranges]},
            DistributionRule,
            "distribution",
        ),
        licence_tags=_rule(document["licence_tags"], tuple[str, ...], "licence_tags"),
        claims=_rules(document["claims"], ClaimRule, "claims"),
        signoffs=_rules(document["signoffs"], SignoffRule, "signoffs"),
        required_gates=_rule(document["required_gates"], tuple[str, ...], "required_gates"),
        unwaivable=_rule(document["unwaivable"], tuple[str, ...], "unwaivable"),
        assignments=_rules(document.get("assignments", []), AssignmentRule, "assignments"),
        pii_checks=_rules(document.get("pii_checks", []), PiiCheckRule, "pii_checks"),
        care=_rule(document.get("care", {}), CareRule, "care"),
        release=_rule(document.get("release", {}), ReleaseRule, "release"),
    )


def _plain(rule: Any) -> dict[str, Any]:
    return dataclasses.asdict(rule)


def _rules(tables: Any, kind: type[Rule], place: str) -> tuple[Rule, ...]:
    if not isinstance(tables, list):
        raise PolicyError("policy.shape", f"{place} is a list of tables.", place=place)
    return tuple(_rule(table, kind, f"{place}[{n}]") for n, table in enumerate(tables, 1))


def _rule(value: Any, kind: Any, place: str) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise PolicyError("policy.shape", f"{place} is a table.", place=place)
        _refuse_unknown(value, {field.name for field in dataclasses.fields(kind)}, place)
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        # Safe to quote: msgspec names the path and the types, never the value.
        raise PolicyError("policy.shape", f"{place}: {error}", place=place) from None


def _refuse_unknown(table: Mapping[str, Any], known: set[str], place: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise PolicyError(
            "policy.unknown_key", f"{place} has unknown keys: {', '.join(unknown)}.", place=place
        )


def _unique(names: Iterable[object], what: str) -> None:
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise PolicyError("policy.duplicate", f"Two {what} are called {name}.", place=what)
        seen.add(name)


def _check_names(policy: Policy) -> None:
    if not policy.stages or not policy.families or not policy.phases:
        raise PolicyError("policy.empty", "A policy needs stages, families and phases.")
    _unique((rule.number for rule in policy.stages), "stages")
    _unique((rule.name for rule in policy.families), "families")
    _unique((rule.order for rule in policy.families), "family orders")
    _unique((rule.name for rule in policy.phases), "phases")
    _unique((rule.id for rule in policy.claims), "claims")
    _unique((rule.id for rule in policy.signoffs), "sign-offs")
    for family in policy.families:
        # Names stand in object keys and in file names.
        if not family.name.replace("_", "").isalnum() or not family.name.isascii():
            raise PolicyError("policy.family_name", "A family's name is ASCII letters and _.")
        if not family.prefixes or not all(family.prefixes):
            raise PolicyError("policy.family_prefix", f"{family.name} has no canonical prefix.")
        if family.near_duplicates not in ("together", "one_per_cluster"):
            raise PolicyError("policy.near_duplicates", f"{family.name}: unknown rule.")


def _check_references(policy: Policy) -> None:
    stages = {rule.number for rule in policy.stages}
    families = {rule.name for rule in policy.families}
    claims = {rule.id for rule in policy.claims}
    _refuse_strangers((rule.stage for rule in policy.families), stages, "families name stages")
    _refuse_strangers((n for p in policy.phases for n in p.stages), stages, "phases name stages")
    _refuse_strangers((f for c in policy.claims for f in c.families), families, "claims name")
    _refuse_strangers(
        (f for c in policy.pii_checks for f in c.families), families, "PII checks name"
    )
    _refuse_strangers((r.family for r in policy.distribution.ranges), families, "ranges name")
    _refuse_strangers((s.claim for s in policy.signoffs if s.claim), claims, "sign-offs name")
    given = (rule.family for rule in policy.assignments if rule.family)
    _refuse_strangers(given, families, "assignments name")


def _refuse_strangers(named: Iterable[object], known: set[Any], what: str) -> None:
    strangers = sorted({str(name) for name in named if name not in known})
    if strangers:
        raise PolicyError(
            "policy.unknown_name", f"The policy's {what} what is not there: {strangers}."
        )


def _check_weights(policy: Policy) -> None:
    _sums_to_one((rule.weight for rule in policy.stages), "stage weights")
    _sums_to_one(policy.splits.values(), "splits")
    if set(policy.splits) != {"train", "val", "test"}:
        raise PolicyError("policy.splits", "Splits are train, val and test.")
    for stage in policy.stages:
        inside = [rule.weight for rule in policy.families if rule.stage == stage.number]
        if inside:
            _sums_to_one(inside, f"family weights of stage {stage.number}")


def _sums_to_one(weights: Iterable[float], what: str) -> None:
    values = list(weights)
    if any(value < 0 for value in values) or abs(sum(values) - 1) > _TOLERANCE:
        raise PolicyError("policy.weights", f"The {what} do not sum to 1.", place=what)


def _check_training(policy: Policy) -> None:
    trained = {number for phase in policy.phases for number in phase.stages}
    for family in policy.families:
        if family.test_only and family.weight > 0 and family.stage in trained:
            raise PolicyError(
                "policy.test_only_trained",
                f"{family.name} is test-only, yet it has a weight in a training phase.",
                place=family.name,
            )


def _check_gates(policy: Policy) -> None:
    if not policy.required_gates:
        raise PolicyError("policy.no_gates", "A policy that requires no gate protects nothing.")
    _refuse_strangers(policy.required_gates, set(KNOWN_GATES), "required gates name")
    if not policy.signoffs or not any(rule.claim == "" for rule in policy.signoffs):
        raise PolicyError("policy.no_decision", "A policy needs a release decision signed.")


def _check_claims(policy: Policy) -> None:
    for claim in policy.claims:
        fair = 0 < claim.limit < 1 and 0.5 <= claim.confidence < 1 and claim.first > 0
        if not fair or (claim.second and claim.second <= claim.first) or not claim.families:
            raise PolicyError("policy.claim", f"{claim.id}: the plan is not one.", place=claim.id)
        if claim.known_bad < 0 or not (
            0 <= claim.least_sensitivity <= 1 and 0 < claim.item_limit < 1
        ):
            raise PolicyError("policy.claim", f"{claim.id}: the plan is not one.", place=claim.id)
        if claim.least_sensitivity and not claim.known_bad:
            raise PolicyError(
                "policy.claim",
                f"{claim.id}: a least sensitivity needs known-bad records to measure it by.",
                place=claim.id,
            )
        # Passing must be rarer than 1 - confidence for a set that is really at the limit.
        if _passes(claim) > 1 - claim.confidence + 1e-3:
            raise PolicyError(
                "policy.claim_too_weak",
                f"{claim.id}: {claim.first} records cannot show {claim.limit:.1%} "
                f"at {claim.confidence:.0%} confidence.",
                place=claim.id,
            )


def _check_pii_checks(policy: Policy) -> None:
    _unique((f for rule in policy.pii_checks for f in rule.families), "PII checks")
    for rule in policy.pii_checks:
        place = ", ".join(rule.families)
        fair = 0 < rule.limit < 1 and 0.5 <= rule.confidence < 1 and rule.first > 0
        if not fair or not rule.families:
            raise PolicyError("policy.pii_check", "A PII check is no sample.", place=place)
        if (1 - rule.limit) ** rule.first > 1 - rule.confidence + 1e-3:
            raise PolicyError(
                "policy.pii_check",
                f"{rule.first} records cannot show {rule.limit:.1%} "
                f"at {rule.confidence:.0%} confidence.",
                place=place,
            )


def _passes(claim: ClaimRule) -> float:
    """Chance that a set exactly at the limit passes the plan (binomial)."""
    none = float((1 - claim.limit) ** claim.first)
    if claim.second == 0:
        return none
    one = claim.first * claim.limit * (1 - claim.limit) ** (claim.first - 1)
    return none + float(one * (1 - claim.limit) ** (claim.second - claim.first))


def _check_privacy(policy: Policy) -> None:
    for rule in policy.privacy.entities.values():
        if rule.action not in ("redact", "review", "count") or not 0 <= rule.score <= 1:
            raise PolicyError("policy.entity", f"{rule.entity}: unknown action or score.")
        if rule.action == "redact" and rule.entity in ("PERSON", "LOCATION"):
            # The build redacts what has a form; a name finder over every text is what once
            # destroyed a whole release.
            raise PolicyError(
                "policy.entity", f"{rule.entity}: names are reviewed or counted, never redacted."
            )
        if rule.action == "redact" and not rule.placeholder:
            raise PolicyError("policy.entity", f"{rule.entity}: redaction needs a placeholder.")


def _check_assignments(policy: Policy) -> None:
    for rule in policy.assignments:
        if not rule.prefix or not rule.by or not rule.at:
            raise PolicyError(
                "policy.assignment", "An assignment names a prefix, who gave it and when."
            )


def _check_bounds(policy: Policy) -> None:
    near = policy.near_duplicates
    if near.bands * near.rows > near.permutations or not 0 < near.threshold <= 1:
        raise PolicyError("policy.bands", "Bands times rows exceed the permutations.")
    rule = policy.distribution
    shares = (rule.truncated_share, rule.role_swap_share, rule.mojibake_share, rule.echo_share)
    if not all(0 <= share <= 1 for share in shares):
        raise PolicyError("policy.share", "Shares of a family's records lie between 0 and 1.")
    sizes = (policy.intake.line_bytes, policy.intake.object_bytes, policy.intake.shard_bytes)
    if min(sizes) <= 0:
        raise PolicyError("policy.intake", "Bounds on reading are positive.")


def _check_care(policy: Policy) -> None:
    care = policy.care
    levels = (care.folded_from, care.heavy_from)
    amounts = (care.heavy_a_day, care.minutes_a_day, care.rest_minutes)
    known = {family.name for family in policy.families}
    if (
        not all(1 <= level <= 3 for level in levels)
        or min(amounts) < 1
        or care.rest_after < 0
        or care.together_from < 2
        or not set(care.folded_families) <= known
        or len(care.support) > 500
    ):
        raise PolicyError(
            "policy.care",
            "Care has intensities from 1 to 3, budgets above 0, known families, sums over at "
            "least two readers, and a support contact of at most 500 characters.",
        )


def _check_release(policy: Policy) -> None:
    if not 0 <= policy.release.retention_days <= _LONGEST_RETENTION:
        raise PolicyError(
            "policy.retention", "A release is retained for 0 (not at all) to 3,650 days."
        )


def _check_grouping(policy: Policy) -> None:
    keys = policy.intake.group_keys
    _unique((field_key.casefold() for field_key in keys), "group keys")
    if not all(key.strip() for key in keys):
        raise PolicyError("policy.group_key", "A group key is the name of a field.")


def _check_holdout(policy: Policy) -> None:
    held = any(rule.holdout_sensitive for rule in policy.families)
    covered = any(fnmatchcase("leakage.holdout_exact", name) for name in policy.unwaivable)
    if held and not covered:
        raise PolicyError(
            "policy.holdout_waivable",
            "A policy that holds families out lists leakage.holdout_* as never waivable.",
        )


def _check_mappings(policy: Policy) -> None:
    if policy.intake.reasoning.mode not in REASONING_MODES:
        raise PolicyError("policy.reasoning", f"Reasoning is one of: {', '.join(REASONING_MODES)}.")
    _unique((rule.name for rule in policy.intake.mappings), "mappings")
    for rule in policy.intake.mappings:
        named = (*rule.when, *rule.user, *rule.assistant, *rule.system)
        roles = (*rule.user, *rule.assistant, *rule.system)
        whole = rule.when and rule.user and rule.assistant and len(set(roles)) == len(roles)
        # The name stands in evidence as the records' shape, so it is kept as plain as a family's.
        plain = rule.name.replace("_", "").isalnum() and rule.name.isascii()
        if not whole or not plain or not all(name.strip() for name in named):
            raise PolicyError(
                "policy.mapping",
                "A mapping needs a plain name, fields to know a row by, and fields that speak "
                "for the user and the assistant, none of them twice.",
                place=rule.name,
            )


_CHECKS: tuple[Callable[[Policy], None], ...] = (
    _check_names,
    _check_references,
    _check_weights,
    _check_training,
    _check_gates,
    _check_claims,
    _check_pii_checks,
    _check_privacy,
    _check_assignments,
    _check_bounds,
    _check_care,
    _check_release,
    _check_mappings,
    _check_grouping,
    _check_holdout,
)
