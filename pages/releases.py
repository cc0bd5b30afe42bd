"""Every version that was released, whether it still holds, and how training reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.model.errors import DeskError
from core.model.release import ReleaseSummary, Verification
from core.model.signoff import Person
from core.workbench import Workbench
from pages.frame import guard, show
from pages.frame.links import page_link

_STATES = {
    "published": "✓ published",
    "withdrawn": "✕ withdrawn",
    "unverified": "? not verified",
    "missing": "✕ manifest missing",
}
_READ = """\
import os
from pathlib import Path

from core.release.consume import open_release
from core.settings import read_settings
from core.storage.s3 import S3Store

settings = read_settings(os.environ, home=Path.cwd())
store = S3Store(settings.bucket)
release = open_release(store, "{version}", exports=settings.exports_prefix)
for row in release.iterate("train", phase="{phase}", worker=(0, 1)):
    row["messages"], row["metadata"]        # every shard is proven before its first row
release.weights("{phase}")                  # family -> share of the phase; they sum to 1
"""
_DATASETS = """\
from datasets import load_dataset

train = "s3://{bucket}/{prefix}chatml/train/*.jsonl"
reach = {{"endpoint_url": ..., "key": ..., "secret": ...}}
rows = load_dataset("json", data_files={{"train": train}}, storage_options=reach)
"""
_ENVIRONMENT = (
    ("DESK_S3_ENDPOINT", "the bucket's https address"),
    ("DESK_S3_BUCKET", "its name"),
    ("DESK_S3_REGION", "its region"),
    ("DESK_S3_ACCESS_KEY", "a key that may only read"),
    ("DESK_S3_SECRET_KEY", "its secret"),
    ("DESK_EXPORTS_PREFIX", "where releases stand, unless it is exports/"),
)


def draw_list(releases: tuple[ReleaseSummary, ...]) -> None:
    """Draw every release as a row."""
    st.dataframe(
        [
            {
                "version": str(item.version),
                "state": _STATES.get(item.state, item.state),
                "records": item.records,
                "published": item.published_at,
                "by": item.by,
                "manifest sha256": str(item.manifest_sha256),
            }
            for item in releases
        ],
        hide_index=True,
    )


def remember(version: str, name: str) -> None:
    st.session_state["release_act"] = (version, name)


def asked_for(version: str, name: str) -> bool:
    """Whether the button `name` was pressed for this version; true once per press."""
    if st.session_state.get("release_act") != (version, name):
        return False
    del st.session_state["release_act"]
    return True


def draw_verification(bench: Workbench, version: str) -> None:
    """Draw the button that reads every byte again, and what it found."""
    st.button("Verify again", type="primary", on_click=remember, args=(version, "verify"))
    kept = st.session_state.setdefault("verifications", {})
    if asked_for(version, "verify"):
        bar = st.progress(0.0, text="Reading the manifest")

        def progress(done: int, total: int, message: str) -> None:
            share = done / total if total else 0.0
            bar.progress(share, text=f"{done} of {total} objects read and hashed")

        try:
            kept[version] = (bench.releases.verify(version, progress), bench.desk.now())
        except DeskError as error:
            kept.pop(version, None)
            show.refusal(error)
        bar.empty()
    if version in kept:
        draw_faults(*kept[version])
        return
    first = bench.releases.last_verified(version)
    if first is not None:
        show.quiet(
            "Verified as a stranger when it was published, at {at} by {by}.",
            at=first["at"],
            by=first["by"],
        )


def draw_faults(found: Verification, at: str) -> None:
    """Draw what a stranger found who read every byte."""
    read = f"{found.files:,} objects, {found.records:,} records, {show.size(found.bytes)}"
    if found.faults:
        st.error(show.escape(f"{len(found.faults)} faults in {read}, at {at}. Do not use it."))
        st.dataframe([{"fault": fault} for fault in found.faults], hide_index=True)
        return
    words = f"Whole: {read}, each as the manifest says. Read at {at}."
    if found.withdrawn:
        st.warning(show.escape(f"{words} The release is withdrawn."))
    else:
        st.success(show.escape(words))


def draw_smoke(bench: Workbench, person: Person, version: str, *, withdrawn: bool) -> None:
    """Draw what a trainer's first steps gave, and the button that takes them again."""
    show.prose(
        "Reads all of the release as a trainer would, in a process with an empty home that has "
        "the bucket and nothing else."
    )
    if person.holds("release_owner") and not withdrawn:
        st.button("Run the smoke test", on_click=remember, args=(version, "smoke"))
        if asked_for(version, "smoke"):
            try:
                with st.spinner("Reading, rendering and counting every row…"):
                    bench.releases.smoke(version, person)
            except DeskError as error:
                show.refusal(error)
    held = bench.releases.last_smoke(version)
    evidence = bench.releases.smoke_evidence(version)
    if held is None or evidence is None:
        st.info("The smoke test has not run on this manifest.")
        return
    if held["passed"] is True:
        st.success(
            show.escape(f"Passed at {held['at']}, run by {held['by']}: {evidence['rows']:,} rows.")
        )
    else:
        st.error(show.escape(f"Failed at {held['at']}, run by {held['by']}."))
        st.dataframe([{"fault": str(fault)} for fault in evidence["faults"]], hide_index=True)
    draw_lengths(evidence)
    show.quiet("Evidence {key}", key=held["key"])


def draw_lengths(evidence: Mapping[str, Any]) -> None:
    """Draw rows and how many would be cut at each length, by family and split."""
    families = evidence.get("families", {})
    rows = []
    for family, splits in sorted(families.items()):
        for split, cell in sorted(splits.items()):
            row: dict[str, object] = {"family": family, "split": split, "rows": cell["rows"]}
            row["longest (tokens)"] = cell["longest"]
            for length, cut in cell["truncated"].items():
                row[f"cut at {int(length):,}"] = f"{cut['rows']:,} ({cut['share']:.1%})"
            rows.append(row)
    if rows:
        st.dataframe(rows, hide_index=True, height="content")
        show.quiet(
            "Tokens are counted with {encoding} over the {chat} template.",
            encoding=evidence.get("encoding", "?"),
            chat=evidence.get("template", "?"),
        )


def draw_documents(bench: Workbench, version: str) -> None:
    """Draw the card and the notes as plain text, and the downloads."""
    notes = bench.releases.document(version, "RELEASE_NOTES.md")
    card = bench.releases.document(version, "README.md")
    sums = bench.releases.document(version, "CHECKSUMS.sha256")
    offers = (
        ("Manifest", bench.releases.manifest_body(version), "manifest.json", "application/json"),
        ("Release notes", notes.encode(), "RELEASE_NOTES.md", "text/markdown"),
        ("Dataset card", card.encode(), "README.md", "text/markdown"),
        ("Checksums", sums.encode(), "CHECKSUMS.sha256", "text/plain"),
    )
    with st.container(horizontal=True):
        for label, body, name, mime in offers:
            st.download_button(
                f"Download {label.lower()}",
                body,
                file_name=f"{version}-{name}",
                mime=mime,
                key=f"download:{version}:{name}",
                on_click="ignore",
            )
    show.prose("**RELEASE_NOTES.md**, to paste where the release is announced")
    st.code(notes, language=None, wrap_lines=True)
    with st.expander("README.md, the dataset card"):
        st.code(card, language=None, wrap_lines=True)


def draw_training(bench: Workbench, version: str, prefix: str) -> None:
    """Draw how a trainer opens the release, and which shares each phase draws."""
    evidence = bench.releases.smoke_evidence(version) or {}
    weights: Mapping[str, Mapping[str, float]] = evidence.get("weights", {})
    phase = next(iter(weights), "foundation")
    show.prose(
        "Training never opens the desk. It reads the manifest first, refuses a withdrawn "
        "release, and proves each shard before its first row."
    )
    st.code(_READ.format(version=version, phase=phase), language="python", wrap_lines=True)
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
    show.prose("Hugging Face datasets reads the same prefix, without checking our digests:")
    st.code(
        _DATASETS.format(bucket=bench.desk.store.bucket, prefix=prefix),
        language="python",
        wrap_lines=True,
    )


def counts_of(document: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Return (family, split) → records of a manifest."""
    return {
        (family["name"], split): count
        for family in document["families"]
        for split, count in family["records"].items()
    }


def draw_comparison(bench: Workbench, version: str, others: list[str]) -> None:
    """Draw records by family and split beside those of another version."""
    if not others:
        show.prose("There is no other version to compare with yet.")
        return
    other = str(st.selectbox("Compare with", others))
    mine, theirs = (bench.releases.manifest_or_none(name) for name in (version, other))
    if mine is None or theirs is None:
        st.warning("One of the two manifests is missing.")
        return
    here, there = counts_of(mine[0]), counts_of(theirs[0])
    st.dataframe(
        [
            {
                "family": family,
                "split": split,
                version: here.get((family, split), 0),
                other: there.get((family, split), 0),
                "difference": here.get((family, split), 0) - there.get((family, split), 0),
            }
            for family, split in sorted(here.keys() | there.keys())
        ],
        hide_index=True,
    )
    for name, document in ((version, mine[0]), (other, theirs[0])):
        scopes = ", ".join(item["scope"] for item in document["exclusions"]) or "nothing"
        show.prose("**{name}** leaves out {scopes}.", name=name, scopes=scopes)


def draw_withdrawal(bench: Workbench, person: Person, version: str) -> None:
    """Draw the act after which no reader opens this release by accident."""
    show.prose(
        "Withdrawing says that nobody may use {version} any more, with your name and reason. "
        "Readers refuse it from then on. Nothing is deleted, and it cannot be taken back.",
        version=version,
    )
    if not person.holds("release_owner"):
        show.quiet("This is for a release owner.")
        return
    reason_key, typed_key = f"withdraw_reason:{version}", f"withdraw_name:{version}"

    def act() -> None:
        if str(st.session_state.get(typed_key, "")).strip() != version:
            words = "Type the version's name to confirm the withdrawal."
            st.session_state["_outcome"] = ("refused", words, "withdraw.not_confirmed")
            return
        reason = str(st.session_state.get(reason_key, ""))
        show.attempt(
            lambda: bench.releases.withdraw(version, reason, person),
            done=f"{version} is withdrawn.",
        )

    with st.form(f"withdraw:{version}", border=True):
        st.text_area("Reason (everybody who opens the release reads it)", key=reason_key)
        st.text_input(
            "Type the version's name to confirm",
            key=typed_key,
            placeholder=version,
            autocomplete="off",
        )
        st.form_submit_button(f"Withdraw {version}", on_click=act)


def draw_release(
    bench: Workbench, person: Person, chosen: ReleaseSummary, others: list[str]
) -> None:
    """Draw one release, part by part."""
    version = chosen.version
    prefix = f"{bench.desk.prefix}releases/{version}/"
    withdrawn = chosen.state == "withdrawn"
    if withdrawn:
        draw_reason(bench, version)
    st.code(
        f"{prefix}manifest.json\nsha256 {chosen.manifest_sha256}", language=None, wrap_lines=True
    )
    parts = ("Proof", "Smoke test", "Documents", "For training", "Compare", "Withdraw")
    proof, smoke, documents, training, compare, withdraw = st.tabs(parts)
    with proof:
        draw_verification(bench, version)
    with smoke:
        draw_smoke(bench, person, version, withdrawn=withdrawn)
    with documents:
        draw_documents(bench, version)
    with training:
        draw_training(bench, version, prefix)
    with compare:
        draw_comparison(bench, version, others)
    with withdraw:
        if withdrawn:
            show.prose("It is withdrawn.")
        else:
            draw_withdrawal(bench, person, version)


def draw_reason(bench: Workbench, version: str) -> None:
    """Draw who withdrew a release, and why."""
    for entry in bench.audit.entries():
        if entry.event["type"] == "release.withdrawn" and entry.event["version"] == version:
            st.error(
                f"**Withdrawn** at {show.escape(entry.at)} by {show.escape(entry.actor)}. "
                "It must no longer be used."
            )
            show.exact(str(entry.event["reason"]))


bench, person = guard.require()
st.title("Releases")
show.outcome()
try:
    releases = bench.releases.list()
except DeskError as error:
    show.refusal(error)
    st.stop()
if not releases:
    st.info("Nothing has been released yet.")
    page_link("publish", "Go to publish")
    st.stop()
draw_list(releases)
names = [str(item.version) for item in releases]
asked = str(st.session_state.get("version", ""))
version = str(st.selectbox("Release", names, index=names.index(asked) if asked in names else 0))
chosen = next(item for item in releases if item.version == version)
if chosen.state == "missing":
    st.error(
        "The journal says that this version was published, and its manifest is gone. "
        "Readers find no release. See Audit for who published it and when."
    )
    st.stop()
try:
    draw_release(bench, person, chosen, [name for name in names if name != version])
except DeskError as error:
    show.refusal(error)
