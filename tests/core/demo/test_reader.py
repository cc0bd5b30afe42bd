"""A newcomer gets the demo bucket's reading key for a shell, and nobody any other key."""

from __future__ import annotations

import shlex

from core.demo import reader
from core.settings import BucketSettings

READER = BucketSettings(
    endpoint="http://127.0.0.1:1", bucket="demo", region="r", access_key="a b", secret_key="s'c"
)


def test_the_lines_are_what_a_reader_is_told_and_a_shell_reads_them_whole():
    lines = list(reader.shell_lines(READER))
    told = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert told == {
        "DESK_S3_ENDPOINT": "http://127.0.0.1:1",
        "DESK_S3_BUCKET": "demo",
        "DESK_S3_REGION": "r",
        "DESK_S3_ACCESS_KEY": "a b",
        "DESK_S3_SECRET_KEY": "s'c",
    }


def test_only_the_key_that_may_only_read_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DESK_WORKSPACE", str(tmp_path))
    monkeypatch.setattr(reader, "ensure_running", lambda workspace: None)
    monkeypatch.setattr(reader, "read_only_settings", lambda workspace: READER)
    assert reader.main() == 0
    assert capsys.readouterr().out.splitlines() == list(reader.shell_lines(READER))


def test_the_keys_of_a_real_bucket_are_not_told(monkeypatch, capsys):
    for name in ("ENDPOINT", "BUCKET", "REGION", "ACCESS_KEY", "SECRET_KEY"):
        monkeypatch.setenv(f"DESK_S3_{name}", "https://real.example.org")
    assert reader.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "real.example.org" not in said.err
