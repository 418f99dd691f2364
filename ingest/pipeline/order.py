"""In which order a run reads the files of a series.

They are read oldest first: then a file goes on with the one before it, and none has to be compared
with what was logged after it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import tzinfo

from ingest.logfiles.known import LogFile
from ingest.logfiles.rotation import age

_LOOKED_AT = 4096  # bytes of a beginning
_LINE_BYTES = 256  # of a line, in which its stamp stands


def oldest_first(files: Iterable[LogFile], tz: tzinfo) -> list[LogFile]:
    """Files in the order that they were written last, but each series in that of its content.

    Copies often have the times, and so the order, of the copying. Where these contradict the names
    of a series, its files are in the order of the first stamps with a date in them; where one of
    them has none, in that of the names. Each series keeps its places among the others.
    """
    found = list(files)
    series: defaultdict[str, list[int]] = defaultdict(list)
    for place, file in enumerate(found):
        if file.untouched is None:
            series[_age(file)[0]].append(place)
    for places in series.values():
        members = [found[place] for place in places]
        if not _is_by_name(members):
            for place, file in zip(places, _by_content(members, tz), strict=True):
                found[place] = file
    return found


def _age(file: LogFile) -> tuple[str, int, int]:
    return age(str(file.stat.path))


def _is_by_name(members: Sequence[LogFile]) -> bool:
    ages = [_age(file) for file in members]
    return ages == sorted(ages)


def _by_content(members: Sequence[LogFile], tz: tzinfo) -> list[LogFile]:
    begins = {file.stat.path: _begins_at(file, tz) for file in members}
    known = {path: instant for path, instant in begins.items() if instant is not None}
    if len(known) < len(begins):
        return sorted(members, key=_age)
    return sorted(members, key=lambda file: (known[file.stat.path], _age(file)))


def _begins_at(file: LogFile, tz: tzinfo) -> int | None:
    """The first instant, microseconds UTC, that stands in a file's beginning; None without any."""
    from ingest.records.moments import Clock, stamp_within  # few series are in another order

    clock = Clock(tz, file.stat.modified_ns // 1000, None, None)
    for line in file.head[:_LOOKED_AT].splitlines():
        stamp = stamp_within(line[:_LINE_BYTES])
        if stamp is not None and stamp.days is not None:
            return clock.instant(stamp)
    return None
