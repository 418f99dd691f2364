"""``ttsq triage``: what is wrong, and why."""

import os
import shlex
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ingest.cli.options.context import open_reader, options, reported, store_words
from ingest.cli.settings.load import zone
from ingest.errors import ExitCode, UsageProblem
from ingest.named_queries.blind import Look, why_blind
from ingest.named_queries.values import parse_instant
from ingest.stores.contract import Reader
from ingest.tasks.triage.compare import comparison, comparison_json, comparison_page
from ingest.tasks.triage.explain import explained
from ingest.tasks.triage.fetch import Window, newest
from ingest.tasks.triage.listing import findings_json
from ingest.tasks.triage.page import PageLook, markdown, page
from ingest.tasks.triage.phrases import Clock
from ingest.tasks.triage.report import TriageReport
from ingest.tasks.triage.report import triage as triaged

_DAY = timedelta(hours=24)


_Since = Annotated[
    str | None,
    typer.Option(
        help="From an instant, a date or an age (24h) on [default: the newest 24 h of data]."
    ),
]
_Until = Annotated[str | None, typer.Option(help="Up to an instant, a date or an age.")]
_AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="data: ages count back from the newest record [default: now]."),
]
_Limit = Annotated[int, typer.Option(min=1, help="At most so many findings.")]
_FailIfAny = Annotated[
    bool,
    typer.Option(
        "--fail-if-any",
        help="For alarms: the last 24 h by the clock; exit with 1 when something is worse "
        "than a note, with 6 when it cannot tell.",
    ),
]
_Explain = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="The numbers behind finding N, and the SQL that shows its rows."
    ),
]
_Compare = Annotated[
    str | None,
    typer.Option(
        metavar="INSTANT",
        help="What is different after an instant from before it, in the window; 09:18, or a "
        "date and time.",
    ),
]
_Between = Annotated[
    tuple[str, str] | None,
    typer.Option(metavar="FROM TO", help="Compare this span with that of --and."),
]
_And = Annotated[
    tuple[str, str] | None,
    typer.Option("--and", metavar="FROM TO", help="The later span, of --between."),
]
_Language = Annotated[str | None, typer.Option(help="en or zh [default: by the locale].")]
_Json = Annotated[bool, typer.Option("--json", help="A list of findings as JSON.")]
_Format = Annotated[
    str | None, typer.Option("--format", help="text, json or markdown [default: text].")
]
_Zone = Annotated[
    str | None,
    typer.Option(
        "--tz", help="Zone of instants, given and shown (IANA) [default: this machine's]."
    ),
]


def triage(
    ctx: typer.Context,
    since: _Since = None,
    until: _Until = None,
    as_of: _AsOf = None,
    limit: _Limit = 5,
    fail_if_any: _FailIfAny = False,
    explain: _Explain = None,
    compare: _Compare = None,
    between: _Between = None,
    and_: _And = None,
    language: _Language = None,
    as_json: _Json = False,
    kind: _Format = None,
    tz: _Zone = None,
) -> None:
    """Say what is wrong and why: the cause first, since when, for which requests, at which line.

    For example: ttsq triage --since 6h
    """
    with reported(options(ctx).debug):
        look = look_of(ctx, language, tz)
        kind = _kind(kind, as_json)
        with open_reader(ctx) as reader:
            window = window_of(reader, since, until, as_of, fail_if_any, look)
            spans = _spans(window, compare, between, and_, look)
            if spans is not None:
                found = comparison(reader, *spans)
                is_page = kind != "json"
                typer.echo(comparison_page(found, look) if is_page else comparison_json(found))
                return
            report = _report(reader, window, limit, explain)
            blind = None
            if fail_if_any and report.is_healthy:
                look_at = Look(since=window.since, until=window.until, needs_ends=True)
                blind = why_blind(reader, look_at)
        typer.echo(_shown(report, kind, explain, look))
        if blind is not None:
            raise blind
        if fail_if_any and not report.is_healthy:
            raise typer.Exit(int(ExitCode.FOUND))


def _spans(
    window: Window,
    compare: str | None,
    between: tuple[str, str] | None,
    and_: tuple[str, str] | None,
    look: PageLook,
) -> tuple[Window, Window] | None:
    """The two spans to compare, if any are asked for."""
    if (between is None) != (and_ is None) or (compare and between):
        raise UsageProblem(
            "two spans are named by --between FROM TO --and FROM TO, or by --compare INSTANT",
            "for example: ttsq triage --compare 09:18",
        )
    if between and and_:
        before, after = (
            _span(n, s, window, look) for n, s in (("between", between), ("and", and_))
        )
        return before, after
    at = _instant("--compare", compare, window.until, look)
    if at is None:
        return None
    if not window.since < at < window.until:
        raise UsageProblem(
            f"{at:%Y-%m-%d %H:%M} UTC is outside the window, which is from "
            f"{window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M} UTC",
            "--since and --until make the window larger",
        )
    return Window(window.since, at), Window(at, window.until)


def _span(name: str, written: tuple[str, str], window: Window, look: PageLook) -> Window:
    first, last = (_instant(f"--{name}", w, window.until, look) for w in written)
    if first is None or last is None or first >= last:
        raise UsageProblem(
            f"the option --{name} is given a span that ends before it begins",
            f"for example: --{name} 08:00 09:00",
        )
    return Window(first, last)


def _report(reader: Reader, window: Window, limit: int, explain: int | None) -> TriageReport:
    return triaged(reader, window, limit if explain is None else max(limit, explain))


def _shown(report: TriageReport, kind: str, explain: int | None, look: PageLook) -> str:
    if explain is not None:
        if explain > len(report.told):
            raise UsageProblem(
                f"there is no finding {explain}, but {len(report.told)}", "ttsq triage lists them"
            )
        return explained(report.told[explain - 1], report.window, look)
    if kind == "json":
        return findings_json(report, Clock(look.tz, report.window.until))
    return markdown(report, look) if kind == "markdown" else page(report, look)


def _kind(written: str | None, as_json: bool) -> str:
    kind = "json" if as_json else written or "text"
    if kind not in ("text", "json", "markdown"):
        raise UsageProblem(
            f"the option --format is given {kind!r}, expected text, json or markdown",
            "for example: ttsq triage --format markdown",
        )
    return kind


def look_of(ctx: typer.Context, language: str | None, tz: str | None) -> PageLook:
    """The language and zone asked for, else the locale's and the settings'."""
    if language is None:
        spoken = next(
            (os.environ[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(n)), ""
        )
        language = "zh" if spoken.lower().startswith("zh") else "en"
    if language not in ("en", "zh"):
        raise UsageProblem(
            f"the option --language is given {language!r}, expected en or zh",
            "for example: ttsq triage --language zh",
        )
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    store = "".join(f" {shlex.quote(word)}" for word in store_words(ctx))
    return PageLook(language, colour, zone(tz or options(ctx).settings.tz), store)


def window_of(
    reader: Reader,
    since: str | None,
    until: str | None,
    as_of: str | None,
    by_clock: bool,
    look: PageLook,
) -> Window:
    """The window asked for: the newest 24 hours of data, for an alarm those before now."""
    if as_of not in (None, "data"):
        raise UsageProblem(
            f"the option --as-of is given {as_of!r}, expected data", "--until takes an instant"
        )
    now = datetime.now(UTC)
    of_data = as_of == "data" or (not by_clock and since is None and until is None)
    end = newest(reader) if of_data or not by_clock else None
    counted_from = (end or now) if of_data else now
    last = _instant("--until", until, counted_from, look)
    if last is None:
        last = counted_from if by_clock or of_data else max(now, end or now)
    first = _instant("--since", since, counted_from, look) or last - _DAY
    if first >= last:
        raise UsageProblem(
            f"the window ends ({last:%Y-%m-%d %H:%M} UTC) before it begins "
            f"({first:%Y-%m-%d %H:%M} UTC)",
            "--since must be earlier than --until",
        )
    return Window(first, last)


def _instant(
    name: str, written: str | None, counted_from: datetime, look: PageLook
) -> datetime | None:
    if written is None:
        return None
    instant = parse_instant(written.strip(), counted_from, look.tz)
    if instant is None:
        raise UsageProblem(
            f"the option {name} is given {written!r}, expected an instant, a date or an age",
            f"for example: {name} 2026-03-02T14:22, or {name} 6h",
        )
    return instant
