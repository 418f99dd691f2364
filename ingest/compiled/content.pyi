from typing import Any

COMPILED: bool

def lines(data: Any, begins: Any, hashes: Any, stamped: Any, final: bool) -> int: ...
