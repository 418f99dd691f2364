"""The command line: parse options, call one function, print, map errors to exit codes."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

from ingest import __version__
from ingest.cli.group import LazyGroup
from ingest.cli.options.context import Options, print_error, printable, refused, reported
from ingest.cli.process.completion_script import use_own_script
from ingest.cli.process.ending import end_at_once, with_code
from ingest.cli.process.loading import without_metadata
from ingest.cli.process.scarce_memory import require_memory
from ingest.cli.process.signals import end_by_sigterm, raise_at_sigterm
from ingest.cli.process.streams import settle_streams
from ingest.cli.process.without_pandas import do_without_pandas
from ingest.errors import ExitCode, UsageProblem
from ingest.lazily import matcher

_NO_COMMAND = matcher(r"No such command '([\w-]+)'")

app = typer.Typer(
    cls=LazyGroup,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turn the logs of a text-to-speech service into SQL tables, each record exactly once,"
    " and ask them what on-call asks.\n\n"
    "Begin with: ttsq ingest /var/log/tts/ ; ttsq queries ;"
    " ttsq run failure_by_length --since 24h",
)


def _version(show: bool) -> None:
    if show:
        from ingest.compiled import records  # no other command needs the scanner here

        scanner = "compiled" if records.COMPILED else "uncompiled, slow"
        typer.echo(f"ttsq {__version__} ({scanner} scanner)")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    db: Annotated[
        str,
        typer.Option(help="The store, a URL such as duckdb:///logs.duckdb [env: TTSQ_DB]."),
    ] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings file [env: TTSQ_CONFIG; default: ttsq.toml here or in ~/.config/ttsq]."
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks with errors.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_version,
            is_eager=True,
            help="Show the version, and which scanner runs.",
        ),
    ] = False,
) -> None:
    """Options of every command; without a command, show the help."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(int(ExitCode.USAGE))
    with reported(debug):
        require_memory()
    ctx.obj = Options(db, config, debug)


def entry() -> None:
    """The process ``ttsq``."""
    settle_streams()
    end_at_once()
    try:
        main()
    except SystemExit as error:
        with_code(error.code)
        raise


def _show_harmless(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print a traceback; what it quotes of logs and file names cannot steer the terminal."""
    from traceback import format_exception

    sys.stderr.write(printable("".join(format_exception(kind, error, trace))))


def main() -> None:
    """Run the command line; what its parser refuses is reported like every other error."""
    raise_at_sigterm()
    do_without_pandas()
    without_metadata()
    use_own_script()
    # NumPy's linear algebra is not used: its threads would only spin
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        end_by_sigterm()
        raise SystemExit(int(ExitCode.INTERRUPTED)) from None
    except typer.TyperException as error:
        _report(error)
        raise SystemExit(int(ExitCode.USAGE)) from None
    except OSError as error:  # where no command has begun yet: its help, its arguments
        if "--debug" in sys.argv or isinstance(error, BrokenPipeError):
            raise
        print_error(refused(error))
        raise SystemExit(int(ExitCode.STORE)) from None
    finally:
        sys.excepthook = _show_harmless  # typer has set its own
    end_by_sigterm()
    raise SystemExit(code if isinstance(code, int) else 0)


def _report(error: typer.TyperException) -> None:
    """Print what the parser found wrong; a group without a command raises its own help."""
    context = getattr(error, "ctx", None)
    if context is not None and error.message == context.get_help():
        typer.echo(error.message, err=True)
        return
    path = context.command_path if context is not None else "ttsq"
    print_error(UsageProblem(error.format_message(), _meant(error) or f"{path} --help"))


def _meant(error: typer.TyperException) -> str | None:
    """The command for a query that was named where commands stand; None for everything else."""
    unknown = _NO_COMMAND.match(error.format_message())
    if unknown is None:
        return None
    from ingest.named_queries.library import query_paths  # only where something went wrong

    name = unknown[1].replace("-", "_")
    return f"did you mean: ttsq run {name}" if name in query_paths() else None
