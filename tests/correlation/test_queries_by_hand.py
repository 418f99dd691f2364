"""The six queries about HTTP, on seven access lines whose answers are worked out by hand."""

import json
from pathlib import Path

import pytest

from tests.correlation.service import Service

ENGINES = ("duckdb", "postgresql")
_ACCESS = (
    ("10:00:01", "10.0.0.1", "POST /tts", 200, 1.2, 1.1, "a1"),
    ("10:00:02", "10.0.0.1", "POST /tts", 200, 0.5, 0.45, "a2"),  # its synthesis failed
    ("10:00:10", "10.0.0.2", "POST /tts", 422, 0.002, 0.002, "a3"),
    ("10:00:11", "10.0.0.2", "POST /tts", 422, 0.002, 0.002, "a4"),
    ("10:05:00", "10.0.0.2", "POST /tts", 502, 0.001, 0.001, "a5"),
    ("10:05:01", "10.0.0.1", "POST /tts", 500, 0.3, 0.3, "a6"),
    ("10:05:02", "10.0.0.1", "GET /health", 200, 0.001, 0.001, "a7"),
)
_REQUESTS = (
    ("10:00:00,000", "10:00:01,000", "ts_1", "a1", "status=success, duration_ms=1000"),
    (
        "10:00:01,600",
        "10:00:02,000",
        "ts_2",
        "a2",
        "status=failed, duration_ms=400, error_code=FFT",
    ),
    (
        "10:05:00,750",
        "10:05:01,000",
        "ts_6",
        "a6",
        "status=failed, duration_ms=250, error_code=OOM",
    ),
)
_ANSWERS: dict[str, list[list[object]]] = {
    "silent_failures": [["a2", "ts_2", "10:00:02", 200, "FFT"]],
    "http_errors": [
        [422, "/tts", 2, 2 / 7, "10:00:10", "10:00:11"],
        [500, "/tts", 1, 1 / 7, "10:05:01", "10:05:01"],
        [502, "/tts", 1, 1 / 7, "10:05:00", "10:05:00"],
    ],
    "http_latency_over_time": [
        ["10:00:00", 4, 251.0, 1095.0, 1179.0],
        ["10:05:00", 3, 1.0, 270.1, 294.02],
    ],
    "time_outside_synthesis": [
        ["a1", "ts_1", 1200.0, 1100.0, 1000.0, 200.0],
        ["a2", "ts_2", 500.0, 450.0, 400.0, 100.0],
        ["a6", "ts_6", 300.0, 300.0, 250.0, 50.0],
    ],
    "rejected_requests": [[422, "/tts", "10.0.0.2", 2, "10:00:10", "10:00:11"]],
    "clients": [
        ["10.0.0.1", 4, 2, 0.5, 1095.0, "10:05:02"],
        ["10.0.0.2", 3, 3, 1.0, 2.0, "10:05:00"],
    ],
}


def _access(at: str, client: str, asked: str, status: int, took: float, up: float, id_: str) -> str:
    return (
        f'{client} - - [02/Mar/2026:{at} +0000] "{asked} HTTP/1.1" {status} 512 "-" "curl/8.5" '
        f"rt={took:.3f} urt={up:.3f} rid={id_}\n"
    )


def _records(began: str, ended: str, name: str, id_: str, said: str) -> list[str]:
    head = "2026-03-02 {} - app.tts_engine - INFO - "
    return [
        head.format(began) + f'synthesis_start: id={name}, request_id={id_}, text="Hello"\n',
        head.format(ended) + f"synthesis_complete: id={name}, {said}\n",
    ]


def _plain(value: object) -> object:
    """A value as the answers above have it: an instant as its time."""
    if isinstance(value, str) and value.startswith("2026-03-02T"):
        return value[11:19]
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first", ["access", "application"])
def test_the_answers_are_those_worked_out_by_hand(tmp_path: Path, engine: str, first: str) -> None:
    service = Service(tmp_path, engine)
    logs = [
        (service.access, [_access(*line) for line in _ACCESS]),
        (service.application, [r for request in _REQUESTS for r in _records(*request)]),
    ]
    for path, lines in logs if first == "access" else reversed(logs):
        service.ingest(path, lines)
    for name, expected in _ANSWERS.items():
        rows = json.loads(service.run("run", name, "--json", "--tz", "UTC"))
        width = len(expected[0])
        found = [[_plain(v) for v in row.values()][:width] for row in rows]
        assert found == [[_plain(v) for v in row] for row in expected], name
