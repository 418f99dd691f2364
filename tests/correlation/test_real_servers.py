"""nginx and uvicorn themselves: what they write is read, and joined as docs/correlation.md says."""

import random
from pathlib import Path

import pytest

from tests.correlation.proxied import Proxied
from tests.correlation.service import Service

_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - [%(request_id)s] %(message)s"
_JOINED = (
    "select h.request_id, r.id, h.http_status, h.request_ms >= r.duration_ms "
    "from http_requests h left join requests r on r.request_key = h.request_key "
    "where h.server = 'nginx' order by h.logged_at, h.http_key"
)


def _targets(draw: random.Random, count: int) -> list[str]:
    found = [f"/v1/audio/speech?ms={draw.randint(5, 60)}" for _ in range(count)]
    found[count // 2] += "&fails=1"
    found[count // 3] = "/nowhere"
    return found


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_with_the_page_s_configuration_every_line_is_joined_through_a_rotation(
    tmp_path: Path, engine: str
) -> None:
    draw = random.Random(1)
    service = Service(tmp_path / "store", engine)
    with Proxied(tmp_path) as servers:
        asked = servers.ask_all(_targets(draw, 30), at_once=8)
        service.run("ingest", servers.access)
        servers.rotate()
        asked += servers.ask_all(_targets(draw, 30), at_once=8)
    service.run("ingest", tmp_path / "access.log*", "--final")
    service.run("ingest", servers.application, "--log-format", _FORMAT, "--tz", "UTC", "--final")
    rows = service.rows(_JOINED)
    told = {name: (own if own != "-" else None, status) for status, name, own in asked}
    assert {str(name): (own, status) for name, own, status, _ in rows} == told
    assert len(rows) == len(asked)
    assert all(longer for _, own, _, longer in rows if own is not None)
    failed = service.run("run", "silent_failures", "--json")
    assert failed.count("FFT_INVALID") >= 2
    assert "lost 0, doubled 0" in service.run("verify")


def test_uvicorn_s_own_lines_are_read_between_the_records(tmp_path: Path) -> None:
    service = Service(tmp_path / "store")
    with Proxied(tmp_path) as servers:
        servers.ask_all(_targets(random.Random(2), 12), at_once=2)
    service.run("ingest", servers.application, "--log-format", _FORMAT, "--tz", "UTC", "--final")
    sql = (
        "select http_status, count(*) from http_requests where server = 'uvicorn' group by 1 "
        "order by 1"
    )
    assert service.rows(sql) == [(200, 11), (404, 1)]


def test_without_an_id_no_line_is_joined_to_another_request(tmp_path: Path) -> None:
    service = Service(tmp_path / "store")
    with Proxied(tmp_path, has_names=False) as servers:
        asked = [servers.ask(target) for target in _targets(random.Random(3), 8)]
        asked += servers.ask_all(_targets(random.Random(4), 12), at_once=3)
    service.run("ingest", servers.application, "--log-format", _FORMAT, "--tz", "UTC", "--final")
    service.run("ingest", servers.access, "--final")
    rows = service.rows(
        "select h.path, h.query, r.duration_ms from http_requests h "
        "join requests r on r.request_key = h.request_key where h.server = 'nginx'"
    )
    for path, query, duration in rows:
        assert path == "/v1/audio/speech"
        assert str(query).split("&")[0] == f"ms={float(str(duration)):.0f}"
    assert len(rows) <= len(asked)
