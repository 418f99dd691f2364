"""A folder of generations: each is written beside the others, then takes the place of the current
one by a swapped symlink.

Who has a generation open keeps it; who opens the symlink anew gets the new one.
"""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.errors import StoreError
from ingest.stores.durable import sync
from ingest.stores.holders import holder_of, opener_of

KEPT = 2  # the newest ones stay: somebody may just have looked up where the symlink leads


@dataclass(frozen=True, slots=True)
class Held:
    """An older generation that stays, and the process that has it open; None: a newest one."""

    path: Path
    holder: str | None


@dataclass(frozen=True, slots=True)
class Generations:
    """Generations ``ttsq-TIME-NUMBER`` in a folder; ``current`` + suffix leads to one."""

    folder: Path
    suffix: str

    @property
    def current(self) -> Path:
        """The symlink."""
        return self.folder / f"current{self.suffix}"

    def latest(self) -> Path | None:
        """The generation that the symlink leads to, None without one.

        :raises StoreError: when something else has its name.
        """
        if not os.path.lexists(self.current):
            return None
        target = os.readlink(self.current) if self.current.is_symlink() else ""
        if not self._pattern.fullmatch(target):
            raise StoreError(
                f"{self.current} is no symlink of ttsq's", "publish into a folder of its own"
            )
        found = self.folder / target
        return found if found.exists() else None

    @property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"ttsq-\d{{8}}T\d{{6}}Z-\d+{re.escape(self.suffix)}")

    def all(self) -> list[Path]:
        """The generations there are, oldest first."""
        found = [p for p in self.folder.iterdir() if self._pattern.fullmatch(p.name)]
        return sorted(found, key=_number)

    def add(self, now: datetime, write: Callable[[Path], None]) -> Path:
        """Write a new generation and make it the current one; whoever is killed meanwhile leaves
        the current one whole.

        The caller sees to it that only one process does so at a time.
        """
        self.clean()
        number = 1 + max((_number(p) for p in self.all()), default=0)
        path = self.folder / f"ttsq-{now:%Y%m%dT%H%M%SZ}-{number:06}{self.suffix}"
        partial = self.folder / f".{path.name}.part"
        try:
            write(partial)
            os.rename(partial, path)
        finally:
            self.clean()
        sync(self.folder)
        link = self.folder / f".{self.current.name}.part"
        os.symlink(path.name, link)
        os.replace(link, self.current)
        sync(self.folder)
        return path

    def clean(self) -> None:
        """Remove what a killed process left half written."""
        for path in self.folder.glob(".*.part*"):
            if path.name.startswith((".ttsq-", ".current")):
                _remove(path)

    def forget(self, kept: int = KEPT) -> tuple[list[Path], list[Held]]:
        """Remove generations that are not current, newest or open; the removed and the kept."""
        latest = self.latest()
        older = [p for p in self.all() if p != latest]
        # by number: one that outlived its neighbours because somebody had it open is not new for
        # that
        oldest_kept = 1 if latest is None else _number(latest) - kept + 1
        removed: list[Path] = []
        held: list[Held] = []
        for path in older:
            holder = holder_of(path, os.O_RDONLY) or opener_of(path)
            if holder is None and _number(path) < oldest_kept:
                _remove(path)
                removed.append(path)
            else:
                held.append(Held(path, holder))
        return removed, held


def _number(path: Path) -> int:
    return int(path.name.split("-")[2].partition(".")[0])


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
