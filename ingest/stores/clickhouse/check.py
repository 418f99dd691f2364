"""How the schema of a store differs from the script that makes a new one."""

import re

from ingest.lazily import matcher
from ingest.resources import folder
from ingest.stores.clickhouse.cluster import of_view
from ingest.stores.clickhouse.connection import Session

_CREATE = r"create (?:(?:table|view) if not exists|or replace view)"
_MADE = matcher(rf"{_CREATE} (\w+) \((.*?)\n\)", re.S | re.I)
_DROPPED = matcher(r"alter table (\w+) drop column if exists `(\w+)`", re.I)
_COLUMN = matcher(
    r"^    `(\w+)` (.*?)(?: default .*?)?(?: comment '((?:[^'\\]|\\.)*)')?(?: codec\(.*\))?,?$"
)
_VIEW = matcher(
    r"create (?:view if not exists|or replace view) (\w+) .*?\n\)\nas (.*?)\ncomment '",
    re.S | re.I,
)


def differences(session: Session) -> list[str]:
    """What is missing, of another type, or says something else; empty: nothing."""
    script = (folder("migrations") / "clickhouse.sql").read_text(encoding="utf-8")
    database = session.server.database
    stored: dict[str, dict[str, tuple[str, str]]] = {}
    for table, name, kind, comment in session.rows(
        "select table, name, type, comment from system.columns "
        "where database = {database:String} order by position",
        {"database": database},
    ):
        stored.setdefault(str(table), {})[str(name)] = (str(kind), str(comment))
    found = []
    for table, expected in _expected(script).items():
        if table not in stored:
            found.append(f"the table {table} is missing")
        elif stored[table] != expected:
            found += [
                f"{table}.{name} is {stored[table].get(name)}, expected {expected.get(name)}"
                for name in {**expected, **stored[table]}
                if stored[table].get(name) != expected.get(name)
            ]
    return found + _other_views(session, script)


def _expected(script: str) -> dict[str, dict[str, tuple[str, str]]]:
    """The columns of each table and view, as the script leaves them: type and comment."""
    expected = {table: _columns(body) for table, body in _MADE.findall(script)}
    for table, column in _DROPPED.findall(script):
        del expected[table][column]
    return expected


def _columns(body: str) -> dict[str, tuple[str, str]]:
    columns = {}
    for line in body.splitlines():
        told = _COLUMN.match(line)
        if told is not None:
            comment = re.sub(r"\\(.)", r"\1", told[3] or "")
            columns[told[1]] = (told[2], comment)
    return columns


def _other_views(session: Session, script: str) -> list[str]:
    """Views whose query is another one, both as the server writes them."""
    stored = dict(
        session.rows(
            "select name, as_select from system.tables "
            "where database = {database:String} and engine = 'View'",
            {"database": session.server.database},
        )
    )
    found = []
    for name, written in dict(_VIEW.findall(script)).items():
        query = written if session.cluster is None else of_view(written)
        expected = session.value("select formatQuerySingleLine({query:String})", {"query": query})
        told = re.sub(rf"`?{re.escape(session.server.database)}`?\.", "", str(stored.get(name, "")))
        if _plain(told) != _plain(str(expected)):
            found.append(f"the view {name} has another query")
    return found


def _plain(query: str) -> str:
    return re.sub(r"[`\s()]", "", query)
