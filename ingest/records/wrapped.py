"""What a line without its envelopes is (pure)."""

from dataclasses import dataclass

from ingest.records.moments import Stamp


@dataclass(slots=True)
class Wrapped:
    """A line without its envelopes: ``text``, and what they said.

    ``stamp`` is the outermost that has a date; ``partial``: the line goes on with the next of its
    instance and stream. ``names`` are the envelopes, outermost first.
    """

    text: bytes
    stamp: Stamp | None = None
    instance: str | None = None
    stream: str | None = None
    priority: int | None = None
    partial: bool = False
    names: tuple[str, ...] = ()
