"""What of a file's new bytes is stored already, and reading around it."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.logfiles import rotation
from ingest.logfiles.known import Known
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Action
from ingest.logfiles.stat import FileStat
from ingest.model import EPOCH, Origin
from ingest.pipeline.asked_content import Asked, Held
from ingest.pipeline.edited_content import clocks, looked_at_again, with_cut_lines
from ingest.pipeline.look import Look, Sources, blocks, is_beside, most_stored
from ingest.pipeline.stored_records import (
    HeldRecords,
    Offers,
    Parse,
    Places,
    Sampled,
    joined,
    places_at,
)
from ingest.records.arrays import Ints
from ingest.rows.content import (
    LEAST_STAMPED,
    Group,
    Stretch,
    lines_of,
    recognised,
    stored_lines,
    stretch_rows,
)
from ingest.rows.content_search import Search
from ingest.stores.contract import Reader, Store

if TYPE_CHECKING:
    from ingest.records.parse import Parsed
    from ingest.rows.chunk import ChunkRows

_MOST_EDITED = 1 << 20  # bytes beside stretches among which edited lines are looked for
_LEAST_BYTES = 16  # fewer new bytes hold no record
_LEAST_BEGUN = 2  # lines with a time with which a rotated file begins as its log's archive has it


class Content:
    """Stored lines, and those of this run that are not committed yet.

    ``tz`` is the zone of times that name none; ``is_usable``: the store is at head.
    """

    def __init__(self, store: Store, known: Known, tz: tzinfo = UTC, *, is_usable: bool) -> None:
        self.is_usable = is_usable
        self._tz = tz
        self._store = store
        self._known = known
        self._held = Held()
        self._held_records = HeldRecords()

    def hold(self, batches: "Sequence[ChunkRows]") -> None:
        """Add rows that wait for a commit; only the last are kept: it comes soon."""
        for batch in batches:
            self._held_records.add(batch)
        tables = [b.content["stored_lines"] for b in batches if "stored_lines" in b.content]
        self._held.add(Group(*row.values()) for t in tables for row in t.to_pylist())

    def ends_in(self, stretch: Stretch) -> bool:
        """Whether the stored part of a file ends with a stretch; not of one that is read anew."""
        known = self._known.find(stretch.stored_file_key)
        return known is not None and stretch.stored_end >= known.committed_offset

    def knows(self, file_key: int) -> bool:
        """Whether lines of a file can be recognised: older versions stored no hashes. What is
        stored from another place has its hashes there.
        """
        sql = (
            "select 1 from stored_lines where file_key = :key union all "
            "select 1 from known_stretches where file_key = :key limit 1"
        )
        with self._store.reading() as reader:
            stored = reader.query(sql, {"key": file_key}).rows
        return bool(stored) or bool(self._held.of(file_key))

    def has_any(
        self, opened: OpenLog, origin: Origin, parse: Parse, data: bytes, newest: int
    ) -> bool:
        """Whether any line of ``data``, a file's first lines, may be stored; ``newest`` is the
        latest instant that is.
        """
        if not self.is_usable:
            return False
        with self._store.reading() as reader:
            asked = Asked(reader, self._held, self._known, origin)
            sampled = self._sampled(opened, asked, reader, origin, parse, newest)
            search = Search(asked.marked, asked.before, asked.behind)
            search.feed(lines_of(data, 0, final=False))
            if sampled is not None:
                sampled.look_at(data, 0)
            return bool(search.end()) or (sampled is not None and sampled.has_found)

    def stretches(
        self,
        opened: OpenLog,
        origin: Origin,
        parse: Parse | None = None,
        *,
        final: bool = False,
    ) -> list[Stretch]:
        """Which bytes after an opened file's offset are stored already, from another place; with
        ``parse``, which parses a piece of the file, few lines are recognised by their records, too.
        ``final``: nothing follows its end.
        """
        if not self.is_usable or opened.file.stat.stored_bytes < _LEAST_BYTES:
            return []
        with self._store.reading() as reader:
            if (
                not len(self._held)
                and not reader.query("select 1 from stored_lines limit 1", None).rows
            ):
                return []
            asked = Asked(reader, self._held, self._known, origin)
            sampled = self._sampled(opened, asked, reader, origin, parse)
            look = Look(opened, asked, sampled, final)
            result = self._recognised(look, Search(asked.marked, asked.before, asked.behind))
            result, look = self._by_records(result, look)
            stat = opened.file.stat
            result = self._with_ends(result, look)
            if any(s.is_edited for s in result):
                result = looked_at_again(
                    result,
                    blocks(opened),
                    asked.within,
                    clocks(self._tz, stat.modified_ns // 1000),
                    self._last_instant,
                    lambda s: self._is_in_place(s, opened),
                )
                opened.reader.go_back(opened.offset)
            result = self._with_changed(result, look)
            if result:
                is_piece = look.is_all_known(result)
                result = with_cut_lines(
                    result, blocks(opened), opened.offset,
                    lambda key: is_piece or self._known.may_be_left_of(key, stat),
                )  # fmt: skip
                opened.reader.go_back(opened.offset)
            return result

    def _sampled(
        self,
        opened: OpenLog,
        asked: Asked,
        reader: Reader,
        origin: Origin,
        parse: Parse | None,
        latest: int | None = None,
    ) -> Sampled | None:
        """What samples a file's records that may be stored from other files: those no younger than
        what these say, or than ``latest``.
        """
        own = opened.decision.checkpoint
        own_key = None if own is None else own.file_key
        newest = self._known.newest_beside(own_key, origin.host, origin.service)
        if parse is None or newest is None:
            return None

        def places(instants: Ints) -> Places:
            return {
                at: [s for s in every if s.file_key != own_key and asked.is_of_origin(s.file_key)]
                for at, every in places_at(reader, self._held_records, instants).items()
            }

        said = (newest - EPOCH) // timedelta(microseconds=1)
        return Sampled(asked, parse, said if latest is None else max(said, latest), places)

    def _recognised(self, look: Look, search: Search) -> list[Stretch]:
        """What a search finds in the file, as far as it counts as stored."""
        rest: list[bytes] = []
        for data, base in blocks(look.opened, rest):
            lines = lines_of(data, base, final=False)
            look.take(data, base, lines)
            search.feed(lines)
            if look.offers is None and look.sampled is not None and not search.has_all_from(base):
                look.sampled.look_at(data, base)
        if look.is_final and look.sampled is not None and look.offers is None and any(rest):
            look.cut = look.sampled.cut(rest[0], look.end)
        look.told = joined(look.records)
        return recognised(
            search.end(),
            lambda s: self._is_sure(s, look),
            self._is_whole,
            lambda s: len(look.told.of(s)) > 0,
            lambda s: self._is_enough(s, look),
        )

    def _by_records(self, found: list[Stretch], look: Look) -> tuple[list[Stretch], Look]:
        """The stretches; where records beside them are stored, those that a search finds which
        knows where these are. And the look that found them.
        """
        beside = [] if look.sampled is None else look.sampled.beside(found)
        if not beside:
            return found, look
        offers = Offers(look.asked)
        search = Search(offers.marked, offers.before, look.asked.behind)
        look = replace(look, offers=offers, beside=beside)
        return self._recognised(look, search), look

    def _with_changed(self, found: list[Stretch], look: Look) -> list[Stretch]:
        """The stretches, and edited records beside them: of the same log, request, event and
        instant as a stored one; or behind or before a stretch as a stored one of that instant is.
        """
        if look.sampled is None:
            return found
        changed = look.sampled.changed if look.offers is None else look.offers.changed
        log = look.opened.file.stat
        result = list(found)
        begins = [s.begin for s in result]
        known = Sources(found)  # what stands as it was is not what was edited
        for one in sorted([*changed, *look.cut], key=lambda c: (c.begin, not c.is_it)):
            n = bisect_right(begins, one.begin)
            before = result[n - 1] if n else None
            behind = result[n] if n < len(result) else None
            if before is not None and before.end > one.begin:
                continue
            is_next = any(s is not None and is_beside(one, s) for s in (before, behind))
            is_it = one.is_it and self._known.may_be_left_of(one.stored.file_key, log)
            if not (is_next or is_it) or known.has(one.stored.file_key, one.stored.offset):
                continue
            end = one.end if behind is None else min(one.end, behind.begin)
            key, offset = one.stored.file_key, one.stored.offset
            stored_end = offset + end - one.begin
            is_edited = one.begin < look.end
            result.insert(n, Stretch(one.begin, end, key, offset, stored_end, 0, is_edited))
            begins.insert(n, one.begin)
        return result

    def _is_enough(self, stretch: Stretch, look: Look) -> bool:
        """Whether the records of a stretch are such as a log has once: of a request, or logged at a
        moment finer than a second; one alone that is not both may be said twice.
        """
        key, own = stretch.stored_file_key, look.opened.decision.checkpoint
        told = look.told.of(stretch)
        if not len(told) or (own is not None and own.file_key == key):
            return False
        if self._known.may_be_left_of(key, look.opened.file.stat):
            return told.has_one_for_good or min(len(told), stretch.stamped) > 1
        return told.named >= _LEAST_BEGUN and look.is_all(stretch)

    def _is_sure(self, stretch: Stretch, look: Look) -> bool:
        """Whether no second writer can have written the few lines of a stretch: they are what is
        left of a file that stood here, or all of one of the same log, or what it begins with.
        """
        opened, asked, span = look.opened, look.asked, look.span
        key, stat = stretch.stored_file_key, opened.file.stat
        own = opened.decision.checkpoint
        if own is not None and own.file_key == key:
            return False
        is_next = own is not None and stretch.begin == opened.offset > 0
        if own is not None and is_next and asked.goes_on(stretch, own, opened.offset):
            return True
        is_first = own is None or own.records == 0
        is_all = stretch.end >= span[1]
        gathers = self._known.gathers(key, stat)
        # what a trim has left begins a file, or is gathered behind what a file has
        is_rest = self._known.may_be_left_of(key, stat) and (is_first or gathers)
        is_end = opened.decision.reason == "edited" or self.ends_in(stretch)
        if is_rest and is_end and not self._known.stands_elsewhere(key, stat):
            return True
        if gathers:
            is_beginning = is_all and stretch.stored_offset == 0
            return self._is_whole(stretch) or is_beginning
        # one line may end a log and begin the next
        begins = stretch.begin == span[0] and stretch.stamped >= _LEAST_BEGUN
        is_begun = begins and rotation.is_counted(str(stat.path))
        return is_first and (is_all or is_begun) and self._known.is_gathered_in(key, stat)

    def _is_whole(self, stretch: Stretch) -> bool:
        """Whether a stretch is all that is stored of a file, but for what is no record."""
        size = stretch.stored_end - stretch.stored_offset
        known = self._known.known(stretch.stored_file_key)
        return known.record_bytes <= size and self.ends_in(stretch)

    def _with_ends(self, found: list[Stretch], look: Look) -> list[Stretch]:
        """The stretches, and before and behind them what may be further lines of the same files,
        edited or with others missing between them.
        """
        if not found:
            return found
        opened = look.opened
        first, last, stat = found[0], found[-1], opened.file.stat
        is_plain = opened.file.compression == "none"
        size = first.begin - opened.offset
        is_near = size <= _MOST_EDITED or self._is_in_place(first, opened)
        ahead: list[Stretch] = []
        if size and first.stored_offset and is_near and not self._is_alone(first, found, look):
            stored = max(0, first.stored_offset - most_stored(size))
            ahead = [Stretch(
                opened.offset, first.begin, first.stored_file_key, stored, first.stored_offset, 0,
                True, 0, first.first_lines,
            )]  # fmt: skip
        end = self._known.known(last.stored_file_key).committed_offset
        most = last.end + _MOST_EDITED
        stop = min(stat.stored_bytes, most) if is_plain else most
        behind: list[Stretch] = []
        if last.end < stop and last.stored_end < end and not self._is_alone(last, found, look):
            stored = min(end, last.stored_end + most_stored(stop - last.end))
            behind = [Stretch(
                last.end, stop, last.stored_file_key, last.stored_end, stored, 0, True,
                last.last_lines, 0,
            )]  # fmt: skip
        return [*ahead, *found, *behind]

    def _is_alone(self, stretch: Stretch, found: Sequence[Stretch], look: Look) -> bool:
        """Whether a stretch counts by itself alone, so that what is beside it is no edit."""
        same = [s for s in found if s.stored_file_key == stretch.stored_file_key]
        if sum(s.stamped for s in same) >= LEAST_STAMPED or not self._is_enough(stretch, look):
            return False
        return not any(self._is_sure(s, look) for s in same)

    def _is_in_place(self, stretch: Stretch, opened: OpenLog) -> bool:
        """Whether a file, read from its beginning, is the one that a stretch is of."""
        is_whole = opened.decision.action is Action.START and opened.file.compression == "none"
        return is_whole and self._stood_here(stretch, opened.file.stat)

    def _stood_here(self, stretch: Stretch, stat: FileStat) -> bool:
        key = stretch.stored_file_key
        return self._known.was_at(key, stat) and not self._known.is_present(key)

    def _last_instant(self, file_key: int) -> int | None:
        last = self._known.known(file_key).last_logged_at
        return None if last is None else (last - EPOCH) // timedelta(microseconds=1)


def known_stretches(store: Store, file_key: int) -> list[Stretch]:
    """What of a file was stored from another place, in order."""
    sql = (
        "select byte_offset, byte_offset + byte_length, stored_file_key, stored_offset, "
        "stored_offset + byte_length, case when is_edited then 1 else 0 end "
        "from known_stretches where file_key = :key order by 1"
    )
    with store.reading() as reader:
        rows = reader.query(sql, {"key": file_key}).rows
    numbers = [[int(str(value)) for value in row] for row in rows]
    return [Stretch(a, b, k, o, e, 0, bool(edited)) for a, b, k, o, e, edited in numbers]


def content_rows(parsed: "Parsed", file_key: int, known: Sequence[Stretch]) -> dict[str, pa.Table]:
    """What a chunk adds to the tables of stored lines; ``known`` are the file's stretches."""
    if parsed.ledger.already_stored_bytes:
        end = parsed.base + parsed.consumed
        low = bisect_left(known, end - parsed.ledger.already_stored_bytes, key=lambda s: s.begin)
        high = bisect_right(known, end, lo=low, key=lambda s: s.end)
        return {"known_stretches": stretch_rows(known[low:high], file_key)}
    data = parsed.original[: parsed.consumed]
    lines = stored_lines(lines_of(data, parsed.base, final=True), file_key)
    return {} if lines is None else {"stored_lines": lines}
