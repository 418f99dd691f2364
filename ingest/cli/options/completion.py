"""What a shell completes: names and options of queries, formats, zones, ids of requests."""

from contextlib import suppress
from typing import Any
from zoneinfo import available_timezones

import typer
from typer.core import TyperCommand, TyperOption

from ingest.cli.options.context import Options
from ingest.errors import TtsqError
from ingest.named_queries.library import load_query, query_paths
from ingest.render.formats import FORMATS
from ingest.stores.open import open_store

_IDS = (
    "select id from requests where starts_with(id, cast(:start as text)) "
    "group by id order by max(logged_at) desc limit 30"
)


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


def complete_name(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of queries, where none is named yet."""
    if ctx.params.get("words"):
        return []
    return [name for name in query_paths() if name.startswith(incomplete)]


def complete_format(incomplete: str) -> list[str]:
    """Formats of rows."""
    return [name for name in FORMATS if name.startswith(incomplete)]


def complete_zone(incomplete: str) -> list[str]:
    """IANA time zones."""
    return sorted(zone for zone in available_timezones() if zone.startswith(incomplete))


def complete_id(ctx: typer.Context, incomplete: str) -> list[str]:
    """The newest ids of requests that begin so; none where the store cannot be read."""
    chosen = ctx.find_root().params
    with suppress(TtsqError, OSError):
        url = Options(str(chosen.get("db") or ""), chosen.get("config")).url
        with open_store(url).reading() as reader:
            return [str(row[0]) for row in reader.query(_IDS, {"start": incomplete}).rows]
    return []
