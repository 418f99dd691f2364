"""Scenarios 27-33: ends without a newline, lines over the reader's borders, tracebacks, giants, odd
bytes, blank lines.
"""

import os
from collections.abc import Iterator

import pytest

from tests.support.log_writer import Journal, formatter, stored_rows, to_bytes, traceback
from tests.torture.scene import Scene

HEADER = "2026-03-02 00:00:{:02d},000 - app.tts - {} - {}\n"


def _line(second: int, text: str, level: str = "ERROR") -> bytes:
    return HEADER.format(second, level, text).encode()


def _column(scene: Scene, name: str) -> list[object]:
    """A column of the errors, in the order of the file."""
    with scene.store.reading() as reader:
        rows = reader.query(f"select {name} from errors order by file_key, byte_offset", {}).rows
    return [row[0] for row in rows]


def test_27_no_newline_at_the_end_is_held_then_completed_once(scene: Scene) -> None:
    data = to_bytes(scene.journal.failures(4))
    for end, stored in ((-60, 1), (-30, 2), (-1, 2), (len(data), 3)):
        scene.path("app.log").write_bytes(data[:end])
        scene.run()
        scene.expect(held=4 - stored)
    scene.expect_all()


@pytest.mark.parametrize("cut", [1, 22, 23, 24, 40, 54])
def test_27_a_half_line_is_no_record_of_its_own(scene: Scene, cut: int) -> None:
    scene.log(3)
    data = to_bytes(scene.journal.failures(1))
    scene.append_bytes(data[:cut])
    for _ in range(2):
        scene.run()
        scene.expect(held=2)
    scene.append_bytes(data[cut:])
    scene.log(1)
    scene.run()
    scene.expect(held=1)
    scene.expect_all()


def test_27_the_last_line_of_a_rotated_file_has_no_newline(scene: Scene) -> None:
    scene.log(3)
    os.truncate(scene.path("app.log"), scene.path("app.log").stat().st_size - 1)
    scene.journal.size -= 1
    scene.run()
    scene.rename("app.log", "app.log.1")
    scene.log(2)
    scene.run()
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("chunk", [97, 251])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_28_lines_and_characters_across_the_buffers_edge(
    scene: Scene, chunk: int, end: str
) -> None:
    texts = [f"déjà vu {'你好😀' * (n % 5)} {n}" for n in range(40)]
    lines = b"".join(_line(n, t) for n, t in enumerate(texts))
    scene.append_bytes(lines.replace(b"\n", end.encode()))
    scene.run(final=True, chunk=chunk)
    assert _column(scene, "message") == texts


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
def test_28_a_character_across_two_runs(scene: Scene, cut: int) -> None:
    data = _line(1, "héllo 😀😀 end")
    at = data.index("😀".encode()) + cut
    scene.append_bytes(data[:at])
    scene.run()
    scene.append_bytes(data[at:])
    scene.run()
    scene.run(final=True)
    assert _column(scene, "message") == ["héllo 😀😀 end"]


def _pieces(data: bytes, count: int) -> Iterator[bytes]:
    size = len(data) // count + 1
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("pieces", [3, 7])
def test_29_a_traceback_across_runs(scene: Scene, pieces: int) -> None:
    for piece in _pieces(to_bytes(scene.journal.requests(3)), pieces):
        scene.append_bytes(piece)
        scene.run()
    scene.expect_all()


def test_29_a_traceback_across_a_rotation(scene: Scene) -> None:
    """The rotated file ends in a traceback that a run had seen half of; the new one begins with the
    request's end.
    """
    records = scene.journal.requests(2)
    head, failed, end = to_bytes(records[:8]), to_bytes(records[8:9]), to_bytes(records[9:])
    middle = failed.index(b"\n  File") + 10
    scene.append_bytes(head + failed[:middle])
    scene.run("app.log")
    scene.append_bytes(failed[middle:])
    scene.rename("app.log", "app.log.1")
    scene.append_bytes(end)
    scene.log(1)
    scene.run("app.log")
    scene.expect(held=1)
    scene.expect_all()


def test_29_a_traceback_at_the_end_of_a_file_with_no_successor(scene: Scene) -> None:
    records = scene.journal.requests(1)
    scene.append(records[:4])
    for _ in range(3):
        scene.run()
        assert stored_rows(scene.store).errors.total() == 0  # it may still grow
    scene.run(final=True)
    assert _column(scene, "traceback") == [traceback(0)]
    scene.append(records[4:])
    scene.expect_all()


def test_29_the_file_is_closed_by_compression(scene: Scene) -> None:
    scene.append(scene.journal.requests(3)[:14])
    scene.run()
    scene.gzip("app.log", "app.log.1.gz")
    scene.run()
    assert _column(scene, "traceback") == [traceback(n) for n in range(3)]


@pytest.mark.parametrize("megabytes", [1, 5])
def test_31_a_line_of_megabytes(scene: Scene, megabytes: int) -> None:
    giant = _line(50, "x" * (megabytes << 20))
    scene.append_bytes(giant)
    scene.log(2)
    scene.run(final=True, chunk=1 << 20)
    if megabytes < 4:
        assert sorted(map(len, map(str, _column(scene, "message"))))[-1] == megabytes << 20
        return
    scene.expect()
    scene.expect_bytes(quarantined=len(giant))
    with scene.store.reading() as reader:
        rows = reader.query("select reason, byte_length, length(raw) from quarantine", {}).rows
    assert rows == [("too_long", len(giant), 64 << 10)]


def test_32_invalid_utf_8_a_bom_and_nul_bytes(scene: Scene) -> None:
    texts = [
        b"caf\xe9",
        b"\xff\xfe\xfd",
        b"cut \xf0\x9f\x98",
        b"nul \x00 inside",
        b"lone \xed\xa0\x80",
    ]
    lines = b"".join(_line(n, "@").replace(b"@", t) for n, t in enumerate(texts))
    scene.append_bytes(b"\xef\xbb\xbf" + lines)
    report = scene.run(final=True)
    assert report.ledger.ignored_bytes == 3
    messages = [str(m) for m in _column(scene, "message")]
    assert len(messages) == len(texts)
    assert messages[0] == "caf\ufffd"
    assert "\0" not in "".join(messages)
    assert all("\ufffd" in m for m in messages)


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be"])
def test_32_utf_16_is_read_with_its_mark_and_without(scene: Scene, code: str) -> None:
    text = to_bytes(Journal().failures(50)).decode()
    scene.path("wide.log").write_bytes(text.encode(code))
    scene.run("wide.log", final=True)
    assert len(set(_column(scene, "message"))) == 50
    assert not any("\ufffd" in str(m) or "\0" in str(m) for m in _column(scene, "message"))


def test_33_empty_and_blank_lines_are_ignored_and_counted(scene: Scene) -> None:
    scene.append_bytes(b"\n\n  \n")
    for _ in range(3):
        scene.log(1)
    scene.append(scene.journal.requests(1))
    scene.append_bytes(b"\r\n\t\n")
    scene.run(final=True)
    ledger = sum(c.ignored_bytes for c in scene.store.checkpoints())
    assert ledger >= 5
    scene.expect()
    files = scene.store.checkpoints()
    blank = len(b"\n\n  \n\r\n\t\n")
    assert sum(c.record_bytes + c.ignored_bytes for c in files) == scene.journal.size + blank


def test_33_only_blank_lines(scene: Scene) -> None:
    scene.append_bytes(b"\n" * 1000)
    assert scene.run(final=True).ledger.ignored_bytes == 1000
    scene.log(3)
    scene.expect_all(ignored=1000)


def test_the_journal_formats_as_pythons_logging_does() -> None:
    record = Journal().failures(1)[0]
    assert to_bytes([record]).decode() == formatter().format(record) + "\n"
    assert to_bytes([record]).startswith(b"2026-03-02 00:00:00,000 - app.tts - ERROR - failure 0")
