"""Which request a line of nginx's error log is of, and an error that has but an X-Request-ID."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.correlation.proxied import Proxied
from tests.correlation.service import Service

ENGINES = ("duckdb", "postgresql")
_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - [%(request_id)s] %(message)s"
_OWNED = (
    "select e.code, r.id from errors e left join requests r on r.request_key = e.request_key "
    "where e.level = 'ERROR' order by e.occurred_at, e.error_key"
)
_ERROR = (
    "2026/03/02 {at} [error] 31#31: *7 {words}, client: {client}, server: , "
    'request: "POST {target} HTTP/1.1", upstream: "http://127.0.0.1:8000{target}", host: "tts"\n'
)
_TIMED_OUT = (
    "upstream timed out (110: Connection timed out) while reading response header from upstream"
)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_real_nginx_says_of_its_upstream_is_an_error_of_the_request(
    tmp_path: Path, engine: str
) -> None:
    with Proxied(tmp_path) as servers:
        servers.ask("/v1/audio/speech?ms=20")
        late, _, _ = servers.ask("/v1/audio/speech?ms=1800")
        refused, _, _ = servers.ask("/refused")
        servers.until_written("status=success", 2)
    assert (late, refused) == (504, 502)
    service = Service(tmp_path / "store", engine)
    service.run("ingest", servers.error, "--tz", "UTC", "--final")
    service.run("ingest", servers.application, "--log-format", _FORMAT, "--tz", "UTC", "--final")
    service.run("ingest", servers.access, "--final")
    ((slow,),) = service.rows("select id from requests where duration_ms = 1800")
    assert service.rows(_OWNED) == [("TIMEOUT", slow), ("CONNECTION", None)]
    assert "upstream timed out" in service.run("trace", str(slow))
    assert "lost 0, doubled 0" in service.run("verify")


def _access(at: str, client: str, target: str, status: int, took: float) -> str:
    return (
        f'{client} - - [02/Mar/2026:{at} +0000] "POST {target} HTTP/1.1" {status} 512 "-" "curl" '
        f"rt={took:.3f} urt={took:.3f} rid=-\n"
    )


def _request(began: str, ended: str, name: str, more: str = "") -> list[str]:
    head = "2026-03-02 {} - app.tts_engine - INFO - "
    return [
        head.format(began) + f"synthesis_start: id={name}{more}\n",
        head.format(ended) + f"synthesis_complete: id={name}, status=success\n",
    ]


def _codes(service: Service) -> list[tuple[object, ...]]:
    return service.rows(_OWNED)


def _read(service: Service, logs: dict[str, Sequence[str]], order: Sequence[str]) -> None:
    for name in order:
        service.ingest(service.application.with_name(f"{name}.log"), logs[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_line_of_the_error_log_is_joined_where_one_access_line_alone_is_about_the_same(
    tmp_path: Path, engine: str
) -> None:
    logs: dict[str, Sequence[str]] = {
        "access": [
            _access("10:01:00", "10.0.0.1", "/tts?a=1", 504, 60.0),
            # two of one client at once: either may be meant
            _access("10:03:00", "10.0.0.2", "/tts", 504, 60.0),
            _access("10:03:00", "10.0.0.2", "/tts", 504, 59.9),
            # answered: an error that ends an answer is of another one, which is not in the log
            _access("10:05:00", "10.0.0.3", "/tts", 200, 10.0),
        ],
        "error": [
            _ERROR.format(at="10:01:00", words=_TIMED_OUT, client="10.0.0.1", target="/tts?a=1"),
            _ERROR.format(at="10:03:00", words=_TIMED_OUT, client="10.0.0.2", target="/tts"),
            _ERROR.format(at="10:04:55", words=_TIMED_OUT, client="10.0.0.3", target="/tts"),
            # what a client asks for cannot pass for the request that the line is about
            _ERROR.format(
                at="10:01:00",
                words='open() "/x, client: 10.0.0.1, server: , request: "POST /tts?a=1" failed '
                "(2: No such file or directory)",
                client="10.0.0.9",
                target="/x",
            ),
        ],
        "app": [
            *_request("10:00:00,010", "10:00:58,000", "ts_1"),
            *_request("10:04:50,010", "10:04:59,900", "ts_3"),
        ],
    }
    found = []
    for number, order in enumerate(itertools.permutations(logs)):
        service = Service(tmp_path / str(number), engine)
        _read(service, logs, order)
        found.append(_codes(service))
    assert found[0] == [
        ("TIMEOUT", "ts_1"), (None, None), ("TIMEOUT", None), ("TIMEOUT", None),
    ]  # fmt: skip
    assert all(other == found[0] for other in found)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_with_an_x_request_id_alone_belongs_to_the_request_that_has_it(
    tmp_path: Path, engine: str
) -> None:
    worker = "2026-03-02 {} - worker - ERROR - vocoder failed, request_id={}\n"
    logs: dict[str, Sequence[str]] = {
        "app": [
            *_request("10:00:00,000", "10:00:01,000", "ts_1", ", request_id=r1"),
            # sent twice with one X-Request-ID: the one that was at work
            *_request("10:00:10,000", "10:00:11,000", "ts_2", ", request_id=r2"),
            *_request("10:00:20,000", "10:00:21,000", "ts_3", ", request_id=r2"),
        ],
        "worker": [
            worker.format("10:00:00,500", "r1"),
            worker.format("10:00:20,500", "r2"),
            worker.format("10:00:40,000", "r2"),
            worker.format("10:00:41,000", "r9"),
        ],
    }
    sql = _OWNED.replace("e.code", "e.request_id")
    for number, order in enumerate(itertools.permutations(logs)):
        service = Service(tmp_path / str(number), engine)
        _read(service, logs, order)
        assert service.rows(sql) == [("r1", "ts_1"), ("r2", "ts_3"), ("r2", None), ("r9", None)]
