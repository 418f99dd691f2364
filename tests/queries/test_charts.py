"""Charts: what is drawn follows from the rows and the header; log text cannot steer them."""

from pathlib import Path

import pytest

from ingest.backends.base import QueryResult
from ingest.charts import picture, terminal_chart, write_chart
from ingest.errors import UsageProblem
from ingest.named_queries import NamedQuery, load_library, load_query
from ingest.query_values import bind_values
from ingest.report import Look
from tests.queries.rows import draw_rows, make_store
from tests.queries.test_contract import NOW, UTC

DRAWN = [q for q in load_library() if q.chart.kind != "none"]
LOOK = Look(80, UTC)
BY_LENGTH = load_query("failure_by_length")
COLUMNS = tuple(c.name for c in BY_LENGTH.columns)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QueryResult]:
    store = make_store(tmp_path_factory.mktemp("charts") / "s.duckdb", draw_rows(1))
    with store.reading() as reader:
        return {q.name: reader.query(q.sql, bind_values(q, {}, NOW, UTC)) for q in DRAWN}


@pytest.mark.parametrize("query", DRAWN, ids=lambda q: q.name)
@pytest.mark.parametrize("suffix", [".svg", ".png", ".html"])
def test_every_chart_is_written_and_the_same_twice(
    query: NamedQuery, suffix: str, results: dict[str, QueryResult], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_chart(query, results[query.name], tmp_path / f"{name}{suffix}", LOOK)
    first = (tmp_path / f"a{suffix}").read_bytes()
    assert first == (tmp_path / f"b{suffix}").read_bytes()
    begins = {".svg": b"<?xml", ".png": b"\x89PNG", ".html": b"<!doctype html>"}[suffix]
    assert first.startswith(begins)


@pytest.mark.parametrize("query", DRAWN, ids=lambda q: q.name)
def test_every_chart_is_drawn_in_a_pipe_without_control_characters(
    query: NamedQuery, results: dict[str, QueryResult], capsys: pytest.CaptureFixture[str]
) -> None:
    write_chart(query, results[query.name], None, LOOK)
    shown = capsys.readouterr().out
    assert query.question in shown
    assert "\x1b" not in shown


def test_bars_are_one_a_label_and_series() -> None:
    rows = [(86, "A", 13, 67, 0.1), (86, "B", 2, 67, 0.1), (None, "A", 1, 1, 1.0)]
    drawn = picture(BY_LENGTH, QueryResult(COLUMNS, rows), UTC)
    assert drawn.labels == ("86", "(none)")
    assert [(s.name, s.y) for s in drawn.series] == [("A", (13, 1)), ("B", (2, 0))]
    lines = terminal_chart(drawn, LOOK).splitlines()
    assert [line.split(" ▇")[0].strip() for line in lines[1:]] == ["86 A", "86 B", "(none) A"]


def test_more_bars_than_can_be_labelled_are_counted() -> None:
    rows = [(n, "A", 50 - n, 50, 0.1) for n in range(50)]
    drawn = picture(BY_LENGTH, QueryResult(COLUMNS, rows), UTC)
    assert len(drawn.labels) == 30
    assert "(20 more not drawn)" in drawn.title


def test_log_text_is_shown_not_run(tmp_path: Path) -> None:
    rows = [(1, "\x1b[31m$\\frac{1}{0}$<script>", 3, 3, 1.0), (2, "B", 1, 1, 1.0)]
    result = QueryResult(COLUMNS, rows)
    assert "\x1b" not in terminal_chart(picture(BY_LENGTH, result, UTC), LOOK)
    write_chart(BY_LENGTH, result, tmp_path / "x.html", LOOK)
    assert "<script>" not in (tmp_path / "x.html").read_text()


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="no chart suits the rows of cache_alert"):
        write_chart(load_query("cache_alert"), QueryResult((), []), None, LOOK)
    with pytest.raises(UsageProblem, match=r"cannot be written as x\.csv"):
        write_chart(BY_LENGTH, QueryResult(COLUMNS, []), tmp_path / "x.csv", LOOK)


def test_an_empty_chart_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    look = Look(80, UTC, explain_empty="no rows: nothing has been ingested yet")
    write_chart(BY_LENGTH, QueryResult(COLUMNS, []), None, look)
    assert capsys.readouterr().out == "no rows: nothing has been ingested yet\n"
