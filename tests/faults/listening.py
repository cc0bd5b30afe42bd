"""The desk's WebSocket, spoken by hand: what a browser would send, and what no browser would."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TOKEN = f"2|00000000|{'ab' * 16}|1700000000"


def apart(work):
    """Run in a thread of its own: a browser of this session keeps a loop in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def opened(server, *, origin=None, name="127.0.0.1", headers=None):
    """The connection a browser would open; `name` is what it believes this machine to be called.

    The token against forged requests is one that anybody makes up, with its own cookie, so that
    it is never what a refusal rests on.
    """
    found = dict(headers or {})
    found["Cookie"] = "; ".join(filter(None, (f"_streamlit_xsrf={TOKEN}", found.get("Cookie"))))
    return connect(
        f"ws://{name}:{server.port}/_stcore/stream",
        host="127.0.0.1",
        port=server.port,
        origin=origin or f"http://{name}:{server.port}",
        additional_headers=found,
        subprotocols=["streamlit", TOKEN],
        max_size=None,
    )


async def run(socket, path=""):
    """Ask for one run of a page over an open connection; return every message of it."""
    message = BackMsg()
    message.rerun_script.page_name = path
    await socket.send(message.SerializeToString())
    heard = []
    with suppress(TimeoutError, ConnectionClosed):
        while not (heard and is_end(heard[-1])):
            heard.append(ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), 20)))
    return heard


async def hear(server, path="", *, origin=None, name="127.0.0.1", headers=None):
    """Open the desk's WebSocket as a browser on `path` would; return every message of one run.

    Raises:
        InvalidStatus: the server refuses the connection.
    """
    async with opened(server, origin=origin, name=name, headers=headers) as socket:
        return await run(socket, path)


def is_end(message):
    return message.WhichOneof("type") == "script_finished"


def words(heard):
    """Every word on the page, in order, and what kind of element says it."""
    said = []
    for message in heard:
        if message.WhichOneof("type") != "delta":
            continue
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind not in (None, "empty"):
            said.append((kind, getattr(getattr(element, kind), "body", "")))
    return said
