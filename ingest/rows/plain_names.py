"""Columns of names (ids, codes, loggers, stages, …) where user text may not be stored: they hold
what is shaped like a name, for whoever can write into a log could write anything there.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ingest.lazily import matcher
from ingest.rows.described import BY_NAME

if TYPE_CHECKING:
    import pyarrow as pa

# what ttsq itself says, or its user: no log fills them freely
_OWN = frozenset(
    ("host", "service", "time_source", "level", "text_class", "id_source", "assembly", "profile",
     "server")
)  # fmt: skip
IDS = ("id", "request_id")  # rows are joined by them: they become hashes instead of null
# ASCII alone: in many scripts a sentence has no blanks
NAME = "^[A-Za-z0-9_./:@#+=~-]{0,80}$"
_SHAPES = {
    # "<frozen x>": a module within the interpreter, as Python's tracebacks name it
    "location": r"^(?:<frozen [A-Za-z0-9_.]{1,80}>|[A-Za-z0-9_./\\:@+~<>-]{1,200})"
    r":[0-9]+(?: in [A-Za-z0-9_.:$*()<>]{1,80})?$",
    "client": r"^(?:[0-9A-Fa-f:.,\[\] ]{1,200}|[A-Za-z0-9_./:@#+=~-]{0,80})$",
}
_IS_NAME = matcher(NAME.replace("$", r"\Z"))
_SEGMENT = matcher(r"[A-Za-z0-9_.:@+=~-]{0,40}")  # of a path
_PATHS = "^/?(?:[A-Za-z0-9_.:@+=~-]{0,40}/){0,9}[A-Za-z0-9_.:@+=~-]{0,40}$"
_PATH_CHARACTERS = 400


def names_of(table: "pa.Table", name: str) -> list[str]:
    """The columns of a table that hold names."""
    import pyarrow as pa

    known = {*_OWN, *BY_NAME[name].user_text}
    return [
        field.name
        for field in table.schema
        if field.name not in known
        and pa.types.is_string(
            field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        )
    ]


def shaped(column: "pa.ChunkedArray", name: str, hashed: Callable[[str], str]) -> "pa.ChunkedArray":
    """A column of names without what is none: that is null; an id is ``hashed`` instead; of a path
    the segments that are none go.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    is_dictionary = pa.types.is_dictionary(column.type)
    plain = column.cast(pa.string()) if is_dictionary else column
    pattern = _PATHS if name == "path" else _SHAPES.get(name, NAME)
    is_name = pc.match_substring_regex(plain, pattern)
    if pc.all(is_name, skip_nulls=True, min_count=0).as_py():
        return column
    odd = pc.unique(plain.filter(pc.invert(is_name)))
    if name in IDS:
        others: list[str | None] = [hashed(value) for value in odd.to_pylist()]
    else:
        others = [_path(value) if name == "path" else None for value in odd.to_pylist()]
    found = pc.index_in(plain, value_set=odd)
    kept = pc.if_else(pc.is_valid(found), pa.array(others, pa.string()).take(found), plain)
    return pc.dictionary_encode(kept) if is_dictionary else kept


def plain_ids(ids: Iterable[str], hashed: Callable[[str], str]) -> list[str]:
    """Ids as :func:`shaped` makes them."""
    return [i if _IS_NAME.match(i) else hashed(i) for i in ids]


def _path(path: str) -> str:
    """A path with a star for each segment that is no name."""
    segments = path[:_PATH_CHARACTERS].split("/")
    return "/".join(s if _SEGMENT.fullmatch(s) else "*" for s in segments)
