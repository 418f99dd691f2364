"""``ttsq queries``: the library, and a check of it."""

import json
import sys
from shutil import get_terminal_size
from typing import Annotated

import typer

from ingest.cli.options.context import open_reader, options, reported
from ingest.cli.options.query import backend
from ingest.errors import ExitCode
from ingest.named_queries.check import library_problems
from ingest.named_queries.help import as_object
from ingest.named_queries.library import GROUPS, load_library
from ingest.render.cells import wrapped

_LEAST = 20  # cells for a question, however narrow the terminal is

queries = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="List the named queries, or check them.",
)


@queries.callback()
def list_queries(
    ctx: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, parameters and columns included.")
    ] = False,
) -> None:
    """List the named queries with the question of each."""
    if ctx.invoked_subcommand is None:
        with reported(options(ctx).debug):
            list_library(ctx, as_json)


@queries.command()
def check(ctx: typer.Context) -> None:
    """Check every query file.

    Compares its header with its statement, and its columns with what the store returns. Exits with
    2 when one is wrong.
    """
    with reported(options(ctx).debug):
        with open_reader(ctx):
            pass  # a store that cannot be read is no fault of the queries
        found = library_problems(
            options(ctx).settings.query_folder, backend(ctx), lambda: open_reader(ctx)
        )
        for problem in found:
            typer.echo(problem.message, err=True)
        if found:
            raise typer.Exit(int(ExitCode.USAGE))
        typer.echo("every query is as its header says")


def list_library(ctx: typer.Context, as_json: bool) -> None:
    """Print the names of the library, each with its question."""
    library = load_library(options(ctx).settings.query_folder, backend(ctx))
    if as_json:
        typer.echo(json.dumps([as_object(q) for q in library], ensure_ascii=False, indent=2))
        return
    width = max((len(q.name) for q in library), default=0)
    for group in GROUPS:
        members = [q for q in library if q.group == group]
        lines = [_listed(f"  {q.name:<{width}}  ", q.question) for q in members]
        typer.echo("\n".join([f"{group}:", *lines, ""]) if lines else "", nl=bool(lines))
    typer.echo("ttsq run NAME asks one; ttsq run NAME --help shows its parameters")


def _listed(head: str, question: str) -> str:
    """A query and its question, which a terminal shows in a column of its own."""
    if not sys.stdout.isatty():
        return head + question
    room = max(get_terminal_size().columns - len(head), _LEAST)
    return head + wrapped(question, room).replace("\n", "\n" + " " * len(head))
