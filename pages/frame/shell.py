"""The frame of every page: who you are, which bucket this is, and where you can go.

The sidebar is a flat list without section headers, which screen readers announce correctly.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from core.model.signoff import Person  # noqa: E402
from core.workbench import Workbench  # noqa: E402
from pages.frame import guard, login, show  # noqa: E402
from pages.frame.bench import current_bench  # noqa: E402
from pages.frame.help import draw_help  # noqa: E402

PAGES = (
    ("run_sheet", "Run sheet"),
    ("coverage", "Coverage"),
    ("sources", "Sources"),
    ("distribution", "Distribution"),
    ("gates", "Gates"),
    ("findings", "Findings"),
    ("privacy", "Privacy"),
    ("duplicates", "Duplicates"),
    ("clinician_review", "Clinician review"),
    ("bias_review", "Bias review"),
    ("pii_check", "PII check"),
    ("adjudication", "Adjudication"),
    ("publish", "Publish"),
    ("releases", "Releases"),
    ("audit", "Audit"),
)

# The page begins just below the one button in the corner, not a hand's breadth further down, and
# tables get the width that margins would take.
_STYLE = (
    '<style>[data-testid="stMainBlockContainer"] { padding-top: 2.5rem; '
    "padding-inline: clamp(1rem, 3vw, 5rem); }"
    '.stButtonGroup :is([aria-checked="true"], [data-selected="true"]), '
    '.stButtonGroup :is([aria-checked="true"], [data-selected="true"]) * '
    "{ color: inherit !important; font-weight: 600; }"
    ".stPopover button:is(:hover, :active, :focus, [aria-expanded='true']), "
    ".stPopover button:is(:hover, :active, :focus, [aria-expanded='true']) * "
    "{ color: inherit !important; }</style>"
)


def _sidebar(bench: Workbench, page: str, title: str) -> Person | None:
    with st.sidebar:
        if bench.desk.settings.embedded:
            st.info("**Demo bucket.** Invented data on this machine; nothing here is real.")
            people = bench.demo_people()
            names = {person.id: person.name for person in people}
            st.selectbox(
                "You are",
                list(names),
                format_func=lambda identity: names[identity],
                key=guard.IDENTITY,
                bind="query-params",
                help="Stands in for login on the demo bucket. A real bucket asks who you are.",
            )
        person = guard.current_person(bench)
        if person is None:
            return None  # A stranger learns neither the bucket's name nor the policy.
        draw_help(page, title, person)
        if not bench.desk.settings.embedded:
            show.prose("Signed in as **{name}**", name=person.name)
            st.button("Sign out", on_click=st.logout)
        show.quiet("Bucket {bucket}", bucket=bench.desk.store.bucket)
        policy = bench.desk.policy
        show.quiet(
            "Policy {name} {version} ({digest})",
            name=policy.name,
            version=policy.version,
            digest=policy.digest[:8],
        )
    return person


def _return(person: Person) -> None:
    """Take somebody who left to prove who they are back to where they were."""
    place = login.place_to_return_to(person)
    if place is None:
        return
    page, version = place
    st.session_state["version"] = version
    st.switch_page(ROOT / "pages" / f"{page}.py")


def main() -> None:
    """Draw the frame and run the chosen page."""
    st.set_page_config(page_title="Release Desk", layout="wide")
    pages = [
        st.Page(
            ROOT / "pages" / f"{name}.py",
            title=title,
            url_path=name if number else "",
            default=number == 0,
        )
        for number, (name, title) in enumerate(PAGES)
    ]
    # Navigation first: until it has run once, Streamlit would serve a page file by itself.
    # Beyond a dozen pages the list would fold, and Publish with it.
    chosen = st.navigation(pages, expanded=True)
    bench = current_bench()
    # Acts run before this, in their callbacks; what is drawn of them is of one moment.
    with bench.desk.journal.moment():
        person = _sidebar(bench, chosen.url_path or PAGES[0][0], chosen.title)
        if person is not None:
            # The theme writes a chosen segment and a pointed-at popover too faint on dark ground.
            st.html(_STYLE)
            if person.auth == "oidc":
                _return(person)
        chosen.run()


main()
