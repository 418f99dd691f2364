"""``ttsq mcp`` as an assistant sees it: the SDK's own client, over stdin and stdout."""

import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from ingest.errors import UsageProblem
from tests.support.command_line import CommandLine
from ttsq.assistant import Assistant, Bounds
from ttsq.store import open_store

SECRET = "the vault opens at nine"
LOG = f"""\
2026-03-02 10:00:00,000 - app - INFO - synthesis_start: id=ts_1, text="{SECRET}", voice=alloy, pin=4711
2026-03-02 10:00:01,000 - app - ERROR - synthesis_failed: id=ts_1, error_code=E_ONE, cannot say {SECRET}
2026-03-02 10:00:01,000 - app - INFO - synthesis_complete: id=ts_1, status=failed, error_code=E_ONE, duration_ms=900
2026-03-02 10:00:02,000 - app - INFO - synthesis_start: id=ts_2, text="{SECRET}", voice=nova
2026-03-02 10:00:03,000 - app - INFO - stage_time: id=ts_2, stage=render, duration_ms=300
2026-03-02 10:00:03,000 - app - INFO - synthesis_complete: id=ts_2, status=success, duration_ms=700
"""  # noqa: E501


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(LOG)
    found = CommandLine(tmp_path)
    found.well("ingest", "app.log", "--final")
    return found


def told(
    ttsq: CommandLine, work: Callable[[Client], Coroutine[Any, Any, Any]], *options: str
) -> Any:
    """What a session gives."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "ttsq", "mcp", *options], env=ttsq.environment
    )

    async def session() -> Any:
        async with Client(stdio_client(server)) as client:
            return await work(client)

    with anyio.from_thread.start_blocking_portal() as portal:
        return portal.call(session)


async def said(client: Client, tool: str, **arguments: Any) -> str:
    """The text of an answer, an error's too."""
    found = await client.call_tool(tool, arguments)
    return "\n".join(getattr(part, "text", "") for part in found.content)


def test_an_assistant_finds_its_way(ttsq: CommandLine) -> None:
    async def work(client: Client) -> dict[str, Any]:
        return {
            "tools": {t.name: t for t in (await client.list_tools()).tools},
            "questions": await said(client, "list_questions"),
            "answer": json.loads(
                await said(client, "ask", name="failures_by", params={"by": "voice"})
            ),
            "trace": json.loads(await said(client, "trace", id="ts_1")),
            "triage": await said(client, "triage"),
            "schema": json.loads(await said(client, "schema")),
            "sql": json.loads(
                await said(client, "sql", select="select voice from all_requests order by voice")
            ),
        }

    found = told(ttsq, work)
    assert set(found["tools"]) == {"list_questions", "ask", "trace", "triage", "schema", "sql"}
    assert all(t.annotations.read_only_hint for t in found["tools"].values())
    assert "failure_by_length" in found["questions"]
    assert found["answer"]["rows"][0] == {
        "value": "alloy", "requests": 1, "failures": 1, "failure_rate": 1.0, "share": 1.0
    }  # fmt: skip
    assert found["trace"]["request"]["error_code"] == "E_ONE"
    assert "all_requests" in found["schema"]["views"]
    assert [row["voice"] for row in found["sql"]["rows"]] == ["alloy", "nova"]
    assert SECRET not in str(found)


def test_users_words_come_only_with_text(ttsq: CommandLine) -> None:
    async def work(client: Client) -> str:
        return "".join(
            [
                await said(client, "ask", name="error_groups"),
                await said(client, "ask", name="failures_by", params={"by": "pin"}),
                await said(client, "trace", id="ts_1"),
                await said(client, "sql", select="select text from requests"),
            ]
        )

    without, with_text = told(ttsq, work), told(ttsq, work, "--with-text")
    assert SECRET not in without and "4711" not in without and "withheld" in without
    assert SECRET in with_text and "4711" in with_text


REFUSED = (
    "select r from requests r",
    'select * from "requests"',
    "select * from REQUESTS",
    "select * from main.errors",
    "select * from query_table('req' || 'uests')",
    "select * from query('select text from req' || 'uests')",
    "select * from pragma_storage_info('requests')",
    "select query_to_xml('select text from req' || 'uests', true, true, '')",
    'select * from U&"\\0072equests"',
    "select * from/**/requests",
    "select raw from quarantine",
    "select text as t from 'requests' limit 1",
    r"select text as t from E'\x72equests' limit 1",
    """select 1 as "'", text as t from requests where 1 = (select 1 as "'")""",
    r"select E'\'' as a, text as t from requests where text is not null --'",
    "select * from text_salts",
)


@pytest.mark.parametrize("select", REFUSED)
def test_no_statement_reaches_users_words(ttsq: CommandLine, select: str) -> None:
    assistant = Assistant(open_store(f"duckdb:///{ttsq.store}"), Bounds())
    with pytest.raises(UsageProblem, match="where users' words are"):
        assistant.sql(select)


def test_answers_are_bounded_and_nothing_is_written(ttsq: CommandLine) -> None:
    async def work(client: Client) -> dict[str, str]:
        slow = "select count(*) from range(100000) a, range(100000) b, range(1000) c"
        return {
            "many": await said(client, "sql", select="select * from range(1000)"),
            "slow": await said(client, "sql", select=slow),
            "write": await said(client, "sql", select="delete from stage_timings"),
            "two": await said(client, "sql", select="select 1) as x; drop table stage_timings; --"),
            "unknown": await said(client, "ask", name="no_such"),
        }

    found = told(ttsq, work, "--max-rows", "7", "--timeout", "2")
    many = json.loads(found["many"])
    assert len(many["rows"]) == 7 and "only the first 7 rows" in many["truncated"]
    assert "2 s" in found["slow"] or "2.0 s" in found["slow"] or "seconds" in found["slow"]
    assert "there is no query named no_such" in found["unknown"]
    for refused in ("write", "two"):
        assert "refuses" in found[refused], found[refused]
    counted = ttsq.well("sql", "select count(*) as n from stage_timings", "--format", "csv")
    assert counted.split() == ["n", "1"]


def test_what_is_asked_together_is_answered(ttsq: CommandLine) -> None:
    async def work(client: Client) -> list[str]:
        found: list[str] = []

        async def one(name: str) -> None:
            found.append(await said(client, "ask", name=name))

        async with anyio.create_task_group() as together:
            for name in ("failures_by", "latency_by", "hosts", "error_codes") * 2:
                together.start_soon(one, name)
        return found

    found = told(ttsq, work)
    assert len(found) == 8
    assert all("rows" in json.loads(answer) for answer in found)
