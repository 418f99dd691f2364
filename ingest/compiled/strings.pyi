from typing import Any

COMPILED: bool

def strings(data: Any, starts: Any, ends: Any, flags: Any, offsets: Any, out: Any) -> int: ...
def pair_room(pairs: Any, chosen: Any) -> int: ...
def pair_strings(
    data: Any, pairs: Any, chosen: Any, offsets: Any, out: Any, valid: Any
) -> tuple[int, int]: ...
def plain(data: Any, pairs: Any, chosen: Any) -> bool: ...
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
