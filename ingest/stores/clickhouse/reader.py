"""A reading session of a ClickHouse store: the tables as they were when it began."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.errors import StoreError
from ingest.lazily import matcher
from ingest.stores.binds import binds as names_of
from ingest.stores.clickhouse.connection import (
    FAILURES,
    KEEPS,
    TOO_SLOW,
    Session,
    bound,
    code_of,
    sent,
)
from ingest.stores.clickhouse.dialect import KEPT, as_here, is_long, kept, reading_from, table_of
from ingest.stores.clickhouse.layout import TABLES, Seen
from ingest.stores.contract import QueryResult, too_slow

if TYPE_CHECKING:
    import pyarrow as pa

# beyond so many bytes the server sorts and groups on its disk
_READING: dict[str, object] = {
    "readonly": 2,
    "max_bytes_before_external_sort": 1_500_000_000,
    "max_bytes_before_external_group_by": 1_500_000_000,
}
# what a user's own statement may take of the server
_BOUNDS: dict[str, object] = {
    "max_memory_usage": 4_000_000_000,
    "max_result_rows": 10_000_000,
    "max_result_bytes": 2_000_000_000,
    "result_overflow_mode": "throw",
    "timeout_overflow_mode": "throw",
}
# the server does not know a word or a function: the statement may be one for the other engines
_NOT_OF_HERE = (46, 62)
_LEADING = matcher(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.S)
_BYTES: dict[str, str | dict[str, str]] = {"line_hashes": "bytes"}  # the one column that is no text
_WORDS = ("select", "with", "(")
# they reach files, programs, other servers and other databases
_REACHING = matcher(
    r"\b(?:file|url|s3\w*|hdfs\w*|remote\w*|cluster\w*|mysql|postgresql|mongodb|redis|jdbc|odbc|"
    r"sqlite|executable|input|azure\w*|gcs|iceberg\w*|delta\w*|hudi\w*|dictionary|merge|loop|"
    r"view_?explain|fuzz\w*|urlcluster|ytsaurus|arrowflight|mergetreeindex|mergetreeprojection)"
    r"\s*\(|\binto\s+outfile\b|\bsystem\s*\.|\bsettings\b|\bformat\b",
    re.I,
)
_QUOTED = matcher(r"'(?:[^'\\]|\\.|'')*'|--[^\n]*|/\*.*?\*/", re.S)


class ClickHouseReader:
    """See :class:`ingest.stores.contract.Reader`."""

    def __init__(self, session: Session, revision: str | None, seen: Seen) -> None:
        self._session = session
        self._revision = revision
        self._seen = seen

    def revision(self) -> str | None:
        return self._revision

    def query(self, sql: str, binds: Mapping[str, object] | None) -> QueryResult:
        text, used = self._prepared(sql, binds)
        return self._fetched(text, used, **_keeping(text))

    def _prepared(
        self, sql: str, binds: Mapping[str, object] | None
    ) -> tuple[str, dict[str, object]]:
        _require_reading(sql)
        used = {} if binds is None else {n: binds[n] for n in names_of(sql)}
        text = as_here(sql, None if binds is None else used)
        return self._at_instant(kept(text) if self._session.keeps else text), used

    def _at_instant(self, sql: str) -> str:
        """The statement on the tables as this session sees them: their names mean those."""
        return reading_from(sql, {t: self._seen.table(t) for t in TABLES})

    def _fetched(self, sql: str, binds: dict[str, object], **settings: object) -> QueryResult:
        found = self._session.client.query(
            sql,
            parameters=bound(_short(binds)),
            external_data=sent(_long(binds)),
            settings={**_READING, **settings},
            tz_mode="aware",
            column_formats=_BYTES,
        )
        named = found.column_names or self._names(sql, binds, settings)
        names = tuple(map(_plain_name, named))
        return QueryResult(names, [tuple(map(_plain, row)) for row in found.result_rows])

    def _names(
        self, sql: str, binds: dict[str, object], settings: Mapping[str, object]
    ) -> tuple[str, ...]:
        """The columns of a result without rows, which the driver does not tell."""
        told = self._session.rows(f"describe (\n{sql}\n)", _short(binds), _long(binds), **settings)
        return tuple(str(r[0]) for r in told)

    def ask(self, sql: str, timeout_seconds: float, allow_superuser: bool) -> QueryResult:
        """``allow_superuser`` says nothing here: the session reads only, whoever it is."""
        _require_reading(sql)
        reaching = _REACHING.search(_QUOTED.sub(" ", sql))
        if reaching is not None:
            raise StoreError(
                f"the store does not run {' '.join(reaching[0].split())!r} in a user's SQL",
                "query the tables and views of the store; ttsq show NAME has examples",
            )
        plain = sql.rstrip().rstrip(";")
        try:
            return self._bounded(plain, timeout_seconds)
        except FAILURES as error:
            if code_of(error) not in _NOT_OF_HERE:
                raise
        return self._bounded(as_here(plain, None), timeout_seconds)

    def _bounded(self, sql: str, timeout_seconds: float) -> QueryResult:
        asked = self._at_instant(f"select * from ({sql}\n) as asked")
        limits = {**_BOUNDS, "max_execution_time": max(timeout_seconds, 0.001)}
        try:
            return self._fetched(asked, {}, **limits)
        except FAILURES as error:
            if code_of(error) == TOO_SLOW:
                raise too_slow(timeout_seconds) from error
            raise

    def describe(self, sql: str, binds: Mapping[str, object]) -> list[tuple[str, str]]:
        text, used = self._prepared(sql, binds)
        found = self._session.rows(
            f"describe (\n{text}\n)", _short(used), _long(used), **_keeping(text)
        )
        return [(_plain_name(r[0]), _plain_type(str(r[1]))) for r in found]


def _short(binds: Mapping[str, object]) -> dict[str, object]:
    """The parameters that are sent as such."""
    return {n: v for n, v in binds.items() if not is_long(v)}


def _long(binds: Mapping[str, object]) -> "dict[str, pa.Table]":
    """The tables that all others are sent as."""
    long = {n: v for n, v in binds.items() if is_long(v)}
    if not long:
        return {}
    import pyarrow as pa

    return {table_of(n): pa.table({"value": pa.array([v], pa.string())}) for n, v in long.items()}


def _keeping(sql: str) -> dict[str, object]:
    """What a statement needs that keeps what is named more than once."""
    return {KEEPS: 1} if f" {KEPT}" in sql else {}


_WRAPPED = matcher(r"(?:Nullable|LowCardinality)\((.*)\)$")


def _plain_name(told: object) -> str:
    """A column of a join is told with its table where both sides have one of its name."""
    return str(told).rpartition(".")[2]


def _plain_type(told: str) -> str:
    """A type by the name that SQL has for it."""
    while (inner := _WRAPPED.match(told)) is not None:
        told = inner[1]
    if told.startswith("DateTime64"):
        return "timestamp with time zone"
    if re.fullmatch(r"U?Int\d+", told):
        return "bigint"
    names = {"String": "varchar", "Float64": "double precision", "Bool": "boolean"}
    return names.get(told, told.lower())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not UTC:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _require_reading(sql: str) -> None:
    """:raises StoreError: for a statement that is no query."""
    start = _LEADING.match(sql)
    rest = sql[start.end() if start else 0 :].lower()
    if not rest.startswith(_WORDS):
        raise StoreError("the store runs only queries", "begin it with select or with")
