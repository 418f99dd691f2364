"""The numbers behind a finding, and the SQL that shows its rows."""

from collections.abc import Iterator
from datetime import timedelta

from ingest.causes.dimensions import ATTRIBUTE, CLIENT, CONCURRENCY, PATH, Condition
from ingest.causes.findings import Finding
from ingest.causes.symptoms import (
    AUDIO_SIZE,
    CACHE_FILLING,
    CACHE_HITS,
    CACHE_WRITE,
    CLOCK,
    DULL_AUDIO,
    DULL_HZ,
    END_TO_END,
    ERRORS,
    FAILURES,
    HTTP_ERRORS,
    HTTP_LATENCY,
    LATENCY,
    SILENCE,
    SILENT_FAILURES,
    UNFINISHED,
    WARNINGS,
)
from ingest.render.cells import escape_controls
from ingest.tasks.triage.fetch import Window
from ingest.tasks.triage.page import PageLook
from ingest.tasks.triage.phrases import Clock, number, percent, times, written
from ingest.tasks.triage.report import Told, moment

_RAN_LONGEST = timedelta(hours=1)  # what began longer ago is not taken to be in flight


def explained(told: Told, window: Window, look: PageLook) -> str:
    """A finding's numbers, and a command with its SQL that runs as it is pasted."""
    f = told.finding
    lines = [f"{told.rank}  {look.title(f, Clock(look.tz, window.until))}", ""]
    lines += [f"   {name:<16}{value}" for name, value in _numbers(f)]
    lines += ["", f"ttsq sql -{look.store} <<'END'", statement(f, window), "END"]
    return "\n".join(lines)


def _numbers(f: Finding) -> Iterator[tuple[str, str]]:
    yield "symptom", " ".join(escape_controls(p) for p in (f.symptom, f.code, f.stage) if p)
    yield "condition", ", ".join(map(written, f.conditions)) or "none"
    if f.since is not None or f.until is not None:
        ends = [
            moment(t).isoformat(timespec="milliseconds") if t else "..." for t in (f.since, f.until)
        ]
        yield "window", " to ".join(ends)
    if f.population and f.rate is not None:
        low, high = f.interval or (f.rate, f.rate)
        yield "inside", f"{number(f.affected)} of {number(f.population)}, {percent(f.rate)} %"
        yield "95 % interval", f"{percent(low)} to {percent(high)} %"
        outside = f.rate_outside
        if outside is not None:
            of = f"{number(f.affected_outside)} of {number(f.population_outside)}"
            yield "outside", f"{of}, {percent(outside)} %"
    if f.risk_ratio is not None:
        yield "risk ratio", times(f.risk_ratio)
    if f.ratio is not None:
        yield "times as long", times(f.ratio)
    if f.gain:
        yield "gain", f"{f.gain:.1f} nats of log-likelihood beside one rate everywhere"
        yield "cost", f"{f.gain - f.net:.1f} nats, to name the condition and the window"
    yield "net", f"{f.net:.1f}"
    yield "excess", f"{f.excess:.1f} more than at the rate outside"
    yield "score", f"{f.score:.1f}, severity {f.severity}, kind {f.kind}"


def statement(f: Finding, window: Window) -> str:
    """One SELECT that shows the rows of a finding; the same on every engine."""
    if f.symptom == ERRORS:
        return _of_errors(f, window)
    if f.symptom == CACHE_FILLING:
        return _of_samples(f, window)
    if f.symptom in (HTTP_ERRORS, HTTP_LATENCY, SILENT_FAILURES):
        return _of_answers(f, window)
    columns = (
        "r.id, r.host, r.logged_at, r.status, r.error_code, r.model_stage, r.duration_ms, "
        "r.text_len"
    )
    joins, wanted, order = "", [], "r.logged_at desc"
    if f.symptom == LATENCY and f.stage != END_TO_END:
        columns += ", s.duration_ms as stage_ms"
        joins = (
            "\njoin stage_timings s on s.request_key = r.request_key and s.stage = "
            f"{_literal(f.stage)}"
        )
        order = "s.duration_ms desc"
    elif f.symptom == LATENCY:
        order = "r.duration_ms desc nulls last"
    elif f.symptom == WARNINGS:
        joins = (
            "\njoin errors e on e.request_key = r.request_key"
            f" and coalesce(e.code, e.event) = {_literal(f.code)}"
        )
    wanted += _affected(f)
    first, last = _ends(f, window)
    wanted += [f"r.logged_at >= {first}", f"r.logged_at <= {last}"]
    wanted += [_condition(c, first, last) for c in f.conditions]
    where = "\n  and ".join(wanted)
    return f"select {columns}\nfrom requests r{joins}\nwhere {where}\norder by {order}\nlimit 100"


def _affected(f: Finding) -> list[str]:
    """What makes a request an affected one, where SQL can say it."""
    if f.symptom == FAILURES:
        code = "r.error_code is null" if f.code is None else f"r.error_code = {_literal(f.code)}"
        return ["r.status <> 'success'", code]
    return {
        UNFINISHED: ["r.status is null"],
        CACHE_WRITE: ["r.cache_saved = false"],
        CACHE_HITS: ["r.cache_hit = false"],
        DULL_AUDIO: [f"r.spectral_centroid < {DULL_HZ:g}"],
        AUDIO_SIZE: ["r.audio_size_kb is not null"],
        SILENCE: [],
        CLOCK: [],
    }.get(f.symptom, [])


def _ends(f: Finding, window: Window) -> tuple[str, str]:
    margin = timedelta(minutes=5) if f.symptom in (SILENCE, CLOCK) else timedelta(0)
    first = window.since if f.since is None else moment(f.since) - margin
    last = window.until if f.until is None else moment(f.until) + margin
    return _instant(first), _instant(last + timedelta(milliseconds=1))


def _instant(at: object) -> str:
    return f"timestamptz '{at}'"


def _literal(value: object) -> str:
    """A value as a SQL literal that no user's text can leave."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def _condition(c: Condition, first: str, last: str) -> str:
    if c.name == CONCURRENCY:
        return (
            "r.request_key in (select b.request_key from requests b join requests o on o.host ="
            f" b.host\n    where b.logged_at >= {first} and b.logged_at <= {last}"
            " and o.logged_at <= b.started_at\n    and o.logged_at >= b.started_at - interval"
            f" '{_RAN_LONGEST.seconds} seconds'"
            " and (o.completed_at > b.started_at or o.request_key = b.request_key)"
            f"\n    group by b.request_key having count(*) {c.op} {_literal(c.value)})"
        )
    if c.name in (PATH, CLIENT):
        return (
            "r.request_key in (select h.request_key from http_requests h"
            f" where h.{c.name} {c.op} {_literal(c.value)})"
        )
    if c.name.startswith(ATTRIBUTE):
        value = str(c.value).lower() if isinstance(c.value, bool) else str(c.value)
        return (
            f"(r.attributes ->> {_literal(c.name.removeprefix(ATTRIBUTE))}) {c.op} "
            f"{_literal(value)}"
        )
    return f"r.{c.name} {c.op} {_literal(c.value)}"


def _of_errors(f: Finding, window: Window) -> str:
    first, last = _ends(f, window)
    return (
        "select e.occurred_at, e.host, e.level, e.code, e.location, e.message\nfrom errors e\n"
        f"where e.request_key is null and e.level <> 'WARNING'\n  and e.occurred_at >= {first}"
        f"\n  and e.occurred_at <= {last}\n  and (coalesce(e.code, e.event) = {_literal(f.code)}"
        " or coalesce(e.code, e.event) is null)\norder by e.occurred_at desc\nlimit 100"
    )


def _of_samples(f: Finding, window: Window) -> str:
    wanted = "".join(f"\n  and c.{c.name} = {_literal(c.value)}" for c in f.conditions)
    return (
        "select c.sampled_at, c.host, c.path, c.used_percent\nfrom cache_samples c\n"
        f"where c.sampled_at >= {_instant(window.since)} and c.sampled_at <= "
        f"{_instant(window.until)}"
        f"{wanted}\norder by c.sampled_at desc\nlimit 100"
    )


def _of_answers(f: Finding, window: Window) -> str:
    first, last = _ends(f, window)
    wanted = [f"h.logged_at >= {first}", f"h.logged_at <= {last}"]
    wanted.append("h.server is null" if f.subject is None else f"h.server = {_literal(f.subject)}")
    wanted += [f"h.{c.name} = {_literal(c.value)}" for c in f.conditions]
    order = "h.logged_at desc"
    if f.symptom == HTTP_ERRORS:
        wanted.append(f"h.http_status = {int(f.code or 0)}")
    elif f.symptom == HTTP_LATENCY:
        order = "h.request_ms desc nulls last"
    else:
        wanted.append("h.http_status < 400 and r.status <> 'success'")
    where = "\n  and ".join(wanted)
    return (
        "select h.logged_at, h.host, h.server, h.client, h.path, h.http_status, "
        "h.request_ms, r.id, r.status,"
        " r.duration_ms\nfrom http_requests h\nleft join requests r on r.request_key = "
        "h.request_key"
        f"\nwhere {where}\norder by {order}\nlimit 100"
    )
