"""Everything later questions ask about a record is measured once, on the text that would ship."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from core.canonical import canonical_bytes
from core.intake.features import Row
from core.intake.kernel import sketch
from core.intake.language import languages_of
from core.intake.privacy import Redacted
from core.intake.squeeze import squeeze_all
from core.intake.text import compared_text, digest_dialogue, digest_prompt
from core.intake.tokens import count_all_tokens
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
    contents = [message.content for _, redacted in records for message in redacted.messages]
    squeezed, words = squeeze_all(contents)
    tokens = count_all_tokens(contents)
    texts = [compared_text(redacted.messages) for _, redacted in records]
    languages = languages_of(texts)
    signatures, counts = sketch(
        texts, shingle=rule.shingle, count=rule.permutations, seed=rule.seed
    )
    packed, width, shingles = signatures.tobytes(), 4 * rule.permutations, counts.tolist()
    rows: list[Row] = []
    start = 0
    for place, (conversation, redacted) in enumerate(records):
        messages = redacted.messages
        stop = start + len(messages)
        folded = squeezed[start:stop]
        rows.append(
            {
                "line": conversation.line,
                "kind": "record",
                "shape": conversation.shape,
                "conversation_id": conversation.conversation_id,
                "labels": _small(conversation.labels),
                "messages": encode_messages(messages),
                "content_hash": content_hash(messages),
                "record_id": record_id(messages),
                "text_digest": digest_dialogue(messages, folded),
                "prompt_digest": digest_prompt(messages, folded),
                "signature": packed[place * width : (place + 1) * width],
                "shingles": shingles[place],
                "turns": len(messages),
                "tokens": sum(tokens[start:stop]),
                "characters": sum(map(len, contents[start:stop])),
                "words": sum(words[start:stop]),
                "language": languages[place],
                **_privacy(redacted),
            }
        )
        start = stop
    return rows


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
    contents = sorted(message.content.strip().lower() for message in messages)
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
    places = [
        {"turn": span.turn, "start": span.start, "end": span.end, "entity": span.entity}
        for span in redacted.spans
    ]
    entities = Counter(span.entity for span in redacted.spans)
    return {
        "pii_status": redacted.status,
        "entities": _small(entities),
        "redactions": canonical_bytes(places).decode() if places else "[]",
        "redacted_characters": redacted.redacted_characters,
    }
