"""Pictures first: every chart has words beside it and says the same as the table under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

STATE_ORDER = ("missing", "unusable", "partial", "waived", "present_by_alias", "present")
# Light to dark of one hue, so that the order survives print and colour blindness.
_SCALE = ("#b42318", "#d9703b", "#e0b44c", "#b7bfc9", "#7fb3d5", "#1f6f9f")
_HEIGHT = 320


def _draw(figure: go.Figure, *, key: str, height: int = _HEIGHT) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": -0.2},
    )
    st.plotly_chart(figure, key=key, width="stretch", config={"displayModeBar": False})


def coverage_map(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """Draw stage × family with the state as colour and word. `rows`: stage, family, state."""
    stages = sorted({str(row["stage"]) for row in rows})
    families = [str(row["family"]) for row in rows]
    cells: list[list[float | None]] = [[None] * len(families) for _ in stages]
    words = [[""] * len(families) for _ in stages]
    for column, row in enumerate(rows):
        line = stages.index(str(row["stage"]))
        cells[line][column] = STATE_ORDER.index(str(row["state"]))
        words[line][column] = f"{str(row['state']).replace('_', ' ')}<br>{row['records']:,} records"
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
    _draw(figure, key=key, height=90 + 70 * len(stages))


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
    _draw(figure, key=key)


def growth(days: Sequence[str], totals: Sequence[int], *, key: str) -> None:
    """Draw how many bytes there were by date."""
    figure = go.Figure(
        go.Scatter(x=list(days), y=list(totals), mode="lines+markers", fill="tozeroy")
    )
    figure.update_yaxes(title="bytes", rangemode="tozero")
    _draw(figure, key=key)


def histograms(
    series: Mapping[str, tuple[Sequence[float], Sequence[int]]],
    *,
    title: str,
    key: str,
    band: tuple[float, float] | None = None,
    logarithmic: bool = False,
) -> None:
    """Draw one histogram line per name from fixed edges and counts, as shares of the name's all.

    `series` maps a name to (edges, counts) with one more edge than counts; `band` is the range
    the policy expects of the mean.
    """
    figure = go.Figure()
    for name, (edges, counts) in series.items():
        total = sum(counts) or 1
        figure.add_trace(
            go.Scatter(
                x=list(edges[:-1]),
                y=[count / total for count in counts],
                mode="lines",
                line={"shape": "hv"},
                name=name,
            )
        )
    if band is not None:
        figure.add_vrect(x0=band[0], x1=band[1], opacity=0.12, line_width=0, fillcolor="#1f6f9f")
    figure.update_layout(title=title)
    figure.update_yaxes(title="share of records", tickformat=".0%", rangemode="tozero")
    figure.update_xaxes(type="log" if logarithmic else "linear")
    _draw(figure, key=key)


def bars(
    names: Sequence[str], stacks: Mapping[str, Sequence[int]], *, title: str, key: str
) -> None:
    """Draw stacked bars: one bar per name, one colour per stack."""
    figure = go.Figure()
    for label, values in stacks.items():
        figure.add_trace(go.Bar(x=list(names), y=list(values), name=label))
    figure.update_layout(barmode="stack", title=title)
    _draw(figure, key=key)
