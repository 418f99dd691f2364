"""``ttsq demo``: a small realistic log set with an incident in it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.options.context import options, printable, reported
from ingest.cli.settings.load import local_zone
from ingest.tasks.demo import write_demo


def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to write; made when missing.")] = Path(
        "demo/logs"
    ),
    requests: Annotated[int, typer.Option(help="How many requests.", min=1)] = 3000,
    tz: Annotated[
        str | None, typer.Option(help="Time zone of the timestamps [default: this machine's].")
    ] = None,
) -> None:
    """Write a small realistic log set with an incident in it.

    It has three rotated files, two of them gzipped.
    """
    with reported(options(ctx).debug):
        name = tz or options(ctx).settings.tz or str(getattr(local_zone(), "key", "UTC"))
        summary = write_demo(folder, now=datetime.now(UTC), requests=requests, tz=name)
        for path in summary.files:
            typer.echo(f"wrote {printable(str(path))}  {path.stat().st_size:,} bytes")
        typer.echo(
            f"{summary.records:,} records of {summary.requests:,} requests, "
            f"{summary.failures} of them failed; "
            f"the incident begins at {summary.incident_at:%Y-%m-%d %H:%M}"
        )
        typer.echo(f"\nnext: ttsq ingest {printable(str(folder))} && ttsq run failure_by_length")
