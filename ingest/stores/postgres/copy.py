"""Arrow tables to binary COPY, and rows back to Arrow. U+0000, which it cannot store, is gone."""

from typing import TYPE_CHECKING, Any

import psycopg
from pgpq import ArrowToPostgresBinaryEncoder

if TYPE_CHECKING:
    import pyarrow as pa

NUL = "\0"
NUL_SHOWN = "\ufffd"
_ROWS_PER_PIECE = 4096  # encoded and sent in one go: a few MB


def copy_in(connection: psycopg.Connection[Any], name: str, table: "pa.Table") -> None:
    """Append rows to a table by COPY, within the connection's transaction."""
    plain = storable(table)
    plain = plain.select(
        [
            n
            for n, c in zip(plain.column_names, plain.columns, strict=True)
            if c.null_count < plain.num_rows
        ]
    )
    columns = ", ".join(plain.column_names)
    encoder = ArrowToPostgresBinaryEncoder(plain.schema)
    with connection.cursor().copy(f"copy {name} ({columns}) from stdin (format binary)") as copy:
        copy.write(encoder.write_header())
        for batch in plain.to_batches(max_chunksize=_ROWS_PER_PIECE):
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())


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
