"""The known log files, found by path, inode or first bytes without looking at all of them."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from ingest.logfiles.fingerprint_index import PrintIndex
from ingest.logfiles.rotation import rotation_base
from ingest.logfiles.stat import FileStat
from ingest.model import Checkpoint

Inode = tuple[int, int]


class KnownFiles:
    """Checkpoints by key; searches give them in the order of their keys."""

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        self._by_key: dict[int, Checkpoint] = {}
        self._paths: defaultdict[str, set[int]] = defaultdict(set)
        self._lives: defaultdict[str, set[int]] = defaultdict(set)  # by what a path was rotated of
        self._inodes: defaultdict[Inode, set[int]] = defaultdict(set)
        # made when they are first asked: a run with nothing new needs none
        self._prints: PrintIndex | None = None
        self._newest: dict[tuple[str, str], list[tuple[datetime, int]]] | None = None
        for checkpoint in checkpoints:
            self.put(checkpoint)

    def __iter__(self) -> Iterator[Checkpoint]:
        return iter([*self._by_key.values()])

    def __getitem__(self, file_key: int) -> Checkpoint:
        return self._by_key[file_key]

    def get(self, file_key: int) -> Checkpoint | None:
        """A file, None where there is no such."""
        return self._by_key.get(file_key)

    def put(self, checkpoint: Checkpoint) -> None:
        """Set what is known of a file."""
        key = checkpoint.file_key
        self.drop(key)
        self._by_key[key] = checkpoint
        self._paths[checkpoint.path].add(key)
        self._lives[_live_path(checkpoint.path)].add(key)
        self._inodes[checkpoint.device, checkpoint.inode].add(key)
        if self._prints is not None:
            self._prints.add(key, checkpoint.fingerprint)
        if self._newest is not None:
            self._note_newest(checkpoint)

    def drop(self, file_key: int) -> None:
        """Forget a file, known or not."""
        old = self._by_key.pop(file_key, None)
        if old is None:
            return
        self._paths[old.path].discard(file_key)
        self._lives[_live_path(old.path)].discard(file_key)
        self._inodes[old.device, old.inode].discard(file_key)
        if self._prints is not None:
            self._prints.remove(file_key, old.fingerprint)

    def newest_beside(self, file_key: int | None, host: str, service: str) -> datetime | None:
        """The latest instant of a host's service in other files than one."""
        if self._newest is None:
            self._newest = {}
            for checkpoint in self._by_key.values():
                self._note_newest(checkpoint)
        found = self._newest.get((host, service), ())
        return max((at for at, key in found if key != file_key), default=None)

    def _note_newest(self, checkpoint: Checkpoint) -> None:
        """Keep the two files that go on the longest."""
        assert self._newest is not None
        if checkpoint.last_logged_at is not None:
            best = self._newest.setdefault((checkpoint.host, checkpoint.service), [])
            best[:] = [b for b in best if b[1] != checkpoint.file_key]
            best.append((checkpoint.last_logged_at, checkpoint.file_key))
            best.sort(reverse=True)
            del best[2:]

    def at_path(self, path: str) -> list[Checkpoint]:
        """Files last seen at a path."""
        return self._of(self._paths.get(path, set()))

    def rotated_from(self, path: str) -> list[Checkpoint]:
        """Files last seen at a path, or at one that its rotated files have."""
        return self._of(self._paths.get(path, set()) | self._lives.get(path, set()))

    def at_place(self, stat: FileStat) -> list[Checkpoint]:
        """Files last seen at the path or the inode of one on disk."""
        return self._of(self._place_keys(stat))

    def full(self, head: bytes) -> list[Checkpoint]:
        """Files whose fingerprint matches first bytes as far as it covers any."""
        return self._of(self._index().full(head))

    def alike(self, head: bytes, stat: FileStat) -> list[Checkpoint]:
        """Known files whose first bytes may be these, and files last seen at the same place."""
        return self._of(self._index().alike(head) | self._place_keys(stat))

    def _place_keys(self, stat: FileStat) -> set[int]:
        by_path = self._paths.get(str(stat.path), set())
        return by_path | self._inodes.get((stat.device, stat.inode), set())

    def _of(self, keys: Iterable[int]) -> list[Checkpoint]:
        return [self._by_key[k] for k in sorted(keys)]

    def _index(self) -> PrintIndex:
        if self._prints is None:
            self._prints = PrintIndex()
            for key, checkpoint in self._by_key.items():
                self._prints.add(key, checkpoint.fingerprint)
        return self._prints


def _live_path(path: str) -> str:
    """The path that a rotated file was rotated from; that of a live one is its own."""
    folder, name = os.path.split(path)
    base = rotation_base(name)
    return path if base is None else os.path.join(folder, base[0])
