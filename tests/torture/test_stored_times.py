"""Stored content is recognised in logs of any form, however and wherever they write the time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import harness

Line = Callable[[datetime, str], bytes]
_BEGAN = datetime(2026, 3, 2, 10, tzinfo=UTC)
_TEXT = "a text so long that what stands behind it in a line is far from where a line begins, " * 2


def _plain(at: datetime, message: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} - app - INFO - {message}"


def _object(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


_LINES: dict[str, Line] = {
    "seconds since 1970": lambda at, m: _object(ts=at.timestamp(), level="info", msg=m),
    "milliseconds behind a text": lambda at, m: _object(msg=m, time=int(at.timestamp() * 1000)),
    "docker": lambda at, m: _object(log=f"INFO:app:{m}\n", stream="stdout", time=at.isoformat()),
    "behind a prefix": lambda at, m: b"app-1  | " + _object(msg=m, level="info", ts=at.timestamp()),
    "pairs": lambda at, m: f"ts={at.timestamp():.3f} level=info msg={json.dumps(m)}\n".encode(),
    "one digit": lambda at, m: f"{at:%m/%d/%Y %-H:%M:%S} - app - INFO - {m}\n".encode(),
    "two bytes a character": lambda at, m: (_plain(at, m) + "\r\n").encode("utf-16-le"),
    "two bytes, the other way": lambda at, m: (_plain(at, m) + "\r\n").encode("utf-16-be"),
}


def _log(line: Line, first: int, end: int) -> bytes:
    lines = []
    for n in range(first, end):
        at = _BEGAN + timedelta(seconds=2 * n)
        lines.append(line(at, f'synthesis_start: id=ts_{n:08x}, text="{_TEXT}"'))
        at += timedelta(milliseconds=500)
        lines.append(line(at, f"synthesis_complete: id=ts_{n:08x}, duration_ms=500"))
    return b"".join(lines)


@pytest.mark.parametrize("form", list(_LINES))
def test_a_trimmed_log_is_recognised(tmp_path: Path, form: str) -> None:
    line = _LINES[form]
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").write_bytes(_log(line, 0, 30))
    store = harness.new_store(tmp_path)
    harness.run(store, [logs])
    (logs / "app.log").write_bytes(_log(line, 20, 35))
    report = harness.run(store, [logs], final=True)
    assert report.ledger.already_stored_bytes >= len(_log(line, 20, 29))
    with store.reading() as reader:
        found = [str(row[0]) for row in reader.query("select id from requests", {}).rows]
    assert sorted(found) == [f"ts_{n:08x}" for n in range(35)]
