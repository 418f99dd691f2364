from collections.abc import Callable, Iterable, Sequence
from typing import Any

COMPILED: bool
LONGEST_MASK: int
MOST_TOKENS: int
INT: int
DECIMAL: int
ADDRESS: int
STAMP: int
TEXT: int
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
    def know_heads(
        self, heads: Sequence[bytes], roots: Sequence[int], steps: Any, last: Any,
        read_on: Callable[[int, int], None],
    ) -> None: ...  # fmt: skip
    def has_text(self) -> bool: ...
    def learn(self) -> bool: ...
    def is_braced(self) -> bool: ...
    def is_run_of_bars(self, text: bytes) -> bool: ...
    def ends_full(self) -> bool: ...
    def inner(self, line: bytes) -> bytes | None: ...
