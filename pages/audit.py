"""Everything that was decided, by whom and when, and whether the record of it still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.model.errors import DeskError
from core.storage.journal import Entry
from core.workbench import Workbench
from core.workbench.event_words import sentence_for
from pages.frame import guard, show
from pages.frame.export import csv_table

_LONG = 64
_SHOWN_DIGEST = 12
_LISTED = 3
# What a reader asks first; the rest follows by name.
_FIRST = ("version", "family", "gate", "verdict", "requirement", "claim", "decision", "action")
_HIDDEN = ("type", "id", "public_key")


def plain(value: object) -> str:
    """Return one value of an event in few words: digests shortened, lists counted."""
    if isinstance(value, list):
        more = f" and {len(value) - _LISTED} more" if len(value) > _LISTED else ""
        return ", ".join(plain(item) for item in value[:_LISTED]) + more or "none"
    if isinstance(value, Mapping):
        return " ".join(plain(item) for item in value.values())
    text = str(value)
    if len(text) == _LONG and text.isalnum():
        return text[:_SHOWN_DIGEST]
    return text


def facts_of(event: Mapping[str, object]) -> str:
    """Return the main facts of an event on one line."""
    rest = sorted(set(event) - set(_FIRST) - set(_HIDDEN))
    named = [*(name for name in _FIRST if name in event), *rest]
    return " · ".join(f"{name} {plain(event[name])}" for name in named)


def table_of(entries: tuple[Entry, ...]) -> list[dict[str, object]]:
    """Return the journal as rows, newest first."""
    return [
        {
            "seq": entry.seq,
            "at": entry.at,
            "actor": str(entry.actor),
            "type": str(entry.event["type"]),
            "meaning": sentence_for(str(entry.event["type"])),
            "facts": facts_of(entry.event),
            "digest": str(entry.digest),
        }
        for entry in reversed(entries)
    ]


def draw_check(bench: Workbench) -> None:
    """Draw the button that checks every link, and what it found."""
    if st.button("Verify the journal", type="primary"):
        with st.spinner("Checking every link and every anchored head…"):
            st.session_state["journal_check"] = (*bench.audit.verify(), bench.desk.now())
    held = st.session_state.get("journal_check")
    if held is not None:
        good, sentence, at = held
        (st.success if good else st.error)(show.escape(f"{sentence} Checked at {at}."))


def draw_journal(entries: tuple[Entry, ...]) -> None:
    """Draw the journal under its two filters, and the downloads of what is shown."""
    rows = table_of(entries)
    left, right = st.columns(2)
    types = left.multiselect("Type", sorted({str(row["type"]) for row in rows}))
    actors = right.multiselect("By", sorted({str(row["actor"]) for row in rows}))
    chosen = [
        row
        for row in rows
        if (not types or row["type"] in types) and (not actors or row["actor"] in actors)
    ]
    show.quiet("{shown} of {all} entries, newest first.", shown=len(chosen), all=len(rows))
    st.dataframe(
        chosen,
        hide_index=True,
        # What happened is what people look for; its code and the actor stand behind it.
        column_order=("seq", "at", "meaning", "actor", "facts", "type", "digest"),
        column_config={
            "seq": st.column_config.NumberColumn(width=50),
            "at": st.column_config.TextColumn(width=165),
            "meaning": st.column_config.TextColumn(width=350),
            "actor": st.column_config.TextColumn(width=120),
            "facts": st.column_config.TextColumn(width=520),
        },
    )
    lines, cells = st.columns(2)
    lines.download_button(
        "Download the journal (JSONL)",
        bench.audit.export(),
        file_name="journal.jsonl",
        mime="application/x-ndjson",
    )
    cells.download_button(
        "Download what is shown (CSV)",
        csv_table(chosen),
        file_name="journal.csv",
        mime="text/csv",
        disabled=not chosen,
    )


def draw_anchors(bench: Workbench) -> None:
    """Draw the heads that signed and published statements name."""
    st.header("Anchored heads")
    show.prose(
        "Sign-offs and publications name the journal's head as it stood. "
        "Cutting the journal short would leave one of these without its entry."
    )
    try:
        anchors = bench.audit.anchors()
    except DeskError as error:
        show.refusal(error)
        return
    if not anchors:
        show.quiet("Nothing has been signed or published yet.")
        return
    st.dataframe(
        [{"entry": seq or "absent", "digest": str(digest)} for seq, digest in sorted(anchors)],
        hide_index=True,
        column_config={"entry": st.column_config.Column(width=80)},
    )


def draw_probe(entries: tuple[Entry, ...]) -> None:
    """Draw what the bucket last proved it can do."""
    st.header("The bucket")
    probes = [entry for entry in entries if entry.event["type"] == "probe.finished"]
    if not probes:
        show.prose("The bucket has not been probed yet; listing it does that.")
        return
    last = probes[-1]
    if last.event["ok"] is True:
        st.success(
            show.escape(
                f"{last.event['checks']} of {last.event['checks']} checks held at {last.at}: "
                "list, get, conditional put, checksums, read-back and clocks."
            )
        )
    else:
        st.error(show.escape(f"Failed at {last.at}: {plain(last.event['failed'])}."))


def plain_roles(roles: Sequence[str]) -> str:
    """Return roles as people say them."""
    return ", ".join(role.replace("_", " ") for role in roles)


def draw_people(bench: Workbench) -> None:
    """Draw who may act; on a real bucket by id alone."""
    st.header("People and roles")
    demo = bench.demo_people()
    if demo:
        rows = [
            {"id": str(one.id), "name": one.name, "roles": plain_roles(one.roles)} for one in demo
        ]
    else:
        rows = [{"id": rule.id, "roles": plain_roles(rule.roles)} for rule in bench.desk.people()]
    if rows:
        st.dataframe(rows, hide_index=True)
    else:
        show.prose("The roster (DESK_PEOPLE) names nobody, so nobody may act.")


bench, person = guard.require()
st.title("Audit")
show.outcome()
draw_check(bench)
try:
    entries = bench.audit.entries()
except DeskError as error:
    show.refusal(error)
    st.stop()
st.header("Journal")
if entries:
    draw_journal(entries)
else:
    show.prose("Nothing has been decided yet. Every decision will stand here, in order, by name.")
draw_anchors(bench)
draw_probe(entries)
draw_people(bench)
