"""A false alarm holds for the text somebody read, also after a redaction elsewhere in it.

A decision names a record by the digest of its whole text, so redacting one span makes another
record of it, and every alarm of it would be asked again. What was decided in one turn is carried
when that turn is the same to the last byte, and every other turn is either the same too or one
in which people decided to redact in that very record. In a turn that was itself redacted nothing
is carried: what stands around the place is no longer what was read, so it is asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.canonical import digest_of
from core.model.dataset import Message
from core.model.gate import Finding
from core.model.names import Digest
from core.model.shown import turn_digests

_PLACE = ("code", "turn", "start", "end")
Place = tuple[str, ...]


class Dismissals:
    """What people called false alarms of the privacy gate; without name and reason none is one."""

    def __init__(self, decisions: Iterable[Mapping[str, str]]) -> None:
        known = list(decisions)
        self._exact: set[Place] = set()
        self._seen: defaultdict[Place, set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
        for decision in _signed(known, "false_positive"):
            place = _place(decision)
            self._exact.add((decision.get("record_id", ""), *place))
            if shown := tuple(decision.get("shown", "").split()):
                self._seen[place].add((decision.get("record_id", ""), shown))
        self._redacted = {
            (decision.get("record_id", ""), decision.get("turn", ""))
            for decision in _signed(known, "redact")
        }

    def settings(self) -> Mapping[str, Digest]:
        """Return what of them can change a verdict."""
        exact = {"dismissals": digest_of(sorted(list(key) for key in self._exact))}
        if not self._seen:
            return exact
        seen = [
            [*place, record, *shown]
            for place, origins in self._seen.items()
            for record, shown in origins
        ]
        redacted = sorted(list(item) for item in self._redacted)
        return {**exact, "dismissals_carried": digest_of([sorted(seen), redacted])}

    def hold(self, finding: Finding, messages: Sequence[Message]) -> bool:
        """Whether the finding, in a record of these turns, was called a false alarm."""
        place = (finding.code, *(str(n) for n in (finding.turn, finding.start, finding.end)))
        if (finding.record_id, *place) in self._exact:
            return True
        origins = self._seen.get(place)
        if not origins or finding.turn < 0:
            return False
        here = turn_digests(messages)
        return any(self._is_same(record, shown, here, finding.turn) for record, shown in origins)

    def _is_same(self, record: str, shown: Sequence[str], here: Sequence[str], turn: int) -> bool:
        """Whether these turns are those of `record`, redacted elsewhere than in `turn` or not."""
        if len(shown) != len(here) or (record, str(turn)) in self._redacted:
            return False
        return all(
            now == before or (number != turn and (record, str(number)) in self._redacted)
            for number, (before, now) in enumerate(zip(shown, here, strict=True))
        )


def _signed(decisions: Iterable[Mapping[str, str]], action: str) -> Iterator[Mapping[str, str]]:
    for decision in decisions:
        if decision.get("action") != action or decision.get("gate") != "privacy":
            continue
        if decision.get("by", "").strip() and decision.get("reason", "").strip():
            yield decision


def _place(decision: Mapping[str, str]) -> Place:
    return (decision.get("code", ""), *(str(decision.get(name, "-1")) for name in _PLACE[1:]))
