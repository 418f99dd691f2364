"""Values of a trace → a few words each. All text from a log is made harmless here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ingest.render.cells import escape_controls, parsed_json, short_number
from ingest.tasks.trace.find import Trace
from ingest.tasks.trace.lines import Line
from ingest.tasks.trace.rows import InFlight, Request, Sample, Stage

_HEAD = 60  # characters of a text in a list
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = 90.0  # percent, where no threshold is logged


@dataclass(frozen=True, slots=True)
class TraceLook:
    """How to show it: ``width`` in cells (None: no limit), zone, colours, ``full``: uncut."""

    width: int | None = None
    tz: tzinfo | None = None
    is_terminal: bool = False
    full: bool = False


def head(text: str | None, most: int = _HEAD) -> str | None:
    """The beginning of a text, for lists."""
    return text if text is None or len(text) <= most else text[:most] + "…"


def stamp(at: datetime, tz: tzinfo | None) -> str:
    """An instant with its date, in the zone."""
    return at.astimezone(tz).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def span(length: timedelta) -> str:
    """A length of time in the unit that suits it."""
    seconds = length.total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{short_number(round(seconds / size, 1))} {unit}"
    return f"{short_number(round(seconds, 3))} s"


def who(trace: Trace) -> Iterator[tuple[str, str]]:
    """Where it ran, and its other name."""
    match = trace.match
    service = f", service {match.service}" if match.service else ""
    yield "host", escape_controls(match.host + service)
    if match.request_id and match.id:
        yield "X-Request-ID", escape_controls(match.request_id)


def facts(r: Request, cut: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """What the request's row says, as far as it says anything."""
    if r.text is not None:
        told = [f"{r.text_len} characters" if r.text_len is not None else "", r.text_class or ""]
        told = [t for t in (*told, escape_controls(r.lang or "")) if t]
        yield "text", f'"{cut(r.text)}"' + (f" ({', '.join(told)})" if told else "")
    if r.voice:
        yield "voice", escape_controls(r.voice)
    cache = [
        f"{name} {'yes' if value else 'no'}"
        for name, value in (("hit", r.cache_hit), ("saved", r.cache_saved))
        if value is not None
    ]
    if cache:
        yield "cache", ", ".join(cache)
    if r.model_stage:
        yield "model stage", escape_controls(r.model_stage)
    audio = [
        f"{name}{short_number(value)}{unit}"
        for name, value, unit in (
            ("", r.audio_size_kb, " KB"), ("rms ", r.rms, ""),
            ("centroid ", r.spectral_centroid, " Hz"),
        )
        if value is not None
    ]  # fmt: skip
    if audio:
        yield "audio", ", ".join(audio)
    others = parsed_json(r.attributes)
    if isinstance(others, dict):
        for name, value in others.items():
            yield escape_controls(str(name)), cut(str(value))


def in_flight(others: InFlight, host: str) -> str:
    """How many others there were."""
    if not others.everywhere:
        return "no other requests when it began"
    told = f"{others.everywhere} other{'s' if others.everywhere > 1 else ''} when it began"
    if others.here != others.everywhere:
        told += f", {others.here} of them on {escape_controls(host)}"
    return told + (f"; of {others.endless} no end is known" if others.endless else "")


def bars(stages: Sequence[Stage], request: Request | None) -> list[tuple[str, float | None]]:
    """Stages with their own times, and what of the whole time none of them explains."""
    own = [(escape_controls(s.stage or "(no name)"), s.duration_ms) for s in stages]
    if request is None or request.duration_ms is None:
        return own
    rest = request.duration_ms - sum(ms or 0.0 for _, ms in own)
    if rest <= 0:
        return own
    reached = request.model_stage
    is_open = reached and reached not in {s.stage for s in stages}
    name = f"({reached}, no stage_time)" if is_open else "(in no stage)"
    return [*own, (escape_controls(name), rest)]


def bar(value: float, most: float, width: int) -> str:
    """A bar of eighths of a cell; what is more than nothing is seen."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(8 * width * value / most))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def place(line: Line) -> str:
    """Path and offset of a record."""
    return escape_controls(f"{line.path}:{line.offset}")


def used(s: Sample) -> str:
    """What a sample of the cache says."""
    told = [] if s.used_percent is None else [f"{short_number(s.used_percent)} % used"]
    if s.used_mb is not None and s.total_mb is not None:
        told.append(f"{short_number(s.used_mb)} of {short_number(s.total_mb)} MB")
    if s.threshold_percent is not None:
        told.append(f"threshold {short_number(s.threshold_percent)} %")
    if s.action:
        told.append(escape_controls(f"action {s.action}"))
    return ", ".join(told) or "no numbers"


def is_full(s: Sample) -> bool:
    """Whether the cache had reached its threshold."""
    limit = _FULL if s.threshold_percent is None else s.threshold_percent
    return s.used_percent is not None and s.used_percent >= limit
