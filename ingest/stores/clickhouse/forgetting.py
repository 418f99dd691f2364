"""The rows of a log file, taken out of a ClickHouse store by one commit: they are noted as removed,
and what replaces them are later versions.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.lazily import matcher
from ingest.rows.described import Described
from ingest.stores.clickhouse.dialect import as_here
from ingest.stores.clickhouse.layout import TABLES
from ingest.stores.clickhouse.texts import clear_texts
from ingest.stores.clickhouse.types import bounded
from ingest.stores.clickhouse.versions import Versions
from ingest.stores.contract import AGE_COLUMNS
from ingest.stores.forgetting import OF_REQUESTS, Forgetting

if TYPE_CHECKING:
    import pyarrow as pa

_READ = matcher(rf"\bfrom ({'|'.join(TABLES)})\b")
_DELETE = matcher(r"delete from (\w+) where (.*)", re.S)
# no subquery here names a row of the statement around it
_BESIDE = (
    "select * from requests where start_file_key = :key and end_file_key = :key "
    "and id in (select id from request_parts where file_key <> :key) "
    "and request_key not in (select request_key from request_parts where request_key is not null) "
    "limit :most"
)
_UNFOLLOWED = "(request_key is null or request_key not in (select request_key from {requests}))"
_PIECES_AGAIN = """
select q.* replace (
    coalesce(o.quarantined_at, if(q.byte_offset < {before:Int64}, {at:DateTime64(6, 'UTC')},
        q.quarantined_at)) as quarantined_at
)
from (select * from {quarantine+version} where file_key = {key:Int64}) as q
left join (
    select byte_offset, toNullable(quarantined_at) as quarantined_at from {before}
    where file_key = {key:Int64}
) as o on o.byte_offset = q.byte_offset
"""


class ClickHouseForgetting(Forgetting):
    """See :class:`ingest.stores.contract.Forgetter`."""

    def __init__(self, versions: Versions, file_key: int) -> None:
        super().__init__(file_key, self._found, self._changed, {})
        self._versions = versions

    def _found(self, sql: str, binds: Mapping[str, object]) -> "pa.Table":
        return self._versions.arrow(*_here(sql, binds))

    def _changed(self, sql: str, binds: Mapping[str, object]) -> int:
        told = _DELETE.fullmatch(sql)
        assert told is not None
        which, given = _here(told[2], binds)
        return self._removed(told[1], which, given)

    def _removed(self, table: str, which: str, binds: Mapping[str, object]) -> int:
        count = self._versions.count(table, which, binds)
        if count:
            self._versions.remove({table: which}, binds)
        return count

    def whole_beside(self, most: int) -> "pa.Table":
        return self._found(_BESIDE, self._file | {"most": most})

    def set_quarantine_aside(self) -> int:
        """They are removed: what they were is what the store had before this commit."""
        return self._changed("delete from quarantine where file_key = :key", self._file)

    def replace_quarantine(self, before: int, at: datetime) -> None:
        sql = _PIECES_AGAIN.replace("{before}", self._versions.before.table("quarantine"))
        binds = self._file | {"before": before, "at": bounded(at)}
        self._versions.replace("quarantine", self._versions.arrow(sql, binds))

    def _remove(self, table: Described, before: datetime, requests: datetime | None) -> int:
        which = f"file_key = {{key:Int64}} and {table.at} < {{before:DateTime64(6, 'UTC')}}"
        if table.follows is not None:
            before, which = requests or before, f"{which} and {_UNFOLLOWED}"
        return self._removed(table.name, which, self._file | {"before": bounded(before)})

    def _clear_texts(self, table: str, before: datetime) -> None:
        binds = (self._request if table == "requests" else self._file) | {"before": bounded(before)}
        of_file, _ = _here(OF_REQUESTS if table == "requests" else "file_key = :key", binds)
        which = f"{AGE_COLUMNS[table]} < {{before:DateTime64(6, 'UTC')}} and {of_file}"
        clear_texts(self._versions, table, which, binds)


def _here(sql: str, binds: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """A statement of ours as :class:`Versions` reads it, and its parameters."""
    given = {n: bounded(v) if isinstance(v, datetime) else v for n, v in binds.items()}
    return _READ.sub(r"from {\1}", as_here(sql, given)), given
