"""Every key of a release follows from the exports prefix, the version and a digest."""

from __future__ import annotations

import re

from core.model.dataset import Shard
from core.model.names import Digest, Version, parse_version

MANIFEST = "manifest.json"
WITHDRAWN = "withdrawn.json"
README = "README.md"
NOTES = "RELEASE_NOTES.md"
EXCLUSIONS = "KNOWN_EXCLUSIONS.md"
REVIEWS = "REVIEW_SUMMARY.md"
COVERAGE = "COVERAGE.md"
STORIES = "STORIES.md"
RUN_SHEET = "RUN_SHEET.md"
SIGNOFF_PAGE = "SIGNOFF.html"
CROISSANT = "croissant.json"
CHECKSUMS = "CHECKSUMS.sha256"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def releases_prefix(exports: str) -> str:
    """Return where all releases stand."""
    return f"{exports}releases/"


def release_prefix(exports: str, version: Version) -> str:
    """Return the prefix of one release, with its closing slash."""
    return f"{releases_prefix(exports)}{version}/"


def latest_key(exports: str) -> str:
    """Return the key of the pointer that is a convenience and never authority."""
    return f"{exports}latest.json"


def smoke_prefix(exports: str, version: Version) -> str:
    """Return where the evidence of smoke tests of one version stands."""
    return f"{exports}smoke/{version}/"


def sheets_prefix(exports: str, version: Version) -> str:
    """Return where the closing run sheets of one version stand."""
    return f"{exports}checklists/{version}/"


def shard_name(shard: Shard) -> str:
    """Return the name of a shard inside its release."""
    return f"chatml/{shard.split}/{safe_name(shard.family)}-{shard.sha256}.jsonl"


def named_by_digest(folder: str, name: str, sha256: Digest, suffix: str = ".json") -> str:
    """Return a name inside a release that says what the object is and what it holds."""
    return f"{folder}/{safe_name(name)}-{sha256}{suffix}"


def safe_name(text: str) -> str:
    """Return `text` with everything but letters, digits, `._-` turned into one `-`."""
    return _UNSAFE.sub("-", text).strip(".-") or "unnamed"


def version_order(version: Version) -> tuple[str, int]:
    """Return a value that sorts versions by date and then by their number that day."""
    date, _, number = parse_version(version).partition(".")
    return date, int(number or "0")
