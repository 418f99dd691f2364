"""Parts of requests that meet across batches, files and runs (docs/parsing.md, "Requests" 2–4);
pure.

The bulk of requests begin and end within one batch and never come here.
"""

import json
from datetime import datetime
from typing import NamedTuple

from ingest.model import make_key
from ingest.records.instants import TIME_SOURCES

# Columns that a part carries as they are, and the bit of each in ``end_columns``. Stores hold these
# numbers: a column keeps its bit for good, and a new one gets the next.
BIT_OF = {
    "request_id": 0,
    "text": 1,
    "text_len": 2,
    "lang": 3,
    "voice": 4,
    "duration_ms": 5,
    "cache_hit": 6,
    "cache_saved": 7,
    "status": 8,
    "model_stage": 9,
    "error_code": 10,
    "audio_size_kb": 11,
    "rms": 12,
    "spectral_centroid": 13,
    "text_class": 14,
    "text_points": 15,
    "instance": 16,
    "profile": 17,
    "audio_ms": 18,
    "rtf": 19,
    "tokens": 20,
    "id_source": 21,
    "assembly": 22,
}
VALUE_COLUMNS = tuple(BIT_OF)
TOLD_COLUMNS = ("text_class", "text_points")  # told from the text, and go with it
LOGGED_COLUMNS = tuple(c for c in VALUE_COLUMNS if c not in TOLD_COLUMNS)
TEXT_BIT = 1 << BIT_OF["text"]
TOLD_BITS = sum(1 << BIT_OF[c] for c in TOLD_COLUMNS)
ALL_COLUMNS = sum(1 << bit for bit in BIT_OF.values())
_PROFILE = VALUE_COLUMNS.index("profile")
_DURATION = VALUE_COLUMNS.index("duration_ms")


class Part(NamedTuple):
    """A run of one request's records in one log file.

    ``values`` are aligned with VALUE_COLUMNS; ``end_columns`` has a bit for each that
    synthesis_complete filled (BIT_OF); ``completed_at`` is that event's instant, without one that
    of the first synthesis_failed; ``time_source`` is that of ``logged_at``, of TIME_SOURCES;
    ``request_key`` is that of the request it belongs to.
    """

    id: str
    host: str
    service: str
    request_key: int
    file_key: int
    first_offset: int
    last_offset: int
    logged_at: datetime
    time_source: str
    last_at: datetime
    started_at: datetime | None
    start_file_key: int | None
    start_offset: int | None
    completed_at: datetime | None
    end_file_key: int | None
    end_offset: int | None
    is_request: bool
    end_columns: int
    attributes: str | None
    values: tuple[object, ...]

    @property
    def has_start(self) -> bool:
        return self.start_offset is not None

    @property
    def has_end(self) -> bool:
        return self.end_offset is not None

    @property
    def profile(self) -> object:
        """The profile that its lines were read by; None for events as the service logs them."""
        return self.values[_PROFILE]

    @property
    def duration_ms(self) -> object:
        """End to end, as its end says."""
        return self.values[_DURATION]

    @property
    def place(self) -> tuple[int, int]:
        """What tells a part from all others: its file and first offset."""
        return self.file_key, self.first_offset


class Group(NamedTuple):
    """Parts that are one request, in order, and the request they make."""

    parts: tuple[Part, ...]
    request: Part

    @property
    def is_whole(self) -> bool:
        """Whether nothing can meet it any more but stray records."""
        return len(self.parts) == 1 and self.request.has_start and self.request.has_end


def merge_values(first: Part, second: Part) -> tuple[tuple[object, ...], int]:
    """Column values of two parts in order: the end's, else the first; and the bits of the end's."""
    values = []
    for i, a, b in zip(BIT_OF.values(), first.values, second.values, strict=True):
        ended = second.end_columns >> i & 1 and not first.end_columns >> i & 1
        values.append(b if a is None or ended else a)
    return tuple(values), first.end_columns | second.end_columns


def merge_attributes(first: str | None, second: str | None) -> str | None:
    """Two JSON objects in one; a key with different values has the list of them in order."""
    if first is None or second is None:
        return first if second is None else second
    result = json.loads(first)
    for key, more in json.loads(second).items():
        have = result.get(key, [])
        values = list(have) if isinstance(have, list) else [have]
        values += [v for v in (more if isinstance(more, list) else [more]) if v not in values]
        result[key] = values if len(values) > 1 else values[0]
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))


def merge(first: Part, second: Part) -> Part:
    """One part of two; ``first``'s place, key and end come first."""
    values, ends = merge_values(first, second)
    start = first if first.has_start else second
    end = first if first.has_end else second
    return first._replace(
        last_offset=max(first.last_offset, second.last_offset)
        if first.file_key == second.file_key
        else first.last_offset,
        logged_at=min(first.logged_at, second.logged_at),
        time_source=_earlier_source(first, second),
        last_at=max(first.last_at, second.last_at),
        started_at=start.started_at,
        start_file_key=start.start_file_key,
        start_offset=start.start_offset,
        completed_at=_ended_at(first, second),
        end_file_key=end.end_file_key,
        end_offset=end.end_offset,
        is_request=first.is_request or second.is_request,
        end_columns=ends,
        attributes=merge_attributes(first.attributes, second.attributes),
        values=values,
    )


def _ended_at(first: Part, second: Part) -> datetime | None:
    """When two parts in order ended: as their end says, else at the first failure."""
    end = next((part for part in (first, second) if part.has_end), None)
    return end.completed_at if end else first.completed_at or second.completed_at


def _earlier_source(first: Part, second: Part) -> str:
    """Where the earlier of two parts' first instants comes from; of equal ones the surer."""
    if first.logged_at != second.logged_at:
        return min(first, second, key=lambda p: p.logged_at).time_source
    return min(first.time_source, second.time_source, key=TIME_SOURCES.index)


def continued(stored: Part, new: Part) -> Part:
    """A part and what follows it in the same file; it keeps its place."""
    whole = merge(stored, new)
    key = stored.request_key if stored.has_start or not new.has_start else new.request_key
    if not stored.is_request and new.is_request:
        key = new.request_key
    return whole._replace(request_key=key)


def own_key(part: Part) -> int:
    """The key of the request that a part would be alone: of its start, else of its first record."""
    if part.start_offset is not None and part.start_file_key is not None:
        return make_key(part.start_file_key, part.start_offset)
    return make_key(part.file_key, part.first_offset)
