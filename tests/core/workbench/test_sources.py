"""Sources are decided by prefix or family, the longest wins; what nobody claims can be given."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from core.model.errors import DeskError, IntakeError, NotAllowed, PolicyError
from core.model.signoff import Person
from core.policy.load import load_policy, parse_policy
from core.settings import Settings
from core.storage.journal import Journal
from core.workbench import Workbench, assemble, history
from core.workbench.adoption import with_policy_in_force
from core.workbench.desk import Desk
from tests.builders import PREFIX
from tests.clock import FixedClock
from tests.simulator import Simulator
from tests.sources import PRIORITY, VOICE, fill, some_source_rows

VERSION = "v2026-11-21"
ODD = PRIORITY + "a b /｜：#&?'\"/"


@pytest.fixture
def bench(simulator: Simulator, clock: FixedClock, tmp_path: Path) -> Workbench:
    """A demo desk over a bucket in memory with two families, an odd prefix, and a stray one."""
    rows = some_source_rows(3)
    fill(
        simulator,
        {
            f"{PRIORITY}one/a.jsonl": rows,
            f"{PRIORITY}one/two/b.jsonl": rows,
            f"{ODD}c .jsonl": rows,
            f"{VOICE}d.jsonl": rows,
            "strays/2026/x/e.jsonl": rows,
            "strays/2026/y*/f.jsonl": rows,
            "strays/top.jsonl": rows,
        },
    )
    settings = Settings(bucket=None, exports_prefix=PREFIX, policy_file=None, workspace=tmp_path)
    desk = Desk(
        settings=settings,
        store=simulator,
        journal=Journal(simulator, PREFIX, clock),
        policy=load_policy(None, embedded=True),
        clock=clock,
        connect=lambda: simulator,
        connect_reader=lambda: simulator,
    )
    bench = assemble(desk)
    bench.data.draft(VERSION, who(bench, "engineer"))
    bench.data.take_inventory(who(bench, "engineer"))
    return bench


def who(bench: Workbench, name: str) -> Person:
    return next(person for person in bench.demo_people() if person.id == f"demo:{name}")


def keep(bench: Workbench, *prefixes: str, decision: str = "keep") -> int:
    owner = who(bench, "engineer")
    return bench.sources.decide(prefixes, decision, "cleared", "synthetic", "looked at it", owner)


def states(bench: Workbench) -> dict[str, str]:
    return {line.prefix: line.state for line in bench.sources.lines(VERSION)}


def test_the_register_counts_every_claimed_object_once(bench: Workbench) -> None:
    lines = bench.sources.lines(VERSION)
    assert sum(line.objects for line in lines) == 4
    assert {line.prefix for line in lines} == {
        f"{PRIORITY}one/",
        f"{PRIORITY}a b /",
        VOICE,
    }
    assert all(line.decision is None and line.records == 3 * line.objects for line in lines)


def test_the_longest_prefix_wins_then_the_family(bench: Workbench) -> None:
    owner = who(bench, "engineer")
    bench.data.decide_source("priority", "defer", "unknown", "", "later", owner)
    keep(bench, f"{PRIORITY}one/")
    keep(bench, f"{PRIORITY}one/two/", decision="reject")

    assert states(bench) == {
        f"{PRIORITY}a b /": "defer",
        f"{PRIORITY}one/": "keep",
        f"{PRIORITY}one/two/": "reject",
        VOICE: "undecided",
    }
    line = next(line for line in bench.sources.lines(VERSION) if line.prefix == f"{PRIORITY}one/")
    assert (line.objects, line.inside, line.decided_by) == (1, 1, f"{PRIORITY}one/")


def test_a_decision_is_undone_by_another_and_both_stay_in_the_journal(bench: Workbench) -> None:
    assert keep(bench, VOICE, f"{PRIORITY}one/") == 2
    owner = who(bench, "engineer")
    bench.sources.decide([VOICE], "inherit", "unknown", "", "too early", owner)
    assert states(bench)[VOICE] == "undecided"
    assert states(bench)[f"{PRIORITY}one/"] == "keep"
    kinds = [e.event["decision"] for e in history.of_type(bench.desk.entries(), "source.decided")]
    assert kinds == ["keep", "inherit"]


def test_a_family_is_undecided_while_any_of_its_objects_is(bench: Workbench) -> None:
    keep(bench, f"{PRIORITY}one/")
    assert bench.sources.undecided_families() == {"priority", "voice"}
    keep(bench, ODD, VOICE)
    assert bench.sources.undecided_families() == frozenset()


@pytest.mark.parametrize("prefixes", [[], [""], ["nothing/here/"], ["priority"], [VOICE, "no/"]])
def test_a_decision_about_nothing_is_refused_whole(bench: Workbench, prefixes: list[str]) -> None:
    with pytest.raises(IntakeError) as caught:
        keep(bench, *prefixes)
    assert caught.value.code == "source.prefix"
    assert history.prefix_decisions(bench.desk.entries()) == {}


def test_only_a_release_owner_decides(bench: Workbench) -> None:
    with pytest.raises(NotAllowed):
        bench.sources.decide([VOICE], "reject", "unknown", "", "no", who(bench, "bias"))
    with pytest.raises(NotAllowed):
        bench.sources.assign("voice", "strays/", who(bench, "bias"))


def test_the_build_obeys_the_longest_prefix(bench: Workbench) -> None:
    owner = who(bench, "engineer")
    for family in ("priority", "voice"):
        bench.data.decide_source(family, "reject", "restricted", "", "no", owner)
    for rule in bench.desk.policy.families:
        if rule.name != "priority":
            bench.data.waive_family(VERSION, rule.name, "not in this test", owner)
    keep(bench, f"{PRIORITY}one/", ODD)
    keep(bench, f"{PRIORITY}one/two/", decision="reject")

    candidate = bench.candidates.build(VERSION, owner)

    shipped = {source.key: source.licence_tag for source in candidate.sources}
    assert shipped == {f"{PRIORITY}one/a.jsonl": "synthetic", f"{ODD}c .jsonl": "synthetic"}
    assert f"{PRIORITY}one/two/" in {item.scope for item in candidate.exclusions}


def test_assigning_adopts_a_policy_that_every_desk_picks_up(bench: Workbench) -> None:
    owner = who(bench, "engineer")
    configured = bench.desk.policy
    policy = bench.sources.assign("cot_reasoning", "strays/2026/", owner)

    fresh = bench.current()
    assert fresh is not bench
    assert fresh.desk.policy == policy
    assert fresh.desk.configured == configured.digest
    assert fresh.current() is fresh
    found = fresh.data.coverage(VERSION).families["cot_reasoning"]
    assert (found.state, found.objects, found.needs_confirmation) == ("present_by_alias", 2, ())
    event = next(history.of_type(fresh.desk.entries(), "policy.adopted")).event
    assert (event["policy"], event["from"]) == (policy.digest, configured.digest)
    assert bench.desk.store.get(f"{PREFIX}policy/{policy.digest}.toml", limit=1 << 20).body == (
        policy.source
    )

    # What is taken back is unmatched again.
    fresh.sources.take_back("strays/2026/", owner)
    assert fresh.current().sources.assigned() == {}
    assert fresh.current().data.coverage(VERSION).families["cot_reasoning"].state == "missing"


def test_two_people_who_assign_at_once_both_count(bench: Workbench) -> None:
    owner = who(bench, "engineer")
    other = assemble(bench.desk)
    bench.sources.assign("cot_reasoning", "strays/2026/x/", owner)
    other.sources.assign("voice", "strays/2026/y*/", owner)
    assert bench.current().sources.assigned() == {
        "strays/2026/x/": "cot_reasoning",
        "strays/2026/y*/": "voice",
    }


def test_another_configured_policy_starts_anew(bench: Workbench) -> None:
    bench.sources.assign("voice", "strays/", who(bench, "engineer"))
    edited = parse_policy(bench.desk.policy.source + b"# another\n")
    desk = dataclasses.replace(bench.desk, policy=edited)
    assert with_policy_in_force(desk).policy == edited


def test_a_lost_adopted_policy_stops_everything(bench: Workbench, simulator: Simulator) -> None:
    policy = bench.sources.assign("voice", "strays/", who(bench, "engineer"))
    simulator.delete(f"{PREFIX}policy/{policy.digest}.toml")
    with pytest.raises(PolicyError) as caught:
        bench.current()
    assert caught.value.code == "policy.adopted_damaged"


@pytest.mark.parametrize(
    ("family", "prefix"), [("voice", ""), ("voice", PRIORITY), ("voice", "no/"), ("x", "strays/")]
)
def test_only_what_matched_nothing_can_be_given(bench: Workbench, family: str, prefix: str) -> None:
    with pytest.raises(DeskError) as caught:
        bench.sources.assign(family, prefix, who(bench, "engineer"))
    assert caught.value.code in ("source.prefix", "source.family")


def test_a_listing_may_come_from_a_file_and_says_so(
    bench: Workbench, simulator: Simulator, tmp_path: Path
) -> None:
    owner = who(bench, "engineer")
    live = bench.data.snapshot()
    assert live is not None
    assert live.taken_from == ""
    rows = [
        f'"{item.key.replace(chr(34), chr(34) * 2)}",{item.size},{item.etag},{item.modified}'
        for item in bench.data.listing().objects
    ]
    body = "\n".join(["key,size,etag,modified", *rows]).encode()
    (tmp_path / "mine.csv").write_bytes(body)
    found = bench.data.take_inventory(owner, from_path=tmp_path / "mine.csv")
    assert (found.listing, found.taken_from) == (live.listing, "mine.csv")
    simulator.put("lists/theirs.csv", b"\n".join(body.splitlines()[:2]))
    found = bench.data.take_inventory(owner, from_key="lists/theirs.csv")
    assert (found.objects, found.taken_from) == (1, "lists/theirs.csv")
    before = bench.sources.changed()
    assert before is not None
    assert (before[0].listing, len(before[1].removed)) == (live.listing, live.objects - 1)


def test_a_new_listing_dates_only_what_is_new_and_an_earlier_one_keeps_its_times(
    bench: Workbench, simulator: Simulator, clock: FixedClock
) -> None:
    owner = who(bench, "engineer")
    first, began = bench.data.listing(), bench.desk.now()
    assert {item.listed_at for item in first.objects} == {began}
    clock.tick(3600)
    later = bench.desk.now()
    key = f"{VOICE}new.jsonl"
    fill(simulator, {key: some_source_rows(2)})
    bench.desk.memory.clear()
    bench.data.take_inventory(owner)
    times = {item.key: item.listed_at for item in bench.data.listing().objects}
    assert times == {item.key: began for item in first.objects} | {key: later}
    bench.desk.memory.clear()
    assert {item.key: item.listed_at for item in bench.data.listing().objects} == times
    clock.tick(3600)
    simulator.delete(key)
    bench.data.take_inventory(owner)
    assert bench.data.listing() == first


def test_rows_of_an_odd_key_reach_a_shard_under_that_key(bench: Workbench) -> None:
    owner = who(bench, "engineer")
    for rule in bench.desk.policy.families:
        if rule.name != "priority":
            bench.data.waive_family(VERSION, rule.name, "not in this test", owner)
    keep(bench, f"{PRIORITY}one/", decision="reject")
    keep(bench, ODD)
    candidate = bench.candidates.build(VERSION, owner)
    rows = [
        json.loads(line)
        for shard in candidate.shards
        for line in bench.desk.store.get(shard.key, limit=1 << 22).body.splitlines()
    ]
    assert len(rows) == 3
    assert {row["metadata"]["source_key"] for row in rows} == {f"{ODD}c .jsonl"}
