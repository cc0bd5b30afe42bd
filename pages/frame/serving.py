"""The server around the pages: headers on every answer, and the demo bucket kept company.

A visitor never waits for the start: the bucket is brought up beside the server, and the first
page that needs it waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROOT = Path(__file__).resolve().parents[2]

# Measured with charts, tables and components: nothing the pages need is refused by it, and a
# picture named in a record cannot be fetched from anywhere.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self' ws: wss:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class SecurityHeaders:
    """Puts `HEADERS` on every HTTP answer, Streamlit's own included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)


def middleware() -> list[Middleware]:
    """Return what stands between the network and the pages."""
    return [Middleware(SecurityHeaders)]


def routes() -> list[Route]:
    """Return the desk's own addresses beside the pages."""
    return [Route("/api/health", _health)]


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[MutableMapping[str, Any]]:
    """Keep the demo bucket up while the desk is served, where no other bucket is configured."""
    from core.logs import configure_logging

    configure_logging()
    # The login routes would log what a provider, or anybody who makes up an address, answers.
    for name in ("streamlit.error_util", "streamlit.web.server.starlette.starlette_auth_routes"):
        logging.getLogger(name).addFilter(without_values)
    keeper = Keeper()
    starting = asyncio.create_task(asyncio.to_thread(_start, keeper))
    _tell(f"the desk is open at {_address()} (stop it with Ctrl+C).")
    try:
        yield {}
    finally:
        with suppress(Exception):
            await starting
        await asyncio.to_thread(keeper.stop)


def without_values(record: logging.LogRecord) -> bool:
    """Keep Streamlit's note that a page broke, and drop the exception that quotes a value."""
    record.exc_info = record.exc_text = record.stack_info = None
    record.args = ()
    return True


def show_script_error(error: Exception) -> bool:
    """Say what a page could not do, in our words, and keep the library's own out of the log.

    Streamlit's default prints the whole exception, and exceptions quote the value that broke them.
    """
    from core.logs import log_error
    from core.model.errors import DeskError

    if isinstance(error, DeskError):
        log_error(error, error.code)
        st.error("The desk could not do that.")
        st.code(f"{error.code}: {error.sentence}", language=None, wrap_lines=True)
    else:
        log_error(error)
        st.error("Something broke inside the desk; what you had saved is safe. Reload the page.")
        st.code(type(error).__name__, language=None)
    return True


def _start(keeper: Keeper) -> None:
    keeper.start()
    # After it, since whoever starts the demo bucket also stops it; and in a thread nobody waits
    # for: a bucket that does not answer must not hold up the end.
    threading.Thread(target=log_head, name="journal head", daemon=True).start()


def log_head() -> None:
    """Log the journal's head as the desk finds it, or why it cannot be read."""
    from core.logs import log_error
    from core.model.errors import DeskError
    from core.settings import read_settings
    from core.storage.embedded import ensure_running
    from core.storage.journal import Journal
    from core.storage.ports import SystemClock
    from core.storage.s3 import S3Store
    from core.workbench.anchoring import log_journal_head

    try:
        settings = read_settings(os.environ, home=ROOT)
        bucket = settings.bucket or ensure_running(settings.workspace)
        log_journal_head(Journal(S3Store(bucket), settings.exports_prefix, SystemClock()))
    except DeskError as error:
        log_error(error)


class Keeper:
    """Remembers whether this process started the demo bucket's server."""

    def __init__(self) -> None:
        self._workspace: Path | None = None

    def start(self) -> None:
        """Start and fill the demo bucket; what goes wrong is said here and shown by the pages."""
        from core.demo.fill import ensure_filled
        from core.logs import log_error
        from core.model.errors import DeskError
        from core.model.progress import silent
        from core.settings import read_settings
        from core.storage.embedded import ensure_running, running_pid
        from core.storage.s3 import S3Store

        try:
            settings = read_settings(os.environ, home=ROOT)
            if not settings.embedded:
                return
            before = running_pid(settings.workspace)
            bucket = ensure_running(settings.workspace)
            if running_pid(settings.workspace) != before:
                self._workspace = settings.workspace
            if ensure_filled(S3Store(bucket), silent):
                _tell("the demo bucket is filled.")
        except DeskError as error:
            _tell(f"{error.sentence} ({error.code})")
            log_error(error)

    def stop(self) -> None:
        """Stop the server if this process started it and no detached job still needs it."""
        from core.jobs.queue import Queue
        from core.storage.embedded import stop
        from core.storage.ports import SystemClock

        if self._workspace is None or Queue(self._workspace, SystemClock()).any_active():
            return
        stop(self._workspace)


async def _health(request: Request) -> JSONResponse:
    return JSONResponse({"ok": True})


def _address() -> str:
    host = st.get_option("server.address") or "127.0.0.1"
    path = st.get_option("server.baseUrlPath").strip("/")
    return f"http://{host}:{st.get_option('server.port')}/{path}"


def _tell(words: str) -> None:
    sys.stderr.write(f"Release Desk: {words}\n")
    sys.stderr.flush()
