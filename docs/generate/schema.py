"""``python -m docs.generate.schema``: writes docs/schema.md from the tables of ``ingest.stores.tables`` and ``ingest.stores.views``.

``--check`` only says whether the page is as it would be written.
"""

import sys
from pathlib import Path

from sqlalchemy import Column, Table

from docs.generate.keep import keep
from ingest.stores.tables import metadata
from ingest.stores.views import VIEWS, View

PAGE = Path(__file__).resolve().parents[1] / "schema.md"

_HEAD = """\
# The tables

Written by `python -m docs.generate.schema` from `ingest/stores/tables.py` and `ingest/stores/views.py`; change these, not this page.

Durations end in `_ms`, sizes in `_kb` and `_mb`, percentages in `_percent`; what ends in `_at` is an instant, stored in UTC.
A `file_key` is that of [log_files](#log_files); with a byte offset, which counts uncompressed bytes, it leads from any
row back to its line. The store holds the comments below, too:

```sh
ttsq sql "select table_name, column_name, comment from duckdb_columns() where table_name = 'requests'"
```

For dashboards begin with [the views](#the-views): they have the same names on every store, and no user text. `request_parts` is ttsq's own
working table; questions need none of it.

| table | rows |
|---|---|
"""

_VIEWS = """
## The views

Plain names over the tables, alike on DuckDB and PostgreSQL, in the published copy, too. No column holds user text: texts, messages,
tracebacks and other pairs are in the tables alone. [bi.md](bi.md) has recipes.

| view | rows |
|---|---|
"""


def written() -> str:
    """The page as it ought to be."""
    tables = list(metadata.tables.values())
    index = "".join(f"| [{t.name}](#{t.name}) | {t.comment} |\n" for t in tables)
    views = "".join(f"| [{v.name}](#{v.name}) | {v.comment} |\n" for v in VIEWS)
    return (
        _HEAD
        + index
        + "".join(_section(t) for t in tables)
        + _VIEWS
        + views
        + "".join(_view_section(v) for v in VIEWS)
    )


def _section(table: Table) -> str:
    rows = "".join(_row(c) for c in table.columns)
    return (
        f"\n## {table.name}\n\n{table.comment}\n\n"
        f"| column | type | null | meaning |\n|---|---|---|---|\n{rows}"
    )


def _view_section(view: View) -> str:
    rows = "".join(f"| `{c.name}` | {c.type} | {c.comment} |\n" for c in view.columns)
    return (
        f"\n### {view.name}\n\n{view.comment}\n\n| column | type | meaning |\n|---|---|---|\n{rows}"
    )


def _row(column: Column[object]) -> str:
    key = "; primary key" if column.primary_key else ""
    null = "yes" if column.nullable else "no"
    meaning = str(column.comment or "").replace("|", "\\|")
    return f"| `{column.name}` | {_type(column)} | {null} | {meaning}{key} |\n"


def _type(column: Column[object]) -> str:
    """The type's SQL name, in lower case; an instant's is spelled out."""
    if getattr(column.type, "timezone", False):
        return "timestamp with time zone"
    return str(column.type).lower()


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say whether it is stale; the exit code."""
    return keep(PAGE, written(), "docs.generate.schema", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
