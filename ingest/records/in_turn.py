"""Lines that are learnt and the general path, in turn over one chunk (pure).

The compiled code takes what it knows; before a line that it does not, the general path takes over
for a few lines, for more of them the less the compiled code finds to do.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from ingest.compiled import envelopes
from ingest.records.claims import Claims
from ingest.records.collectors import Pods
from ingest.records.gather import Gatherer, before
from ingest.records.learnt.lines import LearntLines
from ingest.records.learnt.modes import Chunk
from ingest.records.logical import TRACEBACK, Reader
from ingest.records.native import NativeFormat
from ingest.records.physical import UTF8, Lines
from ingest.records.profiles import Profiles
from ingest.records.sequence import Sequencer
from ingest.records.sequence.opening import HEAD

LEAST = 4 << 10  # bytes of a chunk for which it is worth while
_WORTH = 384  # bytes that the compiled code takes at once, to be asked again soon: four lines' time
# times that the compiled code found less, until the general path takes twice as many lines; how
# often that may be
_TIMES, _MOST_DOUBLED = 8, 9
_NEAR, _LONGEST_TRACEBACK = 400, 16 << 10  # bytes in which one is looked for, and that it may have
MOST_RECORDS = 1 << 15  # of a chunk; its tables take so much memory again as all rows of a commit


@dataclass(slots=True)
class Taken:
    """How far a chunk was taken, and in what encoding; ``is_void``: what was taken has to be taken
    back, since a stamp shows that the records before it have its time.
    """

    settled: int
    encoding: str | None
    is_void: bool = False


class InTurn:
    """Reads chunks of one file; one may be read whose format is not given, in UTF-8."""

    def __init__(
        self,
        native: NativeFormat,
        gatherer: Callable[[], Gatherer],
        profiles: Profiles,
        pods: Pods,
    ) -> None:
        self._native = native
        self._gatherer = gatherer
        self._profiles = profiles
        self._reader = Reader(native, pods, profiles.prints_text_at)
        self._learnt: LearntLines | None = None

    def may_read(self, data: memoryview, encoding: str | None, max_record: int) -> bool:
        """Whether chunks like this one may be read so."""
        fmt = self._native.format
        return (
            len(data) >= LEAST
            and encoding in (None, UTF8)
            and max_record > envelopes.LONGEST
            and not self._native.is_given
            and fmt.pins.envelopes is None
            and fmt.named is None
        )

    def take(
        self, data: memoryview, base: int, claims: Claims, sequencer: Sequencer, head: bytes,
        encoding: str | None,
    ) -> Taken:  # fmt: skip
        """Take a chunk's lines up to where the general path needs all of the rest."""
        if self._learnt is None and len(head) >= HEAD:
            self._learnt = LearntLines(self._native, self._profiles, head)
        at, times, is_held, undated, behind = 0, 0, False, claims.last is None, -1
        lines = 1
        while at < len(data) and len(claims.writer.offsets) < MOST_RECORDS:
            begun = at
            is_free = base + at >= HEAD and not is_held and not sequencer.answers_first
            if self._learnt is not None and is_free:
                chunk = Chunk(data, base, claims, sequencer, encoding is None, MOST_RECORDS)
                at = self._learnt.run(chunk, at)
                times = 0 if at - begun > _WORTH else times + 1
            lines = 2 * lines if is_held else 1 << min(times // _TIMES, _MOST_DOUBLED)
            lines = max(lines, _traceback(data, at))
            end = _behind_lines(data, at, lines)
            if end < 0 or (is_held and end == behind):
                break
            behind = end
            reading = Lines(encoding)
            settled = self._slice(data[at:end], base + at, claims, reading)
            if settled < 0:
                break
            if undated and claims.is_dated:
                if at or lines > 1:
                    return Taken(at, encoding, is_void=True)
                undated = False  # the first line says when: nothing stands before it
            if 0 <= reading.decided_at < base + at + settled:
                encoding = reading.encoding
            is_held = settled < end - at
            at += settled
        return Taken(at, encoding)

    def _slice(self, data: memoryview, base: int, claims: Claims, lines: Lines) -> int:
        """Take some lines by the general path; how many bytes are settled, -1 where it cannot."""
        physical = list(lines.of(data, base, final=False))
        if lines.encoding not in (None, UTF8):
            return -1
        logical, split = self._reader.of(physical, final=False)
        gathered = self._gatherer().gather(logical, final=False)
        held = [place for place in (gathered.held, split) if place >= 0]
        records, settled = gathered.records, (physical[-1].end - base if physical else 0)
        if held:
            records, settled = before(records, min(held), base)
        claims.take(records, gathered.records)
        return settled


def _traceback(data: memoryview, at: int) -> int:
    """How many lines a traceback and one behind it take that begins with the first or second line
    at a place; 0 where there is none. Its frames are indented as far as its first line is.
    """
    near = bytes(data[at : at + _NEAR])
    begun = near.find(TRACEBACK)
    before = near.count(b"\n", 0, begun) if begun >= 0 else 2
    if before > 1:
        return 0
    column = begun - near.rfind(b"\n", 0, begun) - 1
    frames = bytes(data[at : at + _LONGEST_TRACEBACK]).split(b"\n")[before + 1 :]
    inside = itertools.takewhile(lambda line: line[column : column + 2] == b"  ", frames)
    return before + 1 + sum(1 for _ in inside) + 2


def _behind_lines(data: memoryview, at: int, lines: int) -> int:
    """Where so many lines end that begin at a place, or -1."""
    size = 256 * lines
    while True:
        part = bytes(data[at : at + size])
        if part.count(b"\n") >= lines:
            break
        if at + size >= len(data):
            end = part.rfind(b"\n") + 1
            return at + end if end and lines > 1 else -1
        size *= 4
    end = 0
    for _ in range(lines):
        end = part.index(b"\n", end) + 1
    return at + end
