"""Copies of the store for readers that stay connected: they hold a generation (SPEC §3.9)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.errors import StoreError
from ingest.stores import migrate
from ingest.stores.contract import Store, Upkeep
from ingest.stores.durable import sync
from ingest.tasks.generations import KEPT, Generations, Held


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication came to: ``made`` is false when the current generation holds just what the
    store does.

    ``bytes`` and ``rows``, by table, are those of a new generation; ``removed`` older ones,
    ``held`` are still there.
    """

    store: str
    current: Path
    generation: Path
    made: bool
    bytes: int
    rows: dict[str, int]
    seconds: float
    removed: tuple[Path, ...]
    held: tuple[Held, ...]


def publish(
    store: Store,
    folder: Path,
    *,
    now: Callable[[], datetime],
    parquet: bool = False,
    wait_seconds: float = 10.0,
    kept: int = KEPT,
) -> Published:
    """Publish the store as it stands, if it changed; ``kept`` generations stay even if unused.

    No ingest runs meanwhile, and so none waits for the store itself; readers read beside it.

    :raises IngestBusyError: when an ingest holds the store for longer than ``wait_seconds``.
    :raises StoreError: when there is no store, it fails, or the folder cannot be written or has no
        room.
    """
    if any("\ud800" <= c <= "\udfff" for c in str(folder.absolute())):
        raise StoreError(
            f"the store cannot be published into {folder}: its name is not UTF-8, "
            "as DuckDB requires",
            "choose another folder: ttsq publish DIR",
        )
    migrate.require_head(store)
    begin = now()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        generations = Generations(folder.resolve(), "" if parquet else ".duckdb")
        with store.ingesting(wait_seconds):
            made = _made(store.upkeep(), generations, begin, parquet)
            removed, held = generations.forget(kept)
    except OSError as error:
        raise StoreError(
            f"the store cannot be published into {folder}: {error.strerror or error}",
            "choose another folder: ttsq publish DIR",
        ) from error
    generation = generations.latest()
    assert generation is not None
    return Published(
        store=store.description,
        current=generations.current,
        generation=generation,
        made=made is not None,
        bytes=_size(generation),
        rows=made or {},
        seconds=(now() - begin).total_seconds(),
        removed=tuple(removed),
        held=tuple(held),
    )


def _made(
    upkeep: Upkeep, generations: Generations, now: datetime, parquet: bool
) -> dict[str, int] | None:
    """A new generation's rows by table; None when the store is as it was."""
    latest = generations.latest()
    if latest is not None and upkeep.state_of_copy(latest) == upkeep.state():
        generations.clean()
        return None
    rows: dict[str, int] = {}

    def write(partial: Path) -> None:
        if parquet:
            partial.mkdir()
            rows.update(upkeep.export(partial))
            sync(partial)
        else:
            rows.update(upkeep.copy(partial))

    generations.add(now, write)
    return rows


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(p.stat().st_size for p in path.iterdir())
    return path.stat().st_size
