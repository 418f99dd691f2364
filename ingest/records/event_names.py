"""Where the name of one of the format's own events stands in a message (pure)."""

from ingest.lazily import matcher
from ingest.records.vocabulary import PUBLIC_EVENTS

_NAMED = rb"(?:" + b"|".join(event.encode() for event in PUBLIC_EVENTS) + rb"):(?=\s|$)"
_EVENT = matcher(_NAMED)
# behind what separates, or behind words of a header alone: a logger, before it names that no text
# begins with (numbers, names with a point, a digit or a capital)
_LATER = matcher(
    rb"^(?:[^\"=]{0,120}?(?:[\])|>:;-] +|[,;])"
    rb"|(?:(?=[\w./:#-]{0,119}[\d.A-Z])[\w./:#-]{1,120} ){0,3}[A-Za-z_][\w.:-]{0,100} +)(?="
    + _NAMED
    + rb")"
)


def begins_with_event(message: bytes) -> bool:
    """Whether a message begins with an event's name."""
    return _EVENT.match(message) is not None


def event_behind(message: bytes) -> int:
    """Where an event's name stands behind other parts of a header, or -1."""
    match = _LATER.match(message)
    return -1 if match is None else match.end()


def names_event(message: bytes) -> bool:
    """Whether a message behind a header may be one of the format's own events."""
    return begins_with_event(message) or event_behind(message) >= 0
