"""The shape of the data is measured, compared and explained; damage is an alarm, not an average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.canonical import document_bytes, sha256_hex
from core.gates.damage import Alarm, Damage
from core.gates.decisions import explanation
from core.gates.gate import finding_at
from core.gates.portrait import language, measure_messages, role_pattern
from core.gates.statistics import EDGES, MEASURES, Cell, compare
from core.intake.tokens import ENCODING
from core.model.candidate import Candidate
from core.model.dataset import ShippedRecord
from core.model.errors import GateError
from core.model.gate import Finding
from core.policy.types import Policy, RangeRule

# The other size measures move with the tokens; three alarms for one change help nobody.
DRIFTING = ("turns", "tokens", "characters_per_word", "assistant_user_ratio")
_PATTERNS_KEPT = 20


class DistributionGate:
    """Measures every record by family and split, and judges the families."""

    name: Final = "distribution"

    def __init__(
        self,
        policy: Policy,
        candidate: Candidate,
        *,
        baseline: Mapping[str, Any] | None = None,
        compared_with: Mapping[str, str] | None = None,
    ) -> None:
        """`baseline` is the measures of an earlier release's distribution evidence, if any.

        `compared_with` names that release, who chose it and why; it goes into the evidence.
        """
        self._policy = policy
        self._rule = policy.distribution
        self._decisions = candidate.decisions
        self._baseline = baseline
        self._compared_with = dict(compared_with or {}) if baseline is not None else {}
        self._cells: dict[tuple[str, str], Cell] = {}
        self._languages: dict[tuple[str, str], Counter[str]] = {}
        self._patterns: dict[tuple[str, str], Counter[str]] = {}
        self._damage: dict[str, Damage] = {}
        self._results: dict[str, Any] = {"ranges": [], "drift": {}, "damage": {}}

    def settings(self) -> Mapping[str, object]:
        """The rule, what counts as redacted, the token encoding and the baseline."""
        rule = self._rule
        baseline = self._baseline
        return {
            "ranges": [[r.family, r.measure, r.low, r.high] for r in rule.ranges],
            "wasserstein_share": rule.wasserstein_share,
            "ks_statistic": rule.ks_statistic,
            "constant_reply_share": rule.constant_reply_share,
            "constant_reply_floor": rule.constant_reply_floor,
            "stringified_share": rule.stringified_share,
            "over_redacted_share": rule.over_redacted_share,
            "characters_per_word": rule.characters_per_word,
            "one_sided_share": rule.one_sided_share,
            "alike_share": rule.alike_share,
            "truncated_share": rule.truncated_share,
            "role_swap_share": rule.role_swap_share,
            "mojibake_share": rule.mojibake_share,
            "echo_share": rule.echo_share,
            "redaction_share": self._policy.privacy.redaction_share,
            "encoding": ENCODING,
            "baseline": "none" if baseline is None else sha256_hex(document_bytes(baseline)),
        }

    def examine(self, record: ShippedRecord) -> Iterator[Finding]:
        """Measure one record and recount its tokens."""
        values = measure_messages(record.messages)
        place = record.shard.family, record.shard.split
        self._cells.setdefault(place, Cell()).add(values)
        self._languages.setdefault(place, Counter())[language(record)] += 1
        self._patterns.setdefault(place, Counter())[role_pattern(record.messages)] += 1
        if record.shard.family not in self._damage:
            share = self._policy.privacy.redaction_share
            self._damage[record.shard.family] = Damage(self._rule, redaction_share=share)
        self._damage[record.shard.family].add(
            record, characters=int(values["characters"] or 0), words=int(values["words"] or 0)
        )
        if record.metadata.get("tokens") != values["tokens"]:
            yield finding_at(record, "distribution.tokens_mismatch")

    def conclude(self) -> Iterator[Finding]:
        """Judge every family against its ranges, against the last release, and for damage."""
        families = self._families()
        yield from self._judge_ranges(families)
        yield from self._judge_drift(families)
        for family, damage in sorted(self._damage.items()):
            alarms = tuple(damage.alarms())
            self._results["damage"][family] = {
                "records": damage.records,
                "shares": damage.shares(),
                "alarms": {alarm.code: _alarm_document(alarm) for alarm in alarms},
            }
            for alarm in alarms:
                yield from _alarm_findings(alarm, family)

    def measures(self) -> Mapping[str, object]:
        """Everything the distribution page draws."""
        families: dict[str, dict[str, Any]] = {}
        for (family, split), cell in sorted(self._cells.items()):
            families.setdefault(family, {})[split] = self._document(cell, [(family, split)])
        for family, cell in self._families().items():
            places = [place for place in self._cells if place[0] == family]
            families[family]["all"] = self._document(cell, places)
        return {
            "encoding": ENCODING,
            "stages": self._stages(),
            "edges": {name: list(edges) for name, edges in EDGES.items()},
            "families": families,
            "baseline": "none" if self._baseline is None else "given",
            "compared_with": self._compared_with,
            **self._results,
        }

    def _families(self) -> dict[str, Cell]:
        whole: dict[str, Cell] = {}
        for (family, _), cell in sorted(self._cells.items()):
            whole.setdefault(family, Cell()).take(cell)
        return whole

    def _stages(self) -> dict[str, Any]:
        """Return the families of each stage and their records together, by split and in all."""
        stages: dict[str, Any] = {}
        known = {family for family, _ in self._cells}
        for rule in self._policy.families:
            if rule.name in known:
                told = stages.setdefault(str(rule.stage), {"families": [], "splits": {}})
                told["families"].append(rule.name)
        for told in stages.values():
            splits = {split for family, split in self._cells if family in told["families"]}
            for name in ("all", *sorted(splits)):
                whole = Cell()
                for (family, split), cell in sorted(self._cells.items()):
                    if family in told["families"] and name in ("all", split):
                        whole.take(cell)
                told["splits"][name] = whole.document()
        return stages

    def _document(self, cell: Cell, places: list[tuple[str, str]]) -> dict[str, Any]:
        languages: Counter[str] = Counter()
        patterns: Counter[str] = Counter()
        for place in places:
            languages.update(self._languages[place])
            patterns.update(self._patterns[place])
        return cell.document() | {
            "languages": _most_common(languages),
            "role_patterns": _most_common(patterns),
        }

    def _judge_ranges(self, families: Mapping[str, Cell]) -> Iterator[Finding]:
        for rule in self._rule.ranges:
            if rule.measure not in MEASURES:
                raise GateError(
                    "gate.unknown_measure", "A range names a measure that nobody takes."
                )
            if rule.family in families:
                yield from self._judge_range(rule, families[rule.family])
        judged = {rule.family for rule in self._rule.ranges}
        self._results["families_without_range"] = sorted(set(families) - judged)

    def _judge_range(self, rule: RangeRule, cell: Cell) -> Iterator[Finding]:
        column = cell.columns[rule.measure]
        mean = round(sum(column) / len(column), 6) if column else None
        within = mean is not None and rule.low <= mean <= rule.high
        code = "distribution.out_of_range"
        explained = None if within else self._explained(code, rule.family, rule.measure)
        self._results["ranges"].append(
            {
                "family": rule.family,
                "measure": rule.measure,
                "low": rule.low,
                "high": rule.high,
                "mean": mean,
                "within": within,
                "explained_by": explained,
            }
        )
        if not within:
            yield Finding(
                code=code,
                blocking=explained is None,
                family=rule.family,
                detail=_scope(rule.family, rule.measure),
            )

    def _judge_drift(self, families: Mapping[str, Cell]) -> Iterator[Finding]:
        if self._baseline is None:
            return
        earlier = self._baseline["families"]
        for family, cell in families.items():
            if family not in earlier:
                self._results["drift"][family] = "not in the last release"
                continue
            told = self._results["drift"][family] = {}
            now = cell.document()
            for measure in DRIFTING:
                before = earlier[family]["all"][measure]
                if before["n"] == 0 or now[measure]["n"] == 0:
                    told[measure] = "nothing to compare"
                    continue
                yield from self._judge_measure(family, measure, now[measure], before, told)
        for family in sorted(set(earlier) - set(families)):
            self._results["drift"][family] = "no longer in the release"
            yield Finding(code="distribution.family_gone", blocking=False, family=family)

    def _judge_measure(
        self,
        family: str,
        measure: str,
        now: Mapping[str, Any],
        before: Mapping[str, Any],
        told: dict[str, Any],
    ) -> Iterator[Finding]:
        """An effect blocks when it is larger than the policy allows and than chance explains."""
        drift = compare(now, before)
        far = drift.wasserstein_share > max(self._rule.wasserstein_share, drift.wasserstein_noise)
        unlike = drift.ks > max(self._rule.ks_statistic, drift.ks_noise)
        breach = far or unlike
        code = "distribution.drift"
        explained = self._explained(code, family, measure) if breach else None
        told[measure] = {
            "wasserstein_share": drift.wasserstein_share,
            "wasserstein_noise": drift.wasserstein_noise,
            "ks": drift.ks,
            "ks_noise": drift.ks_noise,
            "psi": drift.psi,
            "js": drift.js,
            "n": now["n"],
            "baseline_n": before["n"],
            "mean": now["mean"],
            "baseline_mean": before["mean"],
            "breach": breach,
            "explained_by": explained,
        }
        if breach:
            yield Finding(
                code=code,
                blocking=explained is None,
                family=family,
                detail=_scope(family, measure),
            )

    def _explained(self, code: str, family: str, measure: str) -> str | None:
        scope = _scope(family, measure)
        found = explanation(self._decisions, gate=self.name, code=code, scope=scope)
        return None if found is None else found["by"]


def _most_common(counts: Counter[str]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ranked[:_PATTERNS_KEPT])
    rest = sum(count for _, count in ranked[_PATTERNS_KEPT:])
    return kept | ({"other": rest} if rest else {})


def _scope(family: str, measure: str) -> str:
    """What an explanation must name; also the finding's detail, so that pages can offer it."""
    return f"{family}.{measure}"


def _alarm_document(alarm: Alarm) -> dict[str, Any]:
    return {
        "records": alarm.records,
        "share": alarm.share,
        "limit": alarm.limit,
        "raised": alarm.raised,
    }


def _alarm_findings(alarm: Alarm, family: str) -> Iterator[Finding]:
    """One finding for the family, and one for each of the first hundred records.

    All of them block, so that a decision to exclude records can be taken from the findings.
    """
    if not alarm.raised:
        return
    detail = f"{alarm.records} records ({alarm.share:.1%}), at most {alarm.limit:.1%} allowed"
    yield Finding(code=alarm.code, blocking=True, family=family, detail=detail)
    for place in alarm.places:
        yield Finding(
            code=alarm.code,
            blocking=True,
            family=family,
            shard=place.shard,
            line=place.line,
            record_id=place.record_id,
        )
