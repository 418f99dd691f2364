"""Stack traces of other languages than Python → what was raised, and where (docs/parsing.md,
"Errors"): Java, .NET, JavaScript, Go, Rust, C++, and what Python's faulthandler writes.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ingest.lazily import matcher

_LINES, _COLUMNS = 2_000, 1_000  # of a text that are looked at, and of a line
_NAME = r"(?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*"

# Java, .NET, JavaScript: "    at Engine.synth(Engine.java:88)"
_AT = matcher(r"\s+at \S")
_JAVA = matcher(
    r"\s+at (?P<foreign>[\w.-]+(?:@[\w.+-]+)?/++)?(?P<name>[\w$.<>/-]+)\("
    r"(?P<file>[\w$-]+\.(?:java|kt|kts|scala|groovy|clj)):(?P<line>\d+)\)"
)
_NET = matcher(r"\s+at (?P<name>[^\s(]+)(?:\(.*\))? in (?P<file>.+):line (?P<line>\d+)\s*$")
_SCRIPT = matcher(
    r"\s+at (?:async )?(?:new )?(?:(?P<name>[^\s(]+)(?: \[as [^\]]*\])? \()?"
    r"(?P<file>(?:[\w-]+:)?[^\s():]+):(?P<line>\d+):\d+\)?\s*$"
)
_FOREIGN_NAME = matcher(
    r"(?:java|javax|jdk|sun|com\.sun|jakarta|kotlin|kotlinx|scala|clojure|org\.springframework"
    r"|org\.apache|org\.eclipse|org\.jboss|org\.hibernate|io\.netty|io\.grpc|io\.undertow|io\.vertx"
    r"|io\.micrometer|reactor|okhttp3|com\.google|com\.fasterxml|com\.zaxxer|ch\.qos)\."
)
_FOREIGN_FILE = matcher(
    r"node:|internal/|.*[\\/]node_modules[\\/]|/_/|/usr/local/go/|/usr/lib/go|/usr/share/go"
    r"|.*/go/pkg/mod/|.*/vendor/|.*/go/src/|runtime/|/rustc/|.*/\.cargo/|.*/rustlib/|<anonymous>"
    r"|.*(?:site-packages|dist-packages|/lib/python3)|<frozen "
)
_RAISED = matcher(
    r"\s*(?:Caused by: |-+> )?(?:Unhandled [Ee]xception[.:] |Uncaught |"
    r'Exception in thread "[^"]*" |\(node:\d+\) \w+: )?(?P<type>' + _NAME + r")(?: \[[\w-]+\])?"
    r"(?:: (?P<message>.*))?$"
)
_RAISED_BEHIND = matcher(
    r"(?P<type>(?<![\w.$])" + _NAME + r"(?:Error|Exception))(?: \[[\w-]+\])?(?:: (?P<message>.*))?$"
)
_INNER = matcher(r"(?<!-)-+> (?P<rest>" + _NAME + r": .*)$")

_GO_FRAME = matcher(
    r"\s+(?P<file>(?:/|[A-Za-z]:/)?[^\s:]+\.(?:go|s|c)):(?P<line>\d+)(?: \+0x|\s*$)"
)
_GO_RAISED = matcher(
    r".*?\b(?P<type>panic|fatal error)(?: serving \S+)?: (?:runtime error: )?(?P<message>.*)$"
)
_RUST = matcher(
    r".*?panicked at (?:(?P<file>[^\s':]+):(?P<line>\d+):\d+:?$"
    r"|'(?P<message>.*)', (?P<old>[^\s':]+):(?P<old_line>\d+):\d+$)"
)
_RUST_NAME = matcher(r"\s*\d+: +(?:0x[0-9a-f]+ - )?(?P<name>[^\s].*?)(?:::h[0-9a-f]{16})?$")
_RUST_FRAME = matcher(r"\s+at (?P<file>[^\s:]+):(?P<line>\d+)(?::\d+)?\s*$")
_FAULT_FRAME = matcher(r'\s+File "(?P<file>[^"\n]*)", line (?P<line>\d+) in (?P<name>\S+)')
_THROWN = matcher(r"terminate called after throwing an instance of '(?P<type>[^']+)'")
_WHAT = matcher(r"\s*what\(\): +(?P<message>.*)$")
_FROM = matcher(
    r"Exception raised from (?P<name>\S++).* at (?P<file>[^\s:]+):(?P<line>\d+) \(most recent call"
)
_SCRIPT_PLACE = matcher(r"(?:file:///?)?(?P<file>(?:/|[A-Za-z]:[\\/]|node:)[^\s:]*):(?P<line>\d+)$")


class Stack(NamedTuple):
    """What a stack trace says; ``begins`` is its first line in the text, ``headline`` what is to
    be the message where the text's first line says nothing.
    """

    type: str | None
    message: str | None
    location: str | None
    begins: int
    headline: str | None = None


class _Frame(NamedTuple):
    file: str
    line: str
    name: str | None
    is_foreign: bool

    @property
    def place(self) -> str:
        """As ``file:line in function``."""
        return f"{self.file}:{self.line}" + (f" in {self.name}" if self.name else "")


def read_stack(text: str) -> Stack | None:
    """The stack trace in a text whose first line is a record's message; None where none is."""
    lines = [line[:_COLUMNS].rstrip() for line in text.split("\n", _LINES)[:_LINES]]
    for reads, mark in _KINDS:
        if mark in text and (found := reads(lines)) is not None:
            return found
    return None


def _of(frames: Iterable[_Frame]) -> str | None:
    """The place of the first frame that is the program's own, else of the first."""
    first = None
    for frame in frames:
        if not frame.is_foreign:
            return frame.place
        first = first or frame
    return None if first is None else first.place


# Java, .NET, JavaScript


def _at(lines: list[str]) -> Stack | None:
    """A trace of lines ``at …``: what caused it comes last (Java) or first (.NET)."""
    frames = [i for i, line in enumerate(lines) if _AT.match(line)]
    if not frames:
        return None
    begins = _raised_at(lines, frames[0])
    causes = [i for i in range(begins + 1, len(lines)) if lines[i].startswith("Caused by: ")]
    cause = causes[-1] if causes else begins
    kind, told = _raised(lines, cause, frames[0] if cause == begins else cause + 1)
    places = [_frame_at(lines[i]) for i in frames if i > cause]
    places = [*places, *(_frame_at(lines[i]) for i in frames if i < cause)]
    headline = None
    if _SCRIPT_PLACE.match(lines[0]) and kind:
        headline, begins = f"{kind}: {told}" if told else kind, 0
    where = _of(frame for frame in places if frame is not None)
    return Stack(kind, told, where, begins, headline) if kind or where else None


def _raised_at(lines: list[str], frame: int) -> int:
    """The line that says what was raised: the nearest before the frames that names it."""
    for i in range(frame - 1, max(frame - 10, -1), -1):
        raised = _RAISED.match(lines[i])
        if raised and (raised["message"] is not None or i == frame - 1):
            return i
    return max(frame - 1, 0)


def _raised(lines: list[str], at: int, end: int) -> tuple[str | None, str | None]:
    """Type and message of what a line says was raised; the message may go on up to ``end``."""
    line = lines[at]
    for i in range(at, end):
        inner = _INNER.search(lines[i])
        if inner is not None:  # .NET's, whose frames come first
            line, at = inner["rest"], i
    found = _RAISED.match(line) or _RAISED_BEHIND.search(line)
    if found is None or _is_prose(found):
        found = _RAISED_BEHIND.search(line)
    if found is None:
        return None, None
    told = "\n".join([found["message"] or "", *lines[at + 1 : end]]).strip()
    return found["type"], told or None


def _is_prose(raised: re.Match[str]) -> bool:
    """Whether what seems to be a type is a word before a colon: ``failed: TypeError: x``."""
    name = raised["type"].rpartition(".")[2]
    return not name[:1].isupper() or _RAISED_BEHIND.match(raised["message"] or "") is not None


def _frame_at(line: str) -> _Frame | None:
    for shape in (_JAVA, _NET, _SCRIPT):
        found = shape.match(line)
        if found is None:
            continue
        if shape is _JAVA:
            foreign = bool(found["foreign"]) or _FOREIGN_NAME.match(found["name"])
        else:
            foreign = _FOREIGN_FILE.match(found["file"])
        return _Frame(_path(found["file"]), found["line"], found["name"], bool(foreign))
    return None


def _path(file: str) -> str:
    return file.removeprefix("file://")


# Go, Rust, C++, faulthandler


def _go(lines: list[str]) -> Stack | None:
    begins = next((i for i, line in enumerate(lines) if line.startswith("goroutine ")), -1)
    if begins < 0:
        return None
    raised = next((m for line in lines[:begins] if (m := _GO_RAISED.match(line))), None)
    end = next((i for i in range(begins + 1, len(lines)) if lines[i][:10] == "goroutine "), None)
    part = lines[begins:end]
    # what stands before the frame of panic() is what reports it
    after = max((i for i, line in enumerate(part) if line.startswith("panic(")), default=0)
    frames = [_go_frame(part, i) for i in range(after + 1, len(part))]
    kind, told = (raised["type"], raised["message"]) if raised else (None, None)
    if raised is None and after:
        kind, told = "panic", lines[0]
    where = _of(frame for frame in frames if frame is not None)
    return Stack(kind, told, where, max(begins, 1))


def _go_frame(lines: list[str], at: int) -> _Frame | None:
    found = _GO_FRAME.match(lines[at])
    if found is None:
        return None
    name = lines[at - 1].strip().removeprefix("created by ")
    name = name[: name.rindex("(")] if name.endswith(")") and "(" in name else name
    is_foreign = _FOREIGN_FILE.match(found["file"]) or name.startswith("runtime.")
    return _Frame(found["file"], found["line"], name.partition(" ")[0], bool(is_foreign))


def _rust(lines: list[str]) -> Stack | None:
    at = next((i for i, line in enumerate(lines[:4]) if _RUST.match(line)), -1)
    if at < 0:
        return None
    head = _RUST.match(lines[at])
    assert head is not None
    notes = [i for i in range(at + 1, len(lines)) if lines[i].startswith(("note: ", "stack backt"))]
    end = notes[0] if notes else len(lines)
    told = head["message"] if head["old"] else "\n".join(lines[at + 1 : end]).strip()
    file, number = head["file"] or head["old"], head["line"] or head["old_line"]
    own = _Frame(file, number, None, _FOREIGN_FILE.match(file) is not None)
    frames = [f for i in range(end, len(lines)) if (f := _rust_frame(lines, i)) is not None]
    same = (f for f in frames if f.line == number and f.file.removeprefix("./") == file)
    own = next(same, own)._replace(file=file) if not own.is_foreign else own
    return Stack("panic", told or None, _of([own, *frames]), min(end, len(lines)))


def _rust_frame(lines: list[str], at: int) -> _Frame | None:
    found, name = _RUST_FRAME.match(lines[at]), _RUST_NAME.match(lines[at - 1])
    if found is None or name is None:
        return None
    is_foreign = _FOREIGN_FILE.match(found["file"]) is not None
    return _Frame(found["file"], found["line"], name["name"].partition(" ")[0], is_foreign)


def _fault(lines: list[str]) -> Stack | None:
    """faulthandler's: frames begin with the deepest, and the current thread is the one meant."""
    threads = [i for i, line in enumerate(lines) if "(most recent call first)" in line]
    current = [i for i in threads if lines[i].startswith("Current thread")]
    if not threads:
        return None
    frames = []
    for line in lines[(current or threads)[0] + 1 :]:
        found = _FAULT_FRAME.match(line)
        if found is None:
            break
        is_foreign = _FOREIGN_FILE.match(found["file"]) is not None
        frames.append(_Frame(found["file"], found["line"], found["name"], is_foreign))
    return Stack(None, None, _of(frames), max(threads[0], 1)) if frames else None


def _thrown(lines: list[str]) -> Stack | None:
    """libstdc++'s last words, and where PyTorch says that its exception is from."""
    raised = next((m for line in lines if (m := _THROWN.match(line))), None)
    if raised is None:
        return None
    told = next((m["message"] for line in lines if (m := _WHAT.match(line))), None)
    source = next((m for line in lines if (m := _FROM.match(line))), None)
    where = f"{source['file']}:{source['line']} in {source['name']}" if source else None
    return Stack(raised["type"], told, where, 1)


_KINDS: tuple[tuple[Callable[[list[str]], Stack | None], str], ...] = (
    (_go, "goroutine "),
    (_rust, "panicked at "),
    (_thrown, "terminate called "),
    (_fault, "(most recent call first)"),
    (_at, " at "),
    (_at, "\tat "),
)
