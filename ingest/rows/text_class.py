"""Class and length of the users' texts (docs/parsing.md, "Requests" 6)."""

import unicodedata

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import text_classes
from ingest.records import kernels
from ingest.records.arrays import numbers

CLASSES = ("empty", "plain", "symbols", "emoji", "control")
_CLASSES = pa.array(CLASSES)
_SPACE, _PLAIN, _SYMBOL, _EMOJI, _CONTROL = range(5)
_EMOJI_RANGES = (
    (0x2600, 0x27BF),
    (0x2B00, 0x2BFF),
    (0xFE0F, 0xFE0F),
    (0x20E3, 0x20E3),
    (0x1F000, 0x1FAFF),
    (0xE0020, 0xE007F),
)
_OF_CATEGORY = dict.fromkeys(("Zs", "Zl", "Zp"), _SPACE) | dict.fromkeys(("Cc", "Cf"), _CONTROL)
_OF_CATEGORY |= dict.fromkeys(("Sm", "Sc", "Sk", "So"), _SYMBOL)
_OTHERS = dict.fromkeys(map(ord, "#%&*@\\^_`{|}~<>=+$[]"), _SYMBOL)
_OTHERS |= dict.fromkeys(map(ord, "\t\n\r"), _SPACE) | dict.fromkeys((0x200C, 0x200D), _PLAIN)

_table: npt.NDArray[np.uint8] = np.zeros(0x110000, np.uint8)
_loaded: npt.NDArray[np.uint8] = np.zeros(0x1100, np.uint8)


def _load(point: int) -> None:
    """Class numbers of the 256 code points of a block: by their categories, but for some."""
    first = point & ~0xFF
    categories = map(unicodedata.category, map(chr, range(first, first + 0x100)))
    _table[first : first + 0x100] = [_OF_CATEGORY.get(c, _PLAIN) for c in categories]
    for p, number in _OTHERS.items():
        if first <= p < first + 0x100:
            _table[p] = number
    for low, high in _EMOJI_RANGES:
        if low < first + 0x100 and first <= high:
            _table[max(low, first) : min(high + 1, first + 0x100)] = _EMOJI
    _loaded[first >> 8] = 1


def _classify(texts: pa.Array) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    n = len(texts)
    classes, lengths = np.zeros(n, np.int8), np.zeros(n, np.int64)
    buffers = texts.buffers()
    if n == 0 or buffers[2] is None or not buffers[2].size:
        return classes, lengths
    offsets = np.frombuffer(buffers[1], np.int32)[texts.offset : texts.offset + n + 1].copy()
    data = np.frombuffer(buffers[2], np.uint8)
    at = 0
    while (
        missing := text_classes.classify(data, offsets, _table, _loaded, classes, lengths, at)
    ) is not None:
        at = missing[0]
        _load(missing[1])
    return classes, lengths


def describe_texts(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The class of each text and its code points, null for null; linear in the bytes."""
    classes, lengths = _classify(texts)
    if texts.offset:
        known = kernels.valid(texts)
        codes = numbers(classes, known)
        return pa.DictionaryArray.from_arrays(codes, _CLASSES), numbers(lengths, known)
    n, valid = len(texts), texts.buffers()[0]
    codes = pa.Array.from_buffers(pa.int8(), n, [valid, pa.py_buffer(classes)])
    counted = pa.Array.from_buffers(pa.int64(), n, [valid, pa.py_buffer(lengths)])
    return pa.DictionaryArray.from_arrays(codes, _CLASSES, safe=False), counted
