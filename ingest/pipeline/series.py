"""Files of a series that were read before an earlier one of it, or before all of that."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from ingest.logfiles.known import Known
from ingest.logfiles.rotation import age
from ingest.model import Checkpoint


def to_read_anew(known: Known, paths: Iterable[str]) -> tuple[str, ...]:
    """Known files of these paths' series whose rows would be others if they were read now, behind
    the file before them; oldest first. Behind each of them others may follow.
    """
    wanted = [pair for series in known.series(paths) for pair in _that_may_differ(series)]
    found = [(c, before) for before, c in wanted if known.is_where_it_was(c)]
    if not found:
        return ()
    from ingest.records.read_with import begun_after, begun_with, mark_of_beginning
    from ingest.records.series import handed_on  # a run with nothing new needs none of it

    anew = []
    for c, before in found:
        state, after = handed_on(before.reading), begun_after(c.format)
        if after is None:
            is_other = True
        elif after[0] == before.file_key:
            # what that file has grown by is no reason, only that it was read anew itself
            is_other = after[1] != mark_of_beginning(before.format)
        else:
            begun = known.find(after[0])  # None: it was forgotten
            is_other = begun is not None and age(begun.path) < age(before.path)
        if is_other and begun_with(c.format) != state:
            anew.append(c.path)
    return tuple(anew)


def _that_may_differ(series: list[Checkpoint]) -> Iterator[tuple[Checkpoint, Checkpoint]]:
    """The files of a series whose rows, or what they hand on to a newer one, may be others behind
    the file before; that one first, all of which has been read.

    They were read behind a file, or they or a newer one begin with what goes on, or the file before
    ends with what is open.
    """
    torn_off = [place for place, c in enumerate(series) if _is_torn_off(c)]
    last = torn_off[-1] if torn_off else -1
    for place, (before, c) in enumerate(pairwise(series), start=1):
        if before.committed_offset >= before.size_bytes and (
            place <= last or '"begun_with"' in (c.format or "") or _is_open(before)
        ):
            yield before, c


def _is_open(checkpoint: Checkpoint) -> bool:
    """Whether something is open at a file's end: requests, or their access lines are to come."""
    return any(mark in (checkpoint.reading or "") for mark in (r"\"r\":[[", r"\"a\":[["))


def _is_torn_off(checkpoint: Checkpoint) -> bool:
    """Whether lines before a file's first opening line go on with something that no file before it
    has handed on. ``reading`` is JSON in JSON.
    """
    return r"\"k\":[1" in (checkpoint.reading or "")
