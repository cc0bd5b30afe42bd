"""The pages about data say what the evidence says, and offer only what the person may do."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.canonical import sha256_hex
from core.gates.corpus import open_corpus
from core.gates.distribution import DistributionGate
from core.gates.evidence import encode_report
from core.gates.run import run_gate
from core.model.candidate import Candidate
from core.model.dataset import Message
from core.model.gate import Finding, GateReport, StoredReport
from core.model.names import Digest
from core.policy.load import load_policy
from core.settings import Settings
from core.storage.journal import Journal
from core.workbench import Workbench, assemble
from core.workbench.candidates import Candidates
from core.workbench.desk import Desk
from pages.frame import bench as page_bench
from pages.frame import charts, evidence, show
from pages.frame.passage import AROUND, excerpt, where
from tests import road
from tests.builders import PREFIX
from tests.pages.conftest import JUDGED_VERSION, READY_VERSION, OpenPage
from tests.simulator import Simulator
from tests.sources import PRIORITY, a_source_row, fill, some_source_rows

DATA_PAGES = ("run_sheet", "coverage", "gates", "findings", "distribution")
BARE_VERSION = "v2026-11-19"


def words(page: AppTest) -> str:
    """Everything a page says in markdown, captions and boxes, one line each, unescaped."""
    kinds = ("markdown", "caption", "info", "warning", "success", "error", "header", "title")
    said = [str(item.value) for kind in kinds for item in page.get(kind)]
    return "\n".join(said).replace("\\", "")


def labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def links(page: AppTest) -> dict[str, str]:
    return {link.proto.label.removesuffix(" →"): link.proto.page for link in page.get("page_link")}


def current(bench: Workbench, version: str) -> Candidate:
    found = bench.candidates.current(version)
    assert found is not None
    return found


@pytest.fixture
def desk_without_versions(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workbench:
    """An empty desk in memory, served to the pages in place of the embedded one."""
    settings = Settings(
        bucket=None, exports_prefix=PREFIX, policy_file=None, workspace=tmp_path.resolve()
    )
    bench = assemble(
        Desk(
            settings=settings,
            store=simulator,
            journal=Journal(simulator, PREFIX, simulator.clock),
            policy=load_policy(None, embedded=True),
            clock=simulator.clock,
            connect=lambda: simulator,
            connect_reader=lambda: simulator,
        )
    )
    monkeypatch.setattr(page_bench, "_open", lambda: [bench])
    return bench


def test_an_empty_desk_says_what_to_do_first(
    desk_without_versions: Workbench, open_page: OpenPage
) -> None:
    told = {name: words(open_page(name)) for name in ("gates", "findings", "distribution")}
    assert "pick one on the run sheet" in told["gates"]
    assert "no candidate of this version yet" in told["findings"]
    assert "nothing to draw" in told["distribution"]


def test_coverage_marks_what_two_families_share_and_what_was_waived(
    desk_without_versions: Workbench,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    open_page: OpenPage,
) -> None:
    policy = desk_without_versions.desk.policy
    both = {"edge_cases": "both/", "priority": "both/"}
    families = tuple(
        dataclasses.replace(rule, aliases=(*rule.aliases, both[rule.name]))
        if rule.name in both
        else rule
        for rule in policy.families
    )
    desk = dataclasses.replace(
        desk_without_versions.desk, policy=dataclasses.replace(policy, families=families)
    )
    bench = assemble(desk)
    monkeypatch.setattr(page_bench, "_open", lambda: [bench])
    fill(simulator, {"both/a.jsonl": some_source_rows(3), f"{PRIORITY}b.jsonl": [a_source_row(1)]})
    owner = road.person(bench, "demo:owner")
    bench.data.draft(BARE_VERSION, owner)
    bench.data.take_inventory(owner)
    bench.data.waive_family(BARE_VERSION, "voice", "No recordings yet.", owner)

    page = open_page("coverage", version=BARE_VERSION)
    assert not page.exception
    table = page.dataframe[0].value.set_index("family")
    titles = {rule.name: rule.title for rule in families}
    shared = {name: int(table["shared objects"][title]) for name, title in titles.items()}
    assert shared == dict.fromkeys(titles, 0) | {"edge_cases": 1, "priority": 1}
    assert table["state"][titles["voice"]] == "waived"
    assert table["state"][titles["edge_cases"]] not in ("present", "present by alias")
    [heat] = json.loads(page.get("plotly_chart")[0].proto.spec)["data"]
    column = heat["x"].index(titles["voice"])
    [cell] = [row[column] for row in heat["z"] if row[column] is not None]
    assert charts.STATE_ORDER[int(cell)] == "waived"
    assert sum("1 shared, not counted" in text for row in heat["text"] for text in row) == 2
    assert "Claimed by more than one family" in words(page)
    assert "both/a.jsonl" in set(page.dataframe[-1].value["key"])


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-02T07:05:00Z", "2 Nov 2026, 07:05 UTC"),
        ("2026-11-02T07:05:00+00:00", "2 Nov 2026, 07:05 UTC"),
        ("", ""),
        ("lately", "lately"),
    ],
)
def test_a_stored_time_is_shown_as_people_say_it(at: str, said: str) -> None:
    assert show.when(at) == said


def test_a_version_without_a_candidate_offers_to_build_one(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    judged_desk.data.draft(BARE_VERSION, road.person(judged_desk, "demo:owner"))
    page = open_page("gates", version=BARE_VERSION)
    assert not page.exception
    assert "Nothing has been built for this version yet" in words(page)
    assert "Build the candidate" in labels(page)
    assert "Run the gates" not in labels(page)


@pytest.mark.parametrize(
    "identity", ["demo:owner", "demo:lead", "demo:clinician-1", "demo:auditor"]
)
def test_everyone_may_look_at_every_data_page(
    judged_desk: Workbench, open_page: OpenPage, identity: str
) -> None:
    for name in DATA_PAGES:
        page = open_page(name, identity, version=JUDGED_VERSION)
        assert not page.exception, name
        assert not page.error, name
        assert page.title, name


def test_a_failed_gate_is_named_explained_and_linked(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("gates", version=JUDGED_VERSION)
    said = words(page)
    assert "✕ Privacy: failed" in said
    assert "✓ Provenance: passed" in said
    assert "Something in the text may identify a person" in said
    assert "Open the findings of privacy" in links(page)
    report = judged_desk.candidates.reports(current(judged_desk, JUDGED_VERSION).digest)["privacy"]
    assert report is not None
    table = next(t.value for t in page.table if "finding" in t.value.columns)
    blocking = [int(count.replace(",", "")) for count in table["blocks"]]
    assert sum(blocking) == len(report.report.blocking) > 0
    assert f"{report.report.examined:,} of {report.report.expected:,} records examined" in said


def test_the_books_on_the_page_balance(judged_desk: Workbench, open_page: OpenPage) -> None:
    candidate = current(judged_desk, JUDGED_VERSION)
    page = open_page("gates", version=JUDGED_VERSION)
    books = next(t.value for t in page.dataframe if "rows read" in t.value.columns)
    assert int(books["rows read"].sum()) == candidate.rows
    assert int(books["ships"].sum()) == candidate.records
    parts = books[["ships", "left out", "refused", "another use"]].sum(axis=1)
    assert parts.tolist() == books["rows read"].tolist()
    assert books[["train", "val", "test"]].sum(axis=1).tolist() == books["ships"].tolist()
    reasons = next(t.value for t in page.dataframe if "reason" in t.value.columns)
    assert int(reasons["rows"].sum()) == candidate.rows - candidate.records


def test_gates_that_stand_are_not_run_again(judged_desk: Workbench, open_page: OpenPage) -> None:
    page = open_page("gates", version=JUDGED_VERSION)
    button = next(b for b in page.button if b.label == "Run the gates")
    assert button.disabled


def test_only_the_owner_builds_and_only_owner_and_lead_run_gates(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    build, run = "Build the candidate again", "Run the gates"
    assert {build, run} <= labels(open_page("gates", "demo:owner", version=JUDGED_VERSION))
    assert labels(open_page("gates", "demo:lead", version=JUDGED_VERSION)) & {build, run} == {run}
    for reader in ("demo:auditor", "demo:clinician-1", "demo:bias"):
        assert not labels(open_page("gates", reader, version=JUDGED_VERSION)) & {build, run}


def test_findings_are_filtered_by_gate_and_by_what_blocks(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    everything = judged_desk.candidates.findings(current(judged_desk, JUDGED_VERSION).digest)
    blocking = [finding for _, finding in everything if finding.blocking]
    page = open_page("findings", version=JUDGED_VERSION)
    assert len(page.dataframe[0].value) == len(blocking) > 0
    page.toggle[0].set_value(False).run()
    assert len(page.dataframe[0].value) == len(everything) > len(blocking)
    gate = next(box for box in page.selectbox if box.label == "Gate")
    gate.set_value("duplicates").run()
    assert len(page.dataframe[0].value) == sum(name == "duplicates" for name, _ in everything)
    assert set(page.dataframe[0].value["finding"]) == {"Near-duplicate"}


def test_readers_see_findings_and_decide_nothing(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    for reader in ("demo:auditor", "demo:clinician-1"):
        page = open_page("findings", reader, version=JUDGED_VERSION)
        assert "decide; you may read" in words(page)
        assert not page.radio
        assert "Record the decision" not in labels(page)


def test_names_may_be_left_out_or_called_false_but_not_explained_away(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("findings", version=JUDGED_VERSION)
    assert [option.split(":")[0] for option in page.radio[0].options] == [
        "Leave the record out",
        "Leave its whole group out",
        "Replace these words with a placeholder; the record stays",
        "False alarm",
        "Allow these words everywhere",
    ]


def test_a_decision_without_a_reason_is_refused(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    digest = current(judged_desk, JUDGED_VERSION).digest
    page = open_page("findings", version=JUDGED_VERSION)
    before = judged_desk.candidates.pending_decisions(digest)
    page = record_decision(page)
    assert "Say in a few words why" in words(page)
    assert judged_desk.candidates.pending_decisions(digest) == before


def test_findings_are_read_one_after_another_and_settled_by_a_button(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    digest = current(judged_desk, JUDGED_VERSION).digest
    page = open_page("findings", "demo:lead", version=JUDGED_VERSION)
    blocking = [f for _, f in judged_desk.candidates.findings(digest) if f.blocking]
    assert "left to read" not in words(page)
    page.toggle(key="triage:on").set_value(True).run()
    assert f"{len(blocking)} left to read" in words(page)
    before = judged_desk.candidates.pending_decisions(digest)
    page.button(key="triage:next").click().run()
    page.button(key="triage:redact").click().run()
    assert not page.exception
    assert f"{len(blocking) - 1} left to read" in words(page)
    assert judged_desk.candidates.pending_decisions(digest) == before + 1
    [decision] = [
        item
        for item in judged_desk.candidates.decisions(JUDGED_VERSION)
        if item["action"] == "redact"
    ]
    assert decision["code"] == "privacy.person"
    assert {"record_id", "turn", "start", "end", "by", "reason"} <= set(decision)
    assert "replaced by a placeholder" in set(page.dataframe[0].value["decided"])


def test_a_decision_waits_for_the_next_build_and_every_page_says_so(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    digest = current(judged_desk, JUDGED_VERSION).digest
    records = {
        finding.record_id
        for _, finding in judged_desk.candidates.findings(digest)
        if finding.blocking
    }
    before = judged_desk.candidates.pending_decisions(digest)
    page = open_page("findings", "demo:lead", version=JUDGED_VERSION)
    page.text_input(key="decision:reason").set_value("names a real person")
    page = record_decision(page)
    said = words(page)
    assert f"Decided for {len(records)} places." in said
    waiting = before + len(records)
    assert f"{waiting} decisions wait for the next build." in said
    assert "Build again on the gates page" in links(page)
    assert "left out" in set(page.dataframe[0].value["decided"])
    assert judged_desk.candidates.pending_decisions(digest) == waiting
    verdict = judged_desk.candidates.reports(digest)["privacy"]
    assert verdict is not None
    assert verdict.report.verdict == "fail"
    assert f"{waiting} decisions wait: build again." in words(
        open_page("gates", version=JUDGED_VERSION)
    )


def record_decision(page: AppTest) -> AppTest:
    return next(b for b in page.button if b.label == "Record the decision").click().run()


def test_pictures_show_every_family_split_and_expected_range(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("distribution", version=JUDGED_VERSION)
    policy = judged_desk.desk.policy
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert {trace["name"] for trace in figure["data"]} == {"train", "val", "test"}
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert len(titles) == 3 * len(policy.families)
    bands = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    drawn = [r for r in policy.distribution.ranges if r.measure in ("turns", "tokens", "words")]
    assert len(bands) == len(drawn) > 0
    assert {(band["x0"], band["x1"]) for band in bands} == {(r.low, r.high) for r in drawn}
    lines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    for trace in lines:
        assert sum(trace["y"]) == pytest.approx(1)
    # A wide bar has several points that can be clicked, each at its top and saying its edge.
    marks = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert len(marks) == len(lines)
    for line, mark in zip(lines, marks, strict=True):
        tops = dict(zip(line["x"], line["y"], strict=False))
        low = [data[3] for data in mark["customdata"]]
        assert mark["y"] == [tops[edge] for edge in low]
        assert set(low) == {edge for edge, top in tops.items() if top}
    said = words(page)
    assert "✓ The distribution gate passed" in said.replace("*", "")
    assert "There is no release before this one" in said


def test_every_range_and_alarm_is_judged_in_words(
    judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("distribution", version=JUDGED_VERSION)
    ranges = next(t.value for t in page.dataframe if "expected of the mean" in t.value.columns)
    assert len(ranges) == len(judged_desk.desk.policy.distribution.ranges)
    assert set(ranges[""]) == {"✓ within"}
    alarms = page.table[0].value
    cells = [str(cell) for column in alarms.columns[1:] for cell in alarms[column]]
    assert len(cells) == 10 * len(judged_desk.desk.policy.families)
    assert all(cell.startswith("✓ quiet: ") for cell in cells)


@pytest.fixture
def drifted(judged_desk: Workbench, monkeypatch: pytest.MonkeyPatch) -> StoredReport:
    """The judged candidate, judged against a release in which dialogues were twice as long."""
    bench = judged_desk
    candidate = current(bench, JUDGED_VERSION)
    held = bench.candidates.reports(candidate.digest)["distribution"]
    assert held is not None
    baseline = json.loads(json.dumps(held.report.measures))
    for told in baseline["families"].values():
        turns = told["all"]["turns"]
        turns["mean"] *= 2
        turns["percentiles"] = [2 * value for value in turns["percentiles"]]
    baseline["families"]["gone"] = baseline["families"]["voice"]
    gate = DistributionGate(bench.desk.policy, candidate, baseline=baseline)
    corpus = open_corpus(bench.desk.store, candidate, bench.desk.workspace / "shards")
    report = run_gate(gate, corpus, clock=bench.desk.clock)
    stored = StoredReport(report=report, key="k", sha256=sha256_hex(encode_report(report)))
    monkeypatch.setattr(Candidates, "reports", lambda self, digest: {"distribution": stored})
    monkeypatch.setattr(Candidates, "baseline", lambda self, digest: baseline)
    return stored


def test_drift_is_drawn_over_the_release_before_and_told_in_words(
    drifted: StoredReport, judged_desk: Workbench, open_page: OpenPage
) -> None:
    assert drifted.report.verdict == "fail"
    page = open_page("distribution", version=JUDGED_VERSION)
    assert not page.exception
    assert "✕ The distribution gate failed" in words(page).replace("*", "")
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert "release before" in {trace["name"] for trace in figure["data"]}
    drift = next(t.value for t in page.dataframe if "judged" in t.value.columns)
    judged = drift[drift["measure"] == "turns"]["judged"].tolist()
    assert set(judged) == {"✕ far from before"}
    assert set(drift[drift["measure"] == "tokens"]["judged"]) == {"✓ like before"}
    assert "no longer in the release" in drift["judged"].tolist()


def test_a_drift_may_be_explained_and_a_family_is_no_record(
    drifted: StoredReport, judged_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("findings", version=JUDGED_VERSION)
    assert not page.exception
    assert len(page.radio[0].options) == 1
    assert page.radio[0].options[0].startswith("Explain it")


def test_when_every_gate_passed_the_page_leads_on_to_the_reviews(
    ready_desk: Workbench, open_page: OpenPage
) -> None:
    page = open_page("gates", version=READY_VERSION)
    assert not page.exception
    assert "Every gate passed: go on to the reviews" in links(page)
    assert "wait: build again" not in words(page)
    history = next(t.value for t in page.dataframe if "built" in t.value.columns)
    assert len(history) == 2
    assert history[""].tolist() == ["this one", ""]
    findings = open_page("findings", version=READY_VERSION)
    assert not findings.exception
    decided = findings.dataframe[-1].value
    assert set(decided["decision"]) == {"left out"}


# --- Passages.

MESSAGES = (
    Message(role="user", content="a" * 300 + "![x](http://evil.invalid/p.png)" + "b" * 300),
    Message(role="assistant", content="short"),
)


def finding(**values: object) -> Finding:
    return Finding(code="privacy.person", blocking=True, record_id="0" * 32, **values)  # type: ignore[arg-type]


def test_a_passage_is_cut_into_before_found_and_after() -> None:
    pieces = excerpt(MESSAGES, finding(turn=0, start=300, end=331))
    assert pieces == (
        "… " + "a" * AROUND,
        "![x](http://evil.invalid/p.png)",
        "b" * AROUND + " …",
    )
    assert excerpt(MESSAGES, finding(turn=1, start=0, end=5)) == ("", "short", "")


@pytest.mark.parametrize(
    "place", [{}, {"turn": 0}, {"turn": 2, "start": 0, "end": 1}, {"turn": 1, "start": 2, "end": 9}]
)
def test_a_place_outside_the_record_has_no_passage(place: dict[str, int]) -> None:
    assert excerpt(MESSAGES, finding(**place)) is None


def test_places_count_from_one_in_words() -> None:
    assert where(finding(turn=0, start=300, end=331)) == "turn 1, characters 301 to 331"
    assert where(finding(turn=1)) == "turn 2"
    assert where(finding()) == "the whole record"
    assert where(Finding(code="x", blocking=True)) == ""


def test_a_passage_reaches_the_screen_as_text_only() -> None:
    def script() -> None:
        from core.model.dataset import Message
        from core.model.gate import Finding
        from pages.frame.passage import draw_passage

        text = "see ![x](http://evil.invalid/p.png) here"
        place = Finding(code="privacy.url", blocking=True, turn=0, start=4, end=35)
        draw_passage((Message(role="user", content=text),), place)

    page = AppTest.from_function(script).run()
    assert [item.value for item in page.text] == ["see ⟦![x](http://evil.invalid/p.png)⟧ here"]
    assert not any("evil" in str(item.value) for item in (*page.markdown, *page.caption))


def test_every_gate_has_words_and_measures_a_person_can_read(judged_desk: Workbench) -> None:
    reports = judged_desk.candidates.reports(current(judged_desk, JUDGED_VERSION).digest)
    assert set(evidence.GATES) == set(reports)
    for name, held in reports.items():
        assert held is not None
        facts = evidence.facts(held.report)
        assert len(facts) >= 5, name
        assert all(label and value for label, value in facts), name


def test_an_error_is_explained_and_called_no_pass() -> None:
    def report(reason: str) -> GateReport:
        digest = Digest("0" * 64)
        return GateReport(
            gate="privacy",
            candidate=digest,
            settings=digest,
            verdict="error",
            examined=0,
            expected=3,
            reason=reason,
        )

    known, unknown = evidence.sentence(report("gate.shard_digest")), report("RuntimeError")
    assert "Shard has other bytes" in known
    assert "an error is not a pass" in known
    assert "Build the candidate again." in known
    assert "Run the gates again" in evidence.sentence(unknown)
    assert evidence.facts(unknown) == []
    assert evidence.totals(unknown) == []
