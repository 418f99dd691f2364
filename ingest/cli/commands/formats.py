"""``ttsq formats``: access lines that are recognised; list them, and try a server's own format
string on a file.
"""

import json
from typing import Annotated

import typer

from ingest.cli.options.context import options, printable, reported
from ingest.errors import UsageProblem
from ingest.records.access import Access, access_of
from ingest.records.access_formats import BUILT_IN, compile_access
from ingest.tasks.formats import Tried, try_lines

formats = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="List the formats of access lines that are recognised; try a format string on a file.",
)
_AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_WIDTH = 120  # characters shown of a line


@formats.callback()
def list_formats(ctx: typer.Context, as_json: _AsJson = False) -> None:
    """List the formats of access lines that are recognised, each with its server."""
    if ctx.invoked_subcommand is not None:
        return
    with reported(options(ctx).debug):
        if as_json:
            listed = [
                {
                    "name": n,
                    "server": b.server,
                    "format": b.text or None,
                    "example": b.example or None,
                }
                for n, b in BUILT_IN.items()
            ]
            typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
            return
        width = max(map(len, BUILT_IN))
        for name, built_in in BUILT_IN.items():
            typer.echo(f"{name:<{width}}  {built_in.text or built_in.example}")
        typer.echo(
            "\nAll are recognised without an option. Another one: ttsq ingest --access-format "
            "'STRING' FILE,\nor access_format in [[sources]]; ttsq formats try 'STRING' FILE "
            "tries it."
        )


@formats.command("try")
def try_format(
    ctx: typer.Context,
    text: Annotated[
        str, typer.Argument(metavar="FORMAT", help="A server's format string, or a name.")
    ],
    path: Annotated[str, typer.Argument(metavar="FILE", help="A log file.")],
    as_json: _AsJson = False,
) -> None:
    """Try a format string on a file.

    Shows what the first lines give. Exits with 2 when the string cannot be read.
    """
    with reported(options(ctx).debug):
        if text in BUILT_IN and not BUILT_IN[text].text:
            tried = try_lines(path, lambda line: access_of(line, None))
        else:
            tried = try_lines(path, compile_access(text).of)
        if not tried.lines:
            raise UsageProblem(f"{path} has no lines", "name a log file with access lines")
        typer.echo(_json(tried) if as_json else printable(_text(tried)))


def _json(tried: Tried) -> str:
    shown = [{"line": line, "fields": a and _fields(a)} for line, a in tried.shown]
    found = {"lines": tried.lines, "fit": tried.fit, "shown": shown}
    return json.dumps(found, ensure_ascii=False, indent=2)


def _text(tried: Tried) -> str:
    rows = [f"{tried.fit} of {tried.lines} lines fit"]
    for line, access in tried.shown:
        rows.append(f"\n{line[:_WIDTH]}")
        if access is None:
            rows.append("  does not fit")
            continue
        rows += [f"  {name} = {value}" for name, value in _fields(access).items()]
    return "\n".join(rows)


def _fields(access: Access) -> dict[str, str]:
    own = {
        "method": access.method,
        "path": access.path,
        "http_status": str(access.status),
        "time": "" if access.stamp is None else "yes",
    }
    return {k: v for k, v in {**own, **access.columns, **access.more}.items() if v}
