"""A gate judges the exact bytes that would ship, and passes only on proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.gates.gate import Gate
from core.model.candidate import Candidate
from core.policy.types import Policy

if TYPE_CHECKING:  # it loads what reads listings, which pages that only show verdicts need not
    from core.gates.listed import ReadsListing

GATE_NAMES = ("privacy", "provenance", "duplicates", "leakage", "distribution")


def make_gates(
    policy: Policy,
    candidate: Candidate,
    *,
    routing: bytes | None = None,
    listing: ReadsListing | None = None,
    baseline: Mapping[str, Any] | None = None,
    compared_with: Mapping[str, str] | None = None,
    scratch: Path | None = None,
) -> tuple[Gate, ...]:
    """Return fresh gates for one run, in the order of `GATE_NAMES`.

    `routing` is the candidate's stored routing document, without which provenance blocks; it
    does not enter the settings, since the candidate names its digest. `listing` reads the stored
    listing that the candidate names, without which provenance is an error. `baseline` is the
    measures of the last release's distribution evidence, and `compared_with`
    says which release that is, who chose it and why. In `scratch` texts lie while they are
    compared.
    """
    # Imported here because the detectors behind them load models that no other page needs.
    from core.gates.comparison import Comparison
    from core.gates.distribution import DistributionGate
    from core.gates.duplicates import DuplicatesGate
    from core.gates.leakage import LeakageGate
    from core.gates.listed import no_listing
    from core.gates.privacy import PrivacyGate
    from core.gates.provenance import ProvenanceGate

    comparison = Comparison(policy.near_duplicates, scratch=scratch)
    return (
        PrivacyGate(policy, candidate),
        ProvenanceGate(policy, candidate, routing=routing, listing=listing or no_listing),
        DuplicatesGate(policy, comparison),
        LeakageGate(policy, comparison),
        DistributionGate(policy, candidate, baseline=baseline, compared_with=compared_with),
    )
