"""Requests of one id that lie in several files: the same rows in whatever order, and however far,
the files are read.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.properties.comparison import MODIFIED, compare, expected
from tests.support import harness

PROFILE = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "25")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    phases=[
        Phase.explicit,
        Phase.reuse,
        Phase.generate,
    ],  # to make an example smaller takes minutes
    suppress_health_check=list(HealthCheck),
)
_START = datetime(2026, 1, 1, 20, tzinfo=UTC)
# seconds to the next record: within one instant, near the grace of 60 s, near the day that an end
# is waited for
_GAPS = st.sampled_from([0, 0, 0, 0.001, 1, 10, 59, 60, 61, 600, 3600 * 8, 3600 * 24, 3600 * 25])
_KINDS = {
    "start": 'INFO - synthesis_start: id={id}, text="{n}", n={n}',
    "stage": "INFO - stage_time: stage=s{n}, id={id}, duration_ms={n}0",
    "metrics": "INFO - audio_metrics: id={id}, rms=0.{n}, n={n}",
    "failed": "ERROR - synthesis_failed: id={id}, error_code=E{n}, n={n}",
    "warning": "WARNING - slow: id={id}, warning_code=W{n}, n={n}",
    "end": "INFO - synthesis_complete: id={id}, status=success, duration_ms={ms}, n={n}",
}
_FEW_STARTS = st.sampled_from(["start", "end", "end", "stage", "metrics", "warning", "failed"])


@dataclass(frozen=True)
class Logs:
    """Files as lists of lines, and in what order how many lines more of each are read."""

    files: tuple[tuple[bytes, ...], ...]
    reads: tuple[tuple[int, int], ...]

    def contents(self) -> list[bytes]:
        return [b"".join(lines) for lines in self.files]


@st.composite
def logs_in_files(draw: st.DrawFn, most_files: int = 4, most_ids: int = 2) -> Logs:
    """Records of few ids in time, each in one of the files; sometimes a clock steps back."""
    files: list[list[bytes]] = [[] for _ in range(draw(st.integers(1, most_files)))]
    kinds = st.sampled_from([*_KINDS]) | (_FEW_STARTS if draw(st.booleans()) else st.nothing())
    at = _START
    for n in range(1, draw(st.integers(2, 14))):
        at += timedelta(seconds=draw(_GAPS)) * draw(st.sampled_from([1, 1, 1, 1, 1, -1]))
        text = _KINDS[draw(kinds)].format(
            id=f"ts_{draw(st.integers(1, most_ids))}",
            n=n,
            ms=draw(st.sampled_from([0, 1, 500, 61_000, 3_600_000])),
        )
        stamp = at.strftime("%Y-%m-%d %H:%M:%S,") + f"{at.microsecond // 1000:03d}"
        draw(st.sampled_from(files)).append(f"{stamp} - app - {text}\n".encode())
    filled = tuple(tuple(lines) for lines in files if lines)
    return Logs(filled, tuple(draw(_reads(filled))))


def _reads(files: tuple[tuple[bytes, ...], ...]) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Each file whole in any order, or every file bit by bit."""
    whole = st.permutations([(i, len(lines)) for i, lines in enumerate(files)])
    bits = st.permutations([i for i, lines in enumerate(files) for _ in lines]).map(
        lambda order: [(f, order[: n + 1].count(f)) for n, f in enumerate(order)]
    )
    return whole | bits


def _ingested(store: harness.Store, folder: Path, logs: Logs) -> dict[str, list[harness.Row]]:
    """The rows of a store that has read the files step by step, each step a run."""
    paths = [folder / f"{i}.log" for i in range(len(logs.files))]
    for file, lines in logs.reads:
        paths[file].write_bytes(b"".join(logs.files[file][:lines]))
        os.utime(paths[file], (MODIFIED.timestamp(),) * 2)
        harness.run(store, [paths[file]], final=lines == len(logs.files[file]))
    return harness.dump(store, paths)


@PROFILE
@given(logs=logs_in_files())
def test_files_read_in_any_order_and_bit_by_bit_give_the_rows_of_the_rules(logs: Logs) -> None:
    note("\n".join(f"{i}: {line.decode()}" for i, f in enumerate(logs.files) for line in f))
    with TemporaryDirectory() as name:
        store = harness.new_store(Path(name))
        compare(_ingested(store, Path(name), logs), expected(logs.contents()))


@pytest.mark.parametrize("engine", harness.ENGINES)
@settings(PROFILE, max_examples=PROFILE.max_examples // 5)
@given(data=st.data())
def test_one_run_over_all_files_gives_the_rows_of_many_runs(
    engine: str, data: st.DataObject
) -> None:
    logs = data.draw(logs_in_files())
    with TemporaryDirectory() as name:
        rows = _ingested(harness.new_store_of(engine, Path(name)), Path(name), logs)
        at_once = harness.new_store(Path(name))
        paths = [Path(name) / f"{i}.log" for i in range(len(logs.files))]
        harness.run(at_once, paths, final=True)
        compare(rows, harness.dump(at_once, paths))
