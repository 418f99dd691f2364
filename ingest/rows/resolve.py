"""A batch's parts + what the store has near them → what one commit changes; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.model import Changes, Relink
from ingest.records import kernels
from ingest.records.arrays import Ints, numbers
from ingest.rows.chunk import Batch, RecordRows
from ingest.rows.grouping import (
    Found,
    Mark,
    Place,
    alone,
    content_of,
    kind_of,
    mark_of,
    merged,
    took_us,
)
from ingest.rows.meeting import Meeting
from ingest.rows.part_table import (
    chosen,
    few,
    finish_requests,
    in_one_piece,
    part_list,
    part_table,
    request_table,
    whole_requests,
    with_classes,
    without,
)
from ingest.rows.parts import ALL_COLUMNS, VALUE_COLUMNS, Group, Part, continued

SLACK = timedelta(hours=1)  # how far a record's stamp may lie outside its part, when clocks step
# of the batch's parts what their grouping goes by
_NEEDED = (
    "id", "logged_at", "last_at", "completed_at", "first_offset", "file_key", "is_request",
    "start_offset", "end_offset", "duration_ms",
)  # fmt: skip
Window = tuple[str, int, int]  # an id, and a stretch of time, microseconds


@dataclass(slots=True)
class _Rewrite:
    """What changes because parts met."""

    requests: list[Group] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    delete_requests: list[int] = field(default_factory=list)
    delete_parts: list[Place] = field(default_factory=list)
    relinks: list[Relink] = field(default_factory=list)
    keys: dict[Place, int | None] = field(default_factory=dict)
    plain: list[int] = field(default_factory=list)  # numbers of parts that met none
    kept: set[int] = field(default_factory=set)
    earliest: datetime | None = None
    latest: datetime | None = None

    def span(self, parts: Iterable[Part]) -> None:
        """Widen the window to these parts."""
        for part in parts:
            self.earliest = min(self.earliest or part.logged_at, part.logged_at)
            self.latest = max(self.latest or part.last_at, part.last_at)


def part_of_request(row: dict[str, object]) -> Part:
    """A request of one log file, as the store has it, as the part that it is."""
    names = set(Part._fields) - {
        "file_key", "first_offset", "last_offset", "last_at", "is_request", "end_columns", "values",
    }  # fmt: skip
    return Part(
        **{name: row[name] for name in names},  # type: ignore[arg-type]
        file_key=row["start_file_key"],  # type: ignore[arg-type]
        first_offset=row["start_offset"],  # type: ignore[arg-type]
        last_offset=row["end_offset"],  # type: ignore[arg-type]
        last_at=row["completed_at"],  # type: ignore[arg-type]
        is_request=True,
        end_columns=ALL_COLUMNS,
        values=tuple(row.get(name) for name in VALUE_COLUMNS),
    )


@dataclass(slots=True)
class _Parts:
    """The parts that have met: the batch's by number, the store's, and what these have grown to.

    Meetings ask it for contents. It does not know them: a circle would keep a batch's rows until
    Python next looks for garbage.
    """

    batch: Batch
    stored: dict[Place, Part] = field(default_factory=dict)
    grown: dict[Place, Part] = field(default_factory=dict)
    number_of: dict[Place, int] = field(default_factory=dict)

    def content(self, mark: Mark) -> str:
        """What the part of a mark says, for an order among equals."""
        part = self.grown.get(mark.place) or self.stored.get(mark.place)
        if part is None or mark.place in self.number_of:
            row = np.array([self.number_of[mark.place]], np.int64)
            (part,) = part_list(chosen(self.batch.parts, row))
        return content_of(part)


class Resolution:
    """Decides which requests a batch's parts are, alone or with stored ones.

    What it must know of the store it asks for, window by window: see :mod:`ingest.rows.meeting`.

    :param known: ids of which the store has pieces.
    :param before: what the batch's first parts continue: of each id the last part that the file has
        in the store so far, as rows of request_parts and of requests.
    """

    def __init__(self, batch: Batch, known: set[str], before: tuple[pa.Table, pa.Table]) -> None:
        self._batch = batch
        self._parts = _Parts(batch)
        fast = batch.whole & ~_in_company(batch, known)
        self._slow = np.flatnonzero(~fast)
        self._meetings: dict[str, Meeting] = {}
        self._wanting: set[str] = set()
        self._place_of: dict[int, Place] = {}  # of parts that continue others
        used = self._slow[batch.used[self._slow]]
        apart = _apart(batch, used, known)
        self._apart, meeting = used[apart], used[~apart]
        marks = list(zip(meeting.tolist(), _marks(batch, meeting), strict=True))
        for _, (name, _mark) in marks:
            if name not in self._meetings:
                self._meetings[name] = Meeting(self._parts.content, is_known=name in known)
        self._wanting.update(self._meetings)
        continues = self._continued(before)
        for number, (name, mark) in marks:
            if number in continues:
                self._grow(name, number, continues[number])
            else:
                self._parts.number_of[mark.place] = number
                self._meetings[name].add_changed(mark)

    def _continued(self, before: tuple[pa.Table, pa.Table]) -> dict[int, Part]:
        """What the batch's first parts continue, by their numbers."""
        numbers = {name: i for i, name in enumerate(self._batch.carried)}
        last: dict[int, Part] = {}
        for part in stored_parts(before):
            number = numbers.get(part.id)
            if number is None:
                continue
            if number not in last or last[number].first_offset < part.first_offset:
                last[number] = part
        return last

    def _grow(self, name: str, number: int, before: Part) -> None:
        (part,) = part_list(chosen(self._batch.parts, np.array([number], np.int64)))
        grown = continued(before, part)
        self._parts.stored[before.place] = before
        self._parts.grown[before.place] = grown
        self._place_of[number] = before.place
        self._meetings[name].add_changed(mark_of(grown), mark_of(before, before.request_key))

    def pieces_wanted(self) -> list[Window]:
        """Windows round which the store's pieces are asked for."""
        return [(n, *w) for n in self._wanting for w in self._meetings[n].pieces_wanted()]

    def requests_wanted(self) -> list[Window]:
        """Windows round which the store's whole requests are asked for."""
        return [(n, *w) for n in self._wanting for w in self._meetings[n].requests_wanted()]

    def add(self, pieces: pa.Table | None, requests: pa.Table | None) -> None:
        """Take in what was asked for."""
        for part in stored_parts((pieces, requests)):
            if part.place not in self._parts.stored:
                self._parts.stored[part.place] = part
                self._meetings[part.id].add_stored(mark_of(part, part.request_key))

    def find(self) -> None:
        """Group the parts; then windows are wanted, or the requests are found."""
        self._wanting = {n for n in self._wanting if not self._meetings[n].find()}

    @property
    def is_done(self) -> bool:
        """Whether nothing more must be known."""
        return not self._wanting

    def changes(self, at: datetime) -> Changes:
        """What the commit does; ``at`` is now."""
        batch, schema = self._batch, self._batch.parts.schema
        rewrite = self.rewritten()
        plain = np.array(sorted(rewrite.plain), np.int64)
        single = few(batch.parts, plain)
        requests = [
            self._whole_requests(),
            finish_requests(kernels.select(single, single["is_request"])).combine_chunks(),
        ]
        if rewrite.requests:
            requests.append(request_table(rewrite.requests, schema))
        waiting = [kernels.select(single, ~_is_whole(single))] if len(plain) else []
        keys = self._part_keys(rewrite)
        return Changes(
            quarantined_at=at,
            rows={
                "requests": requests,
                "request_parts": waiting
                + ([part_table(rewrite.parts, schema)] if rewrite.parts else []),
                **{name: [_with_keys(rows, keys)] for name, rows in batch.records.items()},
            },
            rejects=batch.rejects,
            delete_requests=rewrite.delete_requests,
            delete_parts=rewrite.delete_parts,
            relinks=rewrite.relinks,
            earliest=rewrite.earliest - SLACK if rewrite.earliest else None,
            latest=rewrite.latest + SLACK if rewrite.latest else None,
        )

    def _whole_requests(self) -> pa.Table:
        """The rows of the batch's requests that can meet no other part."""
        batch = self._batch
        is_slow = np.zeros(len(batch.whole), np.bool_)
        is_slow[self._slow] = True
        if batch.requests is None:
            return whole_requests(batch.parts, ~is_slow)
        met = np.flatnonzero(is_slow[batch.whole])
        return in_one_piece(without(batch.requests, met)) if len(met) else batch.requests

    def rewritten(self) -> _Rewrite:
        """What changes because parts met."""
        result = _Rewrite(plain=self._apart.tolist())
        met: list[tuple[list[Mark], Found | None]] = []
        old: dict[int, set[Place]] = {}
        for part in self._parts.stored.values():
            old.setdefault(part.request_key, set()).add(part.place)
        for meeting in self._meetings.values():
            for members, found in _groups(meeting):
                number = self._parts.number_of.get(members[0].place)
                if len(members) == 1 and number is not None:
                    result.plain.append(number)
                    result.keys[members[0].place] = _NO_KEY if found is None else _OWN_KEY
                else:
                    met.append((members, found))
        parts = self._parts_of(met)
        for members, found in met:
            group = merged([parts[m.place] for m in members], found) if found else None
            self._place_group(group or alone(parts[members[0].place]), result, old)
        _delete_old(self._parts.stored.values(), result)
        return result

    def _parts_of(self, met: Sequence[tuple[list[Mark], Found | None]]) -> dict[Place, Part]:
        """The parts that have met, as values."""
        places = [m.place for members, _ in met for m in members]
        fresh = [p for p in places if p in self._parts.number_of]
        numbers = np.array([self._parts.number_of[p] for p in fresh], np.int64)
        parts = {**self._parts.stored, **self._parts.grown}
        parts.update(zip(fresh, part_list(chosen(self._batch.parts, numbers)), strict=True))
        return parts

    def _place_group(self, g: Group, result: _Rewrite, old: dict[int, set[Place]]) -> None:
        key = g.request.request_key
        link = key if g.request.is_request else None
        places = {p.place for p in g.parts}
        for part in g.parts:
            result.keys[part.place] = link
        is_stored = not any(p in self._parts.grown or p in self._parts.number_of for p in places)
        if is_stored and old.get(key) == places:
            result.kept.add(key)
            return
        result.span(g.parts)
        if g.request.is_request:
            result.requests.append(g)
        if not g.is_whole:
            result.parts.extend(g.parts)
        # stages are numbered within their part: those of several parts must be numbered anew
        if len(g.parts) > 1 or not places.isdisjoint(self._parts.stored):
            is_own = self._batch.own_stage_times or g.request.profile is not None
            for i, p in enumerate(g.parts):
                stored = self._parts.stored.get(p.place)
                known = stored.request_key if stored is not None else link
                result.relinks.append(
                    Relink(p.file_key, p.id, p.first_offset, p.last_offset, link, known, i, is_own)
                )

    def _part_keys(self, rewrite: _Rewrite) -> pa.Array:
        """The final request key of each part of the batch, null for those that are no request."""
        keys = self._batch.parts["request_key"].to_numpy().copy()
        none = np.zeros(len(keys), np.bool_)
        places = {**{n: p for p, n in self._parts.number_of.items()}, **self._place_of}
        for number, place in places.items():
            key = rewrite.keys[place]
            if key is None or key == _NO_KEY:
                none[number] = True
            elif key != _OWN_KEY:
                keys[number] = key
        return numbers(keys, ~none)


_OWN_KEY, _NO_KEY = -1, -2  # of a part that met no other


def _groups(meeting: Meeting) -> Iterator[tuple[list[Mark], Found | None]]:
    """The parts of each request, and of errors that belong to none."""
    for found in meeting.grouping.requests:
        yield found.members(), found
    for mark in meeting.grouping.alone:
        yield [mark], None


def stored_parts(tables: tuple[pa.Table | None, pa.Table | None]) -> Iterator[Part]:
    """What the store has of some ids as parts: pieces of requests, and whole requests."""
    pieces, requests = tables
    if pieces is not None and pieces.num_rows:
        yield from part_list(with_classes(pieces))
    if requests is not None and requests.num_rows:
        yield from map(part_of_request, requests.to_pylist())


def _marks(batch: Batch, numbers: Ints) -> Iterator[tuple[str, Mark]]:
    """Some of a batch's parts, with their ids."""
    table = chosen(batch.parts.select(_NEEDED), numbers)
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_instant = pa.types.is_timestamp(column.type)
        columns.append((kernels.cast(column, pa.int64()) if is_instant else column).to_pylist())
        assert name in _NEEDED
    for name, at, last, done, first, file, is_request, start, finish, took in zip(
        *columns, strict=True
    ):
        has_start, has_end = start is not None, finish is not None
        yield name, Mark(
            (file, first), kind_of(is_request, has_start, has_end), has_start and has_end, at, last,
            max(at, done if has_end else last), took_us(took) if has_end else 0,
        )  # fmt: skip


def _is_whole(parts: pa.Table) -> npt.NDArray[np.bool_]:
    """Which parts are requests that nothing can meet any more but stray records."""
    whole: npt.NDArray[np.bool_] = kernels.valid(parts["start_offset"])
    return whole & kernels.valid(parts["end_offset"])


def _apart(batch: Batch, slow: Ints, known: set[str]) -> npt.NDArray[np.bool_]:
    """Which of these parts meet none: of the batch alone, where all of an id's begin with a start.

    An end that is the only part of its id meets none either.
    """
    ids = batch.parts["id"].unify_dictionaries().combine_chunks()
    codes = kernels.filled(ids.indices, -1).to_numpy()[slow]
    stored = kernels.are_in(ids.dictionary, pa.array([*known, *batch.carried], pa.string()))
    is_start = kernels.valid(batch.parts["start_offset"])[slow]
    is_end = kernels.valid(batch.parts["end_offset"])[slow] & ~is_start
    has_others = np.zeros(len(ids.dictionary), np.bool_)
    has_others[codes[~is_start]] = True
    is_only = np.bincount(codes, minlength=len(ids.dictionary))[codes] == 1
    here = ~stored[codes]
    return here & (~has_others[codes] | (is_end & is_only))  # type: ignore[no-any-return]


def _in_company(batch: Batch, known: set[str]) -> npt.NDArray[np.bool_]:
    """Which of the chunk's parts have an id of which there are parts that may meet them."""
    ids = batch.parts["id"].unify_dictionaries().combine_chunks()
    codes = kernels.filled(ids.indices, -1).to_numpy()
    company = kernels.are_in(ids.dictionary, pa.array(sorted(known), pa.string()))
    mates = np.append(company, False)  # the last one: no id
    torn = codes[~batch.whole]
    mates[torn[torn >= 0]] = True
    return mates[codes]  # type: ignore[no-any-return]


def _delete_old(stored: Iterable[Part], result: _Rewrite) -> None:
    for part in stored:
        if part.request_key in result.kept:
            continue
        result.delete_parts.append(part.place)
        if part.is_request:
            result.delete_requests.append(part.request_key)
            result.span([part])


def _with_keys(rows: RecordRows, keys: pa.Array) -> pa.Table:
    """Rows of records with the keys of the requests that their parts are."""
    table, parts = rows.table, rows.part
    if parts is None:
        return table
    index = numbers(np.maximum(parts, 0), parts >= 0)
    at = table.column_names.index("request_key")
    column = kernels.take(keys, index) if len(keys) else pa.nulls(len(parts), pa.int64())
    return table.set_column(at, "request_key", column)
