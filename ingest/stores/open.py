"""A store's URL → its backend; imports only the one that is asked for."""

import os

from ingest.errors import UsageProblem
from ingest.paths import expanded
from ingest.stores.contract import Store
from ingest.stores.urls import without_password

_PACKAGES = ("psycopg", "pgpq")
_SERVERS = {
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "clickhousedb": "clickhouse",
    "clickhousedb+connect": "clickhouse",
}


def backend_of(url: str) -> str:
    """The name of the backend of a URL, without importing it."""
    return _SERVERS.get(url.partition("://")[0], "duckdb")


def open_store(url: str) -> Store:
    """The backend of a SQLAlchemy URL, or of the path of a DuckDB file; nothing is opened yet.

    :raises UsageProblem: for a URL that no backend knows.
    """
    if any("\ud800" <= c <= "\udfff" for c in url):
        raise UsageProblem(f"the store {url!r} is not UTF-8", "give a store that has another name")
    scheme, found, rest = url.partition("://")
    if not found and _is_file(url):
        scheme, rest = "duckdb", f"/{url}"
    if scheme == "duckdb":
        path = rest.removeprefix("/").partition("?")[0]
        if not path or path == ":memory:":
            raise UsageProblem(
                f"the store {url!r} names no file",
                "duckdb:///relative.duckdb or duckdb:////absolute",
            )
        from ingest.stores.duckdb.store import DuckDBStore

        return DuckDBStore(expanded(path))
    if _SERVERS.get(scheme) == "postgresql":
        return _of_server(url)
    if _SERVERS.get(scheme) == "clickhouse":
        from ingest.stores.clickhouse.store import ClickHouseStore

        return ClickHouseStore(url)
    shown = scheme if found else without_password(url)
    raise UsageProblem(
        f"the store {shown!r} is not known",
        "duckdb:///PATH, FILE.duckdb, postgresql+psycopg://USER@HOST/DATABASE or "
        "clickhousedb://USER@HOST/DATABASE",
    )


def _is_file(written: str) -> bool:
    """Whether a store without a scheme is a file, or is called like one of DuckDB."""
    return written.endswith((".duckdb", ".ddb", ".db")) or os.path.isfile(expanded(written))


def _of_server(url: str) -> Store:
    """:raises UsageProblem: when the packages for it are not installed."""
    try:
        from ingest.stores.postgres.store import PostgresStore
    except ImportError as error:
        # psycopg without a libpq is an ImportError of no name
        if error.name is not None and error.name.partition(".")[0] not in _PACKAGES:
            raise
        raise UsageProblem(
            "a PostgreSQL store needs packages that are not installed here",
            "install the extra: pip install 'ttsq[postgres]'",
        ) from error
    return PostgresStore(url)
