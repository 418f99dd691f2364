"""Which of a file's records are stored already, by the instant of each: that finds what groups of
lines are too coarse for, a few lines from the middle of a log, or several logs sorted into one.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.lazily import matcher
from ingest.model import EPOCH
from ingest.pipeline.asked_content import Asked
from ingest.records.arrays import I32, Bools, Ints
from ingest.records.vocabulary import COMPLETE, START
from ingest.rows.content import GROUP_LINES, Group, Lines, Stretch, lines_of
from ingest.stores.contract import Reader

if TYPE_CHECKING:
    from ingest.records.parse import Parsed
    from ingest.rows.chunk import ChunkRows

Parse = Callable[[bytes, int], "Iterable[Parsed]"]
Place = tuple[int, int]  # key of a file, offset of a record in it


# of a block of more than so many bytes, which show whether all of it must be looked at
_WHOLE_BYTES, _SAMPLE_BYTES, _SAMPLES = 64 << 10, 8 << 10, 4
_MOST_ASKED = 256  # instants in one statement
_MOST_HELD = 200_000  # records whose commit is to come
_NEAR_BYTES = 256 << 10  # records of a stored file whose groups are fetched in one go
_LONGEST = timedelta(hours=24)  # from a request's first record to its start
_FINE = matcher(rb"\d:\d\d:\d\d[.,]\d|\d{13}")  # a time to the millisecond, or finer
_HEADER_BYTES = 160  # in which a record's time stands
_OTHER = -1
_STAGES = (
    "(select t.logged_at, r.id, t.file_key, t.byte_offset from stage_timings t "
    "left join requests r on r.request_key = t.request_key) as stages"
)
_PARTS = "request_parts"
# what is stored of a record, with its instant
_STORED = (
    ("requests", "started_at", "start_file_key", "start_offset", "logged_at", "id", START),
    ("requests", "completed_at", "end_file_key", "end_offset", "logged_at", "id", COMPLETE),
    # of requests that are not whole, which wait outside their table while a transaction is open
    (_PARTS, "started_at", "start_file_key", "start_offset", "logged_at", "id", START),
    (_PARTS, "completed_at", "end_file_key", "end_offset", "logged_at", "id", COMPLETE),
    (_STAGES, "logged_at", "file_key", "byte_offset", "logged_at", "id", _OTHER),
    ("errors", "occurred_at", "file_key", "byte_offset", "occurred_at", "id", _OTHER),
    ("cache_samples", "sampled_at", "file_key", "byte_offset", "sampled_at", "null", _OTHER),
    ("http_requests", "logged_at", "file_key", "byte_offset", "logged_at", "id", _OTHER),
)


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a file that no other is like: they name a request's id, or a time finer than a
    second. ``offsets`` int64[n] of their first bytes, ``ends`` int64[n] behind them, ``instants``
    int64[n] in microseconds UTC, ``ids`` object[n]: strings, or None; ``kinds`` int32[n]: START,
    COMPLETE or another; ``fine`` bool[n]: their time is finer than a second.
    """

    offsets: Ints
    ends: Ints
    instants: Ints
    ids: npt.NDArray[np.object_]
    kinds: I32
    fine: Bools

    def __len__(self) -> int:
        return len(self.offsets)

    def chosen(self, which: Bools) -> "Records":
        """Some of them."""
        return Records(*(column[which] for column in self.columns))

    @property
    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The fields, in their order."""
        return self.offsets, self.ends, self.instants, self.ids, self.kinds, self.fine

    def of(self, stretch: Stretch) -> "Records":
        """Those of a stretch."""
        low, high = np.searchsorted(self.offsets, (stretch.begin, stretch.end))
        return Records(*(column[low:high] for column in self.columns))

    @property
    def named(self) -> int:
        """How many name an id."""
        return sum(i is not None for i in self.ids)

    @property
    def has_one_for_good(self) -> bool:
        """Whether one names an id and a time finer than a second."""
        return self.end_of_one_for_good >= 0

    @property
    def end_of_one_for_good(self) -> int:
        """Where the first one ends that names an id and a time finer than a second; -1: none."""
        fine = np.flatnonzero(self.fine).tolist()
        return next((int(self.ends[n]) for n in fine if self.ids[n] is not None), -1)


_NO = np.empty(0, np.int64)
NO_RECORDS = Records(
    _NO, _NO, _NO, np.empty(0, np.object_), np.empty(0, np.int32), np.empty(0, np.bool_)
)  # fmt: skip


class Stored(NamedTuple):
    """What is stored of a record: the id that it names, where it stands, and whether it is the
    START of a request, its COMPLETE, or another.
    """

    id: str | None
    file_key: int
    offset: int
    kind: int


Places = dict[int, list[Stored]]  # by instants, microseconds UTC


class Changed(NamedTuple):
    """A record of a file, and what is stored of that instant where its lines are others:
    ``is_it`` where that is the same event of the same request, and the instant finer than a second.
    """

    begin: int
    end: int
    stored: Stored
    is_it: bool


def joined(records: Sequence[Records]) -> Records:
    """Records of several pieces, in their order."""
    if not records:
        return NO_RECORDS
    return Records(*(np.concatenate(c) for c in zip(*(r.columns for r in records), strict=True)))


def records_of(data: bytes, base: int, parse: Parse, newest: int) -> Records:
    """Those in bytes that begin at a line's start, no younger than an instant."""
    from ingest.records.instants import LOGGED
    from ingest.rows.assemble import find_events

    found: list[Records] = []
    for parsed in parse(data, base):
        ids = np.full(len(parsed.records), None, np.object_)
        events = find_events(parsed)
        names = [_logged(name, parsed.placed) for name in events.ids.to_pylist()]
        ids[events.rows] = np.array([*names, None], np.object_)[events.codes]
        kinds = np.full(len(ids), _OTHER, np.int32)
        kinds[events.rows] = events.kinds
        starts = parsed.starts.copy()
        told = (parsed.time_source == LOGGED) & (parsed.instants <= newest)
        fine = np.zeros(len(ids), np.bool_)
        for i in np.flatnonzero(told).tolist():
            at = int(starts[i]) - base
            line = data[at : at + _HEADER_BYTES].partition(b"\n")[0]
            fine[i] = _FINE.search(line) is not None
            told[i] = fine[i] or ids[i] is not None
        every = Records(starts, parsed.ends.copy(), parsed.instants.copy(), ids, kinds, fine)
        found.append(every.chosen(told))
    return joined(found)


def _logged(name: str | None, placed: str | None) -> str | None:
    """An id as it stands in a log; None for one that is made of a place in it."""
    return None if name is None or (placed is not None and name.startswith(placed)) else name


class Sampled:
    """Finds out whether blocks of a file hold records that are stored: of a small block all are
    asked for, of a large one a few.

    ``parse`` parses a piece, ``newest`` is the latest instant that may be stored, ``places`` says
    where records are.
    """

    def __init__(
        self, asked: Asked, parse: Parse, newest: int, places: Callable[[Ints], Places]
    ) -> None:
        self.asked = asked
        self._parse = parse
        self._newest = newest
        self._places = places
        self._found: list[int] = []  # offsets
        self.changed: list[Changed] = []

    @property
    def has_found(self) -> bool:
        """Whether any record that was looked at is stored, as it is or edited."""
        return bool(self._found)

    def look_at(self, data: bytes, base: int) -> None:
        """Look at a block of whole lines."""
        pieces = [(data[low:high], base + low) for low, high in _samples(data)]
        records = [records_of(d, at, self._parse, self._newest) for d, at in pieces]
        every = joined(records)
        places = self._places(every.instants) if len(every) else {}
        for (piece, at), some in zip(pieces, records, strict=True) if places else ():
            offers = Offers(self.asked)
            offers.add(some, lines_of(piece, at, final=False), places)
            self._found += offers.offsets
            self._found += [changed.begin for changed in offers.changed if changed.is_it]
            self.changed += offers.changed

    def offer(self, offers: "Offers", data: bytes, base: int, lines: Lines) -> Records:
        """Offer what is stored of a piece's records; all of these."""
        records = records_of(data, base, self._parse, self._newest)
        if len(records):
            offers.add(records, lines, self._places(records.instants))
        return records

    def cut(self, data: bytes, base: int) -> list[Changed]:
        """What is stored of the instant of a line that is not finished."""
        records = records_of(data, base, self._parse, self._newest)
        found = self._places(records.instants) if len(records) else {}
        return [
            Changed(base, base + len(data), stored, is_it=False)
            for at in records.instants[:1].tolist()
            for stored in found.get(at, ())
        ]

    def beside(self, stretches: Sequence[Stretch]) -> list[int]:
        """Where stored records stand that are in none of some stretches."""
        ends = [s.end for s in stretches]
        places = [(at, bisect_right(ends, at)) for at in self._found]
        return sorted(at for at, n in places if n == len(ends) or at < stretches[n].begin)


def _samples(data: bytes) -> Iterator[tuple[int, int]]:
    size = len(data)
    if size <= _WHOLE_BYTES:
        yield 0, size
        return
    apart = (size - _SAMPLE_BYTES) // (_SAMPLES - 1)
    for n in range(_SAMPLES):
        low = data.find(b"\n", n * apart - 1) + 1 if n else 0
        high = data.rfind(b"\n", low, n * apart + _SAMPLE_BYTES) + 1
        if low < high:
            yield low, high


class HeldRecords:
    """Records of this run that wait for a commit; only the last are kept."""

    def __init__(self) -> None:
        self._all: deque[tuple[Ints, Ints, pa.ChunkedArray | None, int, int]] = deque()
        self._n = 0

    def add(self, rows: "ChunkRows") -> None:
        """Add what a chunk stores."""
        tables = {"requests": rows.parts, **{n: r.table for n, r in rows.records.items()}}
        stages = rows.records["stage_timings"]
        of = pa.array(stages.part, pa.int64(), mask=np.asarray(stages.part) < 0)
        tables[_STAGES] = stages.table.append_column("id", rows.parts["id"].take(of))
        for name, at, _, offset, _, _, kind in _STORED:
            if name == _PARTS:
                continue
            table = tables[name]
            instants = table[at].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(-1)
            offsets = table[offset].fill_null(-1).to_numpy()
            ids = table["id"] if "id" in table.column_names else None
            self._all.append((instants.to_numpy(), offsets, ids, rows.origin.file_key, kind))
            self._n += len(offsets)
        while self._n > _MOST_HELD:
            self._n -= len(self._all.popleft()[1])

    def at(self, wanted: Ints) -> Iterator[tuple[int, Stored]]:
        """Those at some instants, each with its instant."""
        for instants, offsets, ids, key, kind in self._all:
            for i in np.flatnonzero(np.isin(instants, wanted) & (offsets >= 0)).tolist():
                name = None if ids is None else ids[i].as_py()
                yield int(instants[i]), Stored(name, key, int(offsets[i]), kind)


def places_at(reader: Reader, held: HeldRecords, instants: Ints) -> Places:
    """What is stored of records that were logged at some instants."""
    found: dict[int, dict[Stored, None]] = {}
    wanted = np.unique(instants)
    for at, stored in held.at(wanted):
        found.setdefault(at, {})[stored] = None
    for low in range(0, len(wanted), _MOST_ASKED):
        some = [EPOCH + timedelta(microseconds=int(at)) for at in wanted[low : low + _MOST_ASKED]]
        binds: dict[str, object] = {f"at{n}": at for n, at in enumerate(some)}
        listed = ", ".join(f":{name}" for name in binds)
        binds.update(low=some[0], high=some[-1], before=some[0] - _LONGEST)
        sql = " union all ".join(
            f"select {at}, {name}, {key}, {offset}, {kind} from {table} where {at} in ({listed}) "
            f"and {at} between :low and :high and {by} <= :high and {by} >= :before "
            f"and {key} is not null"
            for table, at, key, offset, by, name, kind in _STORED
        )
        for moment, said, *place in reader.query(sql, binds).rows:
            assert isinstance(moment, datetime)
            at = (moment - EPOCH) // timedelta(microseconds=1)
            key, offset, kind = (int(str(n)) for n in place)
            stored = Stored(None if said is None else str(said), key, offset, kind)
            found.setdefault(at, {})[stored] = None
    return {at: list(stored) for at, stored in found.items()}


class Offers:
    """The rest of stored groups from records on that a file has, too, for a search in it."""

    def __init__(self, asked: Asked) -> None:
        self.offsets: list[int] = []  # of the lines for which there are any
        self.changed: list[Changed] = []
        self._asked = asked
        self._by_mark: dict[int, dict[Group, None]] = {}
        self._before: dict[Place, Group] = {}
        self._earlier: dict[Place, Group] = {}

    def add(self, records: Records, lines: Lines, places: Places) -> None:
        """Offer what is stored of records of a block; what was offered before is taken back."""
        self.offsets.clear()
        self._by_mark.clear()
        self._before, self._earlier = {}, self._before
        at = np.searchsorted(lines.begins[:-1], records.offsets, "right") - 1
        wanted: list[_Wanted] = []
        for n, line in enumerate(at.tolist()):
            if line < 0 or not lines.stamped[line]:
                continue
            ahead = int(records.offsets[n] - lines.begins[line])
            wanted += [
                _Wanted(s.file_key, s.offset - ahead, line, n, s)
                for s in places.get(int(records.instants[n]), ())
                if s.offset >= ahead
            ]
        wanted.sort(key=lambda w: w[:3])
        for some in _near(wanted):
            place = Stretch(0, 0, some[0].file_key, some[0].offset, some[-1].offset + 1)
            groups = self._asked.within(place)
            for one in some:
                self._offer(groups, one, records, lines)

    def _offer(
        self, groups: Sequence[Group], wanted: "_Wanted", records: Records, lines: Lines
    ) -> None:
        _, offset, line, n, stored = wanted
        is_same_id = stored.id == records.ids[n]
        low = lines.hashes[line : line + GROUP_LINES] & np.uint64(0xFFFF)
        for group in groups if is_same_id else ():
            if not group.byte_offset <= offset < group.end:
                continue
            lows = group.lows()
            alike = np.flatnonzero(lows == low[0]).tolist()
            if not alike:
                break
            first = max(alike, key=lambda k: _equal(lows[k:], low))
            mark = int(lines.hashes[line : line + 1].view(np.int64)[0])
            rest = group.from_line(first, offset, mark)
            self._by_mark.setdefault(mark, {})[rest] = None
            self.offsets.append(int(lines.begins[line]))
            if first:
                self._before[group.file_key, offset] = group.up_to_line(first, offset)
            return
        begin, end = int(lines.begins[line]), int(records.ends[n])
        is_event = stored.kind != _OTHER and stored.kind == records.kinds[n] and records.fine[n]
        is_it = bool(is_event and is_same_id and stored.id is not None)
        self.changed.append(Changed(begin, end, stored._replace(offset=offset), is_it))

    def marked(self, hashes: npt.NDArray[np.uint64]) -> list[Group]:
        """Those that begin with one of these hashes."""
        own = [g for m in set(hashes.view(np.int64).tolist()) for g in self._by_mark.get(m, ())]
        return [*self._asked.marked(hashes), *own]

    def before(self, file_key: int, offset: int) -> Group | None:
        """The group, or the part of one, that ends at an offset."""
        place = file_key, offset
        own = self._before.get(place) or self._earlier.get(place)
        return own or self._asked.before(file_key, offset)


class _Wanted(NamedTuple):
    """A line at hand, by its number and that of its record, and where what is stored of that
    instant may be such a line.
    """

    file_key: int
    offset: int
    line: int
    record: int
    stored: Stored


def _near(wanted: Sequence[_Wanted]) -> Iterator[Sequence[_Wanted]]:
    """Places of one file that are near each other, together."""
    cuts = [
        i + 1
        for i, (a, b) in enumerate(pairwise(wanted))
        if a.file_key != b.file_key or b.offset - a.offset > _NEAR_BYTES
    ]
    for low, high in pairwise([0, *cuts, len(wanted)]):
        if low < high:
            yield wanted[low:high]


def _equal(a: npt.NDArray[np.uint16], b: npt.NDArray[np.uint64]) -> int:
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n
