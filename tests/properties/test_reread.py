"""A file that was read in a wrong way and is read anew leaves the rows that there would be if it
had been read in the right way at once: its own, and those of the requests that it shares.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.tasks.prune import cuts, prune
from ingest.tasks.reread.report import RereadReport
from ingest.tasks.reread.run import reread
from tests.properties.comparison import compare, expected
from tests.properties.test_any_order import PROFILE, Logs, logs_in_files
from tests.support import harness

NOW = datetime(2026, 2, 1, tzinfo=UTC)
# a minute off: within the grace of what joins; hours off
_ZONES = st.sampled_from(["UTC", "Etc/GMT-1", "Asia/Kolkata"])


def _reread(store: harness.Store, paths: Sequence[Path], dry_run: bool = False) -> RereadReport:
    options = Options("h", "s", compile_format(), UTC, final=True, dry_run=dry_run)
    return reread(store, [str(p) for p in paths], options, now=lambda: datetime.now(UTC))


def _written(folder: Path, logs: Logs) -> list[Path]:
    paths = [folder / f"{i}.log" for i in range(len(logs.files))]
    for path, content in zip(paths, logs.contents(), strict=True):
        path.write_bytes(content)
    return paths


@pytest.mark.parametrize("engine", harness.ENGINES)
@PROFILE
@given(data=st.data())
def test_files_that_were_read_in_a_wrong_zone(engine: str, data: st.DataObject) -> None:
    logs = data.draw(logs_in_files())
    note("\n".join(f"{i}: {line.decode()}" for i, f in enumerate(logs.files) for line in f))
    with TemporaryDirectory() as name:
        store = harness.new_store_of(engine, Path(name))
        paths = _written(Path(name), logs)
        wrong = []
        for path in data.draw(st.permutations(paths)):
            zone = data.draw(_ZONES)
            harness.run(store, [path], final=True, tz=zone)
            if zone != "UTC":
                wrong.append(path)
        for path in data.draw(st.permutations(wrong)):
            report = _reread(store, [path])
            assert not report.problems
        compare(harness.dump(store, paths), expected(logs.contents()))


@settings(PROFILE, max_examples=10)
@given(logs=logs_in_files())
def test_what_was_read_rightly_comes_back_as_it_was(logs: Logs) -> None:
    with TemporaryDirectory() as name:
        store = harness.new_store(Path(name))
        paths = _written(Path(name), logs)
        harness.run(store, paths, final=True)
        before = harness.dump(store, paths)
        bytes_before = store.path.read_bytes()
        foreseen = _reread(store, paths, dry_run=True)
        assert store.path.read_bytes() == bytes_before
        done = _reread(store, paths)
        assert harness.dump(store, paths) == before
        assert [f.went for f in done.files] == [f.went for f in foreseen.files]
        assert [f.came for f in done.files] == [f.came for f in foreseen.files]


@st.composite
def _served(draw: st.DrawFn) -> tuple[str, str]:
    """An application's log and its proxy's: some requests close together, some with names."""
    application, access = [], []
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    for n in range(draw(st.integers(2, 8))):
        at += timedelta(seconds=draw(st.sampled_from([0, 1, 5, 600])))
        end = at + timedelta(milliseconds=draw(st.sampled_from([200, 500])))
        name = f"4bf92f3577b3{n:04x}"
        told = f", request_id={name}" if draw(st.booleans()) else ""
        first, last = (t.strftime("%Y-%m-%d %H:%M:%S,%f")[:-3] for t in (at, end))
        application.append(f'{first} - app - INFO - synthesis_start: id=ts_{n}, text="x"{told}\n')
        application.append(
            f"{last} - app - INFO - synthesis_complete: id=ts_{n}, status=success, "
            f"duration_ms={(end - at).microseconds // 1000}\n"
        )
        access.append(
            f'10.0.0.{n} - - [{end:%d/%b/%Y:%H:%M:%S} +0000] "POST /tts HTTP/1.1" 200 9 "-" "c" '
            f"rt={(end - at).total_seconds():.3f} urt=0.1"
            + (f" rid={name}\n" if draw(st.booleans()) else "\n")
        )
    return "".join(sorted(application)), "".join(access)


@pytest.mark.parametrize("engine", harness.ENGINES)
@settings(PROFILE, max_examples=PROFILE.max_examples // 2)
@given(logs=_served(), order=st.permutations(["app.log", "access.log"]))
def test_access_lines_answer_the_same_requests(
    engine: str, logs: tuple[str, str], order: list[str]
) -> None:
    with TemporaryDirectory() as name:
        paths = [Path(name) / "app.log", Path(name) / "access.log"]
        for path, text in zip(paths, logs, strict=True):
            path.write_text(text)
        right = harness.new_store(Path(name))
        harness.run(right, paths, final=True)
        (Path(name) / "wrong").mkdir()
        store = harness.new_store_of(engine, Path(name) / "wrong")
        for path in paths:
            harness.run(store, [path], final=True, tz="Asia/Tokyo")
        for wanted in order:
            _reread(store, [Path(name) / wanted])
        assert _answers(store) == _answers(right)


def _answers(store: harness.Store) -> list[tuple[object, ...]]:
    """Access lines in their order, and the ids of the requests that they answer."""
    with store.reading() as reader:
        return list(
            reader.query(
                "select h.client, r.id from http_requests h "
                "left join requests r on r.request_key = h.request_key order by 1",
                None,
            ).rows
        )


@pytest.mark.parametrize("engine", harness.ENGINES)
@settings(PROFILE, max_examples=PROFILE.max_examples // 2)
@given(logs=logs_in_files(most_files=1), days=st.integers(0, 3), hours=st.integers(0, 23))
def test_what_was_pruned_stays_pruned(engine: str, logs: Logs, days: int, hours: int) -> None:
    with TemporaryDirectory() as name:
        store = harness.new_store_of(engine, Path(name))
        paths = _written(Path(name), logs)
        harness.run(store, paths, final=True)
        at = datetime(2026, 1, 1 + days, hours, tzinfo=UTC).isoformat()
        chosen = cuts(
            at, (datetime.fromisoformat(at) + timedelta(hours=9)).isoformat(), {}, NOW, UTC
        )
        prune(store, chosen, now=lambda: NOW)
        before = harness.dump(store, paths)
        _reread(store, paths)
        assert harness.dump(store, paths) == before
