"""`python3 app.py` starts the desk on any machine; `streamlit run app.py` starts it where all
that it needs is installed."""

from __future__ import annotations

import os
import sys

from core.bootstrap import ROOT, CannotStart, choose_port, prepare, read_port, say

if __name__ == "__main__":
    try:
        prepare(ROOT / "requirements.lock", [os.path.abspath(__file__), *sys.argv[1:]])
    except CannotStart as error:
        say(str(error))
        sys.exit(2)

import streamlit as st

from pages.frame.serving import lifespan, middleware, routes, show_script_error

app = st.App(
    ROOT / "pages" / "frame" / "shell.py",
    lifespan=lifespan,
    routes=routes(),
    middleware=middleware(),
    on_script_error=show_script_error,
)


def main() -> int:
    """Serve the desk until it is stopped."""
    address = os.environ.get("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
    try:
        wanted = read_port(os.environ.get("DESK_PORT"))
        port = choose_port(wanted, address)
    except CannotStart as error:
        say(str(error))
        return 2
    if port != wanted:
        say(f"Port {wanted} is taken, so the desk uses {port}.")
    app.run(config={"server.port": port})
    return 0


if __name__ == "__main__":
    sys.exit(main())
