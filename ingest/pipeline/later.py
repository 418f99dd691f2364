"""New files that were logged after all that is stored: none of their lines can be, so they need not
be compared with it.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ingest.records.instants import LOGGED, NEIGHBOUR

if TYPE_CHECKING:
    from ingest.records.parse import Parsed

UNKNOWN = np.iinfo(np.int64).max  # instant: anything may be as old


def latest_of(parsed: "Parsed") -> int | None:
    """The latest instant of a chunk's records, microseconds UTC; None without any.

    Lines of the log format have the same instant on whichever path they were read.
    """
    last = parsed.last_instant
    if not len(parsed.records):
        return last
    latest = int(parsed.instants.max())
    return latest if last is None else max(latest, last)


class Later:
    """Passes on chunks of a file as long as all their records were logged after an instant.

    :ivar stopped: whether one was not: it and what follows are not passed on.
    """

    def __init__(self, newest: int | None, known_until: int = 0) -> None:
        """``newest`` is None where nothing is stored; what begins before the offset ``known_until``
        was compared with what is stored.
        """
        self.stopped = False
        self._newest = newest
        self._known_until = known_until

    def of(self, chunks: "Iterable[Parsed]") -> "Iterator[Parsed]":
        """The chunks, up to the first with an older record."""
        for parsed in chunks:
            if self._newest is not None and older_until(parsed, self._newest) > self._known_until:
                self.stopped = True
                return
            yield parsed
            del parsed


def older_until(parsed: "Parsed", newest: int) -> int:
    """Where the last record ends that may have been logged by an instant; 0: there is none.

    A record tells when it was logged if it has a stamp, which has a date: a copy of it has the
    same. One without a stamp is recognised only beside others that have one.
    """
    if parsed.rejects or (len(parsed.records) and not _is_native(parsed)):
        return parsed.base + parsed.consumed
    source = parsed.time_source
    told = ((source == LOGGED) | (source == NEIGHBOUR)) & (parsed.instants > newest)
    if told.all():
        return 0
    return int(parsed.ends[np.flatnonzero(~told)[-1]])


def _is_native(parsed: "Parsed") -> bool:
    """Whether its records are the file's own bytes, each with a header of the log format."""
    return parsed.offsets is None and parsed.source is None
