"""What the compiled modules read many bytes at once by: with the processor's instructions for it,
and without.
"""

import ctypes
import string
import subprocess
import sysconfig
import textwrap
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest
from ingest.rows.text_class import describe_texts

_DECLARED = Path(ingest.__file__).parent / "compiled" / "bits.pxd"
_CALLED = """
#include <Python.h>
%s
int value_end(const unsigned char *p) { return ttsq_value_end(p); }
int known(const unsigned char *p, const unsigned long long *name) { return ttsq_known(p, name); }
int plain(const unsigned char *p, int escaped) { return ttsq_plain(p, escaped); }
int threes(const unsigned char *p) { return ttsq_threes(p); }
int han(const unsigned char *p) { return ttsq_han(p); }
int prose(const unsigned char *p) { return ttsq_prose(p); }
long long digits(const unsigned char *p, int n) { return ttsq_digits(p, n); }
"""
_PROFILE = settings(max_examples=300, deadline=None)
_TEXTS = st.text(
    "\u4dff\u4e00\u9fff\ua000\u4f60\u597d,\u0800\u1000\ucfff\ud000\U0001f600", min_size=8
).map(lambda text: text.encode() + b"x" * 16)
_SIXTEEN = st.binary(min_size=16, max_size=16) | st.lists(
    st.sampled_from(b'0aZ!"#+,-;<\\\n \x0d\x0e\x80\xff\x00'), min_size=16, max_size=16
).map(bytes)


@pytest.fixture(scope="module", params=["", "-DTTSQ_PLAIN"], ids=["as built", "plain"])
def bits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The functions of bits.pxd, compiled by themselves."""
    folder = tmp_path_factory.mktemp("bits")
    source, library = folder / "bits.c", folder / "bits.so"
    source.write_text(_CALLED % textwrap.dedent(_DECLARED.read_text().split('"""')[1]))
    include = sysconfig.get_paths()["include"]
    options = ["-O2", "-shared", "-fPIC", f"-I{include}", *request.param.split()]
    subprocess.run(["cc", *options, str(source), "-o", str(library)], check=True)
    found = ctypes.CDLL(str(library))
    found.digits.restype = ctypes.c_longlong
    return found


@_PROFILE
@given(read=_SIXTEEN)
def test_a_value_may_end_at_the_first_comma_or_low_byte(bits: ctypes.CDLL, read: bytes) -> None:
    ends = [n for n, byte in enumerate(read) if byte <= 34 or byte == 44]
    assert bits.value_end(read) == (ends[0] if ends else 16)


def _leading(read: bytes, most: int, fits: Callable[[bytes], bool], size: int = 1) -> int:
    """How many bytes, of pieces of a size that fit, a text begins with."""
    n = 0
    while n < most and fits(read[n : n + size]):
        n += size
    return n


@_PROFILE
@given(read=_SIXTEEN, escaped=st.booleans())
def test_plain_bytes_are_copied_as_they_are(bits: ctypes.CDLL, read: bytes, escaped: bool) -> None:
    def fits(byte: bytes) -> bool:
        return 14 <= byte[0] < 128 and not (escaped and byte == b"\\")

    assert bits.plain(read, escaped) == _leading(read, 16, fits)


@_PROFILE
@given(read=_TEXTS | _SIXTEEN)
def test_characters_of_three_bytes(bits: ctypes.CDLL, read: bytes) -> None:
    def fits(three: bytes) -> bool:
        return 0xE1 <= three[0] <= 0xEC and all(0x80 <= byte < 0xC0 for byte in three[1:])

    assert bits.threes(read[:16]) == _leading(read, 15, fits, 3)


@_PROFILE
@given(read=_TEXTS)
def test_characters_of_chinese(bits: ctypes.CDLL, read: bytes) -> None:
    expected = 0
    for character in read.decode("utf-8", "ignore")[:5]:
        if not "\u4e00" <= character <= "\u9fff":
            break
        expected += 3
    assert bits.han(read[:16]) == expected


@_PROFILE
@given(read=_SIXTEEN)
def test_prose_is_plain_and_says_whether_it_is_blank(bits: ctypes.CDLL, read: bytes) -> None:
    def fits(byte: bytes) -> bool:
        return byte.isalpha() or b"," <= byte <= b";" or byte == b" "

    n = _leading(read, 16, fits)
    assert bits.prose(read) == (-n if read[:n].isspace() else n)


def test_what_is_taken_for_plain_is_of_that_class() -> None:
    characters = {*map(chr, range(0x4E00, 0xA000)), *string.ascii_letters, *",-./0123456789:;"}
    texts = pa.array([*sorted(characters), " "], pa.string())
    assert set(describe_texts(texts)[0].to_pylist()[:-1]) == {"plain"}
    assert describe_texts(texts)[0].to_pylist()[-1] == "empty"


@_PROFILE
@given(read=st.text("0123456789./:a\x80", min_size=8, max_size=8), n=st.integers(1, 8))
def test_digits_alone_are_a_number(bits: ctypes.CDLL, read: str, n: int) -> None:
    digits = read[:n]
    expected = int(digits) if digits.isascii() and digits.isdigit() else -1
    assert bits.digits(read.encode("latin-1"), n) == expected


@_PROFILE
@given(name=st.text("ab_", min_size=1, max_size=30), changed=st.none() | st.integers(0, 30))
def test_a_name_is_known_with_its_sign(bits: ctypes.CDLL, name: str, changed: int | None) -> None:
    whole = name.encode() + b"="
    words = [
        int.from_bytes(whole[:8], "little"),
        (1 << (8 * min(len(whole), 8))) - 1,
        int.from_bytes(whole[-8:], "little") if len(whole) >= 8 else 0,
        int.from_bytes(whole[8:16], "little") if len(whole) >= 16 else 0,
        len(name),
    ]
    read = bytearray(whole + b"x" * 24)
    if changed is not None and changed < len(whole):
        read[changed] ^= 1
    is_there = bytes(read).startswith(whole)
    found = bits.known(bytes(read), (ctypes.c_ulonglong * 5)(*words))
    if len(name) < 24 or (found != -2 and not is_there):
        assert found == (len(name) if is_there else -1)
    else:
        assert found == -2
