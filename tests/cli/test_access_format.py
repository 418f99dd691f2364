"""``--access-format``, ``access_format`` in the settings, and ``ttsq formats``."""

import json
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

_FORMAT = '$status|$request_time|$time_iso8601|$remote_addr|$request_id|"$request"'
_LINES = '200|1.250|2026-03-02T10:00:0{n}+00:00|10.0.0.7|rid{n}|"POST /tts?text=secret HTTP/1.1"\n'


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    lines = "".join(_LINES.format(n=n) for n in range(5))
    (tmp_path / "access.log").write_text(lines)
    return CommandLine(tmp_path)


def _rows(ttsq: CommandLine) -> list[dict[str, object]]:
    sql = (
        "select path, request_ms, request_id, http_status, server from http_requests order by "
        "http_key"
    )
    found: list[dict[str, object]] = json.loads(ttsq.well("sql", sql, "--json"))
    return found


def test_a_format_that_only_its_owner_knows_is_read_with_the_option(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "access.log", "--final", "--access-format", _FORMAT)
    assert _rows(ttsq)[3] == {
        "path": "/tts", "request_ms": 1250.0, "request_id": "rid3", "http_status": 200,
        "server": "nginx",
    }  # fmt: skip
    # the checkpoint knows the format: nobody has to give it again
    assert "lost 0, doubled 0" in ttsq.well("verify")


def test_a_source_of_the_settings_has_its_own(ttsq: CommandLine) -> None:
    settings = ttsq.folder / "ttsq.toml"
    settings.write_text(f"[[sources]]\npaths = ['access.log']\naccess_format = '{_FORMAT}'\n")
    ttsq.well("ingest", "--final")
    assert len(_rows(ttsq)) == 5


def test_lines_of_the_application_stand_between(ttsq: CommandLine) -> None:
    log = ttsq.folder / "both.log"
    log.write_text(
        "2026-03-02 10:00:00,000 - app - INFO - synthesis_start: id=ts_1, request_id=rid1\n"
        + _LINES.format(n=1)
        + "2026-03-02 10:00:02,000 - app - INFO - synthesis_complete: id=ts_1, status=success\n"
    )
    ttsq.well("ingest", log, "--final", "--tz", "UTC", "--access-format", _FORMAT)
    sql = "select r.id from http_requests h join requests r on r.request_key = h.request_key"
    assert json.loads(ttsq.well("sql", sql, "--json")) == [{"id": "ts_1"}]


def test_formats_lists_what_is_recognised(ttsq: CommandLine) -> None:
    listed = json.loads(ttsq.well("formats", "--json"))
    assert {"nginx", "apache", "uvicorn", "gunicorn", "hypercorn", "werkzeug", "gevent"} == {
        entry["server"] for entry in listed
    }
    assert "nginx-timed" in ttsq.well("formats")


def test_formats_tries_a_string_on_a_file(ttsq: CommandLine) -> None:
    tried = json.loads(ttsq.well("formats", "try", _FORMAT, "access.log", "--json"))
    assert (tried["lines"], tried["fit"]) == (5, 5)
    assert tried["shown"][0]["fields"]["request_id"] == "rid0"
    assert "5 of 5 lines fit" in ttsq.well("formats", "try", _FORMAT, "access.log")


def test_a_wrong_format_is_one_sentence(ttsq: CommandLine) -> None:
    ended = ttsq("ingest", "access.log", "--access-format", "$remote_addr")
    assert ended.code == 2
    assert "no status" in ended.err
    assert "Traceback" not in ended.err
