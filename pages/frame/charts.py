"""Pictures first: every chart has words beside it and says the same as the table under it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

STATE_ORDER = ("missing", "unusable", "partial", "waived", "present_by_alias", "present")
# Each far enough from the words on it, white or #444, to be read (4.5 to 1 or more).
_SCALE = ("#b42318", "#efa474", "#f0d080", "#c3cad2", "#a9cfe6", "#1f6f9f")
_HEIGHT = 320
_FALLBACK = ("#1f5f8b", "#b4581b", "#3b7a57", "#75539f", "#96750f", "#2f7f86", "#a34b63")


def draw(
    figure: go.Figure,
    *,
    key: str,
    height: int = _HEIGHT,
    alt: str = "",
    legend_above: bool = False,
    selectable: bool = False,
) -> Any:
    """Draw a figure in the theme's colours; return what was selected in it, if that is asked."""
    legend: dict[str, Any] = {"orientation": "h", "y": -0.2}
    if legend_above:
        # In pixels from the top, so that it neither covers an axis nor a column's title.
        legend = {
            "orientation": "h",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "x": 0,
            "traceorder": "normal",
        }
    words = _theme("textColor", "#0b1117")
    figure.update_annotations(font_color=words)
    figure.update_xaxes(tickfont_color=words, title_font_color=words)
    figure.update_yaxes(tickfont_color=words, title_font_color=words)
    figure.update_layout(
        height=height,
        treemapcolorway=palette(),
        margin={"l": 10, "r": 10, "t": 60 if legend_above else 30, "b": 10},
        legend=legend,
    )
    return st.plotly_chart(
        figure,
        key=key,
        width="stretch",
        config={"displayModeBar": False},
        alt=alt or None,
        on_select="rerun" if selectable else "ignore",
        selection_mode="points",
    )


def coverage_map(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """Draw stage × family with the state as colour and word.

    `rows`: stage, family, state, records, and how many objects are shared with another family.
    """
    stages = sorted({str(row["stage"]) for row in rows})
    families = [str(row["family"]) for row in rows]
    cells: list[list[float | None]] = [[None] * len(families) for _ in stages]
    words = [[""] * len(families) for _ in stages]
    for column, row in enumerate(rows):
        line = stages.index(str(row["stage"]))
        cells[line][column] = STATE_ORDER.index(str(row["state"]))
        lines = [str(row["state"]).replace("_", " "), f"{row['records']:,} records"]
        lines += [f"{row['shared']:,} shared, not counted"] if row.get("shared") else []
        words[line][column] = "<br>".join(lines)
    steps = len(STATE_ORDER)
    scale = [
        [edge, colour]
        for number, colour in enumerate(_SCALE)
        for edge in (number / steps, (number + 1) / steps)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            x=families,
            y=[f"stage {stage}" for stage in stages],
            text=words,
            texttemplate="%{text}",
            colorscale=scale,
            zmin=-0.5,
            zmax=steps - 0.5,
            showscale=False,
            hoverinfo="skip",
            xgap=3,
            ygap=3,
        )
    )
    figure.update_yaxes(autorange="reversed")
    draw(figure, key=key, height=90 + 70 * len(stages))


def heat_map(
    counts: Mapping[tuple[str, str], int],
    names: Sequence[str],
    *,
    down: str,
    across: str,
    key: str,
    alt: str,
    lines: Sequence[str] = (),
) -> None:
    """Draw how often each two of `names` meet, or `names` and `lines`; by (down, across)."""
    lines = lines or names
    cells = [[counts.get((line, column), 0) for column in names] for line in lines]
    figure = go.Figure(
        go.Heatmap(
            # The scale is that of the logarithm, so that one does not vanish beside a thousand.
            z=[[math.log1p(count) for count in line] for line in cells],
            x=list(names),
            y=list(lines),
            text=[[f"{count:,}" if count else "" for count in line] for line in cells],
            texttemplate="%{text}",
            colorscale=[[0, _theme("secondaryBackgroundColor", "#eef1f4")], [1, _SCALE[-1]]],
            zmin=0,
            showscale=False,
            customdata=cells,
            hovertemplate=f"{down} %{{y}}, {across} %{{x}}: %{{customdata:,}}<extra></extra>",
            xgap=3,
            ygap=3,
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title=across, automargin=True)
    draw(figure, key=key, height=140 + 46 * len(lines), alt=alt)


def treemap(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """Draw bytes by prefix, two levels deep. `rows`: prefix, bytes, objects."""
    labels, parents, values, counts = [], [], [], []
    tops: dict[str, int] = {}
    for row in rows:
        top = str(row["prefix"]).split("/")[0] + "/"
        tops[top] = tops.get(top, 0) + int(row["bytes"])
    for top, total in tops.items():
        labels.append(top)
        parents.append("")
        values.append(total)
        counts.append("")
    for row in rows:
        if str(row["prefix"]) not in tops:
            labels.append(str(row["prefix"]))
            parents.append(str(row["prefix"]).split("/")[0] + "/")
            values.append(int(row["bytes"]))
            counts.append(f"{row['objects']:,} objects")
    figure = go.Figure(
        go.Treemap(
            labels=labels,
            parents=parents,
            values=values,
            text=counts,
            branchvalues="total",
            hovertemplate="%{label}<br>%{value:,} bytes<extra></extra>",
        )
    )
    draw(figure, key=key)


def growth(days: Sequence[str], totals: Sequence[int], *, key: str) -> None:
    """Draw how many bytes there were by date."""
    figure = go.Figure(
        go.Scatter(x=list(days), y=list(totals), mode="lines+markers", fill="tozeroy")
    )
    figure.update_traces(
        line_color=palette()[0],
        line_shape="hv",
        hovertemplate="%{x|%Y-%m-%d}<br>%{y:,} bytes<extra></extra>",
    )
    figure.update_xaxes(type="date", tickformat="%Y-%m-%d", nticks=8)
    figure.update_yaxes(title="bytes", rangemode="tozero")
    draw(figure, key=key, alt=f"{totals[0]:,} bytes on {days[0]}, {totals[-1]:,} on {days[-1]}")


def palette() -> list[str]:
    """Return the theme's colours for categories, as the browser shows them."""
    return list(_theme("chartCategoricalColors", _FALLBACK))


def _theme(name: str, absent: Any) -> Any:
    kind = "dark" if st.context.theme.type == "dark" else "light"
    return st.get_option(f"theme.{kind}.{name}") or absent


def lines(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    up: str,
    key: str,
    alt: str,
) -> None:
    """Draw curves by name, each a list of (x, y) in order of x."""
    figure = go.Figure(
        [
            go.Scatter(
                x=[x for x, _ in points],
                y=[y for _, y in points],
                name=name,
                mode="lines+markers",
                line={"color": colour, "dash": dash},
            )
            for (name, points), colour, dash in zip(
                curves.items(), palette(), ("solid", "dash", "dot"), strict=False
            )
        ]
    )
    figure.update_xaxes(title_text=across)
    figure.update_yaxes(title_text=up, rangemode="tozero")
    draw(figure, key=key, alt=alt, legend_above=True)


def bars(
    names: Sequence[str],
    stacks: Mapping[str, Sequence[float]],
    *,
    key: str,
    unit: str,
    alt: str = "",
    share: bool = False,
    grouped: bool = False,
    absent: str = "",
) -> None:
    """Draw lying stacked bars: one bar per name, one colour per stack.

    With `share`, each bar is drawn to 100 per cent of its own total; with `grouped`, the stacks
    stand side by side. The stack called `absent` is grey: it says that nothing is known.
    """
    ink = palette()
    figure = go.Figure()
    totals = [sum(values[n] for values in stacks.values()) or 1 for n in range(len(names))]
    for number, (label, values) in enumerate(stacks.items()):
        drawn = [v / t for v, t in zip(values, totals, strict=True)] if share else list(values)
        figure.add_trace(
            go.Bar(
                y=list(names),
                x=drawn,
                customdata=list(values),
                name=label,
                orientation="h",
                marker={
                    "color": _theme("grayColor", "#59636d")
                    if label == absent
                    else ink[number % len(ink)]
                },
                hovertemplate=f"%{{y}}: %{{customdata:,}} {label}<extra></extra>",
            )
        )
    figure.update_layout(barmode="group" if grouped else "stack", showlegend=True)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title=unit, tickformat=".0%" if share else ",")
    whole = all(float(value).is_integer() for values in stacks.values() for value in values)
    if whole and not share and max(totals, default=0) < 5:
        figure.update_xaxes(dtick=1)  # half a record is no tick
    draw(figure, key=key, height=130 + 34 * len(names), alt=alt, legend_above=True)
