"""Rows → what a chart shows, as numbers and labels that are safe to draw."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from ingest.errors import UsageProblem
from ingest.named_queries.library import NamedQuery
from ingest.render.cells import Result, escape_controls, is_number, plain, zone_label

MOST_BARS = 30  # more could not be labelled; they are said to be left out
MOST_ROWS = 20  # of a heat map
_LONGEST_LABEL = 48  # characters
_NONE = "(none)"  # the label of null

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour: ``x`` and ``y`` are aligned."""

    name: str
    x: tuple[Any, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines or bars; ``labels`` are the bars' places, in order; ``named``: with a legend."""

    title: str
    kind: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    labels: tuple[str, ...]
    named: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(s.y for s in self.series)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A value per pair of labels: ``cells`` has a row per y label, None where there is no row."""

    title: str
    x_title: str
    y_title: str
    value_title: str
    x_labels: tuple[str, ...]
    y_labels: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.cells

    def transposed(self) -> "HeatMap":
        """The same with the axes changed over."""
        return HeatMap(
            self.title, self.y_title, self.x_title, self.value_title, self.y_labels, self.x_labels,
            tuple(zip(*self.cells, strict=True)),
        )  # fmt: skip

    @property
    def span(self) -> tuple[float, float]:
        """The range of the colours: from 0, or a lower lowest value, to the highest."""
        values = [v for row in self.cells for v in row if v is not None]
        return min(values, default=0.0) if min(values, default=0.0) < 0 else 0.0, max(
            values, default=0.0
        )


def chart_data(query: NamedQuery, result: Result, tz: tzinfo | None) -> Picture | HeatMap:
    """What to draw of the rows; rows without a number are left out."""
    if query.chart.kind == "heatmap":
        return heat_map(query, result, tz)
    return picture(query, result, tz)


def picture(query: NamedQuery, result: Result, tz: tzinfo | None) -> Picture:
    """The rows as lines or bars."""
    place = {name: at for at, name in enumerate(result.columns)}
    x, ys, by = (query.chart.columns(key) for key in ("x", "y", "by"))
    is_line = query.chart.kind == "line"
    rows = [row for row in result.rows if any(number(row[place[y]]) is not None for y in ys)]
    at = place[x[0]]
    labels: tuple[str, ...] = ()
    note = ""
    bars = {} if is_line else {id(row): _bar_label([row[place[n]] for n in x], tz) for row in rows}
    if not is_line:
        labels, note = _most(dict.fromkeys(bars.values()), MOST_BARS)
    groups = _groups(rows, place, ys, by, tz)
    found = [
        Series(name, *_points(points, at, tz))
        if is_line
        else Series(name, labels, _heights(points, bars, labels))
        for name, points in groups.items()
    ]
    return Picture(
        title=query.question + note,
        kind=query.chart.kind,
        x_title=_x_title(", ".join(x), rows, at, tz),
        y_title=", ".join(ys),
        series=tuple(found),
        labels=labels,
        named=bool(by) or len(found) > 1,
    )


def _x_title(name: str, rows: Sequence[Row], at: int, tz: tzinfo | None) -> str:
    first = rows[0][at] if rows else None
    return f"{name} ({zone_label(tz, first)})" if isinstance(first, datetime) else name


def _groups(
    rows: Sequence[Row],
    place: Mapping[str, int],
    ys: Sequence[str],
    by: Sequence[str],
    tz: tzinfo | None,
) -> dict[str, list[tuple[Row, float]]]:
    """Rows and their values, by the series they are of."""
    groups: dict[str, list[tuple[Row, float]]] = {}
    for y in ys:
        for row in rows:
            value = number(row[place[y]])
            names = [label(row[place[b]], tz) for b in by]
            if len(ys) > 1 or not by:
                names.append(y)
            if value is not None:
                groups.setdefault(" ".join(names), []).append((row, value))
    return groups


def _points(
    points: Sequence[tuple[Row, float]], at: int, tz: tzinfo | None
) -> tuple[tuple[Any, ...], tuple[float, ...]]:
    """The points of a line, in their own zone; without those that have no place."""
    placed = [(row[at], value) for row, value in points if row[at] is not None]
    xs = tuple(x.astimezone(tz) if isinstance(x, datetime) else number(x) or 0.0 for x, _ in placed)
    return xs, tuple(value for _, value in placed)


def _bar_label(values: Sequence[object], tz: tzinfo | None) -> str:
    """A label of one value or several; of several, those that are null are left out."""
    known = [plain(v, tz) for v in values if v is not None]
    return label(" ".join(known), tz) if known else _NONE


def _heights(
    points: Iterable[tuple[Row, float]], bars: Mapping[int, str], labels: Sequence[str]
) -> tuple[float, ...]:
    """One height per label, equal labels added up; ``bars`` has each row's label, by identity."""
    heights = dict.fromkeys(labels, 0.0)
    for row, value in points:
        name = bars[id(row)]
        if name in heights:
            heights[name] += value
    return tuple(heights.values())


def heat_map(query: NamedQuery, result: Result, tz: tzinfo | None) -> HeatMap:
    """The rows as a heat map; an axis of many numbers is cut into ranges, values add up."""
    axes = query.chart.axes
    x, y, v = (result.columns.index(axes[key]) for key in ("x", "y", "value"))
    rows = [row for row in result.rows if number(row[v]) is not None]
    x_of = _axis([row[x] for row in rows], tz)
    y_of = _axis([row[y] for row in rows], tz)
    x_labels, x_note = _most(x_of.labels, MOST_BARS)
    y_labels, y_note = _most(y_of.labels, MOST_ROWS)
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        key = y_of.of(row[y]), x_of.of(row[x])
        found[key] = found.get(key, 0.0) + (number(row[v]) or 0.0)
    return HeatMap(
        title=query.question + (x_note or y_note),
        x_title=axes["x"],
        y_title=axes["y"],
        value_title=axes["value"],
        x_labels=x_labels,
        y_labels=y_labels,
        cells=tuple(tuple(found.get((a, b)) for b in x_labels) for a in y_labels),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """Labels in order; numbers in ranges of ``width`` where that is not None."""

    labels: tuple[str, ...]
    width: int | None
    tz: tzinfo | None

    def of(self, value: object) -> str:
        """The label of a value."""
        if self.width is None or value is None:
            return label(value, self.tz)
        return _range(int(value) // self.width, self.width)  # type: ignore[call-overload]


def _axis(values: Sequence[object], tz: tzinfo | None) -> _Axis:
    """Numbers ascending, many of them in ranges; other values in their order, null last."""
    known = list(dict.fromkeys(v for v in values if v is not None))
    last = [_NONE] if len(known) < len(set(values)) else []
    if not known or not all(isinstance(v, int) and not isinstance(v, bool) for v in known):
        return _Axis((*dict.fromkeys(label(v, tz) for v in known), *last), None, tz)
    whole = sorted(v for v in known if isinstance(v, int))
    most = MOST_BARS - len(last)
    width = next(w for w in _widths() if whole[-1] // w - whole[0] // w < most)
    bins: Iterable[int] = range(whole[0] // width, whole[-1] // width + 1)
    if len({v // width for v in whole}) < 3 <= len(whole) // 2:
        # a few values far out would press all others into one range: leave the empty ranges out
        width = next(w for w in _widths() if len({v // w for v in whole}) <= most)
        bins = sorted({v // width for v in whole})
    return _Axis((*(_range(b, width) for b in bins), *last), width, tz)


def _widths() -> Iterable[int]:
    """1, 2, 5, 10, 20, 50, ..."""
    return (step * 10**power for power in range(40) for step in (1, 2, 5))


def _range(at: int, width: int) -> str:
    return str(at) if width == 1 else f"{at * width}-{at * width + width - 1}"


def _most(labels: Iterable[str], most: int) -> tuple[tuple[str, ...], str]:
    """The first labels, and what is to be said of the others."""
    every = tuple(labels)
    more = len(every) - most
    return every[:most], f" ({more} more not drawn)" if more > 0 else ""


def label(value: object, tz: tzinfo | None) -> str:
    """A value as a label: short, on one line, without anything that steers a terminal."""
    text = _NONE if value is None else escape_controls(plain(value, tz))
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def number(value: object) -> float | None:
    """A value as a number that can be drawn, else None."""
    if not is_number(value) or not isinstance(value, int | float | Decimal):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def chart_library(name: str) -> Any:
    """A module of the optional libraries.

    :raises UsageProblem: when it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise UsageProblem(
            f"charts need {name}, which is not installed", "pip install 'ttsq[charts]'"
        ) from error
