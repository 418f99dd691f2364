from collections.abc import Callable, Iterable
from typing import Any

COMPILED: bool
BARE: int
COMPOSE: int
JSON_FILE: int
CRI: int
LONGEST: int
LONGEST_MASK: int
MOST_TOKENS: int
INT: int
DECIMAL: int
ADDRESS: int
STAMP: int
PATH: int
QUERY: int
WORDS: int
PLACE: int
ADDRESS_6: int
HEX: int
UUID: int
BOXED: int
NAME: int

class Masker:
    instance: int
    dated: bool
    zoned: bool
    lacks: bool
    instant: int
    local: int
    mode: int
    n: int
    hash: int
    tell: Callable[[str], int] | None
    def __init__(self, mode: int) -> None: ...
    def take(self, text: bytes) -> bool: ...
    def taken(self) -> tuple[bytes, list[tuple[int, int]]]: ...
    def piece(self, start: int, end: int) -> bytes: ...
    def know(self, prefixes: Iterable[bytes]) -> None: ...
    def of(self, text: bytes) -> tuple[bytes, list[tuple[int, int]]] | None: ...
    def marked(self) -> list[int]: ...
    def is_asked(self) -> bool: ...
    def ask_of_paths(self, tell: Callable[[str], int] | None) -> None: ...
    def learn_path(self) -> bool: ...
    def is_braced(self) -> bool: ...
    def is_run_of_bars(self, text: bytes) -> bool: ...
    def inner(self, line: bytes) -> bytes | None: ...

def may_hold_stamp(data: Any) -> bool: ...
