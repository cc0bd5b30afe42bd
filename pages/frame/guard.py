"""The first line of every page: without a person who may be here, nothing else runs.

The guard stands in each page and not only in the shell, because a page reached by a path that
skips the shell must still be closed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

import streamlit as st

from core.model.errors import DeskError
from core.model.signoff import DeskRole, Person
from core.storage.ports import timestamp
from core.workbench import Workbench
from core.workbench.people import check_person
from pages.frame.bench import current_bench

IDENTITY = "demo_identity"


def current_person(bench: Workbench) -> Person | None:
    """Return who is at the desk in this session, or None."""
    people = bench.demo_people()
    if people:
        chosen = st.session_state.get(IDENTITY, people[0].id)
        return next((person for person in people if person.id == chosen), people[0])
    return _logged_in(bench)


def _logged_in(bench: Workbench) -> Person | None:
    if not getattr(st.user, "is_logged_in", False):
        return None
    moment = st.user.get("auth_time") or st.user.get("iat")
    auth_time = timestamp(datetime.fromtimestamp(float(str(moment)), UTC)) if moment else ""
    return bench.identify(str(st.user.get("iss", "")), str(st.user.get("sub", "")), auth_time)


def require(*roles: DeskRole) -> tuple[Workbench, Person]:
    """Return the workbench and the person, or draw the prompt and stop.

    With `roles`, the person must hold one of them; without, any known person may look.
    """
    bench = current_bench()
    person = current_person(bench)
    if person is None:
        _prompt()
    try:
        check_person(bench.desk.policy, person, embedded=bench.desk.settings.embedded)
    except DeskError as error:
        st.error(error.sentence)
        st.stop()
    if roles and not person.holds(*roles):
        names = " or ".join(role.replace("_", " ") for role in roles)
        st.info(f"This page is for a {names}. You are here as {_roles(person)}.")
        if bench.demo_people():
            st.info("On the demo bucket you can change who you are in the sidebar.")
        st.stop()
    return bench, person


def _roles(person: Person) -> str:
    return ", ".join(role.replace("_", " ") for role in person.roles) or "a guest"


def _prompt() -> NoReturn:
    st.title("Release Desk")
    if getattr(st.user, "is_logged_in", False):
        st.error("You are signed in, but not on this desk's list of people.")
        st.button("Sign out", on_click=st.logout)
    elif _login_configured():
        st.info("Sign in to see this page.")
        st.button("Sign in", on_click=st.login, type="primary")
    else:
        st.error(
            "This desk reads a real bucket, and no identity provider is set up. "
            "See the README, section “Login”, for the five lines it needs."
        )
    st.stop()
    raise AssertionError


def _login_configured() -> bool:
    try:
        return "auth" in st.secrets
    except (FileNotFoundError, KeyError):
        return False
