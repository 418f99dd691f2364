"""Target of the file opener: any bytes, packed in every way, whole or damaged, read in any pieces."""  # noqa: E501

import gzip
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backports import zstd

from ingest.errors import DamagedFileError, LogFileError
from ingest.logfiles.reader import LogReader, read_before, read_head
from ingest.logfiles.stat import stat_file

_NAMES = ("app.log", "app.log.1.gz", "app.log.1.zst")
_MOST_BYTES = 1 << 20  # of what an input may be inflated to; the rest of a bomb is left
_FOLDER = Path(tempfile.mkdtemp(prefix="ttsq-fuzz-"))


def file_opener(data: bytes) -> None:
    """``NPDrs``: name, packing, damage, size of a read, place to go to, as bytes; then the content."""  # noqa: E501
    if len(data) < 5:
        return
    name, packing, damage, size, place = data[:5]
    content = data[5:]
    packed = _packed(content, packing)
    stored = _damaged(packed, damage)
    path = _FOLDER / _NAMES[name % len(_NAMES)]
    path.write_bytes(stored)
    _read_all(path, 1 + size * 37, place)
    if stored == packed and packing % 4:
        with LogReader(stat_file(path)) as reader:
            assert b"".join(_pieces(reader, 1 << 16)) == content
    os.unlink(path)


def _packed(content: bytes, packing: int) -> bytes:
    """As it is, gzip, zstd, or gzip in two members with padding between them."""
    half = len(content) // 2
    if packing % 4 == 1:
        return gzip.compress(content, 1)
    if packing % 4 == 2:
        return zstd.compress(content, 1)
    if packing % 4 == 3:
        return gzip.compress(content[:half], 1) + b"\0" * 3 + gzip.compress(content[half:], 1)
    return content


def _damaged(packed: bytes, damage: int) -> bytes:
    """Whole for 0; else cut, or a byte changed, somewhere."""
    if not damage or not packed:
        return packed
    at = damage * 131 % len(packed)
    if damage & 1:
        return packed[:at]
    return packed[:at] + bytes([packed[at] ^ damage]) + packed[at + 1 :]


Read = tuple[bytes, str | None]  # the bytes, and what is said of the damage behind them


def _read_all(path: Path, size: int, place: int) -> None:
    stat = stat_file(path)
    try:
        with LogReader(stat) as reader:
            whole = _until_damage(reader, 1 << 16)
        with LogReader(stat) as reader:
            again = _until_damage(reader, size)
            assert reader.position == len(again[0])
    except DamagedFileError:
        raise
    except LogFileError as error:
        assert error.hint
        assert path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff"), error
        return
    _agree(again, whole)
    if len(whole[0]) < _MOST_BYTES:
        _seek(path, whole, len(whole[0]) * place // 255)
    _heads(path, *whole)


def _agree(one: Read, other: Read) -> None:
    """The same bytes however they are read; of a damaged member, what comes before its damage may
    be more or less.
    """
    assert (one[1] is None) == (other[1] is None), (one[1], other[1])
    same = max(len(one[0]), len(other[0])) if one[1] is None else min(len(one[0]), len(other[0]))
    assert one[0][:same] == other[0][:same]


def _seek(path: Path, whole: Read, offset: int) -> None:
    stat = stat_file(path)
    with LogReader(stat) as reader:
        try:
            reader.seek_to(offset)
            assert reader.position == offset
            rest = _until_damage(reader, 4096)
        except DamagedFileError as error:
            assert whole[1]
            rest = b"", error.message
        _agree(rest, (whole[0][offset:], whole[1]))
    if offset and not whole[1]:
        length = min(offset, 100)
        assert read_before(stat, offset, length) == whole[0][offset - length : offset]
    with LogReader(stat) as reader:
        kept = whole[0].lstrip(b"\0")
        try:
            skipped = reader.skip_fill()
        except DamagedFileError:
            assert whole[1]
            return
        assert skipped == len(whole[0]) - len(kept) or whole[1]
        _agree(_until_damage(reader, size=1000), (kept, whole[1]))


def _heads(path: Path, whole: bytes, problem: str | None) -> None:
    head, compression = read_head(stat_file(path))
    assert compression in ("none", "gzip", "zstd")
    expected = whole.lstrip(b"\0")[: 64 << 10].rstrip(b"\0")
    same = min(len(head), len(expected)) if problem else len(expected)
    assert head[:same] == expected[:same] and (problem or head == expected)
    with LogReader(stat_file(path)) as reader:
        try:
            again = reader.head()[:20]
            assert again == expected[:20] or (problem and expected.startswith(again))
        except DamagedFileError:
            assert problem
        else:
            assert reader.position == 0


def _pieces(reader: LogReader, size: int) -> Iterator[bytes]:
    left = _MOST_BYTES
    while left and (piece := reader.read(min(size, left))):
        assert len(piece) <= size
        left -= len(piece)
        yield piece


def _until_damage(reader: LogReader, size: int) -> Read:
    """What can be read, and what is said of the damage behind it; that stays so."""
    parts = []
    try:
        for piece in _pieces(reader, size):
            parts.append(piece)
    except DamagedFileError as error:
        assert error.hint
        try:
            reader.read(size)
        except DamagedFileError as again:
            assert again.message == error.message
        else:
            raise AssertionError("the damage is forgotten") from error
        return b"".join(parts), error.message
    return b"".join(parts), None
