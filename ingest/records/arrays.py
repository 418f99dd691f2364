"""Arrays between the compiled modules, numpy and Arrow."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import strings as convert

I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def view(array: npt.NDArray[Any]) -> memoryview:
    """The memory of an array, as the compiled modules and their Python twins index it."""
    return memoryview(array)  # type: ignore[arg-type]


def raw_text(data: bytes) -> str:
    """Bytes as text that every backend can hold: UTF-8, what is not becomes U+FFFD, as do NULs."""
    return data.decode("utf-8", "replace").replace("\0", "�")


def has_any(numbers: I32) -> bool:
    """Whether any of these int32[n] is a number of something, that is, not -1."""
    return bool(numbers.max(initial=-1) >= 0)


def string_column(data: Any, starts: I32, ends: I32, flags: I32) -> pa.Array:
    """An Arrow string column of spans, escapes undone, null where start is -1."""
    n = len(starts)
    if not has_any(starts):
        return pa.nulls(n, pa.string())
    offsets = np.empty(n + 1, np.int32)
    room = int(np.where(starts >= 0, ends - starts, 0).astype(np.int64).sum()) * 3
    out = np.empty(max(room, 1), np.uint8)
    used = convert.strings(
        data, view(np.ascontiguousarray(starts)), view(np.ascontiguousarray(ends)),
        view(np.ascontiguousarray(flags)), view(offsets), view(out),
    )  # fmt: skip
    return strings(offsets, out, used, _validity(starts >= 0))


def strings(
    offsets: I32, out: npt.NDArray[np.uint8], used: int, valid: npt.NDArray[np.uint8] | None
) -> pa.Array:
    """An Arrow string column of what stands in ``out``: ``used`` bytes, the room behind them given
    back.

    ``valid`` is its validity bitmap, None where there are no nulls.
    """
    out.resize(max(used, 1), refcheck=False)
    return column(pa.string(), len(offsets) - 1, valid, offsets, out)


def nullable(
    values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None, kind: pa.DataType
) -> pa.Array:
    """An Arrow column of a numpy array, kept, with nulls where not valid (None: nowhere)."""
    return column(kind, len(values), _validity(valid), np.ascontiguousarray(values))


def numbers(values: npt.NDArray[Any], valid: Bools | None = None) -> pa.Array:
    """An Arrow column of numbers, kept, of the type that numpy's are; null where not ``valid``.

    ``pa.array`` would ask whether they are of ``numpy.ma``, and load it for that.
    """
    return nullable(values, valid, pa.from_numpy_dtype(values.dtype))


def truths(values: Bools) -> pa.Array:
    """An Arrow column of bool[n]."""
    return column(pa.bool_(), len(values), None, np.packbits(values, bitorder="little"))


def column(
    kind: pa.DataType,
    n: int,
    valid: npt.NDArray[np.uint8] | None,
    *buffers: npt.NDArray[Any],
) -> pa.Array:
    """An Arrow column of its buffers, kept (Arrow format, "Buffer Listing for Each Layout")."""
    return pa.Array.from_buffers(
        kind, n, [None if valid is None else pa.py_buffer(valid), *map(pa.py_buffer, buffers)]
    )


def _validity(valid: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.uint8] | None:
    """The validity bitmap of a column."""
    if valid is None or valid.all():
        return None
    return np.packbits(valid, bitorder="little")
