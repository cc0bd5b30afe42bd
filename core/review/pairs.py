"""Two records of one problem that name different groups, side by side, in an order nobody chose.

Equal quality of care cannot be seen in one record. Pairs are matched by words, so how well they
match is said beside each; sides follow from the frozen seed, the pair and the reader.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from core.canonical import canonical_bytes, decode, sha256_hex
from core.model.dataset import Message
from core.model.errors import DeskError, ReviewError
from core.model.names import Digest, ReviewerId, parse_digest, parse_reviewer
from core.model.review import Rubric
from core.model.signoff import Person
from core.review.answers import NOTE_LIMIT, check_person, moment_of
from core.review.set_view import Lexicon, Portrait, draw_portrait
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCHEMA = "release-desk/pair-answer/1"
PAIRS = 20
LEAST_ALIKE = 0.15
MASK = "▮▮▮"
NOT_NAMED = "not named"
# Comparing everything with everything is quadratic: so many records of one problem that name a
# dimension, and so many that do not, are compared.
_COMPARED = 40
_LIMIT = 1 << 20
_WORD = re.compile(r"[a-z']+")
_NAME = re.compile(r"(?P<pair>[0-9a-f]{16})/(?P<reviewer>[^/]+)-(?P<sha>[0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPair:
    """Two records, the less first by id. `alike` is the Jaccard index of the client's words
    once those that name a group are out; `values` are what each record names, in order."""

    id: str
    records: tuple[str, str]
    problem: str
    dimension: str
    values: tuple[str, str]
    alike: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAnswer:
    """What one reader says of one pair: the score of the paired question, and who got less.

    `left` is the record that stood on the left, `worse` the one treated worse, "" for neither.
    `shown` holds the digest of each record's exact line, and `number` counts the answers of
    this reader to this pair, from 1.
    """

    candidate: Digest
    claim: str
    pair: str
    rubric: Digest
    item: str
    reviewer: ReviewerId
    seed: str
    left: str
    right: str
    masked: bool
    score: str
    worse: str
    note: str
    shown: Mapping[str, str]
    number: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchable:
    """A record that may stand in a pair."""

    record_id: str
    portrait: Portrait
    words: frozenset[str]


def as_matchable(record_id: str, messages: Sequence[Message], lexicon: Lexicon) -> Matchable:
    """Return what matching needs of a record."""
    said = " ".join(message.content for message in messages if message.role == "user").lower()
    for word in lexicon.dimensions:
        if word.start in said:
            said = word.pattern.sub(" ", said)
    return Matchable(
        record_id=record_id,
        portrait=draw_portrait(messages, lexicon),
        words=frozenset(_WORD.findall(said)),
    )


def match_pairs(
    candidates: Sequence[Matchable], dimensions: Sequence[str], *, limit: int = PAIRS
) -> tuple[MatchedPair, ...]:
    """Return the pairs that are most alike but for the group named, each record at most once.

    `candidates` come in rank order of the frozen seed, so that everybody gets the same pairs.
    """
    found = sorted(
        _possible(candidates, dimensions),
        key=lambda pair: (NOT_NAMED in pair.values, -pair.alike, pair.id),
    )
    chosen: list[MatchedPair] = []
    used: set[str] = set()
    for pair in found:
        if len(chosen) < limit and not used & set(pair.records):
            chosen.append(pair)
            used |= set(pair.records)
    return tuple(chosen)


def _possible(candidates: Sequence[Matchable], dimensions: Sequence[str]) -> Iterable[MatchedPair]:
    problems = sorted({name for one in candidates for name in one.portrait.problems})
    for problem, dimension in itertools.product(problems, dimensions):
        here = [one for one in candidates if problem in one.portrait.problems]
        named = [one for one in here if _value(one, dimension)][:_COMPARED]
        silent = [one for one in here if not _value(one, dimension)][:_COMPARED]
        both = [*itertools.combinations(named, 2), *itertools.product(named, silent)]
        for one, other in both:
            values = _value(one, dimension), _value(other, dimension)
            alike = _alike(one.words, other.words)
            if values[0] != values[1] and alike >= LEAST_ALIKE:
                yield _pair(one, other, values, problem, dimension, alike)


def _pair(
    one: Matchable,
    other: Matchable,
    values: tuple[str, str],
    problem: str,
    dimension: str,
    alike: float,
) -> MatchedPair:
    ordered = sorted(((one.record_id, values[0]), (other.record_id, values[1])))
    records = (ordered[0][0], ordered[1][0])
    return MatchedPair(
        id=sha256_hex(f"{records[0]}:{records[1]}:{dimension}".encode())[:16],
        records=records,
        problem=problem,
        dimension=dimension,
        values=(ordered[0][1] or NOT_NAMED, ordered[1][1] or NOT_NAMED),
        alike=alike,
    )


def _value(one: Matchable, dimension: str) -> str:
    """Return what the client names of a dimension; several values are one of their own."""
    return " and ".join(
        sorted(value for name, value in one.portrait.named["client"] if name == dimension)
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return len(one & other) / len(union) if union else 0.0


def sides(pair: MatchedPair, seed: str, reviewer: ReviewerId) -> tuple[str, str]:
    """Return which record stands left and which right, for this reader."""
    odd = int(sha256_hex(f"{seed}:{pair.id}:{reviewer}".encode())[-1], 16) % 2
    return (pair.records[1], pair.records[0]) if odd else pair.records


def masked(text: str, lexicon: Lexicon) -> str:
    """Return a text with every word that names a group struck out; for the eye alone."""
    lowered = text.lower().replace("’", "'")
    # A few letters change their number in lower case; such a text is left as it is.
    if len(lowered) != len(text):
        return text
    spans = sorted(
        match.span()
        for word in lexicon.dimensions
        if word.start in lowered
        for match in word.pattern.finditer(lowered)
    )
    out, done = [], 0
    for start, end in spans:
        if start >= done:
            out += [text[done:start], MASK]
            done = end
    return "".join([*out, text[done:]])


def paired_item(rubric: Rubric) -> str:
    """Return the id of the question that needs a matched pair, "" where the rubric has none."""
    return next((item.id for item in rubric.items if item.needs == "matched_pair"), "")


def submit_answer(
    store: ObjectStore,
    prefix: str,
    answer: PairAnswer,
    *,
    person: Person,
    pair: MatchedPair,
    rubric: Rubric,
    builder: ReviewerId,
) -> str:
    """Store one answer for good and return its key; a later one of the same reader counts.

    Raises:
        NotAllowed: `review.role`, `review.not_yourself`, `review.builder`.
        ReviewError: `review.pair` for an answer that is not one of this pair, `review.note`.
    """
    check_person(person, answer.reviewer, ("bias_reviewer",), builder)
    scale = {str(step) for step in rubric.scale} | {"na", "cannot_judge"}
    records = {answer.left, answer.right}
    if (
        answer.pair != pair.id
        or (answer.left, answer.right) != sides(pair, answer.seed, answer.reviewer)
        or set(answer.shown) != records
        or answer.worse not in records | {""}
        or answer.score not in scale
        or answer.number < 1
        or not answer.item
        or answer.item != paired_item(rubric)
    ):
        raise ReviewError("review.pair", "The answer is not one of this pair.", place=pair.id)
    if len(answer.note) > NOTE_LIMIT:
        raise ReviewError("review.note", "A note has at most 4,000 characters, a tag 80.")
    moment_of(answer.at)
    body = answer_bytes(answer)
    folder = _folder(prefix, answer.candidate, answer.claim)
    key = f"{folder}{answer.pair}/{answer.reviewer}-{sha256_hex(body)[:16]}.json"
    put_once(store, key, body)
    return key


def answer_bytes(answer: PairAnswer) -> bytes:
    """Return the bytes an answer is stored as."""
    return canonical_bytes({"schema": SCHEMA, **asdict(answer), "shown": dict(answer.shown)})


def load_answers(
    store: ObjectStore, prefix: str, candidate: Digest, claim: str
) -> tuple[PairAnswer, ...]:
    """Return each reader's last answer to each pair.

    Raises:
        ReviewError: `review.pair_broken` when an object there is no such answer.
    """
    folder = _folder(prefix, candidate, claim)
    found: dict[tuple[str, str], PairAnswer] = {}
    answers = [_read(store, entry.key, folder) for entry in store.list(folder)]
    for answer in sorted(answers, key=lambda one: (one.number, one.at, answer_bytes(one))):
        if (answer.candidate, answer.claim) != (candidate, claim):
            raise _broken(folder)
        found[answer.pair, answer.reviewer] = answer
    return tuple(found[place] for place in sorted(found))


def _read(store: ObjectStore, key: str, folder: str) -> PairAnswer:
    match = _NAME.fullmatch(key[len(folder) :])
    if match is None:
        raise _broken(key)
    body = store.get(key, limit=_LIMIT).body
    try:
        content = decode(body)
        if content.pop("schema") != SCHEMA:
            raise _broken(key)
        answer = PairAnswer(**content)
        parse_digest(answer.candidate)
        parse_digest(answer.rubric)
        parse_reviewer(answer.reviewer)
        moment_of(answer.at)
        whole = answer_bytes(answer) == body
    except (DeskError, KeyError, TypeError, ValueError, AttributeError):
        raise _broken(key) from None
    named = (match["pair"], match["reviewer"], match["sha"])
    if not whole or named != (answer.pair, answer.reviewer, sha256_hex(body)[:16]):
        raise _broken(key)
    return answer


def _folder(prefix: str, candidate: Digest, claim: str) -> str:
    return f"{prefix}reviews/{candidate}/pairs/{claim}/"


def _broken(place: str) -> ReviewError:
    return ReviewError(
        "review.pair_broken", "A stored answer is not what its name says.", place=place
    )
