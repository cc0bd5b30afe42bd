"""What a release says of itself, to read, to keep and to hand on, and how training reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import streamlit as st

from core.model.errors import ReleaseError
from core.release.documents.training import FAILURES, read_snippet
from core.workbench import Workbench
from pages.frame import show

_DATASETS = """\
from datasets import load_dataset

prefix = "s3://{bucket}/{prefix}"
reach = {{"endpoint_url": ..., "key": ..., "secret": ...}}
paths = {{"train": [prefix + name for name in ...]}}  # the manifest's export names them
rows = load_dataset("json", data_files=paths, storage_options=reach)
"""
_ENVIRONMENT = (
    ("DESK_S3_ENDPOINT", "the bucket's https address"),
    ("DESK_S3_BUCKET", "its name"),
    ("DESK_S3_REGION", "its region"),
    ("DESK_S3_ACCESS_KEY", "a key that may only read"),
    ("DESK_S3_SECRET_KEY", "its secret"),
    ("DESK_EXPORTS_PREFIX", "where releases stand, unless it is exports/"),
)


def draw_documents(bench: Workbench, version: str) -> None:
    """Draw the card and the notes as plain text, and the downloads."""
    notes = bench.releases.document(version, "RELEASE_NOTES.md")
    card = bench.releases.document(version, "README.md")
    sums = bench.releases.document(version, "CHECKSUMS.sha256")
    stories = _document(bench, version, "STORIES.md")
    sheet = bench.releases.closing_sheet(version)
    page = _document(bench, version, "SIGNOFF.html")
    receipt = json.dumps(bench.comparing.receipt(version), ensure_ascii=False, indent=1)
    offers = (
        ("Receipt", receipt.encode(), "receipt.json", "application/json"),
        ("Manifest", bench.releases.manifest_body(version), "manifest.json", "application/json"),
        ("Sign-off page", page.encode(), "SIGNOFF.html", "text/html"),
        *([("Run sheet", sheet, "run-sheet.json", "application/json")] if sheet else []),
        ("Release notes", notes.encode(), "RELEASE_NOTES.md", "text/markdown"),
        ("Stories", stories.encode(), "STORIES.md", "text/markdown"),
        ("Dataset card", card.encode(), "README.md", "text/markdown"),
        ("Checksums", sums.encode(), "CHECKSUMS.sha256", "text/plain"),
    )
    show.prose(
        "The receipt names the manifest by its digest, with who signed and what was done since: "
        "keep it outside the bucket, and nobody can pass off another release as this one. The "
        "sign-off page is made to be printed."
    )
    with st.container(horizontal=True):
        for label, body, name, mime in offers:
            st.download_button(
                label,
                body,
                file_name=f"{version}-{name}",
                mime=mime,
                key=f"download:{version}:{name}",
                icon=":material/download:",
                on_click="ignore",
            )
    show.prose("**RELEASE_NOTES.md**, to paste where the release is announced")
    st.code(notes, language=None, wrap_lines=True)
    for title, text in (
        ("STORIES.md, a paragraph for each story", stories),
        ("KNOWN_EXCLUSIONS.md", _document(bench, version, "KNOWN_EXCLUSIONS.md")),
        ("README.md, the dataset card", card),
    ):
        if text:
            with st.expander(title):
                st.code(text, language=None, wrap_lines=True)


def _document(bench: Workbench, version: str, name: str) -> str:
    """Return a document, or nothing where the release was made before it existed."""
    try:
        return bench.releases.document(version, name)
    except ReleaseError:
        return ""


def plain(text: str) -> str:
    """Return the text of a document as it is read, without its marks of code."""
    return show.escape(text.replace("`", ""))


def draw_training(bench: Workbench, version: str, prefix: str) -> None:
    """Draw how a trainer opens the release, and which shares each phase draws."""
    evidence = bench.releases.smoke_evidence(version) or {}
    weights: Mapping[str, Mapping[str, float]] = evidence.get("weights", {})
    show.prose(
        "Training never opens the desk. It reads the manifest first, refuses a withdrawn "
        "release, and proves each shard before its first row."
    )
    st.code(read_snippet(version, prefix), language="python", wrap_lines=True)
    show.prose("Credentials that may only read are enough. They come from the environment:")
    st.dataframe(
        [{"name": name, "holds": meaning} for name, meaning in _ENVIRONMENT], hide_index=True
    )
    if weights:
        families = sorted({name for shares in weights.values() for name in shares})
        show.prose("Shares by phase, from the release's routing")
        st.dataframe(
            [
                {"phase": name, **{family: shares.get(family) for family in families}}
                for name, shares in weights.items()
            ],
            hide_index=True,
        )
    show.prose("What can go wrong, and what to do then:")
    st.table(
        [
            {
                "what you see": plain(item.seen),
                "why": plain(item.why),
                "what to do": plain(item.cure),
            }
            for item in FAILURES
        ],
        border="horizontal",
        hide_index=True,
        alt="What a trainer may see, why, and what to do then",
    )
    show.prose("Hugging Face datasets reads the same prefix, without checking our digests:")
    st.code(
        _DATASETS.format(bucket=bench.desk.store.bucket, prefix=prefix),
        language="python",
        wrap_lines=True,
    )
