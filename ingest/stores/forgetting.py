"""The rows of one log file, taken out of a store: statements that every engine with transactions
understands.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.lazily import matcher
from ingest.model import make_key
from ingest.rows.described import CONTENT, RECORDS, TABLES, Described
from ingest.stores.contract import AGE_COLUMNS, FOLLOWERS, TEXT_TABLES

if TYPE_CHECKING:
    import pyarrow as pa

Ask = Callable[[str, Mapping[str, object]], "pa.Table"]
Change = Callable[[str, Mapping[str, object]], int]

_PIECES = "select * from request_parts where file_key = :key limit :most"
_BESIDE = (
    "select r.* from requests r where r.start_file_key = :key and r.end_file_key = :key "
    "and r.id in (select p.id from request_parts p where p.file_key <> :key) "
    "and not exists (select 1 from request_parts p where p.request_key = r.request_key) limit :most"
)
# one statement that deletes and returns rows reads each of them anew from its compressed block
_WHOLE_REQUESTS = "from requests where start_file_key = :key and end_file_key = :key"
_LINES = "from http_requests where file_key = :key"
_OF_REQUEST = "request_key, id, request_id, logged_at, started_at, completed_at"
_OF_LINE = "http_key, request_id, logged_at"
OF_REQUESTS = (
    "(start_file_key = :key or end_file_key = :key or "
    "(request_key >= :low_key and request_key < :high_key))"
)
_WORD_AFTER_COLON = matcher(r":(?=\w)")  # in a text of SQL, no parameter
_PRUNED = "select table_name, pruned_before, text_pruned_before from pruned"


class Forgetting:
    """See :class:`ingest.stores.contract.Forgetter`.

    ``ask`` runs a statement with ``:name`` parameters and gives its rows, ``change`` the number of
    rows that it has changed; ``texts`` is the engine's
    :func:`ingest.stores.contract.text_changes`.
    """

    def __init__(
        self, file_key: int, ask: Ask, change: Change, texts: Mapping[str, tuple[str, str]]
    ) -> None:
        self._key = file_key
        self._ask = ask
        self._change = change
        self._texts = texts

    def pieces(self, most: int) -> "pa.Table":
        return self._ask(_PIECES, self._file | {"most": most})

    def whole_beside(self, most: int) -> "pa.Table":
        return self._ask(_BESIDE, self._file | {"most": most})

    def take_requests(self, most: int) -> "pa.Table":
        return self._take(_OF_REQUEST, _WHOLE_REQUESTS, "request_key", most)

    def take_lines(self, most: int) -> "pa.Table":
        return self._take(_OF_LINE, _LINES, "http_key", most)

    def _take(self, columns: str, which: str, key: str, most: int) -> "pa.Table":
        """Delete the rows with the smallest keys; what they held."""
        sql = f"select {columns} {which} order by {key} limit :most"
        taken = self._ask(sql, self._file | {"most": most})
        if taken.num_rows:
            last = taken[key][-1].as_py()
            self._change(f"delete {which} and {key} <= :last", self._file | {"last": last})
        return taken

    def take_records(self) -> dict[str, int]:
        others = [name for name in RECORDS if name != "http_requests"]
        return {
            name: self._change(f"delete from {name} where file_key = :key", self._file)
            for name in (*others, *CONTENT)
        }

    def set_quarantine_aside(self) -> int:
        return self._change(
            "update quarantine set file_key = :aside where file_key = :key", self._aside
        )

    def replace_quarantine(self, before: int, at: datetime) -> None:
        self._change(
            "update quarantine set quarantined_at = :at where file_key = :key "
            "and byte_offset < :before",
            self._file | {"before": before, "at": at},
        )
        self._change(
            "update quarantine as q set quarantined_at = o.quarantined_at from quarantine o "
            "where q.file_key = :key and o.file_key = :aside and q.byte_offset = o.byte_offset",
            self._aside,
        )
        self._change(
            "delete from quarantine where file_key = :aside", {"aside": self._aside["aside"]}
        )

    def remove_pruned(self) -> dict[str, int]:
        found = self._ask(_PRUNED, {}).to_pylist()
        rows = {str(r["table_name"]): r["pruned_before"] for r in found if r["pruned_before"]}
        removed: dict[str, int] = {}
        # a request takes with it what follows it, before that is judged by its own age
        if "requests" in rows:
            removed |= self._remove_requests(rows["requests"])
        for table in TABLES:
            if table.kind in ("records", "parts", "quarantine") and table.name in rows:
                gone = self._remove(table, rows[table.name], rows.get("requests"))
                removed[table.name] = removed.get(table.name, 0) + gone
        for row in found:
            if row["text_pruned_before"] and row["table_name"] in TEXT_TABLES:
                self._clear_texts(str(row["table_name"]), row["text_pruned_before"])
        return removed

    def _remove_requests(self, before: datetime) -> dict[str, int]:
        binds = self._request | {"before": before}
        old = f"select request_key from requests where logged_at < :before and {OF_REQUESTS}"
        removed = {
            follower: self._change(f"delete from {follower} where request_key in ({old})", binds)
            for follower in FOLLOWERS
        }
        removed["requests"] = self._change(
            f"delete from requests where logged_at < :before and {OF_REQUESTS}", binds
        )
        return removed

    def _remove(self, table: Described, before: datetime, requests: datetime | None) -> int:
        """Remove old rows; of those that follow requests only what belongs to none.

        What is noted of these may be later than the age that was asked for: their requests' is that
        age.
        """
        which = "true"
        if table.follows is not None:
            before = requests or before
            which = (
                f"not exists (select 1 from requests r where r.request_key = "
                f"{table.name}.request_key)"
            )
        return self._change(
            f"delete from {table.name} where file_key = :key and {table.at} < :before and {which}",
            self._file | {"before": before},
        )

    def _clear_texts(self, table: str, before: datetime) -> None:
        change, has_text = (_WORD_AFTER_COLON.sub(r"\\:", t) for t in self._texts[table])
        of_file = OF_REQUESTS if table == "requests" else "file_key = :key"
        self._change(
            f"update {table} set {change} where {AGE_COLUMNS[table]} < :before "
            f"and {of_file} and {has_text}",
            (self._request if table == "requests" else self._file) | {"before": before},
        )

    @property
    def _file(self) -> dict[str, object]:
        return {"key": self._key}

    @property
    def _aside(self) -> dict[str, object]:
        return {"key": self._key, "aside": -self._key}

    @property
    def _request(self) -> dict[str, object]:
        keys = {"low_key": make_key(self._key, 0), "high_key": make_key(self._key + 1, 0)}
        return self._file | keys
