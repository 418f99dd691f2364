from typing import Any

COMPILED: bool

def strings(data: Any, starts: Any, ends: Any, flags: Any, offsets: Any, out: Any) -> int: ...
def sizes(pairs: Any, slots: Any, bytes_of: Any, longest: Any, counts: Any) -> None: ...
def columns(
    data: Any,
    pairs: Any,
    slots: Any,
    wanted: Any,
    bases: Any,
    offsets: Any,
    out: Any,
    valid: Any,
) -> bool: ...
def plain(data: Any, pairs: Any, chosen: Any) -> bool: ...
def distinct(
    data: Any, pairs: Any, chosen: Any, seed: int, table: Any, codes: Any, firsts: Any
) -> int: ...
def find(
    data: Any,
    pairs: Any,
    firsts: Any,
    seed: int,
    table: Any,
    words: Any,
    ends: Any,
    codes: Any,
) -> None: ...
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
