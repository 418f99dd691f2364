"""Files of a series that were read before an earlier one of it, or before all of that."""

from collections.abc import Iterable
from itertools import pairwise

from ingest.logfiles.known import Known
from ingest.logfiles.rotation import age
from ingest.model import Checkpoint


def to_read_anew(known: Known, paths: Iterable[str]) -> tuple[str, ...]:
    """Known files of these paths' series whose rows would be others if they were read now, behind
    the file before them; oldest first. Behind each of them others may follow.
    """
    series = known.series(paths)
    looked_at = [pair for files in series for pair in pairwise(files) if _may_be_other(*pair)]
    if not looked_at:
        return ()
    from ingest.records.read_with import begun_after, begun_with, mark_of_beginning
    from ingest.records.series import handed_on  # a run with nothing new needs none of it

    anew = []
    for beside, c in looked_at:
        after = begun_after(c.format)
        if after == (beside.file_key, mark_of_beginning(beside.format)):
            continue  # as nearly all are
        before = known.before(c)
        if before is None:
            continue
        if after is None:
            is_other = _is_torn_off(c)
        elif after[0] == before.file_key:  # that is read anew; what it has grown by is no reason
            is_other = after[1] != mark_of_beginning(before.format)
        else:
            begun = known.find(after[0]) if after[0] else None
            is_other = not after[0] or (begun is not None and age(begun.path) < age(before.path))
        if is_other and begun_with(c.format) != handed_on(before.reading):
            anew.append(c.path)
    return tuple(anew)


def _may_be_other(before: Checkpoint, known: Checkpoint) -> bool:
    """What a look at the texts says: of most files there is no more to ask."""
    if not known.committed_offset or (before.reading is None and known.reading is None):
        return False
    after = f'"begun_after":[{before.file_key},"'
    text = known.format or ""
    if after not in text:
        return '"begun_after"' in text or _is_torn_off(known)
    return f'{after}"' not in text or '"begun_with"' in (before.format or "")


def _is_torn_off(checkpoint: Checkpoint) -> bool:
    """Whether lines before a file's first opening line go on with something, and it was read
    without the file before it. ``reading`` is JSON in JSON.
    """
    is_torn = r"\"k\":[1" in (checkpoint.reading or "")
    return is_torn and '"begun_with"' not in (checkpoint.format or "")
