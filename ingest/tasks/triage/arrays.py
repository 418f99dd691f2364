"""Rows of a query → the arrays that causes are found in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ingest.causes.columns import Attribute, Bools, Codes, Floats, Ints, Labels, Value
from ingest.stores.contract import QueryResult
from ingest.stores.results import TableRows

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS_LOOKED_AT = 64  # attributes a store may have before the rest is left out
FILE_SHIFT = 40  # a key is file_key << 40 | offset (ingest.model)
_HEAD = 5000  # rows that tell which attributes there are


@dataclass(frozen=True, slots=True)
class Fetched:
    """The columns of a result, each as Arrow has it or as a tuple of Python's values."""

    names: tuple[str, ...]
    columns: Sequence["pa.ChunkedArray | Sequence[object]"]
    rows: int

    @classmethod
    def of(cls, result: QueryResult) -> "Fetched":
        """The columns of a result."""
        rows = result.rows
        if isinstance(rows, TableRows):
            return cls(result.columns, rows.table.columns, len(rows))
        columns: list[Sequence[object]] = list(zip(*rows, strict=True))
        return cls(result.columns, columns or [()] * len(result.columns), len(rows))

    def array(self, name: str) -> "pa.Array":
        """A column as an Arrow array."""
        import pyarrow as pa

        column = self.columns[self.names.index(name)]
        if isinstance(column, pa.ChunkedArray):
            return column.combine_chunks()
        return pa.array(column)

    def floats(self, name: str) -> Floats:
        """A column of numbers, NaN for null."""
        import pyarrow as pa

        array = self.array(name).cast(pa.float64())
        return np.asarray(array.to_numpy(zero_copy_only=False), np.float64)

    def ints(self, name: str, null: int = 0) -> Ints:
        """A column of whole numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        array = pc.fill_null(self.array(name).cast(pa.int64()), null)
        return np.array(array.to_numpy(zero_copy_only=False), np.int64)

    def codes(self, name: str) -> Codes:
        """A column of small whole numbers."""
        return self.ints(name, -1).astype(np.int32)

    def labels(self, name: str) -> Labels:
        """A column of texts."""
        return labelled(self.array(name))


def labelled(array: "pa.Array") -> Labels:
    """Texts as places in a sorted list of them, so that every engine gives the same."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = (
        array if pa.types.is_string(array.type) else array.cast(pa.string())
    ).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    place = np.empty(len(values) + 1, np.int32)
    place[order] = np.arange(len(values), dtype=np.int32)
    place[-1] = -1
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return Labels(place[codes], tuple(values[i] for i in order))


def order_of(key: Ints, at: Floats, dated: Bools) -> Ints:
    """Rows in the order of time, int64[n]; those whose instant is not known come first, by how far
    into its log file each stands.

    Files without instants are taken to be of one time: what lies in the middle of each belongs
    together.
    """
    if dated.all():
        return np.lexsort((key, at))
    far = np.zeros(len(key))
    by_key = np.argsort(key, kind="stable")
    undated = by_key[~dated[by_key]]
    file = key[undated] >> FILE_SHIFT
    begins = np.flatnonzero(np.diff(file, prepend=-1))
    count = np.diff(np.append(begins, len(file)))
    far[undated] = (np.arange(len(file)) - np.repeat(begins, count)) / np.repeat(count, count)
    return np.lexsort((key, np.where(dated, at, far)))


def attributes_of(texts: "pa.Array") -> tuple[Attribute, ...]:
    """The pairs of JSON objects, one column per name; only words, numbers, yes and no."""
    encoded = texts.dictionary_encode()
    objects = [_object(t) for t in encoded.dictionary.to_pylist()]
    place = np.array(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    names: dict[str, None] = {}
    for found in objects[:_HEAD] + objects[-_HEAD:]:
        names.update(dict.fromkeys(found))
    return tuple(_attribute(n, objects, place) for n in list(names)[:_KEYS_LOOKED_AT])


def _object(text: str | None) -> dict[str, object]:
    found = json.loads(text) if text else None
    return found if isinstance(found, dict) else {}


def _attribute(name: str, objects: list[dict[str, object]], place: Ints) -> Attribute:
    codes: dict[tuple[str, Value], int] = {}
    of_object = np.full(len(objects) + 1, -1, np.int32)
    for at, found in enumerate(objects):
        value = found.get(name)
        if isinstance(value, str | bool | int | float):
            of_object[at] = codes.setdefault((type(value).__name__, value), len(codes))
    order = sorted(codes)
    rank = np.full(len(codes) + 1, -1, np.int32)
    for at, key in enumerate(order):
        rank[codes[key]] = at
    return Attribute(name, Labels(rank[of_object][place], tuple(v for _, v in order)))
