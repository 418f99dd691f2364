"""Streams of compressed members: what they hold, and what reading them costs."""

import gzip
import io
from collections.abc import Callable

import pytest
from backports import zstd

from ingest.logfiles import compression
from ingest.logfiles.compression import Inflater


def _read(data: bytes, kind: str, size: int = 1 << 20) -> bytes:
    inflater, out = Inflater(io.BytesIO(data), kind), b""
    while piece := inflater.read(size):
        out += piece
    return out


@pytest.mark.parametrize(("kind", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
@pytest.mark.parametrize("padding", [b"", b"\0" * 5])
def test_members_of_any_size_follow_each_other(
    kind: str, pack: Callable[[bytes], bytes], padding: bytes
) -> None:
    noise = bytes(range(256)) * 4000  # a megabyte
    pieces = [b"", b"a\n", noise, b"", b"", b"b\n" * 70_000, noise[::-1], b"c\n"]
    data = b"".join(pack(p) + padding for p in pieces)
    assert _read(data, kind) == _read(data, kind, 1000) == b"".join(pieces)
    assert _read(data + b"trash", kind) == b"".join(pieces)
    with pytest.raises(EOFError):
        _read(data[: len(data) - len(padding) - 3], kind)


@pytest.mark.parametrize(("kind", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_many_short_members_are_given_little_more_than_there_is(
    kind: str, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a member leaves is copied: the rest of the file for each would be its size squared."""
    given: list[int] = []
    new = compression._new_decompressor

    class Counting:
        def __init__(self, kind: str) -> None:
            self._inner = new(kind)

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        def decompress(self, data: bytes, most: int = -1, /) -> bytes:
            given.append(len(data))
            return self._inner.decompress(data, most)

    monkeypatch.setattr(compression, "_new_decompressor", Counting)
    data = pack(b"") * 5000
    assert _read(data, kind) == b""
    assert sum(given) < 10 * len(data) + (1 << 20)
