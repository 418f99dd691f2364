"""``ttsq ingest``."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest.cli.commands.run_report import print_report
from ingest.cli.options.context import open_store, options, print_error, reported
from ingest.cli.options.logs import (
    AccessFormatOption,
    Bar,
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
from ingest.cli.options.sources import Given, Run, planned, together
from ingest.cli.process.allocator import use_one_arena
from ingest.errors import ExitCode, LogFileError, TtsqError, UsageProblem
from ingest.model import FileReport, Ledger, RunReport
from ingest.pipeline import ingest as pipeline
from ingest.stores.contract import Store

_Paths = Annotated[
    list[str] | None,
    typer.Argument(
        help="Log files, directories or quoted globs; plain, gzip or zstd [default: the "
        "sources in the settings].",
        metavar="[PATH]...",
        show_default=False,
    ),
]
_Host = Annotated[str | None, typer.Option(help="Machine the logs come from [default: this one].")]
_Service = Annotated[str | None, typer.Option(help="Service the logs come from [default: tts].")]
_Exclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Leave out files of this name or path, with what was rotated from them; may be "
        "given again.",
    ),
]
_Final = Annotated[
    bool,
    typer.Option("--final", help="Nothing will follow: store the last record of every file, too."),
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and count, store nothing.")]
_Wait = Annotated[float, typer.Option(help="Seconds to wait for another ingest of the same store.")]
_Follow = Annotated[
    bool, typer.Option("--follow", help="Keep running, and read again whenever a file changes.")
]
_Every = Annotated[
    float, typer.Option(min=0.1, help="With --follow: seconds between looks at the files.")
]
_NoMigrate = Annotated[
    bool,
    typer.Option(
        "--no-migrate", help="Refuse a store of an older schema revision instead of upgrading it."
    ),
]
_AsJson = Annotated[
    bool, typer.Option("--json", help="The summary as JSON; with --follow one per line.")
]


def ingest(
    ctx: typer.Context,
    paths: _Paths = None,
    host: _Host = None,
    service: _Service = None,
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
    access_format: AccessFormatOption = None,
    profile: ProfileOption = None,
    envelope: EnvelopeOption = None,
    encoding: EncodingOption = None,
    tz: Zone = None,
    text: Text = None,
    exclude: _Exclude = None,
    final: _Final = False,
    dry_run: _DryRun = False,
    wait: _Wait = 10.0,
    follow: _Follow = False,
    every: _Every = 2.0,
    no_migrate: _NoMigrate = False,
    as_json: _AsJson = False,
) -> None:
    """Read what is new in log files, exactly once, into the store.

    Run it as often as you like: it picks up where it left off, through rotation, compression and
    truncation. The last record of a live file is held back until the next one begins. Without PATH
    it reads the sources that the settings name.
    """
    use_one_arena()
    with reported(options(ctx).debug):
        if follow and (final or dry_run):
            raise UsageProblem(
                "--follow goes with neither --final nor --dry-run", "give only one of them"
            )
        runs = planned(
            options(ctx).settings,
            paths or [],
            Given(
                host,
                service,
                log_format,
                datefmt,
                tz,
                final,
                dry_run,
                wait,
                text,
                tuple(exclude or ()),
                access_format,
                GivenPins(profile, envelope, encoding),
                not no_migrate,
            ),
        )
        if follow:
            _follow(ctx, runs, wait, every, as_json)
            return
        _once(ctx, runs, wait, as_json, dry_run)


def _once(
    ctx: typer.Context, runs: Sequence[Run], wait: float, as_json: bool, dry_run: bool
) -> None:
    report, failure = _ingested(ctx, runs)
    published = None
    if not dry_run and report.ledger.settled_bytes and options(ctx).settings.asks_for_copies:
        from ingest.cli.commands.publish import publish_configured

        published, unpublished = publish_configured(ctx, wait)
        failure = failure or unpublished
    print_report(report, as_json, dry_run, published)
    for problem in report.problems:
        print_error(problem)
    if failure is not None:
        raise failure
    if any(isinstance(p, LogFileError) for p in report.problems):
        raise typer.Exit(int(ExitCode.LOG_FILE))


def _follow(
    ctx: typer.Context, runs: Sequence[Run], wait: float, every: float, as_json: bool
) -> None:
    # most runs end at once, and a timer begins one every minute
    from ingest.cli.commands.follow import Follower, News
    from ingest.cli.commands.publish import publish_configured
    from ingest.cli.process.systemd import ServiceManager

    manager, news = ServiceManager(os.environ), News(as_json)

    def run() -> bool:
        report, failure = _ingested(ctx, runs, manager.alive)
        news.tell(report)
        if failure is not None:
            raise failure
        return report.ledger.settled_bytes > 0

    def publish() -> None:
        _, problem = publish_configured(ctx, wait)
        if problem is not None:
            print_error(problem)

    Follower([p for r in runs for p in r.paths], run, publish, every, manager).follow()


def _with_beginnings(store: Store, report: RunReport, run: Run) -> RunReport:
    """Read files anew that begin with what goes on from a file that was read after them."""
    if not report.anew or run.options.dry_run:
        return report
    from ingest.tasks.reread.series import reread_series  # a rare thing

    again = reread_series(store, report.anew, run.options, now=lambda: datetime.now(UTC))
    files = (
        FileReport(file.path, "read anew", "with what the file before it left open", Ledger())
        for file in again.files
    )
    return report._replace(files=(*report.files, *files))


def _ingested(
    ctx: typer.Context, runs: Sequence[Run], alive: Callable[[], None] = lambda: None
) -> tuple[RunReport, TtsqError | None]:
    """One run per source, and one report of all; and the error that ended them early, if one did.

    ``alive`` is called while a run makes progress.

    :raises TtsqError: what ended the first run, or all of them: then there is nothing to report.
    """
    store = open_store(ctx)
    done: list[RunReport] = []
    absent: list[TtsqError] = []
    failure: TtsqError | None = None
    for run in runs:
        try:
            with reading_progress("ingest") as bar:

                def progress(size: int, total: int, bar: Bar = bar) -> None:
                    bar(size, total)
                    alive()

                report = pipeline.ingest(
                    store,
                    run.paths,
                    run.options,
                    now=lambda: datetime.now(UTC),
                    progress=progress,
                    on_file=bar.file,
                )
            done.append(_with_beginnings(store, report, run))
        except LogFileError as problem:
            absent.append(problem)
        except TtsqError as problem:
            failure = problem
            break
    if not done:
        for unread in absent[:-1] if failure is None else absent:
            print_error(unread)
        raise failure or absent[-1]
    return together(done, absent), failure
