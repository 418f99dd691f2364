"""What ``ttsq trace`` writes besides the page: a choice of requests, one object for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import tzinfo

from ingest.render.cells import escape_controls, json_text, parsed_json
from ingest.render.table import render_table
from ingest.tasks.trace.find import Found, Trace
from ingest.tasks.trace.lines import Line
from ingest.tasks.trace.phrases import TraceLook, head


def matches_text(found: Found, look: TraceLook) -> str:
    """The requests that it may be, and how to name one."""
    what = {
        "id": "have the id",
        "request_id": "have the X-Request-ID",
        "prefix": "begin with",
        "client": "come from",
    }
    least = "more than " if found.more else ""
    heading = f"{least}{len(found.matches)} requests {what[found.by]} {found.wanted}:"
    rows = [
        (m.first_at, m.id, m.status, m.error_code, m.duration_ms, m.host, head(m.text))
        for m in found.matches
    ]
    columns = ("at", "id", "status", "code", "duration_ms", "host", "text")
    table = render_table(_Rows(columns, list(rows)), look.width, look.tz, look.is_terminal)
    return f"{escape_controls(heading)}\n\n{table}\nhint: {escape_controls(_choice(found))}\n"


@dataclass(frozen=True, slots=True)
class _Rows:
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]


def _choice(found: Found) -> str:
    """A command that names one of several."""
    newest = found.matches[0]
    others = {m.id for m in found.matches}
    if len(others) > 1 and found.by != "client" and newest.id is not None:
        return f"give a whole id: ttsq trace {newest.id}"
    at = newest.first_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"name an instant near the one you mean: ttsq trace {found.wanted} --at {at}"


def matches_json(found: Found, tz: tzinfo | None) -> str:
    """The same for programs, one object on one line."""
    listed = [asdict(m) for m in found.matches]
    for m in listed:
        del m["rank"]
    return json_text(
        {"wanted": found.wanted, "by": found.by, "more": found.more, "matches": listed}, tz
    )


def trace_json(
    found: Found,
    trace: Trace,
    lines: Sequence[Line],
    tz: tzinfo | None,
    finding: str | None = None,
) -> str:
    """A request as one object on one line, uncut; ``finding``: of triage, if it is in one."""
    request = None
    if trace.request is not None:
        request = {
            **asdict(trace.request),
            "attributes": parsed_json(trace.request.attributes),
        }
    errors = [{**asdict(e), "attributes": parsed_json(e.attributes)} for e in trace.errors]
    return json_text(
        {
            "wanted": found.wanted,
            "by": found.by,
            "id": trace.match.id,
            "request_id": trace.match.request_id,
            "host": trace.match.host,
            "first_at": trace.first_at,
            "last_at": trace.last_at,
            "finding": finding,
            "request": request,
            "stages": [asdict(s) for s in trace.stages],
            "errors": errors,
            "http": [asdict(h) for h in trace.http],
            "lines": [asdict(line) for line in lines],
            "around": asdict(trace.around),
            "cut": list(trace.cut),
        },
        tz,
    )
