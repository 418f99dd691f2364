"""What the assembly gives: events of SPEC §1, and the figures that end a request (pure)."""

from dataclasses import dataclass
from typing import Final

from ingest.compiled.layout import L_CRITICAL, L_ERROR, L_INFO, L_WARNING
from ingest.lazily import matcher
from ingest.records.profile_rules import Rule, Value, tidy
from ingest.records.profiles import Match
from ingest.records.sequence.state import MOST_TEXT, Assembly, Line, Request

_PLACE = matcher(r"[0-9a-f]{8}-\d+")
LEVELS = {"INFO": L_INFO, "WARNING": L_WARNING, "ERROR": L_ERROR, "CRITICAL": L_CRITICAL}
START: Final = "synthesis_start"
COMPLETE: Final = "synthesis_complete"
FAILED: Final = "synthesis_failed"
STAGE: Final = "stage_time"
PROGRESS: Final = "audio_metrics"
# how far two stamps may miss a printed duration
SLACK_US, SLACK_SHARE, WHOLE_SECOND = (
    150_000,
    0.02,
    1_000_000,
)


@dataclass(slots=True)
class Event:
    """A record to be written as if the service had logged SPEC §1's event.

    ``event``: ``synthesis_start``, ``synthesis_complete``, ``synthesis_failed``, ``stage_time``,
    ``audio_metrics`` (any pair of a request that is open or has just ended), or empty (a warning or
    error record). ``line`` is where it comes from, and may stand before lines seen since: a block's
    events come when it is whole. ``level`` L_WARNING and above make a row of errors. ``pairs``:
    SPEC's keys, and ``id_source``, ``assembly``, ``profile``, ``instance``, ``audio_ms``, ``rtf``,
    ``tokens``, ``own_ms`` (a stage's own time), ``error_code``, ``warning_code``. ``is_first``: it
    may be the first in its file of a request that was opened in a file before.
    """

    event: str
    line: Line
    level: int
    pairs: tuple[tuple[str, Value], ...]
    message: str = ""
    is_first: bool = False

    @property
    def id(self) -> str | None:
        """The id of the request that it is of."""
        return next((str(value) for key, value in self.pairs if key == "id"), None)


@dataclass(slots=True)
class Claim:
    """What a line that a rule takes stands for; no events: noise, or a line that only changed what
    is open.

    ``id`` names the request that the line belongs to, where it is one alone (access lines: the
    request answered). ``access`` is the offset of the access line, printed earlier, that the
    request opened here answers. ``torn`` are lines of blocks printed into each other, this one and
    earlier ones: they go to quarantine, no value of theirs is used. ``held``: counts as unclaimed
    until the file is read with what an earlier file of the series left open.
    """

    events: tuple[Event, ...]
    profile: str
    rule: str
    id: str | None = None
    access: int | None = None
    torn: tuple[Line, ...] = ()
    held: bool = False


def named(id_: str) -> list[tuple[str, Value]]:
    """The pairs of an event after its request's end: the id, and the kind of id."""
    return [("id", id_), ("id_source", "place" if is_place(id_) else "logged")]


def is_place(id_: str) -> bool:
    """Whether an id is one that was made of a place."""
    return _PLACE.fullmatch(id_) is not None


def has_own_id(request: Request) -> bool:
    return request.id_source == "logged"


def assembly(request: Request) -> str:
    if has_own_id(request):
        return "id"
    return "uncertain" if request.uncertain else "sequence"


def identity(request: Request) -> tuple[tuple[str, Value], ...]:
    return (
        ("id", request.id),
        ("id_source", request.id_source),
        ("assembly", assembly(request)),
        ("profile", request.profile),
    )


def progress(request: Request, line: Line, values: dict[str, Value]) -> Event:
    return Event(PROGRESS, line, L_INFO, (("id", request.id), *values.items()))


def tag_of(line: Line, match: Match) -> str:
    """What may tell requests apart before a line's message: ``[req-12] ``, which a header's logger
    may be, too.
    """
    logger = line.logger or ""
    return match.tag or (logger if any(mark.isdigit() for mark in logger) else "")


def stages(id_: str, line: Line, rule: Rule, values: dict[str, Value]) -> list[Event]:
    """Take the stages out of a line's values: an event each."""
    found: list[Event] = []
    named = str(values.pop("stage", "")) or rule.stage
    for key in [key for key in values if key.startswith("stage") and key.endswith("_ms")]:
        value = values.pop(key)
        stage = key[6:-3] or named
        if stage:
            pairs = (
                ("id", id_),
                ("stage", stage),
                ("duration_ms" if rule.elapsed else "own_ms", value),
            )
            found.append(Event(STAGE, line, L_INFO, pairs))
    return found


def accumulate(values: dict[str, Value], more: dict[str, Value], rule: Rule) -> None:
    for key, value in more.items():
        have = values.get(key)
        if have is None or (rule.repeats == "last" and key not in rule.sums):
            values[key] = value
        elif isinstance(value, str):
            if rule.repeats == "join" and len(str(have)) < MOST_TEXT:
                values[key] = f"{have}{rule.joiner}{value}"[:MOST_TEXT]
        elif key == "rtf":
            values.pop("rtf")
        elif not isinstance(have, str):
            values[key] = tidy(have + value)


def note_figures(values: dict[str, Value], more: dict[str, Value]) -> None:
    """Keep the durations and factors that a line says for the request's end, which tells of them:
    the first of each.
    """
    for key in ("duration_ms", "audio_ms", "rtf"):
        if key in more:
            values.setdefault(key, more[key])


def add_run(values: dict[str, Value], more: dict[str, Value]) -> None:
    """One more run of the engine inside a wrapper's request: times and lengths add up."""
    again = "duration_ms" in values or "audio_ms" in values
    for key, value in more.items():
        have = values.get(key)
        if key in ("duration_ms", "audio_ms", "tokens") and isinstance(have, int | float):
            assert not isinstance(value, str)
            values[key] = tidy(have + value)
        else:
            values[key] = value
    if again:
        values.pop("rtf", None)


def complete_figures(asm: Assembly, values: dict[str, Value], request: Request, line: Line) -> None:
    """Duration from bar or stamps, real-time factor and audio length from each other."""
    duration = values.get("duration_ms")
    is_known = request.instant is not None and not request.uncertain  # else it may be another's end
    if duration is None and is_known and request.instant is not None and line.instant is not None:
        duration = asm.took(request.instant, line.instant)
    if duration is None and request.bar_ms:
        duration = request.bar_ms
    if duration is not None:
        values["duration_ms"] = duration
    audio, rtf = values.get("audio_ms"), values.get("rtf")
    if not isinstance(duration, int | float) or values.get("status") == "failed":
        return
    if rtf is None and isinstance(audio, int | float) and audio > 0:
        values["rtf"] = tidy(duration / audio)
    elif audio is None and isinstance(rtf, int | float) and rtf > 0:
        values["audio_ms"] = round(duration / rtf)


def fits(request: Request, instant: int, duration_ms: float) -> bool:
    """Whether a request that ends now has taken as long as its block says."""
    if request.instant is None:
        return False
    took = instant - request.instant
    slack = SLACK_US + SLACK_SHARE * duration_ms * 1000
    if instant % WHOLE_SECOND == 0 and request.instant % WHOLE_SECOND == 0:
        slack += WHOLE_SECOND
    return abs(took - duration_ms * 1000) <= slack
