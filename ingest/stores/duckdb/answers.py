"""What access lines answer and errors belong to, within a transaction on a DuckDB store."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from ingest.rows.described import Described
from ingest.stores.duckdb.handed import handed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

# handed over in one go: DuckDB asks for the memory of a whole batch, a million rows, at once
_ROWS = 2048
_LINE = """
select h.http_key, h.logged_at, h.time_source, h.host, h.service, h.instance, h.server, h.method,
    h.path, h.query, h.client,
    h.http_status, h.request_ms, h.request_id, h.request_key,
    h.id is not null or coalesce(r.request_id = h.request_id, false)
        or coalesce(r.id = h.request_id and r.id_source = 'logged', false) as is_told
from http_requests h
left join requests r on r.request_key = h.request_key
    and r.logged_at >= $since - interval 1 day and r.logged_at <= $until + interval 1 day
where h.logged_at >= $since and h.logged_at <= $until
"""
_REQUEST = """
select request_key, id, request_id, host, service, instance, id_source, time_source, logged_at,
    started_at, completed_at, duration_ms
from requests
where logged_at >= $since and logged_at <= $until
"""
_NAMES = "with names as materialized (select id from batch_ids)"
_ERROR = """
select error_key, occurred_at, host, request_id, request_key, message
from errors
where id is null and occurred_at >= $since and occurred_at <= $until
"""
_PROXY_ERROR = (
    _ERROR
    + """and request_id is null
    and message like '%, client: %, server: %, request: "%'
"""
)


class DuckDBAnswers:
    """See :class:`ingest.stores.contract.AnswerWriter`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def has_lines(self, since: datetime, until: datetime) -> bool:
        found = self._connection.execute(
            "select 1 from http_requests where logged_at >= $since and logged_at <= $until limit 1",
            {"since": since, "until": until},
        ).fetchone()
        return found is not None

    def lines_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        import pyarrow as pa

        chosen = pa.table({"k": pa.array(keys, pa.int64())})
        which = (
            "and h.id is null and (h.request_id in (select id from batch_ids) "
            "or h.request_key in (select k from batch_keys))"
        )
        return self._named(_LINE + which, names, since, until, batch_keys=chosen)

    def has_named_errors(self, since: datetime, until: datetime) -> bool:
        found = self._connection.execute(
            "select 1 from errors where id is null and request_id is not null "
            "and occurred_at >= $since and occurred_at <= $until limit 1",
            {"since": since, "until": until},
        ).fetchone()
        return found is not None

    def errors_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        import pyarrow as pa

        chosen = pa.table({"k": pa.array(keys, pa.int64())})
        which = (
            "and request_id is not null and (request_id in (select id from batch_ids) "
            "or request_key in (select k from batch_keys))"
        )
        return self._named(_ERROR + which, names, since, until, batch_keys=chosen)

    def proxy_errors_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_PROXY_ERROR, since, until)

    def requests_named(self, names: "pa.Array", since: datetime, until: datetime) -> "pa.Table":
        which = "and (request_id in (from names) or id in (from names))"
        return self._named(f"{_NAMES} {_REQUEST} {which}", names, since, until)

    def _named(
        self, sql: str, names: "pa.Array", since: datetime, until: datetime, **more: "pa.Table"
    ) -> "pa.Table":
        import pyarrow as pa

        with handed(self._connection, batch_ids=pa.table({"id": names}), **more):
            return self._fetched(sql, since, until)

    def lines_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_LINE, since, until)

    def requests_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_REQUEST, since, until)

    def _fetched(self, sql: str, since: datetime, until: datetime) -> "pa.Table":
        found = self._connection.execute(sql, {"since": since, "until": until})
        return found.to_arrow_table(batch_size=_ROWS)

    def link(
        self,
        table: Described,
        rows: "npt.NDArray[np.int64]",
        requests: "npt.NDArray[np.int64]",
        since: datetime,
        until: datetime,
    ) -> None:
        import pyarrow as pa

        with handed(self._connection, batch_answers=pa.table({"row": rows, "request": requests})):
            self._connection.execute(
                f"update {table.name} as t set request_key = nullif(b.request, 0) "
                f"from batch_answers b where t.{table.key} = b.row "
                f"and t.{table.at} >= $since and t.{table.at} <= $until",
                {"since": since, "until": until},
            )
