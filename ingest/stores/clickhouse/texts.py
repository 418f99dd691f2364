"""Columns of user text, emptied where rows have some."""

from collections.abc import Mapping

from ingest.rows.user_text import FIGURE
from ingest.stores.clickhouse.versions import Versions
from ingest.stores.contract import text_changes

_FIGURE = FIGURE.replace("\\", "\\\\").replace("'", "\\'")
_FIGURES = f"extractAll(ifNull(attributes, ''), '{_FIGURE}')"
_HAS_TEXT = f"not match(ifNull(attributes, '{{}}'), '^[{{]{_FIGURE}(?:,{_FIGURE})*[}}]$')"
_NO_TEXT = f"attributes = nullIf(concat('{{', arrayStringConcat({_FIGURES}, ','), '}}'), '{{}}')"
_TEXTS = text_changes(_NO_TEXT, f"(attributes is not null and {_HAS_TEXT})")


def has_text(table: str) -> str:
    """Which rows of a table have user text."""
    return _TEXTS[table][1]


def clear_texts(versions: Versions, table: str, which: str, binds: Mapping[str, object]) -> int:
    """Empty them in the rows that a condition finds; in how many there was something."""
    change = _TEXTS[table][0]
    others = change.replace(_NO_TEXT, "").split(", ")
    parts = [*filter(None, others), *([_NO_TEXT] if _NO_TEXT in change else [])]
    rows = versions.arrow(
        f"select * replace ({', '.join(map(_replacing, parts))}) from "
        f"(select * from {{{table}+version}} where {which} and {has_text(table)})",
        binds,
    )
    versions.replace(table, rows)
    return int(rows.num_rows)


def _replacing(part: str) -> str:
    """``column = value`` as a REPLACE transformer has it."""
    column, _, value = part.partition(" = ")
    return f"{value} as {column}"
