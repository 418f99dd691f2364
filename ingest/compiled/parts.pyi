from typing import Any

COMPILED: bool
E_START: int
E_COMPLETE: int
E_FAILED: int
E_STAGE: int
E_METRICS: int
E_OTHER: int
TAKEN: int
FIRST: int
LAST: int
STARTED: int
COMPLETED: int
IS_REQUEST: int
HAS_FAILED: int
PART_WIDTH: int
OPEN: int
GRACE_US: int

def events(
    records: Any,
    pairs: Any,
    ids: Any,
    request_events: tuple[int, int, int],
    layout: tuple[int, ...],
    rows: Any,
    kinds: Any,
    id_of: Any,
) -> int: ...
def cut(
    kinds: Any,
    ids: Any,
    instants: Any,
    carried: Any,
    ends: Any,
    n_ids: int,
    part_of: Any,
    parts: Any,
) -> int: ...
def first_pairs(pairs: Any, rows: Any, first: Any) -> None: ...
def choose(
    kinds: Any,
    rows: Any,
    part_of: Any,
    records: Any,
    pairs: Any,
    texts: Any,
    states: Any,
    columns: Any,
    slots: Any,
    from_end: Any,
    taken: Any,
) -> None: ...
def stages(
    part_of: Any,
    elapsed: Any,
    valid: Any,
    own: Any,
    n_parts: int,
    seq: Any,
    own_ms: Any,
    elapsed_ms: Any,
) -> None: ...
