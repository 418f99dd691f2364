"""Retention: what is old enough goes, its space is given back, and nothing brings it back."""

import gzip
import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.stores import migrate
from ingest.stores.contract import Minute
from ingest.stores.duckdb.connection import ROW_GROUP_SIZE, STORAGE_VERSION
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.prune import batch_ends
from tests.support.command_line import CommandLine, Ended

_DAY = "2026-03-{:02} "
_CUT = "2026-03-05T00:00:00Z"
_SECRET = "my secret, word=hidden"
_TEXT_COLUMNS = ("requests", "request_parts", "errors", "quarantine")


def _request(day: int, second: float, name: str, seconds: float = 0.5, text: str = "Hello") -> str:
    """A request that fails: start, stage, failure with the text in it, end."""

    def at(after: float) -> str:
        stamp = datetime(2026, 3, day, tzinfo=UTC) + timedelta(seconds=second + after)
        return stamp.strftime("%Y-%m-%d %H:%M:%S,") + f"{stamp.microsecond // 1000:03}"

    return (
        f'{at(0)} - app - INFO - synthesis_start: id={name}, gpu_c=71, mood="{text}", '
        f'text="{text}"\n'
        f"{at(seconds * 0.8)} - app - INFO - stage_time: id={name}, stage=audio_render, "
        "duration_ms=400\n"
        f"{at(seconds * 0.9)} - app - ERROR - synthesis_failed: id={name}, error_code=OOM, "
        f'said="{text}", took=5ms, for {text}\n'
        'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\nValueError: '
        f"{text}\n"
        f"{at(seconds)} - app - INFO - synthesis_complete: id={name}, status=failed, "
        "duration_ms=500\n"
    )


def _cache(day: int, number: int) -> str:
    return (
        f"{_DAY.format(day)}06:00:{number:02},000 - app.cache - INFO - cache_health: path=/c, "
        "used=1MB, total=2MB, usage=50%\n"
    )


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    """A store of ten days with ten requests each; one of them begins before midnight of the fifth
    and ends after it.
    """
    text = ""
    for day in range(1, 11):
        for n in range(10):
            long = (day, n) == (4, 9)
            text += _request(day, 86_399 if long else n * 60, f"ts_{day:02}{n}", 3 if long else 0.5)
        text += _cache(day, 1) if day != 4 else ""
    (tmp_path / "app.log").write_text(text)
    made = CommandLine(tmp_path).with_tables()
    made.well("ingest", "app.log", "--final")
    return made


def _pruned(ttsq: CommandLine, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ttsq.well("prune", "--json", *words))
    return found


def _by_table(report: dict[str, Any], what: str = "rows") -> dict[str, int]:
    return {t["table"]: t[what] for t in report["tables"] if t[what]}


def _ask(ttsq: CommandLine, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _expect_sound(ttsq: CommandLine) -> None:
    ttsq.well("verify")
    ttsq.well("db", "check")


def test_rows_go_by_their_age_and_stages_with_their_request(ttsq: CommandLine) -> None:
    report = _pruned(ttsq, "--older-than", _CUT)
    # the error of the request at midnight comes after it, and is an error by itself
    assert _by_table(report) == {
        "requests": 40,
        "stage_timings": 40,
        "errors": 39,
        "cache_samples": 3,
    }
    counts = ttsq.counts()
    assert counts is not None
    assert (counts["requests"], counts["stage_timings"], counts["errors"]) == (60, 60, 61)
    assert (counts["cache_samples"], counts["log_files"]) == (6, 1)
    assert _ask(ttsq, "select count(*) from stage_timings anti join requests using (request_key)") == [(0,)]  # fmt: skip  # noqa: E501
    assert _ask(ttsq, "select min(logged_at) >= '2026-03-05 00:00:00+00' from requests") == [(True,)]  # fmt: skip  # noqa: E501
    _expect_sound(ttsq)


def test_what_was_pruned_is_noted_and_does_not_come_back(ttsq: CommandLine) -> None:
    _pruned(ttsq, "--older-than", _CUT)
    noted = _ask(
        ttsq,
        "select table_name, rows, pruned_at is not null, pruned_before >= '2026-03-05 "
        "00:00:00+00' from pruned order by 1",
    )
    assert noted == [(t, n, True, True) for t, n in (("cache_samples", 3), ("errors", 39), ("requests", 40), ("stage_timings", 40))]  # fmt: skip  # noqa: E501
    before = ttsq.counts()
    log = ttsq.folder / "app.log"
    (ttsq.folder / "app.log.1").write_bytes(log.read_bytes())
    (ttsq.folder / "app.log.2.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.rename(ttsq.folder / "moved.log")
    for name in ("app.log.1", "app.log.2.gz", "moved.log", "."):
        ttsq.well("ingest", name, "--final")
    assert ttsq.counts() == before
    _expect_sound(ttsq)
    with log.open("w") as file:
        file.write(_request(6, 50_000, "ts_new") + _request(2, 1, "ts_late"))
    ttsq.well("ingest", "app.log", "--final")  # a file never seen before, with an old record: new
    assert _ask(ttsq, "select count(*) from requests where id in ('ts_new', 'ts_late')") == [(2,)]
    assert _by_table(_pruned(ttsq, "--older-than", _CUT))["requests"] == 1
    assert _by_table(_pruned(ttsq, "--older-than", _CUT)) == {}


def test_a_dry_run_counts_just_what_goes_and_leaves_it(ttsq: CommandLine) -> None:
    before = ttsq.store.read_bytes()
    words = ("--older-than", _CUT, "--text-older-than", "2026-03-08T00:00:00Z")
    foreseen = _pruned(ttsq, *words, "--dry-run")
    assert ttsq.store.read_bytes() == before
    assert sum(t["bytes"] for t in foreseen["tables"]) > 0
    done = _pruned(ttsq, *words)
    for what in ("rows", "texts"):
        assert _by_table(done, what) == _by_table(foreseen, what), what
    assert "would go" in ttsq.well("prune", "--older-than", "2026-03-06", "--dry-run")
    assert (foreseen["dry_run"], done["dry_run"]) == (True, False)


def test_single_tables_have_ages_of_their_own(ttsq: CommandLine) -> None:
    settings = ttsq.folder / "ttsq.toml"
    settings.write_text(
        '[prune]\nolder_than = "2026-03-03T00:00:00Z"\n'
        '[prune.tables]\ncache_samples = "2026-03-09T00:00:00Z"\nerrors = "2026-03-02T00:00:00Z"\n'
    )
    assert _by_table(_pruned(ttsq)) == {
        "requests": 20, "stage_timings": 20, "errors": 10, "cache_samples": 7,
    }  # fmt: skip
    _expect_sound(ttsq)


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        ((), "", "no age is given"),
        (("--older-than", "soon"), "", "expected an age"),
        (("--older-than", "2999-01-01"), "", "expected an age"),
        (("--text-older-than", "7"), "", "expected an age"),
        ((), '[prune.tables]\nstage_timings = "7d"', "goes with requests"),
        ((), '[prune.tables]\nlog_files = "7d"', "cannot have"),
        ((), '[prune]\nolder_then = "7d"', "did you mean 'older_than'"),
        ((), "[prune]\nolder_than = 7", "not a text"),
        ((), 'prune = "7d"', "not a table"),
    ],
)
def test_ages_that_are_none(
    ttsq: CommandLine, words: tuple[str, ...], settings: str, told: str
) -> None:
    (ttsq.folder / "ttsq.toml").write_text(settings)
    before = ttsq.store.read_bytes()
    ended = ttsq("prune", *words)
    assert ended.code == 2
    assert told in ended.err + ended.out
    assert ttsq.store.read_bytes() == before


def test_there_must_be_a_store(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path)("prune", "--older-than", "1d")
    assert (ended.code, "there is no store" in ended.err) == (4, True)
    assert not list(tmp_path.iterdir())


def _with_words(ttsq: CommandLine, word: str) -> set[str]:
    """Tables in any row of which a word stands."""
    return {
        t
        for t in _TEXT_COLUMNS
        if _ask(ttsq, f"select count(*) from {t} t where t::varchar like '%{word}%'") != [(0,)]
    }


def test_users_words_go_first_the_figures_stay(ttsq: CommandLine) -> None:
    log = ttsq.folder / "said.log"
    broken = f'2026-02-31 00:00:00,000 - app - INFO - text="{_SECRET}"\n'
    unfinished = _request(1, 5, "ts_open", text=_SECRET).splitlines(keepends=True)[0]
    log.write_text(_request(1, 3, "ts_said", text=_SECRET) + broken + unfinished)
    ttsq.well("ingest", "said.log", "--final")
    assert _with_words(ttsq, "secret") == {"requests", "request_parts", "errors", "quarantine"}
    figures = (
        "select text_len, text_class, duration_ms, attributes ->> 'gpu_c' from requests where id "
        "= 'ts_said'"
    )
    before = _ask(ttsq, figures)
    assert before == [(len(_SECRET), "symbols", 500.0, "71")]
    ttsq.execute("update quarantine set quarantined_at = '2026-03-01 00:00:00+00'")
    report = _pruned(ttsq, "--text-older-than", "2026-03-02T00:00:00Z")
    assert _by_table(report) == {}
    assert _by_table(report, "texts") == {
        "requests": 12, "request_parts": 1, "errors": 11, "quarantine": 1,
    }  # fmt: skip
    assert _with_words(ttsq, "secret") == _with_words(ttsq, "hidden") == set()
    assert _ask(ttsq, figures) == before
    assert _ask(ttsq,
    "select code, exception_type, location, message, attributes ->> 'took' from errors where " "id = 'ts_said'") == [  # noqa: E501
        ("OOM", "ValueError", "/app/a.py:3 in f", None, "5ms")
    ]  # fmt: skip
    assert _ask(ttsq, "select count(*) from requests where text = 'Hello'") == [(90,)]
    assert b"secret" not in ttsq.store.read_bytes()
    assert _by_table(_pruned(ttsq, "--text-older-than", "2026-03-02T00:00:00Z"), "texts") == {}
    for words in (
        ("run", "error_groups", "--since", "2026-03-01"),
        ("trace", "ts_said"),
        ("replay",),
    ):
        ttsq.well(*words)
    _expect_sound(ttsq)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ('{"a":"71","b":"sad"}', '{"a":"71"}'),
        ('{"a":"x\\",\\"b\\":\\"5","c":"true"}', '{"c":"true"}'),
        ('{"a":"x\\\\\\",\\"b\\":\\"5","c":"1.5ms","d":"-3 %"}', '{"c":"1.5ms","d":"-3 %"}'),
        ('{"a":"\\",\\"b\\":\\"5\\",\\""}', None),
        ('{"a":["1","2"]}', None),
        ('{"a":"13800138000123"}', None),
        ('{"a":"71\\n"}', None),
        ("{}", None),
    ],
)
def test_of_attributes_only_figures_stay(ttsq: CommandLine, given_: str, kept: str | None) -> None:
    with duckdb.connect(str(ttsq.store)) as connection:
        connection.execute("update requests set attributes = ? where id = 'ts_010'", [given_])
    ttsq.well("prune", "--text-older-than", "2026-03-02")
    found = _ask(ttsq, "select attributes::varchar from requests where id = 'ts_010'")
    assert found == [(kept,)]


def test_disk_space_is_given_back_and_the_tables_are_as_they_were(tmp_path: Path) -> None:
    ttsq = _large(tmp_path)
    os.chmod(ttsq.store, 0o640)
    size = ttsq.store.stat().st_size
    described = (
        "select table_name, column_name, data_type, is_nullable, comment from duckdb_columns() "
        "where database_name = current_database() and not internal order by 1, column_index",
        "select table_name, comment from duckdb_tables() order by 1",
        "select table_name, constraint_type, constraint_column_names from "
        "duckdb_constraints() order by all",
        "select version_num from alembic_version",
    )
    before = [_ask(ttsq, sql) for sql in described]
    report = _pruned(ttsq, "--older-than", "2026-03-04T00:00:00Z")
    assert report["space_given_back"]
    assert ttsq.store.stat().st_size < size / 2.5
    assert report["bytes_after"] == ttsq.store.stat().st_size
    assert report["bytes_before"] == size
    assert [_ask(ttsq, sql) for sql in described] == before
    assert ttsq.store.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["store.duckdb", "store.duckdb.lock"]
    groups = _ask(
        ttsq,
        "select max(count) from pragma_storage_info('requests') where column_name = 'id' and "
        "segment_type = 'VARCHAR'",
    )
    assert groups[0][0] <= ROW_GROUP_SIZE
    with duckdb.connect() as connection:
        connection.execute(f"attach '{ttsq.store}' as s (read_only)")
        (tags,) = connection.execute("select tags from duckdb_databases() where database_name = 's'").fetchall()  # fmt: skip  # noqa: E501
    assert tags[0]["storage_version"].startswith(STORAGE_VERSION)
    assert not _pruned(ttsq, "--older-than", "2026-03-04T00:00:00Z")["space_given_back"]


def _large(folder: Path, requests: int = 60_000) -> CommandLine:
    """A store with many requests, one each six seconds from the first of March on."""
    ttsq = CommandLine(folder)
    migrate.ensure_head(DuckDBStore(ttsq.store))
    at = "timestamptz '2026-03-01 00:00:00+00' + to_seconds(i * 6)"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{ttsq.store}' as s (row_group_size {ROW_GROUP_SIZE})")
        connection.execute("use s")
        connection.execute(
            "insert into requests by name select i as request_key, 'ts_' || i as id, 'h' as "
            "host, 's' as service, "
            f"{at} as logged_at, array_to_string([md5(j || 'x' || i) for j in range(10)], ' "
            f"') as text, 329 as text_len, 'plain' as text_class from range({requests}) r(i)"
        )
        connection.execute(
            "insert into stage_timings by name select i as request_key, "
            "'audio_render' as stage, 1 as seq, "
            f"{at} + to_seconds(30) as logged_at, i as file_key, i as byte_offset from "
            f"range({requests}) r(i)"
        )
    return ttsq


_LARGE_CUT = "2026-03-04T00:00:00Z"
_LARGE_OLD = 3 * 14_400


def _begun(ttsq: CommandLine, *words: str, batch: int = 2000) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.prune_in_small_batches", str(batch), *words],
        cwd=ttsq.folder,
        env=ttsq.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _left(ttsq: CommandLine) -> int:
    """Rows of requests; each of them has its stage, and no stage is without its request."""
    found = _ask(
        ttsq,
        "select count(*), count(r.request_key), count(s.request_key) from requests r full join "
        "stage_timings s using (request_key)",
    )
    assert found[0][0] == found[0][1] == found[0][2], found
    return int(found[0][0])


def test_killed_at_any_moment_the_next_pruning_goes_on(tmp_path: Path) -> None:
    ttsq = _large(tmp_path)
    words = ("prune", "--older-than", _LARGE_CUT, "--text-older-than", _LARGE_CUT)
    left, size = _left(ttsq), ttsq.store.stat().st_size
    chance = random.Random(11)
    seen = {left}
    for attempt in range(40):  # a busy machine is slow to begin
        if attempt >= 8 and len(seen) > 3:
            break
        with _begun(ttsq, *words) as process:
            time.sleep(chance.uniform(0.8, 3.0) * (1 + attempt / 8))
            process.kill()
        now = _left(ttsq)
        assert now <= left
        left = now
        seen.add(now)
    assert len(seen) > 3  # it was killed between batches
    for _ in range(2):
        ttsq.well(*words)
    assert _left(ttsq) == 60_000 - _LARGE_OLD
    assert _ask(ttsq, "select rows from pruned where table_name = 'requests'") == [(_LARGE_OLD,)]
    assert ttsq.store.stat().st_size < size / 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["store.duckdb", "store.duckdb.lock"]
    ttsq.well("db", "check")


def test_killed_while_space_is_given_back(ttsq: CommandLine) -> None:
    """Whenever there is a file of that name, the process dies: the store is whole, and the next
    pruning gives the space back.
    """
    half = ttsq.store.with_name("store.duckdb.compact")
    with _begun(ttsq, "prune", "--older-than", _CUT) as process:
        while not half.exists() and process.poll() is None:
            time.sleep(0.0005)
        process.kill()
    assert half.exists()
    assert _ask(ttsq, "select count(*) from requests") == [(60,)]
    assert _ask(ttsq, "select count(*) from pruned where pruned_at is null") == [(4,)]
    half.with_name(half.name + ".wal").write_bytes(b"half a log")
    report = _pruned(ttsq, "--older-than", _CUT)
    assert (report["rows"], report["space_given_back"]) == (0, True)
    assert not half.exists() and not half.with_name(half.name + ".wal").exists()
    _expect_sound(ttsq)


_SMALL_DISK = """
set -e
mount -t tmpfs -o size=$SIZE tmpfs "$DISK"
cp "$STORE" "$DISK/store.duckdb"
code=0
"$@" 2> "$OUT.err" > "$OUT" || code=$?
echo $code > "$OUT.code"
mount -o remount,size=200m "$DISK"
"$@" > "$OUT.later"
cp "$DISK/store.duckdb" "$STORE"
"""


def test_no_room_to_give_space_back(tmp_path: Path) -> None:
    """The rows are gone, the store is whole, exit code 4 says why; once there is room the space is
    given back.
    """
    ttsq = _large(tmp_path)
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    words = [sys.executable, "-m", "ingest", "--db", f"duckdb:///{disk}/store.duckdb"]
    words += ["prune", "--older-than", "2026-03-02T00:00:00Z", "--json"]
    space = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    size = ttsq.store.stat().st_size
    names = {"SIZE": str(size * 2), "DISK": str(disk), "STORE": str(ttsq.store)}
    done = subprocess.run(
        [*space, "sh", "-c", _SMALL_DISK, "sh", *words],
        env=ttsq.environment | names | {"OUT": str(out)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"this test mounts file systems of its own: {done.stderr}"
    assert Path(f"{out}.code").read_text() == "4\n"
    told = Path(f"{out}.err").read_text()
    assert "to give its space back" in told and "hint: make room there" in told
    later = json.loads(Path(f"{out}.later").read_text())
    assert (later["rows"], later["space_given_back"]) == (0, True)
    assert _left(ttsq) == 60_000 - 14_400
    ttsq.well("db", "check")


def test_ingests_and_readers_get_their_turn_beside_a_pruning(tmp_path: Path) -> None:
    ttsq = _large(tmp_path)
    log = tmp_path / "app.log"
    ended: list[Ended] = []
    with _begun(ttsq, "prune", "--older-than", _LARGE_CUT, batch=4000) as process:
        number = 0
        while process.poll() is None:
            with log.open("a") as file:
                file.write(_request(9, number, f"ts_more{number}"))
            ended.append(ttsq("ingest", "app.log", "--final"))
            ended.append(ttsq("sql", "select count(*) from requests"))
            number += 1
        assert process.returncode == 0, process.stdout and process.stdout.read()
    assert number >= 2
    assert all(e.code == 0 for e in ended), [e for e in ended if e.code]
    assert _left(ttsq) == 60_000 - _LARGE_OLD + number
    ttsq.well("verify", "app.log")


def test_a_run_and_what_is_in_quarantine_grow_old_too(ttsq: CommandLine) -> None:
    (ttsq.folder / "odd.log").write_text(
        "2026-02-30 10:00:00,000 - app - INFO - no such day\n" + _request(7, 0, "ts_odd")
    )
    ttsq.well("ingest", "odd.log", "--final")
    ttsq.execute("update quarantine set quarantined_at = '2026-03-01 00:00:00+00'")
    ttsq.execute("update ingest_runs set started_at = '2026-03-01 00:00:00+00'")
    report = _pruned(ttsq, "--older-than", _CUT)
    assert (_by_table(report)["quarantine"], _by_table(report)["ingest_runs"]) == (1, 1)
    assert _ask(ttsq, "select run_key from ingest_runs") == [(2,)]
    (ttsq.folder / "new.log").write_text(_request(8, 0, "ts_new"))
    ttsq.well("ingest", "new.log", "--final")
    assert _ask(ttsq, "select run_key from ingest_runs order by 1") == [(2,), (3,)]


def test_the_end_of_a_request_whose_beginning_was_pruned_is_a_request_of_its_own(
    ttsq: CommandLine,
) -> None:
    log = ttsq.folder / "open.log"
    lines = _request(1, 7, "ts_torn").splitlines(keepends=True)
    log.write_text(lines[0])
    ttsq.well("ingest", "open.log", "--final")
    assert _by_table(_pruned(ttsq, "--older-than", _CUT))["request_parts"] == 1
    assert _ask(ttsq, "select count(*) from request_parts") == [(0,)]
    with log.open("a") as file:
        file.write(_request(6, 0, "ts_torn").splitlines(keepends=True)[-1])
    ttsq.well("ingest", "open.log", "--final")
    found = _ask(ttsq, "select started_at, status from requests where id = 'ts_torn'")
    assert found == [(None, "failed")]
    _expect_sound(ttsq)


def test_stages_and_parts_without_a_request_go_by_their_own_age(ttsq: CommandLine) -> None:
    ttsq.execute("delete from requests where id in ('ts_011', 'ts_091')")
    report = _pruned(ttsq, "--older-than", _CUT)
    assert _by_table(report)["stage_timings"] == 40
    assert _ask(ttsq, "select logged_at::date::varchar from stage_timings anti join requests using (request_key)") == [("2026-03-09",)]  # fmt: skip  # noqa: E501


def test_the_schema_goes_back_and_forth_with_data(ttsq: CommandLine) -> None:
    before = ttsq.counts()
    ttsq.well("db", "downgrade", "0001")
    assert ttsq("status").code == 4
    _pruned(ttsq, "--older-than", "2026-02-01")  # brings it to head
    assert ttsq.counts() == before
    ttsq.well("db", "check")


@given(
    st.dictionaries(st.integers(0, 50), st.integers(1, 30)).map(
        lambda d: [Minute(m, n) for m, n in sorted(d.items())]
    ),
    st.integers(1, 60),
)
def test_batches_take_all_and_few(minutes: list[Minute], most: int) -> None:
    before = datetime(1970, 1, 1, 0, 51, tzinfo=UTC)
    ends = batch_ends(minutes, before, most)
    assert ends == sorted(set(ends))
    assert (ends[-1:] == [before]) == bool(minutes)
    left = list(minutes)
    for end in ends:
        number = end.timestamp() / 60
        batch = [m for m in left if m.number < number]
        left = [m for m in left if m.number >= number]
        assert batch and (len(batch) == 1 or sum(m.rows for m in batch) <= most)
    assert not left
