"""``ttsq status``: what a store holds, and how far it is behind the log files."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.options.context import open_store, options, printable, reported, say
from ingest.errors import UsageProblem
from ingest.model import Checkpoint
from ingest.paths import real
from ingest.render.harmless import json_shown
from ingest.stores import migrate
from ingest.stores.contract import QueryResult, Store
from ingest.tasks.metrics import lag, write_metrics

_RUNS = (
    "select run_key, started_at, finished_at, status, files, bytes, records, rows, quarantined, "
    "record_bytes, quarantined_bytes, ignored_bytes, tail_bytes, lost_bytes, unclaimed, "
    "unclaimed_bytes, already_stored_bytes, error "
    "from ingest_runs order by run_key desc limit 5"
)
_QUARANTINE = (
    "select reason, count(*) as pieces, sum(byte_length) as bytes from quarantine group by 1 "
    "order by 1"
)


def status(
    ctx: typer.Context,
    metrics: Annotated[
        Path | None,
        typer.Option(
            help="Write metrics for Prometheus (node exporter's textfile collector) to this file; "
            "- is stdout.",
            metavar="FILE",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the files known, how far they are read, the last runs, the ledger and the quarantine."""
    with reported(options(ctx).debug):
        if metrics is not None and as_json:
            raise UsageProblem("--metrics and --json exclude each other", "give one")
        if metrics is not None:
            write_metrics(open_store(ctx), metrics, None if str(metrics) != "-" else sys.stdout)
        else:
            print_status(open_store(ctx), as_json)


def print_status(store: Store, as_json: bool) -> None:
    """Print files, offsets, lag, last runs, ledger and quarantine of a store.

    :raises StoreError: when there is no store, or of another revision.
    """
    migrate.require_head(store)
    checkpoints = store.checkpoints()
    with store.reading() as reader:
        runs = reader.query(_RUNS, {})
        quarantine = reader.query(_QUARANTINE, {})
    if as_json:
        _print_json(store, checkpoints, runs, quarantine)
    else:
        _print_text(store, checkpoints, runs, quarantine)


def is_missing(checkpoint: Checkpoint) -> bool:
    """Whether nothing stands where a file was seen last: it was rotated since, or removed.

    That is a look at the disk now; the store is not told, for an ingest names some paths and knows
    nothing of others.
    """
    gone = not os.path.lexists(real(checkpoint.path))
    return gone and checkpoint.state != "replaced"


def _print_text(
    store: Store, checkpoints: list[Checkpoint], runs: QueryResult, quarantine: QueryResult
) -> None:
    typer.echo(f"store: {printable(store.description)} ({store.name}, schema {migrate.head()})")
    typer.echo(f"held by: {printable(store.holder() or 'nobody')}")
    typer.echo(f"\nlog files: {len(checkpoints)}")
    for c in checkpoints:
        behind = lag(c)
        typer.echo(
            f"  {'missing' if is_missing(c) else c.state:<9} {c.committed_offset:>14,} bytes "
            f"stored, {'?' if behind is None else format(behind, ',')} behind, {c.records:,} "
            f"records  {printable(c.path)}"
            + (f"\n            {printable(c.note)}" if c.note else "")
        )
    typer.echo()
    say(
        f"ledger: {sum(c.committed_offset for c in checkpoints):,} bytes = "
        f"{sum(c.record_bytes for c in checkpoints):,} in records + "
        f"{sum(c.quarantined_bytes for c in checkpoints):,} in quarantine + "
        f"{sum(c.ignored_bytes for c in checkpoints):,} ignored + "
        f"{sum(c.unclaimed_bytes for c in checkpoints):,} unclaimed "
        f"({sum(c.unclaimed for c in checkpoints):,} lines) + "
        f"{sum(c.already_stored_bytes for c in checkpoints):,} already stored; "
        f"{sum(c.size_bytes - c.committed_offset for c in checkpoints if c.state != 'replaced'):,} "
        "held back, "
        f"{sum(c.lost_bytes for c in checkpoints):,} lost"
    )
    for reason, pieces, size in quarantine.rows:
        typer.echo(f"quarantine: {pieces} of {reason}, {size} bytes")
    typer.echo("\nlast runs:")
    for row in runs.rows:
        r = dict(zip(runs.columns, row, strict=True))
        typer.echo(
            f"  {r['started_at']:%Y-%m-%d %H:%M:%S} {r['status']:<11} {r['files']} files, "
            f"{r['records']:,} records, {r['rows']:,} rows"
            + (f": {printable(str(r['error']))}" if r["error"] else "")
        )


def _print_json(
    store: Store, checkpoints: list[Checkpoint], runs: QueryResult, quarantine: QueryResult
) -> None:
    typer.echo(
        json_shown(
            {
                "store": store.description,
                "backend": store.name,
                "revision": migrate.head(),
                "holder": store.holder(),
                "log_files": [
                    {**c._asdict(), "lag_bytes": lag(c), "missing": is_missing(c)}
                    for c in checkpoints
                ],
                "runs": [dict(zip(runs.columns, r, strict=True)) for r in runs.rows],
                "quarantine": [
                    dict(zip(quarantine.columns, r, strict=True)) for r in quarantine.rows
                ],
            },
        )
    )
