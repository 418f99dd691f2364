"""Charts as the content of svg, png or html files, by matplotlib."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import Any

from ingest.render.cells import short_number
from ingest.render.chart_data import HeatMap, Picture, chart_library

_WIDE = 10.0  # inches: a picture that fits a page
_LINE_HIGH, _LEAST_HIGH = 5.0, 2.4  # inches
_BAR_HIGH, _FRAME_HIGH = 0.28, 1.2  # inches a bar; title, axis and its name
_AROUND = timedelta(minutes=30)  # shown before and after a line's only instant
_LABEL_PAD = 8  # points between an axis and its name
_MANY_POINTS = 60  # of a line: beyond it single points are not marked
_CROWDED = 8  # characters that the labels of a heat map's columns may have without being turned
# Fonts for what the first one has no signs for, of usual systems; those that are installed are
# taken.
_FONTS = (
    "DejaVu Sans", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei",
    "Arial Unicode MS", "Noto Sans", "Noto Emoji",
)  # fmt: skip


def file_chart(drawn: Picture | HeatMap, suffix: str) -> bytes:
    """The chart as a file of a suffix of ``PICTURES``; equal data give equal bytes."""
    matplotlib = chart_library("matplotlib")
    matplotlib.use("Agg")
    fonts = _installed_fonts()
    # Texts of logs must not be taken for formulas.
    options = {
        "text.parse_math": False,
        "svg.hashsalt": "ttsq",
        "svg.fonttype": "none",
        "font.family": list(fonts),
    }
    if suffix == ".png":
        drawn = _drawable(drawn, _signs(fonts))
    from matplotlib import pyplot as plt

    with matplotlib.rc_context(options):
        figure, axis = plt.subplots(figsize=(_WIDE, _high(drawn)), layout="constrained")
        if isinstance(drawn, HeatMap):
            _draw_heat_map(figure, axis, drawn)
        else:
            _draw(axis, drawn)
        if drawn.is_empty:
            axis.text(0.5, 0.5, "nothing to draw", ha="center", transform=axis.transAxes)
            axis.set(xticks=[], yticks=[])
        out: Any = BytesIO()
        if suffix == ".png":
            figure.savefig(out, format="png", dpi=120, metadata={"Software": None})
        else:
            _save_svg(figure, out)
        plt.close(figure)
    content = bytes(out.getvalue())
    return _html(drawn, content) if suffix == ".html" else content


def _save_svg(figure: Any, out: Any) -> None:
    """Letters stay letters, so that fonts are the reader's: what ours lack is no matter."""
    from warnings import catch_warnings, simplefilter

    with catch_warnings():
        simplefilter("ignore", UserWarning)
        figure.savefig(out, format="svg", metadata={"Date": None})


def _high(drawn: Picture | HeatMap) -> float:
    """Inches, so that every label has a line of its own and one bar is no wall."""
    if isinstance(drawn, HeatMap):
        turned = 1.0 if _is_turned(drawn) else 0.0
        return max(_LEAST_HIGH, 0.42 * len(drawn.y_labels) + _FRAME_HIGH) + turned
    if drawn.kind == "line":
        return _LINE_HIGH
    return max(_LEAST_HIGH, _BAR_HIGH * len(drawn.labels) + _FRAME_HIGH)


def _installed_fonts() -> tuple[str, ...]:
    names = set(chart_library("matplotlib.font_manager").get_font_names())
    return tuple(f for f in _FONTS if f in names)


def _signs(fonts: Sequence[str]) -> set[int]:
    """Code points that the fonts have signs for."""
    manager = chart_library("matplotlib.font_manager")
    found: set[int] = set()
    for name in fonts:
        path = manager.findfont(manager.FontProperties(family=name))
        found |= set(manager.get_font(path).get_charmap())
    return found


def _drawable(drawn: Picture | HeatMap, signs: set[int]) -> Picture | HeatMap:
    """The same with labels that can be drawn: what no font has is written as its code."""

    def shown(text: str) -> str:
        return "".join(c if ord(c) in signs else c.encode("unicode_escape").decode() for c in text)

    if isinstance(drawn, HeatMap):
        return replace(
            drawn,
            x_labels=tuple(map(shown, drawn.x_labels)),
            y_labels=tuple(map(shown, drawn.y_labels)),
        )
    series = tuple(replace(s, name=shown(s.name)) for s in drawn.series)
    return replace(drawn, labels=tuple(map(shown, drawn.labels)), series=series)


def _draw(axis: Any, drawn: Picture) -> None:
    if drawn.kind == "line":
        _draw_lines(axis, drawn)
    else:
        _draw_bars(axis, drawn)
    axis.set_title(drawn.title)
    axis.yaxis.labelpad = _LABEL_PAD
    axis.spines[["top", "right"]].set_visible(False)
    if drawn.named and drawn.series:
        axis.legend(loc="best", frameon=False)


def _draw_lines(axis: Any, drawn: Picture) -> None:
    ticker = chart_library("matplotlib.ticker")
    for series in drawn.series:
        marker = "." if len(series.x) <= _MANY_POINTS else ""
        axis.plot(series.x, series.y, label=series.name, marker=marker)
    places = [x for s in drawn.series for x in s.x]
    if places and isinstance(places[0], datetime):
        dates = chart_library("matplotlib.dates")
        locator = dates.AutoDateLocator(tz=places[0].tzinfo)
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=places[0].tzinfo))
        if len(set(places)) == 1:  # else matplotlib shows years around it
            axis.set_xlim(places[0] - _AROUND, places[0] + _AROUND)
    elif all(float(x).is_integer() for x in places):
        axis.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axis.set(xlabel=drawn.x_title, ylabel=drawn.y_title)
    axis.yaxis.set_major_formatter(ticker.FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.grid(axis="y", alpha=0.3)
    highest = max((y for s in drawn.series for y in s.y), default=0.0)
    axis.set_ylim(bottom=min(0.0, *(y for s in drawn.series for y in s.y), 0.0))
    if highest <= 0:
        axis.set_ylim(top=1.0)


def _draw_bars(axis: Any, drawn: Picture) -> None:
    ticker = chart_library("matplotlib.ticker")
    left = [0.0] * len(drawn.labels)
    for series in drawn.series:
        axis.barh(range(len(left)), series.y, left=left, label=series.name, height=0.7)
        left = [a + b for a, b in zip(left, series.y, strict=True)]
    for place, height in enumerate(left):
        axis.annotate(
            short_number(height), (height, place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize="small",
        )  # fmt: skip
    axis.set_yticks(range(len(left)), drawn.labels)
    axis.set_ylim(len(left) - 0.5 if left else 0.5, -0.5)
    highest = max(left, default=0.0)
    axis.set_xlim(0, highest * 1.1 if highest > 0 else 1.0)  # room for the last number
    axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set(xlabel=drawn.y_title, ylabel=drawn.x_title)


def _is_turned(drawn: HeatMap) -> bool:
    room = max(_CROWDED, 90 // max(1, len(drawn.x_labels)))
    return any(len(label) > room for label in drawn.x_labels) or len(drawn.x_labels) > 14


def _draw_heat_map(figure: Any, axis: Any, drawn: HeatMap) -> None:
    import numpy as np

    low, high = drawn.span
    values = np.array([[np.nan if v is None else v for v in row] for row in drawn.cells], float)
    values = values.reshape(len(drawn.y_labels), len(drawn.x_labels))
    if values.size:
        image = axis.imshow(
            np.ma.masked_invalid(values), aspect="auto", cmap="YlOrRd", vmin=low, vmax=high or 1.0
        )
        figure.colorbar(image, ax=axis, label=drawn.value_title, pad=0.01)
    crowded = len(drawn.x_labels) > 20
    for y, row in enumerate(drawn.cells):
        for x, value in enumerate(row):
            dark = value is not None and high > low and (value - low) / (high - low) > 0.6
            axis.text(
                x, y, "·" if value is None else short_number(value), ha="center", va="center",
                color="white" if dark else "black" if value else "0.6",
                fontsize=7 if crowded else 9,
            )  # fmt: skip
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if _is_turned(drawn) else {}
    axis.set_xticks(range(len(drawn.x_labels)), drawn.x_labels, **turned)
    axis.set_yticks(range(len(drawn.y_labels)), drawn.y_labels)
    axis.set(xlabel=drawn.x_title, ylabel=drawn.y_title, title=drawn.title)
    axis.yaxis.labelpad = _LABEL_PAD


def _html(drawn: Picture | HeatMap, svg: bytes) -> bytes:
    from html import escape

    out = StringIO()
    out.write('<!doctype html>\n<meta charset="utf-8">\n')
    out.write(f"<title>{escape(drawn.title)}</title>\n")
    text = svg.decode()
    out.write(text[text.index("<svg") :])
    return out.getvalue().encode()
