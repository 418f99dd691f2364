"""Parameters of a SQL text, ``:name`` as in SQLAlchemy's text() (a test compares them)."""

from collections.abc import Callable

from ingest.lazily import matcher

_BIND = matcher(r"(?<![:\w\\]):(\w+)(?![:\w])")
_ESCAPED = matcher(r"\\(:\w*)(?![:\w])")


def binds(sql: str) -> dict[str, int]:
    """Parameters of a statement, each with the offset of its first use."""
    found: dict[str, int] = {}
    for match in _BIND.finditer(sql):
        found.setdefault(match[1], match.start())
    return found


def replace_binds(sql: str, written: Callable[[str], str]) -> str:
    """The statement with its parameters replaced, and with escaped colons unescaped."""
    return _ESCAPED.sub(r"\1", _BIND.sub(lambda match: written(match[1]), sql))
