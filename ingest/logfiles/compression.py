"""Compressions of log files, and their decompression: streams of gzip or zstd members."""

import re
from pathlib import Path
from typing import IO, Protocol, cast

from ingest.lazily import matcher

PACKED = (".gz", ".zst", ".zstd")  # what compressed files' names end in
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# a frame of zstd without content; pzstd writes it first
_SKIPPABLE = matcher(rb"[\x50-\x5f]\x2a\x4d\x18")
_LONGEST_WINDOW = 31  # log2 of bytes: zstd --long=31

_INPUT_BYTES = 256 << 10  # compressed bytes taken at a time
_LEAST_INPUT_BYTES = 64  # given to a member that follows a short one
_ZEROS = matcher(rb"\0*")
# Given at a time, whoever asks for how many: where damage is met, and what comes before it, hangs
# on that; a damaged piece is lost as a whole.
_OUTPUT_BYTES = 64 << 10


def compression_of(start: bytes, path: Path) -> str:
    """By the first four bytes; of a file that is only just being written, fewer have to do."""
    if start[:2] == _GZIP or start == _GZIP[:1]:
        return "gzip"
    begun = start and path.suffix in PACKED and _ZSTD.startswith(start)
    return "zstd" if start == _ZSTD or _SKIPPABLE.match(start) or begun else "none"


def integrity_hint(compression: str, path: Path) -> str:
    """The command that says whether a compressed file is whole."""
    return f"test it: {compression} -t {path}"


class _Decompressor(Protocol):
    """What igzip_lib.IgzipDecompressor and zstd.ZstdDecompressor have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


def _new_decompressor(compression: str) -> _Decompressor:
    if compression == "gzip":
        from isal import igzip_lib

        return cast(_Decompressor, igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP))
    from backports import zstd

    options = {int(zstd.DecompressionParameter.window_log_max): _LONGEST_WINDOW}
    return cast(_Decompressor, zstd.ZstdDecompressor(options=options))


class Inflater:
    """Reads a stream of one or more compressed members; zero padding between them is skipped.

    A member is given little input at first, and more each time: what it leaves is copied, and there
    may be a member every ten bytes.
    """

    def __init__(self, file: IO[bytes], compression: str) -> None:
        self._file = file
        self._compression = compression
        self._member: _Decompressor | None = None
        self._input = b""
        self._at = 0  # in the input: what stands before is taken
        self._given = 0  # bytes of input, to this member
        self._step = _INPUT_BYTES  # bytes of input that it is given next
        self._ready = b""
        self._taken = 0  # of what is ready

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, empty at the end.

        :raises EOFError: where a member ends in the middle.
        """
        if self._taken == len(self._ready):
            self._ready, self._taken = self._piece(), 0
        data = self._ready[self._taken : self._taken + size]
        self._taken += len(data)
        return data

    def _piece(self) -> bytes:
        while True:
            if (self._member is None or self._member.eof) and not self._next_member():
                return b""
            member = cast(_Decompressor, self._member)
            out = member.decompress(
                self._next_input() if member.needs_input else b"", _OUTPUT_BYTES
            )
            if member.eof:
                left = len(member.unused_data)
                self._at -= left
                self._step = min(max(_LEAST_INPUT_BYTES, 2 * (self._given - left)), _INPUT_BYTES)
            if out:
                return out

    def _next_input(self) -> bytes:
        if self._at == len(self._input):
            self._input, self._at = self._file.read(_INPUT_BYTES), 0
            if not self._input:
                raise EOFError("the compressed data ends in the middle")
        data = self._input[self._at : self._at + self._step]
        self._at += len(data)
        self._given += len(data)
        self._step = min(2 * self._step, _INPUT_BYTES)
        return data

    def _next_member(self) -> bool:
        while True:
            if self._member is not None:
                self._at = cast(re.Match[bytes], _ZEROS.match(self._input, self._at)).end()
            more = b""
            if len(self._input) - self._at < 4:
                more = self._file.read(_INPUT_BYTES)
            if not more:
                break
            self._input, self._at = self._input[self._at :] + more, 0
        begin = self._input[self._at : self._at + 4]
        if not begin or (self._member is not None and not _begins_member(begin, self._compression)):
            return False  # what stands behind the last member is passed over, as gzip(1) does
        self._member, self._given = _new_decompressor(self._compression), 0
        return True


def _begins_member(rest: bytes, compression: str) -> bool:
    """Whether bytes behind a member begin another one, as far as they go."""
    magic = _GZIP if compression == "gzip" else _ZSTD
    is_skippable = compression == "zstd" and _SKIPPABLE.match(rest) is not None
    return rest.startswith(magic[: len(rest)]) or is_skippable


def damage_errors() -> tuple[type[Exception], ...]:
    """What :meth:`Inflater.read` raises for damaged data, except for a premature end."""
    from backports import zstd
    from isal import igzip_lib

    errors = (OSError, ValueError, igzip_lib.error, zstd.ZstdError)
    return cast(tuple[type[Exception], ...], errors)
