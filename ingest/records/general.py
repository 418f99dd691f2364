"""The general path: any service's lines → parsed chunks, in the tables that the scanner gives for
the native format.

Lines pass encoding, envelope, hygiene and header (:mod:`ingest.records.logical`), are gathered to
records (:mod:`ingest.records.gather`), and are claimed (:mod:`ingest.records.claims`). See
docs/parsing.md.
"""

import json
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from ingest.compiled.masks import COMPILED
from ingest.compiled.moments import may_hold_stamp
from ingest.records.claims import Claims
from ingest.records.collectors import Pods
from ingest.records.formats import HEAD_BYTES, MAX_RECORD_BYTES, Format
from ingest.records.gather import Gatherer, before
from ingest.records.in_turn import InTurn
from ingest.records.logical import Reader
from ingest.records.moments import Clock
from ingest.records.native import NativeFormat
from ingest.records.parse import Parsed
from ingest.records.physical import UTF8, Lines
from ingest.records.profiles import Profiles
from ingest.records.sequence import Sequencer
from ingest.records.sequence.opening import begins_of_ids
from ingest.records.shapes import Unclaimed
from ingest.records.structured import Memory
from ingest.records.units import numbers
from ingest.records.written import Writer


@dataclass(slots=True)
class Reading:
    """The state of a file's reading at an offset: all that later lines depend on.

    ``dated`` has the instants of requests that have the file's time: what more is said of one has
    the same, whenever it is read. ``told`` remembers requests of structured records, ``pods``
    those of stateful sets.
    """

    encoding: str | None = None
    today: int | None = None
    before: int = 0
    stamps: dict[str, int] = field(default_factory=dict)
    sequence: str | None = None
    dated: dict[str, int] = field(default_factory=dict)
    told: Memory = field(default_factory=Memory)
    pods: list[tuple[str, int]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str | None) -> "Reading":
        """A state as it was kept."""
        if text is None:
            return cls()
        data: dict[str, Any] = json.loads(text)
        return cls(
            data.get("encoding"),
            data.get("today"),
            data.get("before", 0),
            dict(data.get("stamps", [])),
            data.get("sequence"),
            dict(data.get("dated", [])),
            Memory.of(data.get("told")),
            [(prefix, at) for prefix, at in data.get("pods", ())],
        )

    def text(self) -> str:
        """The state as it is kept."""
        data: dict[str, Any] = {
            "encoding": self.encoding,
            "today": self.today,
            "before": self.before,
            "stamps": list(self.stamps.items()),
            "sequence": self.sequence,
        }
        if self.dated:
            data["dated"] = list(self.dated.items())
        if told := self.told.kept():
            data["told"] = told
        if self.pods:
            data["pods"] = self.pods
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


class GeneralParser:
    """Parses chunks of one file of whatever shape; ``head`` are the file's first bytes, ``reading``
    its state so far.

    ``seen`` counts lines by profile and rule; ``unclaimed``, where it is set, takes the lines that
    nothing claims.
    """

    assembly: type[Sequencer] = Sequencer

    def __init__(
        self,
        fmt: Format,
        tz: tzinfo,
        profiles: Profiles,
        *,
        head: bytes = b"",
        reading: str | None = None,
        encoding: str | None = None,
        max_record: int = MAX_RECORD_BYTES,
        native: NativeFormat | None = None,
    ) -> None:
        self.format = fmt
        self.tz = tz
        self.max_record = max_record
        self.native = native or NativeFormat(fmt, max_record)
        self.profiles = profiles
        self._head = head
        self._pinned = encoding
        self._state = Reading.of(reading)
        self._behind = reading  # the state behind the last chunk
        self._sequencer: Sequencer | None = None
        self.seen: dict[tuple[str, str], int] = {}
        self.unclaimed: Unclaimed | None = None
        self._pods = Pods.of(self._state.pods)
        self._in_turn = InTurn(self.native, self._gatherer, profiles, self._pods)
        self.learns = COMPILED  # interpreted, the general path is the quicker one

    @property
    def reading(self) -> str:
        """The state behind what was parsed last."""
        if self._sequencer is not None:
            self._state.sequence = self._sequencer.state()
        return self._state.text()

    @property
    def has_open(self) -> bool:
        """Whether requests that were put together from lines without ids wait for more of these."""
        if self._sequencer is None and self._state.sequence is not None:
            self._assembly(memoryview(b""), 1)
        return self._sequencer is not None and self._sequencer.has_open

    @property
    def encoding(self) -> str | None:
        """What the file's text is encoded in, None as long as all of it was ASCII."""
        return self._pinned or self._state.encoding

    @encoding.setter
    def encoding(self, told: str) -> None:
        self._state.encoding = told

    def next_beginning(self, data: memoryview, start: int, final: bool) -> int:
        """Where the first line at or behind start begins: any line may be a record."""
        return start if start < len(data) else -1

    def header_end(self, data: memoryview) -> int | None:
        """None: no header of these is one by the format."""
        return None

    def parse(
        self,
        data: memoryview,
        *,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
        more: bool = False,
    ) -> Parsed:
        """Parse what is complete in a chunk that begins at a record (file offset ``base``).

        ``more``: bytes that follow are at hand; records before the first instant wait for it. An
        access line that a service prints before its block is left for the next chunk, where the
        block may be there.
        """
        encoding, seen = self._state.encoding, dict(self.seen)
        holds_stamp = self.learns and last_instant is None and may_hold_stamp(data)
        is_short = self.learns and len(data) <= self.max_record
        if more and last_instant is None and is_short and not holds_stamp:
            return self._nothing(data, base)  # records wait for the file's first stamp
        parsed = None
        if self._may_learn(data, holds_stamp):
            parsed = self._learnt(data, base, last_instant, fallback_instant)
            if parsed is None:
                self._go_back(encoding, seen)
        if parsed is None:
            parsed = self._parse(data, base, final, last_instant, fallback_instant, more)
        waits = self._assembly(data, base).waits_from(base + parsed.consumed)
        if not final and waits is not None and waits >= base:
            self._go_back(encoding, seen)
            parsed = self._parse(
                data[: waits - base], base, False, last_instant, fallback_instant, more
            )
        self._behind = parsed.reading
        return parsed

    def _go_back(self, encoding: str | None, seen: dict[tuple[str, str], int]) -> None:
        """Take back all that a chunk has changed."""
        self._state, self._sequencer = Reading.of(self._behind), None
        self._state.encoding = encoding
        self.seen.clear()
        self.seen.update(seen)

    def _nothing(self, data: memoryview, base: int) -> Parsed:
        sequencer = self._assembly(data, base)
        return self._parsed(data, base, 0, False, self._claims(data, base, sequencer, None, 0))

    def _may_learn(self, data: memoryview, holds_stamp: bool) -> bool:
        """Whether the chunk is one for lines that are learnt; ``holds_stamp``: it may have the
        file's first stamp.
        """
        return (
            self.learns
            and self._pinned is None
            and self.unclaimed is None
            and self.assembly is Sequencer
            and self._in_turn.may_read(data, self._state.encoding, self.max_record)
            and (not holds_stamp or _may_begin_dated(data))
        )

    def _learnt(
        self, data: memoryview, base: int, last: int | None, fallback: int
    ) -> Parsed | None:
        """Parse a chunk up to where the general path needs what is behind it; None if nowhere."""
        sequencer = self._assembly(data, base)
        claims = self._claims(data, base, sequencer, last, fallback)
        taken = self._in_turn.take(data, base, claims, sequencer, self._head, self._state.encoding)
        if taken.is_void or not taken.settled:
            return None
        self._state.encoding = taken.encoding
        self._settled(claims, sequencer)
        return self._parsed(data, base, taken.settled, False, claims)

    def _claims(
        self, data: memoryview | None, base: int, sequencer: Sequencer, last: int | None,
        fallback: int,
    ) -> Claims:  # fmt: skip
        """What says of records what they stand for; ``data`` where the text is UTF-8."""
        before = self.format.after if last is None else last
        clock = Clock(self.tz, fallback, before, self._state.today)
        clock.before = self._state.before
        return Claims(
            self.native, self.profiles, sequencer, clock, Writer(self.native.width),
            self.max_record, fallback, last, self._state.stamps, data, base, seen=self.seen,
            dated=self._state.dated, unclaimed=self.unclaimed, told=self._state.told,
        )  # fmt: skip

    def _settled(self, claims: Claims, sequencer: Sequencer) -> None:
        """Remember what a chunk's claims leave behind."""
        alive = sequencer.remembered_ids() if self._state.dated else frozenset()
        self._state.dated = {k: at for k, at in self._state.dated.items() if k in alive}
        self._state.today, self._state.before = claims.clock.today, claims.clock.before

    def _gatherer(self) -> Gatherer:
        return Gatherer(self.native, self._is_claimed, self.max_record)

    def _parse(
        self,
        data: memoryview,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
        more: bool,
    ) -> Parsed:
        sequencer = self._assembly(data, base)
        lines = Lines(self.encoding, self._pinned is not None)
        physical = list(lines.of(data, base, final=final))
        settled = physical[-1].end - base if physical else 0
        reader = Reader(self.native, self._pods, self.profiles.prints_text_at)
        logical, split = reader.of(physical, final=final)
        gathered = self._gatherer().gather(logical, final=final)
        held = [at for at in (gathered.held, split) if at >= 0]
        records, giant = gathered.records, False
        if held:
            records, settled = before(records, min(held), base)
        if not settled and not final and len(data) > self.max_record:
            whole = physical[-1].end - base if physical else 0
            solid = len(bytes(data[:whole]).rstrip())
            giant = solid == 0 or solid > self.max_record
            if not giant and len(data) - solid > self.max_record and split < 0:
                # what follows is too long for any record, or too much white space: what stands
                # before it is complete
                records = self._gatherer().gather(logical, final=True).records
                settled = whole
        is_utf8 = lines.encoding in (None, UTF8)
        claims = self._claims(
            data if is_utf8 else None, base, sequencer, last_instant, fallback_instant
        )
        if more and claims.is_undated(gathered.records) and len(data) <= self.max_record:
            return self._parsed(data, base, 0, False, claims)
        claims.take(records, gathered.records)
        self._settled(claims, sequencer)
        if 0 <= lines.decided_at < base + settled:
            self._state.encoding = lines.encoding
        return self._parsed(data, base, settled, giant, claims)

    def begin(self, head: bytes) -> None:
        """Take a file's first bytes, where they are more than those known."""
        if len(head) > len(self._head):
            self._head = head

    def _assembly(self, data: memoryview, base: int) -> Sequencer:
        if self._sequencer is None:
            if base == 0:
                self.begin(bytes(data[:HEAD_BYTES]))
            self._sequencer = self.assembly(self.profiles, self._head, self._state.sequence)
        return self._sequencer

    def _is_claimed(self, text: bytes) -> bool:
        """Whether a rule takes a line; what ffmpeg writes behind an error belongs to that error."""
        found = self.profiles.match(text.decode("utf-8", "replace"))
        return any(match.rule.profile != "ffmpeg" for match in found)

    def _parsed(
        self, data: memoryview, base: int, settled: int, giant: bool, claims: Claims
    ) -> Parsed:
        self._state.pods = self._pods.kept(base + settled)
        tables = claims.writer.tables(self.native.scanner)
        values, states = numbers(tables.data, tables.pairs)
        return Parsed(
            data=tables.data,
            base=base,
            records=tables.records,
            pairs=tables.pairs,
            instants=tables.instants,
            time_source=tables.time_source,
            values=values,
            states=states,
            consumed=settled,
            giant=giant,
            rejects=tuple(claims.rejects),
            ledger=claims.counts.ledger(settled),
            last_instant=claims.last,
            source=data,
            offsets=tables.offsets,
            record_ends=tables.ends,
            reading=self.reading,
            encoding=self.encoding,
            first_instant=claims.first_instant,
            placed=begins_of_ids(self._head),
            going_on=self._assembly(data, base).remembered_ids(),
        )


def _may_begin_dated(data: memoryview) -> bool:
    """Whether the first line may say when it was written: then none stands before the first
    stamp.
    """
    head = bytes(data[:HEAD_BYTES]).partition(b"\n")[0]
    return head[:1] == b"{" or may_hold_stamp(head)
