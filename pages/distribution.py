"""The shape of the data by family and split, against what is expected and what went before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.gates.codes import cure_of, title_of
from core.gates.distribution import DRIFTING
from core.gates.statistics import LEAST_FOR_PSI, QUANTILES
from core.model.dataset import SPLITS
from core.model.errors import DeskError
from core.workbench.record_table import Choice, RecordTable, bar_at
from core.workbench.reviews import READERS
from pages.frame import charts, evidence, guard, show
from pages.frame.links import page_link
from pages.frame.version_picker import pick_version

PICTURED = {"turns": "turns", "tokens": "tokens", "words": "words"}
MEASURES = {
    "turns": "turns",
    "tokens": "tokens",
    "characters": "characters",
    "words": "words",
    "characters_per_word": "characters per word",
    "assistant_user_ratio": "assistant to user, by length",
}
SHARES = {
    "single_turn": "one exchange at most",
    "truncated_ending": "ends in the middle of a sentence",
    "shared_prompt": "prompt shared with another record",
}
SPEAKERS = {"s": "system", "u": "user", "a": "assistant", "x": "other"}

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


def panel(family: str, measure: str) -> charts.Panel:
    """Return one small picture: a measure of a family by split."""
    told = measures["families"][family]
    edges = measures["edges"][measure]
    before = None
    if baseline is not None and baseline["edges"][measure] == edges:
        before = (
            baseline["families"].get(family, {}).get("all", {}).get(measure, {}).get("histogram")
        )
    found = next((r for r in rule.ranges if (r.family, r.measure) == (family, measure)), None)
    return charts.Panel(
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
    st.subheader("How long the records are")
    show.quiet(
        "Share of the records of each split. Shaded: where the policy expects the mean. "
        "Dotted: the mean.{behind}",
        behind=" Grey, behind: the release before." if baseline is not None else "",
    )
    clicked = charts.histograms(
        {
            title: [panel(family, measure) for measure in PICTURED]
            for family, title in names.items()
        },
        key="pictures",
        alt="Turns, tokens and words per record, by family and split",
    )
    draw_bar(clicked)


def draw_bar(clicked: tuple[str, str, str, float] | None) -> None:
    """Draw the records of one bar: the one clicked, or the one picked from the lists."""
    if clicked is not None and clicked != st.session_state.get("bar:clicked"):
        st.session_state["bar:clicked"] = clicked
        for name, value in zip(("family", "measure", "split", "low"), clicked, strict=True):
            st.session_state[f"bar:{name}"] = value
    st.markdown("**The records in a bar**")
    show.quiet("Click a bar above, or pick one here.")
    family_box, measure_box, split_box, bar_box = st.columns(4)
    with family_box:
        family = st.selectbox(
            "Family", list(names), format_func=lambda name: names[name], key="bar:family"
        )
    with measure_box:
        measure = st.selectbox(
            "Measure", list(MEASURES), format_func=lambda name: MEASURES[name], key="bar:measure"
        )
    told = measures["families"][family]
    splits = [name for name in SPLITS if name in told]
    if st.session_state.get("bar:split") not in splits:
        st.session_state.pop("bar:split", None)
    with split_box:
        split = st.selectbox("Split", splits, key="bar:split")
    edges = measures["edges"][measure]
    counts = told[split][measure].get("histogram", [])
    bars = {
        (-1.0 if number == 0 else float(edges[number - 1])): count
        for number, count in enumerate(counts)
        if count
    }
    if not bars:
        return
    if st.session_state.get("bar:low") not in bars:
        st.session_state.pop("bar:low", None)
    with bar_box:
        low = st.selectbox(
            "Bar",
            list(bars),
            format_func=lambda edge: f"{_bar_words(measure, edge)}: {bars[edge]:,} records",
            key="bar:low",
        )
    draw_records(family, split, measure, low)


def _bar_words(measure: str, edge: float) -> str:
    low, high = bar_at(measure, edge)
    if low is None or edge < 0:
        return f"below {measures['edges'][measure][0]:g}"
    return f"{low:,.4g} and more" if high is None else f"{low:,.4g} to under {high:,.4g}"


def draw_records(family: str, split: str, measure: str, edge: float) -> None:
    """Draw which records a bar holds, and the one that is ticked, for those who may read."""
    low, high = bar_at(measure, edge)
    choice = Choice(measure=measure, family=family, split=split, low=low, high=high)
    try:
        with st.spinner("Finding the records"):
            found = RecordTable(bench.candidates).records(report.candidate, choice)
    except DeskError as error:
        show.refusal(error)
        return
    show.prose(
        "**{n} records** of {family}, {split}: {measure} {bar}.{cut}",
        n=f"{found.records:,}",
        family=names[family],
        split=split,
        measure=MEASURES[measure],
        bar=_bar_words(measure, edge),
        cut=f" The first {len(found.rows):,} are listed."
        if found.records > len(found.rows)
        else "",
    )
    event = st.dataframe(
        [
            {
                "record": row["record_id"],
                MEASURES[measure]: row["value"],
                "who speaks": _speakers(row["roles"]),
                "language": _language(row["language"]),
            }
            for row in found.rows
        ],
        hide_index=True,
        height=240,
        on_select="rerun",
        selection_mode="single-row",
        key=f"bar:{hash(choice)}",
        alt="Records in the bar; tick one to read it",
    )
    chosen = event.selection.rows
    if not chosen or chosen[0] >= len(found.rows):
        return
    if not person.holds(*READERS):
        show.prose("Records are shown to reviewers, leads, owners and auditors.")
        return
    try:
        record = bench.reviews.record(report.candidate, found.rows[chosen[0]]["record_id"], person)
    except DeskError as error:
        show.refusal(error)
        return
    hard = {rule.number for rule in bench.desk.policy.stages if rule.name == "edge"}
    closed = bench.desk.policy.family(family).stage in hard
    with st.expander(
        "The record" + (" (edge and crisis: open it when you are ready)" if closed else ""),
        expanded=not closed,
    ):
        show.dialogue(record.messages)


def draw_ranges() -> None:
    """Draw the mean of each family against the range the policy expects."""
    st.subheader("Against what is expected")
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
    st.subheader("Against the release before")
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
    show.prose("Compared with release **{name}**.", name=standing)
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


def draw_damage() -> None:
    """Draw every damage alarm of every family, those that are raised first and in words."""
    st.subheader("Damage alarms")
    codes: dict[str, None] = {}
    for family, told in measures["damage"].items():
        for code, alarm in told["alarms"].items():
            codes[code] = None
            if alarm["raised"]:
                st.error(
                    show.escape(
                        f"✕ {names.get(family, family)}: {title_of(code)} in "
                        f"{alarm['records']:,} records ({alarm['share']:.1%}, at most "
                        f"{alarm['limit']:.1%}). {cure_of(code)}"
                    )
                )
    limits = {code: _limit(code) for code in codes}
    st.table(
        [
            {"family": show.escape(title)}
            | {
                f"{title_of(code)} ({limits[code]})": _alarm(
                    measures["damage"][family]["alarms"][code]
                )
                for code in codes
            }
            for family, title in names.items()
        ],
        border="horizontal",
        hide_index=True,
        alt="Damage alarms by family: share of records and whether the alarm is raised",
    )
    st.markdown("**Measured without an alarm, as shares of records**")
    st.table(
        [
            {"family": show.escape(title)}
            | {
                words: f"{measures['damage'][family]['shares'][share]:.1%}"
                for share, words in SHARES.items()
            }
            for family, title in names.items()
        ],
        border="horizontal",
        hide_index=True,
        alt="Single exchanges, cut endings and shared prompts by family",
    )


def _limit(code: str) -> str:
    """Return the most of a family's records that may show the damage, in words."""
    limits = {told["alarms"][code]["limit"] for told in measures["damage"].values()}
    words = ["none allowed" if limit == 0 else f"at most {limit:.0%}" for limit in sorted(limits)]
    return " or ".join(words)


def _alarm(alarm: Mapping[str, Any]) -> str:
    share = f"{alarm['share']:.1%}" if alarm["records"] else "none"
    return f"✕ raised: {share}" if alarm["raised"] else f"✓ quiet: {share}"


def draw_languages() -> None:
    """Draw which languages the records of each family are in."""
    st.subheader("Languages")
    told = {family: measures["families"][family]["all"]["languages"] for family in names}
    found = sorted(
        {code for counts in told.values() for code in counts},
        key=lambda code: -sum(counts.get(code, 0) for counts in told.values()),
    )
    charts.bars(
        list(names.values()),
        {_language(code): [told[f].get(code, 0) for f in names] for code in found},
        unit="share of records",
        share=True,
        key="languages",
        alt="Languages by family, as shares of its records",
    )


def _language(code: str) -> str:
    return {"und": "too short to tell", "en": "English", "other": "others"}.get(code, code)


def draw_roles() -> None:
    """Draw who speaks in which order."""
    st.subheader("Who speaks")
    rows = []
    for family, title in names.items():
        told = measures["families"][family]["all"]
        for pattern, count in told["role_patterns"].items():
            rows.append(
                {
                    "family": title,
                    "who speaks": _speakers(pattern),
                    "records": count,
                    "share": count / told["records"],
                }
            )
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            "share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
        },
        alt="Order of speakers by family",
    )


def _speakers(pattern: str) -> str:
    if pattern == "other":
        return "other orders"
    system, rest = ("system, then ", pattern[1:]) if pattern.startswith("s") else ("", pattern)
    if rest.startswith("(ua)*"):
        ending = "the user has the last word" if rest.endswith("u") else "the assistant ends"
        return f"{system}user and assistant in turn; {ending}"
    if rest == "ua":
        return f"{system}one question, one answer"
    words = [SPEAKERS.get(letter, letter) for letter in pattern.rstrip("+")]
    return ", ".join(words) + (" and on" if pattern.endswith("+") else "")


def draw_quantiles() -> None:
    """Draw the quantiles of one measure by stage, family and split."""
    st.subheader("Quantiles")
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        format_func=lambda name: MEASURES[name],
        default="turns",
        required=True,
    )
    rows = []
    cells = [
        (stage_of(family), title, measures["families"][family]) for family, title in names.items()
    ]
    # Evidence from before stages were measured holds none.
    for number, told in measures.get("stages", {}).items():
        cells.append((stages.get(int(number), number), "the whole stage", told["splits"]))
    for stage, title, splits in sorted(cells, key=lambda cell: cell[0]):
        for split in ("all", *SPLITS):
            told = splits.get(split, {}).get(measure, {"n": 0})
            if told["n"]:
                rows.append(
                    {"stage": stage, "family": title, "split": split}
                    | {"records": told["n"], "mean": told["mean"]}
                    | {_quantile(share): told["quantiles"][str(share)] for share in QUANTILES}
                )
    numbers = {
        name: st.column_config.NumberColumn(format="%.1f")
        for name in ("mean", *map(_quantile, QUANTILES))
    }
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config=numbers,
        alt="Quantiles by family and split",
    )


def _quantile(share: int) -> str:
    return {0: "least", 50: "median", 100: "most"}.get(share, f"{share} %")


draw_verdict()
draw_pictures()
draw_ranges()
draw_drift()
draw_damage()
draw_languages()
draw_roles()
draw_quantiles()
