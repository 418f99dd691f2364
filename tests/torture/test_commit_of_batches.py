"""Several batches of a file are stored by one commit: nothing else may change by it."""

import gzip
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ingest import faults
from ingest.errors import StoreError
from ingest.model import RunReport
from ingest.pipeline import commits, one_file, pending
from ingest.pipeline.known_content import Content
from ingest.pipeline.one_file import OneFile
from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.duckdb.writer import DuckDBWriter
from tests.support import harness
from tests.support.command_line import CommandLine
from tests.support.fault_machine import KILLED, ended_in_child
from tests.support.harness import ENGINES
from tests.support.truth import Truth, make_truth, wrong

_CHUNK = 2000


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read as large ones are: by a thread, none waits for others, in several commits."""
    monkeypatch.setattr(one_file, "SMALL_BYTES", -1)
    monkeypatch.setattr(commits, "COMMIT_BYTES", 3 * _CHUNK)


@pytest.fixture(scope="module")
def truth() -> Truth:
    """Requests that begin in one batch, or file, and end in another."""
    return make_truth(11, 70, files=2)


@pytest.fixture(scope="module")
def logs(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The two files that these are logged into."""
    folder = tmp_path_factory.mktemp("logs")
    for number, content in enumerate(truth.files):
        (folder / f"app{number}.log").write_bytes(content)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def expected(
    truth: Truth, logs: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> harness.Tables:
    """The rows where each batch has a commit of its own: what was logged, and nothing else."""
    store = harness.new_store(tmp_path_factory.mktemp("expected"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commits, "COMMIT_BYTES", 1)
        _run(store, logs)
    rows = harness.dump(store, logs)
    assert not wrong(truth, rows)
    return rows


def _run(store: Store, logs: list[Path]) -> RunReport:
    return harness.run(store, logs, final=True, chunk_bytes=_CHUNK)


def _parts_are_right(store: Store, logs: list[Path], truth: Truth) -> None:
    """A part stands in one row, as it is in the end: with the start and the end that its file has
    of its request.
    """
    files = {c.file_key: logs.index(Path(c.path)) for c in store.checkpoints()}
    ends = {r["request_key"]: (r["end_file"], r["end_offset"]) for r in truth.requests}
    columns = "request_key, file_key, first_offset, start_offset, end_offset"
    with store.reading() as reader:
        rows = reader.query(f"select {columns} from request_parts", None).rows
    places = []
    for key, file_key, first, start, end in rows:
        request = (files[key >> 40], key & ((1 << 40) - 1))  # type: ignore[operator]
        file = files[file_key]  # type: ignore[index]
        places.append((file, first))
        assert start == (request[1] if request[0] == file else None)
        assert end == (ends[request][1] if ends[request][0] == file else None)
    assert rows and len(set(places)) == len(places)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batches", [2, 5, 1000])
def test_the_rows_are_the_same(
    truth: Truth,
    logs: list[Path],
    expected: harness.Tables,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    batches: int,
) -> None:
    monkeypatch.setattr(commits, "COMMIT_BYTES", batches * _CHUNK)
    store = harness.new_store_of(engine, tmp_path)
    report = _run(store, logs)
    assert not report.problems
    assert harness.dump(store, logs) == expected
    _parts_are_right(store, logs, truth)
    harness.runs_add_up(store)
    tables = ("requests", "stage_timings", "errors", "cache_samples")
    assert {t: report.rows[t] for t in tables} == {t: len(expected[t]) for t in tables}


def test_a_commit_takes_so_many_batches_where_nobody_else_can_write(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is slow to come is not waited for."""
    counts: list[int] = []
    commit = DuckDBWriter.commit

    def counted(writer: DuckDBWriter, *arguments: Any) -> None:
        counts[-1] += 1
        commit(writer, *arguments)

    monkeypatch.setattr(DuckDBWriter, "commit", counted)
    for batches, seconds in ((1, 60.0), (4, 60.0), (4, 0.0)):
        monkeypatch.setattr(commits, "COMMIT_BYTES", 1 + (batches - 1) * _CHUNK)
        monkeypatch.setattr(commits, "_LONGEST_SECONDS", seconds)
        counts.append(0)
        (tmp_path / f"{batches}-{seconds}").mkdir()
        _run(harness.new_store(tmp_path / f"{batches}-{seconds}"), logs)
    each, four, at_once = counts
    assert each == at_once
    assert each / 6 <= four <= each / 3


def _requests_seen_by_others(store: DuckDBStore, folder: Path) -> int:
    """As another process counts them now."""
    where = ("--db", f"duckdb:///{store.path}")
    sql = ("sql", "select count(*) from requests", "--format", "csv")
    return int(CommandLine(folder).well(*where, *sql).splitlines()[-1])


def test_a_reader_does_not_wait_until_the_next_batch_is_made(
    logs: list[Path], expected: harness.Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "_LONGEST_SECONDS", 0.2)
    built, store = pending.built, harness.new_store(tmp_path)
    seen: list[int] = []

    def slowly(*arguments: Any, **options: Any) -> Iterator[Any]:
        """The fifth chunk comes when somebody has read the store, which the first ones are in."""
        for number, chunk in enumerate(built(*arguments, **options)):
            if number == 4:
                seen.append(_requests_seen_by_others(store, tmp_path))
            yield chunk

    monkeypatch.setattr(one_file, "built", slowly)
    _run(store, logs)
    assert len(seen) == len(logs) and all(seen)
    assert harness.dump(store, logs) == expected


def test_a_reader_does_not_wait_while_a_large_file_is_compared_with_what_is_stored(
    logs: list[Path], expected: harness.Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_file, "_LONG_LOOK", 1000)
    monkeypatch.setattr(OneFile, "_later_than_stored", lambda *_: None)
    monkeypatch.setattr(commits, "COMMIT_BYTES", 1 << 30)
    look, store = Content.stretches, harness.new_store(tmp_path)
    seen: list[int] = []

    def slowly(*arguments: Any, **options: Any) -> Any:
        seen.append(_requests_seen_by_others(store, tmp_path))
        return look(*arguments, **options)

    monkeypatch.setattr(Content, "stretches", slowly)
    _run(store, logs)
    assert seen[0] == 0 < seen[1]
    assert harness.dump(store, logs) == expected


@pytest.mark.parametrize("point", ["inserted", "rows_in", "before_commit", "committed", "closed"])
@pytest.mark.parametrize(
    ("count", "how"), [(1, "kill"), (7, "kill"), (5, "interrupt"), (4, "enospc")]
)
def test_stopped_at_any_point_the_next_run_goes_on(
    logs: list[Path], expected: harness.Tables, tmp_path: Path, point: str, count: int, how: str
) -> None:
    store = harness.new_store(tmp_path)

    def run() -> None:
        _run(store, logs)

    if how == "kill":
        assert ended_in_child(run, f"{point}:{count}") == KILLED
    else:
        with (
            faults.armed(f"{point}:{count}:{how}"),
            suppress(KeyboardInterrupt, StoreError, OSError),
        ):
            run()
            pytest.fail("nothing has stopped it")
    run()
    assert harness.dump(store, logs) == expected
    harness.runs_add_up(store)


@pytest.mark.parametrize("point", ["after_read", "parsed", "assembled"])
def test_stopped_between_two_batches_it_stores_what_was_written(
    logs: list[Path], expected: harness.Tables, tmp_path: Path, point: str
) -> None:
    store = harness.new_store(tmp_path)
    with faults.armed(f"{point}:5:interrupt"), suppress(KeyboardInterrupt):
        _run(store, logs)
        pytest.fail("nothing has stopped it")
    (known, *_) = store.checkpoints()
    assert known.committed_offset > _CHUNK
    _run(store, logs)
    assert harness.dump(store, logs) == expected
    harness.runs_add_up(store)


def test_what_comes_before_damage_is_stored(tmp_path: Path, logs: list[Path]) -> None:
    whole = tmp_path / "app.log.1.gz"
    packed = gzip.compress(logs[0].read_bytes())
    whole.write_bytes(packed[: len(packed) // 2])
    store = DuckDBStore(tmp_path / "store.duckdb")
    report = _run(store, [whole])
    assert len(report.problems) == 1
    (known,) = store.checkpoints()
    assert known.state == "damaged"
    assert known.committed_offset > 3 * _CHUNK
    whole.write_bytes(packed)
    assert not _run(store, [whole]).problems
    (known,) = store.checkpoints()
    assert known.record_bytes == logs[0].stat().st_size
    harness.runs_add_up(store)
