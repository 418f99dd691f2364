"""Physical lines → logical ones: envelopes and terminal's doings off, split lines joined, parts
told apart (pure).
"""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from ingest.compiled.layout import L_NONE, L_WARNING
from ingest.lazily import matcher
from ingest.records.access import Access
from ingest.records.access_servers import access_line
from ingest.records.collectors import Pods
from ingest.records.envelopes import joined, unwrap
from ingest.records.event_names import names_event
from ingest.records.formats import ENVELOPES
from ingest.records.headers import bare_stamp, header_of
from ingest.records.hygiene import Bar, parts_of, without_colours
from ingest.records.json_lines import JsonLine, json_line
from ingest.records.levels import Header
from ingest.records.moments import Stamp
from ingest.records.native import NativeFormat, NativeHeader
from ingest.records.pair_lines import pair_line
from ingest.records.physical import Physical
from ingest.records.wrapped import Wrapped

# before an access line: "aiohttp.access ", TorchServe's "thread ACCESS_LOG - "
_LOGGER = matcher(
    rb"(?:[\w.-]{1,80} )?(?P<name>ACCESS_LOG|[A-Za-z_][\w-]{0,40}(?:\.[A-Za-z_][\w-]{0,40})+)"
    rb"(?::\d+)?(?: [-|:]|:)? "
)
_SYSLOGS = frozenset(("syslog", "journald short-iso"))
_STRIPPED = frozenset((b"\0", b"\x1a", b"\xef"))
TRACEBACK: Final = b"Traceback (most recent call last):"
_GROUP: Final = b"  + Exception Group Traceback (most recent call last):"
# the frames of a task or actor that failed elsewhere (ray/exceptions.py RayTaskError)
_RAY = matcher(rb"ray::[\w.:<>\[\]-]{1,200}\(\)(?: \(pid=\d+[^)]*\))?$")
_MAYBE_BLANK = frozenset((b"", b" ", b"\t", b"\n", b"\r", b"\v", b"\f", b"\0", b"\x1a"))
_SOLID = matcher(rb"[^\s\0\x1a]")


@dataclass(slots=True)
class Logical:
    """One line as the program printed it.

    ``start`` … ``end`` is the stretch of the file that it lies in, ``size`` how many of these bytes
    are its own (parts of other instances may lie between), ``place`` the offset that names it. What
    it is, is one of ``native``, ``header``, ``json`` and ``access``, or none of them; a ``bar`` may
    stand before any. ``torn`` bytes before the text belong to a line whose writer was killed.
    ``stamp`` stood before a line that has no header.
    """

    start: int
    end: int
    size: int
    place: int
    text: bytes
    wrapped: Wrapped
    bar: Bar | None = None
    native: NativeHeader | None = None
    header: Header | None = None
    json: JsonLine | None = None
    access: Access | None = None
    torn: bytes | None = None
    stamp: Stamp | None = None
    behind: Access | None = None
    is_asked: bool = False
    nuls: int = 0
    cr: bool = False

    @property
    def is_blank(self) -> bool:
        return self.text[:1] in _MAYBE_BLANK and _SOLID.search(self.text) is None

    @property
    def is_indented(self) -> bool:
        return self.text[:1] in (b" ", b"\t")

    @property
    def begins_traceback(self) -> bool:
        text = self.text
        return text.startswith((TRACEBACK, _GROUP)) or (
            text.startswith(b"ray::") and _RAY.match(text) is not None
        )

    @property
    def begins(self) -> bool:
        """Whether a record begins with it, whatever stands before."""
        return (
            self.native is not None
            or self.header is not None
            or self.json is not None
            or self.access is not None
        )


class Reader:
    """Logical lines of one file, chunk after chunk; what is left of a split line at a chunk's end
    is read again with the next. ``prints_text_at`` tells of a message whether a place in it is
    inside a text that a rule's line prints.
    """

    def __init__(
        self,
        native: NativeFormat,
        pods: Pods | None = None,
        prints_text_at: Callable[[bytes, int], bool] = lambda message, at: False,
    ) -> None:
        self.native = native
        self._pods = Pods() if pods is None else pods
        self._prints_text_at = prints_text_at
        self.names: dict[str, int] = {}
        pinned = native.format.pins.envelopes
        self._only = None if pinned is None else frozenset(ENVELOPES[name] for name in pinned)

    def of(self, physical: Iterable[Physical], *, final: bool) -> tuple[list[Logical], int]:
        """The logical lines, and where the first split line that lacks its end begins (-1 for
        none).
        """
        found: list[Logical] = []
        split: dict[tuple[str | None, str | None], list[Physical]] = {}
        last: dict[tuple[str | None, str | None], Wrapped] = {}
        is_joined = False
        for line in physical:
            wrapped = self._unwrap(line.text, line.start)
            key = (wrapped.instance, wrapped.stream)
            if wrapped.partial or key in split:
                pieces = split.setdefault(key, [])
                if not pieces:
                    last[key] = wrapped
                pieces.append(Physical(line.start, line.end, wrapped.text))
                is_joined = True
                if not wrapped.partial:
                    found.extend(self._joined(split.pop(key), last.pop(key)))
                continue
            lines = self.lines_of(line.start, line.end, line.end - line.start, wrapped)
            found.extend(lines if not (line.nuls or line.cr) else _as_written(lines, line))
        if final:
            for key, pieces in split.items():
                found.extend(self._joined(pieces, last[key]))
            split = {}
        if split or is_joined:
            found.sort(key=attrgetter("start"))
        return found, min((pieces[0].start for pieces in split.values()), default=-1)

    def _joined(self, pieces: list[Physical], first: Wrapped) -> Iterable[Logical]:
        text = b"".join(piece.text for piece in pieces)
        size = sum(piece.end - piece.start for piece in pieces)
        return self.lines_of(pieces[0].start, pieces[-1].end, size, replace(first, text=text))

    def _unwrap(self, text: bytes, start: int) -> Wrapped:
        """The envelopes off a line at an offset; one that the format fits as it is has none."""
        if self.native.is_given and self.native.header(text) is not None:
            return Wrapped(text)
        coloured = b"\x1b" in text or b"#033[" in text
        if coloured and text[:1] in b"\x1b#":
            text = without_colours(text)
        wrapped = unwrap(text, self._only)
        is_pinned = self._only is not None
        if wrapped.names or (is_pinned and "stern" not in (self._only or ())):
            return wrapped
        pod = self._pods.unwrap(text, start, is_pinned=is_pinned)
        if pod is None:
            return wrapped
        inner = unwrap(pod.text, self._only)
        return joined(pod, inner) if inner.names else pod

    def lines_of(self, start: int, end: int, size: int, wrapped: Wrapped) -> Iterable[Logical]:
        """The lines that a terminal would show one after another for one physical line."""
        text = wrapped.text
        if b"\n" in text:
            return self._each(start, end, size, wrapped)
        if wrapped.names and b"#01" in text and not _SYSLOGS.isdisjoint(wrapped.names):
            text = text.replace(b"#011", b"\t").removesuffix(b"#015")  # as rsyslog writes them
        native = self.native.header(text) if self.native.access_of(text) is None else None
        if native is not None:
            return self._native(Logical(start, end, size, start, text, wrapped, native=native))
        parts, bar = parts_of(without_colours(text))
        if not parts:
            return (Logical(start, end, size, start, b"", wrapped, bar=bar),)
        only = parts[0][1]
        if len(parts) == 1 and only[:1] not in _STRIPPED and only[-1:] not in _STRIPPED:
            return self._kind_of(Logical(start, end, size, start, only, wrapped, bar=bar))
        return self._several(start, end, size, wrapped, parts, bar)

    def _each(self, start: int, end: int, size: int, wrapped: Wrapped) -> Iterator[Logical]:
        """The lines of a text that its shipper or logger put together from several."""
        at = 0
        for number, piece in enumerate(wrapped.text.split(b"\n")):
            inner = replace(wrapped, text=piece)
            for line in self.lines_of(start, end, 0 if number else size, inner):
                line.place += at
                yield line
            at += len(piece) + 1

    def _several(
        self,
        start: int,
        end: int,
        size: int,
        wrapped: Wrapped,
        parts: list[tuple[int, bytes]],
        bar: Bar | None,
    ) -> Iterator[Logical]:
        for number, (at, part) in enumerate(parts):
            part = part.removeprefix(BOM_UTF8).strip(b"\0\x1a")
            line = Logical(
                start,
                end,
                0 if number else size,
                start + (at if number else 0),
                part,
                wrapped,
                bar=None if number else bar,
            )
            yield from self._kind_of(line)

    def _native(self, line: Logical) -> tuple[Logical, ...]:
        """A line with a header of the format: two where a whole header stands in it, and no quote
        is open there.
        """
        at = self.native.torn_at(line.text)
        if at < 0:
            return (line,)
        rest = self.native.header(line.text[at:])
        return (
            Logical(
                line.start, line.end, line.size, line.place + at, line.text[at:], line.wrapped,
                native=rest, torn=line.text[:at],
            ),
        )  # fmt: skip

    def _kind_of(self, line: Logical) -> tuple[Logical, ...]:
        if line.text.endswith(TRACEBACK) and len(line.text) > len(TRACEBACK):
            at = len(line.text) - len(TRACEBACK)
            if line.text[at - 2 : at] == b": ":
                return self._with_traceback(line, at)
        return self._one(line)

    def _with_traceback(self, line: Logical, at: int) -> tuple[Logical, ...]:
        """Two lines where a traceback begins behind a message: it belongs to that, if an error."""
        below = Logical(line.start, line.end, 0, line.start + at, TRACEBACK, line.wrapped)
        line.text = line.text[:at]
        header = self._one(line)
        return (*header, below)

    def _one(self, line: Logical) -> tuple[Logical, ...]:
        text = line.text
        line.access = self.native.access_of(text)
        if line.access is not None:
            return (line,)
        if text.startswith(b"{"):
            line.json = json_line(text)
            line.access = line.json.access if line.json is not None else None
        if line.json is None:
            line.native = self.native.header(text)
            if line.native is not None:
                return self._native(line)
            at = self.native.torn_at(text)
            if at > 0 and not self._is_text(text, at):
                line.native, line.torn = self.native.header(text[at:]), text[:at]
                line.text, line.place = text[at:], line.place + at
            elif _may_have_pairs(text) and (found := pair_line(text)) is not None:
                line.json, line.access = found, found.access
            else:
                self._generic(line)
        return (line,)

    def _is_text(self, text: bytes, at: int) -> bool:
        """Whether a place of a line without the format's header is inside a text that it prints."""
        header = header_of(text)
        begin = 0 if header is None else header.message
        return begin <= at and self._prints_text_at(text[begin:], at - begin)

    def _generic(self, line: Logical) -> None:
        """A line's generic header, or its access line; a stamp before neither is taken off."""
        line.header = header_of(line.text)
        line.access = access_line(line.text, None) if line.header is None else None
        if line.header is not None and line.text.endswith(b'"'):
            line.text = _without_quotes(line.text, line.header)
        if line.header is not None or line.access is not None:
            return
        found = bare_stamp(line.text)
        if found is None:
            return
        line.stamp, line.text = found[0], line.text[found[1] :]
        line.header = header_of(line.text)
        if line.header is None and names_event(line.text):
            line.header = Header(L_NONE, 0, line.stamp)
        line.access = access_line(line.text, None) if line.header is None else None


def _may_have_pairs(text: bytes) -> bool:
    """Whether a line may be one of pairs, or end with an object of them."""
    return b"=" in text or b"\t" in text or (text.endswith(b"}") and b' {"' in text)


def _without_quotes(text: bytes, header: Header) -> bytes:
    """A line without the quotes in which Triton's log has its messages, of warnings and errors."""
    at = header.message
    is_triton = header.logger is not None and b".cc:" in header.logger
    if header.level < L_WARNING or not is_triton or text[at : at + 1] != b'"' or len(text) < at + 2:
        return text
    return text[:at] + text[at + 1 : -1]


def _as_written(lines: Iterable[Logical], physical: Physical) -> Iterator[Logical]:
    """Lines of which the first has NULs before it, or that end in CR LF."""
    for number, line in enumerate(lines):
        line.nuls = 0 if number else physical.nuls
        line.cr = physical.cr
        yield line


def access_in(line: Logical) -> Access | None:
    """The access line that a line is, with a header before it or without."""
    if line.access is not None:
        return line.access
    if line.header is None and line.native is None and line.json is None:
        return None
    if not line.is_asked:
        line.is_asked, line.behind = True, _access_behind(line)
    return line.behind


def _access_behind(line: Logical) -> Access | None:
    """The access line that stands behind a line's header, and behind the name of a logger there."""
    if line.json is not None:
        return _access_in_json(line.json)
    if line.header is not None:
        message, logger = line.text[line.header.message :], line.header.logger
    else:
        assert line.native is not None
        message, logger = line.native.message_of(line.text), line.native.logger_of(line.text)
    named = _LOGGER.match(message)
    found = None if named is None else access_line(message[named.end() :], named["name"])
    return access_line(message, logger) if found is None else found


def _access_in_json(record: JsonLine) -> Access | None:
    """The access line that the message of a record in JSON is."""
    logger = None if record.logger is None else record.logger.encode("utf-8", "replace")
    found = access_line(record.message.encode("utf-8", "replace"), logger)
    if found is None or record.request_id is None:
        return found
    return replace(found, columns={"request_id": record.request_id, **found.columns})
