"""Arrow tables to binary COPY, and rows back to Arrow. U+0000, which it cannot store, is gone."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from pgpq import ArrowToPostgresBinaryEncoder

if TYPE_CHECKING:
    import pyarrow as pa

NUL = "\0"
NUL_SHOWN = "\ufffd"
_ROWS_PER_PIECE = 4096  # encoded and sent in one go: a few MB
# around the rows: signature, flags, no extension; a row of -1 columns
_HEADER, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


class Step(NamedTuple):
    """A statement; with ``rows``, which are encoded, COPY and a piece of what it takes."""

    sql: str
    rows: bytes | None = None


def copy_in(connection: psycopg.Connection[Any], name: str, table: "pa.Table") -> None:
    """Append rows to a table by COPY, within the connection's transaction."""
    for _ in run(connection, steps(name, storable(table))):
        pass


def steps(name: str, plain: "pa.Table") -> Iterator[Step]:
    """The COPY of rows without dictionaries into a table."""
    filled = [
        n
        for n, c in zip(plain.column_names, plain.columns, strict=True)
        if c.null_count < plain.num_rows
    ]
    plain = plain.select(filled)
    sql = f"copy {name} ({', '.join(filled)}) from stdin (format binary)"
    encoder = ArrowToPostgresBinaryEncoder(plain.schema)
    encoder.write_header()
    for batch in plain.to_batches(max_chunksize=_ROWS_PER_PIECE):
        if rows := encoder.write_batch(batch):  # it keeps what is little
            yield Step(sql, rows)
    yield Step(sql, encoder.finish().removesuffix(_END))


def run(connection: psycopg.Connection[Any], steps: Iterable[Step]) -> Iterator[str]:
    """Run steps; what follows each other into the same columns goes by one COPY.

    :return: each statement that has run.
    """
    for (sql, is_copy), pieces in groupby(_ahead(steps), lambda s: (s.sql, s.rows is not None)):
        if is_copy:
            with connection.cursor().copy(sql) as copy:
                copy.write(_HEADER)
                for piece in pieces:
                    copy.write(piece.rows or b"")
                copy.write(_END)
        else:
            connection.execute(sql)
        yield sql


def _ahead(steps: Iterable[Step]) -> Iterator[Step]:
    """The same; a thread makes the next one while the server takes one."""
    with ThreadPoolExecutor(1, "ttsq-encode") as pool:
        source = iter(steps)
        made = pool.submit(next, source, None)
        while (step := made.result()) is not None:
            made = pool.submit(next, source, None)
            yield step


def storable(table: "pa.Table") -> "pa.Table":
    """The rows of a table without dictionaries, which COPY does not know."""
    import pyarrow as pa

    columns = [
        c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns
    ]
    fields = [pa.field(f.name, c.type, True) for f, c in zip(table.schema, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields)).combine_chunks()


def shown(text: str) -> str:
    """A text from elsewhere (a name, a parameter) as PostgreSQL takes it."""
    return text.replace(NUL, NUL_SHOWN)


def to_arrow(cursor: psycopg.Cursor[Any]) -> "pa.Table":
    """A result as an Arrow table."""
    import pyarrow as pa

    description = cursor.description or []
    columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(description)
    return pa.table(
        {
            column.name: pa.array(values, _arrow_type(column.type_code))
            for column, values in zip(description, columns, strict=True)
        }
    )


def _arrow_type(oid: int) -> "pa.DataType":
    import pyarrow as pa

    types = psycopg.postgres.types
    known = {
        "int8": pa.int64(),
        "int4": pa.int32(),
        "bool": pa.bool_(),
        "float8": pa.float64(),
        "timestamptz": pa.timestamp("us", "UTC"),
    }
    found = types.get(oid)
    return known.get(found.name if found else "", pa.string())
