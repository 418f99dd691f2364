"""Charts in characters: lines and bars by plotext, heat maps by rich."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from ingest.render.cells import display_width, short_number
from ingest.render.chart_data import HeatMap, Picture, chart_library
from ingest.render.formats import Look

_WIDTH, _HEIGHT = 100, 24  # cells, where the terminal does not say
_LEAST_LABEL = 12  # cells
_MARKERS = ("braille", "x", "o", "+", "*")  # of lines that no colour tells apart
_SHADES = " ░▒▓█"  # from little to much, for those who see no colour
_TICK = 16  # cells that a stamp on the time axis takes, with space around it
_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)


def terminal_chart(drawn: Picture | HeatMap, look: Look) -> str:
    """The chart in characters, without colour where the output is no terminal."""
    width = look.width or _WIDTH
    if isinstance(drawn, HeatMap):
        shown = _heat_map(drawn, width, look.is_terminal)
    else:
        plt = chart_library("plotext")
        plt.clear_figure()
        shown = (
            _lines(plt, drawn, width, look) if drawn.kind == "line" else _bars(plt, drawn, width)
        )
        if not look.is_terminal:
            shown = str(plt.uncolorize(shown))
    return "".join(line.rstrip() + "\n" for line in shown.splitlines())


def _bars(plt: Any, drawn: Picture, width: int) -> str:
    """A line a bar, since colours alone would not tell series apart in every terminal."""
    names = max((display_width(s.name) for s in drawn.series), default=0)
    most = max(width // 2 - names - 1, _LEAST_LABEL)
    found = [
        (f"{_shortened(label, most)} {series.name}" if drawn.named else label, height)
        for place, label in enumerate(drawn.labels)
        for series in drawn.series
        for height in [series.y[place]]
        if height or not drawn.named
    ]
    labels = _padded([_shortened(label, width // 2) for label, _ in found])
    values = [short_number(height) for _, height in found]
    theirs = [f"{height:.2f}" for _, height in found]
    # plotext writes two decimals at the end of each line; ours may take more room
    more = max((len(a) - len(b) for a, b in zip(values, theirs, strict=True)), default=0)
    plt.simple_bar(
        labels,
        [max(height, 0.0) for _, height in found],
        width=width - max(more, 0),
        title=f"{drawn.title}  {drawn.y_title}",
    )
    title, *lines = str(plt.build()).splitlines()
    lines = [line.rpartition(" ")[0] + " " + v for line, v in zip(lines, values, strict=True)]
    return "\n".join([title, *lines])


def _padded(labels: list[str]) -> list[str]:
    widest = max((display_width(label) for label in labels), default=0)
    return [label + " " * (widest - display_width(label)) for label in labels]


def _shortened(label: str, most: int) -> str:
    """A label of at most so many cells."""
    if display_width(label) <= most:
        return label
    while label and display_width(label) >= most:
        label = label[:-1]
    return label + "…"


def _lines(plt: Any, drawn: Picture, width: int, look: Look) -> str:
    plt.plotsize(width, _HEIGHT)
    for place, series in enumerate(drawn.series):
        xs = [v.timestamp() if isinstance(v, datetime) else float(v) for v in series.x]
        label = series.name if drawn.named else None
        marker = _MARKERS[0 if look.is_terminal else place % len(_MARKERS)]
        marker = marker if len(xs) > 1 else "●"
        plt.plot(xs, list(series.y), label=label, marker=marker)
    moments = [v for s in drawn.series for v in s.x if isinstance(v, datetime)]
    if moments:
        ticks = time_ticks(min(moments), max(moments), max(2, width // _TICK))
        form = "%H:%M" if min(moments).date() == max(moments).date() else "%m-%d %H:%M"
        plt.xticks([t.timestamp() for t in ticks], [t.strftime(form) for t in ticks])
    else:
        places = [float(v) for s in drawn.series for v in s.x]
        _whole_ticks(plt, places)
    top = max((v for s in drawn.series for v in s.y), default=0.0)
    plt.ylim(min(0.0, *(v for s in drawn.series for v in s.y), 0.0), top or 1.0)
    plt.title(drawn.title)
    plt.xlabel(drawn.x_title)
    plt.ylabel(drawn.y_title)
    return str(plt.build())


def _whole_ticks(plt: Any, places: list[float]) -> None:
    if not places or not all(p.is_integer() for p in places):
        return
    low, high = int(min(places)), int(max(places))
    step = max(1, -(-(high - low) // 8))
    ticks = [*range(low, high + 1, step)]
    plt.xticks(ticks, [str(t) for t in ticks])


def time_ticks(first: datetime, last: datetime, most: int) -> list[datetime]:
    """Round instants between two, in their zone, at most ``most``; at least the first instant."""
    seconds = (last - first).total_seconds()
    step = next(
        (s for s in _STEPS if seconds / s < most), 604_800 * (1 + int(seconds / 604_800 / most))
    )
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight
    found = []
    while at <= last:
        if at >= first:
            found.append(at)
        at = (at.replace(tzinfo=None) + timedelta(seconds=step)).replace(tzinfo=first.tzinfo)
    return found or [first]


def _heat_map(drawn: HeatMap, width: int, is_terminal: bool) -> str:
    """A table whose cells are coloured and shaded; the axis with more labels goes down the page."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if len(drawn.x_labels) > len(drawn.y_labels):
        drawn = drawn.transposed()
    title = f"{drawn.title}  {drawn.value_title}"
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(Text(f"{drawn.y_title} \\ {drawn.x_title}"), overflow="fold")
    shown = _columns_that_fit(drawn, width)
    for label in drawn.x_labels[:shown]:
        table.add_column(Text(label), justify="right", overflow="fold", min_width=6)
    for label, cells in zip(drawn.y_labels, drawn.cells, strict=True):
        table.add_row(Text(label), *(_cell(value, drawn.span) for value in cells[:shown]))
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=is_terminal, emoji=False, highlight=False,
        color_system="256" if is_terminal else None,
    )  # fmt: skip
    console.print(Text(title, style="bold"), Text(), table, sep="\n")
    left_out = len(drawn.x_labels) - shown
    return out.getvalue() + (f"no room for: {left_out} more\n" if left_out else "")


def _columns_that_fit(drawn: HeatMap, width: int) -> int:
    labels = [display_width(label) for label in drawn.y_labels]
    room = width - min(max(labels, default=0), width // 3)
    return max(1, min(len(drawn.x_labels), room // 9))


def _cell(value: float | None, span: tuple[float, float]) -> Any:
    from rich.style import Style
    from rich.text import Text

    if value is None:
        return Text("·  ", style="dim")
    share = (value - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 0.0
    shade = _SHADES[
        min(len(_SHADES) - 1, round(share * (len(_SHADES) - 1) + (0.49 if share else 0)))
    ]
    # from dark blue-grey to red of the 256 colours; white letters read on all of them
    heat = (236, 60, 96, 132, 160)[min(4, int(share * 5))]
    style = Style(color="color(255)", bgcolor=f"color({heat})") if share else Style()
    return Text(f"{short_number(value)} {shade}", style=style)
