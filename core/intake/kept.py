"""Documents of a cache are named by their bytes; the newest say what an earlier build left.

A cache decides nothing: what is not the bytes of its name, or of a format not known here, is
passed over as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

import msgspec

from core.canonical import sha256_hex
from core.model.errors import KeyTaken, Missing, TooLarge
from core.model.names import Digest
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

Document = TypeVar("Document", bound=msgspec.Struct)
_LIMIT = 1 << 30


def keep(store: ObjectStore, home: str, body: bytes, suffix: str) -> Digest:
    """Put `body` under `home` by its digest, which is returned.

    Other bytes that hold the name keep it; nobody will take them for these.
    """
    digest = sha256_hex(body)
    with suppress(KeyTaken):
        put_once(store, f"{home}{digest}{suffix}", body)
    return digest


def find_kept(store: ObjectStore, home: str, digest: str, suffix: str) -> bytes | None:
    """Return the bytes kept under `home` by this digest, or None when they are not there."""
    try:
        body = store.get(f"{home}{digest}{suffix}", limit=_LIMIT).body
    except (Missing, TooLarge):
        return None
    return body if sha256_hex(body) == digest else None


def newest_bytes(store: ObjectStore, home: str, suffix: str, tries: int = 3) -> bytes | None:
    """Return the newest bytes under `home` that are those of their name, or None."""
    return next(_newest(store, home, suffix, tries), None)


def newest_documents(
    store: ObjectStore, home: str, kind: type[Document], schema: str, count: int
) -> Iterator[Document]:
    """Yield those of the `count` newest JSON documents under `home` that can be read.

    `kind` has a field `schema`, which must be `schema`.
    """
    for body in _newest(store, home, ".json", count):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            document = msgspec.json.decode(body, type=kind)
            if getattr(document, "schema") == schema:  # noqa: B009 - every kind has it
                yield document


def _newest(store: ObjectStore, home: str, suffix: str, count: int) -> Iterator[bytes]:
    found = sorted(store.list(home), key=lambda item: (item.modified, item.key), reverse=True)
    for item in found[:count]:
        name = item.key.removeprefix(home).removesuffix(suffix)
        body = find_kept(store, home, name, suffix)
        if body is not None:
            yield body
