"""``ttsq db …``: the schema revisions of the store, and who may read it."""

import json
from typing import Annotated

import typer

from ingest.cli.options.context import open_store, options, printable, reported
from ingest.errors import ExitCode, UsageProblem
from ingest.stores import migrate
from ingest.stores.contract import Granted

db = typer.Typer(
    no_args_is_help=True, help="Upgrade the schema of the store, and grant read access."
)


@db.command()
def upgrade(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(help="A revision, or head.")] = "head",
) -> None:
    """Upgrade the store to a revision.

    An empty store gets its tables.
    """
    with reported(options(ctx).debug):
        store = open_store(ctx)
        _require_known(revision, "head")
        with store.ingesting(10.0):
            if revision == "head":
                migrate.ensure_head(store)
            else:
                migrate.check_known(store)
                migrate.upgrade(store, revision)
        typer.echo(f"{store.description} is at {store.revision()}")


@db.command()
def downgrade(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(help="A revision, or base: all tables go.")],
) -> None:
    """Take the store back to an older revision."""
    with reported(options(ctx).debug):
        store = open_store(ctx)
        _require_known(revision, "base")
        with store.ingesting(10.0):
            migrate.downgrade(store, revision)
        typer.echo(f"{store.description} is at {store.revision() or 'base'}")


def _require_known(revision: str, word: str) -> None:
    if revision != word and revision not in migrate.revisions():
        raise UsageProblem(
            f"there is no revision {revision!r}", f"known: {', '.join(migrate.revisions())}, {word}"
        )


@db.command()
def current(ctx: typer.Context) -> None:
    """Show the revisions of store and program."""
    with reported(options(ctx).debug):
        store = open_store(ctx)
        typer.echo(f"store   {store.description}")
        typer.echo(f"at      {store.revision() or 'none'}")
        typer.echo(f"program {migrate.head()}")


@db.command()
def check(ctx: typer.Context) -> None:
    """Compare the store with what ttsq expects.

    Compares tables, columns, views and comments. Exits with 1 when they differ.
    """
    with reported(options(ctx).debug):
        store = open_store(ctx)
        migrate.require_head(store)
        found = migrate.differences(store)
        for difference in found:
            typer.echo(difference)
        if found:
            raise typer.Exit(int(ExitCode.FOUND))
        typer.echo(f"{store.description}: all tables and views as expected at {migrate.head()}")


@db.command("grant-reader")
def grant_reader(
    ctx: typer.Context,
    role: Annotated[str, typer.Argument(help="A role of the PostgreSQL server that exists.")],
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Also user text: texts, messages, tracebacks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Let a PostgreSQL role read the store.

    The role may read and do nothing else: other rights on the store's tables are revoked. Without
    --with-text it cannot read user text.
    """
    with reported(options(ctx).debug):
        store = open_store(ctx)
        migrate.require_head(store)
        granted = store.grant_reader(role, with_text)
        if as_json:
            typer.echo(json.dumps(_as_object(granted), ensure_ascii=False, indent=2))
        else:
            _print_granted(granted)


def _as_object(granted: Granted) -> dict[str, object]:
    tables = [t._asdict() for t in granted.tables]
    return granted._asdict() | {"tables": tables}


def _print_granted(granted: Granted) -> None:
    """What a role may read, and on stderr what else it can do."""
    open_tables = [t.table for t in granted.tables if not t.closed]
    typer.echo(printable(f"{granted.role} may read, in {granted.store}, schema {granted.schema}:"))
    typer.echo(f"  views   {', '.join(granted.views)}")
    typer.echo(f"  tables  {', '.join(open_tables)}")
    for table, closed in granted.tables:
        if closed:
            typer.echo(f"          {table}, except {', '.join(closed)}")
    for warning in granted.warnings:
        typer.echo(printable(f"ttsq: warning: {granted.role}: {warning}"), err=True)
