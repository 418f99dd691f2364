"""Parsed chunks → what kinds of records, events and keys a log holds; pure, in bounded memory."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ingest.compiled import layout
from ingest.records.arrays import string_column
from ingest.records.parse import Parsed
from ingest.records.vocabulary import AUDIO_METRICS, EVENTS, KEYS

if TYPE_CHECKING:
    import pyarrow as pa

    from ingest.rows.chunk import RecordRows

_ID = KEYS.index("id")
_MOST_NAMES = 10_000  # different names counted; beyond it the rare half is forgotten
_LONGEST_NAME = 100  # bytes; longer ones are counted by their beginning


@dataclass(slots=True)
class Gaps:
    """Seconds between samples of an event and directory: counts, rounded; the last instant."""

    last: int | None = None
    seconds: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class RecordTally:
    """Counts records: with and without header, quarantined by reason, by event and key."""

    with_header: int = 0
    headerless: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    unknown_events: Counter[str] = field(default_factory=Counter)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    request_records: int = 0
    request_records_with_id: int = 0
    warnings: int = 0
    warnings_with_code: int = 0
    samples: Counter[str] = field(default_factory=Counter)
    gaps: dict[tuple[str, str], Gaps] = field(default_factory=dict)

    def add(self, parsed: Parsed, rows: Mapping[str, "RecordRows"]) -> None:
        """Take in a chunk, and the rows that were made of it, by table."""
        errors = rows["errors"].table
        kinds = parsed.records[:, layout.R_KIND]
        self.with_header += int((kinds == layout.K_HEADER).sum())
        self.headerless += int((kinds == layout.K_HEADERLESS).sum())
        self.headerless += int((kinds == layout.K_TRACEBACK).sum())
        self.rejects.update(r.reason for r in parsed.rejects)
        self._events(parsed, kinds <= layout.K_TRACEBACK)
        self._keys(parsed)
        warning = pc.equal(errors["level"], "WARNING")
        self.warnings += pc.sum(warning).as_py() or 0
        coded = pc.and_(warning, errors["code"].is_valid())
        self.warnings_with_code += pc.sum(coded).as_py() or 0
        self._samples(rows["cache_samples"].table)

    def end_file(self) -> None:
        """What comes next is of another file: the pause between them is none of the samples'."""
        for gaps in self.gaps.values():
            gaps.last = None

    def _events(self, parsed: Parsed, good: npt.NDArray[np.bool_]) -> None:
        events = parsed.records[:, layout.R_EVENT]
        for code, name in enumerate(EVENTS):
            self.events[name] += int((good & (events == code)).sum())
        asked = good & (events >= 0) & (events <= AUDIO_METRICS)
        self.request_records += int(asked.sum())
        pairs = parsed.pairs[parsed.pairs[:, layout.P_CODE] == _ID]
        pairs = pairs[pairs[:, layout.P_VALUE_END] > pairs[:, layout.P_VALUE]]
        named = np.zeros(len(asked), np.bool_)
        named[pairs[:, layout.P_RECORD]] = True
        self.request_records_with_id += int((asked & named).sum())
        start, end = parsed.records[:, layout.R_EVENT_START], parsed.records[:, layout.R_EVENT_END]
        odd = np.flatnonzero(good & (events < 0) & (end > start))
        _count(self.unknown_events, parsed, start[odd], end[odd])

    def _keys(self, parsed: Parsed) -> None:
        rows = parsed.pairs[parsed.pairs[:, layout.P_CODE] < 0]
        _count(self.unknown_keys, parsed, rows[:, layout.P_KEY], rows[:, layout.P_KEY_END])

    def _samples(self, table: "pa.Table") -> None:
        events, paths = table["event"].to_pylist(), table["path"].fill_null("").to_pylist()
        self.samples.update(events)
        at = table["sampled_at"].cast("int64").to_pylist()
        for *place, instant in zip(events, paths, at, strict=True):
            name = (place[0], place[1])
            if name not in self.gaps and len(self.gaps) >= _MOST_NAMES:
                continue
            gaps = self.gaps.setdefault(name, Gaps())
            if gaps.last is not None:
                gaps.seconds[round((instant - gaps.last) / 1e6)] += 1
            gaps.last = instant


def _count(counter: Counter[str], parsed: Parsed, start: Any, end: Any) -> None:
    if not len(start):
        return
    cut = np.minimum(end, start + _LONGEST_NAME).astype(np.int32)
    names = string_column(parsed.data, start.astype(np.int32), cut, np.zeros_like(cut))
    for entry in pc.value_counts(names).to_pylist():
        counter[entry["values"]] += entry["counts"]
    if len(counter) > _MOST_NAMES:
        for name, _ in counter.most_common()[_MOST_NAMES // 2 :]:
            del counter[name]
