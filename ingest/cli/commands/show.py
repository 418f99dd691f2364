"""``ttsq show``: the SQL of a named query."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.cli.options.completion import QueryCommand, complete_name
from ingest.cli.options.context import options, reported
from ingest.cli.options.output import ShownZone
from ingest.cli.options.query import named, parse_params
from ingest.cli.settings.load import zone
from ingest.errors import UsageProblem
from ingest.named_queries.help import shown_sql
from ingest.named_queries.values import bind_values

PARSER = QueryCommand


def show(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME [--PARAMETER VALUE]...",
            help="A named query; with --literals also its parameters.",
            autocompletion=complete_name,
        ),
    ],
    literals: Annotated[
        bool,
        typer.Option(
            "--literals",
            help="Put the parameters' values into the statement, to paste it elsewhere.",
        ),
    ] = False,
    tz: ShownZone = None,
) -> None:
    """Print the SQL of a named query as it will run."""
    with reported(options(ctx).debug):
        query, rest = named(ctx, words)
        if query is None:
            raise UsageProblem("no query is named", "for example: ttsq show failure_by_length")
        given = parse_params(query, rest)
        values = bind_values(query, given, datetime.now(UTC), zone(tz or options(ctx).settings.tz))
        typer.echo(shown_sql(query, values, literals))
