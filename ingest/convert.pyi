from typing import Any

COMPILED: bool
N_TEXT: int
N_MS: int
N_KB: int
N_MB: int
N_PERCENT: int
N_PLAIN: int
N_LENGTH: int
N_BOOL: int
OK: int
BAD: int
SLOW: int

def strings(data: Any, starts: Any, ends: Any, flags: Any, offsets: Any, out: Any) -> int: ...
def pair_room(pairs: Any, chosen: Any) -> int: ...
def pair_strings(
    data: Any, pairs: Any, chosen: Any, offsets: Any, out: Any, valid: Any
) -> tuple[int, int]: ...
def pair_numbers(values: Any, states: Any, chosen: Any, out: Any, valid: Any) -> int: ...
def distinct(
    data: Any, pairs: Any, chosen: Any, seed: int, table: Any, codes: Any, firsts: Any
) -> int: ...
def objects(
    keys: Any,
    key_at: Any,
    values: Any,
    value_at: Any,
    owners: Any,
    n_owners: int,
    offsets: Any,
    out: Any,
    twice: Any,
) -> int: ...
def numbers(data: Any, pairs: Any, families: Any, values: Any, states: Any) -> None: ...
def classify(
    data: Any, offsets: Any, table: Any, loaded: Any, classes: Any, lengths: Any, start: int
) -> tuple[int, int] | None: ...
