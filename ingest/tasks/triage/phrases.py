"""Findings in words: what is common to all languages, and English."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from ingest.causes.dimensions import ATTRIBUTE, CACHE_HIT, CONCURRENCY, TEXT, TEXT_LEN, Condition
from ingest.causes.findings import Finding
from ingest.render.cells import escape_controls
from ingest.tasks.triage.report import moment

_LONGEST_TEXT = 40
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Clock:
    """How instants are told: in a zone, with the date where it is not that of the window's end."""

    tz: tzinfo
    end: datetime

    def time(self, at: float | None) -> str:
        """Hours and minutes; the date before them on another day."""
        if at is None:
            return ""
        local = moment(at).astimezone(self.tz)
        same = local.date() == self.end.astimezone(self.tz).date()
        return f"{local:%H:%M}" if same else f"{local:%Y-%m-%d %H:%M}"


def number(value: float) -> str:
    """A count, with commas between thousands."""
    return f"{value:,.0f}"


def percent(rate: float) -> str:
    """A rate in percent, with as many digits as tell it."""
    share = 100 * rate
    if share in (0, 100) or 10 <= share <= 99:
        return f"{share:.0f}"
    return f"{share:.1f}" if share >= 1 or share == 0 else f"{share:.2g}"


def times(ratio: float) -> str:
    """How many times as much."""
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"


def shown(value: object, most: int = _LONGEST_VALUE) -> str:
    """A value from a log, harmless and not too long."""
    text = escape_controls(str(value).lower() if isinstance(value, bool) else str(value))
    return text if len(text) <= most else text[: most - 1] + "…"


def quoted(text: object) -> str:
    """A user's text, cut."""
    return f'"{shown(text, _LONGEST_TEXT)}"'


def written(condition: Condition) -> str:
    """A condition as it is looked for: ``voice = nova``."""
    value = quoted(condition.value) if condition.name == TEXT else shown(condition.value)
    return f"{shown(condition.name)} {condition.op} {value}"


# ---- English


def _ordinal(n: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{n}{'th' if 10 <= n % 100 <= 20 else ends.get(n % 10, 'th')}"


def _length(c: Condition) -> str:
    n = float(str(c.value))
    if c.op == ">=":
        return f"texts of {number(n)} characters and more"
    if c.op == "<":
        return f"texts of less than {number(n)} characters"
    return f"texts of {number(n)} character{'' if n == 1 else 's'}"


def _kind(c: Condition) -> str:
    """What meets one condition: a noun."""
    value = shown(c.value)
    if c.name == TEXT_LEN:
        return _length(c)
    if c.name == TEXT:
        return f"the text {quoted(c.value)}"
    if c.name == CACHE_HIT:
        return "cache hits" if c.value else "cache misses"
    if c.name == CONCURRENCY:
        return f"requests from the {_ordinal(int(float(value)))} in flight on"
    if c.name == "text_class":
        return {"plain": "plain texts", "symbols": "texts of symbols only"}.get(
            value, f"{value} texts"
        )
    if c.name == "lang":
        return f"texts in {value}"
    return f"{c.name.removeprefix(ATTRIBUTE)} {value}"


def whose(conditions: tuple[Condition, ...]) -> str:
    """The requests that meet all conditions."""
    if not conditions:
        return "all requests"
    return " and ".join(map(_kind, conditions))


def _when(f: Finding, clock: Clock) -> str:
    since, until = clock.time(f.since), clock.time(f.until)
    if f.since_place:
        return f" from {escape_controls(f.since_place)} on"
    if since and until:
        return f" from {since} to {until}"
    if since:
        return f" since {since}"
    return f" until {until}" if until else ""


def _share(f: Finding) -> str:
    rate = f.rate or 0.0
    return "all" if rate > 0.995 else f"{percent(rate)} %"


def _part(f: Finding) -> str:
    """The share of what is named next: ``all``, ``12 % of``."""
    return "all" if _share(f) == "all" else f"{_share(f)} of"


def _of(f: Finding) -> str:
    who = whose(f.conditions).removeprefix("all ")
    return f"all {who.removeprefix('the ')}" if _share(f) == "all" else f"{_share(f)} of {who}"


def _failures(f: Finding, clock: Clock) -> str:
    code = shown(f.code) if f.code else "failures without a code"
    if f.kind == "periodic" and f.period_s:
        return f"{code}: requests fail every {period(f.period_s)}"
    if f.kind == "mix":
        return f"{code}: more {whose(f.conditions)}{_when(f, clock)}; they fail as they always did"
    if f.kind == "standing":
        return f"{code}: {_of(f)} fail, as they have throughout the window"
    return f"{code}: {_of(f)} fail{_when(f, clock)}"


def _unfinished(f: Finding, clock: Clock) -> str:
    if f.kind == "periodic" and f.period_s:
        return f"requests that never end, every {period(f.period_s)}"
    if f.kind == "standing":
        return f"{_of(f)} never end, as they have throughout the window"
    return f"{_of(f)} never end{_when(f, clock)}"


def _latency(f: Finding, clock: Clock) -> str:
    stage = "synthesis" if f.stage == "end_to_end" else shown(f.stage)
    if f.kind == "sawtooth":
        of = f" for {whose(f.conditions)}" if f.conditions else ""
        return (
            f"{stage} gets slower and slower{of}, up to {times(f.ratio or 1)} times as long, and "
            f"is fast again all at once, {number(f.amount or 0)} times{_when(f, clock)}"
        )
    if f.kind == "periodic" and f.period_s:
        return f"{stage} is slow every {period(f.period_s)}"
    of = f" for {whose(f.conditions)}" if f.conditions else ""
    if f.partial:
        of = f" for {_of(f)}"
    if f.kind == "gradual":
        return (
            f"{stage} gets slower and slower{of}{_when(f, clock)}, now {times(f.ratio or 1)} "
            "times as long"
        )
    return f"{stage} takes {times(f.ratio or 1)} times as long{of}{_when(f, clock)}"


def _warnings(f: Finding, clock: Clock) -> str:
    return f"{shown(f.code)}: a warning for {_of(f)}{_when(f, clock)}"


def _cache_write(f: Finding, clock: Clock) -> str:
    return f"the cache does not keep results: {_of(f)}{_when(f, clock)}"


def _cache_hits(f: Finding, clock: Clock) -> str:
    before, now = 1 - (f.rate_outside or 0.0), 1 - (f.rate or 0.0)
    of = f" for {whose(f.conditions)}" if f.conditions else ""
    return f"cache hits{of} fell from {percent(before)} % to {percent(now)} %{_when(f, clock)}"


def _audio_size(f: Finding, clock: Clock) -> str:
    return f"audio of an odd size for its text: {_of(f)}{_when(f, clock)}"


def _dull(f: Finding, clock: Clock) -> str:
    return f"dull audio: {_of(f)}{_when(f, clock)}"


def _silence(f: Finding, clock: Clock) -> str:
    where = f" on {shown(f.subject)}" if f.conditions else ""
    return f"no requests{where}{_when(f, clock)}, {number(f.affected)} were to be expected"


def _clock(f: Finding, clock: Clock) -> str:
    way = "ahead" if (f.amount or 0) > 0 else "back"
    when = f" at {clock.time(f.since)}" if f.since is not None else ""
    return f"the clock of {shown(f.subject)} jumps {duration(abs(f.amount or 0))} {way}{when}"


def _errors(f: Finding, clock: Clock) -> str:
    where = f" on {shown(f.subject)}" if f.subject else ""
    return f"{shown(f.code)}: {number(f.affected)} errors of no request{where}{_when(f, clock)}"


def _filling(f: Finding, clock: Clock) -> str:
    path = f" {shown(f.subject)}" if f.subject else ""
    host = next((f" on {shown(c.value)}" for c in f.conditions if c.name == "host"), "")
    if (f.amount or 0) >= 99.5:
        return f"the cache{path}{host} is full"
    return (
        f"the cache{path}{host} is {f.amount or 0:.0f} % full and will be full at "
        f"{clock.time(f.full_at)}"
    )


def _rtf(f: Finding, clock: Clock) -> str:
    return f"synthesis is slower than usual for the length of its audio: {_of(f)}{_when(f, clock)}"


def _http_errors(f: Finding, clock: Clock) -> str:
    who = f" from {shown(f.subject)}" if f.subject else ""
    answers = "answers" if not f.conditions else f"answers to {_asked(f.conditions)}"
    return f"HTTP {shown(f.code)}{who}: {_part(f)} {answers}{_when(f, clock)}"


def _asked(conditions: tuple[Condition, ...]) -> str:
    """Whose requests HTTP answered."""
    names = {"path": "requests of path", "client": "client"}
    parts = [f"{names.get(c.name, shown(c.name))} {shown(c.value)}" for c in conditions]
    return " and ".join(parts)


def _http_latency(f: Finding, clock: Clock) -> str:
    of = f" for {_asked(f.conditions)}" if f.conditions else ""
    if f.stage == "outside_synthesis":
        longer = duration(((f.slow_ms or 0.0) - (f.usual_ms or 0.0)) / 1000)
        return f"answers take {longer} longer outside synthesis{of}{_when(f, clock)}"
    return f"answers take {times(f.ratio or 1)} times as long{of}{_when(f, clock)}"


def _silent_failures(f: Finding, clock: Clock) -> str:
    of = f" to {_asked(f.conditions)}" if f.conditions else ""
    return (
        f"HTTP says that all is well, but the synthesis failed: {_part(f)} "
        f"answers{of}{_when(f, clock)}"
    )


TITLES: dict[str, Callable[[Finding, Clock], str]] = {
    "failures": _failures, "unfinished": _unfinished, "latency": _latency,
    "warnings": _warnings, "cache_write": _cache_write, "cache_hits": _cache_hits,
    "audio_size": _audio_size, "dull_audio": _dull, "silence": _silence, "clock": _clock,
    "errors": _errors, "cache_filling": _filling, "rtf": _rtf,
    "http_errors": _http_errors, "http_latency": _http_latency,
    "silent_failures": _silent_failures,
}  # fmt: skip


def title(f: Finding, clock: Clock) -> str:
    """A finding in one sentence."""
    return TITLES[f.symptom](f, clock)


def duration(seconds: float) -> str:
    """A length of time in two units at most."""
    whole = round(seconds)
    for size, name, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole // 60} min" if whole >= 60 else f"{whole} s"


def period(seconds: float) -> str:
    """The time from one to the next."""
    minutes = seconds / 60
    if minutes >= 1.5:
        return (
            f"{minutes:.0f} minutes"
            if abs(minutes - round(minutes)) < 0.05
            else f"{minutes:.1f} minutes"
        )
    return f"{seconds:.0f} seconds"
