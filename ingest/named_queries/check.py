"""Checks of the library: each header against its statement, each statement against the store."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import QueryFileError, StoreError
from ingest.lazily import matcher
from ingest.named_queries.library import NamedQuery, query_paths, read_query
from ingest.named_queries.values import bind_values
from ingest.stores.contract import Reader

# What databases call the types, by what a header calls them.
_TYPES = {
    name: matcher(f"({pattern})$", re.IGNORECASE)
    for name, pattern in {
        "timestamp": r"timestamp with time zone",
        "integer": r"(tiny|small|big|huge|u\w*)?int(eger)?",
        "number": r"double( precision)?|float|real|decimal\(.*\)|\w*int(eger)?",
        "text": r"varchar|character varying|text",
        "boolean": r"boolean",
        "json": r"jsonb?",
    }.items()
}


def header_problems(paths: dict[str, Path]) -> Iterator[NamedQuery | QueryFileError]:
    """Each file as a query, or what is wrong with it; parameters as SQLAlchemy sees them, too."""
    for path in paths.values():
        try:
            query = read_query(path)
            _check_binds(query)
        except QueryFileError as error:
            yield error
        else:
            yield query


def _check_binds(query: NamedQuery) -> None:
    """What SQLAlchemy takes for parameters is what the header declares.

    :raises QueryFileError: when it is not.
    """
    from sqlalchemy import text

    used = set(text(query.sql).compile().params)
    declared = {p.name for p in query.params}
    if used != declared:
        odd = ", ".join(sorted(used ^ declared))
        raise QueryFileError(f"{query.path}:{query.line}: parameters declared or used only: {odd}")


def library_problems(
    extra_folder: Path | None, backend: str, reading: Callable[[], AbstractContextManager[Reader]]
) -> list[QueryFileError]:
    """Everything that is wrong with the library's files, headers and columns, in order of names.

    ``reading`` opens a session of its own for each query: one that fails may spoil its session.

    :raises QueryFileError: when the user's folder does not exist.
    """
    found: list[QueryFileError] = []
    for each in header_problems(query_paths(extra_folder, backend)):
        if isinstance(each, QueryFileError):
            found.append(each)
        else:
            found.extend(_in_session(each, reading))
    return found


def _in_session(
    query: NamedQuery, reading: Callable[[], AbstractContextManager[Reader]]
) -> list[QueryFileError]:
    try:
        with reading() as reader:
            return store_problems(query, reader)
    except StoreError as error:
        return [QueryFileError(f"{query.path}:{query.line}: {error.message}", error.hint)]


def store_problems(query: NamedQuery, reader: Reader) -> list[QueryFileError]:
    """How the columns that the store would return differ from the header's.

    :raises StoreError: when the store refuses the statement, at the latest when the session is
        left.
    """
    values = bind_values(query, {}, datetime.now(UTC), UTC)
    described = reader.describe(query.sql, values)
    names = [name for name, _ in described]
    declared = [c.name for c in query.columns]
    if names != declared:
        return [
            QueryFileError(
                f"{query.path}:{query.line}: returns {', '.join(names)}, the header declares "
                f"{', '.join(declared)}"
            )
        ]
    return [
        QueryFileError(
            f"{query.path}:{query.line}: the column {column.name} is declared {column.type}, "
            f"returned as {kind}"
        )
        for column, (_, kind) in zip(query.columns, described, strict=True)
        if not _TYPES[column.type].match(kind)
    ]
