"""A new file that was logged after all that is stored is read without being compared with it: it
must be the same as if it had been.
"""

import gzip
import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import RunReport
from ingest.pipeline import known_content, one_file
from ingest.pipeline.known_content import Content
from ingest.pipeline.one_file import OneFile
from tests.support import harness
from tests.support.truth import make_truth

_LINES = make_truth(21, 40, files=1).files[0].splitlines(keepends=True)
_OTHERS = (
    b"INFO:     Started server process [1]\n",
    b'10.0.0.1 - - [02/Mar/2026:06:00:09 +0000] "POST /tts HTTP/1.1" 200 9 "-" "-"\n',
    b"ERROR: failed to load model\n",
    b"2026-03-02 25:61:00,000 - app.tts - INFO - a time that is none\n",
    b'{"time": "2026-03-02T06:00:10Z", "message": "warm", "level": "info"}\n',
)
_FAILURE = b"2026-03-02 %02d:%02d:%02d,%03d - app.tts - ERROR - failure %d\n"


def _failures(begin: int, count: int, step_ms: int = 700) -> list[bytes]:
    """Errors, each of a moment of its own, numbered from ``begin`` on."""
    found = []
    for n in range(begin, begin + count):
        seconds, ms = divmod(n * step_ms, 1000)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        found.append(_FAILURE % (hour, minute, second, ms, n))
    return found


def _written(folder: Path, files: Sequence[bytes], pack: bool) -> list[Path]:
    """Files of a series, the first the oldest."""
    folder.mkdir()
    paths = []
    for number, data in enumerate(files):
        left = len(files) - 1 - number
        name = f"app.log.{left}" if left else "app.log"
        path = folder / (f"{name}.gz" if pack and left else name)
        path.write_bytes(gzip.compress(data) if pack and left else data)
        os.utime(path, (1_800_000_000 + number, 1_800_000_000 + number))
        paths.append(path)
    return paths


def _both(
    folder: Path,
    files: Sequence[bytes],
    monkeypatch: pytest.MonkeyPatch,
    *,
    pack: bool = False,
    tz: str = "UTC",
) -> RunReport:
    """Read them without being compared where that need not be, and always compared: the same."""
    paths = _written(folder / "logs", files, pack)
    found = []
    for name in ("quick", "usual"):
        (folder / name).mkdir()
        store = harness.new_store(folder / name)
        with monkeypatch.context() as patch:
            patch.setattr(one_file, "SMALL_BYTES", 500)
            if name == "usual":
                patch.setattr(OneFile, "_later_than_stored", lambda *_: None)
            report = harness.run(store, paths, final=True, chunk_bytes=2000, tz=tz)
        harness.runs_add_up(store)
        found.append((harness.dump(store, paths), report.ledger, report.rows, report))
    assert found[0][:3] == found[1][:3]
    quick: RunReport = found[0][3]
    return quick


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were compared."""
    names: list[str] = []
    stretches: Callable[..., object] = Content.stretches

    def noted(content: Content, opened: one_file.OpenLog, *rest: object, **more: object) -> object:
        names.append(opened.file.stat.path.name)
        return stretches(content, opened, *rest, **more)

    monkeypatch.setattr(known_content.Content, "stretches", noted)
    return names


@pytest.mark.parametrize("pack", [False, True])
def test_a_series_read_at_once_is_compared_with_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list[str], pack: bool
) -> None:
    lines = _failures(0, 300)
    files = [b"".join(lines[n : n + 100]) for n in (0, 100, 200)]
    report = _both(tmp_path, files, monkeypatch, pack=pack)
    assert report.ledger.records == 300
    assert len(compared) == 3, compared  # of the usual way


def test_lines_of_one_moment_on_both_sides_of_a_rotation_are_all_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list[str]
) -> None:
    lines = [_FAILURE % (1, 0, n // 10, 0, n) for n in range(300)]
    files = [b"".join(lines[:105]), b"".join(lines[105:])]
    report = _both(tmp_path, files, monkeypatch)
    assert report.ledger.records == 300
    assert len(compared) == 2, compared


@pytest.mark.parametrize("again", [1, 3, 40])
def test_last_lines_that_begin_the_next_file_again_are_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: int
) -> None:
    """As a copy and a truncation leave them that a writer came between."""
    lines = make_truth(22, 60, files=1).files[0].splitlines(keepends=True)
    middle = len(lines) // 2
    files = [b"".join(lines[:middle]), b"".join(lines[middle - again :])]
    report = _both(tmp_path, files, monkeypatch)
    assert report.ledger.already_stored_bytes or again == 1


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("at", [0, 30, 99])
def test_older_lines_further_on_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, pack: bool
) -> None:
    """Those that are stored count once, others are read."""
    old, new = _failures(0, 100), _failures(200, 100)
    other = _failures(150, 20, step_ms=300)
    first, copied = b"".join(old), b"".join(old[20:60])
    second = b"".join(new[:at]) + copied + b"".join(other) + b"".join(new[at:])
    report = _both(tmp_path, [first, second], monkeypatch, pack=pack)
    assert report.ledger.already_stored_bytes == len(copied)
    assert report.ledger.records == 100 + 100 + 20


def test_the_latest_record_counts_and_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, again = _failures(0, 100), b"".join(_failures(85, 15))
    late = _failures(10, 1, step_ms=333)
    files = [b"".join(first + late), again + b"".join(_failures(200, 50))]
    report = _both(tmp_path, files, monkeypatch)
    assert report.ledger.already_stored_bytes == len(again)


def test_a_copy_of_a_file_within_another_one_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = (b"".join(_failures(n, 100)) for n in (0, 100, 200))
    report = _both(tmp_path, [a, b, c + a + b], monkeypatch)
    assert report.ledger.already_stored_bytes == len(a) + len(b)


def test_a_store_that_knows_files_is_compared_with(
    tmp_path: Path, compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How late the last of their records was logged is not stored."""
    monkeypatch.setattr(one_file, "SMALL_BYTES", 500)
    paths = _written(tmp_path / "logs", [b"".join(_failures(n, 100)) for n in (0, 100)], pack=False)
    store = harness.new_store(tmp_path)
    harness.run(store, paths[:1], final=True)
    assert not compared
    harness.run(store, paths, final=True)
    assert compared == ["app.log"]


def test_what_has_no_stamp_beside_later_lines_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list[str]
) -> None:
    bare = [b"ERROR: failed to load model\n"]
    files = [
        b"".join(_failures(0, 50) + bare * 3 + _failures(50, 50)),
        b"".join(bare + _failures(100, 50) + bare * 2 + _failures(150, 50)),
    ]
    report = _both(tmp_path, files, monkeypatch)
    assert report.ledger.already_stored_bytes == 0
    assert len(compared) == 2, compared


def test_of_logs_beside_each_other_those_of_the_log_format_are_compared_with_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list[str]
) -> None:
    access = b'10.0.0.1 - - [02/Mar/2026:00:%02d:%02d +0000] "POST /tts HTTP/1.1" 200 9 "-" "-"\n'
    lines = _failures(0, 300)
    files = []
    for n in range(3):
        files.append(b"".join(lines[100 * n : 100 * n + 100]))
        files.append(b"".join(access % divmod(70 * n + 3 * m, 60) for m in range(20)))
    report = _both(tmp_path, [*files, b"".join(lines[150:160] + _failures(300, 50))], monkeypatch)
    assert report.ledger.already_stored_bytes == len(b"".join(lines[150:160]))
    assert len(compared) == 3 + 1 + 7, compared


def test_in_an_hour_that_comes_twice_all_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list[str]
) -> None:
    line = b"2026-10-25 02:%02d:%02d,000 - app.tts - ERROR - failure %d\n"
    lines = [line % (n // 60, n % 60, n) for n in range(3000)]
    files = [b"".join(lines[:2000]), b"".join(lines[2000:] + lines[:1000])]
    _both(tmp_path, files, monkeypatch, tz="Europe/Berlin")
    assert compared.count("app.log") >= 2, compared


@settings(max_examples=int(os.environ.get("TTSQ_EXAMPLES", "25")))
@given(
    data=st.data(),
    cuts=st.lists(st.integers(0, len(_LINES)), min_size=1, max_size=4),
)
def test_whatever_comes_again_and_wherever(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, cuts: list[int]
) -> None:
    """Files of one log, between whose lines stand pieces of it all, and lines of other formats."""
    edges = [0, *sorted(cuts), len(_LINES)]
    files = []
    for low, high in pairwise(edges):
        lines = _LINES[low:high]
        if lines and data.draw(st.booleans(), "a piece"):
            at = data.draw(st.integers(0, len(lines)), "at")
            begin = data.draw(st.integers(0, len(_LINES) - 1), "from")
            size = data.draw(st.integers(1, 60), "lines")
            lines = lines[:at] + _LINES[begin : begin + size] + lines[at:]
        if lines and data.draw(st.booleans(), "others"):
            at = data.draw(st.integers(0, len(lines)), "at")
            other = data.draw(st.lists(st.sampled_from(_OTHERS), min_size=1, max_size=3), "lines")
            lines = lines[:at] + other + lines[at:]
        if lines:
            files.append(b"".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        _both(tmp_path_factory.mktemp("logs"), files, patch)
