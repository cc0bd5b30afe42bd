"""A real OpenID Connect server on this machine, which says when somebody proved who they are.

The package serves discovery, keys, codes and signed tokens, but no `auth_time`; that claim is
added here, and what the desk asked for is written down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import flask
import oidc_provider_mock
import oidc_provider_mock._storage as provider_storage
import werkzeug.serving


@dataclass(slots=True)
class Provider:
    """`proved_at` is the auth_time it will state, in seconds since 1970; None: it states none."""

    issuer: str
    proved_at: int | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def last_asked(self) -> dict[str, str]:
        """The parameters of the last authorization request."""
        return self.asked[-1]

    def prove_now(self) -> None:
        """From here on whoever logs in has just typed their password."""
        self.proved_at = int(time.time())


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Serve until the end of the block."""
    app = oidc_provider_mock.app()
    provider = Provider(issuer="")

    def note() -> None:
        if flask.request.path == "/oauth2/authorize" and flask.request.method == "GET":
            provider.asked.append(dict(flask.request.args))

    app.before_request(note)
    untouched = provider_storage.AuthorizationCode.get_auth_time
    provider_storage.AuthorizationCode.get_auth_time = lambda self: provider.proved_at
    server = werkzeug.serving.make_server("localhost", 0, app, threaded=True)
    provider.issuer = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider_storage.AuthorizationCode.get_auth_time = untouched
        server.shutdown()
        thread.join(5)
