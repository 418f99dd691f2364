"""Retention: old rows and old user text are removed in batches, and their space given back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ingest.errors import UsageProblem
from ingest.model import EPOCH
from ingest.named_queries.values import parse_instant
from ingest.stores import migrate
from ingest.stores.contract import (
    AGE_COLUMNS,
    FOLLOWERS,
    TEXT_TABLES,
    Minute,
    Store,
    Subject,
    Upkeep,
)

PRUNABLE = tuple(t for t in AGE_COLUMNS if t not in FOLLOWERS)
BATCH_ROWS = 50_000  # removed in one transaction: a tenth of a second
# An ingest that waits looks every 50 ms: between two batches it gets its turn.
_PAUSE_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class Cut:
    """What is too old in a table: rows before an instant, user text before another."""

    table: str
    rows_before: datetime | None
    texts_before: datetime | None


@dataclass(frozen=True, slots=True)
class TablePruned:
    """What became of a table: rows removed, rows without their text; estimated ``bytes``."""

    table: str
    rows_before: datetime | None
    texts_before: datetime | None
    rows: int
    texts: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PruneReport:
    """A pruning: its tables, and the store's bytes on disk before and after."""

    store: str
    dry_run: bool
    tables: tuple[TablePruned, ...]
    bytes_before: int
    bytes_after: int
    space_given_back: bool

    @property
    def rows(self) -> int:
        """Rows removed."""
        return sum(t.rows for t in self.tables)

    @property
    def texts(self) -> int:
        """Rows that lost their words."""
        return sum(t.texts for t in self.tables)


def cuts(
    older_than: str | None,
    text_older_than: str | None,
    tables: Mapping[str, str],
    now: datetime,
    tz: tzinfo | None,
) -> list[Cut]:
    """What is too old in each table, by ages or instants; ``tables`` has those of single tables,
    which win.

    :raises UsageProblem: for what is no age, lies ahead, names no table, or when nothing is said.
    """
    if not (older_than or text_older_than or tables):
        raise UsageProblem(
            "no age is given",
            "ttsq prune --older-than 30d, or [prune] in the settings",
        )
    for name in tables:
        if name not in PRUNABLE:
            goes = " (it goes with requests)" if name in FOLLOWERS else ""
            raise UsageProblem(
                f"[prune.tables] cannot have {name!r}{goes}", f"tables: {', '.join(PRUNABLE)}"
            )
    rows = {t: _instant(tables.get(t, older_than), "--older-than", now, tz) for t in PRUNABLE}
    rows |= dict.fromkeys(FOLLOWERS, rows["requests"])
    texts = _instant(text_older_than, "--text-older-than", now, tz)
    return [Cut(t, rows[t], texts if t in TEXT_TABLES else None) for t in AGE_COLUMNS]


def _instant(written: str | None, option: str, now: datetime, tz: tzinfo | None) -> datetime | None:
    if not written:
        return None
    instant = parse_instant(written.strip(), now, tz)
    if instant is None or instant > now:
        raise UsageProblem(
            f"{option} is given {written!r}, expected an age (30d, 24h) or an instant in the past",
            "for example: ttsq prune --older-than 30d --dry-run",
        )
    return instant


def prune(
    store: Store,
    chosen: Sequence[Cut],
    *,
    now: Callable[[], datetime],
    wait_seconds: float = 60.0,
    dry_run: bool = False,
    batch_rows: int = BATCH_ROWS,
) -> PruneReport:
    """Remove what is too old and give its space back; killed at any instant, the next pruning goes
    on.

    No ingest runs while a batch is removed, so none sees a request go between two of its own
    transactions; between batches one may.

    :raises IngestBusyError: when an ingest holds the store for longer than ``wait_seconds``.
    :raises StoreError: when there is no store, it fails, or there is no room to give its space
        back.
    """
    if dry_run or not store.exists():
        migrate.require_head(store)
        return _foreseen(store, chosen)
    with store.ingesting(wait_seconds):
        migrate.ensure_head(store)
    upkeep = store.upkeep()
    upkeep.require_prunable()
    before = upkeep.space()
    run = _Run(store, upkeep, wait_seconds, batch_rows)
    for cut in chosen:
        run.over(cut)
    given_back = False
    if upkeep.owes_space():
        with store.ingesting(wait_seconds):
            if upkeep.owes_space():
                upkeep.give_back(now())
                given_back = True
    return PruneReport(
        store.description,
        False,
        tuple(_pruned(c, run.rows, run.texts, before.tables) for c in chosen),
        before.bytes,
        upkeep.space().bytes,
        given_back,
    )


class _Run:
    """One pruning: what it has removed so far, by table."""

    def __init__(self, store: Store, upkeep: Upkeep, wait_seconds: float, batch_rows: int) -> None:
        self.rows: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self._store = store
        self._upkeep = upkeep
        self._wait_seconds = wait_seconds
        self._batch_rows = batch_rows

    def over(self, cut: Cut) -> None:
        """Remove what is too old in one table."""
        if cut.rows_before is not None:
            self._in_batches(cut.table, "rows", cut.rows_before)
        if cut.texts_before is not None:
            self._in_batches(cut.table, "texts", cut.texts_before)

    def _in_batches(self, table: str, subject: Subject, before: datetime) -> None:
        minutes = self._upkeep.minutes(table, subject, before)
        for until in batch_ends(minutes, before, self._batch_rows):
            with self._store.ingesting(self._wait_seconds):
                if subject == "rows":
                    _add(self.rows, self._upkeep.remove(table, until))
                else:
                    _add(self.texts, {table: self._upkeep.clear_texts(table, until)})
            time.sleep(_PAUSE_SECONDS)


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for table, count in more.items():
        total[table] = total.get(table, 0) + count


def batch_ends(minutes: Sequence[Minute], before: datetime, most: int) -> list[datetime]:
    """Instants up to ``before`` that cut its older rows into batches of ``most`` or a minute."""
    ends: list[datetime] = []
    rows = 0
    for minute in minutes:
        if rows and rows + minute.rows > most:
            ends.append(EPOCH + timedelta(minutes=minute.number))
            rows = 0
        rows += minute.rows
    return [*ends, before] if minutes else []


def _foreseen(store: Store, chosen: Sequence[Cut]) -> PruneReport:
    upkeep = store.upkeep()
    space = upkeep.space()
    rows: dict[str, int] = {}
    texts: dict[str, int] = {}
    for cut in chosen:
        if cut.rows_before is not None:
            rows[cut.table] = _total(upkeep.minutes(cut.table, "rows", cut.rows_before))
        if cut.texts_before is not None:
            found = _total(upkeep.minutes(cut.table, "texts", cut.texts_before))
            texts[cut.table] = found - _going(upkeep, cut)
    return PruneReport(
        store.description,
        True,
        tuple(_pruned(c, rows, texts, space.tables) for c in chosen),
        space.bytes,
        space.bytes,
        False,
    )


def _going(upkeep: Upkeep, cut: Cut) -> int:
    """Rows with words that are old enough to go altogether."""
    if cut.rows_before is None or cut.texts_before is None:
        return 0
    return _total(upkeep.minutes(cut.table, "texts", min(cut.rows_before, cut.texts_before)))


def _total(minutes: Sequence[Minute]) -> int:
    return sum(m.rows for m in minutes)


def _pruned(
    cut: Cut,
    rows: Mapping[str, int],
    texts: Mapping[str, int],
    tables: Mapping[str, tuple[int, int]],
) -> TablePruned:
    size, all_rows = tables.get(cut.table, (0, 0))
    gone = rows.get(cut.table, 0)
    return TablePruned(
        table=cut.table,
        rows_before=cut.rows_before,
        texts_before=cut.texts_before,
        rows=gone,
        texts=texts.get(cut.table, 0),
        bytes=size * gone // all_rows if all_rows else 0,
    )
