"""The schema revisions of a store, through Alembic, imported only when there is work to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import StoreError
from ingest.resources import folder
from ingest.stores.contract import Reader, Store, no_store, schema_refused

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError

    from ingest.stores.views import View

_EXPECTED = "ttsq_expected_view"  # made to be compared, and rolled back


def revisions() -> list[str]:
    """Revision ids in order; a revision's file is named ``ID_what.py``."""
    return sorted(p.name.split("_")[0] for p in (folder("migrations") / "versions").glob("*.py"))


def is_postgresql(connection: "Connection") -> bool:
    """Whether a revision runs on PostgreSQL: the one place where revisions ask."""
    return bool(connection.dialect.name == "postgresql")


def head() -> str:
    """The revision that this program works with."""
    return revisions()[-1]


def ensure_head(store: Store) -> bool:
    """Bring an empty or older store to head; whether anything was done.

    :raises StoreError: for a store made by a newer program.
    """
    revision = check_known(store)
    if revision == head():
        return False
    if revision is None:
        if store.make(script(store).read_text(encoding="utf-8")):
            return True
        check_known(store)  # who was quicker may be newer
    upgrade(store)
    return True


def script(store: Store) -> Path:
    """What all revisions together run on an empty store of a backend; generated from them."""
    return folder("migrations") / f"{store.name}.sql"


def check_known(store: Store) -> str | None:
    """The revision of a store, None for an empty one.

    :raises StoreError: when this program does not know it.
    """
    revision = store.revision()
    _require_known(store, revision)
    return revision


def _require_known(store: Store, revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise StoreError(
            f"the store {store.description} has schema revision {revision}, newer than this ttsq "
            f"(which knows up to {head()})",
            "upgrade ttsq: pip install --upgrade ttsq",
        )


@contextmanager
def reading(store: Store) -> Iterator[Reader]:
    """A read-only session on a store that is at head: the store is opened once.

    :raises StoreError: for a store that is empty or of another revision.
    """
    with store.reading() as reader:
        _require(store, reader.revision())
        yield reader


def require_head(store: Store) -> None:
    """Refuse to read a store that is empty or of another revision.

    :raises StoreError: with what to do about it.
    """
    if not store.exists():
        raise no_store(store.description)
    _require(store, store.revision())


def _require(store: Store, revision: str | None) -> None:
    _require_known(store, revision)
    if revision != head():
        raise StoreError(
            f"the store {store.description} is at schema revision {revision or 'none'}, "
            f"this ttsq works with {head()}",
            "bring it up to date: ttsq db upgrade",
        )


def upgrade(store: Store, revision: str = "head") -> None:
    """Run revisions up to one.

    :raises StoreError: when the database refuses; nothing is changed then.
    """
    from alembic import command

    with _as_our_errors(store), _configured(store) as config:
        command.upgrade(config, revision)


def downgrade(store: Store, revision: str) -> None:
    """Undo revisions down to one (``base``: all of them; the tables go).

    :raises StoreError: when the database refuses; nothing is changed then.
    """
    from alembic import command

    check_known(store)
    with _as_our_errors(store), _configured(store) as config:
        command.downgrade(config, revision)


def differences(store: Store) -> list[str]:
    """How the store's tables and views differ from what the program expects; empty: not at all."""
    own = store.differences()
    if own is not None:
        return own
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from ingest.stores.tables import metadata
    from ingest.stores.views import VIEWS

    with _as_unusable(store), store.engine().connect() as connection:
        opts: dict[str, object] = {"compare_type": True}
        if store.capabilities.shared_schema:
            opts["include_object"] = _is_ours
        context = MigrationContext.configure(connection, opts=opts)
        found = [str(d) for d in compare_metadata(context, metadata)]
        return found + [d for view in VIEWS for d in _view_differences(connection, view)]


def _is_ours(_: object, name: str | None, kind: str, reflected: bool, expected: object) -> bool:
    """Whether to compare an object: not partitions, not indexes, not the tables of others."""
    return not (reflected and expected is None and kind in ("table", "index"))


def _view_differences(connection: "Connection", view: "View") -> list[str]:
    """How one view differs: in its query, in its comment and its columns' comments."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError

    stored = inspect(connection)
    if view.name not in stored.get_view_names():
        return [f"the view {view.name} is missing"]
    found = []
    try:
        if _query(connection, view.name) != _as_stored(connection, view):
            found.append(f"the view {view.name} has another query")
    except DBAPIError as error:
        found.append(f"the view {view.name} cannot be made on these tables: {_reason(error)}")
    said = stored.get_table_comment(view.name)["text"]
    comments = {c["name"]: c.get("comment") for c in stored.get_columns(view.name)}
    if said != view.comment or comments != {c.name: c.comment for c in view.columns}:
        found.append(f"the view {view.name} has other comments")
    return found


def _as_stored(connection: "Connection", view: "View") -> str:
    """A view's query as the engine would write it down."""
    from sqlalchemy import text

    try:
        connection.execute(text(f"create view {_EXPECTED} as {view.select}"))
        return _query(connection, _EXPECTED)
    finally:
        connection.rollback()


def _query(connection: "Connection", view: str) -> str:
    from sqlalchemy import inspect

    written = inspect(connection).get_view_definition(view) or ""
    # DuckDB quotes the names of types until it has read the file anew
    return written.replace(view, _EXPECTED, 1).replace('"', "")


@contextmanager
def _as_unusable(store: Store) -> Iterator[None]:
    """Turn what a database says to one who looks at its schema into a StoreError."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise StoreError(
            f"the store {store.description} cannot be compared: {_reason(error)}",
            "it is opened for writing: may you write there, and has ttsq enough memory?",
        ) from error


@contextmanager
def _as_our_errors(store: Store) -> Iterator[None]:
    """Turn a database's refusal of a revision into a StoreError."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise schema_refused(store.description, _reason(error)) from error


def _reason(error: "DBAPIError") -> str:
    return str(error.orig).strip().partition("\n")[0]


@contextmanager
def _configured(store: Store) -> Iterator["Config"]:
    """An Alembic configuration bound to one connection of the store."""
    from alembic.config import Config

    config = Config()
    place = folder("migrations")
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    if (own := place / store.name).is_dir():  # an engine that has revisions of its own
        config.set_main_option("version_locations", str(own).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
    with store.engine().connect() as connection:
        config.attributes["connection"] = connection
        yield config
        connection.commit()
