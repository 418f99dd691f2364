"""Access lines as rows of http_requests: stored, governed by --text, pruned, verified and counted
like other rows.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine

_LINE = (
    '10.3.0.7 - - [02/Mar/2026:10:00:0{n} +0000] "POST /tts?text=secret{n} HTTP/1.1" {status} 512 '
    '"http://intra/page" "curl/8.5"\n'
)


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    lines = [_LINE.format(n=n, status=500 if n == 3 else 200) for n in range(5)]
    (tmp_path / "access.log").write_text("".join(lines))
    return CommandLine(tmp_path)


def _rows(ttsq: CommandLine, columns: str) -> list[dict[str, Any]]:
    sql = f"select {columns} from http_requests order by http_key"
    found: list[dict[str, Any]] = json.loads(ttsq.well("sql", sql, "--json"))
    return found


def test_an_access_line_is_a_row(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "access.log", "--final")
    rows = _rows(
        ttsq, "client, method, path, query, protocol, http_status, bytes_sent, time_source"
    )
    assert len(rows) == 5
    assert rows[3] == {
        "client": "10.3.0.7", "method": "POST", "path": "/tts", "query": "text=secret3",
        "protocol": "HTTP/1.1", "http_status": 500, "bytes_sent": 512, "time_source": "logged",
    }  # fmt: skip
    assert "lost 0, doubled 0" in ttsq.well("verify")
    assert "500   /tts" in ttsq.well("run", "http_errors")


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_what_users_sent_goes_by_the_text_policy(ttsq: CommandLine, policy: str) -> None:
    ttsq.well("ingest", "access.log", "--final", "--text", policy)
    rows = _rows(ttsq, "query, user_agent, referer, attributes, path, http_status")
    assert {(r["path"], r["user_agent"], r["referer"]) for r in rows} == {("/tts", None, None)}
    assert len({r["query"] for r in rows}) == (5 if policy == "hash" else 1)
    assert b"secret" not in ttsq.store.read_bytes()


def test_they_grow_old_and_stay_away(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "access.log", "--final")
    ttsq.well("prune", "--text-older-than", "2026-03-02T10:00:02Z")
    assert [r["query"] is None for r in _rows(ttsq, "query")] == [True, True, False, False, False]
    ttsq.well("prune", "--older-than", "2026-03-02T10:00:02Z")
    assert len(_rows(ttsq, "http_key")) == 3
    ttsq.well("ingest", "access.log", "--final")
    assert len(_rows(ttsq, "http_key")) == 3
    assert "lost 0, doubled 0" in ttsq.well("verify")
