"""The query library: headers, names, folders, values; what is wrong is named with its file and
line.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from ingest.cli.options.query import parse_params, split_name
from ingest.errors import QueryFileError, UsageProblem
from ingest.named_queries.following import next_command
from ingest.named_queries.help import help_text, shown_sql
from ingest.named_queries.library import (
    GROUPS,
    NamedQuery,
    Param,
    load_library,
    load_query,
    parse_query,
    query_paths,
)
from ingest.named_queries.values import bind_values, parse_instant, parse_value, sql_literal
from ingest.stores.binds import binds, replace_binds

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PATH = Path("mine.sql")
GOOD = """\
-- name: mine
-- summary: what it does
--   on two lines
-- question: What?
-- param: since timestamp = 24h -- from then on
-- param: least integer = 3 [1..10] -- at least
-- param: flag boolean -- a switch
-- column: n integer -- how many
-- chart: bars x=n y=n
-- order: n desc

-- a remark: :not a header
select count(*) as n from requests
where logged_at >= :since and 1 < :least and :flag;
"""


def good(*changes: tuple[str, str]) -> NamedQuery:
    content = GOOD.replace(":not", "not")
    for old, new in changes:
        assert old in content
        content = content.replace(old, new)
    return parse_query(content, PATH)


def test_a_header_is_read_whole() -> None:
    query = good()
    assert (query.name, query.summary, query.question) == (
        "mine",
        "what it does on two lines",
        "What?",
    )
    assert query.params == (
        Param("since", "timestamp", "24h", "from then on"),
        Param("least", "integer", "3", "at least", 1, 10),
        Param("flag", "boolean", None, "a switch"),
    )
    assert [(c.name, c.type, c.help) for c in query.columns] == [("n", "integer", "how many")]
    assert (query.chart.kind, dict(query.chart.axes), query.order) == (
        "bars",
        {"x": "n", "y": "n"},
        ("n desc",),
    )
    assert query.sql.endswith(":flag")
    assert query.sql.startswith("-- a remark")


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("-- question:", "-- qestion:"), 4, "unknown key 'qestion'"),
        (("-- order: n desc\n", ""), 1, "has no 'order'"),
        (("-- question: What?", "-- question:"), 4, "'question' has no value"),
        (("-- question: What?", "-- question: What?\n-- question: Why?"), 5, "there twice"),
        (("-- question: What?", "-- just words"), 4, "not a header line"),
        (("name: mine", "name: other"), 1, "not that of the file"),
        (("name: mine", "name: Mine"), 1, "not that of the file"),
        (("= 3 [1..10] --", "= 3 [1..10]"), 6, "not a parameter"),
        (("least integer", "least int"), 6, "unknown type 'int'"),
        (("flag boolean", "since boolean"), 7, "'since' is there twice"),
        (("n integer --", "n --"), 8, "not a column"),
        (("n integer --", "n bigint --"), 8, "unknown type 'bigint'"),
        (("bars x=n y=n", "pie x=n"), 9, "unknown chart 'pie'"),
        (("bars x=n y=n", "bars x=n"), 9, "lacks y="),
        (("bars x=n y=n", "bars x=n y=n z=n"), 9, "knows no z="),
        (("bars x=n y=n", "bars x=n y=m"), 9, "chart names no column: m"),
        (("order: n desc", "order: m"), 10, "order names no column: m"),
        (("select count(*)", "delete"), 12, "not a SELECT"),
        (("and :flag;", "and :flag; drop table requests"), 12, "more than one statement"),
        (("and :flag;", "\nand :flag and :more"), 15, ":more is not declared"),
        (("and :flag", ""), 12, "flag is not used"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    change: tuple[str, str], line: int, what: str
) -> None:
    with pytest.raises(QueryFileError) as caught:
        good(change)
    assert caught.value.message.startswith(f"mine.sql:{line}: ")
    assert what in caught.value.message


@pytest.mark.parametrize("body", ["';'", "1 /* ; */", "1 -- ;\n", '1 as ";"'])
def test_a_semicolon_that_ends_nothing_is_no_second_statement(body: str) -> None:
    assert body in good(("count(*) as n", body)).sql


@given(st.text(alphabet=":abc1_ '\\\"-;é\n", max_size=40))
@example(":11:")
@example("a\\:b")
def test_parameters_are_those_that_sqlalchemy_sees(sql: str) -> None:
    seen = text(sql).compile()
    assert set(binds(sql)) == set(seen.params)
    assert replace_binds(sql, lambda name: f":{name}") == str(seen)


def test_a_folder_adds_and_overrides(tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text(GOOD.replace(":not", "not"))
    (tmp_path / "hosts.sql").write_text(GOOD.replace(":not", "not").replace("mine", "hosts"))
    paths = query_paths(tmp_path)
    assert paths["mine"] == tmp_path / "mine.sql"
    assert load_query("hosts", tmp_path).question == "What?"
    assert load_query("hosts").question == "Which node is ill?"
    assert [q.name for q in load_library(tmp_path)] == sorted(paths)


def test_a_backend_has_texts_of_its_own() -> None:
    assert query_paths(backend="duckdb")["latency_over_time"].parent.name == "duckdb"
    assert query_paths(backend="postgres")["latency_over_time"].parent.name == "queries"


def test_running_one_query_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "broken.sql").write_text("select 1")
    assert load_query("hosts", tmp_path).name == "hosts"
    with pytest.raises(QueryFileError, match=r"broken\.sql:1: the header has no 'name'"):
        load_library(tmp_path)


def test_a_name_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageProblem) as caught:
        load_query("failure_by_lenght")
    assert caught.value.hint == "did you mean: ttsq run failure_by_length"
    assert load_query("failure-by-length").name == "failure_by_length"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(QueryFileError, match="no such folder"):
        query_paths(tmp_path / "nothing")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(QueryFileError, match=r"cannot read the query file .*odd\.sql"):
        load_library(tmp_path)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("now", NOW),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("30m", NOW - timedelta(minutes=30)),
        ("90s", NOW - timedelta(seconds=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("2026-03-01", datetime(2026, 2, 28, 16, tzinfo=UTC)),
        ("2026-03-01T10:30", datetime(2026, 3, 1, 2, 30, tzinfo=UTC)),
        ("2026-03-01 10:30:05,250", datetime(2026, 3, 1, 2, 30, 5, 250_000, tzinfo=UTC)),
        ("2026-03-01T10:30Z", datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        ("2026-03-01T10:30-05:00", datetime(2026, 3, 1, 15, 30, tzinfo=UTC)),
        ("tomorrow", None),
        ("24", None),
        ("-1h", None),
        ("", None),
        ("2026-02-30", None),
        ("9999999w", None),
        ("0001-01-01", None),
    ],
)
def test_instants(written: str, instant: datetime | None) -> None:
    assert parse_instant(written, NOW, SHANGHAI) == instant


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("integer", "20", 20),
        ("integer", "1e3", 1000),
        ("integer", "-5", -5),
        ("number", "2.5", 2.5),
        ("text", " a b ", " a b "),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
    ],
)
def test_values_of_every_type(kind: str, written: str, value: object) -> None:
    assert parse_value(Param("p", kind, None, "help"), written, NOW, UTC) == value


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("integer", "2.5", "expected a whole number"),
        ("integer", "9223372036854775808", "expected a whole number"),
        ("integer", "1e999999999", "expected a whole number"),
        ("number", "nan", "expected a number"),
        ("number", "inf", "expected a number"),
        ("number", "many", "expected a number"),
        ("boolean", "maybe", "expected true or false"),
        ("timestamp", "noon", "expected an instant .* a date .* or an age"),
    ],
)
def test_bad_values_name_what_was_expected(kind: str, written: str, expected: str) -> None:
    with pytest.raises(UsageProblem, match=expected):
        parse_value(Param("p", kind, None, "help"), written, NOW, UTC)


def test_bounds_are_kept() -> None:
    param = Param("p", "integer", None, "help", 1, 10)
    assert [parse_value(param, n, NOW, UTC) for n in ("1", "10")] == [1, 10]
    for outside in ("0", "11"):
        with pytest.raises(UsageProblem, match="a whole number from 1 to 10"):
            parse_value(param, outside, NOW, UTC)


def test_defaults_fill_in_and_ages_count_back_from_the_data() -> None:
    assert bind_values(good(), {}, NOW, UTC) == {
        "since": NOW - timedelta(hours=24),
        "least": 3,
        "flag": None,
    }
    end = datetime(2025, 1, 1, tzinfo=UTC)
    assert bind_values(good(), {"since": "1h"}, NOW, UTC, end)["since"] == end - timedelta(hours=1)
    with pytest.raises(UsageProblem, match="no parameter other"):
        bind_values(good(), {"other": "1"}, NOW, UTC)


def test_the_name_stands_first_or_behind_options() -> None:
    known = ["hosts", "voices"]
    assert split_name(["hosts", "--since", "24h"], known) == ("hosts", ["--since", "24h"])
    assert split_name(["--since", "24h", "hosts"], known) == ("hosts", ["--since", "24h"])
    assert split_name(["--since=24h", "hosts"], known) == ("hosts", ["--since=24h"])
    assert split_name(["nothing"], known) == ("nothing", [])
    assert split_name([], known) == (None, [])


def test_options_become_parameters() -> None:
    query = good()
    assert parse_params(query, ["--since", "24h", "--least=-5"]) == {"since": "24h", "least": "-5"}
    assert parse_params(query, ["--least", "-5"]) == {"least": "-5"}
    assert parse_params(query, ["--flag"]) == {"flag": "true"}
    assert parse_params(query, ["--flag", "--least", "2"]) == {"flag": "true", "least": "2"}
    assert parse_params(query, ["--no-flag"]) == {"flag": "false"}
    assert parse_params(query, ["--flag", "no"]) == {"flag": "no"}


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--sinse", "1h"], "has no option --sinse", "did you mean --since?"),
        (["--formt", "csv"], "has no option --formt", "did you mean --format?"),
        (["--zzz"], "has no option --zzz", "see: ttsq run mine --help"),
        (["--since"], "--since needs a value", "--since: from then on"),
        (["24h"], "takes options only, not '24h'", "see: ttsq run mine --help"),
    ],
)
def test_wrong_options_are_named(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageProblem, match=message) as caught:
        parse_params(good(), words)
    assert caught.value.hint == hint


def test_help_teaches_every_parameter_and_column() -> None:
    for query in load_library():
        shown = " ".join(help_text(query).split())
        for param in query.params:
            assert f"{param.option} {param.type.upper()} {param.help}" in shown
        for column in query.columns:
            assert f"{column.name} ({column.type}) {column.help}" in shown


def test_sql_to_copy_holds_literals_that_cannot_break_out() -> None:
    query = good(("flag boolean", "flag text"))
    values = bind_values(query, {"flag": "x' or ':since"}, NOW, UTC)
    copied = shown_sql(query, values, literals=True)
    assert "logged_at >= '2026-03-01 12:00:00+00:00' and 1 < 3 and 'x'' or '':since'" in copied
    assert "-- :least = 3" in shown_sql(query, values, literals=False)
    assert (
        replace_binds("a = :a and b = :ab", {"a": "1", "ab": "2"}.__getitem__) == "a = 1 and b = 2"
    )
    assert (sql_literal(None, "text"), sql_literal(True, "boolean")) == ("null", "true")


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("today", "2026-03-01T16:00"),
        ("yesterday", "2026-02-28T16:00"),
        ("09:18", "2026-03-02T01:18"),
        ("09:18:30", "2026-03-02T01:18:30"),
        ("23:59", "2026-03-01T15:59"),  # later today: the last one that has been
        ("yesterday 23:59", "2026-03-01T15:59"),
        ("Today 23:59", "2026-03-02T15:59"),
    ],
)
def test_times_and_days_are_those_of_the_zone_before_now(written: str, instant: str) -> None:
    now, zone = datetime(2026, 3, 2, 6, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai")
    assert parse_instant(written, now, zone) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize("written", ["", "25:00", "12:60", "tomorrow", "yesterday9:00", "9"])
def test_what_is_no_time_is_none(written: str) -> None:
    assert parse_instant(written, datetime(2026, 3, 2, tzinfo=UTC), UTC) is None


def test_what_counts_time_takes_a_length_of_time() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)

    def value(kind: str, name: str, text: str, written: str) -> object:
        return parse_value(Param(name, kind, None, text), written, now, UTC)

    assert value("integer", "bucket", "width of a bucket, seconds", "1m") == 60
    assert value("integer", "bucket", "width of a bucket, seconds", "90") == 90
    assert value("number", "slower_than_ms", "milliseconds", "2.5s") == 2500
    assert value("number", "hours", "so many hours", "7d") == 168
    with pytest.raises(UsageProblem, match="or a length of time such as 5m"):
        value("integer", "bucket", "seconds", "1ms")
    with pytest.raises(UsageProblem):
        value("integer", "limit", "at most so many rows", "1m")


def following(next_: str, row: dict[str, object], **given: str) -> str | None:
    query = load_query("hosts")._replace(next=next_)
    return next_command(
        query, tuple(row), tuple(row.values()), given, ("since", "voice"), ["--db", "a b"]
    )


def test_the_next_command_asks_about_the_same_window_and_can_be_pasted() -> None:
    asked = following("ttsq run hosts", {}, since="3 d", limit="4")
    assert asked == "ttsq run hosts --since '3 d' --db 'a b'"
    asked = following("ttsq run hosts", {}, voice="a b", stage="x")
    assert asked == "ttsq run hosts --voice 'a b' --db 'a b'"
    traced = following("ttsq trace {id}", {"id": "ts_1; rm -rf ~"}, since="3d")
    assert traced == "ttsq trace 'ts_1; rm -rf ~' --db 'a b'"
    assert following("", {}) is None


@pytest.mark.parametrize("value", [None, "", "--debug", "a\x1b[2J", "a\nb", "a\u202eb"])
def test_what_a_log_says_becomes_no_command_that_could_not_be_pasted(value: object) -> None:
    assert following("ttsq trace {id}", {"id": value}) is None


def test_every_query_has_a_group_and_the_next_one_exists() -> None:
    for query in load_library():
        assert query.group in GROUPS[:-1], query.name
        words = query.next.split()
        assert words[0] == "ttsq", query.name
        if words[1] == "run":
            assert load_query(words[2]).name != query.name


def test_a_group_or_a_next_that_is_not_there_is_named_with_its_line() -> None:
    for line, problem in (("group: nonsense", "no group"), ("next: ttsq trace {a}", "no column")):
        with pytest.raises(QueryFileError, match=problem):
            parse_query(
                f"{GOOD.partition(chr(10))[0]}\n-- {line}\n{GOOD.partition(chr(10))[2]}", PATH
            )
