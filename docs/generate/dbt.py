"""``python -m docs.generate.dbt``: writes the sources of the dbt starter from the views.

``--check`` only says whether the file is as it would be written.
"""

import json
import sys
from pathlib import Path

from docs.generate.keep import keep
from ingest.stores.views import VIEWS, View

FILE = Path(__file__).resolve().parents[2] / "deploy/dbt/models/sources.yml"

_HEAD = """\
# Written by python -m docs.generate.dbt from the views of a store; change those, not this file.
version: 2
sources:
  - name: ttsq
    description: A store of ttsq; its views have no user text.
    database: "{{ 'store' if target.type == 'duckdb' else target.dbname }}"
    schema: "{{ 'main' if target.type == 'duckdb' else 'public' }}"
    tables:
"""


def written() -> str:
    """The file as it ought to be."""
    return _HEAD + "".join(map(_table, VIEWS))


def _table(view: View) -> str:
    columns = "".join(
        f"          - name: {c.name}\n            description: {_quoted(c.comment)}\n"
        for c in view.columns
    )
    return (
        f"      - name: {view.name}\n        description: {_quoted(view.comment)}\n"
        f"        columns:\n{columns}"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def main(arguments: list[str]) -> int:
    """Write the file, or with ``--check`` say whether it is stale; the exit code."""
    return keep(FILE, written(), "docs.generate.dbt", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
