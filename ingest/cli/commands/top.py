"""``ttsq top``: the last minutes, live in the terminal."""

import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ingest.cli.options.context import open_reader, options, reported
from ingest.cli.settings.load import zone
from ingest.errors import UsageProblem
from ingest.named_queries.values import parse_instant
from ingest.render.cells import escape_controls, json_text, short_number
from ingest.tasks.top import View, last_minutes, newest_request

_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
_LONGEST = timedelta(days=7)


def top(
    ctx: typer.Context,
    window: Annotated[str, typer.Option(help="How far to look back: 5m, 1h.")] = "5m",
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Print one look and leave.")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="data: the minutes before the newest request.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One look as JSON.")] = False,
    tz: Annotated[
        str | None, typer.Option("--tz", help="Zone of the instants shown (IANA).")
    ] = None,
) -> None:
    """Watch the last minutes, live.

    Requests per second, failures by code, stages by their p95, the last errors. It needs an ingest
    that runs beside it: ttsq ingest --follow. Ctrl-C ends it.

    For example: ttsq top --window 15m
    """
    with reported(options(ctx).debug):
        length, shown_in = _length(window), zone(tz or options(ctx).settings.tz)
        if as_of not in (None, "data"):
            raise UsageProblem(f"the option --as-of is given {as_of!r}, expected data", "ttsq top")
        if as_json:
            typer.echo(_json(_look(ctx, length, as_of)))
        elif once or not sys.stdout.isatty():
            Console(soft_wrap=False).print(drawn(_look(ctx, length, as_of), shown_in))
        else:
            _watch(ctx, length, as_of, every, shown_in)


def _watch(
    ctx: typer.Context, length: timedelta, as_of: str | None, every: float, tz: tzinfo
) -> None:
    with Live(screen=True, auto_refresh=False) as live:
        while True:
            live.update(drawn(_look(ctx, length, as_of), tz), refresh=True)
            time.sleep(every)


def _look(ctx: typer.Context, length: timedelta, as_of: str | None) -> View:
    """One look, in a session of its own: between two looks no ingest waits for it."""
    with open_reader(ctx) as reader:
        now = datetime.now(UTC)
        return last_minutes(reader, (newest_request(reader) or now) if as_of else now, length)


def _length(written: str) -> timedelta:
    now = datetime.now(UTC)
    found = parse_instant(written.strip(), now, UTC)
    length = timedelta(0) if found is None else now - found
    if not timedelta(0) < length <= _LONGEST:
        raise UsageProblem(
            f"the option --window is given {written!r}, expected a length of time up to 7d",
            "for example: --window 15m",
        )
    return length


def _json(view: View) -> str:
    told = asdict(view) | {"per_second": view.per_second, "failure_rate": view.failure_rate}
    return json.dumps(json.loads(json_text(told, UTC)), ensure_ascii=False, indent=1)


def drawn(view: View, tz: tzinfo) -> Group:
    """A look as it stands on the screen."""
    parts = [_headline(view, tz)]
    if not view.requests and not view.errors:
        parts.append(Text("nothing was logged in this window; is an ingest running? ttsq status"))
    elif not view.requests:
        parts.append(Text("no request began in this window: --window 1h, --as-of data"))
    return Group(*parts, *_tables(view, tz))


def _headline(view: View, tz: tzinfo) -> Text:
    rate = view.failure_rate
    failing = "-" if rate is None else f"{100 * rate:.1f} %"
    text = Text(f"{view.since.astimezone(tz):%H:%M:%S} – {view.until.astimezone(tz):%H:%M:%S}   ")
    text.append(f"{_pace(view.per_second)}   ", "bold")
    text.append(f"{view.failures} failed ({failing})   ", "bold red" if view.failures else "green")
    text.append(f"{view.unfinished} unfinished", "yellow" if view.unfinished else "")
    if view.p50_ms is not None:  # on a line of its own: 80 columns hold no more
        text.append(f"\nhalf took {_ms(view.p50_ms)} or less, 95 % {_ms(view.p95_ms)} or less")
    return text


def _tables(view: View, tz: tzinfo) -> list[Table]:
    tables = []
    if view.codes:
        table = _table("failures by code", "failures")
        for code, count in view.codes:
            table.add_row(Text(escape_controls(code)), str(count))
        tables.append(table)
    if view.stages:
        table = _table("stage", "samples", "p50", "p95")
        for s in view.stages:
            table.add_row(
                Text(escape_controls(s.stage)), str(s.samples), _ms(s.p50_ms), _ms(s.p95_ms)
            )
        tables.append(table)
    if view.errors:
        table = Table("at", "level", "code", "message", box=None, pad_edge=False, expand=True)
        for e in view.errors:
            told = " ".join(p for p in (e.location, e.message) if p)
            table.add_row(
                f"{e.occurred_at.astimezone(tz):%H:%M:%S}",
                Text(e.level, _LEVELS.get(e.level, "")),
                Text(escape_controls(e.code)),
                Text(escape_controls(told), no_wrap=True, overflow="ellipsis"),
            )
        tables.append(table)
    return tables


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{short_number(round(value / 1000, 2))} s" if value >= 1000 else f"{value:.0f} ms"


def _pace(per_second: float) -> str:
    """Requests per second, or per minute where they are few."""
    if per_second >= 1:
        return f"{per_second:.1f} requests/s"
    return f"{60 * per_second:.1f} requests/min"
