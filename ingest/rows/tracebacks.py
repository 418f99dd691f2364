"""Tracebacks → exception type, message and the deepest frame of the service's own code.

Python's are read here, stack traces of other languages in stacks.py. These stand in a record's
message, as its own lines: they are taken out of it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from ingest.lazily import matcher
from ingest.rows.stacks import Stack, read_stack

_FRAME = matcher(
    r'^[ |+>]*File "(?P<file>[^"\n]*)", line (?P<line>\d+)(?:, in (?P<name>.*))?$', re.M
)
_FILE = 'File "'  # in every frame
_GROUPED = matcher(r"^  \| (?P<rest>[A-Za-z_][\w.]*: .*)$")
_EXCEPTION = matcher(r"^(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_EXC_PAIR = matcher(r"^(?P<type>[A-Za-z_][\w.]*)(?:[:(]\s*(?P<message>.*))?$", re.S)
_FOREIGN = matcher(r"site-packages|dist-packages|/lib/python3|\\lib\\|^<frozen ", re.I)
_OF_GROUPS = ("  + Exception Group", "  | ")
_NOT_EXCEPTIONS = ("Traceback (most recent call last)",)
_INTERLUDES = ("During handling of the above", "The above exception was")


_PYTHONS = ("Traceback (most recent call last)", "ray::")  # in each of Python's tracebacks
_TEXT = 'text="'  # behind which a message may be what a user wrote


class Told(NamedTuple):
    """Columns of errors; of exceptions null where there is none."""

    messages: pa.Array
    tracebacks: pa.Array
    types: pa.Array
    exception_messages: pa.Array
    locations: pa.Array


def read_tracebacks(messages: pa.Array, tracebacks: pa.Array, exc: pa.Array) -> Told:
    """Read columns of messages and tracebacks; where there is none, the pair ``exc`` names type and
    message.

    Equal tracebacks are read once: an incident repeats few of them many times.
    """
    is_bare = tracebacks.null_count == len(tracebacks)
    if is_bare and exc.null_count == len(exc) and not _has_lines(messages):
        empty = pa.nulls(len(tracebacks), pa.string())
        return Told(messages, tracebacks, empty, empty, empty)
    columns = (messages.to_pylist(), tracebacks.to_pylist(), exc.to_pylist())
    rows = [_of_record(*each) for each in zip(*columns, strict=True)]
    return Told(*(pa.array([r[i] for r in rows], pa.string()) for i in range(5)))


def _has_lines(messages: pa.Array) -> bool:
    """Whether any of these may have several lines."""
    data = messages.buffers()[2]
    return data is not None and b"\n" in data.to_pybytes()


_Row = tuple[str, str | None, str | None, str | None, str | None]


def _of_record(message: str, traceback: str | None, exc: str | None) -> _Row:
    if traceback is None and "\n" in message:
        return _apart(message, exc)
    return _with_traceback(message, traceback, exc)


@lru_cache(maxsize=64)
def _apart(message: str, exc: str | None) -> _Row:
    """A message of several lines, without the stack trace that stands in it."""
    found = read_stack(message)
    if found is None:
        return (message, None, *_read(None, exc))
    lines = message.split("\n")
    if _TEXT in "\n".join(lines[: max(found.begins, 1)]):
        return (message, None, *_read(None, exc))
    head = found.headline or "\n".join(lines[: max(found.begins, 1)]).rstrip()
    trace = "\n".join(lines[max(found.begins, 0 if found.headline else 1) :]).strip("\n")
    return (head, trace or None, *_raised(found))


def _with_traceback(message: str, traceback: str | None, exc: str | None) -> _Row:
    if traceback is not None and not any(mark in traceback for mark in _PYTHONS):
        found = _stack_below(message.partition("\n")[0], traceback)
        if found is not None:
            return (message, traceback, *_raised(found))
    return (message, traceback, *_read(traceback, exc))


@lru_cache(maxsize=64)
def _stack_below(message: str, traceback: str) -> Stack | None:
    return read_stack(f"{message}\n{traceback}")


def _raised(stack: Stack) -> tuple[str | None, str | None, str | None]:
    return stack.type, stack.message, stack.location


@lru_cache(maxsize=64)
def _read(traceback: str | None, exc: str | None) -> tuple[str | None, str | None, str | None]:
    where = location(traceback) if traceback is not None else None
    if traceback is not None and (raised := last_exception(traceback))[0] is not None:
        return (*raised, where)
    match = _EXC_PAIR.match(exc) if exc else None
    if match is None:
        return None, exc or None, where
    return match["type"], _unbracket(exc or "", match["message"]), where


def _unbracket(exc: str, message: str | None) -> str | None:
    if message is None:
        return None
    if "(" in exc and exc.endswith(")") and message.endswith(")"):
        message = message[:-1]
        if len(message) > 1 and message[0] == message[-1] and message[0] in "'\"":
            message = message[1:-1]
    return message or None


def last_exception(traceback: str) -> tuple[str | None, str | None]:
    """Type and message of the exception raised last: the last unindented ``Name: message`` behind a
    frame.
    """
    lines = traceback.split("\n")
    found: tuple[str, str | None] | None = None
    first, in_frames = 0, True
    for i, raw in enumerate(lines):
        if raw.startswith((" ", "\t")) and not raw.startswith(_OF_GROUPS):
            continue  # of a frame, as most of a traceback
        line = raw.rstrip("\r")
        if line.startswith(_NOT_EXCEPTIONS) or line.startswith("  + Exception Group"):
            in_frames = True
            continue
        if not in_frames or line.startswith((" ", "\t", "> File ")) or not line:
            group = _GROUPED.match(line) if in_frames else None
            if group is None:
                continue
            line = group["rest"]
        match = _EXCEPTION.match(line)
        if match and not line.startswith(_INTERLUDES):
            found, first, in_frames = (match["type"], match["message"]), i, False
    if found is None:
        return None, None
    rest = []
    for line in lines[first + 1 :]:
        if line.startswith(("Traceback (most", "  +", *_INTERLUDES)):
            break
        rest.append(line)
    message = "\n".join([found[1] or "", *rest]).strip()
    return found[0], message or None


def location(traceback: str) -> str | None:
    """``file:line in function`` of the deepest frame that is the service's own, else of the
    deepest.
    """
    deepest = None
    for frame in _frames_from_the_last(traceback):
        if not _FOREIGN.search(frame["file"]):
            return _place(frame)
        deepest = deepest or frame
    return None if deepest is None else _place(deepest)


def _frames_from_the_last(traceback: str) -> Iterator[re.Match[str]]:
    end = traceback.rfind(_FILE)
    while end >= 0:
        start = traceback.rfind("\n", 0, end) + 1
        found = _FRAME.match(traceback, start)
        if found is not None:
            yield found
        end = traceback.rfind(_FILE, 0, start)


def _place(frame: re.Match[str]) -> str:
    name = frame["name"].rstrip() if frame["name"] else None
    return f"{frame['file']}:{frame['line']}" + (f" in {name}" if name else "")
