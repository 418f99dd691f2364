"""A folder of log files as writers and logrotate leave it, and the memory of all that was ever
written there.

A **stream** is what was written to one log file in its life. Renamed, copied and packed files hold
its bytes up to some length.
"""

import gzip
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from backports import zstd

from tests.support.log_writer import failure, request, to_bytes

PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}
# without a header: the same first bytes in file after file
BANNER = b"IndexTTS-2-LLM starting on port 8000\n" + b"=" * 200 + b"\n"
_KEPT = 4  # rotated files of a log


@dataclass(frozen=True)
class Written:
    """A record in a stream: what it is, and where it stands."""

    name: str  # "failure 7", or "request 8/3" for the fourth record of the request 8
    begin: int
    end: int


@dataclass(eq=False)
class Stream:
    """All bytes that one log file ever got; ``owed`` is the rest of a half-written record."""

    content: bytes = b""
    records: list[Written] = field(default_factory=list)
    owed: bytes = b""


@dataclass
class Entry:
    """A file on disk: the first ``length`` bytes of a stream.

    ``place`` is where a writer that does not append goes on; ``is_gathered``: others' content.
    """

    stream: Stream
    length: int
    place: int = 0
    is_gathered: bool = False


class Disk:
    """The folder, and what stands in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.entries: dict[str, Entry] = {}
        self.written = 0
        self.bytes: dict[str, bytes] = {}  # of every record that ever was
        self.has_ties = False  # equal milliseconds in two files: nothing tells their order
        self.is_torn = False  # half a line stands where it may pass for the end of a record
        self.torn: set[str] = set()  # records of which the end is left: it may have their id

    def path(self, name: str) -> Path:
        return self.folder / name

    def names(self, log: str) -> list[str]:
        """The files of a log, newest first."""
        return sorted((n for n in self.entries if n.startswith(log)), key=rotation)

    # writers

    def append(
        self, name: str, kinds: str, pad: int = 0, *, cut: int = 0, banner: bool = False
    ) -> None:
        """Write records, ``f`` a failure and ``r`` a request; ``cut`` bytes stay owed."""
        entry = self._opened(name)
        stream, data = entry.stream, entry.stream.owed
        if banner and not stream.content:
            data += BANNER
        for what, more in self.made(kinds, pad):
            begin = len(stream.content) + len(data)
            stream.records.append(Written(what, begin, begin + len(more)))
            data += more
        keep = max(1, len(data) - cut) if cut else len(data)
        with self.path(name).open("ab") as file:
            file.write(data[:keep])
        stream.owed = data[keep:]
        stream.content += data[:keep]
        entry.length = len(stream.content)

    def made(self, kinds: str, pad: int = 0) -> list[tuple[str, bytes]]:
        """The next records, by name: ``f`` a failure, ``r`` a request, ``e`` one whose records
        have equal milliseconds.
        """
        found = []
        for kind in kinds:
            number, self.written = self.written, self.written + 1
            if kind == "f":
                records = [(f"failure {number}", failure(number, pad)[0])]
            else:
                made = request(number, 0.0 if kind == "e" else 0.125)
                records = [(f"request {number}/{place}", r) for place, r in enumerate(made)]
            found += [(name, to_bytes([record])) for name, record in records]
        self.bytes.update(found)
        return found

    def append_across(self, logs: Sequence[str], kinds: str) -> None:
        """Write records in turn to several logs: one logger, one file."""
        self.has_ties |= "e" in kinds
        for log in logs:
            self.complete(log)
        for number, (name, data) in enumerate(self.made(kinds)):
            log = logs[number % len(logs)]
            stream = self._opened(log).stream
            begin = len(stream.content)
            stream.records.append(Written(name, begin, begin + len(data)))
            stream.content += data
            with self.path(log).open("ab") as file:
                file.write(data)
            self.entries[log].length = len(stream.content)

    def _opened(self, name: str) -> Entry:
        """The file's entry; a new one for a file that is not there."""
        if name not in self.entries:
            self.entries[name] = Entry(Stream(), 0)
        return self.entries[name]

    def complete(self, name: str) -> None:
        """Write what is owed."""
        if name in self.entries and self.entries[name].stream.owed:
            self.append(name, "")

    # logrotate

    def shift(self, log: str) -> None:
        """``log.1`` becomes ``log.2``, and so on; the oldest goes."""
        self.complete(log)
        for name in reversed(self.names(log)):
            number = rotation(name)[0]
            if number >= _KEPT:
                self.delete(name)
            elif number:
                self._move(name, f"{log}.{number + 1}{_suffix(name)}")

    def rotate(self, log: str) -> None:
        """Rename the live file; the writer makes a new one when it next has something to say."""
        if log in self.entries:
            self.shift(log)
            self._move(log, f"{log}.1")

    def copytruncate(self, log: str) -> None:
        """Copy the live file, then empty it."""
        if log in self.entries:
            self.shift(log)
            shutil.copyfile(self.path(log), self.path(f"{log}.1"))
            self.entries[f"{log}.1"] = self.entries[log]
            self.truncate(log)

    def truncate(self, log: str) -> None:
        """Empty a file."""
        os.truncate(self.path(log), 0)
        self.entries[log] = Entry(Stream(), 0)

    def pack(self, name: str, suffix: str, *, keep: bool = False) -> None:
        """Compress a rotated file with its time, as gzip(1); ``keep`` the plain one for now."""
        status = self.path(name).stat()
        packed = name + suffix
        self.path(packed).write_bytes(PACKED[suffix](self.path(name).read_bytes()))
        os.utime(self.path(packed), ns=(status.st_atime_ns, status.st_mtime_ns))
        self.entries[packed] = replace(self.entries[name])
        if not keep:
            self.delete(name)

    def delete(self, name: str) -> None:
        """Remove a file."""
        self.path(name).unlink()
        del self.entries[name]

    def use_inode(self, name: str, log: str) -> None:
        """Remove a rotated file; its inode is given to a new live file."""
        self.rotate(log)
        old = name if name in self.entries else self.names(log)[-1]
        self._move(old, log)
        self.truncate(log)

    def change_disk(self) -> None:
        """Restore all files from a copy: other inodes, the same times."""
        copy = self.folder.with_name("copy")
        shutil.copytree(self.folder, copy)
        shutil.rmtree(self.folder)
        copy.rename(self.folder)

    def _move(self, old: str, new: str) -> None:
        if new in self.entries:
            del self.entries[new]
        self.path(old).rename(self.path(new))
        self.entries[new] = self.entries.pop(old)

    # memory

    def readable(self, name: str, *, last: bool) -> set[str]:
        """Complete records of a file; ``last``: also the one after which none begins."""
        entry = self.entries[name]
        ends = [w.name for w in entry.stream.records if w.end <= entry.length]
        return set(ends if last else ends[:-1])

    def is_finished(self, name: str) -> bool:
        """Whether nothing will follow, plainly: packed, or renamed with a live file begun.

        A packed copy of a plain file ends where that one does.
        """
        entry = self.entries[name]
        if entry.is_gathered:
            return False
        own = {w.name for w in entry.stream.records}
        twins = [
            n
            for n, e in self.entries.items()
            if n != name and not own.isdisjoint(w.name for w in e.stream.records)
        ]
        if _suffix(name):
            return all(self._has_successor(n) for n in twins if not _suffix(n))
        return self._has_successor(name) and not twins

    def _has_successor(self, name: str) -> bool:
        """Whether a plain file is renamed, and the live file of its log has begun anew."""
        number, log = rotation(name)
        live = self.entries.get(log)
        return number > 0 and live is not None and live.length > 0

    def bytes_of(self, names: set[str]) -> int:
        """Bytes of some records."""
        return sum(len(self.bytes[name]) for name in names)


def rotation(name: str) -> tuple[int, str]:
    """Number of a rotated file, 0 for a live one, and the live one's name."""
    plain = name.removesuffix(_suffix(name))
    log, dot, number = plain.rpartition(".")
    return (int(number), log) if dot and number.isdigit() else (0, plain)


def _suffix(name: str) -> str:
    return next((s for s in PACKED if name.endswith(s)), "")
