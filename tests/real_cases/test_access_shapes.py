"""Access lines as servers write them by default, each read in a log of its own."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.real_cases.test_services import asked, ingested

_CADDY = (
    '{"level":"info","ts":1772445606.123,"logger":"http.log.access.log0","msg":"handled request",'
    '"request":{"remote_ip":"10.0.0.1","remote_port":"5","proto":"HTTP/2.0","method":"POST",'
    '"host":"tts.example","uri":"/tts?x=1","headers":{"X-Request-Id":["r-1"]}},"duration":1.5,'
    '"size":5678,"status":200}'
)
_TRAEFIK = (
    '{"ClientHost":"10.0.0.1","DownstreamContentSize":9,"DownstreamStatus":200,'
    '"Duration":1500000000,"OriginDuration":1400000000,"RequestMethod":"POST",'
    '"RequestPath":"/tts","RequestProtocol":"HTTP/1.1","time":"2026-03-02T10:00:06Z","msg":""}'
)
_WHEN = "[02/Mar/2026:10:00:06 +0000]"
# server, line, milliseconds, client, status
_SHAPES = [
    ("tornado", "[I 260302 10:00:06 web:2348] 200 POST /tts (10.0.0.1) 1500.00ms", 1500, True, 200),
    ("tornado", "WARNING:tornado.access:404 POST /tts (10.0.0.1) 0.50ms", 0.5, True, 404),
    ("aiohttp", f'10.0.0.1 {_WHEN} "POST /tts HTTP/1.1" 200 70342 "-" "curl/8"', None, True, 200),
    (
        "aiohttp",
        f'2026-03-02 10:00:06,123 INFO aiohttp.access 10.0.0.1 {_WHEN} "POST /tts HTTP/1.1" 500 9'
        ' "-" "curl/8"',
        None, True, 500,
    ),
    (
        "hypercorn",
        f'[2026-03-02 10:00:06 +0000] [12] [INFO] 10.0.0.1:5000 - - {_WHEN} "POST /tts 1.1" 200 -'
        ' "-" "curl/8"',
        None, True, 200,
    ),
    ("daphne", '10.0.0.1:5 - - [02/Mar/2026:10:00:06] "POST /tts" 200 1234', None, True, 200),
    ("caddy", _CADDY, 1500, True, 200),
    ("traefik", _TRAEFIK, 1500, True, 200),
    (
        "traefik",
        f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 9 "-" "-" 12 "tts@docker" "http://b:8000"'
        " 1500ms",
        1500, True, 200,
    ),
    (
        "haproxy",
        "Mar  2 10:00:06 lb haproxy[12]: 10.0.0.1:43122 [02/Mar/2026:10:00:06.123] fe be/s1"
        ' 0/0/1/1234/1500 200 12345 - - ---- 1/1/0/0/0 0/0 "POST /tts HTTP/1.1"',
        1500, True, 200,
    ),
    (
        "envoy",
        '[2026-03-02T10:00:06.123Z] "POST /tts HTTP/1.1" 503 UF via_upstream - "-" 44 91 1500 -'
        ' "10.0.0.1" "curl" "req-9" "tts" "10.1.1.1:80" outbound -',
        1500, True, 503,
    ),
    (
        "bentoml",
        "2026-03-02T10:00:06+0000 [INFO] [api_server:tts:1] 10.0.0.1:4343 (scheme=http,method=POST,"
        "path=/tts,type=application/json,length=44) (status=200,type=audio/wav,length=123)"
        " 1500.0ms (trace=abcdef,span=1,sampled=0,service.name=tts)",
        1500, True, 200,
    ),
    (
        "ray serve",
        "(ServeReplica:default:TTS pid=12) INFO 2026-03-02 10:00:06,123 default_TTS kq2 5f2a -- "
        "POST /tts 500 1500.0ms",
        1500, False, 500,
    ),
    (
        "ray serve",
        "(ProxyActor pid=99) INFO 2026-03-02 10:00:06,123 proxy 10.0.0.9 5f2a /tts proxy.py:1089 "
        "- POST 200 1500.0ms",
        1500, False, 200,
    ),
    (
        "sanic",
        "[2026-03-02 10:00:06 +0000] - (sanic.access)[INFO][10.0.0.1:5]: POST http://h/tts  200 9",
        None, False, 200,
    ),
    (
        "gin",
        '[GIN] 2026/03/02 - 10:00:06 | 200 |  1.5s |  10.0.0.1 | POST     "/tts"',
        1500, True, 200,
    ),
    ("morgan", "POST /tts 200 1500.000 ms - 70342", 1500, False, 200),
    (
        "torchserve",
        '2026-03-02T10:00:06,123 [INFO ] W-9000-tts_1.0 ACCESS_LOG - /10.0.0.1:42 "POST /tts '
        'HTTP/1.1" 200 1500',
        1500, True, 200,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("server", "line", "ms", "has_client", "status"), _SHAPES)
def test_a_servers_own_shape(
    server: str, line: str, ms: float | None, has_client: bool, status: int, tmp_path: Path
) -> None:
    store = ingested(tmp_path, f"{line}\n".encode())
    columns = "server, method, path, http_status, client, request_ms"
    client = "10.0.0.1" if has_client else None
    assert asked(store, f"select {columns} from http_requests") == [
        (server, "POST", "/tts", status, client, ms)
    ]
    ((at, source),) = asked(store, "select logged_at, time_source from http_requests")
    assert isinstance(at, datetime)
    if source == "logged":
        assert at.astimezone(UTC).replace(microsecond=0) == datetime(2026, 3, 2, 10, 0, 6, 0, UTC)


def test_a_text_that_looks_like_an_access_line_is_text(tmp_path: Path) -> None:
    head = "2026-03-02 10:00:06,123 - app - INFO - "
    log = f'{head}synthesis_start: id=ts_1, text="200 POST /tts (10.0.0.1) 1500.00ms"\n'
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select count(*) from http_requests") == [(0,)]
    assert asked(store, "select text from requests") == [("200 POST /tts (10.0.0.1) 1500.00ms",)]
