"""Files of a series that were read before an earlier one of it, or before all of that."""

from collections.abc import Iterable

from ingest.logfiles.known import Known
from ingest.logfiles.rotation import age
from ingest.model import Checkpoint


def to_read_anew(known: Known, paths: Iterable[str]) -> tuple[str, ...]:
    """Known files of these paths' series whose rows would be others if they were read now, behind
    the file before them; oldest first. Behind each of them others may follow.
    """
    found = known.successions(paths, _may_differ)
    if not found:
        return ()
    from ingest.records.read_with import begun_after, begun_with, mark_of_beginning
    from ingest.records.series import handed_on  # a run with nothing new needs none of it

    anew = []
    for c, before in found:
        state, after = handed_on(before.reading), begun_after(c.format)
        if after is None:
            is_other = _is_torn_off(c)
        elif (
            after[0] == before.file_key
        ):  # that has been read anew; what it has grown by is no reason
            is_other = after[1] != mark_of_beginning(before.format)
        else:
            begun = known.find(after[0])  # None: it was forgotten
            is_other = begun is not None and age(begun.path) < age(before.path)
        if is_other and begun_with(c.format) != state:
            anew.append(c.path)
    return tuple(anew)


def _may_differ(checkpoint: Checkpoint) -> bool:
    return '"begun_after"' in (checkpoint.format or "") or _is_torn_off(checkpoint)


def _is_torn_off(checkpoint: Checkpoint) -> bool:
    """Whether lines before a file's first opening line go on with something, and it was read
    without the file before it. ``reading`` is JSON in JSON.
    """
    is_torn = r"\"k\":[1" in (checkpoint.reading or "")
    return is_torn and '"begun_with"' not in (checkpoint.format or "")
