"""A signed statement is its exact bytes and signatures over them; nothing is re-serialised.

The shape is a DSSE envelope around an in-toto Statement.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from core.canonical import NotCanonical, canonical_bytes, decode
from core.model.errors import ReviewError
from core.model.names import Digest
from core.review.keys import SigningKey, verifies

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:release-desk:signoff:v1"
_FIELDS = {"payload", "payloadType", "signatures"}


def statement_bytes(
    name: str, candidate: Digest, predicate: Mapping[str, object], *, kind: str = PREDICATE_TYPE
) -> bytes:
    """Return the statement that says `predicate`, of type `kind`, of the candidate."""
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": candidate}}],
            "predicateType": kind,
            "predicate": predicate,
        }
    )


def seal(statement: bytes, key: SigningKey) -> bytes:
    """Return the stored envelope of a statement, signed."""
    signature = key.sign(signed_bytes(PAYLOAD_TYPE, statement))
    return canonical_bytes(
        {
            "payload": base64.b64encode(statement).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": key.key_id, "sig": base64.b64encode(signature).decode("ascii")}
            ],
        }
    )


def signed_bytes(payload_type: str, body: bytes) -> bytes:
    """Return the DSSE pre-authentication encoding: what a signature is really over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def open_envelope(
    body: bytes, keys: Mapping[str, str], *, kind: str = PREDICATE_TYPE
) -> Mapping[str, Any]:
    """Return the statement of a stored envelope after checking every signature on it.

    Args:
        body: the stored bytes.
        keys: registered public keys (hex) by key id.
        kind: the predicate type it must be of, so that no statement passes for another kind.

    Raises:
        ReviewError: `signoff.unknown_key` when a signature's key is not registered,
            `signoff.bad_signature` for everything else that does not hold.
    """
    try:
        envelope = decode(body)
        statement = base64.b64decode(envelope["payload"], validate=True)
        signatures = [
            (str(entry["keyid"]), base64.b64decode(entry["sig"], validate=True))
            for entry in envelope["signatures"]
        ]
        shaped = set(envelope) == _FIELDS and envelope["payloadType"] == PAYLOAD_TYPE
    except (NotCanonical, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise _bad() from error
    if not shaped or not signatures:
        raise _bad()
    for key_id, signature in signatures:
        if key_id not in keys:
            raise ReviewError("signoff.unknown_key", "The signing key is not registered.")
        if not verifies(keys[key_id], signature, signed_bytes(PAYLOAD_TYPE, statement)):
            raise _bad()
    return _statement(statement, kind)


def _statement(body: bytes, kind: str) -> Mapping[str, Any]:
    try:
        statement = decode(body)
        shaped = (
            statement["_type"] == STATEMENT_TYPE
            and statement["predicateType"] == kind
            and isinstance(statement["predicate"], dict)
            and len(statement["subject"]) == 1
            and isinstance(statement["subject"][0]["digest"]["sha256"], str)
        )
    except (NotCanonical, KeyError, TypeError, IndexError) as error:
        raise _bad() from error
    if not shaped:
        raise _bad()
    found: Mapping[str, Any] = statement
    return found


def _bad() -> ReviewError:
    return ReviewError("signoff.bad_signature", "The signature does not hold for these bytes.")
