"""``ttsq db …``: the schema revisions of the store."""

from typing import Annotated

import typer

from ingest.cli.context import open_store, options, reported
from ingest.errors import ExitCode, UsageProblem

db = typer.Typer(no_args_is_help=True, help="Schema revisions of the store.")


@db.command()
def upgrade(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(help="A revision, or head.")] = "head",
) -> None:
    """Bring the store to a revision; an empty one gets its tables."""
    from ingest import migrate

    with reported(options(ctx).debug):
        store = open_store(ctx)
        _require_known(revision, "head")
        with store.ingesting(10.0):
            migrate.check_known(store)
            migrate.upgrade(store, revision)
        typer.echo(f"{store.description} is at {store.revision()}")


@db.command()
def downgrade(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(help="A revision, or base: all tables go.")],
) -> None:
    """Take the store back to a revision."""
    from ingest import migrate

    with reported(options(ctx).debug):
        store = open_store(ctx)
        _require_known(revision, "base")
        with store.ingesting(10.0):
            migrate.downgrade(store, revision)
        typer.echo(f"{store.description} is at {store.revision() or 'base'}")


def _require_known(revision: str, word: str) -> None:
    from ingest import migrate

    if revision != word and revision not in migrate.revisions():
        raise UsageProblem(
            f"there is no revision {revision!r}", f"known: {', '.join(migrate.revisions())}, {word}"
        )


@db.command()
def current(ctx: typer.Context) -> None:
    """The revision of the store, and the one this program works with."""
    from ingest import migrate

    with reported(options(ctx).debug):
        store = open_store(ctx)
        typer.echo(f"store   {store.description}")
        typer.echo(f"at      {store.revision() or 'none'}")
        typer.echo(f"program {migrate.head()}")


@db.command()
def check(ctx: typer.Context) -> None:
    """Compare the store's tables with what the program expects; exit 1 when they differ."""
    from ingest import migrate

    with reported(options(ctx).debug):
        store = open_store(ctx)
        migrate.require_head(store)
        found = migrate.differences(store)
        for difference in found:
            typer.echo(difference)
        if found:
            raise typer.Exit(int(ExitCode.FOUND))
        typer.echo(f"{store.description}: all tables as expected at {migrate.head()}")
