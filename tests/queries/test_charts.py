"""Charts: what is drawn follows from the rows and the header; log text cannot steer them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.errors import QueryFileError, UsageProblem
from ingest.named_queries.library import NamedQuery, load_library, load_query, parse_query
from ingest.named_queries.values import bind_values
from ingest.render.cells import display_width
from ingest.render.chart_data import HeatMap, Picture, chart_data, heat_map, picture
from ingest.render.chart_files import file_chart
from ingest.render.chart_terminal import terminal_chart, time_ticks
from ingest.render.charts import write_chart
from ingest.render.formats import Look
from ingest.stores.contract import QueryResult
from tests.queries.rows import draw_rows, make_store
from tests.queries.test_contract import NOW, UTC

DRAWN = [q for q in load_library() if q.chart.kind != "none"]
LOOK = Look(80, UTC)
BY_LENGTH, BY_STAGE = load_query("failure_by_length"), load_query("failure_by_stage")
HOSTILE = "\x1b[31m$\\frac{1}{0}$<script>alert(1)</script>\u202e"


def by_length(*cells: tuple[object, object, object]) -> QueryResult:
    """Rows of failure_by_length: length, code, failures."""
    columns = tuple(c.name for c in BY_LENGTH.columns)
    return QueryResult(columns, [(n, code, failures, 100, 0.1) for n, code, failures in cells])


def by_stage(*cells: tuple[object, object, object]) -> QueryResult:
    """Rows of failure_by_stage: stage, code, failures."""
    columns = tuple(c.name for c in BY_STAGE.columns)
    return QueryResult(columns, [(stage, code, failures, 0.1) for stage, code, failures in cells])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QueryResult]:
    store = make_store(tmp_path_factory.mktemp("charts") / "s.duckdb", draw_rows(1))
    with store.reading() as reader:
        return {q.name: reader.query(q.sql, bind_values(q, {}, NOW, UTC)) for q in DRAWN}


@pytest.mark.parametrize("query", DRAWN, ids=lambda q: q.name)
@pytest.mark.parametrize(("suffix", "again"), [(".png", ".png"), (".svg", ".html")])
def test_every_chart_is_written_and_the_same_twice(
    query: NamedQuery,
    suffix: str,
    again: str,
    results: dict[str, QueryResult],
    tmp_path: Path,
) -> None:
    """A page of HTML has the picture of the svg file in it, to the last byte."""
    for name in (f"a{suffix}", f"b{again}"):
        write_chart(query, results[query.name], tmp_path / name, LOOK)
        begins = {".svg": b"<?xml", ".png": b"\x89PNG", ".html": b"<!doctype html>"}
        assert (tmp_path / name).read_bytes().startswith(begins[Path(name).suffix])
    first, second = (tmp_path / f"a{suffix}").read_bytes(), (tmp_path / f"b{again}").read_bytes()
    if suffix == ".svg":
        first, second = first[first.index(b"<svg") :], second[second.index(b"<svg") :]
    assert first == second


@pytest.mark.parametrize("query", DRAWN, ids=lambda q: q.name)
@pytest.mark.parametrize("width", [80, 160])
def test_every_chart_is_drawn_in_a_pipe_as_wide_as_asked(
    query: NamedQuery, width: int, results: dict[str, QueryResult],
    capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    write_chart(query, results[query.name], None, Look(width, UTC))
    shown = capsys.readouterr().out
    assert query.question in " ".join(shown.split())
    assert "\x1b" not in shown
    assert max(display_width(line) for line in shown.splitlines()) <= width


def test_bars_are_numbered_by_label_and_series() -> None:
    result = by_stage(("render", "A", 13), (None, "A", 1), ("render", "B", 2))
    drawn = picture(BY_STAGE, result, UTC)
    assert drawn.labels == ("render", "(none)")
    assert [(s.name, s.y) for s in drawn.series] == [("A", (13, 1)), ("B", (2, 0))]
    lines = terminal_chart(drawn, LOOK).splitlines()
    assert [line.split(" ▇")[0].strip() for line in lines[1:]] == ["render A", "render B", "(none) A"]  # fmt: skip  # noqa: E501
    assert [line.rsplit(" ", 1)[1] for line in lines[1:]] == ["13", "2", "1"]


def test_one_series_keeps_its_name() -> None:
    drawn = picture(BY_STAGE, by_stage(("render", "A", 13)), UTC)
    assert "render A " in terminal_chart(drawn, LOOK)
    assert b">A<" in file_chart(drawn, ".svg")


def test_a_bar_may_be_named_by_several_columns() -> None:
    query = load_query("error_groups")
    columns = tuple(c.name for c in query.columns)
    rows = [("ERROR", code, None, "it failed", n, 1, NOW, NOW) for n, code in ((2, "A"), (1, None))]
    drawn = picture(query, QueryResult(columns, rows), UTC)
    assert drawn.labels == ("A it failed", "it failed")


def test_lines_of_several_columns_and_of_several_values() -> None:
    latency = load_query("latency_over_time")
    columns = tuple(c.name for c in latency.columns)
    rows = [(NOW, 1, 10.0, 20.0, 30.0, 40.0), (NOW + timedelta(hours=1), 1, 11.0, None, 0, 0)]
    drawn = picture(latency, QueryResult(columns, rows), UTC)
    assert [(s.name, s.y) for s in drawn.series] == [("p50_ms", (10, 11)), ("p95_ms", (20,))]
    cache = load_query("cache_usage")
    columns = tuple(c.name for c in cache.columns)
    rows = [(NOW, "h1", path, 50.0, None, 1) for path in ("/a", "/b", "/a")]
    drawn = picture(cache, QueryResult(columns, rows), UTC)
    assert [(s.name, len(s.y)) for s in drawn.series] == [("h1 /a", 2), ("h1 /b", 1)]


def test_more_bars_than_can_be_labelled_are_counted() -> None:
    drawn = picture(BY_STAGE, by_stage(*((f"s{n}", "A", 50 - n) for n in range(50))), UTC)
    assert len(drawn.labels) == 30
    assert "(20 more not drawn)" in drawn.title


def test_a_heat_map_has_a_cell_for_every_pair() -> None:
    drawn = heat_map(BY_LENGTH, by_length((88, "B", 3), (86, "A", 13), (86, "B", 0), (None, None, 1)), UTC)  # fmt: skip  # noqa: E501
    assert drawn.x_labels == ("86", "87", "88", "(none)")
    assert drawn.y_labels == ("B", "A", "(none)")
    assert drawn.cells == ((0, None, 3, None), (13, None, None, None), (None, None, None, 1))
    assert drawn.span == (0, 13)


def test_many_lengths_fall_into_ranges_and_nothing_is_lost() -> None:
    drawn = heat_map(BY_LENGTH, by_length(*((n, "A", 1) for n in range(13, 600))), UTC)
    assert drawn.x_labels[:2] == ("0-19", "20-39")
    assert drawn.x_labels[-1] == "580-599"
    assert drawn.cells[0][:2] == (7, 20)
    assert sum(v or 0 for v in drawn.cells[0]) == 587


def test_one_length_far_out_does_not_hide_the_others() -> None:
    far = 9 * 10**18
    drawn = heat_map(BY_LENGTH, by_length(*((n, "A", 1) for n in (*range(10), far))), UTC)
    assert drawn.x_labels == (*map(str, range(10)), str(far))


@pytest.mark.parametrize("many", ["x", "y"])
def test_more_categories_than_can_be_drawn_are_counted(many: str) -> None:
    query = load_query("failure_by_cause")
    columns = tuple(c.name for c in query.columns)
    rows: list[tuple[Any, ...]] = [
        (
            f"k{n}" if many == "y" else "k",
            f"C{n}" if many == "x" else "C",
            50 - n,
            1,
            1,
            1,
            1,
            "code",
        )
        for n in range(50)
    ]
    drawn = heat_map(query, QueryResult(columns, rows), UTC)
    assert (len(drawn.x_labels), len(drawn.y_labels)) == ((30, 1) if many == "x" else (1, 20))
    assert f"({20 if many == 'x' else 30} more not drawn)" in drawn.title
    shown = terminal_chart(drawn, LOOK)
    assert f"{'C29' if many == 'x' else 'k19'} " in shown


def test_a_heat_map_in_the_terminal_has_numbers_shades_and_colours() -> None:
    drawn = heat_map(BY_LENGTH, by_length((86, "A", 10), (87, "A", 1), (88, "B", 0)), UTC)
    shown = terminal_chart(drawn, LOOK)
    cells = [line.split() for line in shown.splitlines()[4:]]
    assert cells == [["86", "10", "█", "·"], ["87", "1", "░", "·"], ["88", "·", "0"]]
    coloured = terminal_chart(drawn, Look(80, UTC, is_terminal=True))
    assert "\x1b[" in coloured


def test_columns_of_a_heat_map_that_do_not_fit_are_counted() -> None:
    rows = [(n, f"CODE_{code}", 1) for n in range(20) for code in range(19)]
    shown = terminal_chart(heat_map(BY_LENGTH, by_length(*rows), UTC), LOOK)
    left_out = int(shown.splitlines()[-1].removeprefix("no room for: ").removesuffix(" more"))
    assert 0 < left_out < 19
    assert f"CODE_{18 - left_out}" in shown
    assert f"CODE_{19 - left_out}" not in shown


@pytest.mark.parametrize("draw", [by_length, by_stage], ids=["heat map", "bars"])
@pytest.mark.parametrize("suffix", [".svg", ".html", ".png", None])
def test_log_text_is_shown_not_run(draw: Any, suffix: str | None) -> None:
    query = BY_LENGTH if draw is by_length else BY_STAGE
    result = draw((1 if draw is by_length else HOSTILE, HOSTILE, 3), (2, "B", 1))
    drawn = chart_data(query, result, UTC)
    if suffix == ".png":
        assert file_chart(drawn, suffix).startswith(b"\x89PNG")
        return
    shown = file_chart(drawn, suffix).decode() if suffix else terminal_chart(drawn, LOOK)
    assert not {"\x1b", "\u202e"} & set(shown)
    assert suffix is None or "<script" not in shown
    assert "frac{1}" in "".join(shown.split())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("query", [BY_LENGTH, BY_STAGE], ids=lambda q: q.name)
def test_chinese_labels_are_drawn(query: NamedQuery) -> None:
    draw: Any = by_length if query is BY_LENGTH else by_stage
    drawn = chart_data(query, draw((86, "模型加载失败", 3), (86, "B", 1)), UTC)
    assert "模型加载失败" in terminal_chart(drawn, LOOK)
    assert "模型加载失败" in file_chart(drawn, ".svg").decode()
    assert file_chart(drawn, ".png").startswith(b"\x89PNG")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("query", DRAWN, ids=lambda q: q.name)
@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_drawn(
    query: NamedQuery, count: int, results: dict[str, QueryResult], tmp_path: Path
) -> None:
    whole = results[query.name]
    few = QueryResult(whole.columns, whole.rows[:count])
    write_chart(query, few, tmp_path / "x.png", LOOK)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("query", [BY_LENGTH, BY_STAGE], ids=lambda q: q.name)
def test_rows_without_numbers_are_said_to_be_nothing(
    query: NamedQuery, capsys: pytest.CaptureFixture[str]
) -> None:
    draw: Any = by_length if query is BY_LENGTH else by_stage
    write_chart(query, draw((86, "A", None), (87, "B", float("nan"))), None, LOOK)
    assert capsys.readouterr().out == "nothing to draw: no row has a number as failures\n"


def test_times_are_marked_at_round_instants_of_the_zone() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    first = datetime(2026, 3, 2, 6, 7, tzinfo=zone)
    ticks = time_ticks(first, first + timedelta(hours=24), 5)
    assert [t.strftime("%d %H:%M") for t in ticks] == ["02 12:00", "02 18:00", "03 00:00", "03 06:00"]  # fmt: skip  # noqa: E501
    for seconds in (0, 1, 59, 3600, 10**6, 10**9):
        assert 1 <= len(time_ticks(first, first + timedelta(seconds=seconds), 5)) <= 6


def test_charts_of_headers_are_checked() -> None:
    text = BY_LENGTH.path.read_text(encoding="utf-8")
    chart = "heatmap x=text_len y=error_code value=failures"
    for wrong, why in (
        ("heatmap x=text_len y=error_code", "lacks value="),
        ("heatmap x=text_len y=error_code,requests value=failures", "takes one column as y="),
        ("heatmap x=text_len y=error_code value=failures by=requests", "knows no by="),
        ("line x=text_len,requests y=failures", "takes one column as x="),
        ("bars x=text_len y=failures,loudness", "names no column: loudness"),
    ):
        with pytest.raises(QueryFileError, match=why):
            parse_query(text.replace(chart, wrong), BY_LENGTH.path)


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="no chart suits the rows of cache_alert"):
        write_chart(load_query("cache_alert"), QueryResult((), []), None, LOOK)
    with pytest.raises(UsageProblem, match=r"cannot be written as x\.csv"):
        write_chart(BY_LENGTH, by_length(), tmp_path / "x.csv", LOOK)


def test_an_empty_chart_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    look = Look(80, UTC, explain_empty="no rows: nothing has been ingested yet")
    write_chart(BY_LENGTH, by_length(), None, look)
    assert capsys.readouterr().out == "no rows: nothing has been ingested yet\n"


def test_kinds_are_those_of_the_header() -> None:
    for query in DRAWN:
        drawn = chart_data(query, QueryResult(tuple(c.name for c in query.columns), []), UTC)
        assert isinstance(drawn, HeatMap if query.chart.kind == "heatmap" else Picture)
        assert drawn.is_empty
