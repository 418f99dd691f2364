"""hypercorn, gunicorn, werkzeug and gevent themselves: the access lines that they write between a
service's records are read.
"""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.correlation.service import Service
from tests.support.command_line import ROOT

_SECONDS = 30.0
_ACCESS = re.compile(r'" \d{3} ')
_ASKED = (
    ("POST", "/v1/audio/speech"),
    ("POST", "/v1/audio/speech?voice=nova&fails=1"),
    ("GET", "/nowhere"),
    ("POST", "/v1/audio/speech?text=%22a%20b%22%2C%20status%3D200"),
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(server: str, log: Path) -> Iterator[int]:
    """The server's port, while it runs and writes its log."""
    port = _free_port()
    words = [sys.executable, "-m", "tests.support.wsgi_speech", server, str(port)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "TZ": "UTC"}
    with log.open("ab") as output:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + _SECONDS
            while True:
                assert process.poll() is None and time.monotonic() < until, log.read_text()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=_SECONDS)


def _ask(port: int, method: str, target: str) -> tuple[str, str, str | None, int]:
    """One request: method, path, query and status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        answer.read()
        path, _, query = target.partition("?")
        return method, path, query or None, answer.status
    finally:
        connection.close()


def _until_written(log: Path, lines: int) -> None:
    """Wait for the last access lines: an answer may come before its line."""
    until = time.monotonic() + _SECONDS
    while len(_ACCESS.findall(log.read_text())) < lines and time.monotonic() < until:
        time.sleep(0.05)


@pytest.mark.parametrize("server", ["gunicorn", "hypercorn", "werkzeug", "gevent"])
def test_access_lines_of_a_real_server_are_read_between_the_records(
    tmp_path: Path, server: str
) -> None:
    service = Service(tmp_path / "store")
    log = tmp_path / "app.log"
    with _serving(server, log) as port:
        told = [_ask(port, *asked) for asked in _ASKED]
        _until_written(log, len(told))
    service.run("ingest", log, "--tz", "UTC", "--final")
    rows = service.rows(
        "select method, path, query, http_status, server, client from http_requests "
        "where path <> '/' order by byte_offset"
    )
    if server == "hypercorn":  # which leaves the query out
        told = [(method, path, None, status) for method, path, _, status in told]
    if server == "werkzeug":  # which writes quotes as they are
        told = [(*t[:2], t[2] and t[2].replace("%22", '"').replace("%2C", ","), t[3]) for t in told]
    # an answer may be written after the next one's
    assert Counter(row[:4] for row in rows) == Counter(told), log.read_text()
    assert {row[4:] for row in rows} == {(server, "127.0.0.1")}
    requests = service.rows("select status, count(*) from requests group by 1 order by 1")
    assert requests == [("failed", 1), ("success", 2)]
    assert "lost 0, doubled 0" in service.run("verify")
