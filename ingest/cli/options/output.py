"""Where rows go and how they look: the options that every command with rows shares."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.options.context import options
from ingest.cli.settings.load import zone
from ingest.render import formats
from ingest.render.cells import Result
from ingest.render.formats import Look


@dataclass(frozen=True, slots=True)
class Output:
    """Where the rows go, and how they look."""

    kind: str | None
    path: Path | None
    as_json: bool
    tz: tzinfo
    csv_guard: bool

    def look(self, types: Mapping[str, str], explain_empty: str) -> Look:
        """How rows are to look there; ``types`` are the declared ones of columns."""
        terminal = self.path is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        return Look(width, self.tz, terminal, self.csv_guard, types, explain_empty)

    def write(self, result: Result, types: Mapping[str, str], explain_empty: str) -> None:
        """Write the rows.

        :raises UsageProblem: for a format that cannot be written there.
        :raises StoreError: when the file cannot be written.
        """
        kind = formats.format_of(self.path, "json" if self.as_json else self.kind)
        look = self.look(types, explain_empty)
        if self.path is None:
            sys.stdout.writelines(formats.rendered(result, kind, look))
        else:
            formats.write_file(result, kind, self.path, look)


Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="table, csv, json, jsonl, markdown or parquet [default: table, or by the file's suffix].",
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
        "--tz", help="Time zone of instants, given and shown (IANA) [default: this machine's]."
    ),
]
Raw = Annotated[
    bool,
    typer.Option(
        "--no-csv-guard",
        help="csv: put no apostrophe before what a spreadsheet would take for a formula.",
    ),
]


def chosen_output(
    ctx: typer.Context,
    kind: str | None,
    path: Path | None,
    as_json: bool,
    tz: str | None,
    raw: bool,
) -> Output:
    """What these options say together.

    :raises UsageProblem: for a format or a zone that there is not.
    """
    if kind is not None:
        formats.format_of(path, kind)
    return Output(kind, path, as_json, zone(tz or options(ctx).settings.tz), not raw)
