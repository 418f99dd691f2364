from typing import Any

COMPILED: bool

def together(
    severe: Any,
    samples: Any,
    accesses: Any,
    events: Any,
    part_of: Any,
    rows: Any,
    parts: Any,
    places: Any,
) -> int: ...
def sizes(records: Any, rows: Any) -> tuple[int, int]: ...
def pick(
    data: Any,
    records: Any,
    pairs: Any,
    values: Any,
    states: Any,
    rows: Any,
    base: int,
    out: Any,
    places: Any,
    tables: tuple[Any, Any],
    numbers: tuple[Any, Any],
) -> None: ...
def move(records: Any, pairs: Any, by: int, n_pairs: int, n_records: int) -> None: ...
