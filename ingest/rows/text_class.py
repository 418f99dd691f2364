"""Class and length of the users' texts (docs/parsing.md, "Requests" 6)."""

import unicodedata

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import text_classes

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
_SYMBOL_CHARACTERS = frozenset("#%&*@\\^_`{|}~<>=+$[]")
_JOINERS = {0x200C, 0x200D}

_table: npt.NDArray[np.uint8] = np.zeros(0x110000, np.uint8)
_loaded: npt.NDArray[np.uint8] = np.zeros(0x1100, np.uint8)


def class_of(point: int) -> int:
    """Class number of one code point."""
    for low, high in _EMOJI_RANGES:
        if low <= point <= high:
            return _EMOJI
    character = chr(point)
    if character in "\t\n\r" or (character.isspace() and unicodedata.category(character) != "Cc"):
        return _SPACE
    category = unicodedata.category(character)
    if category == "Cc" or (category == "Cf" and point not in _JOINERS):
        return _CONTROL
    if category in ("Sm", "Sc", "Sk", "So") or character in _SYMBOL_CHARACTERS:
        return _SYMBOL
    return _PLAIN


def _load(point: int) -> None:
    block = point >> 8
    for p in range(block << 8, (block + 1) << 8):
        _table[p] = class_of(p)
    _loaded[block] = 1


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
        mask = texts.is_null().to_numpy(zero_copy_only=False)
        codes = pa.array(classes, mask=mask)
        return pa.DictionaryArray.from_arrays(codes, _CLASSES), pa.array(lengths, mask=mask)
    n, valid = len(texts), texts.buffers()[0]
    codes = pa.Array.from_buffers(pa.int8(), n, [valid, pa.py_buffer(classes)])
    counted = pa.Array.from_buffers(pa.int64(), n, [valid, pa.py_buffer(lengths)])
    return pa.DictionaryArray.from_arrays(codes, _CLASSES, safe=False), counted
