"""What access lines answer and errors belong to, within a transaction on a PostgreSQL store."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from ingest.rows.described import Described
from ingest.stores.postgres.copy import to_arrow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_LINE = """
select h.http_key, h.logged_at, h.time_source, h.host, h.service, h.instance, h.server, h.method,
    h.path, h.query, h.client,
    h.http_status, h.request_ms, h.request_id, h.request_key,
    h.id is not null or coalesce(r.request_id = h.request_id, false)
        or coalesce(r.id = h.request_id and r.id_source = 'logged', false) as is_told
from http_requests h
left join requests r on r.request_key = h.request_key
    and r.logged_at >= %(since)s - interval '1 day' and r.logged_at <= %(until)s + interval '1 day'
where h.logged_at >= %(since)s and h.logged_at <= %(until)s
"""
_REQUEST = """
select request_key, id, request_id, host, service, instance, id_source, time_source, logged_at,
    started_at, completed_at, duration_ms
from requests
where logged_at >= %(since)s and logged_at <= %(until)s
"""
_ERROR = """
select error_key, occurred_at, host, request_id, request_key, message
from errors
where id is null and occurred_at >= %(since)s and occurred_at <= %(until)s
"""
_PROXY_ERROR = (
    _ERROR
    + """and request_id is null
    and message like '%%, client: %%, server: %%, request: "%%'
"""
)


class PostgresAnswers:
    """See :class:`ingest.stores.contract.AnswerWriter`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def has_lines(self, since: datetime, until: datetime) -> bool:
        found = self._connection.execute(
            "select 1 from http_requests where logged_at >= %(since)s and logged_at <= "
            "%(until)s limit 1",
            {"since": since, "until": until},
        ).fetchone()
        return found is not None

    def lines_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        which = (
            "and h.id is null and (h.request_id = any(%(names)s::text[]) "
            "or h.request_key = any(%(keys)s::bigint[]))"
        )
        binds = {"names": names.to_pylist(), "keys": [*keys]}
        return self._fetched(_LINE + which, since, until, **binds)

    def has_named_errors(self, since: datetime, until: datetime) -> bool:
        found = self._connection.execute(
            "select 1 from errors where id is null and request_id is not null "
            "and occurred_at >= %(since)s and occurred_at <= %(until)s limit 1",
            {"since": since, "until": until},
        ).fetchone()
        return found is not None

    def errors_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        which = (
            "and request_id is not null and (request_id = any(%(names)s::text[]) "
            "or request_key = any(%(keys)s::bigint[]))"
        )
        binds = {"names": names.to_pylist(), "keys": [*keys]}
        return self._fetched(_ERROR + which, since, until, **binds)

    def proxy_errors_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_PROXY_ERROR, since, until)

    def requests_named(self, names: "pa.Array", since: datetime, until: datetime) -> "pa.Table":
        which = "and (request_id = any(%(names)s::text[]) or id = any(%(names)s::text[]))"
        return self._fetched(_REQUEST + which, since, until, names=names.to_pylist())

    def lines_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_LINE, since, until)

    def requests_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_REQUEST, since, until)

    def _fetched(self, sql: str, since: datetime, until: datetime, **more: object) -> "pa.Table":
        binds = {"since": since, "until": until, **more}
        return to_arrow(self._connection.execute(sql, binds))

    def link(
        self,
        table: Described,
        rows: "npt.NDArray[np.int64]",
        requests: "npt.NDArray[np.int64]",
        since: datetime,
        until: datetime,
    ) -> None:
        self._connection.execute(
            f"update {table.name} t set request_key = nullif(b.request, 0) "
            "from unnest(%(rows)s::bigint[], %(requests)s::bigint[]) as b(line, request) "
            f"where t.{table.key} = b.line "
            f"and t.{table.at} >= %(since)s and t.{table.at} <= %(until)s",
            {
                "rows": rows.tolist(),
                "requests": requests.tolist(),
                "since": since,
                "until": until,
            },
        )
