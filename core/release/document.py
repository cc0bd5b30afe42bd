"""The documents of a release say what the manifest and the evidence it lists say, and no more.

Persons by id, counts and digests, no record text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.canonical import canonical_bytes, decode
from core.release.documents.card import dataset_card
from core.release.documents.croissant import croissant
from core.release.documents.notes import release_notes
from core.release.documents.reports import (
    coverage_report,
    known_exclusions,
    review_summary,
)
from core.release.documents.sheet import run_sheet
from core.release.documents.signoff_page import signoff_page
from core.release.documents.stories import stories
from core.release.inputs import Part
from core.release.layout import (
    CHECKSUMS,
    COVERAGE,
    CROISSANT,
    EXCLUSIONS,
    NOTES,
    README,
    REVIEWS,
    RUN_SHEET,
    SIGNOFF_PAGE,
    STORIES,
)


def make_documents(
    document: Mapping[str, Any], prefix: str, parts: Iterable[Part]
) -> tuple[Part, ...]:
    """Return every document for a manifest that lists none yet, the checksums last.

    `parts` are the small objects the manifest lists; coverage and run sheet are read of them.
    """
    # Mappings in one order, whoever built them: a document follows from the manifest's bytes.
    document, parts = decode(canonical_bytes(document)), tuple(parts)
    notes = _part(NOTES, release_notes(document, prefix))
    sheet, routing = _part_of(parts, "evidence/run_sheet-"), _part_of(parts, "routing/")
    made = [
        _part(README, dataset_card(document, prefix)),
        notes,
        _part(EXCLUSIONS, known_exclusions(document)),
        _part(REVIEWS, review_summary(document)),
        _part(COVERAGE, coverage_report(document, _coverage(parts))),
        _part(RUN_SHEET, run_sheet(document, sheet, routing, notes)),
        _part(STORIES, stories(document, prefix)),
        _part(SIGNOFF_PAGE, signoff_page(document)),
        _part(CROISSANT, croissant(document, prefix)),
    ]
    listed = [(file["key"].removeprefix(prefix), file["sha256"]) for file in document["files"]]
    listed += [(part.name, part.sha256) for part in made]
    made.append(_part(CHECKSUMS, checksums(listed)))
    return tuple(made)


def checksums(listed: Iterable[tuple[str, str]]) -> str:
    """Return lines that `sha256sum --check` reads from inside the release's prefix."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(listed))


def _coverage(parts: Iterable[Part]) -> Mapping[str, Any] | None:
    part = _part_of(parts, "evidence/coverage-")
    found: Mapping[str, Any] | None = None if part is None else decode(part.body)
    return found


def _part_of(parts: Iterable[Part], begins: str) -> Part | None:
    return next((part for part in parts if part.name.startswith(begins)), None)


def _part(name: str, text: str) -> Part:
    return Part(name=name, kind="document", body=text.encode("utf-8"))
