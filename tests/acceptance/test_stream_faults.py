"""The defects of the real bucket that no stored byte shows: refusals, time-outs, sheer length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from core.intake.coverage import measure_coverage
from core.intake.inventory import make_listing
from core.intake.scan import ObjectScan, load_features, read_features, scan_object
from core.intake.scan import scan_settings_digest as settings_digest
from core.model.dataset import SourceObject
from core.model.errors import Forbidden, Transient
from core.policy.load import load_policy
from tests.bucket_generator import lines, talks
from tests.builders import PREFIX
from tests.listed import take_listing
from tests.simulator import Simulator

POLICY = load_policy(None, embedded=False)
SETTINGS = settings_digest(POLICY)
HOME = "gdrive/processed/priority/"
KEY = f"{HOME}long.jsonl"
MEGABYTE = 1 << 20


def scan(store: Simulator, source: SourceObject) -> ObjectScan:
    return scan_object(store, source, policy=POLICY, settings_digest=SETTINGS, prefix=PREFIX)


def a_long_object(store: Simulator) -> SourceObject:
    """Put an object of several blocks and return it as listed."""
    blank = (b" " * 100_000 + b"\n") * 30
    store.put(KEY, lines(talks("long", 40)) + blank + lines(talks("z", 2)))
    [source] = store.list(HOME)
    return source


def test_a_connection_that_breaks_in_mid_stream_is_read_again_from_the_start() -> None:
    store = Simulator()
    source = a_long_object(store)
    store.fail(op="stream", how="short_body", times=2)
    found = scan(store, source)
    assert (found.records, found.rows, store.count("stream")) == (42, 42, 3)

    whole = Simulator()
    undisturbed = scan(whole, a_long_object(whole))
    assert found.features_sha256 == undisturbed.features_sha256
    assert read_features(load_features(store, found)).num_rows == 42


@pytest.mark.parametrize("how", ["timeout", "short_body"])
def test_a_server_that_never_answers_ends_the_scan_and_leaves_nothing(how: str) -> None:
    store = Simulator()
    source = a_long_object(store)
    store.fail(op="stream", how=how, times=None)  # type: ignore[arg-type]
    with pytest.raises(Transient) as raised:
        scan(store, source)
    assert raised.value.place == KEY
    assert store.keys(PREFIX) == []


def test_an_object_that_may_not_be_read_fails_by_name_and_proves_nothing() -> None:
    store = Simulator()
    source = a_long_object(store)
    store.put(f"{HOME}other.jsonl", lines(talks("other", 3)))
    store.fail(op="stream", how="forbidden", times=None, key=KEY)
    with pytest.raises(Forbidden) as raised:
        scan(store, source)
    assert raised.value.place == KEY
    report = measure_coverage(
        store,
        take_listing(store, exclude_prefix=PREFIX),
        POLICY,
        confirmed=frozenset(),
        waived={},
        rule=POLICY.intake,
    )
    states = {item.key: item.state for item in report.families["priority"].evidence}
    assert states == {KEY: "unread", f"{HOME}other.jsonl": "usable"}


class Endless(Simulator):
    """A bucket whose one object is made as it is read: rows, one line of 100 MiB, rows."""

    def parts(self) -> Iterator[bytes]:
        yield lines(talks("before", 3))
        yield b'{"messages":[{"role":"user","content":"'
        for _ in range(100):
            yield b"a" * MEGABYTE
        yield b'"}]}\n' + lines(talks("after", 2))

    def stream(
        self, key: str, *, if_match: str | None = None, version_id: str | None = None
    ) -> Iterator[bytes]:
        return self.parts()


def test_more_than_a_hundred_megabytes_with_a_line_too_long_to_hold() -> None:
    store = Endless()
    size = sum(len(part) for part in store.parts())
    assert size > 100 * MEGABYTE > POLICY.intake.line_bytes
    source = SourceObject(key=KEY, size=size, etag="made", modified=datetime(2026, 1, 1))  # noqa: DTZ001
    assert make_listing([source]).bytes == size
    found = scan(store, source)
    assert (found.records, dict(found.rejected)) == (5, {"line.too_long": 1})
    refused = [
        row["line"]
        for row in read_features(load_features(store, found)).to_pylist()
        if row["kind"] == "rejection"
    ]
    assert refused == [4]
