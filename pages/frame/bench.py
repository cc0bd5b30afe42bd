"""One workbench serves every session of this process; it holds no session's state."""

from __future__ import annotations

import os

import streamlit as st

from core.model.errors import DeskError
from core.storage.ports import SystemClock
from core.workbench import Workbench, open_workbench


@st.cache_resource(show_spinner="Opening the desk…")
def _open() -> list[Workbench]:
    """Return a box for the one workbench: another takes its place when a policy is adopted."""
    return [open_workbench(os.environ, clock=SystemClock())]


def current_bench() -> Workbench:
    """Return the process's workbench; draw why and stop when there is none."""
    try:
        box = _open()
        box[0] = box[0].current()
        return box[0]
    except DeskError as error:
        st.error("The desk cannot open its bucket.")
        st.code(f"{error.code}: {error.sentence}", language=None, wrap_lines=True)
        st.stop()
