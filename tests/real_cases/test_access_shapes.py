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
    (
        "hypercorn",
        "[2026-03-02 10:00:06 +0000] [1] [INFO] 10.0.0.1:51000 POST /tts 1.1 500 27 1500000",
        1500, True, 500,
    ),
    ("daphne", '10.0.0.1:5 - - [02/Mar/2026:10:00:06] "POST /tts" 200 1234', None, True, 200),
    ("caddy", _CADDY, 1500, True, 200),
    (
        "other",
        'time=2026-03-02T10:00:06Z level=info msg=request method=POST path=/tts status=200'
        " duration=1.5s remote_addr=10.0.0.1:4000",
        1500, True, 200,
    ),
    (
        "other",
        "ts=1772445606.123 method=POST uri=/tts status=500 latency_ms=12 remote_ip=10.0.0.1",
        12, True, 500,
    ),
    (
        "other",
        '{"level":"info","ts":1772445606.123,"msg":"request","method":"POST","path":"/tts",'
        '"status":200,"latency":"1.5s","client_ip":"10.0.0.1"}',
        1500, True, 200,
    ),
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


_TWO_TIMES = {"request_ms": 210.0, "upstream_ms": 208.0}
_ID = "5f2a9c1b3f0e9d2a4b6c8e7f10213243"
# server, line, and what its row has beside client, method, path and status
_OWNERS = [
    ("nginx", f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/2.0" 200 5 "-" "curl/8" 0.210 0.208 {_ID}',
     {**_TWO_TIMES, "request_id": _ID}),
    ("nginx", f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8" rt=0.210 '
              "urt=0.008, 0.200 rid=r-1", {**_TWO_TIMES, "request_id": "r-1"}),
    ("nginx", f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8" "10.9.9.9, 10.0.0.2"',
     {"user_agent": "curl/8"}),
    ("nginx", f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8" 344 0.210 [tts-80] [] '
              f"10.1.1.1:80, 10.1.1.2:80 0, 5 0.008, 0.200 502, 200 {_ID}",
     {**_TWO_TIMES, "request_id": _ID}),
    ("nginx", f'{_WHEN} 10.0.0.1 "POST /tts HTTP/1.1" 200 5 0.210 0.208 "curl/8"',
     {**_TWO_TIMES, "user_agent": "curl/8"}),
    ("nginx", f"10.0.0.1 - {_WHEN} POST /tts HTTP/1.1 200 5 0.210", {"request_ms": 210.0}),
    ("nginx", f'200 10.0.0.1 {_WHEN} "POST /tts HTTP/1.1" 0.210', {"request_ms": 210.0}),
    ("nginx", f'{_ID} 10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 0.210', {"request_id": _ID}),
    ("nginx", f'10.0.0.1, 10.0.0.9 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8" 0.210',
     {"request_ms": 210.0}),
    ("nginx", 'time="2026-03-02T10:00:06+00:00" client=10.0.0.1 method=POST uri=/tts status=200 '
              "request_time=0.210 upstream_response_time=0.208", _TWO_TIMES),
    ("apache", f'tts.example:443 10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8"', {}),
    ("combined", f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8"',
     {"request_ms": None}),
    ("combined", f'10.0.0.1 - - {_WHEN} "POST http://tts.example/tts HTTP/1.1" 200 - "-" "-"', {}),
    ("gunicorn", f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" 200 5 "-" "curl/8" 0.210400',
     {"request_ms": 210.4}),
    ("uwsgi", "[pid: 7|app: 0|req: 1/1] 10.0.0.1 () {40 vars in 500 bytes} [Mon Mar  2 10:00:06 "
              "2026] POST /tts => generated 1234 bytes in 210 msecs (HTTP/1.1 200) 3 headers in "
              "100 bytes (1 switches on core 0)", {"request_ms": 210.0, "bytes_sent": 1234}),
    ("granian", '[2026-03-02 10:00:06 +0000] 10.0.0.1 - "POST /tts HTTP/1.1" 200 210.123',
     {"request_ms": 210.123}),
    ("alb", "https 2026-03-02T10:00:06.186641Z app/lb/50dc6c495c0c9188 10.0.0.1:2817 10.0.0.2:80 "
            '0.001 0.208 0.001 200 200 34 366 "POST https://tts.example:443/tts HTTP/2.0" "curl/8" '
            'ECDHE TLSv1.2 arn:aws:x "Root=1-58337262-36d228ad5d99923122bbe354" "h" "-" 0',
     _TWO_TIMES),
    ("uvicorn", '      INFO   10.0.0.1:5000 - "POST /tts HTTP/1.1" 200', {}),
    ("uvicorn", '{"timestamp":"2026-03-02T10:00:06Z","level":"INFO","logger":"uvicorn.access",'
                '"request_id":"r-1","message":"10.0.0.1:5 - \\"POST /tts HTTP/1.1\\" 200"}',
     {"request_id": "r-1"}),
    ("other", '{"timestamp":"2026-03-02T10:00:06Z","event":"request_finished","method":"POST",'
              '"path":"/tts","status_code":200,"duration_ms":210.5,"client_ip":"10.0.0.1"}',
     {"request_ms": 210.5}),
    ("other", '{"level":30,"time":1772445606123,"pid":1,"hostname":"h","req":{"method":"POST",'
              '"url":"/tts","headers":{"x-request-id":"r-1"},"remoteAddress":"10.0.0.1"},'
              '"res":{"statusCode":200},"responseTime":210,"msg":"request completed"}',
     {"request_ms": 210.0, "request_id": "r-1"}),
    ("other", '{"timestamp":"2026-03-02T10:00:06Z","method":"POST","path":"/tts","status":200,'
              '"remote_ip":"10.0.0.1","duration":77}', {"request_ms": None}),
    ("envoy", '{"start_time":"2026-03-02T10:00:06Z","method":"POST","path":"/tts",'
              '"response_code":200,"response_flags":"-","duration":210,"upstream_service_time":"208",'
              '"downstream_remote_address":"10.0.0.1:5"}', _TWO_TIMES),
    ("other", "2026-03-02T10:00:06.1Z [info     ] request_finished   [api] client=10.0.0.1 "
              "duration_ms=210 method=POST path=/tts status_code=200", {"request_ms": 210.0}),
]  # fmt: skip


@pytest.mark.parametrize(("server", "line", "columns"), _OWNERS)
def test_a_format_that_its_owner_chose_is_read_by_its_parts(
    server: str, line: str, columns: dict[str, object], tmp_path: Path
) -> None:
    store = ingested(tmp_path, f"{line}\n".encode())
    names = ["server", "client", "method", "path", "http_status", *columns]
    assert asked(store, f"select {', '.join(names)} from http_requests") == [
        (server, "10.0.0.1", "POST", "/tts", 200, *columns.values())
    ]


def test_a_line_that_no_client_could_be_named_in_is_read(tmp_path: Path) -> None:
    lines = (
        f'INFO:      - "POST /tts HTTP/1.1" 200 OK\n - - {_WHEN} "GET /a HTTP/1.1" 200 5 "-" "c"\n'
    )
    store = ingested(tmp_path, lines.encode())
    assert asked(store, "select server, client, path from http_requests order by byte_offset") == [
        ("uvicorn", None, "/tts"),
        ("combined", None, "/a"),
    ]


def test_what_a_client_sent_instead_of_a_request_is_kept(tmp_path: Path) -> None:
    lines = (
        f'10.0.0.1 - - {_WHEN} "\\x16\\x03\\x01" 400 157 "-" "-"\n'
        f'10.0.0.1 - - {_WHEN} "" 400 0 "-" "-"\n'
        "Mar  2 10:00:06 lb haproxy[12]: 10.0.0.1:4 [02/Mar/2026:10:00:06.123] fe fe/<NOSRV> "
        '-1/-1/-1/-1/5 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"\n'
    )
    store = ingested(tmp_path, lines.encode())
    assert (
        asked(store, "select http_status, method, path from http_requests")
        == [(400, None, None)] * 3
    )


@pytest.mark.parametrize(
    "line",
    [
        '2026-03-02 10:00:06,123 INFO app: served "POST /tts HTTP/1.1" 200 in 1.5s',
        'DEBUG:urllib3.connectionpool:https://hub.example:443 "GET /api/models/x HTTP/1.1" 200 12',
        'INFO:httpx:HTTP Request: POST http://127.0.0.1:8000/tts "HTTP/1.1 200 OK"',
        'read it aloud: 10.0.0.1 "POST /tts HTTP/1.1" 200 5',
        '{"timestamp":"2026-03-02T10:00:06Z","level":"error","event":"failed","method":"POST",'
        '"path":"/tts","status_code":500,"exception":"Traceback (most recent call last):\\n  File '
        '\\"a.py\\", line 1, in f\\nValueError: x"}',
    ],
)
def test_a_record_that_quotes_a_request_is_no_access_line(line: str, tmp_path: Path) -> None:
    store = ingested(tmp_path, f"2026-03-02 10:00:05,000 - app - INFO - begin\n{line}\n".encode())
    assert asked(store, "select count(*) from http_requests") == [(0,)]


def test_what_one_line_shows_is_true_of_the_lines_behind_it(tmp_path: Path) -> None:
    line = f'10.0.0.1 - - {_WHEN} "POST /tts HTTP/1.1" %s 5 "-" "curl/8"\n'
    store = ingested(tmp_path, (line % 200 + line % 499 + line % 200).encode())
    assert asked(store, "select server from http_requests order by byte_offset") == [
        ("combined",), ("nginx",), ("nginx",),
    ]  # fmt: skip
