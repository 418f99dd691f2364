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
    id_key: int,
    codes: tuple[int, int, int, int, int],
    rows: Any,
    kinds: Any,
    id_of: Any,
    others: Any,
) -> tuple[int, int, tuple[int, int, int]]: ...
def unnamed(records: Any, found: Any) -> int: ...
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
def extents(
    part_of: Any, ids: Any, instants: Any, lowest: Any, highest: Any, id_of: Any
) -> None: ...
def first_pairs(records: Any, pairs: Any, rows: Any, keys: Any, first: Any) -> None: ...
def unused(records: Any, rows: Any, used: Any, found: Any) -> int: ...
def starts(records: Any, rows: Any, base: int, out: Any) -> None: ...
def tally(records: Any) -> tuple[int, int, int, int, int, int]: ...
def infer(
    records: Any, stamps: Any, lead: int, neighbour: int, instants: Any, source: Any
) -> None: ...
def choose(
    kinds: Any,
    rows: Any,
    part_of: Any,
    records: Any,
    pairs: Any,
    texts: Any,
    states: Any,
    columns: Any,
    bits: Any,
    slots: Any,
    from_end: Any,
    free: Any,
    owners: Any,
    keys: tuple[int, int, int],
    stages: Any,
) -> int: ...
def stage_times(
    chosen: Any,
    rows: Any,
    part_of: Any,
    instants: Any,
    records: Any,
    given: Any,
    base: int,
    values: Any,
    states: Any,
    own: bool,
    part: Any,
    places: Any,
    logged: Any,
    told: Any,
    valid: Any,
) -> int: ...
def place(
    parts: Any,
    kinds: Any,
    ids: Any,
    part_of: Any,
    instants: Any,
    rows: Any,
    records: Any,
    given: Any,
    base: int,
    key: int,
    n_carried: int,
    out: Any,
    valid: Any,
    nulls: Any,
    whole: Any,
    used: Any,
) -> bool: ...
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
