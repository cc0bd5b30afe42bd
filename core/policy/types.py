"""A policy is data: families, splits, thresholds, claims, roles. Every verdict names its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.model.dataset import Split
from core.model.names import Digest
from core.model.signoff import DeskRole


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRule:
    """A step of the curriculum. `weight` is its share of every training phase."""

    number: int
    name: str
    title: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRule:
    """A named source inside a stage.

    `prefixes` are canonical; `aliases` are prefixes or globs that need one confirmation.
    `weight` is the family's share inside its stage. `near_duplicates` is `together` (one
    split) or `one_per_cluster` (the rest dropped). `test_only` sends every group to test.
    Earlier families win an exact duplicate (`order`).
    """

    name: str
    title: str
    stage: int
    order: int
    required: bool
    weight: float
    prefixes: tuple[str, ...]
    aliases: tuple[str, ...]
    holdout_sensitive: bool = False
    test_only: bool = False
    needs_persona: bool = False
    near_duplicates: str = "together"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRule:
    """A training phase and the stages it draws from."""

    name: str
    stages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicateRule:
    """Word shingles of `shingle` words, `permutations` hashes (datasketch affine32, `seed`)."""

    shingle: int
    threshold: float
    permutations: int
    seed: int
    bands: int
    rows: int
    bucket_cap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningRule:
    """What becomes of reasoning that stands beside an answer, or before it in `<think>` tags.

    `mode` is `drop` (the answer alone is trained on), `keep_in_answer` (in `<think>` tags before
    it) or `lane` (the row is counted as `reasoning` and not trained on).
    """

    mode: str = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRule:
    """How a row whose shape the desk does not know becomes a conversation, without code.

    It serves rows that have every field in `when`. Fields of one role are joined by a blank
    line; `a.b` names the field `b` of the object `a`, and `a.0` the first item of the list `a`.
    Names are compared without case.
    """

    name: str
    when: tuple[str, ...]
    user: tuple[str, ...]
    assistant: tuple[str, ...]
    system: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRule:
    """Bounds on what is read. `rejected_share` is the most one source may lose unremarked.

    `mappings` come before the desk's own shapes; the first whose fields are there is used.
    Rows of any source that have the same value in a field of `group_keys` are one group.
    """

    line_bytes: int
    object_bytes: int
    shard_bytes: int
    rejected_share: float
    rejected_floor: int
    reasoning: ReasoningRule = ReasoningRule()
    mappings: tuple[MappingRule, ...] = ()
    group_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRule:
    """What to do with one PII entity.

    `action` is `redact` (typed placeholder at build, and blocking if it ships), `review`
    (blocks until a person decides) or `count`. Spans under `score` are ignored.
    """

    entity: str
    action: str
    score: float
    placeholder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRule:
    """`ner_records` is how many records per family and split the NER tier reads (0 = all).

    With `numbered`, placeholders of one record tell its values apart: [PHONE_1], [PHONE_2].
    """

    entities: Mapping[str, EntityRule]
    allow: tuple[str, ...]
    ner_records: int
    redaction_share: float
    characters_per_word: float
    numbered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRule:
    """Expected mean of a measure for a family; outside is a blocking breach until explained."""

    family: str
    measure: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionRule:
    """Ranges, drift limits against the last release, and damage alarms (shares are 0 to 1).

    The shares are of a family's records; a policy written before an alarm was known has its
    default.
    """

    ranges: tuple[RangeRule, ...]
    wasserstein_share: float
    ks_statistic: float
    constant_reply_share: float
    constant_reply_floor: int
    stringified_share: float
    over_redacted_share: float
    characters_per_word: float
    one_sided_share: float
    alike_share: float
    truncated_share: float = 0.3
    role_swap_share: float = 0.05
    mojibake_share: float = 0.01
    echo_share: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRule:
    """What a review must show: at most `limit` of the scope would fail, at `confidence`.

    `families` is the scope. `first` and `second` are the double plan (second 0: single).
    `overlap` records must be read by two people (or all, if the plan has fewer).

    `known_bad` invented records are mixed unseen among the sample, and measure what share of bad
    records readers stop; a share under `least_sensitivity` blocks (0: it is only stated). The
    share of records with a score of 2 or less is bounded by `item_limit` for `limited_items`.
    """

    id: str
    title: str
    role: DeskRole
    rubric: str
    families: tuple[str, ...]
    limit: float
    confidence: float
    first: int
    second: int
    overlap: int
    known_bad: int = 0
    least_sensitivity: float = 0.0
    item_limit: float = 0.1
    limited_items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiCheckRule:
    """What people's reading for personal data must show, for each of `families` by itself.

    At most `limit` of a family's records would identify somebody, at `confidence`; `first`
    records are read, fewer where the family is so small that fewer prove it.
    """

    families: tuple[str, ...]
    limit: float
    confidence: float
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CareRule:
    """How those who read hard material are looked after.

    `support` is whom they can turn to, in the organisation's own words. Records of
    `folded_families`, and any of an intensity (0 to 3) of `folded_from` or more, start folded.
    From `heavy_from` on a record is heavy: `heavy_a_day` of them, or `minutes_a_day` of reading,
    are the budget of 24 hours, which warns and stops nobody; after `rest_after` heavy ones in a
    row (0: never) no heavy one is shown for `rest_minutes`. Sums over readers are shown from
    `together_from` readers on.
    """

    support: str = ""
    folded_families: tuple[str, ...] = ("edge_cases",)
    folded_from: int = 3
    heavy_from: int = 2
    heavy_a_day: int = 40
    minutes_a_day: int = 240
    rest_after: int = 10
    rest_minutes: int = 10
    together_from: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRule:
    """For `retention_days` after its commit no object of a release may be removed (0: no lock).

    It needs a bucket with object lock; where there is none, publishing says so.
    """

    retention_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignoffRule:
    """A sign-off a release needs. `claim` is empty for the release decision."""

    id: str
    title: str
    role: DeskRole
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRule:
    """Somebody who may act. `issuer` and `subject` are what the identity provider says."""

    id: str
    name: str
    issuer: str
    subject: str
    roles: tuple[DeskRole, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRule:
    """Somebody gave a prefix that no family claims to `family`; "" takes it back.

    It covers what no canonical prefix and no alias covers, and it is a prefix as it stands:
    `*` is a star.
    """

    family: str
    prefix: str
    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy, with the digest of the exact TOML bytes it was read from.

    `demo` policies are refused on any bucket but the embedded one.
    """

    name: str
    version: str
    demo: bool
    digest: Digest
    source: bytes = field(repr=False)
    stages: tuple[StageRule, ...]
    families: tuple[FamilyRule, ...]
    phases: tuple[PhaseRule, ...]
    splits: Mapping[Split, float]
    near_duplicates: NearDuplicateRule
    intake: IntakeRule
    privacy: PrivacyRule
    distribution: DistributionRule
    licence_tags: tuple[str, ...]
    claims: tuple[ClaimRule, ...]
    signoffs: tuple[SignoffRule, ...]
    required_gates: tuple[str, ...]
    unwaivable: tuple[str, ...]
    assignments: tuple[AssignmentRule, ...] = ()
    pii_checks: tuple[PiiCheckRule, ...] = ()
    care: CareRule = CareRule()
    release: ReleaseRule = ReleaseRule()

    def family(self, name: str) -> FamilyRule:
        """Return the family called `name`; the loader guarantees that names are unique."""
        return next(rule for rule in self.families if rule.name == name)

    def stage(self, number: int) -> StageRule:
        """Return the stage with this number."""
        return next(rule for rule in self.stages if rule.number == number)

    def claim(self, name: str) -> ClaimRule:
        """Return the claim called `name`."""
        return next(rule for rule in self.claims if rule.id == name)

    def pii_families(self) -> Mapping[str, PiiCheckRule]:
        """Return what the PII check asks of each family it reads; the loader allows one each."""
        return {family: rule for rule in self.pii_checks for family in rule.families}
