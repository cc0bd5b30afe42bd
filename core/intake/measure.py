"""Everything later questions ask about a record is measured once, on the text that would ship."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from core.canonical import canonical_bytes
from core.intake.features import Row
from core.intake.kernel import sketch
from core.intake.language import language_of
from core.intake.privacy import Redacted
from core.intake.text import compared_text, digest_dialogue, digest_prompt
from core.intake.tokens import count_tokens
from core.model.dataset import Conversation, Message
from core.policy.types import NearDuplicateRule


def measure_record(conversation: Conversation, redacted: Redacted, rule: NearDuplicateRule) -> Row:
    """Return the features of one record.

    Args:
        conversation: the record as it was read.
        redacted: its messages after redaction; everything is measured on these.
        rule: how its signature is made.

    Raises:
        NotCanonical: the text is not Unicode.
    """
    messages = redacted.messages
    text = compared_text(messages)
    signatures, counts = sketch(
        [text], shingle=rule.shingle, count=rule.permutations, seed=rule.seed
    )
    return {
        "line": conversation.line,
        "kind": "record",
        "shape": conversation.shape,
        "conversation_id": conversation.conversation_id,
        "labels": _small(conversation.labels),
        "messages": encode_messages(messages),
        "content_hash": content_hash(messages),
        "record_id": record_id(messages),
        "text_digest": digest_dialogue(messages),
        "prompt_digest": digest_prompt(messages),
        "signature": signatures[0].tobytes(),
        "shingles": int(counts[0]),
        "turns": len(messages),
        "tokens": sum(count_tokens(message.content) for message in messages),
        "characters": sum(len(message.content) for message in messages),
        "words": sum(len(message.content.split()) for message in messages),
        "language": language_of(text),
        **_privacy(redacted),
    }


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
