"""Logs of services read plainly, in one go: docs/parsing.md ("Whatever a service prints") with
string methods, for services in the manner of IndexTTS behind uvicorn.

Envelope, hygiene, header, body, continuation; requests by :mod:`.reference_assembly`. Shares no
code with the product, keeps no state between calls, and knows no chunk.
"""

import json
from dataclasses import dataclass, field

from tests.support.reference_assembly import Asked, Told, assemble, is_known

LEVELS = ("INFO", "WARNING", "ERROR")
STAMP = "2026-03-02 10:00:00,123 "
TRACEBACK = "Traceback (most recent call last):"


@dataclass
class Line:
    """A line as the program printed it; ``level`` and ``message`` where it has a header."""

    start: int
    end: int
    instance: str | None
    text: str
    level: str | None = None
    message: str = ""
    is_bar: bool = False
    is_stamped: bool = False

    @property
    def place(self) -> tuple[int, str | None]:
        return self.start, self.instance

    @property
    def said(self) -> str:
        return self.text if self.level is None else self.message


@dataclass
class Piece:
    """A record: its first line, and the texts of those that go on with it."""

    first: Line
    more: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    blanks: list[str] = field(default_factory=list)
    has_ended: bool = False


@dataclass
class Error:
    """A row of errors."""

    offset: int
    level: str
    message: str
    exception: str | None


@dataclass
class Read:
    """All that a log tells."""

    requests: list[Asked]
    errors: list[Error]
    http: list[tuple[int, str, int]]
    unclaimed: int
    torn: int = 0


def read(data: bytes) -> Read:
    """The rows of a log."""
    lines = [line for physical in _physical(data) for line in _lines(*physical)]
    return _rows(_pieces(lines))


def _physical(data: bytes) -> list[tuple[int, int, str]]:
    found, at = [], 0
    for raw in data.splitlines(keepends=True) if b"\r" not in data else _split(data):
        text = raw.removesuffix(b"\n").removesuffix(b"\r")
        found.append((at, at + len(raw), text.decode("utf-8", "replace")))
        at += len(raw)
    return found


def _split(data: bytes) -> list[bytes]:
    pieces = [piece + b"\n" for piece in data.split(b"\n")]
    pieces[-1] = pieces[-1][:-1]
    return [piece for piece in pieces if piece]


def _lines(start: int, end: int, text: str) -> list[Line]:
    """One line after another, as a terminal would show a physical one."""
    is_stamped = text.startswith('{"log":') and '"time": "' in text and text.endswith("}")
    instance, text = _unwrapped(_plain(text))
    text = _plain(text)
    shown, is_bar = [], False
    for part in text.split("\r"):
        rest = _behind_bar(part)
        is_bar = is_bar or rest is not None
        part = part if rest is None else rest
        if part.strip():
            shown.append(part)
    lines = [_headed(Line(start, end, instance, part)) for part in shown]
    for line in lines:
        line.is_stamped = line.is_stamped or is_stamped
    if is_bar:
        lines.insert(0, Line(start, end, instance, "", is_bar=True))
    return lines or [Line(start, end, instance, "")]


def _unwrapped(text: str) -> tuple[str | None, str]:
    """The container that compose names, the pod that stern names, or nothing; docker's json-file
    has no name.
    """
    if text.startswith('{"log":'):
        try:
            return None, json.loads(text)["log"].removesuffix("\n")
        except ValueError:
            return None, text
    pod, container, *line = [*text.split(" ", 2), ""][:3]
    if _is_pod(pod) and container.isalnum() and container.islower():
        return f"{pod}/{container}", line[0] if line else ""
    name, bar, rest = f"{text} ".partition("  | ")
    rest = rest.removesuffix(" ") if bar else rest
    if bar and name and name.replace("-", "").isalnum():
        return name, rest
    return None, text


def _is_pod(word: str) -> bool:
    """Whether a word is a deployment's pod: a name, a hash of its template, five of its own."""
    parts = word.rsplit("-", 2)
    if len(parts) < 3:
        return False
    made = all(mark in "bcdfghjklmnpqrstvwxz2456789" for mark in parts[1] + parts[2])
    return made and parts[0] != "" and 6 <= len(parts[1]) <= 10 and len(parts[2]) == 5


def _plain(text: str) -> str:
    """A text without colours."""
    first, *pieces = text.split("\x1b[")
    for piece in pieces:
        code, m, rest = piece.partition("m")
        is_whole = m and all(mark in "0123456789;" for mark in code)
        first += rest if is_whole else f"\x1b[{piece}"
    return first


def _behind_bar(text: str) -> str | None:
    """What stands behind a progress bar; None where there is none."""
    share, percent, rest = text.strip().partition("%|")
    if not percent or not share.strip().isdigit() or "/s]" not in rest:
        return None
    return rest.partition("/s]")[2]


def _headed(line: Line) -> Line:
    for level in LEVELS:
        if line.text.startswith(f"{level}: ") or line.text == f"{level}:":
            line.level, line.message = level, line.text.removeprefix(f"{level}:").lstrip(" ")
        head = f"{STAMP}- app - {level} - "
        if line.text.startswith(head):
            line.level, line.message = level, line.text.removeprefix(head)
            line.is_stamped = True
    if line.level is None and line.text.startswith(STAMP):
        line.text = line.text.removeprefix(STAMP).removeprefix("- ")
        line.is_stamped = True
    return line


def _access(line: Line) -> tuple[str, int] | None:
    """Path and status of uvicorn's access line."""
    head, quote, rest = line.said.partition(' - "')
    request, quote2, status = rest.partition('" ')
    words = request.split(" ")
    if not (quote and quote2) or " " in head or len(words) != 3:
        return None
    number = status.split(" ")[0]
    return (words[1], int(number)) if number.isdigit() and len(number) == 3 else None


def engine_line(said: str) -> str | None:
    """The engine's line that a message is, also behind a relay's prefix before any quotation."""
    if is_known(said):
        return said
    for at in range(len(said)):
        if any(mark in said[:at] for mark in ('"', "'", "=")):
            return None
        if said[:at].endswith("] ") and is_known(said[at:]):
            return said[at:]
    return None


def _pieces(lines: list[Line]) -> list[Piece]:
    """Records with the lines that go on with them."""
    pieces: list[Piece] = []
    growing: dict[str | None, Piece] = {}
    for line in lines:
        piece = growing.get(line.instance)
        if piece is not None and _goes_on(piece, line):
            continue
        if not line.text.strip() and not line.is_bar:
            if piece is not None:
                piece.blanks.append(line.text)
            continue  # a blank line is nobody's, and ends nothing
        growing.pop(line.instance, None)
        if line.is_bar:
            continue
        piece = Piece(line)
        if line.text.startswith(TRACEBACK):
            piece.trace = [line.text]
        pieces.append(piece)
        severe = line.level in ("WARNING", "ERROR") or piece.trace
        if severe and _access(line) is None:
            growing[line.instance] = piece
    return sorted(pieces, key=lambda piece: piece.first.start)


def _goes_on(piece: Piece, line: Line) -> bool:
    """Whether a line goes on with a record; takes it, if so."""
    if line.level is not None or line.is_bar or _access(line) is not None or not line.text.strip():
        return False
    if piece.trace:
        if not _in_trace(piece, line.text):
            return False
        piece.trace += [*piece.blanks, line.text]
    elif line.text.startswith(TRACEBACK):
        if piece.first.level == "WARNING" and piece.more:
            return False
        piece.trace.append(line.text)
    elif engine_line(line.text) is None:
        piece.more += [*piece.blanks, line.text]
    else:
        return False
    piece.blanks = []
    return True


def _in_trace(piece: Piece, text: str) -> bool:
    if text.startswith(" "):
        return True
    if piece.has_ended or not text.partition(":")[0].replace(".", "").isidentifier():
        return False
    piece.has_ended = True
    return True


def _rows(pieces: list[Piece]) -> Read:
    told: list[Told] = []
    found = Read([], [], [], 0)
    for piece in pieces:
        line, access = piece.first, _access(piece.first)
        if access is not None:
            found.http.append((line.start, *access))
            told.append(Told("access", *line.place, *access))
        elif piece.trace or line.level == "ERROR":
            raised = [t for t in piece.trace if t.strip() and not t.startswith((" ", "Traceback"))]
            message = "" if line.text.startswith(TRACEBACK) else "\n".join([line.said, *piece.more])
            kind = raised[0].partition(":")[0] if raised else None
            level = "WARNING" if line.level == "WARNING" else "ERROR"
            found.errors.append(Error(line.start, level, message.rstrip(), kind))
            told.append(
                Told(
                    "failed",
                    *line.place,
                    _words(raised, line),
                    is_stamped=line.is_stamped,
                    raised=kind is not None,
                )
            )
        elif line.level == "WARNING":
            message = "\n".join([line.said, *piece.more]).rstrip()
            found.errors.append(Error(line.start, "WARNING", message, None))
        else:
            engine = engine_line(line.said)
            found.unclaimed += engine is None
            if engine is not None:
                told.append(Told("line", *line.place, engine, is_stamped=line.is_stamped))
    found.requests = assemble(told)
    found.unclaimed += sum(not one.is_taken for one in told)
    return found


def _words(raised: list[str], line: Line) -> str:
    """By what a failure is known when it is told once more."""
    if not raised:
        return line.said
    kind, _, message = raised[0].partition(":")
    return f"{kind}: {message.removeprefix(' ')}"
