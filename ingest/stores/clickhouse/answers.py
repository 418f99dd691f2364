"""What access lines answer and errors belong to, within a commit on a ClickHouse store."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ingest.rows.described import Described
from ingest.stores.clickhouse.connection import Session
from ingest.stores.clickhouse.types import bounded
from ingest.stores.clickhouse.versions import Versions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_DAY = timedelta(days=1)
_WITHIN = "logged_at >= {since:DateTime64(6, 'UTC')} and logged_at <= {until:DateTime64(6, 'UTC')}"
_LINE = f"""
select h.http_key as http_key, h.logged_at as logged_at, h.time_source as time_source,
    h.host as host, h.service as service, h.instance as instance, h.server as server,
    h.method as method, h.path as path, h.query as query, h.client as client,
    h.http_status as http_status, h.request_ms as request_ms,
    h.request_id as request_id, h.request_key as request_key,
    toBool(h.id is not null or coalesce(r.request_id = h.request_id, false)
        or coalesce(r.id = h.request_id and r.id_source = 'logged', false)) as is_told
from (select * from {{http_requests}} where {_WITHIN}) as h
left join (
    select request_key, request_id, id, id_source from {{requests}}
    where logged_at >= {{day_before:DateTime64(6, 'UTC')}}
        and logged_at <= {{day_after:DateTime64(6, 'UTC')}}
) as r on r.request_key = h.request_key
"""
_REQUEST = f"""
select request_key, id, request_id, host, service, instance, id_source, time_source, logged_at,
    started_at, completed_at, duration_ms
from {{requests}}
where {_WITHIN}
"""
_ERROR = """
select error_key, occurred_at, host, request_id, request_key, message
from {errors}
where id is null and occurred_at >= {since:DateTime64(6, 'UTC')}
    and occurred_at <= {until:DateTime64(6, 'UTC')}
"""
_PROXY_ERROR = (
    _ERROR
    + """and request_id is null and message like '%, client: %, server: %, request: "%'
"""
)


class ClickHouseAnswers:
    """See :class:`ingest.stores.contract.AnswerWriter`."""

    def __init__(self, session: Session, versions: Versions) -> None:
        self._session = session
        self._versions = versions

    def has_lines(self, since: datetime, until: datetime) -> bool:
        binds = {"since": bounded(since), "until": bounded(until)}
        sql = f"select 1 from {{http_requests}} where {_WITHIN} limit 1"
        return bool(self._versions.rows(sql, binds))

    def lines_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        which = (
            "where h.id is null and (h.request_id in (select id from batch_ids) "
            "or h.request_key in (select k from batch_keys))"
        )
        return self._fetched(_LINE + which, since, until, _sent(names, keys))

    def has_named_errors(self, since: datetime, until: datetime) -> bool:
        binds = {"since": bounded(since), "until": bounded(until)}
        within = _WITHIN.replace("logged_at", "occurred_at")
        sql = (
            "select 1 from {errors} where id is null and request_id is not null "
            f"and {within} limit 1"
        )
        return bool(self._versions.rows(sql, binds))

    def errors_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        which = (
            "and request_id is not null and (request_id in (select id from batch_ids) "
            "or request_key in (select k from batch_keys))"
        )
        return self._fetched(_ERROR + which, since, until, _sent(names, keys))

    def proxy_errors_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_PROXY_ERROR, since, until, {})

    def requests_named(self, names: "pa.Array", since: datetime, until: datetime) -> "pa.Table":
        import pyarrow as pa

        which = "and (request_id in (select id from batch_ids) or id in (select id from batch_ids))"
        sent = {"batch_ids": pa.table({"id": names.cast(pa.string())})}
        return self._fetched(_REQUEST + which, since, until, sent)

    def lines_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_LINE, since, until, {})

    def requests_between(self, since: datetime, until: datetime) -> "pa.Table":
        return self._fetched(_REQUEST, since, until, {})

    def _fetched(
        self, sql: str, since: datetime, until: datetime, tables: "dict[str, pa.Table]"
    ) -> "pa.Table":
        binds: dict[str, object] = {"since": bounded(since), "until": bounded(until)}
        if sql.startswith(_LINE):
            binds |= {"day_before": _moved(since, -_DAY), "day_after": _moved(until, _DAY)}
        return self._versions.arrow(sql, binds, tables)

    def link(
        self,
        table: Described,
        rows: "npt.NDArray[np.int64]",
        requests: "npt.NDArray[np.int64]",
        since: datetime,
        until: datetime,
    ) -> None:
        import pyarrow as pa

        key, at = table.key, table.at
        assert key is not None and at is not None  # as of all linked tables
        self._versions.link(
            table.name,
            key,
            f"{key} in (select line from batch_answers) and {_WITHIN.replace('logged_at', at)}",
            {"since": bounded(since), "until": bounded(until)},
            {"batch_answers": pa.table({"line": rows, "request": requests})},
        )


def _sent(names: "pa.Array", keys: Sequence[int]) -> "dict[str, pa.Table]":
    import pyarrow as pa

    return {
        "batch_ids": pa.table({"id": names.cast(pa.string())}),
        "batch_keys": pa.table({"k": pa.array(keys, pa.int64())}),
    }


def _moved(instant: datetime, by: timedelta) -> datetime:
    """An instant moved, kept within what the store can hold."""
    try:
        return bounded(instant + by)
    except OverflowError:
        return bounded(instant)
