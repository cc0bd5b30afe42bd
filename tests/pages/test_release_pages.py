"""Publish, Releases and Audit say what the bucket proves and offer only what may be done.

Every test asks for the version it needs: ready, signed, or released. In file order they share one
candidate; a test that finds it further down the road already takes another.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.canonical import document_bytes
from core.model.errors import OutcomeUnknown
from core.release.receipt import read_receipt
from core.workbench import Workbench
from pages.frame.export import csv_table, safe_cell
from tests import road
from tests.pages.conftest import JUDGED_VERSION, READY_VERSION, OpenPage


def _links(page: AppTest) -> set[str]:
    return {link.proto.page for link in page.get("page_link")}


def _button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def _labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def _words(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.success, page.error, page.warning, page.info)
    texts = [element.value for kind in kinds for element in kind]
    return " ".join(texts).replace("\\", "")


def _digest(bench: Workbench, version: str) -> str:
    candidate = bench.candidates.current(version)
    assert candidate is not None
    return candidate.digest


def _states(bench: Workbench) -> dict[str, str]:
    return {release.version: release.state for release in bench.releases.list()}


def _sign(bench: Workbench, version: str) -> str:
    """Have the version's candidate read and signed, where it is not yet."""
    digest = _digest(bench, version)
    if any(wanted.signoff is None for wanted in bench.signing.requirements(digest)):
        road.rate_all(bench, digest)
        road.sign_all(bench, digest)
    return version


@pytest.fixture
def signed(ready_desk: Workbench) -> str:
    """A version whose candidate everybody signed, and which nobody has published."""
    taken = _states(ready_desk)
    names = (READY_VERSION, *(f"{READY_VERSION}.{number}" for number in range(1, 100)))
    version = next(name for name in names if name not in taken)
    if ready_desk.candidates.current(version) is None:
        road.build_until_passed(ready_desk, version)
    return _sign(ready_desk, version)


@pytest.fixture
def digest(ready_desk: Workbench, signed: str) -> str:
    """The candidate of the signed version."""
    return _digest(ready_desk, signed)


@pytest.fixture
def released(ready_desk: Workbench, request: pytest.FixtureRequest) -> str:
    """A version that is published and not withdrawn."""
    standing = [name for name, state in _states(ready_desk).items() if state == "published"]
    if standing:
        return standing[0]
    version: str = request.getfixturevalue("signed")
    owner = road.person(ready_desk, "demo:owner")
    ready_desk.releases.publish(_digest(ready_desk, version), owner)
    return version


@pytest.fixture
def launched(ready_desk: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs are queued and nobody takes them: the test says how they end."""
    started: list[str] = []
    launch: Callable[..., None] = lambda workspace, job: started.append(job)  # noqa: E731
    monkeypatch.setattr(ready_desk.jobs.queue, "_launch", launch)
    return started


def test_before_any_release_the_page_says_so_and_leads_on(
    empty_desk: Workbench, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test may have released one on this desk.
    monkeypatch.setattr(type(empty_desk.releases), "list", lambda _: ())
    page = open_page("releases")
    assert "Nothing has been released yet" in page.info[0].value
    assert _links(page) == {"publish"}


def test_every_blocker_stands_there_with_the_page_that_clears_it(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    candidate = judged_desk.candidates.current(JUDGED_VERSION)
    assert candidate is not None
    blockers = judged_desk.releases.blockers(candidate.digest)
    page = open_page("publish", "demo:owner", version=JUDGED_VERSION)
    words = _words(page)
    assert {"gate.failed", "review.not_frozen", "signoff.absent"} <= {b.code for b in blockers}
    for blocker in blockers:
        assert blocker.detail in words
        assert blocker.code in words
    assert {"gates", "clinician_review", "bias_review"} <= _links(page)
    assert "Nothing stands in the way" not in words
    assert _button(page, f"Publish {JUDGED_VERSION}").disabled
    assert candidate.digest in [code.value for code in page.code]


def test_only_a_release_owner_is_offered_the_button(
    ready_desk: Workbench, open_page: OpenPage
) -> None:
    for identity in ("demo:lead", "demo:clinician-1", "demo:bias", "demo:auditor"):
        page = open_page("publish", identity, version=READY_VERSION)
        assert not _labels(page) & {"Dry run", f"Publish {READY_VERSION}", "Approve"}


def test_with_everything_signed_the_typed_name_frees_the_button(
    signed: str, open_page: OpenPage
) -> None:
    page = open_page("publish", "demo:owner", version=signed)
    assert "Nothing stands in the way." in [note.value for note in page.success]
    label = f"Publish {signed}"
    assert _button(page, label).disabled
    typed = next(box for box in page.text_input if box.label.startswith("Type the version"))
    assert _button(typed.set_value("v2026-11-2").run(), label).disabled
    assert not _button(typed.set_value(signed).run(), label).disabled


def test_the_dry_run_lists_every_object_and_writes_none(
    ready_desk: Workbench, signed: str, digest: str, open_page: OpenPage
) -> None:
    store, prefix = ready_desk.desk.store, f"exports/releases/{signed}/"
    expected = ready_desk.releases.dry_run(digest, road.person(ready_desk, "demo:owner"))
    entries = len(ready_desk.audit.entries())
    page = open_page("publish", "demo:owner", version=signed)
    _button(page, "Dry run").click().run()
    shown = page.dataframe[-1].value
    keys = ["exports/releases/" + name for name in shown["object"]]
    assert keys == [file.key for file in expected.objects]
    assert {"shard", "document", "signoff", "routing"} <= set(shown["kind"])
    assert "nothing would block" in _words(page)
    assert list(store.list(prefix)) == []
    assert len(ready_desk.audit.entries()) == entries


def test_the_button_starts_one_job_for_this_candidate(
    ready_desk: Workbench, signed: str, digest: str, open_page: OpenPage, launched: list[str]
) -> None:
    page = open_page("publish", "demo:owner", version=signed)
    typed = next(box for box in page.text_input if box.label.startswith("Type the version"))
    typed.set_value(signed).run()
    _button(page, f"Publish {signed}").click().run()
    job = ready_desk.jobs.latest("publish")
    assert job is not None
    assert launched == [job.id]
    assert (job.state, job.params["candidate"]) == ("queued", digest)
    assert _button(page, f"Publish {signed}").disabled
    ready_desk.jobs.queue.finish(job.id, "cancelled")


def test_d9_an_unknown_outcome_is_called_unknown_and_may_be_resumed(
    ready_desk: Workbench, signed: str, digest: str, open_page: OpenPage, launched: list[str]
) -> None:
    owner = road.person(ready_desk, "demo:owner")
    job = ready_desk.jobs.start("publish", {"candidate": digest}, owner)
    lost = OutcomeUnknown("storage.outcome_unknown", "The bucket did not answer.", place="here")
    ready_desk.jobs.queue.finish(job.id, "failed", error=lost)
    page = open_page("publish", "demo:owner", version=signed)
    assert "unknown whether the release was published" in page.warning[0].value
    _button(page, "Resume").click().run()
    assert launched == [job.id, job.id]
    again = ready_desk.jobs.latest("publish")
    assert again is not None
    assert again.state == "queued"
    ready_desk.jobs.queue.finish(job.id, "cancelled")


def test_d9_a_job_stopped_at_the_commit_is_not_called_off(
    ready_desk: Workbench, signed: str, digest: str, open_page: OpenPage, launched: list[str]
) -> None:
    queue = ready_desk.jobs.queue
    owner = road.person(ready_desk, "demo:owner")
    job = ready_desk.jobs.start("publish", {"candidate": digest}, owner)
    queue.step(job.id, "write")
    queue.finish(job.id, "cancelled")
    assert not open_page("publish", "demo:owner", version=signed).warning
    queue.resume(job.id)
    queue.step(job.id, "commit")
    queue.finish(job.id, "cancelled")
    page = open_page("publish", "demo:owner", version=signed)
    assert "unknown whether the release was published" in page.warning[0].value


def test_published_is_said_of_what_stands_in_the_bucket(
    ready_desk: Workbench, signed: str, digest: str, open_page: OpenPage
) -> None:
    outcome = ready_desk.releases.publish(digest, road.person(ready_desk, "demo:owner"))
    page = open_page("publish", "demo:auditor", version=signed)
    words = _words(page)
    assert f"{signed} is published" in words
    assert "Smoke test: passed" in words
    assert "Secrets found in the release's own files: 0" in words
    held = f"{outcome.manifest_key}\nsha256 {outcome.manifest_sha256}"
    assert held in [code.value for code in page.code]
    assert "releases" in _links(page)
    assert not _labels(page) & {"Dry run", f"Publish {signed}"}


def test_releases_shows_the_release_and_reads_it_again(
    ready_desk: Workbench, released: str, open_page: OpenPage
) -> None:
    page = open_page("releases", "demo:auditor", version=released)
    row = page.dataframe[0].value.set_index("version").loc[released]
    assert row["state"] == "✓ published"
    assert row["records"] > 0
    assert "Run the smoke test" not in _labels(page)
    _button(page, "Verify again").click().run()
    assert any("each as the manifest says" in note.value for note in page.success)
    smoke = ready_desk.releases.smoke_evidence(released)
    assert smoke is not None
    tables = [table.value for table in page.dataframe]
    lengths = next(table for table in tables if "cut at 2,048" in table)
    assert lengths["rows"].sum() == smoke["rows"] == row["records"]
    notes = ready_desk.releases.document(released, "RELEASE_NOTES.md")
    assert notes.strip() in [code.value.strip() for code in page.code]
    assert any("open_release(" in code.value for code in page.code)
    failures = next(table.value for table in page.table if "what you see" in table.value)
    assert "release\\.position" in set(failures["what you see"])
    assert not any("`" in cell for cell in failures.to_numpy().ravel())


def test_a_receipt_names_the_release_so_that_no_other_can_pass_for_it(
    ready_desk: Workbench, released: str
) -> None:
    receipt = ready_desk.comparing.receipt(released)
    body = ready_desk.releases.manifest_body(released)
    assert receipt["manifest_sha256"] == hashlib.sha256(body).hexdigest()
    assert receipt["records"] > 0
    assert {item["requirement"] for item in receipt["signoffs"]} == {
        rule.id for rule in ready_desk.desk.policy.signoffs
    }
    kinds = [act["type"] for act in receipt["acts"]]
    assert {"publish.committed", "publish.verified", "smoke.finished"} <= set(kinds)
    entries = {entry.seq: entry for entry in ready_desk.audit.entries()}
    assert all(entries[act["entry"]].event["type"] == act["type"] for act in receipt["acts"])

    held = read_receipt(document_bytes(receipt))

    def faults(**changes: Any) -> tuple[str, ...]:
        other = dataclasses.replace(held, **changes)
        return ready_desk.releases.verify(released, receipt=other).faults

    assert faults() == ()
    assert faults(manifest_sha256="0" * 64) == (f"release.other_receipt {released}",)
    seq, digest = held.anchor
    for anchor in ((seq, "0" * 64), (seq + 1, digest), (10_000, digest)):
        assert faults(anchor=anchor) == (f"release.journal_contradicts {released}",)


def test_a_release_owner_runs_the_smoke_test_again(
    ready_desk: Workbench, released: str, open_page: OpenPage
) -> None:
    def runs() -> int:
        return sum(e.event["type"] == "smoke.finished" for e in ready_desk.audit.entries())

    before = runs()
    page = open_page("releases", "demo:owner", version=released)
    _button(page, "Run the smoke test").click().run()
    assert runs() == before + 1
    page.run()
    assert runs() == before + 1


def test_audit_shows_every_entry_filters_and_verifies(
    ready_desk: Workbench, released: str, open_page: OpenPage
) -> None:
    entries = ready_desk.audit.entries()
    page = open_page("audit", "demo:auditor")
    assert list(page.dataframe[0].value["seq"]) == [entry.seq for entry in reversed(entries)]
    _button(page, "Verify the journal").click().run()
    assert any("every link holds" in note.value for note in page.success)
    anchors = page.dataframe[1].value
    assert len(anchors) == len(ready_desk.audit.anchors()) > 0
    page.multiselect[0].set_value(["signoff.given"]).run()
    kept = page.dataframe[0].value
    given = [entry for entry in entries if entry.event["type"] == "signoff.given"]
    assert len(kept) == len(given) >= 4
    assert set(kept["type"]) == {"signoff.given"}


def test_the_journal_leaves_as_lines_and_as_a_safe_table(ready_desk: Workbench) -> None:
    lines = [json.loads(line) for line in ready_desk.audit.export().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_d66_no_cell_of_an_export_is_a_formula() -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\0x"]
    assert all(safe_cell(text) == "'" + text for text in hostile)
    assert safe_cell("a=b") == "a=b"
    assert safe_cell(7) == "7"
    table = csv_table([{"why": '=HYPERLINK("x")', "n": 2}]).decode()
    assert table == 'why,n\r\n"\'=HYPERLINK(""x"")",2\r\n'
    assert csv_table([]) == b""


def test_a_withdrawal_needs_the_typed_name_and_a_reason(
    ready_desk: Workbench, released: str, open_page: OpenPage
) -> None:
    def withdraw(reason: str, name: str) -> AppTest:
        page = open_page("releases", "demo:owner", version=released)
        page.text_area[0].set_value(reason)
        typed = next(box for box in page.text_input if box.label.startswith("Type the version"))
        typed.set_value(name)
        return _button(page, f"Withdraw {released}").click().run()

    assert "Type the version" in withdraw("a fault in the source", "v2026").error[0].value
    assert "needs a reason" in withdraw(" ", released).error[0].value
    assert _states(ready_desk)[released] == "published"
    page = withdraw("a fault in the source", released)
    assert _states(ready_desk)[released] == "withdrawn"
    assert page.dataframe[0].value.set_index("version").loc[released]["state"] == "✕ withdrawn"
    assert "a fault in the source" in [text.value for text in page.text]
    assert f"Withdraw {released}" not in _labels(page)
    shown = open_page("publish", "demo:owner", version=released)
    assert any("is withdrawn" in error.value for error in shown.error)


def test_a_person_is_named_by_id_in_what_a_release_holds(
    ready_desk: Workbench, released: str
) -> None:
    held = ready_desk.releases.manifest_body(released)
    assert b"demo:owner" in held
    for person in ready_desk.demo_people():
        assert dataclasses.asdict(person)["name"].encode() not in held
