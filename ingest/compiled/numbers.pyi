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
UNREAD: int

def numbers(data: Any, pairs: Any, families: Any, values: Any, states: Any) -> bool: ...
def doubles(
    values: Any, states: Any, slots: Any, wanted: Any, out: Any, valid: Any, nulls: Any
) -> None: ...
def wholes(numbers: Any, out: Any) -> bool: ...
def truths(numbers: Any, bits: Any) -> None: ...
