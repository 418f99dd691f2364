"""What a run did, for people and for programs."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from ingest.cli.options.context import printable, say
from ingest.model import FileReport, RunReport
from ingest.render.harmless import json_shown

if TYPE_CHECKING:
    from ingest.tasks.publish import Published


def print_report(
    report: RunReport, as_json: bool, dry_run: bool, published: "Published | None"
) -> None:
    """The summary on stdout; that the store was upgraded, on stderr."""
    print_upgrade(report)
    if as_json:
        found = as_object(report)
        if published is not None:
            from ingest.cli.commands import publish  # loaded already by what has published

            found["published"] = publish.as_object(published)
        typer.echo(json_shown(found))
        return
    for file in report.files:
        typer.echo(as_line(file))
    ledger = report.ledger
    seconds = (report.finished_at - report.started_at).total_seconds()
    verb = "would be stored in" if dry_run else "stored in"
    typer.echo(
        f"\n{ledger.records:,} records, {ledger.quarantined:,} in quarantine; "
        f"{sum(report.rows.values()):,} rows {verb} {printable(report.store)}"
    )
    for table, count in report.rows.items():
        typer.echo(f"  {table:<14} {count:>10,}")
    say(
        f"bytes: {report.bytes_read:,} read = {ledger.record_bytes:,} in records + "
        f"{ledger.quarantined_bytes:,} in quarantine + {ledger.ignored_bytes:,} ignored + "
        f"{ledger.unclaimed_bytes:,} unclaimed + {ledger.already_stored_bytes:,} already stored + "
        f"{ledger.tail_bytes:,} held back; {ledger.lost_bytes:,} lost ({seconds:.1f} s)"
    )
    if published is not None:
        from ingest.cli.commands.publish import as_text

        typer.echo(as_text(published))
    if ledger.settled_bytes and not report.rows.get("requests"):
        read = [file.path for file in report.files if file.ledger.unclaimed]
        if read:
            typer.echo(
                f"no request was found; ttsq profiles try {printable(read[0])} shows line by "
                "line what was understood"
            )


def print_upgrade(report: RunReport) -> None:
    """On stderr, where a run upgraded the store: other machines must be upgraded, too."""
    if report.migrated is not None:
        before, after = report.migrated
        typer.echo(
            f"ttsq: the store {printable(report.store)} went from schema revision {before} to "
            f"{after}",
            err=True,
        )


def as_line(file: FileReport) -> str:
    """What was done with a file."""
    note = f"  ({printable(file.note)})" if file.note else ""
    if file.recognised and file.ledger.settled_bytes:
        share = file.ledger.unclaimed_bytes / file.ledger.settled_bytes
        loose = f"; {share:.0%} unclaimed" if share >= 0.005 else ""
        note = f": {printable(file.recognised)}{loose}{note}"
    counts = f"{file.ledger.records:>9,} records  {file.bytes_read:>13,} bytes"
    return f"{file.action:<10} {counts}  {printable(file.path)}{note}"


def as_object(report: RunReport) -> dict[str, object]:
    """A run for programs."""
    return {
        "store": report.store,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "bytes": report.bytes_read,
        **asdict(report.ledger),
        "rows": report.rows,
        "files": [
            {
                "path": f.path,
                "action": f.action,
                "note": f.note,
                "recognised": f.recognised,
                "bytes": f.bytes_read,
                **asdict(f.ledger),
            }
            for f in report.files
        ],
        "problems": [p.message for p in report.problems],
        "migrated": report.migrated,
    }
