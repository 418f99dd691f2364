"""``ttsq mcp``: the questions, for an assistant, over the Model Context Protocol."""

import logging
from collections.abc import Callable
from threading import Lock
from typing import Annotated, Any, TypeVar

import typer

from ingest import __version__
from ingest.cli.options.context import options, reported
from ingest.errors import TtsqError, UsageProblem
from ttsq.assistant import Assistant, Bounds
from ttsq.store import open_store

Answer = TypeVar("Answer")

_INSTRUCTIONS = (
    "The logs of a text-to-speech service as tables. Begin with triage: it says what is wrong and "
    "why. list_questions has the named queries; ask answers one, with filters such as voice, host "
    "or error_code and with since='24h'. trace tells one request's life. sql is for what no "
    "question answers; schema lists what it may read. Everything is read only."
)


def serve(
    ctx: typer.Context,
    with_text: Annotated[
        bool,
        typer.Option(
            "--with-text", help="Show users' words, too: texts, messages, tracebacks, attributes."
        ),
    ] = False,
    max_rows: Annotated[
        int, typer.Option("--max-rows", min=1, max=10_000, help="At most this many rows an answer.")
    ] = 100,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Give a question up after this many seconds.")
    ] = 30.0,
) -> None:
    """Answer an assistant's questions over the Model Context Protocol, on stdin and stdout.

    Read only; an assistant starts it. For example: claude mcp add ttsq -- ttsq mcp --db URL
    """
    given = options(ctx)
    with reported(given.debug):
        store = open_store(given.url, config=given.config)
        server = server_of(Assistant(store, Bounds(max_rows, timeout, with_text)), timeout)
        logging.disable(logging.INFO)  # stderr is for what went wrong
        server.run("stdio")


def server_of(assistant: Assistant, seconds: float) -> Any:
    """The server with its tools.

    :raises UsageProblem: when the package ``mcp`` is not there.
    """
    try:
        from mcp.server.mcpserver import MCPServer
    except ModuleNotFoundError as error:
        raise UsageProblem(
            "the Model Context Protocol needs the package mcp", "pip install 'ttsq[mcp]'"
        ) from error
    server = MCPServer("ttsq", instructions=_INSTRUCTIONS, version=__version__)

    turn = Lock()  # sessions of one process share DuckDB's settings, which the first one locks

    async def answer(work: Callable[[], Answer]) -> Answer:
        def in_turn() -> Answer:
            with turn:
                return work()

        return await _bounded(in_turn, seconds)

    async def list_questions() -> list[dict[str, Any]]:
        """The named queries: the question that each answers, its parameters, its columns."""
        return await answer(assistant.list_questions)

    async def ask(name: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask a named query of list_questions. params: e.g. {"since": "24h", "voice": "alloy"}."""
        return await answer(lambda: assistant.ask(name, params or {}))

    async def trace(id: str) -> dict[str, Any]:
        """One request's life, by its id, its X-Request-ID or the beginning of one."""
        return await answer(lambda: assistant.trace(id))

    async def triage(since: str | None = None, until: str | None = None) -> list[dict[str, Any]]:
        """What is wrong and why, the root cause first; by default of the newest 24 hours of data.

        since and until: an instant, a date or an age such as 6h, back from the newest record.
        """
        return await answer(lambda: assistant.triage(since, until))

    async def schema() -> dict[str, Any]:
        """What sql may read: names, columns and what they mean."""
        return await answer(assistant.schema)

    async def sql(select: str) -> dict[str, Any]:
        """The rows of one SELECT over what schema lists."""
        return await answer(lambda: assistant.sql(select))

    for tool in (list_questions, ask, trace, triage, schema, sql):
        server.add_tool(tool, annotations=_read_only())
    return server


def _read_only() -> Any:
    from mcp.types import ToolAnnotations

    return ToolAnnotations(read_only_hint=True, open_world_hint=False)


async def _bounded(work: Callable[[], Answer], seconds: float) -> Answer:
    """Do it in a thread; our errors, and a question that takes too long, are told to the assistant.

    :raises ToolError: for both.
    """
    import anyio
    from mcp.server.mcpserver.exceptions import ToolError

    try:
        with anyio.fail_after(seconds):
            found: Answer = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
            return found
    except TtsqError as error:
        raise ToolError(f"{error.message}. {error.hint or ''}".strip()) from error
    except TimeoutError as error:
        raise ToolError(f"no answer within {seconds:g} s; ask of a shorter window") from error
