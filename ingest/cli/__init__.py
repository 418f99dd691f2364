"""The command line: parse options, call one function, print, map errors to exit codes (SPEC §4)."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.cli.commands import check as check_command
from ingest.cli.commands import config as config_command
from ingest.cli.commands import db as store_commands
from ingest.cli.commands import ingest as ingest_commands
from ingest.cli.commands import prune as prune_command
from ingest.cli.commands import publish, query, replay, report, top, trace, triage, verify
from ingest.cli.options.context import Options, print_error, refused, reported
from ingest.cli.process.ending import end_at_once, with_code
from ingest.cli.process.signals import end_by_sigterm, raise_at_sigterm
from ingest.cli.process.streams import settle_streams
from ingest.cli.process.without_pandas import do_without_pandas
from ingest.cli.settings.load import load
from ingest.errors import ExitCode, UsageProblem

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Text-to-speech service logs, read exactly once, as SQL tables with named triage queries.\n\n"
    "Begin with: ttsq ingest /var/log/tts/ ; ttsq queries ; ttsq run failure_by_length --since 24h",
)


def _version(show: bool) -> None:
    if not show:
        return
    from ingest import __version__
    from ingest.compiled import records

    typer.echo(
        f"ttsq {__version__} ({'compiled' if records.COMPILED else 'uncompiled, slow'} scanner)"
    )
    raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    db: Annotated[
        str,
        typer.Option(
            help="The store, a SQLAlchemy URL such as duckdb:///logs.duckdb [env: TTSQ_DB]."
        ),
    ] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings file [env: TTSQ_CONFIG; default: ttsq.toml here or in ~/.config/ttsq]."
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks with errors.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Version, and which scanner runs."
        ),
    ] = False,
) -> None:
    """Options in front of every command."""
    with reported(debug):
        ctx.obj = Options(db, debug, load(config, os.environ))


app.command()(ingest_commands.ingest)
app.command()(ingest_commands.status)
app.command()(ingest_commands.demo)
query.register(app)
app.command()(triage.triage)
app.command()(report.report)
app.command()(top.top)
app.command()(trace.trace)
app.command()(check_command.check)
app.command()(verify.verify)
app.command()(replay.replay)
app.command()(prune_command.prune)
app.command()(publish.publish)
app.add_typer(store_commands.db, name="db")
app.add_typer(config_command.config, name="config")


# typer keeps its parser's error classes to itself, but for this one and, through it, its bases
_WordsError: type[Exception] = typer.BadParameter.__mro__[2]


def entry() -> None:
    """The process ``ttsq``."""
    settle_streams()
    end_at_once()
    try:
        main()
    except SystemExit as error:
        with_code(error.code)
        raise


def main() -> None:
    """Run the command line; errors in its words are told like all others."""
    raise_at_sigterm()
    do_without_pandas()
    # NumPy's linear algebra is not used: its threads would only spin
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        end_by_sigterm()
        raise SystemExit(int(ExitCode.INTERRUPTED)) from None
    except _WordsError as error:
        _tell(error)
        raise SystemExit(int(ExitCode.USAGE)) from None
    except OSError as error:  # where no command has begun yet: its help, its arguments
        if "--debug" in sys.argv or isinstance(error, BrokenPipeError):
            raise
        print_error(refused(error))
        raise SystemExit(int(ExitCode.STORE)) from None
    end_by_sigterm()
    raise SystemExit(code if isinstance(code, int) else 0)


def _tell(error: Any) -> None:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        typer.echo(context.get_help(), err=True)
        return
    path = context.command_path if context is not None else "ttsq"
    print_error(UsageProblem(error.format_message(), f"{path} --help"))
