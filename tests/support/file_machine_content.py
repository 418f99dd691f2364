"""What people, scripts and file systems do to the content of log files: trim, punch, write over,
gather, edit. Functions on a :class:`Disk`.
"""

import os
from collections.abc import Sequence

from tests.support.file_machine_disk import PACKED, Disk, Entry, Stream, Written, rotation


def trim(disk: Disk, log: str, keep: int, into: int, *, by_rename: bool) -> set[str]:
    """Keep a log's last records, and up to ``into`` bytes of the line before them; the records of
    which a part is left.
    """
    disk.complete(log)
    stream = disk.entries[log].stream
    kept = stream.records[-keep:] if keep else []
    begin = kept[0].begin if kept else len(stream.content)
    line = stream.content.rfind(b"\n", 0, max(0, begin - 1)) + 1
    begin = max(line, begin - into) if begin else 0
    if by_rename:
        disk.path("trimmed").write_bytes(stream.content[begin:])
        os.replace(disk.path("trimmed"), disk.path(log))
    else:
        disk.path(log).write_bytes(stream.content[begin:])
    _hold(disk, log, stream.content[begin:], _moved(kept, -begin))
    return _cut_at(stream, begin)


def punch(disk: Disk, log: str, size: int) -> set[str]:
    """Make a hole at a log's beginning; of a record's lines at most half of one is left. The
    records of which a part is left.
    """
    disk.complete(log)
    stream = disk.entries[log].stream
    size = min(size, len(stream.content))
    for record in stream.records:
        if record.begin < size < record.end:
            size = max(size, stream.content.rfind(b"\n", 0, record.end - 1) + 2)
    with disk.path(log).open("r+b") as file:
        file.write(b"\0" * size)
    content = b"\0" * size + stream.content[size:]
    _hold(disk, log, content, [w for w in stream.records if w.begin >= size])
    return _cut_at(stream, size)


def write_over(disk: Disk, log: str, kinds: str) -> None:
    """Write records where such a writer is, from a log's beginning on, over what stands there."""
    disk.complete(log)
    entry = disk.entries[log]
    stream, place = entry.stream, entry.place
    made = disk.made(kinds)
    data = b"".join(more for _, more in made)
    with disk.path(log).open("r+b") as file:
        file.seek(place)
        file.write(data)
    end = place + len(data)
    ahead = [w for w in stream.records if w.end <= place]
    behind = [w for w in stream.records if w.begin >= end]
    content = stream.content[:place] + data + stream.content[end:]
    new, at = [], place
    for name, more in made:
        new.append(Written(name, at, at + len(more)))
        at += len(more)
    if end < len(stream.content):
        disk.is_torn = True
    disk.torn |= _cut_at(stream, end)
    _hold(disk, log, content, [*ahead, *new, *behind])
    disk.entries[log].place = end


def gather(disk: Disk, log: str, suffix: str) -> None:
    """Append a log to its archive, then empty it."""
    disk.complete(log)
    data, records = disk.entries[log].stream.content, disk.entries[log].stream.records
    name = f"{log}.old{suffix}"
    before = disk.entries.get(name, Entry(Stream(), 0)).stream
    with disk.path(name).open("ab") as file:
        file.write(PACKED[suffix](data) if suffix else data)
    records = [*before.records, *_moved(records, len(before.content))]
    _hold(disk, name, before.content + data, records, is_gathered=True)
    disk.truncate(log)


def join(disk: Disk, log: str) -> None:
    """All files of a log in one, the oldest first; each content once."""
    disk.complete(log)
    content, records = b"", list[Written]()
    streams: list[Stream] = []
    for name in sorted(disk.names(log), key=rotation, reverse=True):
        entry = disk.entries[name]
        if entry.is_gathered or any(entry.stream is s for s in streams):
            continue
        streams.append(entry.stream)
        whole = [w for w in entry.stream.records if w.end <= entry.length]
        records += _moved(whole, len(content))
        content += entry.stream.content[: entry.length]
    disk.path(f"{log}.all").write_bytes(content)
    _hold(disk, f"{log}.all", content, records, is_gathered=True)


def edit(disk: Disk, log: str, place: int) -> None:
    """Black out a word in a record's first line."""
    disk.complete(log)
    stream = disk.entries[log].stream
    record = stream.records[place]
    at = stream.content.index(b"app.tts", record.begin)
    content = stream.content[:at] + b"*******" + stream.content[at + 7 :]
    disk.path(log).write_bytes(content)
    _hold(disk, log, content, stream.records)


def _hold(
    disk: Disk,
    name: str,
    content: bytes,
    records: Sequence[Written],
    *,
    is_gathered: bool = False,
) -> None:
    stream = Stream(content, list(records))
    disk.entries[name] = Entry(stream, len(content), is_gathered=is_gathered)


def _cut_at(stream: Stream, at: int) -> set[str]:
    return {w.name for w in stream.records if w.begin < at < w.end}


def _moved(records: Sequence[Written], by: int) -> list[Written]:
    return [Written(w.name, w.begin + by, w.end + by) for w in records]
