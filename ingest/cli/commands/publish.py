"""``ttsq publish``: the copy for readers that stay connected."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.options.context import open_store, options, printable, reported
from ingest.errors import TtsqError, UsageProblem
from ingest.paths import expanded
from ingest.tasks import publish as flow
from ingest.tasks.generations import KEPT
from ingest.tasks.publish import Published


def publish(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="The folder [default: as in the settings, else published/ beside the store].",
        ),
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option(
            "--parquet",
            metavar="DIR",
            help="Publish Parquet files, one per table, in this folder; without [DIR] only these.",
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for an ingest of the same store.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Write a copy of the store for BI tools, and point current.duckdb to it.

    Connect BI tools to current.duckdb: however long they hold it, no ingest waits for them.
    Nothing is written when the store has not changed.
    """
    with reported(options(ctx).debug):
        targets = [] if parquet and not folder else [(folder or default_folder(ctx), False)]
        targets += [(parquet, True)] if parquet else []
        done = [
            flow.publish(
                open_store(ctx),
                expanded(place),
                now=lambda: datetime.now(UTC),
                parquet=as_parquet,
                wait_seconds=wait,
            )
            for place, as_parquet in targets
        ]
        if as_json:
            typer.echo(json.dumps([as_object(p) for p in done], indent=2))
            return
        for published in done:
            typer.echo(as_text(published))


def default_folder(ctx: typer.Context) -> Path:
    """The folder of the settings; where these say only that there is one, ``published`` beside the
    store.

    :raises UsageProblem: for a store that is no file.
    """
    configured = options(ctx).settings.publish
    if configured and configured.lower() not in ("true", "1", "yes"):
        return Path(configured)
    file = open_store(ctx).file
    if file is None:
        raise UsageProblem(
            "a store on a server is not published: readers connect to the server itself",
            "that delays no ingest; for a role that can only read: ttsq db grant-reader ROLE",
        )
    return file.parent / "published"


def is_configured(ctx: typer.Context) -> bool:
    """Whether the settings ask for copies by themselves."""
    return options(ctx).settings.asks_for_copies


def publish_configured(
    ctx: typer.Context, wait_seconds: float, kept: int | None = None
) -> tuple[Published | None, TtsqError | None]:
    """Publish if the settings ask for it; the copy, or the error that prevented it.

    ``kept`` generations stay even when nobody uses them; None: the usual number.
    """
    if not is_configured(ctx):
        return None, None
    try:
        published = flow.publish(
            open_store(ctx),
            expanded(default_folder(ctx)),
            now=lambda: datetime.now(UTC),
            wait_seconds=wait_seconds,
            kept=KEPT if kept is None else kept,
        )
    except TtsqError as problem:
        return None, problem
    return published, None


def as_text(p: Published) -> str:
    """A publication for people."""
    generation, current = printable(p.generation.name), printable(str(p.current))
    if not p.made:
        lines = [f"nothing changed since {generation}; {current} leads to it"]
    else:
        lines = [
            f"published {generation}: {sum(p.rows.values()):,} rows, {p.bytes:,} bytes in "
            f"{p.seconds:.1f} s",
            f"{current} leads to it",
        ]
    lines += [f"removed {printable(r.name)}" for r in p.removed]
    lines += [
        f"kept {printable(h.path.name)}: {printable(' '.join(h.holder.split()))} has it open"
        for h in p.held
        if h.holder is not None
    ]
    return "\n".join(lines)


def as_object(p: Published) -> dict[str, object]:
    """A publication for programs."""
    return {
        "store": p.store,
        "current": str(p.current),
        "generation": str(p.generation),
        "made": p.made,
        "bytes": p.bytes,
        "rows": p.rows,
        "seconds": round(p.seconds, 3),
        "removed": [str(r) for r in p.removed],
        "kept": [{"generation": str(h.path), "open_in": h.holder} for h in p.held],
    }
