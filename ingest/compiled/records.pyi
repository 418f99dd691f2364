from collections.abc import Collection, Sequence

COMPILED: bool

class Scanner:
    n_records: int
    n_pairs: int
    giant: bool
    foreign: bool
    def __init__(
        self,
        program: memoryview,
        literals: memoryview,
        suffix: tuple[int, int],
        clock: memoryview,
        plain_clock: bool,
        events: Sequence[bytes],
        keys: Sequence[bytes],
        words: Collection[bytes],
        escapes: bool,
        max_record: int,
    ) -> None: ...
    def scan(
        self,
        data: memoryview,
        start: int,
        end: int,
        final: bool,
        at_file_start: bool,
        records: memoryview,
        stamps: memoryview,
        pairs: memoryview,
        numbers: tuple[memoryview, memoryview, memoryview],
    ) -> int: ...
    def next_beginning(
        self, data: memoryview | bytes, start: int, end: int, final: bool
    ) -> int: ...
    def header_end(self, data: memoryview, end: int) -> int: ...
    def header(self, data: bytes, end: int, row: memoryview, stamps: memoryview) -> bool: ...
    def text_open(self, data: bytes, start: int, end: int) -> bool: ...
    def closes(self, data: bytes, end: int) -> bool: ...
    def ends_text(self, data: bytes, end: int) -> bool: ...
    def cut_given(
        self,
        data: memoryview,
        end: int,
        records: memoryview,
        ends: memoryview,
        given: memoryview,
        pairs: memoryview,
    ) -> int: ...
