"""``ttsq replay``: the quarantine, once more."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.cli.options.context import open_store, options, print_error, printable, reported
from ingest.cli.options.logs import (
    DateFormat,
    LogFormat,
    Text,
    Zone,
    chosen_format,
    reading_progress,
)
from ingest.cli.settings.load import zone
from ingest.errors import ExitCode
from ingest.tasks.replay import run as flow
from ingest.tasks.replay.report import Options, ReplayReport


def replay(
    ctx: typer.Context,
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
    tz: Zone = None,
    text: Text = None,
    final: Annotated[
        bool,
        typer.Option(
            "--final", help="Nothing will follow: store the last record of every file, too."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would be stored, store nothing.")
    ] = False,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for an ingest of the same store.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Retry quarantined lines, after an upgrade or with another format.

    Each record that can be parsed now is moved to the tables, once. Lines that belong to nothing
    are counted as unclaimed; the rest stays in quarantine.
    """
    with reported(options(ctx).debug):
        s = options(ctx).settings
        chosen = Options(
            format=chosen_format(s, log_format, datefmt),
            tz=zone(tz or s.tz),
            final=final,
            dry_run=dry_run,
            wait_seconds=wait,
            text=text or s.text,
            is_asked=any(given is not None for given in (log_format, datefmt, tz)),
            profile_folder=s.profile_folder,
        )
        with reading_progress("replay") as progress:
            report = flow.replay(
                open_store(ctx), chosen, now=lambda: datetime.now(UTC), progress=progress
            )
        typer.echo(_json(report) if as_json else _text(report, dry_run))
        for problem in report.problems:
            print_error(problem)
        if report.problems:
            raise typer.Exit(int(ExitCode.LOG_FILE))


def _text(report: ReplayReport, dry_run: bool) -> str:
    lines = []
    for f in report.files:
        source = "" if f.source == "file" else "  (file gone: from the text kept)"
        held = (
            f"  ({f.held_bytes:,} bytes may still grow: --final stores them)"
            if f.held_bytes
            else ""
        )
        lines.append(
            f"{f.released:>9,} of {f.pieces:,} pieces understood, {f.ledger.records:,} records, "
            f"{f.left:,} left  {printable(f.path)}{source}{held}"
        )
    released = sum(f.released for f in report.files)
    records = sum(f.ledger.records for f in report.files)
    unclaimed = sum(f.ledger.unclaimed for f in report.files)
    left = sum(f.left for f in report.files)
    if not report.files:
        return f"nothing is in quarantine in {printable(report.store)}"
    verb = "would leave" if dry_run else "left"
    lines += [
        "",
        f"{released:,} pieces {verb} quarantine as {records:,} records"
        + (f" and {unclaimed:,} unclaimed lines" if unclaimed else "")
        + f", {left:,} stay; "
        f"{sum(report.rows.values()):,} rows stored in {printable(report.store)}",
        *(f"  {table:<14} {count:>10,}" for table, count in report.rows.items()),
    ]
    return "\n".join(lines)


def _json(report: ReplayReport) -> str:
    return json.dumps(
        {
            "store": report.store,
            "released": sum(f.released for f in report.files),
            "records": sum(f.ledger.records for f in report.files),
            "left": sum(f.left for f in report.files),
            "rows": report.rows,
            "files": [asdict(f) for f in report.files],
            "problems": [p.message for p in report.problems],
        },
        indent=2,
    )
