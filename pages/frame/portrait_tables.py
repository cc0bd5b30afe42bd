"""The tables under the pictures: damage, languages, speakers, quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.gates.codes import cure_of, title_of
from core.gates.statistics import QUANTILES
from core.model.dataset import SPLITS
from pages.frame import charts, show
from pages.frame.portrait_words import MEASURES, SHARES, language, speakers

Measures = Mapping[str, Any]
Names = Mapping[str, str]


def draw_damage(measures: Measures, names: Names) -> None:
    """Draw every damage alarm of every family, those that are raised first and in words."""
    st.header("Damage alarms")
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
    # Alarms down and families across: there are more alarms than a page is wide.
    st.table(
        [
            {"at most so many records": f"{title_of(code)} ({_limit(measures, code)})"}
            | {
                show.escape(title): _alarm(measures["damage"][family]["alarms"][code])
                for family, title in names.items()
            }
            for code in codes
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


def _limit(measures: Measures, code: str) -> str:
    """Return the most of a family's records that may show the damage, in words."""
    limits = {told["alarms"][code]["limit"] for told in measures["damage"].values()}
    words = ["none allowed" if limit == 0 else f"at most {limit:.0%}" for limit in sorted(limits)]
    return " or ".join(words)


def _alarm(alarm: Mapping[str, Any]) -> str:
    share = f"{alarm['share']:.1%}" if alarm["records"] else "none"
    return f"✕ raised: {share}" if alarm["raised"] else f"✓ quiet: {share}"


def draw_languages(measures: Measures, names: Names) -> None:
    """Draw which languages the records of each family are in."""
    st.header("Languages")
    told = {family: measures["families"][family]["all"]["languages"] for family in names}
    found = sorted(
        {code for counts in told.values() for code in counts},
        key=lambda code: -sum(counts.get(code, 0) for counts in told.values()),
    )
    charts.bars(
        list(names.values()),
        {language(code): [told[f].get(code, 0) for f in names] for code in found},
        unit="share of records",
        share=True,
        key="languages",
        alt="Languages by family, as shares of its records",
    )


def draw_roles(measures: Measures, names: Names) -> None:
    """Draw who speaks in which order."""
    st.header("Who speaks")
    rows = []
    for family, title in names.items():
        told = measures["families"][family]["all"]
        for pattern, count in told["role_patterns"].items():
            rows.append(
                {
                    "family": title,
                    "who speaks": speakers(pattern),
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


def draw_quantiles(
    measures: Measures, names: Names, stages: Mapping[int, str], stage_of: Names
) -> None:
    """Draw the quantiles of one measure by stage, family and split."""
    st.header("Quantiles")
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        format_func=lambda name: MEASURES[name],
        default="turns",
        required=True,
    )
    rows = []
    cells = [
        (stage_of[family], title, measures["families"][family]) for family, title in names.items()
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
