"""The shape of the data by family and split, against what is expected and what went before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.gates.distribution import DRIFTING
from core.gates.statistics import LEAST_FOR_PSI
from core.model.dataset import SPLITS
from pages.frame import evidence, guard, histograms, show
from pages.frame.links import page_link
from pages.frame.portrait_bars import Portrait, draw_bar
from pages.frame.portrait_tables import draw_damage, draw_languages, draw_quantiles, draw_roles
from pages.frame.portrait_words import MEASURES
from pages.frame.version_picker import pick_version

PICTURED = {"turns": "turns", "tokens": "tokens", "words": "words"}
bench, person = guard.require()
st.title("Distribution")
show.outcome()
version = pick_version(bench, person)
candidate = bench.candidates.current(version) if version else None
stored = None if candidate is None else bench.candidates.reports(candidate.digest)["distribution"]
if candidate is None or stored is None or not stored.report.measures:
    if candidate is None:
        st.info("There is no candidate of this version yet, so there is nothing to draw.")
    elif stored is None:
        st.info(
            "The pictures come from the distribution gate, which has not judged this candidate."
        )
    else:
        show.prose("{sentence}", sentence=evidence.sentence(stored.report))
    page_link("gates", "Go to the gates")
    st.stop()
report = stored.report
measures: Mapping[str, Any] = report.measures
baseline = bench.candidates.baseline(candidate.digest) if measures["baseline"] == "given" else None
names = {
    family.name: family.title
    for family in bench.desk.policy.families
    if family.name in measures["families"]
}
rule = bench.desk.policy.distribution
stages = {item.number: f"{item.number} {item.title}" for item in bench.desk.policy.stages}


def stage_of(family: str) -> str:
    """Return the stage of a family in words, the number first."""
    return stages[bench.desk.policy.family(family).stage]


def draw_verdict() -> None:
    """Draw how the gate judged, and where that is explained."""
    show.prose(
        "**{sign} The distribution gate {word}** on {examined} records of candidate {short}.",
        sign=evidence.SIGNS[report.verdict],
        word=evidence.WORDS[report.verdict],
        examined=f"{report.examined:,}",
        short=show.short(report.candidate),
    )
    if report.verdict != "pass":
        show.prose("{sentence}", sentence=evidence.sentence(report))
        page_link("findings", "Open the findings")


def panel(family: str, measure: str) -> histograms.Panel:
    """Return one small picture: a measure of a family by split."""
    told = measures["families"][family]
    edges = measures["edges"][measure]
    before = None
    if baseline is not None and baseline["edges"][measure] == edges:
        before = (
            baseline["families"].get(family, {}).get("all", {}).get(measure, {}).get("histogram")
        )
    found = next((r for r in rule.ranges if (r.family, r.measure) == (family, measure)), None)
    return histograms.Panel(
        title=PICTURED[measure],
        edges=edges,
        counts={
            split: told[split][measure]["histogram"]
            for split in SPLITS
            if split in told and told[split][measure]["n"]
        },
        earlier=before,
        mean=told["all"][measure].get("mean"),
        band=None if found is None else (found.low, found.high),
        about=(family, measure),
    )


def draw_pictures() -> None:
    """Draw turns, tokens and words of every family."""
    st.header("How long the records are")
    show.quiet(
        "Share of the records of each split. Shaded: where the policy expects the mean. "
        "Dotted: the mean.{behind}",
        behind=" Grey, behind: the release before." if baseline is not None else "",
    )
    clicked = histograms.histograms(
        {
            title: [panel(family, measure) for measure in PICTURED]
            for family, title in names.items()
        },
        key="pictures",
        alt="Turns, tokens and words per record, by family and split",
    )
    draw_bar(Portrait(bench=bench, person=person, report=report, names=names), clicked)


def draw_ranges() -> None:
    """Draw the mean of each family against the range the policy expects."""
    st.header("Against what is expected")
    rows = []
    for item in measures["ranges"]:
        within = "✓ within" if item["within"] else "✕ outside"
        if item["explained_by"]:
            within = "○ outside, explained"
        rows.append(
            {
                "family": names.get(item["family"], item["family"]),
                "measure": MEASURES[item["measure"]],
                "mean": item["mean"],
                "expected of the mean": f"{item['low']:,g} to {item['high']:,g}",
                "": within,
                "explained by": item["explained_by"] or "",
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={"mean": st.column_config.NumberColumn(format="%.1f")},
        alt="Mean of each family against the range the policy expects",
    )
    without = [names.get(name, name) for name in measures["families_without_range"]]
    if without:
        show.quiet("No range is set for {names}.", names=", ".join(without))


def draw_drift() -> None:
    """Draw how far each family lies from the release before."""
    st.header("Against the release before")
    draw_baseline()
    if not measures["drift"]:
        show.prose("There is no release before this one, so the ranges above decide alone.")
        return
    rows = []
    for family, told in measures["drift"].items():
        if isinstance(told, str):
            rows.append({"family": names.get(family, family), "judged": told})
            continue
        for measure in DRIFTING:
            rows.append(_drift_row(names.get(family, family), measure, told[measure]))
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("mean", "mean before", "shift ÷ mean", "largest gap (KS)", "PSI", "JS")
        },
        alt="Drift of each family and measure against the release before",
    )
    show.quiet(
        "Blocks when the shift (Wasserstein distance ÷ earlier mean) passes {shift}, or the "
        "largest gap between the two cumulative curves (KS) passes {ks}, and chance alone does "
        "not explain it. PSI and Jensen–Shannon distance are shown from {least} records in both "
        "releases: below that they swing widely on data that did not change.",
        shift=f"{rule.wasserstein_share:.0%}",
        ks=f"{rule.ks_statistic:.2f}",
        least=f"{LEAST_FOR_PSI:,}",
    )


def draw_baseline() -> None:
    """Draw which release is compared with, and let those who decide choose another."""
    earlier = list(bench.candidates.earlier_releases(version))
    standing = bench.candidates.baseline_version(version)
    if not earlier or standing is None:
        return
    why = bench.candidates.why_compared(version)
    show.prose(
        "Compared with release **{name}**. {reason}{by}",
        name=standing,
        reason=why["reason"],
        by=f" (chosen by {why['by']})" if why["by"] else "",
    )
    if len(earlier) < 2 or not person.holds("release_owner", "review_lead"):
        return
    with st.expander("Compare with another release"), st.form("baseline", border=False):
        release = st.selectbox("Release", earlier, index=earlier.index(standing))
        reason = st.text_input("Why (it is kept, with your name)")
        show.quiet("The gates must then run again: what they said was said of another release.")
        if st.form_submit_button("Compare with this release"):
            show.attempt(
                lambda: bench.candidates.choose_baseline(version, release, reason, person),
                done=f"{version} is compared with {release}. Run the gates again.",
            )
            st.rerun()


def _drift_row(family: str, measure: str, told: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"family": family, "measure": MEASURES[measure]}
    if isinstance(told, str):
        return row | {"judged": told}
    judged = "✕ far from before" if told["breach"] else "✓ like before"
    if told["explained_by"]:
        judged = f"○ far, explained by {told['explained_by']}"
    return row | {
        "judged": judged,
        "mean": told["mean"],
        "mean before": told["baseline_mean"],
        "shift ÷ mean": told["wasserstein_share"],
        "largest gap (KS)": told["ks"],
        "PSI": told["psi"],
        "JS": told["js"],
        "records": told["n"],
        "records before": told["baseline_n"],
    }


draw_verdict()
draw_pictures()
draw_ranges()
draw_drift()
draw_damage(measures, names)
draw_languages(measures, names)
draw_roles(measures, names)
draw_quantiles(measures, names, stages, {family: stage_of(family) for family in names})
