"""A chart as SVG in a page: lines or bars, each point with a tooltip; colours come from the page's
CSS.

In: a Picture, a HeatMap. Out: markup in which every text of a log is escaped. No script: a browser
shows ``<title>`` as the tooltip.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from ingest.render.cells import escape_controls, short_number
from ingest.render.chart_data import HeatMap, Picture, Series

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 30
_BAR = 22  # of a bar with its gap
_LABEL = 190  # for the labels of bars
_SERIES = 6  # colours that the page has
_MOST_TIPS = 400  # points with a tooltip; more would lie on each other


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at an instant, with the words of its tooltip."""

    at: datetime
    text: str


def safe(text: object) -> str:
    """A text as the content of an element or an attribute."""
    return escape(escape_controls(str(text)), quote=True)


def amount(name: str, value: float) -> str:
    """A value with its unit, by its column's name: milliseconds, percent, a rate, a number."""
    if name.endswith("_ms"):
        return f"{short_number(value / 1000)} s" if value >= 1000 else f"{short_number(value)} ms"
    if name.endswith(("_rate", "share", "coverage")):
        return f"{short_number(100 * value)} %"
    return f"{short_number(value)} %" if name.endswith("_percent") else short_number(value)


def svg(picture: Picture | HeatMap, marks: Sequence[Mark] = ()) -> str:
    """The chart; empty where there is nothing to draw."""
    if picture.is_empty:
        return ""
    if isinstance(picture, HeatMap):
        return _bars(_summed(picture))
    return _lines(picture, marks) if picture.kind == "line" else _bars(picture)


def _summed(map_: HeatMap) -> Picture:
    """A heat map as bars, which fit a narrow page: a series per row, a bar per filled column."""
    chosen = [i for i in range(len(map_.x_labels)) if any(row[i] for row in map_.cells)]
    labels = tuple(map_.x_labels[i] for i in chosen)
    series = tuple(
        Series(name, labels, tuple(row[i] or 0.0 for i in chosen))
        for name, row in zip(map_.y_labels, map_.cells, strict=True)
    )
    return Picture(
        map_.title, "bars", map_.x_title, map_.value_title, series, labels, len(series) > 1
    )


def nice_top(value: float) -> float:
    """The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below a value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def _opened(height: int, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{safe(title)}" '
        'xmlns="http://www.w3.org/2000/svg">'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Places of a line chart: x from ``first`` to ``last``, y from 0 to ``top``."""

    first: float
    last: float
    top: float

    def x(self, value: float) -> float:
        span = (self.last - self.first) or 1.0
        return _LEFT + (value - self.first) / span * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (1 - value / self.top) * (_HEIGHT - _TOP - _BOTTOM)


def _lines(picture: Picture, marks: Sequence[Mark]) -> str:
    xs = [_place(x) for s in picture.series for x in s.x]
    name = picture.y_title.split(",")[0].strip()
    scale = _Scale(min(xs), max(xs), nice_top(max(v for s in picture.series for v in s.y)))
    parts = [_opened(_HEIGHT, picture.title)]
    for share in (0, 0.25, 0.5, 0.75, 1):
        y, told = scale.y(share * scale.top), amount(name, share * scale.top)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{told}</text>'
        )
    parts += _x_ticks(picture.series, scale)
    for mark in marks:
        at = mark.at.timestamp()
        if scale.first <= at <= scale.last:
            x = scale.x(at)
            parts.append(
                f'<g class="mark"><title>{safe(mark.text)}</title><line x1="{x:.1f}" x2="{x:.1f}" '
                f'y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/></g>'
            )
    for number, series in enumerate(picture.series[:_SERIES]):
        parts += _line(series, number, scale, name)
    return "".join([*parts, "</svg>", _legend(picture)])


def _line(series: Series, number: int, scale: _Scale, name: str) -> Iterator[str]:
    points = [(scale.x(_place(x)), scale.y(y)) for x, y in zip(series.x, series.y, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline class="s{number}" points="{path}"/>'
    step = max(1, len(points) // _MOST_TIPS)
    chosen = list(zip(points, series.x, series.y, strict=True))[::step]
    for (x, y), at, value in chosen:
        words = f"{series.name}: {amount(name, value)}, {_told(at)}"
        yield (
            f'<circle class="dot s{number}" cx="{x:.1f}" cy="{y:.1f}" '
            f'r="3"><title>{safe(words)}</title></circle>'
        )


def _x_ticks(series: Sequence[Series], scale: _Scale) -> Iterator[str]:
    example = next(x for s in series for x in s.x)
    for share in (0, 0.25, 0.5, 0.75, 1):
        value = scale.first + share * (scale.last - scale.first)
        words = short_number(value)
        if isinstance(example, datetime):
            at = datetime.fromtimestamp(value, example.tzinfo)
            long = scale.last - scale.first > timedelta(hours=36).total_seconds()
            words = f"{at:%m-%d %H:%M}" if long else f"{at:%H:%M}"
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        yield (
            f'<text class="tick" x="{scale.x(value):.1f}" y="{_HEIGHT - 10}" '
            f'text-anchor="{anchor}">{words}</text>'
        )


def _place(x: Any) -> float:
    return x.timestamp() if isinstance(x, datetime) else float(x)


def _told(x: Any) -> str:
    return f"{x:%Y-%m-%d %H:%M}" if isinstance(x, datetime) else short_number(x)


def _bars(picture: Picture) -> str:
    totals = [sum(s.y[i] for s in picture.series) for i in range(len(picture.labels))]
    top = max(totals) or 1.0
    name = picture.y_title.split(",")[0].strip()
    room = _WIDTH - _LABEL - 90
    parts = [_opened(_BAR * len(picture.labels) + 4, picture.title)]
    for i, label in enumerate(picture.labels):
        y, x = _BAR * i + 2, float(_LABEL)
        short = label if len(label) <= 26 else label[:25] + "…"
        parts.append(
            f'<text class="tick" x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{safe(short)}'
            f"<title>{safe(label)}</title></text>"
        )
        for number, series in enumerate(picture.series):
            width = series.y[i] / top * room
            words = f"{label}: {amount(name, series.y[i])}"
            words += f" ({series.name})" if picture.named else ""
            parts.append(
                f'<rect class="s{number % _SERIES}" x="{x:.1f}" y="{y}" '
                f'width="{max(width, 0):.1f}" '
                f'height="{_BAR - 6}"><title>{safe(words)}</title></rect>'
            )
            x += max(width, 0)
        parts.append(
            f'<text class="tick" x="{x + 6:.1f}" '
            f'y="{y + 14}">{safe(amount(name, totals[i]))}</text>'
        )
    return "".join([*parts, "</svg>", _legend(picture)])


def _legend(picture: Picture) -> str:
    if not picture.named:
        return ""
    names = (
        f'<li><span class="key s{n % _SERIES}"></span>{safe(s.name)}</li>'
        for n, s in enumerate(picture.series[:12])
    )
    return f'<ul class="legend">{"".join(names)}</ul>'
