"""A log file's chunks, read, parsed and assembled: the next one by a thread while one is committed."""

import gc
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from queue import Queue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from ingest.errors import DamagedFileError, LogFileError
from ingest.faults import reach
from ingest.logfiles import reader as files
from ingest.logfiles.fingerprint import ANCHOR_BYTES, HEAD_BYTES
from ingest.logfiles.known import Identified
from ingest.model import Ledger, Origin
from ingest.records.formats import Format

if TYPE_CHECKING:
    from ingest.records.parse import Parsed, Parser
    from ingest.rows.assemble import Batch
    from ingest.rows.words import Words

T = TypeVar("T")

BOM = b"\xef\xbb\xbf"
BANNER_BYTES = 4 << 20  # so much before its first record a log may say at its start


@dataclass(frozen=True, slots=True)
class Settled:
    """What a chunk leaves behind when its rows are made: ``before`` are the bytes just before ``offset``."""

    offset: int
    before: bytes
    ledger: Ledger
    last_instant: int | None


def freeze_loaded() -> None:
    """Before the rows of many chunks are made: what is loaded is no longer looked through for garbage (0.2 s of a long run)."""
    if gc.get_freeze_count() == 0:
        gc.freeze()


def passing(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """``read``, between the fault points of a read."""

    def block(size: int) -> bytes:
        reach("before_read")
        data = read(size)
        reach("after_read")
        return data

    return block


@contextmanager
def read_ahead(reader: files.LogReader, size: int) -> Iterator[Callable[[int], bytes]]:
    """Reads blocks of ``size`` bytes; the next one of a compressed file is inflated by a thread while one is scanned."""
    if reader.compression == "none":
        yield reader.read
        return
    with closing(Ahead(iter(lambda: reader.read(size), b""))) as blocks:
        yield lambda _: next(blocks, b"")


def built(
    chunks: Iterable["Parsed"], fmt: Format, origin: Origin, carry: dict[str, int], words: "Words"
) -> Iterator["tuple[Settled, Batch]"]:
    """Assemble parsed chunks of a file; ``carry`` as for :func:`ingest.rows.assemble.build`."""
    from ingest.rows.assemble import build

    for parsed in chunks:
        reach("parsed")
        before = bytes(parsed.data[max(0, parsed.consumed - ANCHOR_BYTES) : parsed.consumed])
        offset = parsed.base + parsed.consumed
        settled = Settled(offset, before, parsed.ledger, parsed.last_instant)
        batch = words.of(build(parsed, fmt, origin, carry))
        del parsed  # its bytes and tables, before the next ones are made
        reach("assembled")
        yield settled, batch


@dataclass(slots=True)
class Piece:
    """What one commit takes of a file: its chunks' rows, and what each leaves behind; ``last``: no other follows."""

    settled: list[Settled] = field(default_factory=list)
    batches: "list[Batch]" = field(default_factory=list)
    last: bool = False

    @property
    def settled_bytes(self) -> int:
        """Bytes of the log file."""
        return sum(s.ledger.settled_bytes for s in self.settled)


def pieces(
    chunks: "Iterable[tuple[Settled, Batch]]", most_bytes: int
) -> Generator[Piece, None, None]:
    """Assembled chunks, put together until they are more than so many bytes of the log file, or damage is behind them."""
    piece = Piece()
    try:
        for settled, batch in chunks:
            if piece.settled_bytes > most_bytes:
                yield piece
                piece = Piece()
            piece.settled.append(settled)
            piece.batches.append(batch)
            del batch
    except DamagedFileError:
        if piece.settled:
            yield piece
        raise
    if piece.settled:
        piece.last = True
        yield piece


class Ahead(Generic[T]):
    """Items, the next one made by a thread, which begins at once, while one is used.

    Only one waits or is being made at a time: memory holds two, whichever side is the slower one.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._queue: Queue[T | BaseException | None] = Queue(maxsize=1)
        self._wanted, self._stop = Semaphore(1), Event()
        self._thread = Thread(target=self._work, args=(items,), name="ttsq-ahead", daemon=True)
        self._thread.start()

    def _work(self, items: Iterable[T]) -> None:
        try:
            source = iter(items)
            while self._wanted.acquire() and not self._stop.is_set():
                item = next(source, None)
                self._queue.put(item)
                if item is None:
                    return
                del item
        except BaseException as error:
            self._queue.put(error)

    def __iter__(self) -> "Ahead[T]":
        return self

    def __next__(self) -> T:
        item = None if self._stop.is_set() else self._queue.get()
        if item is None or isinstance(item, BaseException):
            self._stop.set()
            raise StopIteration if item is None else item
        self._wanted.release()
        return item

    def close(self) -> None:
        """Let the thread end: what it is making is made, and dropped."""
        self._stop.set()
        self._wanted.release()
        while self._thread.is_alive():
            if not self._queue.empty():
                self._queue.get()
            self._thread.join(0.01)


def require_records(file: Identified, parser: "Parser", words: "Words", *, final: bool) -> None:
    """Refuse a file in whose first bytes, a banner of BANNER_BYTES at most, nothing looks like a record.

    :raises LogFileError: for a binary file, or a text whose records have another format.
    """
    head = file.head.removeprefix(BOM)
    if not head.strip(b"\0\r\n\t "):
        return
    text = head.decode("utf-8", "replace")
    odd = sum(1 for c in text if (c < " " and c not in "\t\n\r\x1b\0") or c == "�")
    lines = head.count(b"\n")
    if parser.next_beginning(memoryview(head), 0, True) >= 0:
        return
    if odd > len(text) // 10 or (not lines and len(head) >= HEAD_BYTES and odd):
        raise LogFileError(
            f"{file.stat.path} is a binary file, not a log file",
            "name text logs, plain or compressed",
        )
    if len(file.head) >= HEAD_BYTES:
        banner, _ = files.read_head(file.stat, BANNER_BYTES)
        if parser.next_beginning(memoryview(banner), 0, True) >= 0:
            return
    if lines >= 3 or final:
        first = text.splitlines()[0][:120].encode("unicode_escape").decode()
        shown = f"; it begins: {first}" if words.are_kept else ""
        raise LogFileError(
            f"no line of {file.stat.path} has the log format{shown}",
            "give the service's logging format string: --log-format '%(asctime)s %(levelname)s ...'",
        )
