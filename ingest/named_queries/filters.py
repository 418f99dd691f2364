"""Filters: the options that a query has because of the tables it reads.

A query answers as if the store held only the rows that match; where it gives a share of failures,
filters that only failures can match leave the successes in. Its statement stays as it is: common
table expressions with the tables' own names stand in front of it, and only names of columns and
parameters of this module are in them.
"""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ingest.lazily import matcher
from ingest.named_queries.params import Param
from ingest.rows.described import TABLES

_REQUESTS, _STAGES, _ERRORS, _HTTP = "requests", "stage_timings", "errors", "http_requests"
# tables whose rows name the request they belong to
_FOLLOWERS = (_STAGES, _ERRORS, _HTTP)
_READ = tuple(t.name for t in TABLES if t.kind in ("rows", "records"))
_NOISE = matcher(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_NAMED = r"[\w.]+(?:\s+(?:as\s+)?\w+)?"
_FROM = matcher(rf"\b(?:from|join)\s+({_NAMED}(?:\s*,\s*{_NAMED})*)", re.IGNORECASE)
_WITH = matcher(r"(?P<before>(?:\s|--[^\n]*\n|/\*.*?\*/)*)(?P<with>with\b(?!\s+recursive\b)\s*)?"
                   r"(?P<body>\w+)", re.IGNORECASE | re.DOTALL)  # fmt: skip


class Filter(NamedTuple):
    """A filter and its condition on each table that has the column.

    ``is_of_record``: the column says something of each record, so that every table's own counts;
    otherwise that of the request counts where the query reads requests. ``is_of_failures``: the
    column is there where a request failed.
    """

    param: Param
    conditions: Mapping[str, str]
    is_of_record: bool = False
    is_of_failures: bool = False

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.param.name


def _filter(
    name: str,
    help_: str,
    conditions: Mapping[str, str],
    kind: str = "text",
    *,
    each: bool = False,
    failures: bool = False,
) -> Filter:
    low = 0.0 if kind == "integer" else None
    return Filter(Param(name, kind, None, help_, low), conditions, each, failures)


def _equal(column: str, name: str | None = None) -> str:
    return f"{column} = cast(:{name or column} as text)"


def _of_host(table: str) -> str:
    """Stage times do not say whose they are: their log file does."""
    if table != _STAGES:
        return _equal("host")
    return f"file_key in (select file_key from log_files where {_equal('host')})"


FILTERS = (
    _filter("voice", "only this voice", {_REQUESTS: _equal("voice")}),
    _filter("lang", "only this language", {_REQUESTS: _equal("lang")}),
    _filter(
        "error_code",
        "only this error code",
        {_REQUESTS: _equal("error_code"), _ERRORS: _equal("code", "error_code")},
        failures=True,
    ),
    _filter(
        "text_class",
        "only this kind of text: empty, control, emoji, symbols or plain",
        {_REQUESTS: _equal("text_class")},
    ),
    _filter(
        "min_len",
        "only texts of at least so many characters",
        {_REQUESTS: "text_len >= cast(:min_len as bigint)"},
        "integer",
    ),
    _filter(
        "max_len",
        "only texts of at most so many characters",
        {_REQUESTS: "text_len <= cast(:max_len as bigint)"},
        "integer",
    ),
    _filter("host", "only this host", {t: _of_host(t) for t in _READ}, each=True),
    _filter(
        "instance",
        "only this container, pod, unit or process",
        {t: _equal("instance") for t in (_REQUESTS, _ERRORS, _HTTP)},
    ),
    _filter(
        "stage",
        "only this stage",
        {_REQUESTS: _equal("model_stage", "stage"), _STAGES: _equal("stage")},
        each=True,
        failures=True,
    ),
    _filter(
        "status",
        "only this status: success, failed, ... or unfinished",
        {_REQUESTS: "coalesce(status, 'unfinished') = cast(:status as text)"},
    ),
)
NAMES = tuple(f.name for f in FILTERS)


def tables_read(sql: str) -> tuple[str, ...]:
    """The tables of rows that a statement reads by their own names, requests first."""
    bare = _NOISE.sub(" ", sql)
    named = {
        part.split()[0].lower()
        for match in _FROM.finditer(bare)
        for part in match[1].split(",")
        if part.split()
    }
    own = {t for t in _READ if re.search(rf"\b{t}\s+as\s+(?:\w+\s+)*\(", bare, re.IGNORECASE)}
    return tuple(t for t in _READ if t in named and t not in own)


def filters_of(
    sql: str, tables: Collection[str], declared: Collection[str], only: Collection[str] | None
) -> tuple[Param, ...]:
    """The filters of a statement that reads ``tables``: those with a column there, or with one of
    the requests that rows there belong to; without those that the header declares itself.

    ``only``: the names that the header restricts them to. A recursive statement has none.
    """
    match = _WITH.match(sql)
    if match is None or match["body"].lower() == "with":
        return ()
    follows = any(t in _FOLLOWERS for t in tables)
    return tuple(
        f.param
        for f in FILTERS
        if f.name not in declared
        and (only is None or f.name in only)
        and (any(t in f.conditions for t in tables) or (follows and _REQUESTS in f.conditions))
    )


def restricted(
    sql: str, tables: Collection[str], given: Collection[str], is_rate: bool = False
) -> str:
    """The statement over the rows that match: ``given`` are the names of the filters that have a
    value, ``tables`` those that it reads. ``is_rate``: it gives a share of failures.
    """
    chosen = [f for f in FILTERS if f.name in given]
    parts = [(t, _conditions(t, tables, chosen, is_rate)) for t in _READ if t in tables]
    heads = [_common_table(t, conditions) for t, conditions in parts if conditions]
    match = _WITH.match(sql)
    if not heads or match is None:
        return sql
    rest = sql[match.start("body") :]
    return f"{match['before']}with {', '.join(heads)}{', ' if match['with'] else chr(10)}{rest}"


def _common_table(table: str, conditions: list[str]) -> str:
    where = "\n      and ".join(conditions)
    return f"{table} as not materialized (\n    select *\n    from {table}\n    where {where}\n)"


def _conditions(
    table: str, tables: Collection[str], chosen: list[Filter], is_rate: bool
) -> list[str]:
    """What rows of a table must fulfil."""
    if table == _REQUESTS:
        return [_of_request(f, tables, is_rate) for f in chosen if _REQUESTS in f.conditions]
    with_requests = _REQUESTS in tables
    own = [f for f in chosen if _is_own(f, table, with_requests)]
    found = [f.conditions[table] for f in own]
    asked = [f for f in chosen if f not in own and _REQUESTS in f.conditions]
    if table in _FOLLOWERS and asked:
        # the requests are restricted already where the query reads them
        of_requests = "" if with_requests else _where(asked)
        found.append(_belongs(table, of_requests))
    return found


def _is_own(of: Filter, table: str, with_requests: bool) -> bool:
    """Whether the table's own column decides, and not that of the request."""
    return table in of.conditions and (
        of.is_of_record or not with_requests or _REQUESTS not in of.conditions
    )


def _of_request(of: Filter, tables: Collection[str], is_rate: bool) -> str:
    own = of.conditions[_REQUESTS]
    if is_rate and of.is_of_failures:
        return f"({own} or status is null or status = 'success')"
    if of.name == "stage" and _STAGES in tables:  # it went through the stage, or stopped in it
        timed = f"select request_key from {_STAGES} where {of.conditions[_STAGES]}"
        return f"({own} or request_key in ({timed}))"
    return own


def _where(filters: list[Filter]) -> str:
    return " where " + " and ".join(f.conditions[_REQUESTS] for f in filters)


def _belongs(table: str, where: str) -> str:
    """A record belongs to the request that it names by key; an access line without a key to those
    that have its X-Request-ID.
    """
    by_key = f"request_key in (select request_key from {_REQUESTS}{where})"
    if table != _HTTP:
        return by_key
    by_id = f"request_id in (select request_id from {_REQUESTS}{where})"
    return f"({by_key} or (request_key is null and {by_id}))"
