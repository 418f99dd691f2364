"""Access lines and the requests that they answer, over a busy hour whose truth is known: never a
wrong one.
"""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.correlation.service import Service
from tests.support.busy_hour import BusyHour, busy_hour
from tests.support.join_score import Hour, hour_of, score_of

ENGINES = ("duckdb", "postgresql")


def _score(answers: dict[int, str], hour: BusyHour) -> tuple[float, float]:
    """Precision and recall."""
    right = sum(hour.answers.get(number) == name for number, name in answers.items())
    return right / len(answers), right / len(hour.answers)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("per_minute", "least"), [(5, 0.9), (20, 0.7)], ids=["five a minute", "twenty a minute"]
)
def test_without_ids_no_line_is_joined_to_another_request(
    tmp_path: Path,
    engine: str,
    per_minute: float,
    least: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hour = busy_hour(3, per_minute=per_minute)
    service = Service(tmp_path, engine)
    service.ingest(service.access, hour.access)
    service.ingest(service.application, hour.application)
    precision, recall = _score(service.answers(), hour)
    with capsys.disabled():
        print(f"\n{per_minute} a minute, {engine}: precision {precision}, recall {recall:.2f}")
    assert precision == 1.0
    assert recall >= least
    assert "lost 0, doubled 0" in service.run("verify")


@pytest.mark.parametrize("engine", ENGINES)
def test_with_ids_every_line_is_joined(tmp_path: Path, engine: str) -> None:
    hour = busy_hour(4, per_minute=40, has_names=True, seconds=1200)
    service = Service(tmp_path, engine)
    service.ingest(service.access, hour.access)
    service.ingest(service.application, hour.application)
    assert service.answers() == hour.answers


def test_without_times_only_lonely_requests_are_joined(tmp_path: Path) -> None:
    hour = busy_hour(5, per_minute=1, has_times=False)
    service = Service(tmp_path)
    service.ingest(service.application, hour.application)
    service.ingest(service.access, hour.access)
    precision, recall = _score(service.answers(), hour)
    assert precision == 1.0
    assert recall > 0.2


def _pieces(draw: random.Random, lines: Sequence[str], count: int) -> list[list[str]]:
    cuts = [0, *sorted(draw.sample(range(len(lines)), count - 1)), len(lines)]
    return [list(lines[a:b]) for a, b in pairwise(cuts)]


def _application_first(service: Service, hour: BusyHour) -> None:
    service.ingest(service.application, hour.application)
    service.ingest(service.access, hour.access)


def _in_turns(service: Service, hour: BusyHour) -> None:
    draw = random.Random(6)
    turns = zip(
        _pieces(draw, hour.application, 6), _pieces(draw, hour.access, 6), strict=True
    )  # fmt: skip
    for some, more in turns:
        service.ingest(service.application, some, final=False)
        service.ingest(service.access, more, final=False)
    service.ingest(service.application)
    service.ingest(service.access)


def _rotated_and_read_backwards(service: Service, hour: BusyHour) -> None:
    draw = random.Random(7)
    for number, lines in reversed([*enumerate(_pieces(draw, hour.application, 4))]):
        service.ingest(service.application.with_suffix(f".{number}.log"), lines)
    service.ingest(service.access, hour.access)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "read", [_application_first, _in_turns, _rotated_and_read_backwards], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("has_names", [False, True], ids=["by order", "by name"])
def test_the_order_of_reading_changes_nothing(
    tmp_path: Path, engine: str, read: Callable[[Service, BusyHour], None], has_names: bool
) -> None:
    hour = busy_hour(8, per_minute=20, has_names=has_names, seconds=1200)
    whole, other = Service(tmp_path / "whole", engine), Service(tmp_path / "other", engine)
    whole.ingest(whole.access, hour.access)
    whole.ingest(whole.application, hour.application)
    read(other, hour)
    assert other.answers() == whole.answers()
    assert len(whole.answers()) > 200


@pytest.mark.parametrize("per_minute", [5, 20, 40])
def test_where_both_logs_miss_something_nothing_is_joined_to_another_request(
    per_minute: float,
) -> None:
    hour = hour_of(9, per_minute)
    whole = score_of(hour, (0.0, 0.0), 0)
    for seed in range(12):
        assert score_of(hour, (0.1, 0.1), seed).wrong == 0
        # a log that is whole is joined as ever, whatever the other one misses
        half = score_of(hour, (0.1, 0.0), seed)
        assert half.wrong == 0
        assert half.joined / half.known > 0.8 * whole.joined / whole.known


def _with(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


@pytest.fixture(scope="module")
def quiet_hour() -> Hour:
    return hour_of(10, 3)


@pytest.mark.parametrize("seconds", [-5.0, -2.0, -0.3, 0.3, 2.0, 5.0])
def test_clocks_that_differ_join_no_line_to_another_request(
    quiet_hour: Hour, seconds: float
) -> None:
    requests = quiet_hour.requests
    for name in ("started_at", "completed_at", "logged_at"):
        shifted = pc.add(requests[name].cast(pa.int64()), int(seconds * 1e6))
        requests = _with(requests, name, shifted.cast(requests[name].type))
    assert score_of(quiet_hour._replace(requests=requests), (0.0, 0.0), 0).wrong == 0


@pytest.mark.parametrize("server", ["apache", "combined"])
def test_a_stamp_of_the_beginning_is_taken_for_one_where_it_may_be_one(
    quiet_hour: Hour, server: str
) -> None:
    lines = quiet_hour.lines
    took = lines["request_ms"].fill_null(0.0).cast(pa.int64(), safe=False)
    began = pc.subtract(lines["logged_at"].cast(pa.int64()), pc.multiply(took, 1000))
    lines = _with(lines, "logged_at", began.cast(lines["logged_at"].type))
    lines = _with(lines, "request_ms", pa.nulls(lines.num_rows, pa.float64()))
    lines = _with(lines, "server", pa.array([server] * lines.num_rows))
    score = score_of(quiet_hour._replace(lines=lines), (0.0, 0.0), 0)
    assert score.wrong == 0 and score.joined > 0
