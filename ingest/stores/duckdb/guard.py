"""What a user's own SQL may be: one SELECT whose tables are the store's (``ttsq sql``).

To be a SELECT is not enough: DuckDB has table functions that read files, write to stdout, or change
the process (``from enable_logging()``, ``from read_blob(…)``, ``from arrow_scan(…)``). So a few are
named that cannot.
"""

import json

import duckdb

from ingest.errors import StoreError

# they make rows of their arguments, or describe the store
_HARMLESS = frozenset(
    {
        "duckdb_columns", "duckdb_tables", "duckdb_views", "generate_series", "json_each",
        "json_tree", "pragma_table_info", "range", "repeat", "repeat_row", "unnest",
    }
)  # fmt: skip


def require_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """:raises StoreError: for what is not one SELECT, or calls a table function that may do more
    than make rows.

    :raises duckdb.Error: for what is no SQL.
    """
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise _refused()
    # `pragma x` arrives as a SELECT, and is none here
    row = connection.execute("select json_serialize_sql($1)", [sql]).fetchone()
    try:
        tree = json.loads(row[0]) if row else {"error": True}
    except RecursionError:
        raise _refused() from None
    if tree["error"]:
        raise _refused()
    for name in sorted(_table_functions(tree) - _HARMLESS):
        raise StoreError(
            f"the store does not call the table function {name} for a user's SQL",
            "query the tables and views of the store; ttsq show NAME has examples",
        )


def _refused() -> StoreError:
    return StoreError(
        "the store runs one SELECT and nothing else", 'for example: ttsq sql "select 1"'
    )


def _table_functions(tree: object) -> set[str]:
    """The names of all table functions in a serialized statement."""
    found: set[str] = set()
    rest = [tree]
    while rest:
        node = rest.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                found.add(str(node["function"]["function_name"]).lower())
            rest.extend(node.values())
        elif isinstance(node, list):
            rest.extend(node)
    return found
