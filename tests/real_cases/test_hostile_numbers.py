"""A number in a log may be none, or larger than any: it ends no ingest and takes no row with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real_cases.test_services import asked
from tests.support import harness

_HUGE = "9" * 400
_NONE: tuple[Any, ...] = (
    "²", _HUGE, int(_HUGE), 10**4000, 1e308, "1e400", "nan", "inf", "-1", -5, "2\u0660\u0660",
    f"{_HUGE}ms", "9" * 20, f"{_HUGE}.123", f"{_HUGE}.123456", "", None, True, [], {},
    ["²"], [int(_HUGE)], {"ts": "²"},
)  # fmt: skip
_OBJECTS: dict[str, dict[str, Any]] = {
    "variables": {
        "time": "2026-03-02T10:00:00Z", "method": "POST", "path": "/tts", "status": 200,
        "bytes": 12, "duration": "12ms", "request_time": "0.123", "client": "10.0.0.1",
        "upstream_response_time": "0.1, 0.2", "request_id": "abcdefgh12",
    },
    "caddy": {
        "ts": 1772445600.5, "status": 200, "size": 12, "duration": 0.5, "level": "info",
        "request": {"method": "POST", "uri": "/tts", "proto": "HTTP/1.1", "client_ip": "10.0.0.1"},
    },
    "traefik": {
        "time": "2026-03-02T10:00:00Z", "RequestMethod": "POST", "RequestPath": "/tts",
        "DownstreamStatus": 200, "DownstreamContentSize": 12, "Duration": 5_000_000,
        "OriginDuration": 4_000_000, "ClientHost": "10.0.0.1",
    },
    "journald": {
        "__REALTIME_TIMESTAMP": "1772445600000000", "PRIORITY": "6", "_PID": "7",
        "SYSLOG_IDENTIFIER": "tts", "MESSAGE": 'INFO: 10.0.0.1:7 - "POST /tts HTTP/1.1" 200 OK',
        "_HOSTNAME": "h",
    },
    "record": {
        "ts": 1772445600.5, "level": 30, "msg": "synthesis finished", "status": "failed",
        "duration_ms": 12, "text_len": 5, "request_id": "r1",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", _OBJECTS)
def test_a_member_that_is_no_number_ends_no_ingest(name: str, tmp_path: Path) -> None:
    good = _OBJECTS[name]
    lines = [good, *(good | {key: value} for key in good for value in _NONE), good]
    log = tmp_path / "app.log"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    store = harness.new_store(tmp_path)
    report = harness.run(store, [log], final=True)
    assert not report.problems
    table = "requests" if name == "record" else "http_requests"
    assert asked(store, f"select count(*) from {table}")[0][0] >= 1
    wrong = "request_ms not between 0 and 1e15 or http_status not between 100 and 999"
    assert asked(store, f"select * from http_requests where {wrong}") == []


_LINES = (
    '10.0.0.1 - - [02/Mar/2026:09:18:40 +0000] "POST /tts HTTP/1.1" 200 {0} "-" "x" rt={0} urt={0}',
    '10.0.0.1 {0} 1772445600.123 "POST /tts HTTP/1.1" 200 {0} {0}',
    '{0} 10.0.0.1 "POST /tts HTTP/1.1" 200 12 {0}',
    "ts={0} level=info msg=x method=POST path=/tts status={0} duration={0}",
    "{0} INFO app: synthesis_complete: id=ts_1, status={0}, duration_ms={0}",
    "I{0} 12:00:00.123456 1 f.py:{0}] generated {0} tokens",
)


@pytest.mark.parametrize("line", _LINES)
def test_a_value_of_a_line_that_is_no_number_ends_no_ingest(line: str, tmp_path: Path) -> None:
    values = [value for value in _NONE if isinstance(value, str)]
    log = tmp_path / "app.log"
    whole = '10.0.0.2 - - [02/Mar/2026:09:18:41 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n'
    log.write_text(whole + "".join(line.format(value) + "\n" for value in values))
    store = harness.new_store(tmp_path)
    report = harness.run(store, [log], final=True)
    assert not report.problems
    assert asked(store, "select count(*) from http_requests where client = '10.0.0.2'") == [(1,)]
