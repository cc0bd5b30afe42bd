"""Small histograms beside one another, family by family, whose bars can be clicked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.frame.charts import draw, palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One small picture of a measure: per name the counts between `edges`.

    `counts` holds one count more than there are edges: the first lies below the first edge,
    the last at or above the last. `band` is the range that is expected of the mean. `about`
    is what a click on the picture gives back, with the name and the edge clicked.
    """

    title: str
    edges: Sequence[float]
    counts: Mapping[str, Sequence[int]]
    earlier: Sequence[int] | None = None
    mean: float | None = None
    band: tuple[float, float] | None = None
    about: tuple[str, str] = ("", "")


_PANEL_HEIGHT = 200
_PANEL_GAP = 58
_TICKS = 8
# A click reaches 20 pixels; a panel is seldom wider than 400.
_MARKS = 16
_GREY = "#7a848e"


def histograms(
    rows: Mapping[str, Sequence[Panel]], *, key: str, alt: str
) -> tuple[str, str, str, float] | None:
    """Draw one row of small histograms per name, each as shares of its own records.

    The panels of one column share their axis, so that families can be compared by eye. Returns
    (what the panel is about, twice; the name of the counts; the bar's lower edge) of the bar
    that was clicked, or None.
    """
    columns = max(len(panels) for panels in rows.values())
    figure = make_subplots(
        rows=len(rows),
        cols=columns,
        shared_xaxes="columns",
        subplot_titles=[f"{name}: {panel.title}" for name, row in rows.items() for panel in row],
        vertical_spacing=min(0.4, _PANEL_GAP / (_PANEL_HEIGHT * len(rows))),
        horizontal_spacing=0.05,
    )
    for line, panels in enumerate(rows.values(), 1):
        for column, panel in enumerate(panels, 1):
            _add_panel(figure, panel, line, column)
    # A split that the first family has none of must be in the legend too, and each only once.
    named: set[str] = set()
    for trace in figure.data:
        trace.showlegend = trace.name not in named
        named.add(trace.name)
    for column in range(1, columns + 1):
        panels = [row[column - 1] for row in rows.values()]
        figure.update_xaxes(range=_reach(panels), type="log", col=column, **_ticks(panels))
    figure.update_annotations(font_size=13)
    figure.update_xaxes(showticklabels=True)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=4)
    figure.update_layout(clickmode="event+select")
    event = draw(
        figure,
        key=key,
        height=110 + _PANEL_HEIGHT * len(rows),
        alt=alt,
        legend_above=True,
        selectable=True,
    )
    return _clicked(event)


def _clicked(event: Any) -> tuple[str, str, str, float] | None:
    for point in event["selection"]["points"] if event else ():
        about = point.get("customdata")
        if about is not None and len(about) == 4:
            return str(about[0]), str(about[1]), str(about[2]), float(about[3])
    return None


def _add_panel(figure: go.Figure, panel: Panel, line: int, column: int) -> None:
    ink = palette()
    place = {"row": line, "col": column}
    if panel.band is not None:
        low, high = (max(edge, panel.edges[0]) for edge in panel.band)
        figure.add_vrect(
            x0=low,
            x1=high,
            opacity=0.16,
            line_width=0,
            fillcolor=ink[4],
            layer="below",
            exclude_empty_subplots=False,
            **place,
        )
    if panel.earlier is not None:
        figure.add_trace(
            _steps(panel.edges, panel.earlier, "release before", _GREY, fill="tozeroy"),
            **place,
        )
    for number, (name, counts) in enumerate(panel.counts.items()):
        trace = _steps(panel.edges, counts, name, ink[number])
        # Equal shares lie on one another: through a dashed line the one below is seen.
        trace.update(line_dash="dash" if number else "solid", hoverinfo="skip", hovertemplate=None)
        figure.add_trace(trace, **place)
        figure.add_trace(_marks(panel, trace), **place)
    if panel.mean is not None:
        figure.add_vline(x=panel.mean, line_dash="dot", line_width=2, line_color=_GREY, **place)


def _steps(
    edges: Sequence[float],
    counts: Sequence[int],
    name: str,
    colour: str,
    fill: str = "none",
) -> go.Scatter:
    total = sum(counts) or 1
    shares = [count / total for count in counts[1:]]
    return go.Scatter(
        x=list(edges),
        y=shares,
        mode="lines",
        line={"shape": "hv", "width": 0 if fill != "none" else 2, "color": colour},
        fill=fill,
        name=name,
        legendgroup=name,
        hovertemplate=f"{name}: %{{y:.1%}} from %{{x}}<extra></extra>",
    )


def _marks(panel: Panel, line: go.Scatter) -> go.Scatter:
    """Return unseen points along the top of every bar: a line cannot be clicked, a point can.

    They stand no further apart than a click reaches, so a wide bar answers on its whole width.
    """
    least, most = _reach([panel])
    apart = (most - least) / _MARKS
    places: list[tuple[float, float, float]] = []
    for number, low in enumerate(panel.edges):
        if not line.y[number]:
            continue
        high = panel.edges[number + 1] if number + 1 < len(panel.edges) else low
        seen = min(math.log10(high), most)
        count = max(1, math.ceil((seen - math.log10(low)) / apart))
        step = (seen - math.log10(low)) / count
        marks = [math.log10(low) + step * (nth + 0.5) for nth in range(count)]
        places += [(low, 10**mark if high > low else low, line.y[number]) for mark in marks]
    return go.Scatter(
        x=[x for _, x, _ in places],
        y=[y for _, _, y in places],
        mode="markers",
        marker={"size": 10, "opacity": 0, "color": line.line.color},
        customdata=[[*panel.about, line.name, low] for low, _, _ in places],
        name=line.name,
        legendgroup=line.name,
        hovertemplate=f"{line.name}: %{{y:.1%}} from %{{customdata[3]:,}}<extra></extra>",
    )


def _reach(panels: Sequence[Panel]) -> list[float]:
    """Return the decades between which anything is drawn in a column, with a little air."""
    low, high = [], []
    for panel in panels:
        series = [*panel.counts.values(), *([panel.earlier] if panel.earlier is not None else [])]
        filled = [n for counts in series for n, count in enumerate(counts[1:]) if count]
        last = len(panel.edges) - 1
        if filled:
            low.append(panel.edges[min(filled)])
            high.append(panel.edges[min(max(filled) + 1, last)])
        if panel.band is not None:
            low.append(max(panel.band[0], panel.edges[0]))
            high.append(panel.band[1])
    least, most = min(low, default=1.0), max(high, default=10.0)
    return [math.log10(least * 0.9), math.log10(most * 1.1)]


def _ticks(panels: Sequence[Panel]) -> dict[str, Any]:
    """Return readable ticks for a logarithmic axis, as many as its reach has room for."""
    least, most = (10**edge for edge in _reach(panels))
    kept: list[float] = []
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1,)):
        values = [step * 10.0**power for power in range(-2, 7) for step in steps]
        kept = [value for value in values if least <= value <= most]
        if len(kept) <= _TICKS:
            break
    return {"tickvals": kept, "ticktext": [f"{value:,g}" for value in kept]}
