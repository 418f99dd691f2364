"""``ttsq config show``: every setting, and where it comes from."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from ingest.cli.options.context import Options, options, printable, reported
from ingest.cli.settings.file import PRUNE_KEYS, SCALAR_KEYS, SOURCE_KEYS, Entry, Place
from ingest.cli.settings.load import Settings, default_store, local_host, local_zone, variable
from ingest.stores.urls import without_password

config = typer.Typer(no_args_is_help=True, help="The settings in force.")


@config.callback()
def _group() -> None:
    """Keep ``show`` a command of its own: typer folds a group of one into the group."""


@config.command()
def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show every setting and where it comes from.

    A value comes from a default, a line of the settings file, the environment or an option.
    Passwords are not shown.
    """
    with reported(options(ctx).debug):
        entries = list(_entries(options(ctx)))
        typer.echo(_json(entries) if as_json else _text(options(ctx), entries))


def _entries(chosen: Options) -> Iterator[Entry]:
    """All keys in the order of the documentation, the defaults resolved."""
    found, defaults = dict(chosen.loaded.entries), _defaults()
    if chosen.db:
        found["db"] = Entry("db", chosen.db, Place("option", "--db"))
    prune = [f"prune.{k}" for k in PRUNE_KEYS]
    tables = sorted(k for k in found if k.startswith("prune.tables."))
    sources = [
        f"sources[{n}].{k}" for n in range(len(chosen.settings.sources)) for k in SOURCE_KEYS
    ]
    for key in (*SCALAR_KEYS, *prune, *tables, *sources):
        entry = found.get(key) or Entry(key, defaults.get(key.split(".")[-1], ""), Place())
        if isinstance(entry.value, str):
            entry = Entry(key, without_password(entry.value), entry.place)
        yield entry


def _defaults() -> dict[str, str]:
    settings = Settings()
    texts = {k: getattr(settings, k) for k in SCALAR_KEYS}
    return {k: v for k, v in texts.items() if isinstance(v, str)} | {
        "db": default_store(),
        "host": local_host(),
        "tz": str(local_zone()),
    }


def _text(chosen: Options, entries: list[Entry]) -> str:
    file = chosen.loaded.file
    rows = [(e.key, _shown(e.value), printable(str(e.place))) for e in entries]
    widths = [max(len(row[n]) for row in rows) for n in (0, 1)]
    lines = [f"{k:<{widths[0]}}  {v:<{widths[1]}}  {place}" for k, v, place in rows]
    named = f"settings file: {printable(str(file))}" if file else "settings file: none"
    return "\n".join([named, "", *lines])


def _shown(value: str | tuple[str, ...]) -> str:
    shown = value if isinstance(value, str) else ", ".join(value)
    return printable(shown).replace("\n", "\\n") or "-"


def _json(entries: list[Entry]) -> str:
    objects = [
        {
            "key": e.key,
            "value": e.value or None,
            "from": e.place.kind,
            "place": e.place.name or None,
            "line": e.place.line,
            "variable": None if "[" in e.key or "tables" in e.key else variable(e.key),
        }
        for e in entries
    ]
    return json.dumps(objects, ensure_ascii=False, indent=2)
