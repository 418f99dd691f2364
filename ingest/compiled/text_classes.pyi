from typing import Any

COMPILED: bool

def classify(
    data: Any, offsets: Any, table: Any, loaded: Any, classes: Any, lengths: Any, start: int
) -> tuple[int, int] | None: ...
