"""A log file line by line: which rule of which profile took what. Keeps nothing, stores nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from ingest.logfiles.reader import LogReader
from ingest.logfiles.stat import stat_file
from ingest.model import CHUNK_BYTES
from ingest.pipeline.profiles import files_of, read_file
from ingest.records.chunks import ChunkReader
from ingest.records.formats import Format
from ingest.records.general import GeneralParser
from ingest.records.profile_samples import check_samples
from ingest.records.profiles import Profiles, together
from ingest.records.sequence import Claim, Line, Sequencer


@dataclass(frozen=True, slots=True)
class Tried:
    """One line, and what took it: ``kind`` is rule, structured, held, access, failure, bar or
    unclaimed.
    """

    offset: int
    kind: str
    profile: str
    rule: str
    id: str | None
    message: str


class _Watched(Sequencer):
    """A sequencer that notes what it is given."""

    seen: list[Tried]

    def line(self, line: Line) -> Claim | None:
        return self._note("rule", line, super().line(line))

    def access(self, line: Line, method: str, path: str, status: int) -> Claim | None:
        return self._note("access", line, super().access(line, method, path, status))

    def failed(self, line: Line, exception: str, message: str) -> Claim | None:
        return self._note("failure", line, super().failed(line, exception, message))

    def structured(self, line: Line, event: str, id_: str) -> None:
        self.seen.append(Tried(line.offset, "structured", "structured", event, id_, line.message))

    def bar(self, line: Line, elapsed_ms: int, done: bool) -> Claim | None:
        return self._note("bar", line, super().bar(line, elapsed_ms, done))

    def _note(self, kind: str, line: Line, claim: Claim | None) -> Claim | None:
        if claim is None:
            shown = kind if kind != "rule" else "unclaimed"
            tried = Tried(line.offset, shown, "", "", None, line.message)
        else:
            shown = "held" if claim.held else kind
            tried = Tried(line.offset, shown, claim.profile, claim.rule, claim.id, line.message)
        if claim is not None or kind != "bar":
            self.seen.append(tried)
        return claim


def try_file(path: Path, fmt: Format, tz: tzinfo, profiles: Profiles) -> Iterator[Tried]:
    """What takes each line of a log file, in the order of the lines.

    :raises LogFileError: when it cannot be read to its end.
    """
    stat = stat_file(path)
    seen: list[Tried] = []

    class Watched(_Watched):
        pass

    Watched.seen = seen
    with LogReader(stat) as reader:
        reader.skip_fill()
        parser = GeneralParser(fmt, tz, profiles)
        parser.assembly = Watched
        chunks = ChunkReader(
            parser, reader.read, reader.position, True, None, stat.modified_ns // 1000,
            chunk_bytes=CHUNK_BYTES, skip_hole=reader.skip_hole,
        )  # fmt: skip
        for _ in chunks:
            yield from seen
            seen.clear()


def problems(own: Path, shipped: Profiles) -> Iterator[str]:
    """What is wrong with the profiles of a folder: a sentence each, with file and line.

    :raises ProfileError: for a file that is no profile.
    """
    for path in files_of(own):
        profile = read_file(path, str(path))
        everything = together([*shipped.profiles, profile])
        for line, difference in check_samples(everything, profile):
            yield f"{path}, line {line}: the sample's rows differ: {difference}"
