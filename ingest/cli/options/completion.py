"""What a shell completes: names and options of queries, formats, zones, ids of requests."""

from contextlib import suppress
from typing import Any
from zoneinfo import available_timezones

import typer
from typer.core import TyperCommand, TyperOption

from ingest.cli.options.context import Options
from ingest.errors import TtsqError
from ingest.lazily import matcher
from ingest.named_queries.library import load_query, query_paths
from ingest.named_queries.params import Param
from ingest.render.formats import FORMATS
from ingest.stores.open import open_store

_IDS = (
    "select id from requests where starts_with(id, cast(:start as text)) "
    "group by id order by max(logged_at) desc limit 30"
)

# letters of any script, and signs that mean nothing to a shell
_PLAIN = matcher(r"[\w/][\w./:@%+=,-]*")
# values of options that there are no others of, and beginnings of instants
_AGES = ("15m", "1h", "6h", "24h", "7d", "today", "yesterday", "now")
_FIXED = {
    "since": _AGES,
    "until": _AGES,
    "as_of": _AGES,
    "level": ("WARNING", "ERROR", "CRITICAL"),
    "text_class": ("empty", "control", "emoji", "symbols", "plain"),
    "by": (
        "voice", "lang", "text_class", "length", "cache_hit", "host", "service", "instance",
        "profile", "model_stage", "error_code", "status",
    ),
}  # fmt: skip


def _most_frequent(column: str, table: str = "requests") -> str:
    return (
        f"select {column} from {table} where {column} is not null "
        f"group by {column} order by count(*) desc, {column} limit 50"
    )


_STORED = {
    **{c: _most_frequent(c) for c in ("voice", "lang", "error_code", "instance", "host")},
    **{c: _most_frequent(c) for c in ("service", "status")},
    "stage": _most_frequent("stage", "stage_timings"),
    **{c: _most_frequent(c, "http_requests") for c in ("path", "server")},
}


class QueryCommand(TyperCommand):
    """A command after whose name a query's name and options stand: completes these too."""

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The command's own options, then those of the query that is named."""
        found = super().shell_complete(ctx, incomplete)
        for word in ctx.params.get("words") or []:
            with suppress(TtsqError):
                query = load_query(word)
                params = [TyperOption(param_decls=[p.option], help=p.help) for p in query.options]
                stub = TyperCommand(query.name, params=list(params))
                inner = stub.context_class(stub, info_name=query.name, help_option_names=[])
                return [*stub.shell_complete(inner, incomplete), *found]
        return found


def _values(ctx: typer.Context, param: Param) -> list[str]:
    """Values of a query's option: those that it names itself, or those that the store has."""
    if param.name in _FIXED:
        return list(_FIXED[param.name])
    if param.name not in _STORED:
        return []
    return _asked(ctx, _STORED[param.name], {})


def _asked(ctx: Any, sql: str, binds: dict[str, object]) -> list[str]:
    """Values that the store of the command line has; none where it cannot be read.

    They stand in logs: what a shell would not take as it is, is not offered. bash puts a value into
    the command line unquoted, and zsh evaluates the answer.
    """
    chosen = ctx.find_root().params
    with suppress(TtsqError, OSError):
        url = Options(str(chosen.get("db") or ""), chosen.get("config")).url
        with open_store(url).reading() as reader:
            found = [str(row[0]) for row in reader.query(sql, binds).rows]
            return [value for value in found if _PLAIN.fullmatch(value)]
    return []


def complete_name(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of queries, where none is named yet; values, after an option of the one that is."""
    words = [str(word) for word in (*(ctx.params.get("words") or []), *ctx.args)]
    if not words:
        return [name for name in query_paths() if name.startswith(incomplete)]
    for word in words:
        with suppress(TtsqError):
            options = {p.option: p for p in load_query(word).options}
            last = options.get(words[-1])
            found = _values(ctx, last) if last is not None else []
            return [value for value in found if value.startswith(incomplete)]
    return []


def complete_format(incomplete: str) -> list[str]:
    """Formats of rows."""
    return [name for name in FORMATS if name.startswith(incomplete)]


def complete_zone(incomplete: str) -> list[str]:
    """IANA time zones."""
    return sorted(zone for zone in available_timezones() if zone.startswith(incomplete))


def complete_id(ctx: typer.Context, incomplete: str) -> list[str]:
    """The newest ids of requests that begin so; none where the store cannot be read."""
    return _asked(ctx, _IDS, {"start": incomplete})
