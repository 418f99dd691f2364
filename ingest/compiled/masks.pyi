from collections.abc import Iterable
from typing import Any

COMPILED: bool
BARE: int
COMPOSE: int
JSON_FILE: int
CRI: int
LONGEST: int
LONGEST_MASK: int
MOST_TOKENS: int

class Masker:
    instance: int
    dated: bool
    local: int
    mode: int
    def __init__(self, mode: int) -> None: ...
    def know(self, prefixes: Iterable[bytes]) -> None: ...
    def of(self, text: bytes) -> tuple[bytes, list[tuple[int, int]]] | None: ...
    def is_run_of_bars(self, text: bytes) -> bool: ...
    def inner(self, line: bytes) -> bytes | None: ...

def may_hold_stamp(data: Any) -> bool: ...
