"""Log files → a report of what they have for the named queries; reads whole files."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from ingest.errors import LogFileError, TtsqError
from ingest.logfiles import reader as files
from ingest.logfiles.discover import expand
from ingest.logfiles.stat import FileStat, stat_file
from ingest.model import CHUNK_BYTES, Ledger, Origin
from ingest.named_queries.golden import FIELDS
from ingest.pipeline.profiles import profiles
from ingest.pipeline.recognise import format_in_short, recognised
from ingest.records.chunks import ChunkReader
from ingest.records.formats import Format
from ingest.records.front import FrontParser
from ingest.records.profiles import Profiles
from ingest.records.shapes import Shapes
from ingest.rows.assemble import build
from ingest.tasks.check.fields import FieldCount, RequestTally
from ingest.tasks.check.records import RecordTally

_REGULAR = 0.9  # of the pauses between samples lie within half and double their median
_SHAPES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CacheSampling:
    """How a cache directory is sampled: pauses in seconds; ``regular``: mostly alike."""

    path: str
    samples: int
    median_s: int | None
    longest_s: int | None
    regular: bool | None


@dataclass(frozen=True, slots=True)
class LogReport:
    """What the files hold: fields in the order of FIELDS, names by falling frequency.

    ``read_as`` says of each file what it is; ``rules`` counts lines by profile and rule; ``shapes``
    are those of the lines that nothing claims, the most frequent first.
    """

    files: tuple[str, ...]
    bytes: int
    ledger: Ledger
    with_header: int
    headerless: int
    rejects: Counter[str]
    events: Counter[str]
    unknown_events: Counter[str]
    unknown_keys: Counter[str]
    request_records: int
    request_records_with_id: int
    samples: Counter[str]
    sampling: tuple[CacheSampling, ...]
    fields: tuple[FieldCount, ...]
    problems: tuple[TtsqError, ...]
    read_as: tuple[str, ...] = ()
    rules: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shapes: Mapping[str, int] = field(default_factory=dict)


def check_logs(
    patterns: Sequence[str],
    fmt: Format,
    tz: tzinfo,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    chunk_bytes: int = CHUNK_BYTES,
    profile_folder: Path | None = None,
) -> LogReport:
    """Read the files named, oldest first and to their ends, and say what they hold.

    A file that cannot be read, or of another format, is among the ``problems``.

    :raises LogFileError: when no file can be read at all.
    """
    paths, missing = expand(patterns)
    check = _Check(fmt, tz, profiles(profile_folder), progress, chunk_bytes)
    check.problems.extend(missing)
    check.over(paths)
    if not check.read and check.problems:
        raise check.problems[0]
    return check.report()


class _Check:
    """One check: what it has read so far."""

    def __init__(
        self,
        fmt: Format,
        tz: tzinfo,
        profiles: Profiles,
        progress: Callable[[int, int], None],
        chunk_bytes: int,
    ) -> None:
        self.format = fmt
        self.tz = tz
        self.profiles = profiles
        self.problems: list[TtsqError] = []
        self.read: list[str] = []
        self._progress = progress
        self._chunk_bytes = chunk_bytes
        self._records = RecordTally()
        self._shapes = Shapes()
        self._seen: dict[tuple[str, str], int] = {}
        self._read_as: list[str] = []
        self._requests = RequestTally()
        self._ledger = Ledger()
        self._bytes = 0
        self._done = 0
        self._total = 0

    def over(self, paths: Sequence[Path]) -> None:
        """Read the files, oldest first."""
        stats: list[FileStat] = []
        for path in paths:
            try:
                stats.append(stat_file(path))
            except LogFileError as problem:
                self.problems.append(problem)
        self._total = sum(s.stored_bytes for s in stats)
        ordered = sorted(stats, key=lambda s: (s.modified_ns, str(s.path)))
        for key, stat in enumerate(ordered, start=1):
            before = self._done
            try:
                self._file(stat, key)
            except LogFileError as problem:
                self.problems.append(problem)
            self._done = before + stat.stored_bytes
            self._progress(self._done, self._total)
        self._requests.finish()

    def _file(self, stat: FileStat, key: int) -> None:
        """:raises LogFileError: when it is of another format, or cannot be read to its end."""
        head = files.read_head(stat)[0]
        parser = FrontParser(self.format, self.tz, self.profiles, head=head[:1024])
        found = recognised(stat, head, self.format, self.tz, parser.profiles, shown=True)
        self._read_as.append(format_in_short(found.text({})) or "the log format")
        parser.general.unclaimed, parser.general.seen = self._shapes, self._seen
        self.read.append(str(stat.path))
        carry: dict[str, int] = {}
        origin = Origin(key, "", "")
        with files.LogReader(stat) as reader:
            reader.skip_fill()
            chunks = ChunkReader(
                parser, reader.read, reader.position, True, None, stat.modified_ns // 1000,
                chunk_bytes=self._chunk_bytes, skip_hole=reader.skip_hole,
            )  # fmt: skip
            try:
                for parsed in chunks:
                    batch, carry = build(parsed, self.format, origin, carry)
                    self._records.add(parsed, batch.records)
                    self._requests.add(batch, carry)
                    self._ledger = self._ledger + parsed.ledger
                    if reader.compression == "none":
                        self._progress(self._done + reader.position, self._total)
            finally:
                self._bytes += reader.position
                self._requests.end_file()
                self._records.end_file()

    def report(self) -> LogReport:
        """What was found."""
        found, requests = self._records, self._requests
        return LogReport(
            files=tuple(self.read),
            bytes=self._bytes,
            ledger=self._ledger,
            with_header=found.with_header,
            headerless=found.headerless,
            rejects=found.rejects,
            events=found.events,
            unknown_events=found.unknown_events,
            unknown_keys=found.unknown_keys,
            request_records=found.request_records,
            request_records_with_id=found.request_records_with_id,
            samples=found.samples,
            sampling=_all_sampling(found),
            fields=_fields(found, requests),
            problems=tuple(self.problems),
            read_as=tuple(self._read_as),
            rules=dict(self._seen),
            shapes=dict(self._shapes.counts.most_common(_SHAPES_SHOWN)),
        )


def _fields(found: RecordTally, requests: RequestTally) -> tuple[FieldCount, ...]:
    asked = requests.bases["requests"]
    special = {
        "cache_health": (asked, asked if sum(found.samples.values()) else 0),
        "warning_code": (found.warnings, found.warnings_with_code),
    }
    return tuple(
        FieldCount(f.name, *special.get(f.name, (requests.bases[f.base], requests.present[f.name])))
        for f in FIELDS
    )


def _all_sampling(found: RecordTally) -> tuple[CacheSampling, ...]:
    """Per directory: by cache_health if it has that; cache_dir_usage comes when it is full."""
    event = {path: event for event, path in sorted(found.gaps)}
    return tuple(_sampling(p, found.gaps[e, p].seconds) for p, e in sorted(event.items()))


def _sampling(path: str, seconds: Counter[int]) -> CacheSampling:
    count = sum(seconds.values())
    if not count:
        return CacheSampling(path, 1, None, None, None)
    ordered = sorted(seconds.items())
    median = _median(ordered, count)
    alike = sum(n for s, n in ordered if median / 2 <= s <= median * 2)
    regular = None if count < 3 else alike >= _REGULAR * count
    return CacheSampling(path, count + 1, median, ordered[-1][0], regular)


def _median(ordered: Sequence[tuple[int, int]], count: int) -> int:
    seen = 0
    for value, times in ordered:
        seen += times
        if 2 * seen >= count:
            return value
    return ordered[-1][0]
