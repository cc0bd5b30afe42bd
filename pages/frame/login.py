"""Signing in, and proving once more who one is just before a signature.

Login comes back to the home page in a new session, so where somebody was is kept here, on the
server, for five minutes: nothing of it travels through the browser.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping

import streamlit as st

from core.model.signoff import Person

STEP_UP = "signing"
"""The provider entry that asks for a fresh proof: prompt=login and max_age=0."""
_KEPT_SECONDS = 300.0
_SECRET_BYTES = 32
_LEFT = "_left_to_prove"

Pending = MutableMapping[str, tuple[str, str, float]]


def is_configured() -> bool:
    """Whether an identity provider is set up."""
    try:
        return "auth" in st.secrets
    except (FileNotFoundError, KeyError):
        return False


def has_weak_secret() -> bool:
    """Whether the secret that login cookies are signed with could be guessed.

    Whoever has it makes the cookie of anybody, freshly proved to be themselves.
    """
    secret = str(st.secrets["auth"].get("cookie_secret", "")) if is_configured() else ""
    return len(secret.encode()) < _SECRET_BYTES


def sign_in() -> None:
    """Go to the identity provider."""
    st.login()


def prove_again(person: Person, page: str, version: str) -> None:
    """Go to the provider for a fresh proof, and remember where to come back to."""
    st.session_state[_LEFT] = True
    _pending()[_who(person)] = (page, version, time.monotonic() + _KEPT_SECONDS)
    if STEP_UP in st.secrets["auth"]:
        st.login(STEP_UP)
    else:
        st.login()


def place_to_return_to(person: Person) -> tuple[str, str] | None:
    """Return the page and version somebody left to prove who they are, once."""
    # The session that left runs once more while the browser is on its way.
    if st.session_state.get(_LEFT):
        return None
    held = _pending().pop(_who(person), None)
    if held is None or held[2] < time.monotonic():
        return None
    return held[0], held[1]


@st.cache_resource(show_spinner=False)
def _pending() -> Pending:
    return {}


def _who(person: Person) -> str:
    return f"{person.issuer}\n{person.subject}"
