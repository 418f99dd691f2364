"""``ttsq sql``: one SELECT of the user's own, read only."""

import sys
from typing import Annotated

import typer

from ingest.cli.options.context import open_reader, options, reported
from ingest.cli.options.output import (
    Colour,
    Columns,
    Format,
    Json,
    NoPager,
    OutputFile,
    Raw,
    Screen,
    ShownZone,
    Wide,
    chosen_output,
)
from ingest.errors import UsageProblem


def sql(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.")],
    kind: Format = None,
    output: OutputFile = None,
    as_json: Json = False,
    tz: ShownZone = None,
    raw: Raw = False,
    columns: Columns = None,
    wide: Wide = False,
    colour: Colour = "auto",
    no_pager: NoPager = False,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="Stop the statement after this many seconds.")
    ] = 300.0,
    allow_superuser: Annotated[
        bool,
        typer.Option(
            "--allow-superuser",
            help="Run it, too, as a PostgreSQL role that may do more than read.",
        ),
    ] = False,
) -> None:
    """Ask in SQL, read only.

    For example: ttsq sql "select status, count(*) from requests group by status"
    """
    with reported(options(ctx).debug):
        screen = Screen(columns, wide, colour, no_pager)
        target = chosen_output(ctx, kind, output, as_json, tz, raw, screen)
        statement = sys.stdin.read() if text == "-" else text
        statement = statement.encode("utf-8", "backslashreplace").decode()
        if not statement.strip():
            raise UsageProblem("there is no SQL to run", 'for example: ttsq sql "select 1"')
        with open_reader(ctx) as reader:
            result = reader.ask(statement, timeout, allow_superuser)
        target.write(result, {}, "no rows")
