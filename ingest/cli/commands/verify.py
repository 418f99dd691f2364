"""``ttsq verify``: the files on disk against the tables."""

import json
import shutil
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from ingest.cli.options.context import open_store, options, print_error, printable, reported
from ingest.cli.options.logs import DateFormat, LogFormat, Zone, chosen_format, reading_progress
from ingest.cli.settings.load import zone
from ingest.errors import ExitCode
from ingest.logfiles.discover import expand
from ingest.render.cells import escape_controls
from ingest.render.table import render_table
from ingest.stores.contract import QueryResult
from ingest.tasks.verify import run as flow
from ingest.tasks.verify.run import FileResult, VerifyReport


def verify(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Log files, directories or quoted globs [default: all known files, at their last "
            "path].",
            metavar="[PATH]...",
        ),
    ] = None,
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
    tz: Zone = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Recount the log files on disk against the tables.

    Names each record that is lost or doubled, and exits with 1 if there is any. An ingest may run
    at the same time.
    """
    with reported(options(ctx).debug):
        s = options(ctx).settings
        asked = any(given is not None for given in (log_format, datefmt, tz))
        how = flow.Options(chosen_format(s, log_format, datefmt), zone(tz or s.tz), asked)
        found, missing = expand(paths) if paths else (None, [])
        if missing and not found:
            raise missing[0]
        with reading_progress("verify") as progress:
            report = flow.verify(open_store(ctx), how, found, progress=progress)
        typer.echo(_json(report) if as_json else _text(report))
        for problem in missing:
            print_error(problem)
        if not report.is_clean:
            raise typer.Exit(int(ExitCode.FOUND))
        if missing or any(f.state == "unreadable" for f in report.files):
            raise typer.Exit(int(ExitCode.LOG_FILE))


def _text(report: VerifyReport) -> str:
    parts = [f"store: {printable(report.store)}", "", _table(report)]
    wrong = [*_findings(report), *_ledgers(report), *_in_store(report)]
    if wrong:
        parts += ["wrong:", *wrong, ""]
    notes = _notes(report)
    if notes:
        parts += [*notes, ""]
    return "\n".join([*parts, _totals(report)])


def _table(report: VerifyReport) -> str:
    columns = ("state", "bytes", "records", "lost", "doubled", "path")
    rows = [_row(f) for f in report.files]
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    table = render_table(QueryResult(columns, rows), width, None, terminal)
    return table.rpartition("\n\n")[0] + "\n"  # without the line that counts rows


def _row(f: FileResult) -> tuple[object, ...]:
    counted = f.state == "recounted"
    lost, doubled = (f.count("lost"), f.count("doubled")) if counted else (None, None)
    return (f.state, f.bytes, f.records, lost, doubled, f.path)


def _findings(report: VerifyReport) -> list[str]:
    found = []
    for f in report.files:
        for x in f.findings:
            place = f"{escape_controls(x.path)}:{x.offset}"
            found.append(f"  {x.kind:<7} {x.table:<13} {place}  {escape_controls(x.line)}".rstrip())
        more = sum(n for _, n in f.counts) - len(f.findings)
        if more > 0:
            found.append(f"  … and {more:,} more in {escape_controls(f.path)}")
    return found


def _ledgers(report: VerifyReport) -> list[str]:
    return [
        f"  ledger  log_files     {printable(f.path)}  {difference}"
        for f in report.files
        for difference in f.ledger
    ]


def _in_store(report: VerifyReport) -> list[str]:
    what = {
        "beyond": "behind the offset up to which the file is stored",
        "stray": "of a file that is not known",
        "lost": "missing that other rows belong to",
    }
    return [
        f"  {x.kind:<7} {x.table:<13} {printable(x.path) or f'file_key {x.file_key}'}:{x.offset}  "
        f"{x.rows:,} {'row' if x.rows == 1 else 'rows'} {what[x.kind]}"
        for x in report.store_findings
    ]


def _notes(report: VerifyReport) -> list[str]:
    notes = [f"{printable(f.path)}: {printable(f.note)}" for f in report.files if f.note]
    notes += [
        f"{printable(f.path)}: {f.lost_bytes:,} bytes were gone before they were read (named "
        "then, and by ttsq status)"
        for f in report.files
        if f.lost_bytes
    ]
    notes += [
        f"{printable(f.path)}: {f.understood:,} pieces in quarantine can be understood now: "
        "ttsq replay"
        for f in report.files
        if f.understood
    ]
    return notes + [f"{printable(p)}: no known log file, not recounted" for p in report.unknown]


def _totals(report: VerifyReport) -> str:
    counted = [f for f in report.files if f.state == "recounted"]
    total = f"lost {report.total('lost'):,}, doubled {report.total('doubled'):,}"
    for kind in ("stray", "beyond"):
        if number := report.total(kind):
            total += f", {kind} {number:,}"
    uneven = sum(1 for f in report.files if f.ledger)
    if uneven:
        files = "file" if uneven == 1 else "files"
        total += f"; the ledger of {uneven:,} {files} does not add up"
    return (
        f"{total} ({len(counted):,} of {len(report.files):,} files recounted, "
        f"{sum(f.records for f in counted):,} records, {sum(f.bytes for f in counted):,} bytes)"
    )


def _json(report: VerifyReport) -> str:
    kinds = ("lost", "doubled", "stray", "beyond")
    return json.dumps(
        {
            "store": report.store,
            **{kind: report.total(kind) for kind in kinds},
            "files": [
                {**asdict(f), "counts": {kind: f.count(kind) for kind in kinds[:3]}}
                for f in report.files
            ],
            "store_findings": [asdict(x) for x in report.store_findings],
            "unknown": report.unknown,
        },
        indent=2,
    )
