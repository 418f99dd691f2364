"""``ttsq trace``: one request's life."""

import shutil
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

import typer

from ingest.cli.options.completion import complete_id
from ingest.cli.options.context import open_reader, options, reported
from ingest.cli.options.logs import DateFormat, LogFormat, chosen_format
from ingest.cli.settings.load import zone
from ingest.errors import UsageProblem
from ingest.lazily import matcher
from ingest.named_queries.values import parse_instant
from ingest.records.read_with import ReadWith
from ingest.tasks.trace.find import Found, Trace, find, gather, wanted_records
from ingest.tasks.trace.lines import Line, read_lines
from ingest.tasks.trace.listing import matches_json, matches_text, trace_json
from ingest.tasks.trace.page import trace_text
from ingest.tasks.trace.phrases import TraceLook
from ingest.tasks.triage.belongs import BelongsTo, finding_of

_USUAL = timedelta(seconds=30)  # before and after it: what a cause may reach
_WIDEST = timedelta(days=7)
_SPAN = matcher(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}

_Wanted = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An id, an X-Request-ID, the beginning of one, or a client's address.",
        autocompletion=complete_id,
    ),
]
_At = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="If several match, use the one nearest this time: an instant, a date or an age (3h).",
    ),
]
_Around = Annotated[
    str | None,
    typer.Option(
        "--around",
        help="Show this much before and after it (30s, 5m, 1h), and the requests that ran then "
        "[default: 30s, without that list].",
    ),
]
_Full = Annotated[
    bool, typer.Option("--full", help="Show whole texts, tracebacks and lists; cut nothing.")
]
_Json = Annotated[bool, typer.Option("--json", help="Everything as one JSON object.")]
_Zone = Annotated[
    str | None,
    typer.Option(
        "--tz", help="Zone of instants, given and shown (IANA) [default: this machine's]."
    ),
]


def trace(
    ctx: typer.Context,
    wanted: _Wanted,
    at: _At = None,
    around: _Around = None,
    full: _Full = False,
    as_json: _Json = False,
    tz: _Zone = None,
    log_format: LogFormat = None,
    datefmt: DateFormat = None,
) -> None:
    """Show everything about one request: its stages, errors, log lines and surroundings.

    Exits with 1 when nothing has the id. For example: ttsq trace ts_7f3a2b1c --around 30s
    """
    with reported(options(ctx).debug):
        settings = options(ctx).settings
        shown_in = zone(tz or settings.tz)
        instant = _instant(at, shown_in)
        window = _window(around)
        parser = ReadWith(
            chosen_format(settings, log_format, datefmt),
            zone(settings.tz),
            log_format is not None or datefmt is not None,
        )
        found, traced, finding = _gathered(
            ctx, _stored(wanted), instant, window, around is not None, full
        )
        if traced is None:
            typer.echo(_listed(found, _look(shown_in, full), as_json), nl=as_json)
            return
        lines = read_lines(traced.files, wanted_records(traced), traced.names, parser)
        typer.echo(_page(found, traced, lines, _look(shown_in, full), as_json, finding), nl=as_json)


def _gathered(
    ctx: typer.Context,
    wanted: str,
    at: datetime | None,
    window: timedelta,
    running: bool,
    full: bool,
) -> tuple[Found, Trace | None, BelongsTo | None]:
    """The finding that is meant; of a single request everything, read after the store is closed."""
    with open_reader(ctx) as reader:
        found = find(reader, wanted, at)
        if len(found.matches) > 1:
            return found, None, None
        match = found.matches[0]
        traced = gather(reader, match, window, running=running, full=full)
        return found, traced, finding_of(reader, match.request_key, match.first_at)


def _stored(wanted: str) -> str:
    """The id as a store has it: what is no UTF-8 is U+FFFD there.

    :raises UsageProblem: for an empty one.
    """
    written = wanted.strip().encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if not written:
        raise UsageProblem("the id is empty", "for example: ttsq trace ts_7f3a2b1c")
    return written


def _instant(written: str | None, tz: tzinfo) -> datetime | None:
    if written is None:
        return None
    instant = parse_instant(written.strip(), datetime.now(UTC), tz)
    if instant is None:
        raise UsageProblem(
            f"the option --at is given {written!r}, expected an instant, a date or an age",
            "for example: --at 2026-03-02T14:22, or --at 3h",
        )
    return instant


def _window(written: str | None) -> timedelta:
    if written is None:
        return _USUAL
    match = _SPAN.fullmatch(written.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else -1.0
    if not 0 <= seconds <= _WIDEST.total_seconds():
        raise UsageProblem(
            f"the option --around is given {written!r}, expected a length of time up to 7d",
            "for example: --around 30s, --around 5m",
        )
    return timedelta(seconds=seconds)


def _look(tz: tzinfo, full: bool) -> TraceLook:
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    return TraceLook(width, tz, terminal, full)


def _listed(found: Found, look: TraceLook, as_json: bool) -> str:
    return matches_json(found, look.tz) if as_json else matches_text(found, look)


def _page(
    found: Found,
    traced: Trace,
    lines: list[Line],
    look: TraceLook,
    as_json: bool,
    finding: BelongsTo | None,
) -> str:
    told = None if finding is None else finding.told(look.tz)
    if as_json:
        return trace_json(found, traced, lines, look.tz, told)
    return trace_text(traced, lines, look, told)
