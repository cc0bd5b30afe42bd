"""The desk signs with one Ed25519 key; its public half stands in the journal for all to check."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.canonical import sha256_hex
from core.model.errors import KeyTaken, ReviewError
from core.storage.journal import Entry, Journal
from core.storage.private_files import open_private

FILE_NAME = "signing-key.hex"
EVENT = "key.registered"
_SECRET_HEX = 64
_FILE_LIMIT = 1 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key with the id and hex of its public half."""

    key_id: str
    public_key: str
    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, body: bytes) -> bytes:
        """Return the signature of exactly these bytes."""
        return self.private.sign(body)

    def keyed_digest(self, text: str) -> str:
        """Return a digest of `text` that nobody without this key can compute or guess at."""
        # A key of its own, so that a digest never is a signature's ingredient.
        secret = b"release-desk identity\n" + self.private.private_bytes_raw()
        made_from = hashlib.sha256(secret).digest()
        return hmac.new(made_from, text.encode(), hashlib.sha256).hexdigest()


def ensure_key(
    workspace: Path, journal: Journal, actor: str, *, secret: str | None = None
) -> SigningKey:
    """Return the desk's key, made on first use, with its public half in the journal.

    Args:
        workspace: where the private key's file stands, mode 0600, unless `secret` is given.
        journal: where the public half is registered once.
        actor: on whose behalf.
        secret: the private key as 64 hex digits, from the environment.

    Raises:
        ReviewError: `keys.exposed` when others may read the file, `keys.unreadable`.
        StorageError: `workspace.not_ours` for a link, or another user's file.
    """
    key = _from_hex(secret if secret is not None else _stored_secret(workspace))
    if registered_keys(journal.replay()).get(key.key_id) == key.public_key:
        return key
    event = {
        "type": EVENT,
        "id": f"{EVENT}:{key.key_id}",
        "key_id": key.key_id,
        "public_key": key.public_key,
    }
    try:
        journal.append(actor, event)
    except KeyTaken:
        # Somebody else registered it this moment; only the same key will do.
        if registered_keys(journal.replay()).get(key.key_id) != key.public_key:
            raise
    return key


def registered_keys(entries: Iterable[Entry]) -> Mapping[str, str]:
    """Return public keys (hex) by key id; an entry whose id is not its key's is no registration."""
    found: dict[str, str] = {}
    for entry in entries:
        if entry.event.get("type") != EVENT:
            continue
        public_key = str(entry.event.get("public_key", ""))
        if entry.event.get("key_id") == key_id_of(public_key):
            found[key_id_of(public_key)] = public_key
    return found


def key_id_of(public_key: str) -> str:
    """Return the first 16 hex digits of the digest of the raw public key; "" for no key."""
    try:
        return sha256_hex(bytes.fromhex(public_key))[:16]
    except ValueError:
        return ""


def verifies(public_key: str, signature: bytes, body: bytes) -> bool:
    """Return whether `signature` is that of `body` by the key in hex."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _stored_secret(workspace: Path) -> str:
    path = workspace / FILE_NAME
    try:
        handle = open_private(path)
    except FileNotFoundError:
        _create(path)
        handle = open_private(path)
    with os.fdopen(handle, "r", encoding="ascii", errors="replace") as file:
        if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
            raise ReviewError(
                "keys.exposed", "Others may read the signing key; replace it and set mode 0600."
            )
        return file.read(_FILE_LIMIT).strip()


def _create(path: Path) -> None:
    """Write a new key under its name in one step, so that no half key is ever read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = Ed25519PrivateKey.generate().private_bytes_raw().hex()
    # A name nobody can foresee, so that nothing lies in wait there, and mode 0600 from the start.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return  # Another process was first; its key is the one.
    finally:
        draft.unlink(missing_ok=True)


def _from_hex(secret: str) -> SigningKey:
    try:
        raw = bytes.fromhex(secret.strip())
    except ValueError:
        raise _unreadable() from None
    if len(raw) * 2 != _SECRET_HEX:
        raise _unreadable()
    private = Ed25519PrivateKey.from_private_bytes(raw)
    public_key = private.public_key().public_bytes_raw().hex()
    return SigningKey(key_id=key_id_of(public_key), public_key=public_key, private=private)


def _unreadable() -> ReviewError:
    return ReviewError("keys.unreadable", "The signing key is not 64 hex digits.")
