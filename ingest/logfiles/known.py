"""The known log files during a run: recognised by content, advanced by commits."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ingest.errors import LogFileError
from ingest.logfiles import reader, rotation
from ingest.logfiles.compression import PACKED
from ingest.logfiles.fingerprint import ANCHOR_BYTES, Match, anchor, anchor_length, compare, covered
from ingest.logfiles.known_index import KnownFiles
from ingest.logfiles.resume import Action, Anchored, Candidate, Decision, decide
from ingest.logfiles.stat import FileStat, stat_file
from ingest.model import Checkpoint
from ingest.paths import real, target

_MOST_HEAD_BYTES = 64 << 20  # kept of the files of a run
_TELLING_BYTES = 64  # a stamp and something behind it


class LogFile(NamedTuple):
    """A log file on disk: its first bytes, or the known file that it still is, untouched."""

    stat: FileStat
    head: bytes
    compression: str
    # file_key of the known file with this very path, inode, size and time
    untouched: int | None = None
    is_forgotten: bool = False  # its first bytes are to be read anew


class Known:
    """All known files, by what identifies them; keeps what this run learns."""

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        self._files = KnownFiles(checkpoints)
        self._stored = {c.file_key: c for c in self._files}
        self._not_stored: set[int] = set()
        self._present: dict[int, list[FileStat]] = {}
        self._plain: dict[bytes, list[FileStat]] = {}  # uncompressed files by their first bytes
        self._found_again: set[int] = set()
        self._rejected: set[tuple[Path, int]] = set()
        self._last_key = max(self._stored, default=0)
        self._head_bytes = 0  # of the files looked at
        self._inodes: dict[tuple[int, int], Path] = {}  # of these
        self._has_packed = False  # one of these is compressed

    def observe(
        self, paths: Iterable[Path], problem: Callable[[LogFileError], None]
    ) -> list[LogFile]:
        """Look at files, oldest first; those that cannot be looked at are told to ``problem``.

        A file that was known under one of the paths and is there no more is searched among its
        rotated siblings, with the files that were rotated since.
        """
        seen: dict[Path, LogFile] = {}
        for path in paths:
            self._observe(path, seen, problem)
        for path in list(seen):
            for sibling in self._displaced(path, seen):
                self._observe(sibling, seen, problem)
        return sorted(
            seen.values(),
            key=lambda f: (f.stat.modified_ns, rotation.age(str(f.stat.path)), str(f.stat.path)),
        )

    def _observe(
        self,
        path: Path,
        seen: dict[Path, LogFile],
        problem: Callable[[LogFileError], None],
    ) -> None:
        if path in seen:
            return
        try:
            stat = stat_file(path)
            same = self._inodes.setdefault((stat.device, stat.inode), path)
            if same != path and target(same) == target(path):
                return
            file = self._look(stat)
            keys = self._keys_of(file)
        except LogFileError as error:
            problem(error)
            return
        if file.head and file.compression == "none":
            self._plain.setdefault(file.head[:_TELLING_BYTES], []).append(stat)
        self._has_packed |= file.compression != "none"
        seen[path] = self._without_head(file)
        for key in keys:
            self._present.setdefault(key, []).append(stat)

    def _look(self, stat: FileStat) -> LogFile:
        for c in self._files.at_path(str(stat.path)):
            if _untouched(c, stat):
                return LogFile(stat, b"", c.compression, c.file_key)
        head, compression = reader.read_head(stat)
        return LogFile(stat, head, compression)

    def _without_head(self, file: LogFile) -> LogFile:
        """The file; of very many, memory does not hold what was seen of each."""
        self._head_bytes += len(file.head)
        if self._head_bytes <= _MOST_HEAD_BYTES or not file.head:
            return file
        return file._replace(head=b"", is_forgotten=True)

    def seen_again(self, file: LogFile) -> LogFile:
        """The file with its first bytes, looked at anew where they were forgotten.

        :raises LogFileError: when it cannot be read.
        """
        return self._look(stat_file(file.stat.path)) if file.is_forgotten else file

    def _keys_of(self, file: LogFile) -> list[int]:
        if file.untouched is not None:
            return [file.untouched]
        return [
            c.file_key
            for c in self._files.full(file.head)
            if not _is_vague(c, file.stat)
            and compare(c.fingerprint, file.head)[0] is Match.FULL
            and _anchored(c, file) in (Anchored.EQUAL, Anchored.UNKNOWN)
        ]

    def _displaced(self, path: Path, seen: dict[Path, LogFile]) -> list[Path]:
        """Rotated siblings to examine: the known file has left this path, or one has a tail."""
        gone = [
            c
            for c in self._files.rotated_from(str(path))
            if c.file_key not in self._present
            and (c.path == str(path) or (_has_tail(c) and rotation.is_rotated(c.path, path)))
        ]
        if not gone:
            return []
        since = min(c.modified_ns for c in gone)
        with suppress(OSError):
            if os.stat(real(path)).st_mtime_ns < since:
                since = 0  # the clock was set back: it tells nothing of what is newer
        found = []
        inodes = {c.inode for c in gone}
        for sibling in rotation.rotated_siblings(path, inodes):
            try:
                if os.stat(real(sibling)).st_mtime_ns >= since and sibling not in seen:
                    found.append(sibling)
            except OSError:
                continue
        return found

    def decide(self, file: LogFile, *, final: bool = False) -> Decision:
        """Where to start in a file; ``final``: its tail is read too. See :mod:`.resume`.

        :raises LogFileError: when it cannot be read.
        """
        if file.untouched is not None:
            decision = self._untouched_decision(file, final)
            if decision.action is not Action.RESUME or decision.offset:
                return decision
            # all of it waited; meanwhile it may have been stored from another file
            file = LogFile(file.stat, *reader.read_head(file.stat))
        candidates = []
        for c in self._files.alike(file.head, file.stat):
            if (file.stat.path, c.file_key) in self._rejected or not c.committed_offset:
                continue
            match, equal, anchored = self._compared(c, file)
            if match is Match.NONE:
                continue
            elsewhere = any(
                not _same_inode(s, file.stat) for s in self._present.get(c.file_key, [])
            )
            candidates.append(
                Candidate(c, match, equal, anchored, _same_place(c, file.stat), elsewhere)
            )
        decision = decide(candidates)
        waiting = self._waiting_at(file)
        if waiting is None:
            return decision
        if decision.action is Action.START:
            return Decision(Action.RESUME, waiting, 0, "known")
        # what was empty, or too short to tell, turns out to be a copy of a known file
        self.update(waiting._replace(state="replaced", note="a copy of a known file"))
        return decision

    def _compared(self, c: Checkpoint, file: LogFile) -> tuple[Match, int, Anchored]:
        """How a known file compares with this one; a shorter copy needs a proof."""
        match, equal = compare(c.fingerprint, file.head)
        anchored = _anchored(c, file) if match is Match.FULL else Anchored.UNKNOWN
        if match is Match.PREFIX and not self._is_copy(c, file, equal):
            return Match.PARTLY, equal, anchored
        if anchored is Anchored.SHORT and not self._is_copy(c, file, equal):
            return match, equal, Anchored.DIFFERENT
        return match, equal, anchored

    def _is_copy(self, c: Checkpoint, file: LogFile, equal: int) -> bool:
        """Whether a file is the beginning of a known one: its last bytes are that one's there.

        Where that is gone, a dated record that both have is proof enough, or that there is none in
        the file yet; for a compressed file without any, all of what was seen of it.
        """
        original = self._original(c, file.stat)
        if original is not None and file.compression == "none":
            end, length = file.stat.stored_bytes, min(ANCHOR_BYTES, file.stat.stored_bytes)
            last = reader.read_before(file.stat, end, length)
            return last == reader.read_before(original, end, length)
        header = c.header_offset or 0
        if original is not None and not header:
            return reader.read_head(original, len(file.head))[0] == file.head
        return 0 < header <= equal or len(file.head) < header

    def _original(self, c: Checkpoint, stat: FileStat) -> FileStat | None:
        """Where else than in the file at hand the content of a known file stands."""
        for place in self._present.get(c.file_key, []):
            if not _same_inode(place, stat):
                return place
        last = Path(c.path)
        for path in (last, *rotation.rotated_siblings(last, {c.inode})):
            with suppress(LogFileError):
                place = stat_file(path)
                if _unchanged(c, place) and not _same_inode(place, stat):
                    return place
        return None

    def _untouched_decision(self, file: LogFile, final: bool) -> Decision:
        c = self._files[file.untouched or 0]
        if c.state != "damaged" and _has_tail(c) and self.is_finished(file, final=final):
            return Decision(Action.RESUME, c, c.committed_offset, "known")
        return Decision(Action.SKIP, c, c.committed_offset, "nothing new")

    def _waiting_at(self, file: LogFile) -> Checkpoint | None:
        """The known file, nothing of it stored yet, that a file is."""
        for c in self._files.alike(file.head, file.stat):
            if c.committed_offset or (c.state == "replaced" and not c.lost_bytes):
                continue  # what was counted as lost may be there again
            if c.fingerprint is None and c.path == str(file.stat.path) and _is_inode(c, file.stat):
                return c
            if not _is_vague(c, file.stat) and compare(c.fingerprint, file.head)[0] is Match.FULL:
                return c
        return None

    def is_finished(self, file: LogFile, *, final: bool) -> bool:
        """Whether nothing will follow a file's end: --final, compressed, or rotated for good."""
        if final:
            return True
        if file.compression != "none":
            return not self._grows_elsewhere(file)
        keys = [file.untouched] if file.untouched is not None else self._keys_of(file)
        moved = any(_is_moved(self._files[k], file.stat) for k in keys)
        if not moved and not rotation.has_successor(file.stat, file.head):
            return False
        places = [s for k in keys for s in self._present.get(k, [])]
        return all(_same_inode(s, file.stat) or rotation.has_successor(s) for s in places)

    def _grows_elsewhere(self, file: LogFile) -> bool:
        """Whether a compressed file is a copy of a log that is still written."""
        keys = [file.untouched] if file.untouched is not None else self._keys_of(file)
        places = [s for k in keys for s in self._present.get(k, [])]
        places += self._plain.get(file.head[:_TELLING_BYTES], []) if file.head else []
        return any(
            s.path.suffix not in PACKED
            and not _same_inode(s, file.stat)
            and not rotation.has_successor(s)
            and self._holds_more(s, file)
            for s in places
        )

    def _holds_more(self, place: FileStat, file: LogFile) -> bool:
        """Whether a plain file begins with all of what was seen of a compressed one's beginning."""
        with suppress(LogFileError):
            return reader.read_head(place, len(file.head))[0] == file.head
        return False

    def reject(self, file: LogFile, decision: Decision) -> None:
        """A compressed file turned out, on reading, not to be the known file it resembled."""
        if decision.checkpoint is not None:
            self._rejected.add((file.stat.path, decision.checkpoint.file_key))

    def go_on_elsewhere(self, file_keys: Iterable[int]) -> None:
        """The stored part of these files ends in a file that is read now, which so goes on with
        what they held back.
        """
        self._found_again.update(file_keys)

    def take_lost(self, file: LogFile, decision: Decision) -> int:
        """Bytes of the file formerly at this place that were seen, never read, and are nowhere
        now.
        """
        if decision.action is not Action.START:
            return 0
        lost = 0
        for c in self._files.at_place(file.stat):
            if c.file_key not in self._present and c.state != "replaced":
                gone = max(0, c.size_bytes - c.committed_offset)
                if c.file_key in self._found_again or (gone and self._is_copied(c)):
                    gone = 0
                note = (
                    f"truncated or replaced before its last {gone} bytes were read"
                    if gone
                    else "replaced"
                )
                lost += gone
                self.update(c._replace(state="replaced", note=note, lost_bytes=c.lost_bytes + gone))
        return lost

    def take_gone(self, host: str, is_named: Callable[[Path], bool]) -> Iterator[Checkpoint]:
        """Files of a host that would have been read, whose last bytes were seen, never read, and
        stand nowhere now: noted as lost, until such a file is there again.
        """
        for c in list(self._files):
            awaited = c.state in ("live", "waiting") and c.host == host and _has_tail(c)
            if not awaited or c.file_key in self._present or c.file_key in self._found_again:
                continue
            if is_named(Path(c.path)) and not self._may_stand(c) and not self._is_copied(c):
                gone = c.size_bytes - c.committed_offset
                note = f"removed before its last {gone} bytes were read"
                lost = c.lost_bytes + gone
                self.update(c._replace(state="replaced", note=note, lost_bytes=lost))
                yield self._files[c.file_key]

    def _may_stand(self, c: Checkpoint) -> bool:
        """Whether a known file is still at its path, or beside it under a name that no log has."""
        if os.path.lexists(real(c.path)):
            return True
        if c.committed_offset == 0 and covered(c.fingerprint) < _TELLING_BYTES and self._has_packed:
            return True  # too little to tell it by in a compressed file
        if (c.device, c.inode) in self._inodes:
            return False  # another file has got it
        try:
            with os.scandir(real(Path(c.path).parent)) as beside:
                return any(entry.inode() == c.inode for entry in beside)
        except OSError as error:
            return not isinstance(error, FileNotFoundError)

    def _is_copied(self, c: Checkpoint) -> bool:
        """Whether all that was seen of a file, too little to tell it by, begins another one, whose
        rows are or will be stored.
        """
        if c.committed_offset or covered(c.fingerprint) >= _TELLING_BYTES:
            return False
        return any(self._files[key].fingerprint == c.fingerprint for key in self._present) or any(
            compare(c.fingerprint, head)[0] is Match.FULL
            and not all(_is_inode(c, stat) for stat in stats)
            for head, stats in self._plain.items()
        )

    def predecessor(self, file: LogFile, own_key: int | None) -> Checkpoint | None:
        """The known file of the series that a new file goes on with, all of it read; None where
        none is known.
        """
        return self._predecessor(str(file.stat.path), own_key)

    def series(self, paths: Iterable[str]) -> list[list[Checkpoint]]:
        """The series of these paths: their known files of which something is stored, oldest
        first.
        """
        lives = sorted({rotation.age(path)[0] for path in paths})
        return [[known for _, known in sorted(self._aged(live), key=_by_age)] for live in lives]

    def _aged(self, live: str) -> Iterator[tuple[tuple[str, int, int], Checkpoint]]:
        """The known files of a series of which something is stored, with their ages."""
        for c in self._files.rotated_from(live):
            if c.committed_offset:
                places = [str(s.path) for s in self._present.get(c.file_key, ())] or [c.path]
                at = max(map(rotation.age, places))
                if at[0] == live:
                    yield at, c

    def _predecessor(self, path: str, own_key: int | None) -> Checkpoint | None:
        own = rotation.age(path)
        older = (f for f in self._aged(own[0]) if f[0] <= own and f[1].file_key != own_key)
        newest = max(older, key=_by_age, default=None)
        if newest is None or newest[1].committed_offset < newest[1].size_bytes:
            return None
        return newest[1]

    def is_where_it_was(self, checkpoint: Checkpoint) -> bool:
        """Whether a known file is at the path where it was last seen."""
        try:
            found = os.stat(checkpoint.path)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (checkpoint.device, checkpoint.inode)

    def next_key(self, new: Callable[[int], int]) -> int:
        """A file_key that no known file has: ``new`` makes it of the greatest so far."""
        self._last_key = new(self._last_key)
        return self._last_key

    def update(self, checkpoint: Checkpoint) -> None:
        """Set what is known of a file."""
        self._files.put(checkpoint)
        if checkpoint.file_key not in self._stored:
            self._not_stored.add(checkpoint.file_key)

    def stored(self, checkpoint: Checkpoint) -> None:
        """A checkpoint has been committed; what has become known of its file meanwhile stays."""
        self._stored[checkpoint.file_key] = checkpoint
        self._not_stored.discard(checkpoint.file_key)

    def revert(self, file_keys: Iterable[int]) -> None:
        """Forget what was learnt of files since they were stored: their commit has failed."""
        for key in file_keys:
            if key in self._stored:
                self._files.put(self._stored[key])
            else:
                self._drop(key)

    def present(self, file_key: int, stat: FileStat) -> None:
        """A file of this run holds this content."""
        self._present.setdefault(file_key, []).append(stat)

    def changed(self) -> list[Checkpoint]:
        """Files whose stored row is out of date."""
        return [c for c in self._files if self._stored.get(c.file_key) != c]

    def known(self, file_key: int) -> Checkpoint:
        """What is known of a file now."""
        return self._files[file_key]

    @property
    def has_files(self) -> bool:
        """Whether any file is known."""
        return bool(self._stored)

    def find(self, file_key: int) -> Checkpoint | None:
        """What is known of a file, if anything is."""
        return self._files.get(file_key)

    def newest_beside(self, file_key: int | None, host: str, service: str) -> datetime | None:
        """The latest instant stored of a host's service from other files than one."""
        return self._files.newest_beside(file_key, host, service)

    def was_at(self, file_key: int, stat: FileStat) -> bool:
        """Whether a known file was last seen at the path or the inode of one on disk."""
        return _same_place(self._files[file_key], stat)

    def may_be_left_of(self, file_key: int, stat: FileStat) -> bool:
        """Whether a file on disk has the path of a known one, or is of the same log by name.

        The inode of one that is gone says nothing: it is given to the next new file.
        """
        path = self._files[file_key].path
        return path == str(stat.path) or rotation.same_log(path, str(stat.path))

    def gathers(self, file_key: int, stat: FileStat) -> bool:
        """Whether a file on disk is, by its name, what a known log is gathered in.

        A live file and one that is numbered or dated is not: it may begin with the very line that
        ends the one before it.
        """
        return _gathers(str(stat.path), self._files[file_key].path)

    def is_gathered_in(self, file_key: int, stat: FileStat) -> bool:
        """Whether a known file is, by its name, what the log of one on disk is gathered in."""
        return _gathers(self._files[file_key].path, str(stat.path))

    def stands_elsewhere(self, file_key: int, stat: FileStat) -> bool:
        """Whether what is stored of a known file is in another file than this one."""
        return self.is_present(file_key) or self._original(self._files[file_key], stat) is not None

    def is_present(self, file_key: int) -> bool:
        """Whether a file of this run holds this content."""
        return file_key in self._present

    def offsets(self, file_keys: Iterable[int]) -> dict[int, int | None]:
        """The offsets up to which files are stored; None for files without a checkpoint."""
        return {
            k: self._stored[k].committed_offset if k in self._stored else None for k in file_keys
        }

    def forget(self, file_keys: Iterable[int]) -> None:
        """Take back what is known of new files: their rows will not be stored."""
        for key in file_keys:
            self._drop(key)

    def _drop(self, file_key: int) -> None:
        self._files.drop(file_key)
        self._not_stored.discard(file_key)

    @property
    def not_stored(self) -> Collection[int]:
        """Keys of the files that no commit has noted yet."""
        return self._not_stored


def _gathers(archive: str, path: str) -> bool:
    return rotation.is_gathering(archive) and rotation.same_log(archive, path)


def _has_tail(c: Checkpoint) -> bool:
    return c.size_bytes > c.committed_offset


def _same_inode(a: FileStat, b: FileStat) -> bool:
    return a.inode == b.inode and a.device == b.device


def _is_moved(c: Checkpoint, stat: FileStat) -> bool:
    """Whether a file was renamed, and another one has taken its place."""
    is_it = _is_inode(c, stat) and c.path != str(stat.path)
    return is_it and rotation.is_followed(Path(c.path), stat)


def _untouched(c: Checkpoint, stat: FileStat) -> bool:
    told = c.path == str(stat.path) and c.state not in ("replaced", "edited")
    return told and _unchanged(c, stat)


def _unchanged(c: Checkpoint, stat: FileStat) -> bool:
    same_size = c.stored_bytes == stat.stored_bytes
    return same_size and c.modified_ns == stat.modified_ns and _is_inode(c, stat)


def _is_vague(c: Checkpoint, stat: FileStat) -> bool:
    """Whether so little was seen of a waiting file that only its inode can tell it."""
    little = c.committed_offset == 0 and covered(c.fingerprint) < _TELLING_BYTES
    return little and not _is_inode(c, stat)


def _is_inode(c: Checkpoint, stat: FileStat) -> bool:
    return c.inode == stat.inode and c.device == stat.device


def _same_place(c: Checkpoint, stat: FileStat) -> bool:
    return c.path == str(stat.path) or _is_inode(c, stat)


def _by_age(found: tuple[tuple[str, int, int], Checkpoint]) -> tuple[tuple[str, int, int], int]:
    """What sorts a series: by age, and at one place by key, since what stood there was truncated,
    or moved, before the next one came.
    """
    return found[0], found[1].file_key


def _anchored(c: Checkpoint, file: LogFile) -> Anchored:
    if not c.anchor:
        return Anchored.EQUAL
    if file.compression != "none":
        return Anchored.UNKNOWN
    before = reader.read_before(file.stat, c.committed_offset, anchor_length(c.anchor))
    if before is None:
        return Anchored.SHORT
    return Anchored.EQUAL if anchor(before) == c.anchor else Anchored.DIFFERENT
