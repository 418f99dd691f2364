"""``ttsq reread``: forget log files' rows, and read them anew."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.cli.commands.publish import as_object, as_text, publish_configured
from ingest.cli.options.context import open_store, options, print_error, printable, reported
from ingest.cli.options.logs import (
    AccessFormatOption,
    DateFormat,
    EncodingOption,
    EnvelopeOption,
    GivenPins,
    LogFormat,
    ProfileOption,
    Text,
    Zone,
    reading_progress,
)
from ingest.cli.options.sources import Given, as_sources_say
from ingest.errors import ExitCode
from ingest.render.harmless import json_shown
from ingest.tasks.publish import Published
from ingest.tasks.reread import run as task
from ingest.tasks.reread.report import FileReread, RereadReport, together


def reread(
    ctx: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Log files that were read before, directories or quoted globs.",
            metavar="PATH...",
            show_default=False,
        ),
    ],
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
    access_format: AccessFormatOption = None,
    profile: ProfileOption = None,
    envelope: EnvelopeOption = None,
    encoding: EncodingOption = None,
    tz: Zone = None,
    text: Text = None,
    final: Annotated[
        bool,
        typer.Option(
            "--final", help="Nothing will follow: store the last record of every file, too."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go and come, change nothing.")
    ] = False,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for an ingest of the same store.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Forget the rows of log files, and read the files anew: after an upgrade, or as other options
    or settings say.

    A file's rows are replaced in one transaction. What was pruned stays pruned.
    For example: ttsq reread /var/log/tts/app.log --dry-run
    """
    with reported(options(ctx).debug):
        given = Given(
            None, None, log_format, datefmt, tz, final, dry_run, wait, text, (), access_format,
            GivenPins(profile, envelope, encoding),
        )  # fmt: skip
        reports = []
        for run in as_sources_say(options(ctx).settings, paths, given):
            with reading_progress("reread") as progress:
                reports.append(
                    task.reread(
                        open_store(ctx),
                        run.paths,
                        run.options,
                        now=lambda: datetime.now(UTC),
                        progress=progress,
                    )
                )
        report = together(reports)
        published, unpublished = None, None
        if report.files and not dry_run:
            published, unpublished = publish_configured(ctx, wait)
        typer.echo(_json(report, published) if as_json else _text(report, dry_run, published))
        for problem in report.problems:
            print_error(problem)
        if unpublished is not None:
            raise unpublished
        if report.problems:
            raise typer.Exit(int(ExitCode.LOG_FILE))


def _text(report: RereadReport, dry_run: bool, published: Published | None) -> str:
    lines = []
    for file in report.files:
        lines += _file(file, dry_run)
    if not report.files:
        lines.append(f"nothing was read anew in {printable(report.store)}")
    if published is not None:
        lines.append(as_text(published))
    return "\n".join(lines)


def _file(file: FileReread, dry_run: bool) -> list[str]:
    how = f": {printable(file.recognised)}" if file.recognised else ""
    note = f"  ({printable(file.note)})" if file.note else ""
    would = "would be " if dry_run else ""
    went, came = ("would go", "would come") if dry_run else ("went", "came")
    return [
        f"{would}read anew {file.ledger.records:>9,} records  {file.bytes_read:>13,} bytes  "
        f"{printable(file.path)}{how}{note}",
        *(
            f"  {table:<16} {file.went.get(table, 0):>10,} {went}, "
            f"{file.came.get(table, 0):>10,} {came}"
            for table in sorted({*file.went, *file.came})
        ),
    ]


def _json(report: RereadReport, published: Published | None) -> str:
    found: dict[str, object] = {
        "store": report.store,
        "files": [asdict(file) for file in report.files],
        "problems": [p.message for p in report.problems],
    }
    if published is not None:
        found["published"] = as_object(published)
    return json_shown(found)
