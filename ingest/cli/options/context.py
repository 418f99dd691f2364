"""What every command shares: its options, the store, and how errors are printed."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from ingest.cli.settings.load import Loaded, Settings, default_store, load, store_url
from ingest.errors import ExitCode, StoreError, TtsqError
from ingest.paths import shown
from ingest.render.harmless import printable as printable
from ingest.stores import migrate
from ingest.stores import open as stores
from ingest.stores.contract import Reader, Store
from ingest.stores.urls import without_password


def say(text: str) -> None:
    """Print a sentence; on a terminal its lines are broken between words."""
    if sys.stdout.isatty():
        from ingest.render.cells import wrapped  # only a terminal needs what it loads

        text = wrapped(text, shutil.get_terminal_size().columns)
    typer.echo(text)


@dataclass(slots=True)
class Options:
    """The options that every command takes, in front of it or behind it, and the settings."""

    db: str = ""
    config: Path | None = None
    debug: bool = False
    _loaded: Loaded | None = None

    @property
    def loaded(self) -> Loaded:
        """The settings, each with its place; read when first asked for.

        :raises SettingsError: when the settings file cannot be used.
        """
        if self._loaded is None:
            self._loaded = load(self.config, os.environ)
        return self._loaded

    @property
    def settings(self) -> Settings:
        """The settings, without these options."""
        return self.loaded.settings

    @property
    def url(self) -> str:
        """The store: --db, else TTSQ_DB or the settings file, else the user's data directory; with
        its password.

        :raises SettingsError: when the password file cannot be used.
        """
        url = self.db or self.settings.db or default_store()
        settings = self.settings
        return store_url(url, settings.db_password_file, settings.cluster, settings.retention)


def options(ctx: typer.Context) -> Options:
    """The options of a command's context."""
    found = ctx.find_object(Options)
    assert found is not None
    return found


def store_words(ctx: typer.Context) -> list[str]:
    """The words by which a command that is told to the user finds the same store."""
    chosen = options(ctx)
    words = ["--db", without_password(chosen.db)] if chosen.db else []
    return words + (["--config", str(chosen.config)] if chosen.config else [])


def open_store(ctx: typer.Context) -> Store:
    """The store of a command, not opened yet."""
    return stores.open_store(options(ctx).url)


@contextmanager
def open_reader(ctx: typer.Context) -> Iterator[Reader]:
    """A read-only session on a store that is at head."""
    with migrate.reading(open_store(ctx)) as reader:
        yield reader


def print_error(error: TtsqError) -> None:
    """One sentence, and a hint that works, on stderr."""
    typer.echo(f"ttsq: error: {printable(error.message)}", err=True)
    if error.hint:
        typer.echo(f"\nhint: {printable(error.hint)}", err=True)


def refused(error: OSError) -> TtsqError:
    """What the system refuses, where no layer below has more to say of it."""
    reason = error.strerror or str(error)
    if error.filename is None:
        return TtsqError(f"the system refuses: {reason}", "is the disk full? see: df -h")
    path = shown(str(error.filename))
    return TtsqError(
        f"the system refuses {path}: {reason}",
        f"ls -ld {path}; ttsq --debug ... shows where it happened",
    )


def _lacks_memory(error: Exception) -> bool:
    """Whether a limit of memory or threads caused an error: loading a module takes memory, too."""
    return isinstance(error, MemoryError) or any(
        told in str(error).lower()
        for told in ("failed to map segment", "cannot allocate memory", "can't start new thread")
    )


@contextmanager
def reported(debug: bool) -> Iterator[None]:
    """Turn our errors into a message and an exit code; with ``debug`` let the traceback through."""
    try:
        yield
    except TtsqError as error:
        if debug:
            raise
        print_error(error)
        raise typer.Exit(int(error.exit_code)) from error
    except OSError as error:
        if debug or isinstance(error, BrokenPipeError):
            raise
        print_error(refused(error))
        raise typer.Exit(int(ExitCode.STORE)) from error
    except (MemoryError, ImportError, RuntimeError) as error:
        if debug or not _lacks_memory(error):
            raise
        print_error(
            StoreError(
                "the system gives this process too little memory, or no more threads",
                "raise its limit, see: ulimit -a; and MemoryMax= of its unit",
            )
        )
        raise typer.Exit(int(ExitCode.STORE)) from error
    except KeyboardInterrupt:
        typer.echo(
            "ttsq: interrupted; what was committed stays, the rest comes next time", err=True
        )
        raise typer.Exit(int(ExitCode.INTERRUPTED)) from None
