"""Rows as table, csv, json, jsonl, markdown and parquet; on the terminal and in files."""

import csv
import io
import json
import os
import re
import stat
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import StoreError, UsageProblem
from ingest.render.cells import display_width, escape_controls, exact_number, short_number
from ingest.render.chosen import only_columns
from ingest.render.formats import Look, format_of, render, write_file
from ingest.render.table import Column, folded, unfolded
from ingest.stores.contract import QueryResult

AT = datetime(2026, 3, 2, 6, 22, 37, 892000, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
ROWS = QueryResult(
    ("id", "at", "n", "share", "hit", "more"),
    [
        ("ts_1", AT, 1234, 0.5, True, '{"a": 1}'),
        ("你好, 世界", AT.replace(microsecond=0), 5, 523.0, False, None),
        (None, None, None, None, None, None),
    ],
)
LOOK = Look(None, SHANGHAI, types={"more": "json"})
TEXT_FORMATS = ("table", "csv", "json", "jsonl", "markdown")


def one(value: object) -> QueryResult:
    return QueryResult(("x",), [(value,)])


def test_csv() -> None:
    assert render(ROWS, "csv", LOOK) == (
        "id,at,n,share,hit,more\n"
        'ts_1,2026-03-02T14:22:37.892000+08:00,1234,0.5,true,"{""a"": 1}"\n'
        '"你好, 世界",2026-03-02T14:22:37+08:00,5,523,false,\n'
        ",,,,,\n"
    )


def test_json_is_a_list_of_objects_in_the_order_of_the_columns() -> None:
    objects = json.loads(render(ROWS, "json", LOOK))
    assert list(objects[0]) == list(ROWS.columns)
    assert objects[0] == {
        "id": "ts_1",
        "at": "2026-03-02T14:22:37.892000+08:00",
        "n": 1234,
        "share": 0.5,
        "hit": True,
        "more": {"a": 1},
    }
    assert '"share": 523,' in render(ROWS, "json", LOOK)
    assert objects[2] == dict.fromkeys(ROWS.columns)
    assert render(QueryResult(("a",), []), "json", LOOK) == "[]\n"


def test_jsonl_is_an_object_a_line() -> None:
    lines = render(ROWS, "jsonl", LOOK).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(render(ROWS, "json", LOOK))
    assert render(QueryResult(("a",), []), "jsonl", LOOK) == ""


def test_a_json_column_that_is_no_json_stays_text() -> None:
    look = Look(None, UTC, types={"x": "json"})
    assert json.loads(render(one("{no"), "json", look)) == [{"x": "{no"}]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_json_has_no_nan(value: object) -> None:
    assert json.loads(render(one(value), "json", LOOK)) == [{"x": None}]


def test_markdown() -> None:
    assert render(ROWS, "markdown", LOOK) == (
        "| id | at | n | share | hit | more |\n"
        "| --- | --- | ---: | ---: | --- | --- |\n"
        '| ts_1 | 2026-03-02T14:22:37.892000+08:00 | 1234 | 0.5 | true | {"a": 1} |\n'
        "| 你好, 世界 | 2026-03-02T14:22:37+08:00 | 5 | 523 | false |  |\n"
        "|  |  |  |  |  |  |\n"
    )


def test_markdown_text_starts_nothing() -> None:
    cell = render(one("a|b <img src=x> `c` ![d](http://e) & *f*\ng"), "markdown", LOOK)
    assert cell.splitlines()[-1] == (
        "| a\\|b &lt;img src=x&gt; \\`c\\` !\\[d\\](http://e) &amp; \\*f\\*\\\\ng |"
    )


def test_table_aligns_wide_text_and_numbers() -> None:
    lines = render(ROWS, "table", LOOK).splitlines()
    assert len({display_width(line[: line.index("2026")]) for line in lines[2:4]}) == 1
    head = lines[0].index("n ")
    assert lines[2][: head + 1].endswith("1234")
    assert lines[-1] == "3 rows; times in Asia/Shanghai"
    assert "2026-03-02 14:22:37.892" in lines[2]
    assert "2026-03-02 14:22:37.000" in lines[3]


def test_numbers_of_a_column_have_their_points_below_each_other() -> None:
    rows = QueryResult(("rate",), [(0.5,), (0.1234567,), (0.0,), (1.0,)])
    cells = [line.strip() for line in render(rows, "table", LOOK).splitlines()[2:6]]
    assert cells == ["0.5000", "0.1235", "0.0000", "1.0000"]
    tiny = render(QueryResult(("rate",), [(0.5,), (0.000012,)]), "table", LOOK)
    assert "1.2e-05" in tiny
    assert "523\n" in render(one(523.0), "table", LOOK)


def test_a_table_has_large_integers_in_full() -> None:
    large = 2**53 + 1
    assert f"{large}\n" in render(QueryResult(("key",), [(large,)]), "table", LOOK)
    mixed = QueryResult(("key",), [(large,), (0.25,)])
    assert f"{large}.00\n" in render(mixed, "table", LOOK)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_table_fits_the_terminal(width: int) -> None:
    rows = QueryResult(
        ("id", "message", "n", "location", "last"),
        [("ts_7f3a2b1c", "很长的消息 " * 20, 12, "/app/app/tts_engine.py:387 in _postproc", 5)],
    )
    for look in (Look(width, UTC, True), Look(width, UTC, True, least=("n", "last"))):
        shown = render(rows, "table", look)
        table = [line for line in shown.splitlines() if "no room" not in line]
        plain = [escape_codes_removed(line) for line in table]
        assert max(map(display_width, plain)) <= max(width, len("location") + 3 + 12)


ANSWER = QueryResult(
    ("id", "request_key", "code", "failures", "seen_at"),
    [("ts_1", 1 << 40, "SCIPY_FFT_INVALID", 12, datetime(2026, 3, 2, 14, tzinfo=UTC))],
)


def columns_shown(width: int, *least: str) -> list[str]:
    head = render(ANSWER, "table", Look(width, UTC, least=least)).splitlines()[0]
    return [name for name in ANSWER.columns if name in head.split()]


def test_on_a_narrow_terminal_keys_give_way_and_then_what_the_header_ranks() -> None:
    assert columns_shown(80, "seen_at", "id") == list(ANSWER.columns)
    assert columns_shown(62, "seen_at", "id") == ["id", "code", "failures", "seen_at"]
    assert columns_shown(40, "seen_at", "id") == ["id", "code", "failures"]
    assert columns_shown(24, "seen_at", "id") == ["code", "failures"]
    shown = render(ANSWER, "table", Look(40, UTC, least=("seen_at", "id")))
    assert shown.endswith("1 row; no room for: request_key, seen_at\n")


def test_parts_of_a_second_give_way_before_a_column_does() -> None:
    at = datetime(2026, 3, 2, 14, 0, 1, 234_567, tzinfo=UTC)
    answer = QueryResult(("code", "first_at", "last_at"), [("OOM", at, at)])
    wide = render(answer, "table", Look(80, UTC, least=("last_at",)))
    assert "14:00:01.234567   2026" in wide
    narrow = render(answer, "table", Look(50, UTC, least=("last_at",)))
    assert "2026-03-02 14:00:01   2026-03-02 14:00:01\n" in narrow
    assert "no room for" not in narrow


def test_a_word_is_broken_only_where_no_column_can_give_way() -> None:
    answer = QueryResult(("code", "says", "failures"), [("SCIPY_FFT_INVALID", "a b " * 20, 12)])
    assert "SCIPY_FFT_INVALID" in render(answer, "table", Look(45, UTC, least=("failures",)))
    narrow = render(answer, "table", Look(40, UTC, least=("failures",)))
    assert "SCIPY_FFT_INVALID" in narrow and "no room for: failures" in narrow
    narrower = render(answer, "table", Look(30, UTC, least=("failures",)))
    assert "SCIPY_FFT_INVALID" not in narrower and "no room for: failures" in narrower
    assert max(map(len, narrower.splitlines())) <= 30


def test_what_stands_below_a_table_is_broken_between_words() -> None:
    shown = render(ANSWER, "table", Look(24, UTC, least=("seen_at", "id")))
    assert max(map(len, shown.splitlines())) <= 31  # the table itself
    assert shown.split("\n\n")[1] == "1 row; no room for: id,\nrequest_key, seen_at\n"


def test_where_the_answer_does_not_fit_records_are_shown_vertically() -> None:
    lines = render(ANSWER, "table", Look(40, UTC)).splitlines()
    assert lines[0].startswith("─ 1 ─")
    assert [line.split()[0] for line in lines[1:6]] == list(ANSWER.columns)
    assert "SCIPY_FFT_INVALID" in lines[3]
    assert lines[-1] == "1 row; times in UTC"


def test_a_terminal_shows_sizes_and_durations_for_people_and_a_pipe_exact_ones() -> None:
    cases = {
        "p95_ms": [(523.0, "523 ms"), (2140.0, "2.1 s"), (0.25, "0.2 ms"), (200_000.0, "3.3 min")],
        "audio_size_kb": [(86.0, "86 KB"), (9420.0, "9.2 MB")],
        "size_bytes": [(0, "0 B"), (1536, "1.5 KB")],
        "bytes": [(3 << 30, "3 GB")],
        "rooms": [(1234567, "1234567")],
    }
    for name, pairs in cases.items():
        for value, text in pairs:
            rows = QueryResult((name,), [(value,)])
            assert f"{text}\n" in render(rows, "table", Look(80, UTC, True)), name
            assert f"{exact_number(value)}" in render(rows, "table", Look(None, UTC)), name
            assert render(rows, "csv", Look(80, UTC, True)).splitlines()[1] == exact_number(value)


def test_levels_rates_and_growth_have_colours_only_where_asked_for() -> None:
    rows = QueryResult(("level", "failure_rate", "n"), [("ERROR", 0.02, 1), ("INFO", 0.0, 2)])
    plain = render(rows, "table", Look(80, UTC))
    drawn = render(rows, "table", Look(80, UTC, colour=True))
    assert "\x1b" not in plain
    assert escape_codes_removed(drawn) == plain
    assert "\x1b[31mERROR" in drawn
    assert drawn.count("\x1b[33m") == 1


def test_only_the_columns_asked_for_are_shown_in_their_order() -> None:
    chosen = only_columns(ANSWER, ["failures", "id"])
    assert (chosen.columns, list(chosen.rows)) == (("failures", "id"), [(12, "ts_1")])
    with pytest.raises(UsageProblem, match="no column 'failure'") as raised:
        only_columns(ANSWER, ["failure"])
    assert raised.value.hint == "did you mean failures?"


def escape_codes_removed(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_an_empty_table_says_why() -> None:
    look = Look(None, UTC, explain_empty="no rows: nothing has been ingested yet")
    assert render(QueryResult(("a",), []), "table", look) == (
        "no rows: nothing has been ingested yet\n"
    )
    assert render(QueryResult(("a", "b"), []), "csv", look) == "a,b\n"


@given(st.text(max_size=60))
def test_text_cannot_steer_a_terminal(text: str) -> None:
    for kind in TEXT_FORMATS:
        shown = render(one(text), kind, Look(None, UTC, is_terminal=True))
        shown = escape_codes_removed(shown) if kind == "table" else shown
        for char in shown.replace("\n", ""):
            assert unicodedata.category(char) != "Cc", (kind, char)
            assert not 0x202A <= ord(char) <= 0x202E
            assert not 0x2066 <= ord(char) <= 0x2069


def test_escapes_are_visible() -> None:
    assert escape_controls("a\x1b[31m\n\x9b\u202eb\U000e0041") == (
        "a\\x1b[31m\\n\\x9b\\u202eb\\U000e0041"
    )
    assert escape_controls("👩\u200d🚀 你好") == "👩\u200d🚀 你好"


@given(st.text(max_size=40))
def test_csv_in_a_pipe_and_json_give_the_text_back(text: str) -> None:
    text = text.replace("\r", "")
    raw = Look(None, UTC, csv_safe=False)
    read = list(csv.reader(io.StringIO(render(one(text), "csv", raw), newline="")))
    assert (read[1][0] if read[1] else "") == text
    assert json.loads(render(one(text), "json", raw)) == [{"x": text}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_csv_guards_against_formulas(text: str) -> None:
    def cell(look: Look) -> str:
        return list(csv.reader(io.StringIO(render(one(text), "csv", look), newline="")))[1][0]

    assert cell(Look(None, UTC)) == "'" + text
    assert cell(Look(None, UTC, csv_safe=False)) == text


def test_csv_guard_leaves_numbers_alone() -> None:
    assert render(QueryResult(("x",), [(-1,), (-0.5,)]), "csv", LOOK) == "x\n-1\n-0.5\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (523.0, "523"), (0.15384615, "0.1538"), (1.0000001, "1"), (-0.00001, "-1e-05"),
        (1234.5678, "1234.6"), (12.3456, "12.346"), (3, "3"), (10**20, str(10**20)), (-0.0, "0"),
        (1e300, "1e+300"), (Decimal("2.50"), "2.5"), (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_short_numbers(value: float, shown: str) -> None:
    assert short_number(value) == shown


def test_values_of_ad_hoc_sql() -> None:
    rows = QueryResult(("d", "l", "b"), [(date(2026, 3, 2), [1, AT], b"\x01")])
    assert json.loads(render(rows, "json", Look(None, UTC))) == [
        {"d": "2026-03-02", "l": [1, "2026-03-02T06:22:37.892000+00:00"], "b": "01"}
    ]
    assert "2026-03-02" in render(rows, "table", Look(None, UTC))


def test_parquet_has_the_declared_types_even_when_empty(tmp_path: Path) -> None:
    types = {"id": "text", "at": "timestamp", "n": "integer", "share": "number", "hit": "boolean"}
    for rows in (ROWS.rows, []):
        write_file(
            QueryResult(ROWS.columns, rows), "parquet", tmp_path / "x.parquet", Look(types=types)
        )
        table = pq.read_table(tmp_path / "x.parquet")
        assert [str(t) for t in table.schema.types][:5] == [
            "string", "timestamp[us, tz=UTC]", "int64", "double", "bool",
        ]  # fmt: skip
        assert table.num_rows == len(rows)
    with pytest.raises(UsageProblem, match="parquet is written to a file"):
        render(ROWS, "parquet", LOOK)


def test_parquet_of_mixed_values_falls_back_to_text(tmp_path: Path) -> None:
    write_file(QueryResult(("x",), [(1,), ("a",)]), "parquet", tmp_path / "x.parquet", Look())
    assert pq.read_table(tmp_path / "x.parquet").column("x").to_pylist() == ["1", "a"]


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    path.chmod(0o640)
    write_file(one("new"), "csv", path, LOOK)
    assert path.read_text() == "x\nnew\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["x.csv"]


def test_a_symlink_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_file(one("new"), "csv", tmp_path / "link.csv", LOOK)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "x\nnew\n"


def test_what_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StoreError, match=r"cannot write .*x\.csv: No space left on device"):
        write_file(one("new"), "csv", path, LOOK)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.csv"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        write_file(one(1), "csv", tmp_path / "none" / "x.csv", LOOK)


def test_the_format_follows_the_option_then_the_suffix() -> None:
    assert format_of(None, None) == "table"
    assert format_of(Path("a.JSON"), None) == "json"
    assert format_of(Path("a.md"), "csv") == "csv"
    assert format_of(Path("a"), None) == "table"
    with pytest.raises(UsageProblem, match="no format 'xml'"):
        format_of(None, "xml")


_CELLS = st.text(
    st.one_of(st.sampled_from("ab1 你，é̈😀"), st.characters(categories=("L", "N", "P", "S"))),
    max_size=8,
).map(str.strip)


@given(
    st.lists(
        st.tuples(_CELLS.filter(bool), st.lists(_CELLS, min_size=3, max_size=3), st.booleans()),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, 200]),
    st.booleans(),
)
def test_a_table_with_nothing_to_fold_looks_like_one_with_something(
    drawn: list[tuple[str, list[str], bool]], width: int | None, is_terminal: bool
) -> None:
    columns = [Column(name, cells, numeric, False) for name, cells, numeric in drawn]
    found, expected = (draw(columns, width, is_terminal) for draw in (unfolded, folded))
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", text or "").splitlines() for text in (found, expected)]
    assert [x.rstrip() for x in plain[0]] == [x.rstrip() for x in plain[1]]


def test_a_table_that_is_too_wide_is_folded() -> None:
    wide = [Column("a", ["word " * 30], False, False)]
    assert unfolded(wide, 20, False) is None
    assert max(map(len, folded(wide, 20, False).splitlines())) <= 20
