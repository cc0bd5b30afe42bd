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
from core.workbench.people import check_person, login_is_over
from pages.frame import login
from pages.frame.bench import current_bench

IDENTITY = "demo_identity"
_YEAR_2100 = 4_102_444_800


def current_person(bench: Workbench) -> Person | None:
    """Return who is at the desk in this session, or None."""
    people = bench.demo_people()
    if people:
        chosen = st.session_state.get(IDENTITY, people[0].id)
        return next((person for person in people if person.id == chosen), people[0])
    return _logged_in(bench)


def _logged_in(bench: Workbench) -> Person | None:
    if not getattr(st.user, "is_logged_in", False) or login.has_weak_secret():
        return None
    issued = _seconds("iat")
    if issued is None or login_is_over(issued, bench.desk.clock.now()):
        return None
    # Only auth_time says when somebody proved who they are: a provider with a session of its own
    # issues a fresh token, with a fresh iat, to whoever sits at the machine.
    proved = _seconds("auth_time")
    auth_time = "" if proved is None else timestamp(datetime.fromtimestamp(proved, UTC))
    return bench.identify(str(st.user.get("iss", "")), str(st.user.get("sub", "")), auth_time)


def _seconds(claim: str) -> float | None:
    """Return a claim that is a moment in seconds since 1970, or None for anything else."""
    value: object = st.user.get(claim)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 < value < _YEAR_2100 else None


def require(*roles: DeskRole) -> tuple[Workbench, Person]:
    """Return the workbench and the person, or draw the prompt and stop.

    With `roles`, the person must hold one of them; without, any known person may look.
    """
    bench = current_bench()
    person = current_person(bench)
    if person is None:
        _prompt(bench)
    try:
        check_person(bench.desk.people(), person, embedded=bench.desk.settings.embedded)
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


def _prompt(bench: Workbench) -> NoReturn:
    st.title("Release Desk")
    if login.is_configured() and login.has_weak_secret():
        st.error(
            "Nobody can sign in: cookie_secret in .streamlit/secrets.toml could be guessed. Put "
            "32 random bytes or more there; the README, section “Login”, says how."
        )
    elif getattr(st.user, "is_logged_in", False):
        issued = _seconds("iat")
        if issued is None or login_is_over(issued, bench.desk.clock.now()):
            st.info("Your login is older than a working day. Sign in again to go on.")
            st.button("Sign in", on_click=login.sign_in, type="primary")
        else:
            st.error(
                "You are signed in, but not on this desk's list of people. Ask a release owner "
                "to put you there, with the issuer and subject your provider gives you."
            )
        st.button("Sign out", on_click=st.logout)
    elif login.is_configured():
        st.info("Sign in to see this page.")
        st.button("Sign in", on_click=login.sign_in, type="primary")
    else:
        st.error(
            "This desk reads a real bucket, and no identity provider is set up. "
            "See the README, section “Login”, for the few lines it needs."
        )
    st.stop()
    raise AssertionError
