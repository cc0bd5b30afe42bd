"""Privacy passes when every shipped message was read and nothing is left that names a person.

Findings hold places and entities, never the text. A detector that misses a canary, warns or
times out makes the verdict an error.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.canonical import digest_of
from core.gates.dismissals import Dismissals
from core.gates.gate import stated_id
from core.gates.name_sample import Held, NameSample, upper_bound
from core.intake.language import holds_english
from core.intake.privacy import build_detector
from core.intake.privacy.across import find_across
from core.intake.privacy.canaries import missed_canaries, name_canary_found
from core.intake.privacy.damage import Density, density, lost_crisis_lines
from core.intake.privacy.names import POSSIBLE, NameFinder
from core.intake.privacy.spans import CONFIDENT, Span, merge
from core.intake.privacy.values import value_digest
from core.model.candidate import Candidate
from core.model.dataset import ShippedRecord
from core.model.errors import GateError
from core.model.gate import Finding
from core.policy.types import Policy

_STATUSES = ("none_detected", "scrubbed")
_OTHER_LANGUAGES_ARE_KNOWN = ("en", "und", "")
_NAME_ENTITIES = ("PERSON", "LOCATION")


@dataclass(slots=True)
class _Damage:
    words: int = 0
    placeholders: int = 0


class PrivacyGate:
    """Reads every record with the pattern tier, and the policy's sample with the name tier."""

    name = "privacy"

    def __init__(self, policy: Policy, candidate: Candidate) -> None:
        self._rule = policy.privacy
        self._detector = build_detector(policy.privacy)
        self._names = NameFinder()
        self._canary_names = NameFinder()
        self._sample = NameSample(policy.privacy.ner_records)
        self._dismissals = Dismissals(candidate.decisions)
        self._allowed = frozenset(_allowances(candidate.decisions))
        self._proven: set[str] = set()
        self._spans: Counter[str] = Counter()
        self._below: Counter[str] = Counter()
        self._named: Counter[tuple[str, str]] = Counter()
        self._statuses: Counter[str] = Counter()
        self._damage: defaultdict[str, _Damage] = defaultdict(_Damage)
        self._records = self._characters = self._skipped = self._dismissals_used = 0
        self._allowances_used = self._bilingual = 0

    def settings(self) -> Mapping[str, object]:
        """Return everything but the candidate's records that can change the verdict."""
        return {
            "detector": self._detector.settings(),
            "names": self._names.settings(),
            "ner_records": self._rule.ner_records,
            "redaction_share": repr(self._rule.redaction_share),
            "characters_per_word": repr(self._rule.characters_per_word),
            **self._dismissals.settings(),
            "allowances": digest_of(sorted(list(key) for key in self._allowed)),
        }

    def examine(self, record: ShippedRecord) -> Iterable[Finding]:
        """Read one record; the name tier reports on records shown before as it fills a batch."""
        if record.shard.sha256 not in self._proven:
            self._prove_detectors()
            self._proven.add(record.shard.sha256)
        self._records += 1
        yield from self._status(record)
        yield from self._patterns(record)
        yield from self._damages(record)
        yield from self._offer_names(record)

    def conclude(self) -> Iterable[Finding]:
        """Read the rest of the sample with the name tier."""
        yield from self._read_names(self._sample.rest())

    def measures(self) -> Mapping[str, object]:
        """Return counts per entity, the allow-list's uses, and what the name tier read."""
        return {
            "records": self._records,
            "characters": self._characters,
            "shards_with_canaries_found": len(self._proven),
            "pii_status": dict(sorted(self._statuses.items())),
            "spans": dict(sorted(self._spans.items())),
            "spans_below_score": dict(sorted(self._below.items())),
            "allow_list_uses": dict(sorted(self._detector.uses.items())),
            "dismissed_findings": self._dismissals_used,
            "allowed_findings": self._allowances_used,
            "ner": self._ner_measures(),
            "ner_skipped_language": self._skipped,
            "ner_read_for_its_english_part": self._bilingual,
            "redaction_density": {
                family: round(seen.placeholders / max(seen.words, 1), 6)
                for family, seen in sorted(self._damage.items())
            },
        }

    def _prove_detectors(self) -> None:
        acted_on = [
            name
            for name, rule in self._rule.entities.items()
            if rule.action != "count" and name not in _NAME_ENTITIES
        ]
        person = self._rule.entities.get("PERSON")
        score = person.score if person is not None else POSSIBLE
        if missed_canaries(self._detector, acted_on) or not name_canary_found(
            self._canary_names, score
        ):
            raise GateError(
                "privacy.canary_missed",
                "The detector did not find a known synthetic identifier, so it proves nothing.",
            )

    def _status(self, record: ShippedRecord) -> Iterator[Finding]:
        status = record.metadata.get("pii_status")
        known = status if status in (*_STATUSES, "requires_review") else "unknown"
        self._statuses[str(known)] += 1
        if status == "requires_review":
            yield _finding(record, "privacy.requires_review")
        elif known == "unknown":
            yield _finding(record, "privacy.status_unknown")

    def _patterns(self, record: ShippedRecord) -> Iterator[Finding]:
        across: defaultdict[int, list[Span]] = defaultdict(list)
        for turn, span in find_across(record.messages, self._detector):
            across[turn].append(span)
        for turn, message in enumerate(record.messages):
            self._characters += len(message.content)
            for span in merge([*self._detector.find(message.content), *across[turn]]):
                action = self._detector.action(span)
                # A credential blocks whatever the policy forgot to say about it.
                if action is None and span.entity == "SECRET" and span.score >= CONFIDENT:
                    action = "redact"
                if action is None:
                    self._below[span.entity] += 1
                    continue
                self._spans[span.entity] += 1
                if action == "count":
                    continue
                finding = _at(record, turn, span)
                if action == "redact" or not self._is_settled(finding, record):
                    yield finding

    def _damages(self, record: ShippedRecord) -> Iterator[Finding]:
        whole = density(record.messages)
        seen = self._damage[record.shard.family]
        seen.words += whole.words
        seen.placeholders += whole.placeholders
        if whole.swollen(self._rule.characters_per_word) or self._over_redacted(record, whole):
            yield from self._unless_dismissed(_finding(record, "privacy.over_redacted"), record)
        for turn, message in enumerate(record.messages):
            for start, end in lost_crisis_lines(message.content):
                yield from self._unless_dismissed(
                    _finding(
                        record, "privacy.crisis_line_removed", turn=turn, start=start, end=end
                    ),
                    record,
                )

    def _over_redacted(self, record: ShippedRecord, whole: Density) -> bool:
        share = self._rule.redaction_share
        if whole.over_redacted(share):
            return True
        return any(density([message]).over_redacted(share) for message in record.messages)

    def _offer_names(self, record: ShippedRecord) -> Iterator[Finding]:
        if str(record.metadata.get("language", "")) not in _OTHER_LANGUAGES_ARE_KNOWN:
            yield _finding(record, "privacy.other_language", blocking=False)
            if not holds_english(message.content for message in record.messages):
                self._skipped += 1
                return
            self._bilingual += 1
        yield from self._read_names(self._sample.offer(record))

    def _read_names(self, batch: Iterable[Held]) -> Iterator[Finding]:
        held = list(batch)
        texts = [text for item in held for text in item.texts]
        found = iter(self._names.find(texts))
        for item in held:
            blocked = False
            for turn in range(len(item.texts)):
                for span in next(found):
                    for finding in self._judge_name(item.record, turn, span):
                        blocked = blocked or finding.blocking
                        yield finding
            self._named[item.stratum] += blocked

    def _judge_name(self, record: ShippedRecord, turn: int, span: Span) -> Iterator[Finding]:
        self._spans[span.entity] += 1
        rule = self._rule.entities.get(span.entity)
        if rule is None or rule.action == "count":
            return
        finding = _at(record, turn, span)
        if span.score >= rule.score:
            if not self._is_settled(finding, record):
                yield finding
        else:
            yield _finding(
                record,
                finding.code + "_possible",
                blocking=False,
                turn=turn,
                start=span.start,
                end=span.end,
            )

    def _unless_dismissed(self, finding: Finding, record: ShippedRecord) -> Iterator[Finding]:
        if not self._is_dismissed(finding, record):
            yield finding

    def _is_settled(self, finding: Finding, record: ShippedRecord) -> bool:
        """Whether people called this place a false alarm, or allowed this value anywhere."""
        if self._is_dismissed(finding, record):
            return True
        text = record.messages[finding.turn].content
        value = value_digest(finding.code, text[finding.start : finding.end])
        allowed = (finding.code, str(value)) in self._allowed
        self._allowances_used += allowed
        return allowed

    def _is_dismissed(self, finding: Finding, record: ShippedRecord) -> bool:
        dismissed = self._dismissals.hold(finding, record.messages)
        self._dismissals_used += dismissed
        return dismissed

    def _ner_measures(self) -> Mapping[str, object]:
        read, offered = self._sample.read, self._sample.offered
        total_read, total = sum(read.values()), sum(offered.values())
        return {
            **self._names.settings(),
            "method": self._sample.method,
            "records": total_read,
            "of_records": total,
            "characters": self._names.characters,
            "candidate_characters": self._names.candidate_characters,
            "public_figures_left_alone": self._names.figures,
            "records_with_confident_names": sum(self._named.values()),
            "upper_bound_95": upper_bound(sum(self._named.values()), total_read, total),
            "strata": {
                "/".join(stratum): {
                    "records": read[stratum],
                    "of_records": offered[stratum],
                    "with_confident_names": self._named[stratum],
                    "upper_bound_95": upper_bound(
                        self._named[stratum], read[stratum], offered[stratum]
                    ),
                }
                for stratum in sorted(offered)
            },
        }


def _allowances(decisions: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (code, digest of a value) that people allowed, with name and reason."""
    for decision in decisions:
        if decision.get("action") != "allow" or decision.get("gate") != "privacy":
            continue
        if decision.get("by", "").strip() and decision.get("reason", "").strip():
            yield decision.get("code", ""), decision.get("scope", "")


def _at(record: ShippedRecord, turn: int, span: Span) -> Finding:
    code = f"privacy.{span.entity.lower()}"
    return _finding(record, code, turn=turn, start=span.start, end=span.end)


def _finding(
    record: ShippedRecord,
    code: str,
    *,
    blocking: bool = True,
    turn: int = -1,
    start: int = -1,
    end: int = -1,
) -> Finding:
    return Finding(
        code=code,
        blocking=blocking,
        family=record.shard.family,
        shard=record.shard.key,
        line=record.line,
        record_id=stated_id(record),
        turn=turn,
        start=start,
        end=end,
    )
