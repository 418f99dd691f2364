"""What filters choose, by plain loops over the rows; no SQL, no code of ingest."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from tests.queries.rows import Request, Rows

Given = dict[str, Any]
MATCHES: dict[str, Callable[[Request, Any], bool]] = {
    "voice": lambda r, v: r.voice == v,
    "lang": lambda r, v: r.lang == v,
    "error_code": lambda r, v: r.error_code == v,
    "text_class": lambda r, v: r.text_class == v,
    "min_len": lambda r, v: r.text_len is not None and r.text_len >= v,
    "max_len": lambda r, v: r.text_len is not None and r.text_len <= v,
    "instance": lambda r, v: r.instance == v,
    "stage": lambda r, v: r.model_stage == v,
    "status": lambda r, v: (r.status or "unfinished") == v,
}
# columns of other tables, by filter
OWN = {
    "errors": {"error_code": "code", "instance": "instance"},
    "http_requests": {"instance": "instance"},
    "stage_timings": {"stage": "stage"},
    "cache_samples": {},
}


def chosen(rows: Rows, given: Given, tables: Collection[str], is_rate: bool) -> Rows:
    """The rows that are left of the tables, which are those that a query reads."""
    kept = [r for r in rows.requests if _matches(rows, r, given, tables, is_rate)]
    left = replace(rows, requests=kept) if "requests" in tables else replace(rows)
    for table in set(OWN) & set(tables):
        found = _records(rows, table, kept, given, "requests" in tables)
        left = replace(left, **{table: found})
    return left


def _matches(
    rows: Rows, request: Request, given: Given, tables: Collection[str], is_rate: bool
) -> bool:
    for name, value in given.items():
        matched = MATCHES[name](request, value)
        if name in ("error_code", "stage") and is_rate and "requests" in tables:
            matched = matched or not request.failed
        elif name == "stage" and "requests" in tables and "stage_timings" in tables:
            matched = matched or any(
                s.request_key == request.request_key and s.stage == value
                for s in rows.stage_timings
            )
        if not matched and not _by_own_column(name, tables):
            return False
    return True


def _by_own_column(name: str, tables: Collection[str]) -> bool:
    """Whether no request is asked: the one table read has the column itself."""
    return "requests" not in tables and any(name in OWN[t] for t in tables)


def _records(
    rows: Rows, table: str, kept: list[Request], given: Given, with_requests: bool
) -> list[Any]:
    keys = {r.request_key for r in kept}
    ids = {r.request_id for r in kept if r.request_id is not None}
    own = {
        name: column
        for name, column in OWN[table].items()
        if name in given and (name == "stage" or not with_requests)
    }
    asked = set(given) - set(own)
    found = []
    for record in getattr(rows, table):
        if any(getattr(record, column) != given[name] for name, column in own.items()):
            continue
        if asked and table != "cache_samples" and not _belongs(record, keys, ids):
            continue
        found.append(record)
    return found


def _belongs(record: Any, keys: set[int], ids: set[str]) -> bool:
    if record.request_key is not None:
        return record.request_key in keys
    return hasattr(record, "server") and record.request_id in ids
