"""The next one of some items, made by a thread while one is used."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from queue import Queue
from threading import Event, Semaphore, Thread
from typing import Generic, TypeVar

from ingest.logfiles.reader import LogReader

T = TypeVar("T")


@contextmanager
def read_ahead(reader: LogReader, size: int) -> Iterator[Callable[[int], bytes]]:
    """Reads blocks of ``size`` bytes; a thread decompresses the next one during the scan."""
    if reader.compression == "none":
        yield reader.read
        return
    with closing(Ahead(iter(lambda: reader.read(size), b""))) as blocks:
        yield lambda _: next(blocks, b"")


class Ahead(Generic[T]):
    """Items, the next one made by a thread, which begins at once, while one is used.

    Only one waits or is being made at a time: memory holds two, whichever side is the slower one.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._queue: Queue[T | BaseException | None] = Queue(maxsize=1)
        self._wanted, self._stop, self._made = Semaphore(1), Event(), Event()
        self._thread = Thread(target=self._work, args=(items,), name="ttsq-ahead", daemon=True)
        self._thread.start()

    def _work(self, items: Iterable[T]) -> None:
        try:
            source = iter(items)
            while self._wanted.acquire() and not self._stop.is_set():
                item = next(source, None)
                self._give(item)
                if item is None:
                    return
                del item
        except BaseException as error:
            self._give(error)

    def _give(self, item: T | BaseException | None) -> None:
        self._queue.put(item)
        self._made.set()

    def is_made_within(self, seconds: float) -> bool:
        """Whether the next one, or the end, is there after so many seconds at most."""
        return self._made.wait(seconds)

    def __iter__(self) -> "Ahead[T]":
        return self

    def __next__(self) -> T:
        item = None if self._stop.is_set() else self._queue.get()
        self._made.clear()  # before the next one can be
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
