"""Where rows go and how they look: the options that every command with rows shares."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from itertools import chain
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ingest.cli.options.completion import complete_format, complete_zone
from ingest.cli.options.context import options
from ingest.cli.process.pager import page
from ingest.cli.settings.load import zone
from ingest.errors import UsageProblem
from ingest.render import formats
from ingest.render.cells import Result, wrapped
from ingest.render.chosen import only_columns, without_empty
from ingest.render.formats import Look
from ingest.render.harmless import escape_controls

_COLOURS = ("auto", "always", "never")


class Screen(NamedTuple):
    """How a table fits the terminal: columns asked for, and whether it may be wider or coloured."""

    columns: str | None = None
    wide: bool = False
    colour: str = "auto"
    no_pager: bool = False


class Output(NamedTuple):
    """Where the rows go, and how they look."""

    kind: str | None
    path: Path | None
    as_json: bool
    tz: tzinfo
    csv_guard: bool
    screen: Screen

    @property
    def is_table(self) -> bool:
        """Whether a table is printed: what people read, with notes below it."""
        kind = formats.format_of(self.path, "json" if self.as_json else self.kind)
        return self.path is None and kind == "table"

    def look(self, types: Mapping[str, str], explain_empty: str, least: Sequence[str] = ()) -> Look:
        """How rows are to look there; ``types`` are the declared ones of columns."""
        terminal = self.path is None and sys.stdout.isatty()
        fits = terminal and not self.screen.wide
        width = shutil.get_terminal_size().columns if fits else None
        colour = self.path is None and _is_coloured(self.screen.colour, terminal)
        look = Look(width, self.tz, terminal, self.csv_guard, types, explain_empty)
        return look._replace(least=least, colour=colour)

    def write(
        self,
        result: Result,
        types: Mapping[str, str],
        explain_empty: str,
        least: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        """Write the rows, of the columns asked for; below a table the notes, a line each.

        :raises UsageProblem: for a format that cannot be written there, or a column there is not.
        :raises StoreError: when the file cannot be written.
        """
        kind = formats.format_of(self.path, "json" if self.as_json else self.kind)
        if self.screen.columns is not None:
            result = only_columns(result, _names(self.screen.columns))
        elif kind == "table" and not self.screen.wide:
            result = without_empty(result, least)
        look = self.look(types, explain_empty, least)
        if self.path is not None:
            formats.write_file(result, kind, self.path, look)
            return
        pieces = formats.rendered(result, kind, look)
        if kind == "table":
            pieces = chain(pieces, (f"{_note(note, look.width)}\n" for note in notes))
        self._print(pieces, kind)

    def _print(self, pieces: Iterable[str], kind: str) -> None:
        if kind == "table" and not self.screen.no_pager and page(pieces):
            return
        sys.stdout.writelines(pieces)


def _is_coloured(colour: str, terminal: bool) -> bool:
    """Whether to use colour: NO_COLOR (no-color.org) turns it off where no option turns it on."""
    return colour == "always" or (colour == "auto" and terminal and not os.environ.get("NO_COLOR"))


def _note(text: str, width: int | None) -> str:
    """A line below a table; a command is left whole, to be pasted."""
    shown = escape_controls(text)
    return shown if text.startswith("next: ") else wrapped(shown, width)


def _names(written: str) -> list[str]:
    return [name.strip() for name in written.split(",") if name.strip()]


Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        autocompletion=complete_format,
        help="table, csv, json, jsonl, markdown or parquet"
        " [default: table, or by the file's suffix].",
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write to this file, completely or not at all."),
]
Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
ShownZone = Annotated[
    str | None,
    typer.Option(
        "--tz",
        autocompletion=complete_zone,
        help="Time zone of instants, given and shown (IANA) [default: this machine's].",
    ),
]
Raw = Annotated[
    bool,
    typer.Option(
        "--no-csv-guard",
        help="csv: put no apostrophe before what a spreadsheet would take for a formula.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="A,B", help="Show only these columns, in this order."),
]
Wide = Annotated[
    bool, typer.Option("--wide", help="Show all columns of a table, wider than the terminal.")
]
Colour = Annotated[
    str, typer.Option("--color", metavar="WHEN", help="Colour in tables: auto, always or never.")
]
NoPager = Annotated[
    bool, typer.Option("--no-pager", help="Print a long table without a pager (PAGER).")
]


def chosen_output(
    ctx: typer.Context,
    kind: str | None,
    path: Path | None,
    as_json: bool,
    tz: str | None,
    raw: bool,
    screen: Screen,
) -> Output:
    """What these options say together.

    :raises UsageProblem: for a format, a zone or a choice that there is not.
    """
    if kind is not None:
        formats.format_of(path, kind)
    if screen.colour not in _COLOURS:
        raise UsageProblem(
            f"the option --color is given {screen.colour!r}, expected auto, always or never",
            "for example: --color never",
        )
    return Output(kind, path, as_json, zone(tz or options(ctx).settings.tz), not raw, screen)
