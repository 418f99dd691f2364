"""The views: the same on both engines, described column by column, without user text, each row
leading to its line.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Connection, inspect, text

from ingest.errors import StoreError
from ingest.rows.described import TABLES, USER_TEXT
from ingest.stores import migrate
from ingest.stores.contract import Store
from ingest.stores.tables import metadata
from ingest.stores.views import VIEWS, View
from tests.support import harness
from tests.support.command_line import CommandLine
from tests.support.command_line import lines as failed_lines
from tests.support.harness import ENGINES

SECRETS = tuple(t.name for t in TABLES if t.is_secret)

TRACE = (
    'Traceback (most recent call last):\n  File "/app/app/a.py", line 3, in f\n    '
    "f()\nValueError: no\n"
)
LOG = (
    "2026-03-02 23:59:59,000 - app - INFO - synthesis_start: id=ts_1, text=hello, lang=de, "
    "voice=nova\n"
    "2026-03-02 23:59:59,100 - app - WARNING - voice_fallback: id=ts_1, "
    "warning_code=VOICE_MISSING\n"
    "2026-03-02 23:59:59,200 - app - INFO - stage_time: id=ts_1, stage=text_normalize, "
    "duration_ms=10\n"
    "2026-03-02 23:59:59,300 - app - INFO - stage_time: id=ts_1, stage=audio_render, "
    "duration_ms=35\n"
    "2026-03-02 23:59:59,400 - app - ERROR - late: id=ts_1\n"
    f"2026-03-02 23:59:59,500 - app - ERROR - synthesis_failed: id=ts_1, error_code=OOM\n{TRACE}"
    f"2026-03-02 23:59:59,600 - app - ERROR - again: id=ts_1\n{TRACE.replace('in f', 'in g')}"
    "2026-03-02 23:59:59,700 - app - INFO - synthesis_complete: id=ts_1, status=failed, "
    "duration_ms=700\n"
    "2026-03-03 00:00:00,000 - app - INFO - synthesis_start: id=ts_2, text=well\n"
    "2026-03-03 00:00:00,500 - app - INFO - synthesis_complete: id=ts_2, status=success, "
    "duration_ms=500\n"
    "2026-03-03 00:00:01,000 - app - INFO - synthesis_start: id=ts_3, text=open\n"
    "2026-03-03 00:00:02,000 - app - INFO - synthesis_complete: id=ts_4, status=timeout, "
    "error_code=SLOW\n"
    "2026-03-03 00:00:03,000 - app - WARNING - slow_disk: fallback_used=Yes, path=/x\n"
    "2026-03-03 00:00:04,000 - app - WARNING - voice_fallback: fallback_used=false\n"
    "2026-03-03 00:00:05,000 - app.cache - WARNING - cache_dir_usage: path=/c, "
    "used_percent=92.7, threshold=90.0\n"
    "2026-03-03 00:00:06,000 - app.cache - INFO - cache_health: path=/c, used=912MB, "
    "total=1024MB, usage=89.1%\n"
)


def filled(engine: str, folder: Path, log: str = LOG) -> tuple[Store, Path]:
    store, path = harness.new_store_of(engine, folder), folder / "app.log"
    path.write_text(log)
    harness.run(store, [path], final=True)
    return store, path


def ask(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.reading() as reader:
        return reader.query(sql, {}).rows


def connection_of(store: Store) -> Connection:
    made: Connection = store.engine().connect()  # type: ignore[attr-defined]
    return made


def change(store: Store, *statements: str) -> None:
    with connection_of(store) as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_types_and_comments_are_as_documented(engine: str, tmp_path: Path) -> None:
    store = harness.new_store_of(engine, tmp_path)
    spelled = {"character varying": "varchar", "double": "double precision"}
    for view in VIEWS:
        with store.reading() as reader:
            found = reader.describe(f"select * from {view.name}", {})
        types = [(name, spelled.get(kind.lower(), kind.lower())) for name, kind in found]
        assert types == [(c.name, c.type) for c in view.columns]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_table_view_and_column_says_what_it_is(engine: str, tmp_path: Path) -> None:
    store = harness.new_store_of(engine, tmp_path)
    with connection_of(store) as connection:
        found = inspect(connection)
        names = {n for n in found.get_table_names() if not n.endswith("_default")}
        names |= set(found.get_view_names())
        silent = [n for n in names if not found.get_table_comment(n)["text"]]
        silent += [
            f"{n}.{c['name']}" for n in names for c in found.get_columns(n) if not c.get("comment")
        ]
    assert names >= {*metadata.tables, *(v.name for v in VIEWS), "alembic_version"}
    assert silent == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.name)
def test_no_view_has_users_words(view: View) -> None:
    closed = {column for columns in USER_TEXT.values() for column in columns}
    assert closed.isdisjoint(c.name for c in view.columns)
    words = view.select.replace("e.attributes ->> 'fallback_used'", "")
    assert closed.isdisjoint(words.replace(".", " ").replace(",", " ").split())
    assert all(t not in view.select for t in SECRETS)


def test_words_and_secrets_are_columns_and_tables_that_there_are() -> None:
    assert set(SECRETS) < set(metadata.tables)
    for table, columns in USER_TEXT.items():
        assert set(columns) < set(metadata.tables[table].columns.keys())


FAILED = (
    "select id, status, day, text_len, lang, error_code, exception_type, location from "
    "failed_requests "
    "order by id"
)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_request_names_its_function_and_its_line(engine: str, tmp_path: Path) -> None:
    store, path = filled(engine, tmp_path)
    first, second = ask(store, FAILED)
    place = "/app/app/a.py:3 in f"  # of the first error with a traceback, not the first error
    assert first == (
        "ts_1", "failed", date(2026, 3, 2), 5, "de", "OOM", "ValueError", place
    )  # fmt: skip
    assert second == ("ts_4", "timeout", date(2026, 3, 3), None, None, "SLOW", None, None)
    found = ask(store, "select log_path, byte_offset from failed_requests order by id")
    assert [at for at, _ in found] == [str(path), str(path)]
    assert [record_at(path, offset) for _, offset in found] == [
        "2026-03-02 23:59:59,500 - app - ERROR - synthesis_failed: id=ts_1, error_code=OOM",
        "2026-03-03 00:00:02,000 - app - INFO - synthesis_complete: id=ts_4, status=timeout, "
        "error_code=SLOW",
    ]


def record_at(path: Path, offset: object) -> str:
    assert isinstance(offset, int)
    return path.read_bytes()[offset:].decode().splitlines()[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_all_requests_are_there_finished_or_not(engine: str, tmp_path: Path) -> None:
    store, path = filled(engine, tmp_path)
    assert ask(store, "select id, failed, finished, day from all_requests order by id") == [
        ("ts_1", True, True, date(2026, 3, 2)),
        ("ts_2", False, True, date(2026, 3, 3)),
        ("ts_3", False, False, date(2026, 3, 3)),
        ("ts_4", True, True, date(2026, 3, 3)),
    ]
    lines = ask(store, "select byte_offset from all_requests order by id")
    assert [record_at(path, o).split(" - ")[-1].split(",")[0] for (o,) in lines] == [
        "synthesis_start: id=ts_1",
        "synthesis_start: id=ts_2",
        "synthesis_start: id=ts_3",
        "synthesis_complete: id=ts_4",
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_stages_errors_and_cache(engine: str, tmp_path: Path) -> None:
    store, path = filled(engine, tmp_path)
    stages = ask(
        store,
        "select stage, seq, own_ms, elapsed_ms, request_ms, failed, text_len, lang, voice, "
        "byte_offset "
        "from stage_times order by seq",
    )
    assert [s[:-1] for s in stages] == [
        ("text_normalize", 1, 10.0, 10.0, 700.0, True, 5, "de", "nova"),
        ("audio_render", 2, 25.0, 35.0, 700.0, True, 5, "de", "nova"),
    ]
    assert "stage=audio_render" in record_at(path, stages[1][-1])
    assert ask(
        store,
        "select event, code, is_fallback from logged_errors where level = 'WARNING' order by "
        "occurred_at",
    ) == [
        ("voice_fallback", "VOICE_MISSING", True),
        ("slow_disk", None, True),
        ("voice_fallback", None, False),
        ("cache_dir_usage", None, False),
    ]
    assert ask(
        store,
        "select cache_path, used_percent, above_threshold, sampled_at, log_path from "
        "cache_levels order by sampled_at",
    ) == [
        ("/c", 92.7, True, datetime(2026, 3, 3, 0, 0, 5, tzinfo=UTC), str(path)),
        ("/c", 89.1, None, datetime(2026, 3, 3, 0, 0, 6, tzinfo=UTC), str(path)),
    ]


def test_both_engines_give_the_same_rows(tmp_path: Path) -> None:
    log = LOG + failed_lines(0, 40)
    (path := tmp_path / "app.log").write_text(log)
    rows: dict[str, list[Sequence[object]]] = {}
    for engine in ENGINES:
        store = harness.new_store_of(engine, tmp_path)
        harness.run(store, [path], final=True)
        rows[engine] = [
            row
            for view in VIEWS
            for row in ask(store,
            f"select * from {view.name} order by host, {view.columns[0].name}, byte_offset")
        ]  # fmt: skip
    assert len(rows["duckdb"]) > 150
    assert rows["duckdb"] == rows["postgresql"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_check_tells_a_view_that_is_not_as_it_should_be(engine: str, tmp_path: Path) -> None:
    store = harness.new_store_of(engine, tmp_path)
    assert migrate.differences(store) == []
    failed = next(v for v in VIEWS if v.name == "failed_requests")
    change(
        store,
        "drop view cache_levels",
        "drop view failed_requests",
        f"create view failed_requests as {failed.select.replace('<>', '=', 1)}",
        "comment on column stage_times.own_ms is 'odd'",
        "comment on view logged_errors is null",
    )
    assert migrate.differences(store) == [
        "the view failed_requests has another query",
        "the view failed_requests has other comments",
        "the view stage_times has other comments",
        "the view logged_errors has other comments",
        "the view cache_levels is missing",
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_check_leaves_nothing_behind(engine: str, tmp_path: Path) -> None:
    store = harness.new_store_of(engine, tmp_path)
    migrate.differences(store)
    with connection_of(store) as connection:
        assert sorted(inspect(connection).get_view_names()) == sorted(v.name for v in VIEWS)


@pytest.mark.parametrize("engine", ENGINES)
def test_down_there_are_no_views_and_up_they_are_back(engine: str, tmp_path: Path) -> None:
    store, _ = filled(engine, tmp_path)
    before = ask(store, FAILED)
    migrate.downgrade(store, "0006")
    with connection_of(store) as connection:
        assert inspect(connection).get_view_names() == []
        assert inspect(connection).get_table_comment("alembic_version")["text"] is None
    change(store, "alter table cache_samples drop column action")  # as a later revision may
    change(store, "alter table cache_samples add column action varchar")
    migrate.upgrade(store)
    assert ask(store, FAILED) == before


def test_views_of_others_on_top_of_ours_are_not_swept_away(tmp_path: Path) -> None:
    store, _ = filled("postgresql", tmp_path)
    change(store, "create view theirs as select id from all_requests")
    with pytest.raises(StoreError, match="refuses a change of its schema: cannot drop view"):
        migrate.downgrade(store, "0006")
    assert store.revision() == migrate.head()
    assert len(ask(store, "select * from theirs")) == 4


def test_the_published_copy_has_the_views_and_pruning_keeps_them(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path)
    (tmp_path / "app.log").write_text(LOG)
    ttsq.well("ingest", "app.log", "--final")
    ttsq.execute("create view theirs as select count(*) as n from request_parts")
    ttsq.execute("create view useful as select count(*) as n from requests")
    ttsq.well("publish", "published")
    copy = tmp_path / "published" / "current.duckdb"
    with duckdb.connect() as connection:  # under a name of the reader's own
        connection.execute(f"attach '{copy}' as logs (read_only)")
        assert connection.execute("select count(*) from logs.failed_requests").fetchone() == (2,)
    with duckdb.connect(str(copy), read_only=True) as connection:
        found = connection.execute(
            "select view_name, comment from duckdb_views() where not internal order by 1"
        ).fetchall()
        assert found == [*sorted((v.name, v.comment) for v in VIEWS), ("useful", None)]
        assert connection.execute("from useful").fetchone() == (4,)
        said = connection.execute(
            "select column_name, comment from duckdb_columns() where table_name = 'stage_times'"
        ).fetchall()
        stage_times = next(v for v in VIEWS if v.name == "stage_times")
        assert said == [(c.name, c.comment) for c in stage_times.columns]
    ttsq.well("prune", "--older-than", "2026-03-03T00:00:00Z")
    assert "as expected" in ttsq.well("db", "check")
    assert ttsq.well("sql", "select id from failed_requests", "--format", "csv").split() == ["id", "ts_4"]  # fmt: skip  # noqa: E501
