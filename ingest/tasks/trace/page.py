"""A traced request → a page for people.

All that comes from a log is made harmless first: control characters are shown, not sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

from ingest.render.cells import display_width, escape_controls, short_number, zone_label
from ingest.tasks.trace.find import Surroundings, Trace
from ingest.tasks.trace.lines import Line
from ingest.tasks.trace.phrases import (
    TraceLook,
    bar,
    bars,
    facts,
    head,
    in_flight,
    is_full,
    place,
    span,
    stamp,
    used,
    who,
)
from ingest.tasks.trace.rows import CodeCount, Error, Http, Neighbour

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_PIPE = 100_000  # cells: what goes into a pipe is never folded
_BAR = 40  # cells of the longest bar, where there is room
_LEAST_BAR = 8
_BESIDE = 25  # cells beside label and bar: the numbers and the space between
_TEXT = 300  # characters of a text or message
_MESSAGE = 120  # characters of a message in a list
_CAUSE, _DEEPEST = 3, 12  # first and last lines of a long traceback: the last ones tell
# what is said of an instant that the record's own line does not give
_TIMES = {
    "envelope": "that of the line's transport",
    "neighbour": "that of the record before it",
    "read": "when it was read",
    "file": "when the file was last changed",
}
_STYLES = {
    "failed": "red",
    "success": "green",
    "CRITICAL": "bold red",
    "ERROR": "red",
    "WARNING": "yellow",
}


def trace_text(
    trace: Trace, lines: Sequence[Line], look: TraceLook, finding: str | None = None
) -> str:
    """The request as a page: what it was, its stages, its errors, its lines in the logs, what was
    around it.

    ``finding`` says which finding of triage it belongs to.
    """
    page = _Page(trace, look, finding)
    page.head()
    page.http()
    page.stages()
    page.errors(lines)
    page.lines(lines)
    page.around()
    return page.text()


class _Page:
    """Writes one trace."""

    def __init__(self, trace: Trace, look: TraceLook, finding: str | None) -> None:
        from rich.console import Console

        self.trace = trace
        self.finding = finding
        self.look = look
        self._out = StringIO()
        self._console = Console(
            file=self._out, width=look.width or _PIPE, force_terminal=look.is_terminal,
            emoji=False, highlight=False, markup=False, legacy_windows=False,
        )  # fmt: skip
        self._day = trace.first_at.astimezone(look.tz).date()

    def text(self) -> str:
        """The page so far."""
        return "".join(line.rstrip() + "\n" for line in self._out.getvalue().splitlines())

    def head(self) -> None:
        """What the request was."""
        match, request = self.trace.match, self.trace.request
        status = match.status or ("no end is known" if request else "only errors are stored")
        what = [escape_controls(t) for t in (status, match.error_code) if t]
        if match.duration_ms is not None:
            what.append(f"{short_number(match.duration_ms)} ms")
        self._print(
            ("request ", ""), (escape_controls(match.id or match.request_id or "?"), "bold"),
            (": ", ""), (", ".join(what), _STYLES.get(status, "")),
        )  # fmt: skip
        rows = [*self._when(), *who(self.trace)]
        if request is not None:
            rows += facts(request, self._cut)
        rows.append(("in flight", in_flight(self.trace.around.in_flight, match.host)))
        if self.finding is not None:
            rows.append(("finding", escape_controls(self.finding)))
        self._grid([(("  " + label, "dim"), (value, "")) for label, value in rows])

    def _when(self) -> Iterator[tuple[str, str]]:
        first, last = self.trace.first_at, self.trace.last_at
        zone = zone_label(self.look.tz, first)
        yield "began", f"{stamp(first, self.look.tz)} {zone}"
        if self.trace.request is None or self.trace.request.completed_at is None:
            yield "last seen", stamp(last, self.look.tz)
        else:
            yield "ended", stamp(self.trace.request.completed_at, self.look.tz)

    def http(self) -> None:
        """What HTTP servers logged of it: who asked, what was answered, and how long it took."""
        if not self.trace.http:
            return
        self._title(
            "HTTP", f"{len(self.trace.http)} access line{'s' if len(self.trace.http) > 1 else ''}"
        )
        rows = []
        for h in self.trace.http:
            took = [] if h.request_ms is None else [f"{short_number(h.request_ms)} ms"]
            if h.upstream_ms is not None:
                took.append(f"{short_number(h.upstream_ms)} ms of it upstream")
            status = str(h.http_status or "")
            said = " ".join(t for t in (h.method, h.path) if t)
            rows.append(
                (
                    ("  " + escape_controls(h.server or ""), ""),
                    (status, _STYLES["failed" if status >= "4" else "success"]),
                    (self._cut(said), ""),
                    (escape_controls(h.client or ""), ""),
                    (", ".join(took), ""),
                    (escape_controls(self._joined(h)), "dim"),
                )
            )
        self._grid(rows, fixed=(0, 1, 3, 4))
        if self._is_silent():
            self._print(("  answered with success, although the synthesis failed", "yellow"))

    def _joined(self, h: Http) -> str:
        """How it is known that a line is of this request."""
        match = self.trace.match
        if h.request_key is None and match.is_request:
            return "by X-Request-ID, which other requests have, too"
        if h.id is not None:
            return "by its own log"
        if h.request_id is not None and h.request_id in self.trace.names:
            return "by X-Request-ID"
        return "by order" if match.is_request else ""

    def _is_silent(self) -> bool:
        status = self.trace.match.status
        answered = any((h.http_status or 999) < 400 for h in self.trace.http)
        return self.trace.request is not None and status not in (None, "success") and answered

    def stages(self) -> None:
        """A bar for each stage's own time."""
        if not self.trace.stages:
            return
        request = self.trace.request
        total = request.duration_ms if request else None
        told = f", share of {short_number(total)} ms" if total else ""
        self._title("stages", "own time" + told)
        shown = bars(self.trace.stages, request)
        labels = max(display_width(label) for label, _ in shown)
        width = max(_LEAST_BAR, min(_BAR, (self.look.width or _PIPE) - labels - _BESIDE))
        most = max((ms for _, ms in shown if ms is not None), default=0.0)
        rows = []
        for label, ms in shown:
            share = f"{100 * ms / total:.1f} %" if total and ms is not None else ""
            value = "?" if ms is None else f"{short_number(round(ms, 1))} ms"
            drawn = bar(ms or 0.0, most, width)
            rows.append((("  " + label, ""), (drawn, "cyan"), (value, ""), (share, "dim")))
        self._grid(rows, right=(2, 3), fixed=(1, 2, 3))

    def errors(self, lines: Sequence[Line]) -> None:
        """The errors with their tracebacks."""
        places = {(line.file_key, line.offset): place(line) for line in lines}
        if not self.trace.errors:
            return
        more = ", more are not shown (--full)" if "errors" in self.trace.cut else ""
        self._title("errors", f"{len(self.trace.errors)}{more}")
        for e in self.trace.errors:
            told = [t for t in (e.code, e.logger) if t]
            self._print(
                (f"  {self._clock(e.occurred_at)}  {self._since(e.occurred_at)}  ", ""),
                (e.level, _STYLES.get(e.level, "")),
                ("  " + "  ".join(escape_controls(t) for t in told), ""),
            )
            self._indented(self._error_lines(e))
            self._indented([(places.get((e.file_key, e.byte_offset), ""), "dim")])

    def _error_lines(self, e: Error) -> Iterator[tuple[str, str]]:
        if e.message:
            yield self._cut(e.message), ""
        if e.time_source in _TIMES:
            yield f"its time is {_TIMES[e.time_source]}", "dim"
        if e.location:
            yield "at " + self._cut(e.location), "bold"
        if e.traceback:
            for line in self._traceback(e.traceback):
                yield "  " + line, ""
        elif e.exception_type:
            yield self._cut(f"{e.exception_type}: {e.exception_message or ''}".rstrip(": ")), ""

    def _traceback(self, traceback: str) -> list[str]:
        lines = traceback.rstrip().split("\n")
        left_out = len(lines) - _CAUSE - _DEEPEST
        if left_out > 1 and not self.look.full:
            note = f"… {left_out} lines left out (--full shows them)"
            lines = [*lines[:_CAUSE], note, *lines[-_DEEPEST:]]
        return [self._cut(line.removesuffix("\r")) for line in lines]

    def lines(self, lines: Sequence[Line]) -> None:
        """The request's records, each with its place."""
        if not lines:
            return
        gone = sum(1 for line in lines if line.gone)
        told = f"{len(lines)}" + (f", {gone} of them no longer on disk" if gone else "")
        if "stages" in self.trace.cut:
            told += ", more stages are not shown (--full)"
        self._title("log lines", told)
        for why in dict.fromkeys(line.gone for line in lines if line.gone):
            self._print((f"  no longer on disk, shown as stored: {escape_controls(why)}", "yellow"))
        self._grid([self._line(line) for line in lines], right=(1,), fixed=(0, 1, 2))

    def _line(self, line: Line) -> tuple[tuple[str, str] | list[tuple[str, str]], ...]:
        message = self._cut(line.message)
        if line.traceback_lines:
            message += f"{' ' if message else ''}(and a traceback of {line.traceback_lines} lines)"
        where = place(line) + (" (no longer on disk)" if line.gone else "")
        parts = [(message, "dim" if line.gone else ""), ("\n" + where, "dim")]
        level = line.level or ("" if line.gone else "-")
        return (
            ("  " + self._clock(line.at), ""),
            (self._since(line.at), ""),
            (level, _STYLES.get(level, "")),
            parts,
        )

    def around(self) -> None:
        """The cache, other failures and, where asked for, the other requests at that time."""
        a = self.trace.around
        before = self.trace.first_at - a.since
        self._title(
            "around it",
            f"{self._clock(a.since)} to {self._clock(a.until)}, {span(before)} before and after",
        )
        self._samples(a)
        total = a.failures[0].total if a.failures else 0
        self._counts("other failed requests", total, a.failures_by_code)
        self._neighbours(a.failures, total)
        total = a.errors[0].total if a.errors else 0
        self._counts("other warnings and errors", total, a.errors_by_code)
        for e in a.errors:
            told = "  ".join(t for t in (e.id, head(e.message, _MESSAGE)) if t)
            self._print(
                (f"      {self._clock(e.occurred_at)}  {escape_controls(e.host)}  ", "dim"),
                (escape_controls(told), ""),
            )
        if len(a.errors) < total:
            self._print((f"      … {total - len(a.errors)} more", "dim"))
        if a.running is not None:
            total = a.running[0].total if a.running else 0
            self._print((f"  other requests running: {total}", "bold"))
            self._neighbours(a.running, total)

    def _samples(self, a: Surroundings) -> None:
        if not a.samples_before and not a.samples:
            self._print(("  cache: no sample of this host within a day before it", ""))
            return
        self._print(("  cache", "bold"))
        rows = []
        for s in (*a.samples_before, *a.samples):
            note = (
                f"{span(self.trace.first_at - s.sampled_at)} before it began"
                if s.sampled_at < a.since
                else ""
            )
            rows.append(
                (
                    ("    " + self._clock(s.sampled_at), "dim"),
                    (escape_controls(s.path or "(no path)"), ""),
                    (used(s), _STYLES["WARNING"] if is_full(s) else ""),
                    (note, "dim"),
                )
            )
        self._grid(rows, fixed=(0, 2))

    def _counts(self, what: str, total: int, counts: Sequence[CodeCount]) -> None:
        self._print((f"  {what}: {total}", "bold"))
        rows = [
            (
                ("    " + " ".join(escape_controls(t) for t in (c.level,
                c.code or "(no code)") if t), _STYLES.get(c.level or "", "")),
                (str(c.records), ""),
                ("" if c.here == c.records else f"{c.here} on this host", "dim"),
            )
            for c in counts
        ]  # fmt: skip
        self._grid(rows, right=(1,))

    def _neighbours(self, shown: Sequence[Neighbour], total: int) -> None:
        rows = []
        for n in shown:
            status = n.status or "no end"
            ms = "" if n.duration_ms is None else f"{short_number(n.duration_ms)} ms"
            offset = n.logged_at - self.trace.first_at
            sign = "-" if offset < timedelta(0) else "+"
            rows.append(
                (
                    ("      " + self._clock(n.logged_at), "dim"),
                    (sign + span(abs(offset)), "dim"),
                    (escape_controls(n.id or n.request_id or "(no id)"), ""),
                    (escape_controls(status), _STYLES.get(status, "")),
                    (ms, ""),
                    (escape_controls(n.error_code or ""), ""),
                    ("" if n.host == self.trace.match.host else escape_controls(n.host), "dim"),
                )
            )
        self._grid(rows, right=(1, 4))
        if len(shown) < total:
            self._print((f"      … {total - len(shown)} more", "dim"))

    def _cut(self, text: str) -> str:
        """A text made harmless, of a sensible length."""
        if len(text) <= _TEXT or self.look.full:
            return escape_controls(text)
        left_out = len(text) - _TEXT
        return escape_controls(text[:_TEXT]) + f"… ({left_out} characters more, --full)"

    def _clock(self, at: datetime) -> str:
        """The time of day; with the date where that is another than the request's."""
        local = at.astimezone(self.look.tz)
        spec = "microseconds" if local.microsecond % 1000 else "milliseconds"
        time = local.time().isoformat(timespec=spec)
        return time if local.date() == self._day else f"{local.date()} {time}"

    def _since(self, at: datetime) -> str:
        ms = (at - self.trace.first_at) / timedelta(milliseconds=1)
        return f"{short_number(ms) if ms < 0 else '+' + short_number(ms)} ms"

    def _title(self, what: str, told: str) -> None:
        self._console.print()
        self._print((what, "bold"), (f": {told}", ""))

    def _print(self, *parts: tuple[str, str]) -> None:
        self._console.print(_assembled(parts))

    def _indented(self, parts: Iterable[tuple[str, str]]) -> None:
        from rich.padding import Padding

        for part in parts:
            if part[0]:
                self._console.print(Padding(_assembled([part]), (0, 0, 0, 4), expand=False))

    def _grid(
        self,
        rows: Sequence[Sequence[tuple[str, str] | list[tuple[str, str]]]],
        right: Sequence[int] = (),
        fixed: Sequence[int] = (0,),
    ) -> None:
        """Aligned columns; ``fixed`` ones are never folded."""
        from rich.table import Table

        if not rows:
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        for column in range(len(rows[0])):
            table.add_column(
                justify="right" if column in right else "left",
                no_wrap=column in fixed,
                overflow="fold",
            )
        for row in rows:
            cells: list[RenderableType] = [
                _assembled(cell if isinstance(cell, list) else [cell]) for cell in row
            ]
            table.add_row(*cells)
        self._console.print(table)


def _assembled(parts: Sequence[tuple[str, str]]) -> "Text":
    from rich.text import Text

    return Text.assemble(*parts)
