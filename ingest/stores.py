"""A store's URL → its backend; imports only the one that is asked for."""

from pathlib import Path

from ingest.backends.base import Store
from ingest.errors import UsageProblem


def open_store(url: str) -> Store:
    """The backend of a SQLAlchemy URL; nothing is opened yet.

    :raises UsageProblem: for a URL that no backend knows.
    """
    if any("\ud800" <= c <= "\udfff" for c in url):
        raise UsageProblem(f"the store {url!r} is not UTF-8", "give a store that has another name")
    scheme, _, rest = url.partition("://")
    if scheme == "duckdb":
        path = rest.removeprefix("/").partition("?")[0]
        if not path or path == ":memory:":
            raise UsageProblem(
                f"the store {url!r} names no file",
                "duckdb:///relative.duckdb or duckdb:////absolute",
            )
        from ingest.backends.duckdb import DuckDBStore

        return DuckDBStore(Path(path).expanduser())
    raise UsageProblem(
        f"the store {scheme or url!r} is not known", "a DuckDB file is written duckdb:///PATH"
    )
