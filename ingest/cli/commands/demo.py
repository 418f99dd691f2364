"""``ttsq demo``: a small realistic log set with an incident in it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from ingest.cli.options.context import options, printable, reported
from ingest.cli.settings.load import local_zone
from ingest.tasks.demo import write_demo
from ingest.tasks.demo_indextts import write_indextts

DemoService = Literal["tts", "indextts"]


def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to write; made when missing.")] = Path(
        "demo/logs"
    ),
    service: Annotated[
        DemoService,
        typer.Option(
            help="tts: the events that ttsq's own format has; indextts: what an IndexTTS-2 "
            "container prints."
        ),
    ] = "tts",
    requests: Annotated[int, typer.Option(help="How many requests.", min=1)] = 3000,
    tz: Annotated[
        str | None, typer.Option(help="Time zone of the timestamps [default: this machine's].")
    ] = None,
) -> None:
    """Write a small realistic log set with an incident in it.

    That of tts has three rotated files, two of them gzipped; that of indextts is what `docker
    compose logs -t` shows: prefixes, progress bars, uvicorn's lines, tracebacks. Both have the
    access log of an nginx in front.
    """
    with reported(options(ctx).debug):
        if service == "indextts":
            _indextts(folder, requests)
            return
        name = tz or options(ctx).settings.tz or str(getattr(local_zone(), "key", "UTC"))
        summary = write_demo(folder, now=datetime.now(UTC), requests=requests, tz=name)
        for path in (*summary.files, summary.access):
            typer.echo(f"wrote {printable(str(path))}  {path.stat().st_size:,} bytes")
        typer.echo(
            f"{summary.records:,} records of {summary.requests:,} requests, "
            f"{summary.failures} of them failed; "
            f"the incident begins at {summary.incident_at:%Y-%m-%d %H:%M}"
        )
        typer.echo(f"\nnext: ttsq ingest {printable(str(folder))} && ttsq run failure_by_length")


def _indextts(folder: Path, requests: int) -> None:
    """What IndexTTS-2 prints in a day."""
    written = write_indextts(folder, now=datetime.now(UTC), requests=requests)
    for path in (written.path, written.access):
        typer.echo(f"wrote {printable(str(path))}  {path.stat().st_size:,} bytes")
    typer.echo(
        f"{written.lines:,} lines of {written.requests:,} requests, {written.failures} of them "
        f"failed; the incident begins at {written.incident_at:%Y-%m-%d %H:%M} UTC"
    )
    typer.echo(f"\nnext: ttsq ingest --final {printable(str(folder))} && ttsq run rtf_over_time")
