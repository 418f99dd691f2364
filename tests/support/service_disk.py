"""A folder of services' log files as writers and transports leave it, and the memory of all that
was ever written there.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.logfiles.fingerprint import HEAD_BYTES, Match, anchor, compare
from ingest.stores.contract import Store
from tests.support import service_logs
from tests.support.file_machine_disk import PACKED, Disk, Entry, Stream, rotation


@dataclass
class Log:
    """What a service writes to one series of files; ``owed`` is the rest of what is half said."""

    name: str
    service: str
    envelope: str
    streams: list[Stream] = field(default_factory=list)
    units: int = 0
    lines: int = 0
    moves: int = 0
    owed: bytes = b""

    @property
    def is_of_a_shell(self) -> bool:
        """Whether its files may be copied and truncated while they are written."""
        return self.envelope in service_logs.OF_SHELLS

    def next_name(self) -> str:
        """What the live file is renamed to: with a date, as kubelet does, or counted."""
        self.moves += 1
        if self.envelope != "CRI":
            return f"{self.name}.1"
        return f"{self.name}.20260302-{10 + self.moves // 60:02}{self.moves % 60:02}00"

    def made(self, kinds: str) -> bytes:
        """The next units."""
        made, wrap = [], service_logs.ENVELOPES[self.envelope]
        several = self.envelope in service_logs.OF_SEVERAL
        for kind in kinds if several else kinds.replace("b", "s"):
            for name, line in service_logs.unit(self.service, kind, self.units):
                made.append(wrap(name, line, service_logs.instant(self.lines)))
                self.lines += 1
            self.units += 2
        return "".join(made).encode()


class ServiceDisk(Disk):
    """The folder, and what stands in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.logs: list[Log] = []

    @property
    def lines(self) -> int:
        """The most lines that a log has."""
        return max((log.lines for log in self.logs), default=0)

    def moved(self, plain: bool = False) -> list[str]:
        """Rotated files; ``plain``: not compressed."""
        lives = {log.name for log in self.logs}
        names = [n for n in sorted(self.entries) if n not in lives]
        return [n for n in names if not (plain and n.endswith(tuple(PACKED)))]

    def ended(self) -> list[str]:
        """Rotated files behind which the writer has begun another."""
        return [n for n in self.moved() if self._live(self._log_of(n)).length]

    def say(self, log: Log, kinds: str, half: int) -> None:
        """Write units to the live file, but for some last bytes."""
        self._say(log, self._opened(log.name), log.name, kinds, half)

    def say_late(self, log: Log, kinds: str, half: int) -> None:
        """Write to the newest rotated file, where there is no other yet."""
        newest = [n for n in self._files(log) if n != log.name][-1:]
        if log.name not in self.entries and newest and not newest[0].endswith(tuple(PACKED)):
            entry = self.entries[newest[0]]
            if entry.length == len(entry.stream.content):
                self._say(log, entry, newest[0], kinds, half)

    def _say(self, log: Log, entry: Entry, name: str, kinds: str, half: int) -> None:
        data = log.owed + log.made(kinds)
        keep = max(1, len(data) - half)
        log.owed = data[keep:]
        self._write(entry, name, data[:keep])

    def _write(self, entry: Entry, name: str, data: bytes) -> None:
        with self.path(name).open("ab") as file:
            file.write(data)
        entry.stream.content += data
        entry.length = len(entry.stream.content)

    def complete(self, name: str) -> None:
        """Write the rest of a line that is half written: no transport moves a file within one."""
        entry = self.entries.get(name)
        log = next((log for log in self.logs if log.name == name), None)
        if entry is None or log is None or entry.stream.content[-1:] in (b"", b"\n"):
            return
        line, end, log.owed = log.owed.partition(b"\n")
        self._write(entry, name, line + end)

    def rotate(self, log: str) -> None:
        """Rename the live file."""
        if log in self.entries:
            self.shift(log)
            self._move(log, self._log_of(log).next_name())

    def copytruncate(self, log: str) -> None:
        """Copy the live file, then empty it."""
        super().copytruncate(log)

    def shift(self, log: str) -> None:
        """``log.1`` becomes ``log.2``, and so on."""
        self.complete(log)
        if self._log_of(log).envelope == "CRI":
            return
        for name in sorted(self._files(self._log_of(log)), key=rotation, reverse=True):
            number = rotation(name)[0]
            if number:
                suffix = next((s for s in PACKED if name.endswith(s)), "")
                self._move(name, f"{log}.{number + 1}{suffix}")

    def truncate(self, log: str) -> None:
        """Empty a file."""
        super().truncate(log)
        self._log_of(log).streams.append(self.entries[log].stream)

    def _opened(self, name: str) -> Entry:
        entry = super()._opened(name)
        streams = self._log_of(name).streams
        if not any(s is entry.stream for s in streams):
            streams.append(entry.stream)
        return entry

    def _log_of(self, name: str) -> Log:
        return next(log for log in self.logs if name.startswith(log.name))

    def _live(self, log: Log) -> Entry:
        return self.entries.get(log.name) or Entry(Stream(), 0)

    def _files(self, log: Log) -> list[str]:
        """The files of a log, oldest first."""
        names = [n for n in self.entries if n.startswith(log.name)]
        places = {id(s): n for n, s in enumerate(log.streams)}
        return sorted(names, key=lambda n: (places[id(self.entries[n].stream)], n))

    # memory

    def _written(self) -> Iterator[tuple[str, bytes]]:
        """All that was written, by the names that the files have when nothing but counted
        rotation happens to them.
        """
        for log in self.logs:
            filled = [s.content for s in log.streams if s.content]
            for number, content in enumerate(filled):
                left = len(filled) - 1 - number
                yield f"{log.name}.{left}" if left else log.name, content

    def has_doubles(self) -> bool:
        """Whether a file holds nothing but what another one begins with."""
        contents = [content for _, content in self._written()]
        return any(
            a.startswith(b)
            for i, a in enumerate(contents)
            for j, b in enumerate(contents)
            if i != j
        )

    def written_to(self, folder: Path) -> list[Path]:
        """Write all that was ever written to files, one after the other."""
        folder.mkdir()
        begun = time.time() - 60  # what is written now, as all of it was
        for number, (name, content) in enumerate(self._written()):
            (folder / name).write_bytes(content)
            os.utime(folder / name, (begun + number / 100, begun + number / 100))
        return [folder]

    def files_of(self, store: Store) -> dict[int, str]:
        """Which of the files that were ever written each known one is, by its content."""
        contents, taken, found = dict(self._written()), set[str](), {}
        for c in store.checkpoints():
            if not c.committed_offset:
                continue
            alike = [
                name
                for name, content in contents.items()
                if len(content) >= c.committed_offset
                and compare(c.fingerprint, content[:HEAD_BYTES])[0] is Match.FULL
                and (not c.anchor or anchor(content[: c.committed_offset]) == c.anchor)
            ]
            assert alike, f"{c.path} is no file that was written"
            here = self.entries.get(Path(c.path).name)
            alike.sort(
                key=lambda n: (
                    here is None or contents[n] != here.stream.content,
                    n in taken,
                    not Path(c.path).name.startswith(_live(n, contents)),
                )
            )
            taken.add(alike[0])
            found[c.file_key] = alike[0]
        return found


def _live(name: str, names: Iterable[str]) -> str:
    return min((n for n in names if name.startswith(n)), key=len)
