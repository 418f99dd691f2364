"""Groups of lines that are stored, asked of the store, and those that wait for a commit."""

from collections import deque
from collections.abc import Iterable, Sequence, Set

import numpy as np

from ingest.logfiles.known import Known
from ingest.model import Checkpoint, Origin
from ingest.records.arrays import Ints
from ingest.rows.content import Group, Hashes, Stretch
from ingest.rows.content_search import MOST_ALIKE
from ingest.stores.contract import Reader
from ingest.stores.results import columns_of, rows_as

_MOST_HELD = 20_000  # groups: those of the small files that are committed together
_MOST_MARKS = 100_000  # of all stored groups, which are fetched for a file of several blocks
_MOST_ASKED = 16_000  # hashes in one statement: 320 KB of it
_AHEAD_BYTES = 256 << 10  # of a stored file, whose groups are fetched in one go
_GROUP = "file_key, byte_offset, byte_length, mark, line_hashes"
_COLUMNS = f"select {_GROUP} from stored_lines where "
# of one host's service; of groups alike, the newest. Hashes are one parameter, a text: as numbers
# of the statement, to parse them would take most of the time
_NEWEST = (
    f"select {_GROUP} from (select {_GROUP}, row_number() over (partition by mark "
    "order by file_key desc, byte_offset desc) as place from stored_lines "
    "where mark in (select unnest(cast(string_to_array(cast(:marks as text), ',') as bigint[]))) "
    "and (file_key in (select file_key from log_files where host = :host and service = :service) "
    "or file_key in (select unnest(cast(string_to_array(cast(:new as text), ',') as bigint[]))))"
    f") as alike where place <= {MOST_ALIKE}"
)


class Held:
    """Groups of this run, which may not be committed yet; only the last are kept."""

    def __init__(self) -> None:
        self._all: deque[Group] = deque()
        self._by_mark: dict[int, list[Group]] = {}
        self._by_file: dict[int, list[Group]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, groups: Iterable[Group]) -> None:
        """Add groups, in the order of their files."""
        for group in groups:
            self._all.append(group)
            self._by_mark.setdefault(group.mark, []).append(group)
            self._by_file.setdefault(group.file_key, []).append(group)
        while len(self._all) > _MOST_HELD:
            oldest = self._all.popleft()
            for index, key in ((self._by_mark, oldest.mark), (self._by_file, oldest.file_key)):
                index[key].remove(oldest)
                if not index[key]:
                    del index[key]

    def marked(self, mark: int) -> Sequence[Group]:
        """Those that begin with a line."""
        return self._by_mark.get(mark, ())

    def among(self, marks: Set[int]) -> Set[int]:
        """Those of the lines that groups begin with."""
        return marks & self._by_mark.keys()

    def of(self, file_key: int) -> Sequence[Group]:
        """Those of a file."""
        return self._by_file.get(file_key, ())


class Asked:
    """What one host's service has stored."""

    def __init__(self, reader: Reader, held: Held, known: Known, origin: Origin) -> None:
        self._reader = reader
        self._held = held
        self._known = known
        self._origin = origin
        self._looks = 0  # at a block
        self._marks: Ints | None = None  # of all stored groups, in order, where these are few

    def marked(self, hashes: Hashes) -> list[Group]:
        """Groups that begin with one of these hashes, the newest of each, in the files' order."""
        every: Ints = hashes.view(np.int64)
        marks = set(self._stored(every).tolist())
        found = [
            group
            for mark in (self._held.among(set(every.tolist())) if len(self._held) else ())
            for group in [g for g in self._held.marked(mark) if self.is_of_origin(g.file_key)][
                -MOST_ALIKE:
            ]
        ]
        listed = list(map(str, marks))
        binds = self._binds() if listed else {}
        for low in range(0, len(listed), _MOST_ASKED):
            some = ",".join(listed[low : low + _MOST_ASKED])
            found += self._groups(_NEWEST, {**binds, "marks": some})
        return sorted(dict.fromkeys(found), key=lambda g: (g.file_key, g.byte_offset))

    def _binds(self) -> dict[str, object]:
        """Which files are the origin's: those that are stored, and the open transaction's."""
        new = [k for k in self._known.not_stored if self.is_of_origin(k)]
        return {
            "host": self._origin.host,
            "service": self._origin.service,
            "new": ",".join(map(str, [0, *new])),  # no file has 0
        }

    def _stored(self, marks: Ints) -> Ints:
        """Those of these hashes that a stored group may begin with.

        From a file's second block on, all that groups begin with are fetched, where they are few:
        most blocks have none of them, and a question takes longer than to know that.
        """
        self._looks += 1
        if self._looks == 2:
            self._marks = self._all_marks()
        if self._marks is None:
            return marks
        if not len(self._marks):
            return marks[:0]
        places = np.minimum(np.searchsorted(self._marks, marks), len(self._marks) - 1)
        known: Ints = marks[self._marks[places] == marks]
        return known

    def _all_marks(self) -> Ints | None:
        ((count,),) = self._reader.query("select count(*) from stored_lines", None).rows
        if not isinstance(count, int) or count > _MOST_MARKS:
            return None
        rows = self._reader.query("select mark from stored_lines", None).rows
        return np.sort(np.array(columns_of(rows)[0] if len(rows) else [], np.int64))

    def before(self, file_key: int, offset: int) -> Group | None:
        """The group of a file that ends at an offset."""
        for group in self._held.of(file_key):
            if group.end == offset:
                return group
        sql = _COLUMNS + "file_key = :key and byte_offset + byte_length = :offset limit 1"
        found = self._groups(sql, {"key": file_key, "offset": offset})
        return found[0] if found else None

    def behind(self, file_key: int, offset: int) -> list[Group]:
        """The next groups of a file from an offset on."""
        end = offset + _AHEAD_BYTES
        sql = _COLUMNS + "file_key = :key and byte_offset >= :offset and byte_offset < :end"
        stored = self._groups(sql, {"key": file_key, "offset": offset, "end": end})
        return [*stored, *(g for g in self._held.of(file_key) if offset <= g.byte_offset < end)]

    def goes_on(self, stretch: Stretch, own: Checkpoint, offset: int) -> bool:
        """Whether a stretch follows in one file what another has before an offset: one of the two
        is known to be, up to there, a copy of the other.
        """
        sql = (
            "select 1 from known_stretches where file_key = :key "
            "and byte_offset + byte_length = :end and stored_file_key = :other "
            "and stored_offset + byte_length = :other_end limit 1"
        )
        here, there = (own.file_key, offset), (stretch.stored_file_key, stretch.stored_offset)
        for (key, end), (other, other_end) in ((here, there), (there, here)):
            binds = {"key": key, "end": end, "other": other, "other_end": other_end}
            if self._reader.query(sql, binds).rows:
                return True
        return False

    def within(self, place: Stretch) -> list[Group]:
        """Groups of a stored file that reach into a place, in order."""
        key = place.stored_file_key
        sql = _COLUMNS + (
            "file_key = :key and byte_offset < :end and byte_offset + byte_length > :begin"
        )
        binds: dict[str, object] = {
            "key": key,
            "begin": place.stored_offset,
            "end": place.stored_end,
        }
        found = {*self._held.of(key), *self._groups(sql, binds)}
        return sorted(found, key=lambda g: g.byte_offset)

    def _groups(self, sql: str, binds: dict[str, object] | None) -> list[Group]:
        """Stored groups of files that this run knows; another ingest, without the lock, may have
        stored more since the run began: this one's commit will be refused.
        """
        found = rows_as(Group, self._reader.query(sql, binds).rows)
        return [group for group in found if self._known.find(group.file_key) is not None]

    def is_of_origin(self, file_key: int) -> bool:
        """Whether a file is known, and of the host and service at hand."""
        checkpoint = self._known.find(file_key)
        own = self._origin
        return checkpoint is not None and (checkpoint.host, checkpoint.service) == (
            own.host,
            own.service,
        )
