"""``ttsq run``, ``ttsq queries``, ``ttsq show``, ``ttsq sql``."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.cli.options.context import open_reader, options, reported
from ingest.errors import ExitCode, UsageProblem

if TYPE_CHECKING:
    from ingest.named_queries.library import NamedQuery
    from ingest.render.cells import Result
    from ingest.render.formats import Look
    from ingest.stores.contract import Reader

_WORDS_SETTINGS = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": [],
}


@dataclass(frozen=True, slots=True)
class _Output:
    """Where the rows go, and how they look."""

    kind: str | None
    path: Path | None
    as_json: bool
    tz: tzinfo
    csv_guard: bool

    def look(self, types: Mapping[str, str], explain_empty: str) -> "Look":
        import shutil

        from ingest.render.formats import Look

        terminal = self.path is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        return Look(width, self.tz, terminal, self.csv_guard, types, explain_empty)

    def write(self, result: "Result", types: Mapping[str, str], explain_empty: str) -> None:
        from ingest.render import formats

        kind = formats.format_of(self.path, "json" if self.as_json else self.kind)
        look = self.look(types, explain_empty)
        if self.path is None:
            sys.stdout.writelines(formats.rendered(result, kind, look))
        else:
            formats.write_file(result, kind, self.path, look)


_Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="table, csv, json, jsonl, markdown or parquet [default: table, or by the file's suffix].",
    ),
]
_OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file, whole or not at all.")
]
_Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
_Zone = Annotated[
    str | None,
    typer.Option(
        "--tz", help="Zone of instants, given and shown (IANA) [default: this machine's]."
    ),
]
_Raw = Annotated[
    bool,
    typer.Option(
        "--no-csv-guard",
        help="csv: do not put an apostrophe before what a spreadsheet takes for a formula.",
    ),
]


def _output(
    ctx: typer.Context,
    kind: str | None,
    path: Path | None,
    as_json: bool,
    tz: str | None,
    raw: bool,
) -> _Output:
    from ingest.cli.settings.load import zone

    if kind is not None:
        from ingest.render.formats import format_of

        format_of(path, kind)
    return _Output(kind, path, as_json, zone(tz or options(ctx).settings.tz), not raw)


def _complete_name(incomplete: str) -> list[str]:
    """Names of queries, for shell completion."""
    from ingest.named_queries.library import query_paths

    return [name for name in query_paths() if name.startswith(incomplete)]


def run(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME] [--PARAMETER VALUE]...",
            help="A named query and its parameters; ttsq run NAME --help teaches them.",
            autocompletion=_complete_name,
        ),
    ] = None,
    kind: _Format = None,
    output: _OutputFile = None,
    as_json: _Json = False,
    chart: Annotated[bool, typer.Option("--chart", help="Draw it in the terminal.")] = False,
    fail_if_any: Annotated[
        bool, typer.Option("--fail-if-any", help="Exit with 1 when rows come back, for alarms.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="What ages count back from: data (the newest record), or an instant [default: now].",
        ),
    ] = None,
    tz: _Zone = None,
    raw: _Raw = False,
    teach: Annotated[
        bool, typer.Option("--help", help="This help, or with NAME that of the query.")
    ] = False,
) -> None:
    """Ask a named query. Without a name, list them.

    For example: ttsq run failure_by_length --since 24h
    """
    with reported(options(ctx).debug):
        name, rest = _split(ctx, words or [])
        if name is None:
            typer.echo(ctx.get_help()) if teach else _list(ctx, as_json)
            return
        query = _load(ctx, name)
        if teach:
            from ingest.named_queries.help import help_text

            typer.echo(help_text(query))
            return
        target = _output(ctx, kind, output, as_json, tz, raw)
        rows = _run(ctx, query, rest, as_of, target, chart)
        if rows and fail_if_any:
            raise typer.Exit(int(ExitCode.FOUND))


def _split(ctx: typer.Context, words: list[str]) -> tuple[str | None, list[str]]:
    from ingest.cli.options.query import split_name
    from ingest.named_queries.library import query_paths

    known = query_paths(options(ctx).settings.query_folder, _backend(ctx))
    name, rest = split_name(words, list(known))
    if name is None and rest:
        raise UsageProblem(
            f"no query is named before {rest[0]}",
            "for example: ttsq run failure_by_length --since 24h",
        )
    return name, rest


def _backend(ctx: typer.Context) -> str:
    from ingest.stores.open import backend_of

    return backend_of(options(ctx).url)


def _load(ctx: typer.Context, name: str) -> "NamedQuery":
    from ingest.named_queries.library import load_query

    return load_query(name, options(ctx).settings.query_folder, _backend(ctx))


def _run(
    ctx: typer.Context,
    query: "NamedQuery",
    words: list[str],
    as_of: str | None,
    target: _Output,
    chart: bool,
) -> int:
    """Ask and print; the number of rows."""
    from ingest.cli.options.query import parse_params
    from ingest.named_queries.values import bind_values

    given = parse_params(query, words)
    now = datetime.now(UTC)
    bind_values(query, given, now, target.tz)  # a bad value is named before the store is opened
    if as_of is not None and as_of != "data":
        now = _as_of(as_of, now, target.tz)
    with open_reader(ctx) as reader:
        end = _newest(reader) if as_of == "data" else None
        values = bind_values(query, given, now, target.tz, end)
        result = reader.query(query.sql, values)
        why = _why_empty(reader, query, values, target.tz) if not result.rows else ""
    types = {c.name: c.type for c in query.columns}
    if chart or _is_picture(target.path):
        from ingest.render.charts import write_chart

        write_chart(query, result, target.path, target.look(types, why))
    else:
        target.write(result, types, why)
    return len(result.rows)


def _is_picture(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() in (".svg", ".png", ".html")


def _why_empty(
    reader: "Reader", query: "NamedQuery", values: Mapping[str, object], tz: tzinfo
) -> str:
    from ingest.named_queries.empty import explain_empty

    return explain_empty(reader, query, values, tz)


def _as_of(written: str, now: datetime, tz: tzinfo) -> datetime:
    from ingest.named_queries.values import parse_instant

    instant = parse_instant(written, now, tz)
    if instant is None:
        raise UsageProblem(
            f"the option --as-of is given {written!r}, expected data, an instant, a date or an age",
            "--as-of data counts ages back from the newest record",
        )
    return instant


def _newest(reader: "Reader") -> datetime | None:
    """The instant of the newest record stored."""
    newest = reader.query("select max(last_logged_at) from log_files", {}).rows[0][0]
    return newest if isinstance(newest, datetime) else None


queries = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None, help="List the named queries; check them."
)


@queries.callback()
def list_queries(
    ctx: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, parameters and columns included.")
    ] = False,
) -> None:
    """List the named queries with the question of each."""
    if ctx.invoked_subcommand is None:
        with reported(options(ctx).debug):
            _list(ctx, as_json)


@queries.command()
def check(ctx: typer.Context) -> None:
    """Check every query file: header, parameters, and its columns against the store; exit 2 when one is wrong."""
    with reported(options(ctx).debug):
        from ingest.named_queries.check import library_problems

        with open_reader(ctx):
            pass  # a store that cannot be read is no fault of the queries
        found = library_problems(
            options(ctx).settings.query_folder, _backend(ctx), lambda: open_reader(ctx)
        )
        for problem in found:
            typer.echo(problem.message, err=True)
        if found:
            raise typer.Exit(int(ExitCode.USAGE))
        typer.echo("every query is as its header says")


def _list(ctx: typer.Context, as_json: bool) -> None:
    from ingest.named_queries.help import as_object
    from ingest.named_queries.library import load_library

    library = load_library(options(ctx).settings.query_folder, _backend(ctx))
    if as_json:
        typer.echo(json.dumps([as_object(q) for q in library], ensure_ascii=False, indent=2))
        return
    width = max((len(q.name) for q in library), default=0)
    for query in library:
        typer.echo(f"{query.name:<{width}}  {query.question}")
    typer.echo("\nttsq run NAME asks one; ttsq run NAME --help teaches its parameters")


def show(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME [--PARAMETER VALUE]...",
            help="A named query; with --literals also its parameters.",
            autocompletion=_complete_name,
        ),
    ],
    literals: Annotated[
        bool,
        typer.Option(
            "--literals", help="With the parameters' values in it, to paste it elsewhere."
        ),
    ] = False,
    tz: _Zone = None,
) -> None:
    """Print the SQL of a named query as it will run."""
    with reported(options(ctx).debug):
        from ingest.cli.options.query import parse_params
        from ingest.cli.settings.load import zone
        from ingest.named_queries.help import shown_sql
        from ingest.named_queries.values import bind_values

        name, rest = _split(ctx, words)
        query = _load(ctx, name or "")
        given = parse_params(query, rest)
        zone_ = zone(tz or options(ctx).settings.tz)
        typer.echo(shown_sql(query, bind_values(query, given, datetime.now(UTC), zone_), literals))


def sql(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="One SELECT; - reads it from standard input.")],
    kind: _Format = None,
    output: _OutputFile = None,
    as_json: _Json = False,
    tz: _Zone = None,
    raw: _Raw = False,
) -> None:
    """Ask in SQL, read only.

    For example: ttsq sql "select status, count(*) from requests group by status"
    """
    with reported(options(ctx).debug):
        target = _output(ctx, kind, output, as_json, tz, raw)
        statement = sys.stdin.read() if text == "-" else text
        statement = statement.encode("utf-8", "backslashreplace").decode()
        if not statement.strip():
            raise UsageProblem("there is no SQL to run", 'for example: ttsq sql "select 1"')
        with open_reader(ctx) as reader:
            result = reader.query(statement, None)
        target.write(result, {}, "no rows")


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command(context_settings=_WORDS_SETTINGS)(run)
    app.add_typer(queries, name="queries")
    app.command(context_settings={"ignore_unknown_options": True})(show)
    app.command(context_settings={"ignore_unknown_options": True})(sql)  # SQL may begin with --
