"""Every bar of the distribution page leads to the records in it."""

from __future__ import annotations

from core.workbench.record_table import Choice, RecordTable, bar_at
from pages.frame import histograms
from tests.pages.conftest import JUDGED_VERSION


def words(page):
    kinds = ("markdown", "caption")
    return "\n".join(str(item.value) for kind in kinds for item in page.get(kind)).replace("\\", "")


def test_a_bar_that_is_picked_lists_as_many_records_as_it_says(judged_desk, open_page):
    page = open_page("distribution", version=JUDGED_VERSION)
    assert not page.exception
    family = next(box for box in page.selectbox if box.label == "Family")
    family.select("priority").run()
    page.run()
    assert not page.exception
    measure = next(box for box in page.selectbox if box.label == "Measure")
    split = next(box for box in page.selectbox if box.label == "Split")
    bar = next(box for box in page.selectbox if box.label == "Bar")
    low, high = bar_at(measure.value, bar.value)
    digest = judged_desk.candidates.current(JUDGED_VERSION).digest
    choice = Choice(measure=measure.value, family="priority", split=split.value, low=low, high=high)
    found = RecordTable(judged_desk.candidates).records(digest, choice)
    stored = judged_desk.candidates.reports(digest)["distribution"]
    told = stored.report.measures["families"]["priority"][split.value][measure.value]
    edges = stored.report.measures["edges"][measure.value]
    assert found.records == told["histogram"][edges.index(low) + 1] > 0
    assert f"**{found.records:,} records**" in words(page)


def test_quantiles_are_told_by_stage_too(judged_desk, open_page):
    page = open_page("distribution", version=JUDGED_VERSION)
    tables = [frame.value for frame in page.dataframe]
    [quantiles] = [table for table in tables if "median" in getattr(table, "columns", ())]
    assert "the whole stage" in set(quantiles["family"])
    whole = quantiles[(quantiles["family"] == "the whole stage") & (quantiles["split"] == "all")]
    candidate = judged_desk.candidates.current(JUDGED_VERSION)
    assert whole["records"].sum() == candidate.records


def test_a_click_names_the_bar():
    point = {"x": 4.7, "customdata": ["priority", "turns", "train", 4]}
    event = {"selection": {"points": [{"x": 1}, point]}}
    assert histograms._clicked(event) == ("priority", "turns", "train", 4.0)
    assert histograms._clicked({"selection": {"points": []}}) is None
    assert histograms._clicked(None) is None


def test_a_split_that_only_a_later_family_has_stands_in_the_legend_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(histograms, "draw", lambda figure, **given: drawn.append(figure))

    def panel(**counts):
        return histograms.Panel(title="turns", edges=(1, 2, 3), counts=counts)

    some = (0, 1, 2, 1)
    rows = {"a": [panel(train=some)], "b": [panel(train=some, test=some)]}
    histograms.histograms(rows, key="pictures", alt="")
    assert [trace.name for trace in drawn[0].data if trace.showlegend] == ["train", "test"]


def test_a_wide_bar_answers_on_its_whole_width():
    panel = histograms.Panel(
        title="turns", edges=(1, 10, 100, 1000), counts={"train": (0, 3, 0, 2, 1)}
    )
    line = histograms._steps(panel.edges, panel.counts["train"], "train", "#000000")
    marks = histograms._marks(panel, line)
    bars = {low: [x for x, held in zip(marks.x, marks.customdata, strict=True) if held[-1] == low]
            for low in panel.edges}  # fmt: skip
    assert min(bars[1]) < 1.3
    assert max(bars[1]) > 7.7
    assert not bars[10], "a bar that is not drawn answers nothing"
    assert all(100 < x < 1000 for x in bars[100])
    assert bars[1000] == [1000], "the last bar has no upper edge"
