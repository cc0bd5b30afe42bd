from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.errors import ReviewError
from core.review.drafts import FILE_NAME, DraftPlace, Drafts, IncomingDraft, apply_draft

ROOT = Path(__file__).parents[3]
PLACE = DraftPlace(candidate="c", claim="clinician", record_id="r1", reviewer="clara")


def incoming(seq=1, tab="a", based_on=0, payload=None):
    payload = payload if payload is not None else f'{{"seq":{seq},"tab":"{tab}"}}'
    return IncomingDraft(payload=payload, seq=seq, tab=tab, based_on=based_on, at="now")


def code_of(call, *args):
    with pytest.raises(ReviewError) as caught:
        call(*args)
    return caught.value.code


def test_a_draft_comes_back_as_it_was_left(tmp_path):
    saved = Drafts(tmp_path).save_draft(PLACE, incoming(payload='{"note":"half a sent'))
    found = Drafts(tmp_path).load_draft(PLACE)
    assert found == saved
    assert found.payload == '{"note":"half a sent'
    assert found.version == 1


def test_an_older_change_never_overwrites_a_newer_one(tmp_path):
    drafts = Drafts(tmp_path)
    drafts.save_draft(PLACE, incoming(seq=5))
    assert code_of(drafts.save_draft, PLACE, incoming(seq=4)) == "review.draft_stale"
    assert code_of(drafts.save_draft, PLACE, incoming(seq=5, payload="x")) == "review.draft_stale"
    assert drafts.load_draft(PLACE).seq == 5


def test_the_same_change_twice_is_one_change(tmp_path):
    drafts = Drafts(tmp_path)
    first = drafts.save_draft(PLACE, incoming(seq=5))
    assert drafts.save_draft(PLACE, incoming(seq=5)) == first


def test_another_tab_may_only_follow_what_is_saved(tmp_path):
    drafts = Drafts(tmp_path)
    drafts.save_draft(PLACE, incoming(seq=1))
    second = drafts.save_draft(PLACE, incoming(seq=2))
    assert code_of(drafts.save_draft, PLACE, incoming(tab="b")) == "review.draft_other_tab"
    taken = drafts.save_draft(PLACE, incoming(tab="b", based_on=second.version))
    assert (taken.tab, taken.version) == ("b", 3)
    assert code_of(drafts.save_draft, PLACE, incoming(seq=3, based_on=2)) == (
        "review.draft_other_tab"
    )


def test_places_do_not_mix(tmp_path):
    drafts = Drafts(tmp_path)
    drafts.save_draft(PLACE, incoming())
    for other in ("candidate", "claim", "record_id", "reviewer"):
        assert drafts.load_draft(dataclasses.replace(PLACE, **{other: "other"})) is None
    drafts.delete_draft(dataclasses.replace(PLACE, reviewer="other"))
    assert drafts.load_draft(PLACE) is not None
    drafts.delete_draft(PLACE)
    assert drafts.load_draft(PLACE) is None


def test_the_position_is_kept_per_reviewer_and_claim(tmp_path):
    drafts = Drafts(tmp_path)
    drafts.remember_position("clara", "clinician", "r7")
    drafts.remember_position("clara", "edge", "r2")
    drafts.remember_position("clara", "clinician", "r8")
    assert Drafts(tmp_path).position("clara", "clinician") == "r8"
    assert Drafts(tmp_path).position("clara", "edge") == "r2"
    assert Drafts(tmp_path).position("celia", "edge") is None


def test_notes_are_for_the_desk_alone(tmp_path):
    Drafts(tmp_path).save_draft(PLACE, incoming())
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


def test_an_endless_draft_is_refused():
    assert code_of(apply_draft, None, incoming(payload="x" * 300_000)) == "review.draft_size"


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("ab"), st.integers(0, 4))))
def test_no_order_of_arrival_loses_the_newest_change_of_the_tab_that_holds_the_draft(moves):
    held = None
    for seq, tab, based_on in moves:
        change = incoming(seq=seq, tab=tab, based_on=based_on)
        before = held
        try:
            held = apply_draft(held, change)
        except ReviewError:
            held = before
            continue
        assert held.payload == change.payload
        if before is not None and before.tab == tab:
            assert held.seq >= before.seq
        elif before is not None:
            assert based_on == before.version
        assert before is None or held.version - before.version in (0, 1)


def test_many_threads_lose_nothing(tmp_path):
    drafts = Drafts(tmp_path)
    places = [dataclasses.replace(PLACE, record_id=f"r{number}") for number in range(4)]

    def work(place):
        for seq in range(1, 9):
            drafts.save_draft(place, incoming(seq=seq))

    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [drafts.load_draft(place).version for place in places] == [8, 8, 8, 8]


_CHILD = """
import sys
from pathlib import Path
from core.review.drafts import DraftPlace, Drafts, IncomingDraft
drafts = Drafts(Path(sys.argv[1]))
place = DraftPlace(candidate="c", claim="clinician", record_id="r1", reviewer="clara")
for seq in range(1, 100000):
    drafts.save_draft(place, IncomingDraft(payload=f"p{seq}", seq=seq, tab="a", based_on=0, at=""))
    print(seq, flush=True)
"""


@pytest.mark.faults
def test_d47_every_acknowledged_draft_survives_kill_9(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert child.stdout is not None
    for _ in range(15):
        acknowledged = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read().split("\n")
    child.wait(timeout=10)
    child.stdout.close()
    acknowledged = max([acknowledged, *(int(line) for line in rest if line)])
    found = Drafts(tmp_path).load_draft(PLACE)
    assert found.seq in (acknowledged, acknowledged + 1)
    assert found.payload == f"p{found.seq}"
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
