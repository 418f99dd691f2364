"""``ttsq run``: ask a named query."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.commands.queries import list_library
from ingest.cli.options.completion import QueryCommand, complete_name
from ingest.cli.options.context import open_reader, options, reported, store_words
from ingest.cli.options.output import (
    Colour,
    Columns,
    Format,
    Json,
    NoPager,
    Output,
    OutputFile,
    Raw,
    Screen,
    ShownZone,
    Wide,
    chosen_output,
)
from ingest.cli.options.query import named, parse_params
from ingest.errors import BlindAlarm, ExitCode, TtsqError, UsageProblem
from ingest.named_queries.blind import Look, why_blind
from ingest.named_queries.empty import explain_empty
from ingest.named_queries.following import next_command
from ingest.named_queries.help import help_text
from ingest.named_queries.library import NamedQuery
from ingest.named_queries.notes import notes
from ingest.named_queries.untimed import left_out
from ingest.named_queries.values import bind_values, parse_instant
from ingest.render.formats import PICTURES
from ingest.stores.contract import QueryResult, Reader

PARSER = QueryCommand


def run(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME] [--PARAMETER VALUE]...",
            help="A named query and its parameters; ttsq run NAME --help shows them.",
            autocompletion=complete_name,
        ),
    ] = None,
    kind: Format = None,
    output: OutputFile = None,
    as_json: Json = False,
    chart: Annotated[bool, typer.Option("--chart", help="Draw a chart in the terminal.")] = False,
    fail_if_any: Annotated[
        bool,
        typer.Option(
            "--fail-if-any",
            help="For alarms: exit with 1 when rows come back, with 6 when none do and it cannot "
            "tell.",
        ),
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="Count ages back from data (the newest record) or an instant [default: now].",
        ),
    ] = None,
    tz: ShownZone = None,
    raw: Raw = False,
    columns: Columns = None,
    wide: Wide = False,
    colour: Colour = "auto",
    no_pager: NoPager = False,
    teach: Annotated[
        bool, typer.Option("--help", "-h", help="Show this help, or with NAME the query's.")
    ] = False,
) -> None:
    """Ask a named query. Without a name, list them.

    For example: ttsq run failure_by_length --since 24h
    """
    with reported(options(ctx).debug):
        query, rest = named(ctx, words or [])
        if query is None:
            typer.echo(ctx.get_help()) if teach else list_library(ctx, as_json)
            return
        if teach:
            typer.echo(help_text(query))
            return
        screen = Screen(columns, wide, colour, no_pager)
        target = chosen_output(ctx, kind, output, as_json, tz, raw, screen)
        rows, blind = _run(ctx, query, rest, as_of, target, chart)
        if rows and fail_if_any:
            raise typer.Exit(int(ExitCode.FOUND))
        if blind is not None and fail_if_any:
            raise blind


def _run(
    ctx: typer.Context,
    query: NamedQuery,
    words: list[str],
    as_of: str | None,
    target: Output,
    chart: bool,
) -> tuple[int, BlindAlarm | None]:
    """Ask and print; the number of rows, and why an alarm without any cannot tell."""
    given = parse_params(query, words)
    now = datetime.now(UTC)
    bind_values(query, given, now, target.tz)  # a bad value is named before the store is opened
    if as_of is not None and as_of != "data":
        now = _as_of(as_of, now, target.tz)
    drawn = chart or _is_picture(target.path)
    with open_reader(ctx) as reader:
        end = _newest(reader) if as_of == "data" else None
        values = bind_values(query, given, now, target.tz, end)
        result = reader.query(query.statement(values), values)
        why = explain_empty(reader, query, values, target.tz) if not result.rows else ""
        look = Look.of_query(query, values, end or now)
        blind = why_blind(reader, look) if not result.rows else None
        missing = left_out(reader, query)
        told = [] if drawn or not target.is_table else notes(reader, query, values, result)
    types = {c.name: c.type for c in query.columns}
    if drawn:
        from ingest.render.charts import write_chart

        write_chart(query, result, target.path, target.look(types, why))
    else:
        following = _following(ctx, query, result, given, as_of)
        target.write(result, types, why, query.least, [*told, *following])
    if missing is not None:
        typer.echo(missing, err=True)
    return len(result.rows), blind


def _following(
    ctx: typer.Context,
    query: NamedQuery,
    result: QueryResult,
    given: Mapping[str, str],
    as_of: str | None,
) -> list[str]:
    """The line with the command to go on with, if there is one."""
    if not result.rows:
        return []
    shared = store_words(ctx)
    if as_of and query.next.startswith("ttsq run"):
        shared += ["--as-of", as_of]
    takes = _taken_by_next(ctx, query)
    command = next_command(query, result.columns, result.rows[0], given, takes, shared)
    return [f"next: {command}"] if command else []


def _taken_by_next(ctx: typer.Context, query: NamedQuery) -> set[str]:
    """The parameters of the query that ``next`` names; none where it names none that there is."""
    words = query.next.split()
    with suppress(TtsqError):
        if words[:2] == ["ttsq", "run"]:
            following, _ = named(ctx, words[2:3])
            return {p.name for p in following.options} if following else set()
    return set()


def _is_picture(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() in PICTURES


def _as_of(written: str, now: datetime, tz: tzinfo) -> datetime:
    instant = parse_instant(written, now, tz)
    if instant is None:
        raise UsageProblem(
            f"the option --as-of is given {written!r}, expected data, an instant, a date or an age",
            "--as-of data counts ages back from the newest record",
        )
    return instant


def _newest(reader: Reader) -> datetime | None:
    """The instant of the newest record stored."""
    newest = reader.query("select max(last_logged_at) from log_files", {}).rows[0][0]
    return newest if isinstance(newest, datetime) else None
