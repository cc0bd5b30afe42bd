"""Everything later questions ask about a record is measured once, on the text that would ship."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from core.canonical import canonical_bytes
from core.intake.compared import compare_by
from core.intake.features import Row
from core.intake.kernel import Indices, sketch
from core.intake.language import languages_of
from core.intake.privacy import Redacted
from core.intake.squeeze import squeeze_joined
from core.intake.text import compared_text
from core.intake.tokens import count_joined_tokens
from core.intake.utf8 import join_texts
from core.model.dataset import Conversation, Message
from core.policy.types import NearDuplicateRule


def measure_records(
    records: Sequence[tuple[Conversation, Redacted]], rule: NearDuplicateRule
) -> list[Row]:
    """Return the features of each record, the same whatever stands beside it.

    Args:
        records: each as it was read, with its messages after redaction; everything is measured
            on these.
        rule: how signatures are made.

    Raises:
        NotCanonical: the text of some record is not Unicode.
    """
    messages = [message for _, redacted in records for message in redacted.messages]
    contents = [message.content for message in messages]
    talks = _ends([len(redacted.messages) for _, redacted in records])
    data, array, bounds = join_texts(contents)
    squeezed = squeeze_joined(contents, array, bounds)
    folded = compare_by(squeezed, [message.role for message in messages], talks)
    languages = languages_of([compared_text(redacted.messages) for _, redacted in records])
    signatures, counts = sketch(
        [item.text for item in folded],
        shingle=rule.shingle,
        count=rule.permutations,
        seed=rule.seed,
    )
    packed, width, shingles = signatures.tobytes(), 4 * rule.permutations, counts.tolist()
    sums = zip(
        _sums(count_joined_tokens(contents, data, array, bounds), talks),
        _sums(np.fromiter(map(len, contents), np.int64, len(contents)), talks),
        _sums(squeezed.words, talks),
        strict=True,
    )
    places = talks.tolist()
    rows: list[Row] = []
    for place, ((conversation, redacted), (tokens, characters, words)) in enumerate(
        zip(records, sums, strict=True)
    ):
        spoken = contents[places[place] : places[place + 1]]
        rows.append(
            {
                "line": conversation.line,
                "kind": "record",
                "shape": conversation.shape,
                "conversation_id": conversation.conversation_id,
                "labels": _small(conversation.labels),
                "messages": encode_messages(redacted.messages),
                "content_hash": hash_contents(spoken),
                "record_id": record_id(redacted.messages),
                "text_digest": folded[place].digest,
                "prompt_digest": folded[place].prompt,
                "signature": packed[place * width : (place + 1) * width],
                "shingles": shingles[place],
                "turns": len(spoken),
                "tokens": tokens,
                "characters": characters,
                "words": words,
                "language": languages[place],
                **_privacy(redacted),
            }
        )
    return rows


def _ends(counts: Sequence[int]) -> Indices:
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    return ends


def _sums(values: npt.ArrayLike, ends: Indices) -> list[int]:
    """Return the sum of the values of each record, whose turns end at `ends`."""
    whole = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    found: list[int] = (whole[ends[1:]] - whole[ends[:-1]]).tolist()
    return found


def encode_messages(messages: Sequence[Message]) -> bytes:
    """Return messages as they stand in an export row: role, then content, no spaces."""
    return msgspec.json.encode(
        [{"role": message.role, "content": message.content} for message in messages]
    )


def decode_messages(body: bytes) -> tuple[Message, ...]:
    """Return messages from the bytes `encode_messages` made."""
    return msgspec.json.decode(body, type=tuple[Message, ...])


def content_hash(messages: Sequence[Message]) -> str:
    """Return the contract's hash: contents stripped, lower-cased, sorted, joined by a space."""
    return hash_contents([message.content for message in messages])


def hash_contents(contents: Sequence[str]) -> str:
    """Return the contract's hash of messages with these contents."""
    contents = sorted(map(str.lower, map(str.strip, contents)))
    return "sha256:" + hashlib.sha256(" ".join(contents).encode()).hexdigest()


def record_id(messages: Sequence[Message]) -> str:
    """Return the first 32 hex digits of the SHA-256 of the canonical messages."""
    plain = [{"content": message.content, "role": message.role} for message in messages]
    try:
        # Keys in order and texts alone: what msgspec writes is the canonical form, much sooner.
        body = msgspec.json.encode(plain)
    except UnicodeEncodeError:
        body = canonical_bytes(plain)  # which refuses, by its own name
    return hashlib.sha256(body).hexdigest()[:32]


def _small(table: Mapping[str, object]) -> str:
    """Return a table as canonical JSON; most are empty."""
    return canonical_bytes(table).decode() if table else "{}"


def _privacy(redacted: Redacted) -> Row:
    if not redacted.spans:
        return {
            "pii_status": redacted.status,
            "entities": "{}",
            "redactions": "[]",
            "redacted_characters": redacted.redacted_characters,
        }
    places = [
        {"turn": span.turn, "start": span.start, "end": span.end, "entity": span.entity}
        for span in redacted.spans
    ]
    entities = Counter(span.entity for span in redacted.spans)
    return {
        "pii_status": redacted.status,
        "entities": _small(entities),
        "redactions": canonical_bytes(places).decode(),
        "redacted_characters": redacted.redacted_characters,
    }
