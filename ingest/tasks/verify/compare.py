"""What a piece of a log file should have in the tables, beside what is there; pure."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingest.records.arrays import Bools, Ints
from ingest.records.instants import NO_INSTANT
from ingest.records.parse import Parsed
from ingest.rows.chunk import ChunkRows, RecordRows
from ingest.rows.columns import record_spans
from ingest.rows.described import BY_NAME
from ingest.rows.spans import GRACE_US, JOIN_GAP_US
from ingest.stores.recorded import TABLE_OF, Places, Stored

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A record with wrong rows: ``kind`` is lost, doubled or stray (a row without a record)."""

    kind: str
    table: str
    offset: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Places that should have rows.

    ``instants`` are aligned with them, microseconds: a pruning up to there leaves the row.
    ``end_starts`` int64, aligned with ``places.ends``: where the request begins in this chunk, or
    -1; ``start_ids`` and ``end_ids`` are the ids of ``places.starts`` and ``places.ends``.
    """

    places: Places
    instants: Places
    end_starts: Ints
    start_ids: pa.Array
    end_ids: pa.Array


def expected(parsed: Parsed, batch: ChunkRows) -> Expected:
    """The places of a chunk's rows."""
    parts, n_carried = batch.parts, len(batch.carried)
    logged, has_start = _ints(parts["logged_at"]), parts["start_offset"].is_valid().to_numpy()
    has_end = parts["end_offset"].is_valid().to_numpy()
    named = parts["id"].is_valid().to_numpy()
    first = batch.used & ~has_start
    first[:n_carried] = False  # these began in an earlier chunk
    since = logged - np.where(has_start, GRACE_US, JOIN_GAP_US)
    offsets = _ints(parts["first_offset"])
    rejects = np.array([r.byte_offset for _, r in batch.rejects], np.int64)
    own_start = np.where(has_start, _ints(parts["start_offset"]), -1)[has_end]
    end_offsets = _ints(parts["end_offset"])[has_end]
    pairs = {
        **{name: _rows(name, rows, since) for name, rows in batch.records.items()},
        "quarantine": (rejects, np.full(len(rejects), _NEVER - 1)),
        "starts": (_ints(parts["start_offset"])[has_start], since[has_start]),
        "ends": (end_offsets, since[has_end]),
        "alone": (offsets[first & ~named & ~has_end], since[first & ~named & ~has_end]),
        "parts": (offsets[first & named], since[first & named]),
    }
    ids = parts["id"].combine_chunks()
    ordered = {name: (v[np.argsort(v)], at[np.argsort(v)]) for name, (v, at) in pairs.items()}
    return Expected(
        Places.of({name: v for name, (v, _) in ordered.items()}),
        Places.of({name: at for name, (_, at) in ordered.items()}),
        own_start[np.argsort(end_offsets)],
        ids.filter(pa.array(has_start)).take(pa.array(np.argsort(pairs["starts"][0]))),
        ids.filter(pa.array(has_end)).take(pa.array(np.argsort(end_offsets))),
    )


def _rows(name: str, rows: RecordRows, since: Ints) -> tuple[Ints, Ints]:
    """Places of a table's rows, and until when they were not pruned, as their requests."""
    described = BY_NAME[name]
    offsets = _ints(rows.table[described.place[0][1]])
    if described.follows is not None and rows.part is not None:
        return offsets, since[rows.part]
    return offsets, _ints(rows.table[described.at])


def _ints(column: pa.ChunkedArray) -> Ints:
    whole = column.combine_chunks()
    whole = whole.view(pa.int64()) if pa.types.is_timestamp(whole.type) else whole
    found: Ints = whole.fill_null(NO_INSTANT).to_numpy().astype(np.int64)
    return found


@dataclass(frozen=True, slots=True)
class Compared:
    """What is wrong with a piece; ``understood``: pieces in quarantine that are records by now, or
    unclaimed.
    """

    mismatches: tuple[Mismatch, ...]
    understood: int


def compare(parsed: Parsed, want: Expected, stored: Stored, begun: set[str]) -> Compared:
    """Compare the places of a piece's rows with those of the store; pruned rows and quarantined
    records are not missed.

    ``begun`` are the ids of requests whose start was found lost in the file so far; it is brought
    up to date.
    """
    found: list[Mismatch] = []
    held = _Held(parsed, want, stored)
    good = held.begins
    for (name, places), (_, since), (_, have) in zip(
        want.places.named(), want.instants.named(), stored.places.named(), strict=True
    ):
        table = TABLE_OF.get(name, name)
        missing = ~_matched(places, have) & (since >= _pruned_before(table, stored))
        if name == "starts":
            begun.update(str(v) for v in want.start_ids.filter(pa.array(missing)).to_pylist())
        if name == "ends":
            missing = _without_lost_starts(missing, want, stored, begun)
        found += [Mismatch("lost", table, int(o)) for o in places[missing & ~held.holds(places)]]
        found += [Mismatch("doubled", table, int(o)) for o in _repeated(name, places, have, stored)]
        if name in ("quarantine", "parts"):
            continue  # told by _Held; parts with a start may lie here, too
        known = good if name == "alone" else places  # what they begin with may be in quarantine
        found += [Mismatch("stray", table, int(o)) for o in np.unique(have[~np.isin(have, known)])]
    found += held.mismatches()
    return Compared(tuple(_once(found)), held.understood)


def _pruned_before(table: str, stored: Stored) -> int:
    """The instant before which rows of a table may have been pruned, with requests or alone."""
    before = stored.pruned.of(table)
    if table == "quarantine":
        return _NEVER if before > NO_INSTANT else before
    follows = BY_NAME[table].follows
    if follows is not None:
        return max(before, stored.pruned.of(follows))
    return before


def _without_lost_starts(missing: Bools, want: Expected, stored: Stored, begun: set[str]) -> Bools:
    """Missing ends, except of requests whose start is missing: a lost row is reported once."""
    missing = missing & ((want.end_starts < 0) | np.isin(want.end_starts, stored.places.starts))
    for i in np.flatnonzero(missing & (want.end_starts < 0)).tolist():
        name = str(want.end_ids[i].as_py())
        if name in begun:
            begun.discard(name)
            missing[i] = False
    return missing


def _matched(places: Ints, have: Ints) -> Bools:
    """bool[n]: which of the places, sorted, are there, each as often as it is wanted."""
    nth = np.arange(len(places)) - np.searchsorted(places, places, "left")
    times = np.searchsorted(have, places, "right") - np.searchsorted(have, places, "left")
    matched: Bools = nth < times
    return matched


def _repeated(name: str, places: Ints, have: Ints, stored: Stored) -> Ints:
    """Places that occur too often; a request that begins in the file is reported by its start."""
    if name == "ends":
        have = have[~stored.end_has_start]
    values, counts = np.unique(have, return_counts=True)
    wanted = np.searchsorted(places, values, "right") - np.searchsorted(places, values, "left")
    repeated: Ints = values[counts > np.maximum(wanted, 1)]
    return repeated


def _once(found: list[Mismatch]) -> list[Mismatch]:
    return list(dict.fromkeys(found))


class _Held:
    """Pieces in quarantine that the recount understands, unless they have rows as well."""

    def __init__(self, parsed: Parsed, want: Expected, stored: Stored) -> None:
        odd = ~np.isin(stored.places.quarantine, want.places.quarantine)
        self._starts = stored.places.quarantine[odd]
        self._ends = stored.quarantine_ends[odd]
        self._kept: list[Mismatch] = []
        self.understood = 0
        begins, ends = record_spans(parsed)
        self.begins = begins
        rows = np.sort(
            np.concatenate(
                [v for n, v in stored.places.named() if n not in ("quarantine", "parts")]
            )
        )
        for start, end in zip(self._starts.tolist(), self._ends.tolist(), strict=True):
            if _any_within(rows, start, end):
                self._kept.append(Mismatch("doubled", "quarantine", start))
            elif _covered(begins, ends, start) or _is_unclaimed(parsed, start):
                self.understood += 1
            else:
                self._kept.append(Mismatch("stray", "quarantine", start))

    def holds(self, places: Ints) -> Bools:
        """bool[n]: whether a record at these places is in quarantine."""
        if not len(self._starts):
            return np.zeros(len(places), np.bool_)
        owner = np.searchsorted(self._starts, places, "right") - 1
        inside: Bools = (owner >= 0) & (places < self._ends[owner])
        return inside

    def mismatches(self) -> list[Mismatch]:
        """Pieces in quarantine that are rows as well, or that no record stands for."""
        return self._kept


_TELLING = 4096  # bytes of a line; one that is blank so far is taken for blank


def _is_unclaimed(parsed: Parsed, place: int) -> bool:
    """Whether a line that is no record's may be one of those that the recount left unclaimed."""
    at = place - parsed.base
    if not parsed.ledger.unclaimed or not 0 <= at < parsed.consumed:
        return False
    return bool(bytes(parsed.original[at : at + _TELLING]).partition(b"\n")[0].strip())


def _any_within(places: Ints, start: int, end: int) -> bool:
    at = int(np.searchsorted(places, start))
    return at < len(places) and int(places[at]) < end


def _covered(starts: Ints, ends: Ints, place: int) -> bool:
    at = int(np.searchsorted(starts, place, "right")) - 1
    return at >= 0 and place < int(ends[at])
