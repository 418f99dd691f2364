"""Rows → the picture that the query's header says suits them: in the terminal, or as svg, png or html.

plotext draws in the terminal, matplotlib in files; both come with ``pip install 'ttsq[charts]'``.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from ingest.errors import UsageProblem
from ingest.named_queries import NamedQuery
from ingest.report import Look, replace_file
from ingest.report_values import Result, display_width, escape_controls, plain, zone_label

PICTURES = (".svg", ".png", ".html")
_WIDTH, _HEIGHT = 100, 24  # cells, where the terminal does not say
_INCHES = (10, 5)  # a picture that fits a page
_MOST_BARS = 30  # more could not be labelled; they are said to be left out
_LONGEST_LABEL = 32  # characters


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour: ``x`` and ``y`` are aligned."""

    name: str
    x: tuple[Any, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw; ``labels`` are the places of bars, in order, and empty for lines."""

    title: str
    kind: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    labels: tuple[str, ...]


def write_chart(query: NamedQuery, result: Result, path: Path | None, look: Look) -> None:
    """Draw the rows in the terminal, or into a file of one of :data:`PICTURES`.

    :raises UsageProblem: for a query that no chart suits, a suffix that is no picture, or a library that is missing.
    """
    if path is not None and path.suffix.lower() not in PICTURES:
        raise UsageProblem(
            f"a chart cannot be written as {path.name}", f"name it with {', '.join(PICTURES)}"
        )
    if query.chart.kind == "none":
        raise UsageProblem(
            f"no chart suits the rows of {query.name}", "leave --chart out to get a table"
        )
    if not result.rows and path is None:
        sys.stdout.write(look.explain_empty + "\n")
        return
    drawn = picture(query, result, look.tz)
    if path is None:
        sys.stdout.write(terminal_chart(drawn, look))
    else:
        replace_file(path, file_chart(drawn, path.suffix.lower(), look.tz))


def picture(query: NamedQuery, result: Result, tz: tzinfo | None) -> Picture:
    """The rows as series of numbers; rows without a number on the y axis are left out."""
    axes = query.chart.axes
    place = {name: result.columns.index(name) for name in axes.values()}
    rows = [row for row in result.rows if row[place[axes["y"]]] is not None]
    is_line = query.chart.kind == "line"
    x_title = axes["x"]
    first = rows[0][place[x_title]] if rows else None
    if isinstance(first, datetime):
        x_title = f"{x_title} ({zone_label(tz, first)})"
    labels = () if is_line else _labels(rows, place[axes["x"]], tz)
    left_out = 0
    if len(labels) > _MOST_BARS:
        left_out, labels = len(labels) - _MOST_BARS, labels[:_MOST_BARS]
    series = _series(rows, place, axes, tz, labels if not is_line else None)
    note = f" ({left_out} more not drawn)" if left_out else ""
    return Picture(query.question + note, query.chart.kind, x_title, axes["y"], series, labels)


def _labels(rows: Sequence[tuple[object, ...]], x: int, tz: tzinfo | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_label(row[x], tz) for row in rows))


def _label(value: object, tz: tzinfo | None) -> str:
    text = "(none)" if value is None else escape_controls(plain(value, tz))
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _series(
    rows: Sequence[tuple[object, ...]],
    place: dict[str, int],
    axes: Any,
    tz: tzinfo | None,
    labels: Sequence[str] | None,
) -> tuple[Series, ...]:
    """Lines have the rows' own x; bars one height a label, those of equal labels added up."""
    x, y = place[axes["x"]], place[axes["y"]]
    groups: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        name = _label(row[place[axes["by"]]], tz) if "by" in axes else axes["y"]
        groups.setdefault(name, []).append(row)
    found = []
    for name, group in groups.items():
        if labels is None:
            xs = tuple(
                v.astimezone(tz) if isinstance(v, datetime) else v for v in (r[x] for r in group)
            )
            found.append(Series(name, xs, tuple(_number(row[y]) for row in group)))
            continue
        heights = dict.fromkeys(labels, 0.0)
        for row in group:
            label = _label(row[x], tz)
            if label in heights:
                heights[label] += _number(row[y])
        found.append(Series(name, tuple(labels), tuple(heights.values())))
    return tuple(found)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | Decimal) else 0.0


def terminal_chart(drawn: Picture, look: Look) -> str:
    """The picture in characters, without colour where the output is no terminal."""
    plt = _library("plotext")
    plt.clear_figure()
    width = look.width or _WIDTH
    if drawn.kind == "line":
        plt.plotsize(width, _HEIGHT)
        _plot_lines(plt, drawn)
        plt.title(drawn.title)
        plt.xlabel(drawn.x_title)
    else:
        labels, heights = _flat_bars(drawn)
        plt.simple_bar(labels, heights, width=width, title=f"{drawn.title}  {drawn.y_title}")
    shown = str(plt.build())
    if not look.is_terminal:
        shown = str(plt.uncolorize(shown))
    return "".join(line.rstrip() + "\n" for line in shown.splitlines())


def _flat_bars(drawn: Picture) -> tuple[list[str], list[float]]:
    """A line a bar, since colours alone would not tell series apart in every terminal."""
    found = [
        (label if len(drawn.series) == 1 else f"{label} {series.name}", height)
        for place, label in enumerate(drawn.labels)
        for series in drawn.series
        for height in [series.y[place]]
        if height or len(drawn.series) == 1
    ]
    widest = max((display_width(label) for label, _ in found), default=0)
    labels = [label + " " * (widest - display_width(label)) for label, _ in found]
    return labels, [height for _, height in found]


def _plot_lines(plt: Any, drawn: Picture) -> None:
    for series in drawn.series:
        xs = [v.timestamp() if isinstance(v, datetime) else float(v) for v in series.x]
        label = series.name if len(drawn.series) > 1 else None
        plt.plot(xs, list(series.y), label=label, marker="braille")
    moments = sorted(v for s in drawn.series for v in s.x if isinstance(v, datetime))
    if moments:
        ticks = [moments[len(moments) * n // 6] for n in range(6)] + [moments[-1]]
        same_day = moments[0].date() == moments[-1].date()
        form = "%H:%M" if same_day else "%m-%d %H:%M"
        plt.xticks([t.timestamp() for t in ticks], [t.strftime(form) for t in ticks])
    plt.ylabel(drawn.y_title)


def file_chart(drawn: Picture, suffix: str, tz: tzinfo | None) -> bytes:
    """The picture as the content of a file."""
    matplotlib = _library("matplotlib")
    matplotlib.use("Agg")
    # Texts of logs must not be taken for formulas, and the same rows must give the same bytes.
    options = {"text.parse_math": False, "svg.hashsalt": "ttsq", "svg.fonttype": "none"}
    from matplotlib import pyplot as plt

    with matplotlib.rc_context(options):
        figure, axis = plt.subplots(figsize=_INCHES, layout="constrained")
        _draw(axis, drawn, tz)
        out: Any = BytesIO()
        if suffix == ".png":
            figure.savefig(out, format="png", dpi=120, metadata={"Software": None})
        else:
            figure.savefig(out, format="svg", metadata={"Date": None})
        plt.close(figure)
    content = bytes(out.getvalue())
    return _html(drawn, content) if suffix == ".html" else content


def _draw(axis: Any, drawn: Picture, tz: tzinfo | None) -> None:
    if drawn.kind == "line":
        for series in drawn.series:
            axis.plot(series.x, series.y, label=series.name)
        if drawn.series and drawn.series[0].x and isinstance(drawn.series[0].x[0], datetime):
            dates: Any = _library("matplotlib.dates")
            locator = dates.AutoDateLocator(tz=drawn.series[0].x[0].tzinfo)
            axis.xaxis.set_major_locator(locator)
            axis.xaxis.set_major_formatter(
                dates.ConciseDateFormatter(locator, tz=drawn.series[0].x[0].tzinfo)
            )
        axis.set(xlabel=drawn.x_title, ylabel=drawn.y_title)
        axis.set_ylim(bottom=0)
    else:
        left = [0.0] * len(drawn.labels)
        for series in drawn.series:
            axis.barh(range(len(left)), series.y, left=left, label=series.name)
            left = [a + b for a, b in zip(left, series.y, strict=True)]
        axis.set_yticks(range(len(left)), drawn.labels)
        axis.invert_yaxis()
        axis.set(xlabel=drawn.y_title, ylabel=drawn.x_title)
    axis.set_title(drawn.title)
    if len(drawn.series) > 1:
        axis.legend()


def _html(drawn: Picture, svg: bytes) -> bytes:
    from html import escape

    out = StringIO()
    out.write('<!doctype html>\n<meta charset="utf-8">\n')
    out.write(f"<title>{escape(drawn.title)}</title>\n")
    text = svg.decode()
    out.write(text[text.index("<svg") :])
    return out.getvalue().encode()


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise UsageProblem(
            f"charts need {name}, which is not installed", "pip install 'ttsq[charts]'"
        ) from error
