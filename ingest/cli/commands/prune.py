"""``ttsq prune``: retention."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.cli.commands.publish import as_object, as_text, publish_configured
from ingest.cli.options.context import open_store, options, printable, reported
from ingest.cli.settings.load import zone
from ingest.tasks import prune as retention
from ingest.tasks.prune import PruneReport, TablePruned
from ingest.tasks.publish import Published


def prune(
    ctx: typer.Context,
    older_than: Annotated[
        str | None,
        typer.Option(
            help="Remove rows older than an age (30d, 24h), a date or an instant [default: as in "
            "the settings].",
        ),
    ] = None,
    text_older_than: Annotated[
        str | None,
        typer.Option(
            help="Remove user text from rows older than this; their figures stay.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go, remove nothing.")
    ] = False,
    tz: Annotated[
        str | None,
        typer.Option("--tz", help="Time zone of instants given (IANA) [default: this machine's]."),
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for an ingest of the same store.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Remove old rows from the tables, and give their disk space back.

    Rows are not re-created from log files still on disk.
    For example: ttsq prune --older-than 30d --text-older-than 7d
    """
    with reported(options(ctx).debug):
        settings = options(ctx).settings
        chosen = retention.cuts(
            older_than or settings.prune.older_than,
            text_older_than or settings.prune.text_older_than,
            settings.prune.tables,
            datetime.now(UTC),
            zone(tz or settings.tz),
        )
        report = retention.prune(
            open_store(ctx),
            chosen,
            now=lambda: datetime.now(UTC),
            wait_seconds=wait,
            dry_run=dry_run,
        )
        published, problem = None, None
        if not dry_run:
            # what was pruned is to go from the copies, too
            published, problem = publish_configured(ctx, wait, kept=1)
        typer.echo(_json(report, published) if as_json else _text(report, published))
        if problem is not None:
            raise problem


def _text(report: PruneReport, published: Published | None) -> str:
    verb = "would go" if report.dry_run else "gone"
    lines = [_line(t, verb) for t in report.tables if t.rows or t.texts]
    if not lines:
        lines = [f"nothing in {printable(report.store)} is too old"]
    else:
        size = sum(t.bytes for t in report.tables)
        lines += [
            "",
            f"{report.rows:,} rows (about {size:,} bytes) and the user text of {report.texts:,} "
            f"more {verb} from {printable(report.store)}",
        ]
    if report.space_given_back:
        lines.append(
            f"disk space: {report.bytes_before:,} bytes before, {report.bytes_after:,} now"
        )
    if published is not None:
        lines.append(as_text(published))
    return "\n".join(lines)


def _line(t: TablePruned, verb: str) -> str:
    parts = []
    if t.rows:
        parts.append(f"{t.rows:>11,} rows before {t.rows_before:%Y-%m-%d %H:%M:%S} UTC")
    if t.texts:
        parts.append(f"user text of {t.texts:,} rows before {t.texts_before:%Y-%m-%d %H:%M:%S} UTC")
    return f"{t.table:<14} {'; '.join(parts)} {verb}"


def _json(report: PruneReport, published: Published | None) -> str:
    found = asdict(report) | {"rows": report.rows, "texts": report.texts}
    if published is not None:
        found["published"] = as_object(published)
    return json.dumps(found, default=lambda at: at.isoformat(), indent=2)
