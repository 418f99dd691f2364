"""How much memory DuckDB may use for the statements of a transaction.

It keeps what it has read and written up to its limit, so the limit is low wherever it can be. Rows
are compressed 2048 at a time, and these must fit: those of the transaction, and those of others
before them that a commit writes once more.
"""

import re
from typing import TYPE_CHECKING

import duckdb

from ingest.rows.described import USER_TEXT

if TYPE_CHECKING:
    import pyarrow as pa

# 2048 vast rows may be all that a transaction has, 320 MB; of stored ones there is no bound
LITTLE_MEMORY, _WIDE_MEMORY, _VAST_MEMORY, _COMMIT_MEMORY = "80MB", "112MB", "512MB", "2GB"
_WIDE_BYTES, _VAST_BYTES = 1 << 10, 1 << 14  # of a row, on average
_LONGEST = re.compile(r"Max String Length: (\d+)\]")


class Memory:
    """The limit of one transaction on a connection, which begins and ends with little."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._limit = self._least = LITTLE_MEMORY
        self._stores_vast: bool | None = None

    def _set(self, limit: str) -> None:
        self._connection.execute(f"set memory_limit = '{limit}'")
        self._limit = limit

    def begin_rows(self) -> None:
        """Allow what most rows need, or those that the transaction has written before."""
        if self._stores_vast is None:  # of what is written since, DuckDB does not tell
            self._set(_COMMIT_MEMORY)  # it reads 2048 rows
            self._stores_vast = _has_vast_rows(self._connection)
        # whenever it is set, the C library gives back what is free: after long texts that is much
        if self._limit != self._least or self._least != LITTLE_MEMORY:
            self._set(self._least)

    def allow_for(self, table: "pa.Table") -> None:
        """Allow what these rows need, from now on: they stay in memory until they are committed."""
        width = table.nbytes // max(table.num_rows, 1)
        if width > _VAST_BYTES:
            self._least = _VAST_MEMORY
        elif width > _WIDE_BYTES and self._least == LITTLE_MEMORY:
            self._least = _WIDE_MEMORY
        if self._limit not in (self._least, _VAST_MEMORY):
            self._set(self._least)

    def allow_more(self) -> None:
        """Allow the memory that reading stored texts may take: of a megabyte each."""
        if self._limit != _VAST_MEMORY:
            self._set(_VAST_MEMORY)

    def allow_commit(self) -> None:
        """Allow what it takes to write the last stored rows of a table once more."""
        if self._stores_vast or self._least == _VAST_MEMORY:
            self._set(_COMMIT_MEMORY)

    def end(self) -> None:
        """Leave the connection as it was found."""
        if self._limit != LITTLE_MEMORY:
            self._set(LITTLE_MEMORY)


def _has_vast_rows(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any user text that is stored may be so long that 2048 of them fill the memory.

    By DuckDB's statistics of a column, a text: it costs some milliseconds. What it does not tell
    may be.
    """
    for table, columns in USER_TEXT.items():
        asked = " || ".join(f"stats({c})" for c in columns)
        for (told,) in connection.execute(f"select {asked} from {table} limit 1").fetchall():
            lengths = _LONGEST.findall(told)
            if len(lengths) < len(columns) or max(map(int, lengths)) > _VAST_BYTES:
                return True
    return False
