"""Connections to a ClickHouse server over HTTP: bounded waits, no password shown."""

import copy
import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ingest.errors import StoreError, StoreLostError, UsageProblem
from ingest.lazily import matcher
from ingest.stores.contract import schema_refused

try:
    import clickhouse_connect
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
    from clickhouse_connect.driver.external import ExternalData
    from clickhouse_connect.driver.httputil import get_pool_manager
    from urllib3.exceptions import HTTPError
except ImportError as error:
    raise UsageProblem(
        "a ClickHouse store needs packages that are not installed here",
        "install the extra: pip install 'ttsq[clickhouse]'",
    ) from error

if TYPE_CHECKING:
    import pyarrow as pa

# What the driver logs, it raises too; where nobody has set up logging, Python would print it, with
# tracebacks.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())

FAILURES = (ClickHouseError, HTTPError, OSError)  # what the driver raises

_ALWAYS = "default"  # the database that every server has
_PORT, _SECURE_PORT = 8123, 8443
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 3600  # of one statement; a merge of a large partition takes its time
_PAUSES_SECONDS = (0.5, 1.5)  # between the tries: a server that restarts takes about that
# What SQL means on the other engines, which ClickHouse does not do by itself.
_LIKE_THE_OTHERS: dict[str, object] = {
    "join_use_nulls": 1,
    "aggregate_functions_null_for_empty": 1,
    "union_default_mode": "DISTINCT",
    "prefer_column_name_to_alias": 1,
    "cast_keep_nullable": 1,
    "date_time_output_format": "iso",
    "session_timezone": "UTC",
}
# Written rows are on the disk's way before the server answers, in one piece, and a view behind the
# table is none of ours. An old log has more months than a careless insert should.
WRITING: dict[str, object] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "max_partitions_per_insert_block": 0,
    "max_insert_threads": 1,
    "mutations_sync": 2,
    "lightweight_deletes_sync": 2,
    "distributed_foreground_insert": 1,
    "parallel_distributed_insert_select": 0,
}
# On a cluster: what one server has found goes to the shards; an answer without a shard's rows is
# none.
_ALWAYS_SET: dict[str, object] = {
    "distributed_product_mode": "global",
    "skip_unavailable_shards": 0,
}
# What a user's profile may say and would make answers partial, stale or others, without a word: a
# commit that reads such an answer stores wrong rows. A bound itself stays; who reaches it is told.
_WHOLE_ANSWERS: dict[str, object] = {
    **dict.fromkeys(
        (
            "result_overflow_mode",
            "read_overflow_mode",
            "read_overflow_mode_leaf",
            "timeout_overflow_mode",
            "timeout_overflow_mode_leaf",
            "transfer_overflow_mode",
            "set_overflow_mode",
            "join_overflow_mode",
            "group_by_overflow_mode",
            "distinct_overflow_mode",
            "sort_overflow_mode",
        ),
        "throw",
    ),
    **dict.fromkeys(
        (
            "limit",
            "offset",
            "use_query_cache",
            "transform_null_in",
            "empty_result_for_aggregation_by_empty_set",
            "asterisk_include_virtual_columns",
            "asterisk_include_materialized_columns",
            "asterisk_include_alias_columns",
            "data_type_default_nullable",
        ),
        0,
    ),
    "additional_result_filter": "",
    "join_default_strictness": "ALL",
    "compatibility": "",
    "output_format_arrow_string_as_string": 1,
}
_READ_ONLY: dict[str, object] = {"readonly": 2}
_URL = matcher(
    r"clickhousedb(?:\+connect)?://(?:[^:@/?#]*(?::[^:@/?#]*)?@)?"
    r"(?:\[[0-9a-fA-F:.]+\]|[^:@/?#\[\]]+)(?::[0-9]*)?(?:/[^/?#]*)?(?:\?[^#]*)?$"
)
_OPTIONS = ("verify", "ca_cert", "client_cert", "client_cert_key", "server_host_name")
CLUSTER_WORD = "cluster"  # of the URL: the cluster that a new store is made on
RETENTION_WORD = "retention"  # of the URL: how long the server keeps rows
_CLUSTER = matcher(r"[A-Za-z0-9_.-]{1,64}")
_OF_STORE = matcher(r"Distributed\('([^']+)'")
_CODE = matcher(r"[Cc]ode: (\d+)")
_TEXT = matcher(r"DB::Exception: (.*?)(?:\. \([A-Z_0-9]+\)|\(version |$)", re.S)
KEEPS = "enable_materialized_cte"  # a setting of newer servers
RUNS_ALREADY, TOO_SLOW, NO_DATABASE, NO_TABLE = 216, 159, 81, 60
_DENIED = (497, 164, 516, 192)  # no grant, read only, wrong password, no such user
_FULL = (243, 1000)  # no room on the disk
_AWAY = (279, 210, 209, 198, 32)  # a server of the cluster does not answer


class Server:
    """Where a store is, and how to get there."""

    def __init__(self, url: str) -> None:
        """:raises UsageProblem: for a URL that cannot be read; the message does not repeat it."""
        if not _URL.match(url):
            raise _unreadable()
        split = urlsplit(url)
        options = dict(parse_qsl(split.query))
        try:
            port = split.port
        except ValueError:
            raise _unreadable() from None
        self.database = unquote(split.path.lstrip("/")) or "default"
        self._secure = options.pop("secure", "").lower() in ("1", "true", "yes")
        self.host = split.hostname or "localhost"
        self.port = port or (_SECURE_PORT if self._secure else _PORT)
        self.user = unquote(split.username or "default")
        self._password = unquote(split.password or "")
        self._options: dict[str, Any] = {k: options.pop(k) for k in _OPTIONS if k in options}
        self.cluster = options.pop(CLUSTER_WORD, "")
        if self.cluster and not _CLUSTER.fullmatch(self.cluster):
            raise UsageProblem(
                f"{self.cluster!r} is no name of a cluster",
                "the setting cluster is a name of the server's configuration (remote_servers)",
            )
        self.retention = options.pop(RETENTION_WORD, "")
        self._settings = {n: v for n, v in options.items() if n not in _WHOLE_ANSWERS}
        self._shown_user = f"{self.user}@" if split.username else ""

    @property
    def description(self) -> str:
        """The store's URL without a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"clickhousedb://{self._shown_user}{host}:{self.port}/{self.database}"

    def at(self, host: str) -> "Server":
        """The same database on another server."""
        other = copy.copy(self)
        other.host = host
        return other

    def session(self, purpose: str) -> "Session":
        """A session, whether or not the database is there; a few tries, for a server may just
        restart.

        :raises StoreError: when there is none to be had.
        """
        for pause in (*_PAUSES_SECONDS, None):
            try:
                client = self._client(purpose)
                client.database = self.database
                return Session(self, client)
            except FAILURES as error:
                if pause is None or code_of(error):
                    raise self.error(error, connecting=True) from error
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _client(self, purpose: str) -> Client:
        """A client whose answers are whole, whatever the profile of its user says."""
        client = self._plain_client(purpose)
        for name, value in _WHOLE_ANSWERS.items():
            found = client.server_settings.get(name)
            if found is not None and found.value != str(value):
                client.set_client_setting(name, value)
        return client

    def _plain_client(self, purpose: str) -> Client:
        name = f"ttsq {purpose} on {socket.gethostname()}, process {os.getpid()}"
        return clickhouse_connect.get_client(
            host=self.host,
            port=self.port,
            username=self.user,
            password=self._password,
            database=_ALWAYS,
            secure=self._secure,
            settings={**_LIKE_THE_OTHERS, **self._settings, **_ALWAYS_SET},
            client_name=name,
            query_limit=0,
            compress=False,
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=_ANSWER_SECONDS,
            autogenerate_session_id=False,
            query_retries=1,
            # one of its own: a child process must not share a socket with its parent
            pool_mgr=get_pool_manager(**self._pool()),
            **self._options,
        )

    def _pool(self) -> dict[str, Any]:
        return {"verify": self._options.get("verify", True)} if self._secure else {}

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except FAILURES as error:
            raise self.error(error) from error

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """The same, for what makes tables or changes them."""
        try:
            yield
        except FAILURES as error:
            if code_of(error) and code_of(error) not in _FULL:
                reason = self._scrubbed(_said(error))
                raise schema_refused(self.description, reason) from error
            raise self.error(error) from error

    def error(self, error: Exception, *, connecting: bool = False) -> StoreError:
        """What happened, without a password, and what to do about it."""
        text, code = self._scrubbed(_said(error)), code_of(error)
        if code == NO_DATABASE or connecting:
            return StoreError(
                f"cannot connect to {self.description}: {text}",
                "is the server up, its HTTP port right, and are user, password and database?",
            )
        if code in _DENIED:
            return StoreError(
                f"the store {self.description} refuses: {text}",
                "its owner says who may read: ttsq db grant-reader ROLE; user text (texts, "
                "messages, tracebacks) needs --with-text",
            )
        if code in _AWAY:
            return StoreLostError(
                f"a shard of the store {self.description} is not there: {text}",
                "what was committed stays; run it again when all servers of the cluster are up",
            )
        if code is None or code in _FULL:
            kind = StoreError if code or isinstance(error, DatabaseError) else StoreLostError
            return kind(
                f"cannot use the store {self.description}: {text}",
                "what was committed stays; run it again when the server is well",
            )
        return StoreError(
            f"the store {self.description} refuses the statement: {text}",
            "queries are read only; ttsq show NAME has examples",
        )

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._password, "***") if len(self._password) > 3 else text


class Session:
    """A client of a server; what it sends may be sent from several threads."""

    def __init__(self, server: Server, client: Client) -> None:
        self.server = server
        self.client = client

    def close(self) -> None:
        """Let go of its connections."""
        self.client.close()
        self.client.close_connections()

    @cached_property
    def cluster(self) -> str | None:
        """The cluster that the store's tables are on; None: this server."""
        found = self.rows(
            "select engine_full from system.tables "
            "where database = {database:String} and name = 'alembic_version'",
            {"database": self.server.database},
        )
        told = _OF_STORE.match(str(found[0][0])) if found else None
        return told[1] if told else None

    @cached_property
    def keeps(self) -> bool:
        """Whether the server can keep a common table expression."""
        known = "select count() from system.settings where name = {name:String}"
        return bool(self.value(known, {"name": KEEPS}))

    def rows(
        self,
        sql: str,
        binds: Mapping[str, object] | None = None,
        tables: "Mapping[str, pa.Table] | None" = None,
        **settings: Any,
    ) -> list[tuple[Any, ...]]:
        """What a statement finds, with ``{name:Type}`` parameters."""
        found = self.client.query(
            sql,
            parameters=bound(binds),
            external_data=sent(tables),
            settings=dict(settings),
            tz_mode="aware",
        )
        return [tuple(row) for row in found.result_rows]

    def value(self, sql: str, binds: Mapping[str, object] | None = None) -> Any:
        """The one value that a statement finds."""
        return self.rows(sql, binds)[0][0]

    def arrow(
        self,
        sql: str,
        binds: Mapping[str, object] | None = None,
        tables: "Mapping[str, pa.Table] | None" = None,
    ) -> "pa.Table":
        """What a statement finds, as Arrow; ``tables`` are sent along, and known by their names."""
        return self.client.query_arrow(
            sql, parameters=bound(binds), external_data=sent(tables), use_strings=True
        )

    def run(
        self,
        sql: str,
        binds: Mapping[str, object] | None = None,
        tables: "Mapping[str, pa.Table] | None" = None,
        **settings: Any,
    ) -> None:
        """Run a statement that changes something."""
        self.client.command(
            sql,
            parameters=bound(binds),
            settings={**WRITING, **settings},
            external_data=sent(tables),
        )

    def insert(self, table: str, rows: "pa.Table", token: str) -> None:
        """Insert rows: once, however often it is sent with the same token."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
        self.client.raw_insert(
            table,
            rows.column_names,
            sink.getvalue().to_pybytes(),
            settings={**WRITING, "insert_deduplication_token": token},
            fmt="ArrowStream",
        )


def bound(binds: Mapping[str, object] | None) -> dict[str, Any]:
    """Parameters as the driver sends them: it would cut instants to seconds."""
    return {
        n: f"{v.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, datetime) else v
        for n, v in (binds or {}).items()
    }


def sent(tables: "Mapping[str, pa.Table] | None") -> ExternalData | None:
    """Tables as they are sent along with a statement."""
    import pyarrow as pa

    if not tables:
        return None
    data = ExternalData()
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as stream:
            stream.write_table(table)
        structure = ", ".join(f"{f.name} {_type(f.type)}" for f in table.schema)
        data.add_file(
            file_name=name, data=sink.getvalue().to_pybytes(), fmt="Arrow", structure=structure
        )
    return data


def _type(kind: "pa.DataType") -> str:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return "DateTime64(6, 'UTC')"
    if pa.types.is_boolean(kind):
        return "Bool"
    if pa.types.is_integer(kind):
        return "Nullable(Int64)"
    return "String"


def code_of(error: BaseException) -> int | None:
    """The server's number of an error, None where it said nothing."""
    if isinstance(error, DatabaseError):
        found = _CODE.search(str(error))
        return int(found[1]) if found else None
    return None


def _said(error: BaseException) -> str:
    text = str(error)
    found = _TEXT.search(text)
    lines = (found[1] if found else text).strip().splitlines()
    return lines[0][:500] if lines else type(error).__name__


def _unreadable() -> UsageProblem:
    return UsageProblem(
        "the store's ClickHouse URL cannot be read",
        "clickhousedb://USER:PASSWORD@HOST:8123/DATABASE, with @ : / ? # % in a part "
        "written as %40 %3A %2F %3F %23 %25",
    )
