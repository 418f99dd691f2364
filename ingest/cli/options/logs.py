"""What the commands that read log files share: how records look, and how far the reading is."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer

from ingest.cli.settings.load import Settings, Source
from ingest.records.formats import Format, compile_format, pinned
from ingest.render.harmless import escape_controls
from ingest.rows.user_text import TextPolicy

_NAME = 30  # characters of a file's name beside the bar

LogFormat = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        help="The service's own logging format string, e.g. '%(asctime)s %(levelname)s "
        "%(message)s'.",
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option("--datefmt", help="The datefmt of the service's logging, if it sets one."),
]
AccessFormatOption = Annotated[
    str | None,
    typer.Option(
        "--access-format",
        help="The log_format or LogFormat string of the HTTP server, or a name of ttsq formats "
        "[default: recognised by itself].",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", help="Only the rules of this profile (ttsq profiles) [default: of all]."
    ),
]
EnvelopeOption = Annotated[
    str | None,
    typer.Option(
        "--envelope",
        help="Only these envelopes, with commas between, or none [default: recognised line by "
        "line].",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="What the text is encoded in [default: recognised]."),
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--tz", help="Time zone of timestamps without one (IANA) [default: this machine's]."
    ),
]
Text = Annotated[
    TextPolicy | None,
    typer.Option(
        help="What to store of user text: keep, hash (texts only, salted, so that repeats can be "
        "counted) or drop [default: keep].",
        show_default=False,
    ),
]


class GivenPins(NamedTuple):
    """The options that pin what is recognised otherwise, as given."""

    profile: str | None = None
    envelope: str | None = None
    encoding: str | None = None


NO_PINS = GivenPins()


def chosen_format(
    settings: Settings | Source,
    log_format: str | None,
    datefmt: str | None,
    access_format: str | None = None,
    pins: GivenPins = NO_PINS,
) -> Format:
    """The record grammar: as given, else as the settings, or those of a source, say.

    :raises FormatError: for one that cannot be read.
    """
    return compile_format(
        log_format or settings.log_format,
        datefmt or settings.datefmt,
        escapes=settings.escapes,
        stage_time=settings.stage_time,
        access_format=access_format or settings.access_format,
        pins=pinned(
            pins.profile or settings.profile,
            pins.envelope or settings.envelope,
            pins.encoding or settings.encoding,
        ),
    )


class Bar:
    """How far the reading is: called with the bytes done and their total."""

    def __call__(self, done: int, total: int) -> None:
        """So many bytes are done."""

    def file(self, path: str) -> None:
        """Another file is read now."""


@contextmanager
def reading_progress(task: str) -> Iterator[Bar]:
    """A progress bar on stderr, only on a terminal: the file, bytes done, speed and time left."""
    if not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(),
        TransferSpeedColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    ) as bar:  # fmt: skip
        number = bar.add_task(task, total=None)

        class Drawn(Bar):
            def __call__(self, done: int, total: int) -> None:
                bar.update(number, completed=done, total=total)

            def file(self, path: str) -> None:
                bar.update(number, description=escape_controls(os.path.basename(path))[-_NAME:])

        yield Drawn()
