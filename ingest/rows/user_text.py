"""What a store keeps of user text: all of it, salted hashes, or nothing (SPEC §5, ``--text``);
pure.

``hash`` and ``drop`` clear the columns that ``prune --text-older-than`` clears; lengths, classes
and codes stay. Columns of names keep what is shaped like a name (:mod:`.plain_names`).
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from ingest.lazily import matcher
from ingest.rows.described import USER_TEXT
from ingest.rows.plain_names import names_of, plain_ids, shaped

if TYPE_CHECKING:
    import pyarrow as pa

    from ingest.rows.chunk import ChunkRows

# A member of a JSON object that is a number with a unit, or a truth: anything else may be text.
# Values are strings with their quotes escaped, so this matches nothing inside one. RE2 and
# PostgreSQL read it alike.
FIGURE = (
    '"[A-Za-z_][A-Za-z0-9_.-]*":"(?:true|false|yes|no|[+-]?[0-9]{1,9}(?:[.][0-9]{0,9})?'
    '(?: ?(?:ns|us|ms|s|min|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB|Hz|kHz|chars?|%))?)"'
)

TextPolicy = Literal["keep", "hash", "drop"]

_NAME = matcher(r"[\w.:/@+-]{0,80}")
_HASH_BYTES = 16  # 2^64 texts before two are likely to be taken for one
# what users sent, as they sent it; ``hash`` drops the other columns of user text
_HASHED = ("text", "query")
# JSON has no control characters but as escapes: two mark what is to stay
_MARKED, _BETWEEN = "\x01\\0\x02", "[^\x01\x02]*\x01([^\x02]*)\x02[^\x01\x02]*"


class Redaction(NamedTuple):
    """How to treat user text; ``salt`` is the store's, needed unless all is kept."""

    policy: TextPolicy = "keep"
    salt: bytes = b""

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is removed."""
        return self.policy == "keep"

    def of(self, rows: "ChunkRows") -> "ChunkRows":
        """A chunk's rows as they may be stored."""
        if self.keeps_all:
            return rows
        return replace(
            rows,
            parts=self._without(rows.parts, "request_parts"),
            records={
                name: found._replace(table=self._without(found.table, name))
                for name, found in rows.records.items()
            },
            rejects=tuple((key, r._replace(raw="")) for key, r in rows.rejects),
            carried=tuple(plain_ids(rows.carried, self._hashed)),
            ended=frozenset(plain_ids(tuple(rows.ended), self._hashed)),
            ids=self._ids(rows.ids),
            startless=self._ids(rows.startless),
        )

    def of_reading(self, state: str | None) -> str | None:
        """The state of a file's reading (JSON) as it may be stored: without texts and lines."""
        if self.keeps_all or state is None:
            return state
        return _dumped(_without_text(json.loads(state)))

    def _without(self, table: "pa.Table", name: str) -> "pa.Table":
        """Rows of a table without user text."""
        import pyarrow as pa

        for column in USER_TEXT.get(name, ()):
            if column in _HASHED:
                kept = self._texts(table[column])
            elif column == "attributes":
                kept = figures_only(table[column])
            else:
                kept = pa.nulls(table.num_rows, pa.string())
            table = _replaced(table, column, kept)
        for column in names_of(table, name):
            table = _replaced(table, column, shaped(table[column], column, self._hashed))
        return table

    def _ids(self, ids: "pa.Array") -> "pa.Array":
        import pyarrow as pa

        return pa.array(plain_ids(ids.to_pylist(), self._hashed), pa.string())

    def _hashed(self, name: str) -> str:
        """What stands for a name that is none."""
        return str(_hashed([name], self.salt)[0])

    def _texts(self, texts: "pa.ChunkedArray") -> "pa.ChunkedArray":
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.policy == "drop":
            return pa.nulls(len(texts), pa.string())
        distinct = pc.unique(texts)
        hashes = pa.array(_hashed(distinct.to_pylist(), self.salt), pa.string())
        return hashes.take(pc.index_in(texts, value_set=distinct))


def _hashed(texts: Sequence[str | None], salt: bytes) -> list[str | None]:
    """The keyed BLAKE2b (RFC 7693) of each text, in hexadecimal."""
    from hashlib import blake2b

    return [
        None if t is None else blake2b(t.encode(), digest_size=_HASH_BYTES, key=salt).hexdigest()
        for t in texts
    ]


def figures_only(objects: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """JSON objects without the members that may be text; null where no other is left."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if objects.null_count == len(objects):
        return objects
    marked = pc.replace_substring_regex(objects, FIGURE, _MARKED)
    listed = pc.replace_substring_regex(marked, _BETWEEN, r",\1")
    some = pc.starts_with(listed, ",")
    members = pc.utf8_slice_codeunits(listed, 1)
    kept = pc.binary_join_element_wise("{", members, "}", "")
    return pc.if_else(some, kept, pa.scalar(None, pa.string()))


def _replaced(table: "pa.Table", name: str, column: "pa.ChunkedArray") -> "pa.Table":
    return table.set_column(table.column_names.index(name), name, column)


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _without_text(value: object) -> object:
    """JSON without members that are texts; strings that are no plain names become empty."""
    if isinstance(value, dict):
        return {k: _without_text(v) for k, v in value.items() if k not in _HASHED}
    if isinstance(value, list):
        return [_without_text(v) for v in value]
    if not isinstance(value, str) or _NAME.fullmatch(value):
        return value
    if value.startswith("{"):  # a state within the state
        try:
            return _dumped(_without_text(json.loads(value)))
        except ValueError:
            return ""
    return ""
