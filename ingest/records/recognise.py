"""What a file's first lines show of it, and whether it is a log at all (pure)."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import tzinfo

from ingest.compiled import layout
from ingest.records.formats import DEFAULT_FORMAT, MAX_RECORD_BYTES, Format, compile_format
from ingest.records.logical import Logical, Reader, access_in
from ingest.records.native import NativeFormat
from ingest.records.parse import Parser
from ingest.records.physical import Lines
from ingest.records.profiles import Profiles

SHARE = 20  # of the lines, one in so many shows an envelope to be the file's own

_FORMATS = (
    DEFAULT_FORMAT,
    "%(asctime)s %(levelname)s %(message)s",
    "%(asctime)s %(levelname)s %(name)s: %(message)s",
    "%(asctime)s %(levelname)s %(name)s %(message)s",
    "%(asctime)s [%(levelname)s] %(message)s",
    "%(asctime)s [%(levelname)s] %(name)s: %(message)s",
    "[%(asctime)s] %(levelname)s in %(module)s: %(message)s",
    "[%(asctime)s] [%(levelname)s] %(message)s",
    "%(asctime)s - %(levelname)s - %(message)s",
    "%(asctime)s | %(levelname)s | %(name)s | %(message)s",
    "%(asctime)s - %(name)s - %(levelname)s - [%(request_id)s] %(message)s",
    "%(levelname)s %(asctime)s %(name)s %(message)s",
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is read with, as far as its first lines show."""

    lines: int
    encoding: str | None
    envelopes: tuple[str, ...]
    headers: tuple[str, ...]
    servers: tuple[str, ...]
    profiles: tuple[str, ...]

    @property
    def is_log(self) -> bool:
        """Whether any line shows what it is."""
        return bool(self.envelopes or self.headers or self.servers or self.profiles)

    def text(self, digests: dict[str, str]) -> str:
        """As ``log_files.format`` keeps it, and profiles with a hash of their rules."""
        data = {
            "encoding": self.encoding,
            "envelopes": self.envelopes,
            "header": self.headers[0] if self.headers else None,
            "servers": self.servers,
            "profiles": {name: digests.get(name) for name in self.profiles},
        }
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class _Tally:
    lines: int = 0
    envelopes: Counter[str] = field(default_factory=Counter)
    headers: Counter[str] = field(default_factory=Counter)
    servers: Counter[str] = field(default_factory=Counter)
    profiles: Counter[str] = field(default_factory=Counter)


def recognise(head: bytes, fmt: Format, profiles: Profiles) -> Recognised:
    """What the first lines of a file are; ``head`` may end within a line."""
    native = NativeFormat(fmt, MAX_RECORD_BYTES)
    reading = Lines(fmt.pins.encoding, fmt.pins.encoding is not None)
    physical = list(reading.of(memoryview(head), 0, final=True))
    lines, _ = Reader(native).of(physical, final=True)
    tally = _Tally()
    for line in lines:
        _look(line, tally, profiles)
    rare = max(1, tally.lines // SHARE)
    return Recognised(
        tally.lines,
        reading.encoding,
        tuple(name for name, n in tally.envelopes.most_common() if n >= rare),
        tuple(name for name, _ in tally.headers.most_common()),
        tuple(name for name, _ in tally.servers.most_common()),
        tuple(name for name, _ in tally.profiles.most_common()),
    )


def _look(line: Logical, tally: _Tally, profiles: Profiles) -> None:
    tally.lines += not line.is_blank
    tally.envelopes.update(line.wrapped.names)
    access = access_in(line)
    if access is not None:
        tally.servers[access.server] += 1
    elif line.native is not None:
        tally.headers[
            "the log format" if not line.native.is_bad else "stamps that no clock shows"
        ] += 1
    elif line.json is not None:
        tally.headers["JSON"] += 1
    elif line.header is not None:
        tally.headers["headers with a level"] += 1
    elif line.begins_traceback:
        tally.headers["tracebacks"] += 1
    elif line.bar is not None:
        tally.headers["progress bars"] += 1
    elif line.stamp is not None:
        tally.headers["stamps"] += 1
    if access is None and not line.is_blank:
        message = line.text if line.json is None else line.json.message.encode()
        for match in profiles.match(message.decode("utf-8", "replace"))[:1]:
            tally.profiles[match.rule.profile] += 1


def guess_format(head: bytes, tz: tzinfo) -> str | None:
    """The usual format with the most known events and records in a file's beginning."""
    best, most = None, (0, 0)
    for text in _FORMATS:
        parser = Parser(compile_format(text), tz)
        parsed = parser.parse(
            memoryview(head), base=0, final=True, last_instant=0, fallback_instant=0
        )
        stamped = parsed.records[:, layout.R_KIND] == layout.K_HEADER
        found = int((stamped & (parsed.records[:, layout.R_EVENT] >= 0)).sum()), int(stamped.sum())
        if found > most:
            best, most = text, found
    return best
