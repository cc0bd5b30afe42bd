"""A family is what its opened objects gave: never a name, an empty file or another's object."""

from __future__ import annotations

import dataclasses
import json

import pytest

from core.canonical import document_bytes
from core.intake.coverage import CoverageReport, FamilyCoverage, measure_coverage, spread, to_json
from core.intake.evidence import OPENED_BYTES
from core.model.errors import Transient
from core.policy.types import Policy
from tests.builders import a_policy
from tests.listed import take_listing
from tests.simulator import Simulator

ROWS = b'{"prompt":"I slept badly.","response":"What kept you awake?"}\n' * 3
PROFILE = json.dumps({"name": "Ada", "traits": ["calm"]}, indent=1).encode()
PROMPTS = b'{"prompt":"one"}\n{"prompt":"two"}\n'
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
CANON, OLD, OLDER = "canon/", "old/", "older/"


def a_family_policy(**changes: object) -> Policy:
    """A policy of one family, `priority`: a canonical prefix and two aliases."""
    family = dataclasses.replace(
        a_policy().family("priority"), prefixes=(CANON,), aliases=(OLD, OLDER), **changes
    )
    return a_policy(families=(family,))


def measured(
    store: Simulator,
    policy: Policy | None = None,
    *,
    confirmed: frozenset[tuple[str, str]] = frozenset(),
    waived: dict[str, str] | None = None,
) -> CoverageReport:
    policy = policy or a_family_policy()
    listing = take_listing(store, exclude_prefix="exports/")
    return measure_coverage(
        store, listing, policy, confirmed=confirmed, waived=waived or {}, rule=policy.intake
    )


def the_family(report: CoverageReport) -> FamilyCoverage:
    return report.families["priority"]


def test_a_family_with_rows_under_its_prefix_is_present(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", ROWS)
    simulator.put("canon/b.csv", b"prompt,response\na,b\n")

    found = the_family(measured(simulator))

    assert (found.state, found.records, found.objects, found.opened) == ("present", 4, 2, 2)
    assert found.bytes == len(ROWS) + 20
    assert found.formats == ("csv", "jsonl")
    assert found.needs_confirmation == ()
    assert found.newest.endswith("Z")
    assert [(item.key, item.state, item.records) for item in found.evidence] == [
        ("canon/a.jsonl", "usable", 3),
        ("canon/b.csv", "usable", 1),
    ]


def test_nothing_is_missing(simulator: Simulator) -> None:
    assert the_family(measured(simulator)).state == "missing"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Nothing in it"),
        (POINTER, "Git LFS pointer"),
        (b"%PDF-1.7\n\x00", "PDF"),
        (b'{"a": 1}\n{"b": 2}\n', "Unknown shape (2)"),
        (b'{"broken\n', "Document cut short"),
        (PROMPTS, "2 prompt_only"),
    ],
    ids=["empty", "pointer", "pdf", "unknown rows", "broken", "prompts only"],
)
def test_a_name_that_looks_right_proves_nothing(
    simulator: Simulator, body: bytes, said: str
) -> None:
    simulator.put("canon/priority_train.jsonl", body)

    found = the_family(measured(simulator))

    assert (found.state, found.records) == ("unusable", 0)
    assert said in found.why


def test_an_empty_train_file_beside_a_full_val_file_is_shown_and_does_not_hide_it(
    simulator: Simulator,
) -> None:
    simulator.put("canon/train.jsonl", b"")
    simulator.put("canon/val.jsonl", ROWS)

    found = the_family(measured(simulator))

    assert found.state == "present"
    assert [item.state for item in found.evidence] == ["unusable", "usable"]


def test_a_family_of_mostly_unusable_objects_is_partial(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", ROWS)
    for name in ("b", "c"):
        simulator.put(f"canon/{name}.pdf", b"%PDF-1.7")

    found = the_family(measured(simulator))

    assert (found.state, found.records) == ("partial", 3)
    assert "2 of 3" in found.why


def test_a_family_under_an_alias_waits_for_one_confirmation(simulator: Simulator) -> None:
    simulator.put("old/a.jsonl", ROWS)

    waiting = the_family(measured(simulator))
    agreed = the_family(measured(simulator, confirmed=frozenset({("priority", OLD)})))

    assert (waiting.state, waiting.needs_confirmation) == ("present_by_alias", (OLD,))
    assert (agreed.state, agreed.needs_confirmation) == ("present_by_alias", ())
    assert agreed.why == "confirmed"


def test_the_confirmation_of_another_family_or_alias_does_not_count(simulator: Simulator) -> None:
    simulator.put("old/a.jsonl", ROWS)

    found = the_family(
        measured(simulator, confirmed=frozenset({("voice", OLD), ("priority", OLDER)}))
    )

    assert found.needs_confirmation == (OLD,)


def test_once_one_alias_is_confirmed_the_others_are_offered_but_not_demanded(
    simulator: Simulator,
) -> None:
    simulator.put("old/a.jsonl", ROWS)
    simulator.put("older/a.jsonl", ROWS)

    found = the_family(measured(simulator, confirmed=frozenset({("priority", OLD)})))

    assert (found.why, found.needs_confirmation, found.unconfirmed) == ("confirmed", (), (OLDER,))


def test_an_unusable_canonical_object_leaves_the_proof_to_the_alias(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", b"")
    simulator.put("old/a.jsonl", ROWS)

    assert the_family(measured(simulator)).state == "present_by_alias"


def test_a_shared_object_proves_neither_family_and_is_shown(simulator: Simulator) -> None:
    template = a_policy().families[0]
    policy = a_policy(
        families=tuple(
            dataclasses.replace(template, name=name, prefixes=(f"{name}/",), aliases=("both/",))
            for name in ("foundation", "edge")
        )
    )
    simulator.put("both/a.jsonl", ROWS)

    report = measured(simulator, policy)

    for family in report.families.values():
        assert (family.state, family.records, family.objects) == ("unusable", 0, 1)
        assert [item.state for item in family.evidence] == ["shared"]
        assert "edge and foundation" in family.why
    assert report.shared == {"both/a.jsonl": (("edge", "both/"), ("foundation", "both/"))}


def test_a_persona_family_needs_a_profile_and_conversations(simulator: Simulator) -> None:
    policy = a_family_policy(needs_persona=True)
    simulator.put("canon/talks.jsonl", ROWS)
    without = the_family(measured(simulator, policy))
    simulator.put("canon/voice_profile.json", PROFILE)
    with_both = the_family(measured(simulator, policy))

    assert (without.state, with_both.state) == ("partial", "present")
    assert "profile" in without.why
    assert with_both.evidence[1].lanes == {"persona": 1}


def test_a_profile_without_conversations_is_partial(simulator: Simulator) -> None:
    simulator.put("canon/voice_profile.json", PROFILE)

    found = the_family(measured(simulator, a_family_policy(needs_persona=True)))

    assert (found.state, found.records) == ("partial", 0)


def test_a_profile_is_found_among_more_objects_than_are_opened(simulator: Simulator) -> None:
    for number in range(120):
        simulator.put(f"canon/{number:03}.jsonl", ROWS)
    simulator.put("canon/010_persona.json", PROFILE)

    found = the_family(measured(simulator, a_family_policy(needs_persona=True)))

    assert found.state == "present"
    assert (found.objects, found.opened) == (121, 51)


def test_a_waiver_stands_in_for_what_is_absent_and_never_hides_what_is_there(
    simulator: Simulator,
) -> None:
    waived = {"priority": "Not in this release, says the board."}
    absent = the_family(measured(simulator, waived=waived))
    simulator.put("canon/a.jsonl", ROWS)
    there = the_family(measured(simulator, waived=waived))

    simulator.forget("canon/a.jsonl")
    simulator.put("old/a.jsonl", ROWS)
    unconfirmed = the_family(measured(simulator, waived=waived))

    assert (absent.state, there.state) == ("waived", "present")
    assert (unconfirmed.state, unconfirmed.unconfirmed) == ("waived", (OLD,))
    assert "says the board" in absent.why


def test_an_object_that_changed_since_it_was_listed_proves_nothing(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", ROWS)
    listing = take_listing(simulator, exclude_prefix="exports/")
    simulator.put("canon/a.jsonl", ROWS + ROWS)
    policy = a_family_policy()

    unversioned = dataclasses.replace(
        listing,
        objects=tuple(dataclasses.replace(item, version_id=None) for item in listing.objects),
    )
    report = measure_coverage(
        simulator,
        unversioned,
        policy,
        confirmed=frozenset(),
        waived={},
        rule=policy.intake,
    )

    found = the_family(report)
    assert found.state == "unusable"
    assert found.evidence[0].state == "unread"
    assert "changed" in found.why


def test_a_server_that_fails_is_an_error_and_not_an_unusable_object(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", ROWS)
    simulator.fail(op="stream", how="error_500", times=None)

    with pytest.raises(Transient):
        measured(simulator)


def test_a_large_object_is_sampled_and_its_cut_row_is_not_called_broken(
    simulator: Simulator,
) -> None:
    row = b'{"prompt":"' + b"a b " * 500 + b'","response":"yes"}\n'
    simulator.put("canon/big.jsonl", row * (OPENED_BYTES // len(row) + 500))
    simulator.put("canon/big.json", b"[" + row.strip() + (b"," + row.strip()) * 3000 + b"]")

    found = the_family(measured(simulator))

    assert [(item.sampled, item.rejected) for item in found.evidence] == [(True, 0)] * 2
    assert all(item.records >= OPENED_BYTES // len(row) - 1 for item in found.evidence)


def test_a_source_that_loses_more_rows_than_allowed_says_so(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", ROWS * 20 + b"{broken\n" * 10)

    found = the_family(measured(simulator))

    assert found.state == "present"
    assert found.evidence[0].codes == {"line.bad_json": 10}
    assert "10 of 70 rows" in found.evidence[0].why


def test_what_no_family_claims_is_shown_by_prefix_with_a_guess(simulator: Simulator) -> None:
    simulator.put("datasets/new/a/b/c.jsonl", ROWS)
    simulator.put("datasets/new/a/d.jsonl", b"x")
    simulator.put("pictures/face.png", b"\x89PNG\r\n\x1a\n")
    simulator.put("README.md", b"Read me.\nPlease.\n")
    simulator.put("exports/journal/000.json", b"{}")

    found = {item.prefix: item for item in measured(simulator).unmatched}

    assert set(found) == {"datasets/new/a/", "pictures/", ""}
    assert found["datasets/new/a/"].objects == 2
    assert found["datasets/new/a/"].bytes == len(ROWS) + 1
    assert found["datasets/new/a/"].guess == "jsonl: prompt_response"
    assert found["pictures/"].guess == "image: image"
    assert found[""].guess == "text: text without turns"


def test_the_fields_of_an_unknown_shape_are_named(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", b'{"heard":"x","told":"y"}\n' * 3)
    simulator.put("stray/b.jsonl", b'{"heard":"x","told":"y"}\n' * 3)

    report = measured(simulator)

    [opened] = the_family(report).evidence
    assert opened.unknown_fields == {"heard, told": 3}
    assert "3 have the fields heard, told." in opened.why
    assert report.unmatched[0].guess == "jsonl: unknown shape (heard, told)"


def test_an_object_in_no_folder_is_named_by_its_whole_key(simulator: Simulator) -> None:
    simulator.put(" stray & lost.jsonl", ROWS)
    simulator.put("folder/b.jsonl", ROWS)

    unmatched = {found.prefix: found.keys for found in measured(simulator).unmatched}

    assert unmatched == {"": (" stray & lost.jsonl",), "folder/": ()}


def test_the_report_is_plain_data_without_any_text_of_a_record(simulator: Simulator) -> None:
    simulator.put("canon/a.jsonl", ROWS)
    simulator.put("other/a.jsonl", ROWS)

    data = document_bytes(to_json(measured(simulator)))

    assert json.loads(data)["families"]["priority"]["state"] == "present"
    assert b"slept" not in data


def test_objects_are_spread_from_first_to_last() -> None:
    items = list(range(1000))

    chosen = spread(items, 50)  # type: ignore[arg-type, var-annotated]

    assert (chosen[0], chosen[-1], len(set(chosen))) == (0, 999, 50)
    assert spread(items[:7], 50) == items[:7]  # type: ignore[arg-type, comparison-overlap]
