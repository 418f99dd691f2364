"""The questions for an assistant: every answer is bounded, and without users' words unless wanted.

Users' words are texts to be spoken and whatever may quote them: messages, tracebacks, attributes,
query strings. Without them a statement of one's own reads the views, which have none.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ingest.errors import UsageProblem
from ingest.named_queries.library import NamedQuery
from ingest.render.cells import json_text
from ingest.resources import folder
from ingest.rows.described import USER_TEXT
from ingest.stores.tables import metadata
from ingest.stores.views import VIEWS
from ttsq.rows import Rows
from ttsq.store import Store

_USERS_COLUMNS = {column for columns in USER_TEXT.values() for column in columns}
# parts of a trace that hold lines of the log
_LINES = {"lines"}
_WITHHELD = "withheld: start ttsq mcp with --with-text to see users' words"
_LITERALS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_WORD = re.compile(r"\w+")
# functions that read a table, or run a statement, that a text names
_BY_NAME = re.compile(
    r"\b(query\w*|\w*_to_xml\w*|ts_stat|dblink\w*|pragma_\w+|\w*storage_info|read_\w+|pg_stat\w*)\s*\("
    r"|\bu&|\$\w*\$|(?<![\w'])e'",
    re.IGNORECASE,
)
# dimensions of --by that are columns; any other is an attribute, and may be a user's words
_DIMENSIONS = (
    "voice", "lang", "text_class", "length", "cache_hit", "host", "service", "instance", "profile",
    "model_stage", "error_code", "status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an assistant may have: rows of an answer, seconds, and whether users' words."""

    rows: int = 100
    seconds: float = 30.0
    with_text: bool = False


class Assistant:
    """Answers as objects for JSON; nothing here writes to the store."""

    def __init__(self, store: Store, bounds: Bounds) -> None:
        self._store = store
        self._bounds = bounds

    def list_questions(self) -> list[dict[str, Any]]:
        """The named queries: what each answers, its parameters and columns."""
        return [
            {
                "name": q.name,
                "question": q.question,
                "parameters": list(q.parameters),
                "columns": list(q.columns),
            }
            for q in self._store.questions()
        ]

    def ask(self, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a named query.

        :raises TtsqError: for a query or a parameter that there is not, or a failing store.
        """
        query = self._store.named(name)
        if not self._bounds.with_text:
            _require_no_words(query, params)
        rows = self._store.query(name, **dict(params))
        answer = self._rows(rows)
        return {"question": query.question, **answer}

    def trace(self, wanted: str) -> dict[str, Any]:
        """One request's life.

        :raises TtsqError: when nothing answers to the id.
        """
        found = self._store.trace(wanted)
        return dict(found if self._bounds.with_text else _without_words(found))

    def triage(self, since: str | None, until: str | None) -> list[dict[str, Any]]:
        """What is wrong and why, the root cause first.

        :raises TtsqError: for an instant that cannot be read, or a failing store.
        """
        found = self._store.triage(since, until)
        objects = [
            {name: getattr(finding, name) for name in finding.__dataclass_fields__}
            for finding in found
        ]
        return [dict(_plain(o)) for o in objects]

    def schema(self) -> dict[str, Any]:
        """The tables and views that a statement may read, with their columns."""
        views = {
            v.name: {"rows": v.comment, "columns": {c.name: c.comment for c in v.columns}}
            for v in VIEWS
        }
        if not self._bounds.with_text:
            return {"views": views}
        tables = {
            t.name: {
                "rows": t.comment,
                "columns": {c.name: c.comment for c in t.columns},
            }
            for t in metadata.tables.values()
            if t.name != "text_salts"
        }
        return {"views": views, "tables": tables}

    def sql(self, select: str) -> dict[str, Any]:
        """The rows of one SELECT, read only; as many as the bounds allow.

        :raises TtsqError: for a statement that reads users' words, or that the store refuses.
        """
        if not self._bounds.with_text:
            _require_views(select)
        bare = select.strip().rstrip(";")
        # as many as are shown, and one to know that there are more
        limited = f"select * from (\n{bare}\n) as asked limit {self._bounds.rows + 1}"
        return self._rows(self._store.bounded_sql(limited, self._bounds.seconds))

    def _rows(self, rows: Rows) -> dict[str, Any]:
        shown = [dict(row) for row in rows[: self._bounds.rows]]
        if not self._bounds.with_text:
            shown = [_without_words(row) for row in shown]
        answer: dict[str, Any] = {"columns": list(rows.columns), "rows": _plain(shown)}
        if len(rows) > len(shown):
            answer["truncated"] = f"only the first {len(shown)} rows; ask more narrowly"
        return answer


def _require_no_words(query: NamedQuery, params: Mapping[str, Any]) -> None:
    """:raises UsageProblem: for a query that could show users' words under any name."""
    by = params.get("by")
    if query.param("by") is not None and by is not None and str(by) not in _DIMENSIONS:
        raise UsageProblem(
            f"an attribute such as {by!r} may hold users' words",
            f"by one of {', '.join(_DIMENSIONS)}; or ttsq mcp --with-text",
        )
    is_packaged = query.path.is_relative_to(folder("queries"))
    named = _USERS_COLUMNS & set(_WORD.findall(_LITERALS.sub(" ", query.sql).lower()))
    if not is_packaged and (named or "*" in query.sql):
        raise UsageProblem(
            f"the query {query.name} may show users' words", "ttsq mcp --with-text allows it"
        )


def _require_views(select: str) -> None:
    """:raises UsageProblem: for a statement that names a table of users' words, or that could reach
    one without naming it.
    """
    # in literals, too: DuckDB takes one for a table's name, and engines differ in where one ends
    named = {*USER_TEXT, "text_salts"} & {word.lower() for word in _WORD.findall(select)}
    hidden = _BY_NAME.search(select)
    if named or hidden:
        what = ", ".join(sorted(named)) or str(hidden and hidden[0]).strip()
        raise UsageProblem(
            f"the statement names {what}, where users' words are",
            f"read the views instead: {', '.join(v.name for v in VIEWS)}; or ttsq mcp --with-text",
        )


def _without_words(value: Any) -> Any:
    """The same, with users' words withheld wherever they stand."""
    if isinstance(value, Mapping):
        return {k: _withheld(k, v) for k, v in value.items() if k not in _LINES}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_words(v) for v in value]
    return value


def _withheld(name: str, value: Any) -> Any:
    if name in _USERS_COLUMNS and value is not None:
        return _WITHHELD
    return _without_words(value)


def _plain(value: Any) -> Any:
    """As JSON has it: instants in UTC, what could steer a terminal as escapes."""
    if isinstance(value, datetime | date):
        value = value.isoformat()
    found = json.loads(json_text({"value": value}, UTC))
    return found["value"]
