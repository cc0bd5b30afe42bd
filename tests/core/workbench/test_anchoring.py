"""A head in the start-up log convicts a journal whose tail was cut, with nothing signed at all."""

from __future__ import annotations

import io
import json

import pytest

from core.logs import configure_logging
from core.storage.journal import EMPTY_HEAD, Journal
from core.workbench.anchoring import log_journal_head, read_anchor
from tests.builders import PREFIX
from tests.desk import a_desk
from tests.release_builders import no_wait


def logged_head(journal: Journal) -> dict[str, object]:
    stream = io.StringIO()
    configure_logging(stream)
    try:
        log_journal_head(journal)
    finally:
        configure_logging()
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    return line


def test_the_start_logs_the_number_and_digest_of_the_newest_entry(simulator, clock):
    journal = Journal(simulator, PREFIX, clock, sleep=no_wait)
    empty = logged_head(journal)
    assert (empty["code"], empty["seq"], empty["digest"]) == ("journal.head", 0, EMPTY_HEAD)
    journal.append("olympia", {"type": "test"})
    entry = journal.append("olympia", {"type": "test"})
    line = logged_head(journal)
    assert (line["seq"], line["digest"]) == (2, entry.digest)


def test_d45_a_cut_tail_that_nobody_signed_contradicts_the_logged_head(simulator, tmp_path):
    bench = a_desk(simulator, tmp_path / "one")
    line = logged_head(bench.desk.journal)
    anchor = read_anchor(f"{line['seq']}:{line['digest']}")
    assert bench.audit.verify((anchor,))[0]

    simulator.forget(bench.audit.entries()[-1].key)
    cut = Journal(simulator, PREFIX, bench.desk.clock, sleep=no_wait)
    fresh = type(bench.audit)(type(bench.desk)(**{
        name: cut if name == "journal" else getattr(bench.desk, name)
        for name in bench.desk.__slots__
    }))  # fmt: skip
    assert fresh.verify()[0]
    whole, sentence = fresh.verify((anchor,))
    assert not whole
    assert "journal.cut" in sentence


@pytest.mark.parametrize("text", ["", "7", f"7:{'0' * 63}", f"-1:{'0' * 64}", f"x:{'0' * 64}"])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(ValueError):
        read_anchor(text)
