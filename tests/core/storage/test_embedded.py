"""The embedded server: one per workspace, found again, its data kept, its keys private."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.model.errors import Forbidden, StorageError
from core.settings import BucketSettings
from core.storage import embedded
from core.storage.s3 import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.seaweed


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "work space"
    embedded.stop(tmp_path / "work space", patience=0.5)


def state(workspace: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((workspace / "bucket" / "state.json").read_text())
    return found


@pytest.mark.slow
def test_data_survives_a_stop_a_kill_and_a_change_of_ports(workspace: Path) -> None:
    first = embedded.ensure_running(workspace)
    assert list(S3Store(first).list("")) == []
    body = os.urandom(3 << 20)
    S3Store(first).put_if_absent("kept/large", body)
    S3Store(first).put_if_absent("kept/small", b"small")
    embedded.stop(workspace, patience=0.5)
    second = embedded.ensure_running(workspace)
    assert (second.access_key, second.secret_key) == (first.access_key, first.secret_key)
    assert S3Store(second).get("kept/large", limit=4 << 20).body == body

    os.kill(int(str(state(workspace)["pid"])), signal.SIGKILL)
    moved = {**state(workspace), "ports": embedded._free_ports()}
    (workspace / "bucket" / "state.json").write_text(json.dumps(moved))
    third = S3Store(embedded.ensure_running(workspace))
    assert third.get("kept/large", limit=4 << 20).body == body
    assert [found.key for found in third.list("kept/")] == ["kept/large", "kept/small"]
    third.put_if_absent("kept/later", b"writes work too")
    assert third.get("kept/later", limit=99).body == b"writes work too"


@pytest.mark.slow
def test_processes_starting_at_once_share_one_server(workspace: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from core.storage import embedded;"
        "print(embedded.ensure_running(Path(sys.argv[1])).endpoint)"
    )

    def start(_: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", program, str(workspace)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        endpoints = set(pool.map(start, range(2)))
    assert len(endpoints) == 1
    # Both starters have ended: the server outlives them.
    assert embedded.ensure_running(workspace).endpoint in endpoints


def test_a_running_server_is_found_again_and_not_started_twice(seaweed_workspace: Path) -> None:
    before = state(seaweed_workspace)
    started = time.monotonic()
    settings = embedded.ensure_running(seaweed_workspace)
    assert time.monotonic() - started < 3
    assert state(seaweed_workspace) == before
    assert settings.bucket == "release-desk-demo"
    assert settings.endpoint == f"http://127.0.0.1:{before['ports']['s3']}"  # type: ignore[index]


def test_the_state_and_the_keys_are_for_the_owner_alone(seaweed_workspace: Path) -> None:
    for name in ("state.json", "identities.json"):
        mode = (seaweed_workspace / "bucket" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE((seaweed_workspace / "bucket").stat().st_mode) == 0o700
    settings = embedded.ensure_running(seaweed_workspace)
    command = Path(f"/proc/{state(seaweed_workspace)['pid']}/cmdline").read_bytes().decode()
    assert settings.secret_key not in command
    assert settings.secret_key not in repr(settings)


def test_a_stranger_may_read_and_list_and_nothing_else(seaweed_workspace: Path) -> None:
    owner = S3Store(embedded.ensure_running(seaweed_workspace))
    owner.put_if_absent("stranger/given", b"given")
    stranger = S3Store(embedded.read_only_settings(seaweed_workspace))
    assert stranger.get("stranger/given", limit=99).body == b"given"
    assert [found.key for found in stranger.list("stranger/")] == ["stranger/given"]
    with pytest.raises(Forbidden):
        stranger.put_if_absent("stranger/mine", b"mine")
    with pytest.raises(Forbidden):
        stranger.delete("stranger/given")
    with pytest.raises(Forbidden):
        stranger.copy("stranger/given", "stranger/copy")
    owner.delete("stranger/given")


def test_a_wrong_key_is_refused(seaweed_workspace: Path) -> None:
    right = embedded.ensure_running(seaweed_workspace)
    wrong = BucketSettings(
        endpoint=right.endpoint,
        bucket=right.bucket,
        region=right.region,
        access_key=right.access_key,
        secret_key="not the secret",
    )
    with pytest.raises(Forbidden):
        list(S3Store(wrong).list(""))


def test_a_number_that_is_now_somebody_elses_process_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "bucket"
    home.mkdir()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert not embedded._is_ours(other.pid, home)
        recorded = {
            "pid": other.pid,
            "ports": embedded._free_ports(),
            "access_key": "a",
            "secret_key": "b",
            "reader_access_key": "c",
            "reader_secret_key": "d",
        }
        (home / "state.json").write_text(json.dumps(recorded))
        embedded.stop(tmp_path)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_stopping_what_never_ran_is_no_error(tmp_path: Path) -> None:
    embedded.stop(tmp_path)
    with pytest.raises(StorageError) as caught:
        embedded.read_only_settings(tmp_path)
    assert caught.value.code == "embedded.not_started"


def test_a_damaged_state_file_is_named_and_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "state.json").write_text("{")
    with pytest.raises(StorageError) as caught:
        embedded.ensure_running(tmp_path)
    assert caught.value.code == "embedded.state"
