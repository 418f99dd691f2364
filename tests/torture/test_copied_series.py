"""A copy of a rotated series has the times of the copying: its files are read oldest first anyway,
by the stamps in them, else by their names.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.support import harness

_RECORD = b"2026-03-%02d 06:00:00,000 - app.tts - ERROR - failure %d\n"
_BARE = b"ERROR: failed to load model %d\n"


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Files, each written a second after the one before it."""
    for number, (name, data) in enumerate(files):
        path = folder / name
        path.write_bytes(data)
        os.utime(path, (1_800_000_000 + number, 1_800_000_000 + number))


def _read(folder: Path, names: Sequence[str]) -> list[str]:
    """The files of a first ingest, in the order that it reads them."""
    (folder / "store").mkdir()
    store = harness.new_store(folder / "store")
    read: list[str] = []
    harness.run(store, [folder / name for name in names], on_file=read.append)
    return [Path(path).name for path in read]


@pytest.mark.parametrize(
    "copied",
    [
        ("app.log", "app.log.1", "app.log.2", "app.log.10"),
        ("app.log.1", "app.log.10", "app.log", "app.log.2"),
    ],
)
def test_the_files_are_read_in_the_order_of_their_first_stamps(
    tmp_path: Path, copied: Sequence[str]
) -> None:
    days = {"app.log.10": 1, "app.log.2": 2, "app.log.1": 3, "app.log": 4}
    _write(tmp_path, ((name, _RECORD % (days[name], days[name])) for name in copied))
    assert _read(tmp_path, copied) == list(days)


def test_stamps_tell_more_than_numbers_that_grow(tmp_path: Path) -> None:
    """Some libraries give the newest file the highest number."""
    days = {"app.log.1": 1, "app.log.2": 2, "app.log.3": 3, "app.log": 4}
    _write(tmp_path, ((name, _RECORD % (day, day)) for name, day in days.items()))
    assert _read(tmp_path, list(days)) == list(days)


def test_without_stamps_the_names_tell(tmp_path: Path) -> None:
    copied = ("app.log", "app.log.1", "app.log.2")
    _write(tmp_path, ((name, _BARE % number) for number, name in enumerate(copied)))
    assert _read(tmp_path, copied) == ["app.log.2", "app.log.1", "app.log"]


def test_a_series_keeps_its_places_among_other_logs(tmp_path: Path) -> None:
    written = [
        ("app.log", _RECORD % (4, 4)),
        ("other.log", _RECORD % (2, 5)),
        ("app.log.1", _RECORD % (3, 3)),
    ]
    _write(tmp_path, written)
    assert _read(tmp_path, [name for name, _ in written]) == ["app.log.1", "other.log", "app.log"]
