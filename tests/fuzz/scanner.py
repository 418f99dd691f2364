"""Targets of the scanner: any bytes by any format, against itself, its Python twin and the
reference.
"""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from ingest.compiled import layout
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import records as scan
from ingest.compiled import strings as convert
from ingest.records.arrays import view
from ingest.records.formats import Format, compile_format, scanner_arguments
from ingest.records.units import FAMILIES
from tests.fuzz.reading import Reading, Record, read
from tests.unit.test_uncompiled import PLAIN

MAX_RECORD = 512  # bytes; small, so that a short input can hold a record that is too long
_ONE_CHUNK = 1 << 20
FORMATS = (
    compile_format(),
    compile_format(escapes="none"),
    compile_format("%(asctime)s %(levelname)s [%(request_id)s] %(process)d %(name)s <%(message)s>"),
    compile_format("%(levelname)s:%(name)s:%(asctime)s:%(message)s", "%d/%b/%Y %I:%M:%S %p %z"),
    compile_format("%(created)f %(levelname)-8s %(message)s [%(name)s:%(lineno)d] %(funcName)s"),
    compile_format("%(asctime)s.%(msecs)03d|%(levelname)s|%(message)s", "%y%m%d %H%M%S"),
)
Tables = tuple[Any, ...]


def scanner(data: bytes) -> None:
    """``FCf`` and a log: number of the format, chunk size, whether it is final; see the corpus."""
    if len(data) < 3:
        return
    fmt, final, log = FORMATS[data[0] % len(FORMATS)], bool(data[2] & 1), data[3:]
    _twins(fmt, log, final)
    whole = read(log, fmt, _ONE_CHUNK, MAX_RECORD, final=final)
    chunked = read(log, fmt, 1 + 7 * data[1], MAX_RECORD, final=final)
    _same(whole, chunked, final)


def _same(whole: Reading, chunked: Reading, final: bool) -> None:
    """The chunks make no difference, but for what waited in vain for the first stamp
    (docs/parsing.md, Lines 7).
    """
    ours, theirs = _kept(whole), _kept(chunked)
    undated = _undated(ours)
    size = whole.ledger.settled_bytes + whole.ledger.tail_bytes
    vain = undated > 0 and size - ours[0].start > MAX_RECORD
    if vain and not final:
        return  # how much of it still waits depends on what has been seen of the file
    for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        expected = replace(one, instant=other.instant) if vain and i < undated else one
        assert expected == other, (one, other)
    if any(r.reason == "too_long" for r in (*whole.rejects, *chunked.rejects)):
        # lines right after a record that is too long may count as its own or by themselves
        assert whole.ledger.settled_bytes == chunked.ledger.settled_bytes, (whole, chunked)
        return
    assert _places(whole) == _places(chunked), (_places(whole), _places(chunked))
    assert whole.ledger == chunked.ledger, (whole.ledger, chunked.ledger)
    for one_table, other_table in zip(whole.tables, chunked.tables, strict=False):
        assert vain or one_table.equals(other_table), (one_table, other_table)


def _places(reading: Reading) -> list[tuple[int, int, str]]:
    return sorted((r.byte_offset, r.byte_length, r.reason) for r in reading.rejects)


def _kept(reading: Reading) -> list[Record]:
    return [r for r in reading.records if r.kind <= layout.K_TRACEBACK]


def _undated(records: list[Record]) -> int:
    """How many records come before the first one with a stamp."""
    return next((i for i, r in enumerate(records) if not r.inferred), len(records))


def _twins(fmt: Format, log: bytes, final: bool) -> None:
    """The compiled scanner and converter say what their Python source says."""
    compiled, plain = (_scanned(m, fmt, log, final) for m in (scan, PLAIN["records"]))
    assert compiled[:-1] == plain[:-1], (compiled, plain)
    pairs = compiled[-1]
    if len(pairs):
        ours = _converted(convert, convert_numbers, log, pairs)
        theirs = _converted(PLAIN["strings"], PLAIN["numbers"], log, pairs)
        assert ours == theirs, (ours, theirs)


def _scanned(module: Any, fmt: Format, log: bytes, final: bool) -> Tables:
    scanner = module.Scanner(*scanner_arguments(fmt, MAX_RECORD))
    rows = len(log) // 4 + 8
    records = np.zeros((rows, layout.REC_WIDTH + 2 * len(fmt.extras)), np.int32)
    stamps, pairs = np.zeros(rows, np.int64), np.zeros((rows, layout.PAIR_WIDTH), np.int32)
    # a buffer of its own length: a sanitizer sees what reads beyond it
    memory = view(np.frombuffer(log, np.uint8).copy())
    values, states = np.zeros(rows), np.zeros(rows, np.int8)
    found = view(values), view(states), view(FAMILIES)
    tables = view(records), view(stamps), view(pairs), found
    consumed = scanner.scan(memory, 0, len(log), final, True, *tables)
    n, p = scanner.n_records, scanner.n_pairs
    stamped = records[:n, layout.R_KIND] == layout.K_HEADER
    return (
        consumed,
        bool(scanner.giant),
        records[:n].tolist(),
        stamps[:n][stamped].tolist(),
        pairs[:p].tolist(),
        scanner.next_beginning(memory, 0, len(log), final),
        scanner.header_end(memory, len(log)),
        pairs[:p].copy(),
    )


def _converted(strings: Any, numbers: Any, log: bytes, pairs: Any) -> Tables:
    data = view(np.frombuffer(log, np.uint8).copy())
    values, states = np.zeros(len(pairs)), np.full(len(pairs), numbers.UNREAD, np.int8)
    numbers.numbers(data, view(pairs), view(FAMILIES), view(values), view(states))
    chosen = np.arange(len(pairs), dtype=np.int32)
    slots, first = chosen.reshape(-1, 1), np.zeros(1, np.int32)
    sizes = np.zeros((3, 1), np.int64)
    strings.sizes(view(pairs), slots, *sizes)
    bases = np.array([0, 3 * sizes[0, 0] + 8])
    offsets, valid = np.zeros((1, len(pairs) + 1), np.int32), np.zeros((1, len(pairs)), np.uint8)
    out = np.zeros(bases[1], np.uint8)
    assert strings.columns(data, view(pairs), slots, first, bases, offsets, out, valid)
    found, fits = np.zeros((1, len(pairs))), np.zeros((1, len(pairs)), np.uint8)
    missing = np.zeros(1, np.int64)
    numbers.doubles(view(values), view(states), slots, first, found, fits, missing)
    codes, firsts = np.zeros(len(pairs), np.int32), np.zeros(len(pairs), np.int32)
    table = np.full(1 << (2 * len(pairs)).bit_length(), -1, np.int32)
    n = strings.distinct(data, view(pairs), chosen, 2**64 - 59, table, codes, firsts)
    return (
        states.tolist(),
        values[states == convert_numbers.OK].tolist(),
        offsets.tolist(),
        out[: offsets[0, -1]].tobytes().decode(),
        (sizes.tolist(), valid.tolist(), missing.tolist(), fits.tolist(), found.tolist()),
        (codes.tolist(), firsts[:n].tolist()),
    )


_HEADERS = (
    b"2026-03-02 14:22:37,892 - app - ERROR - ",
    b"2026-03-02 14:22:37,892 - app - ERROR - ",
    b"2026-03-02 14:22:37,892 ERROR [r-1] 7 app <",
    b"ERROR:app:02/Mar/2026 02:22:37 PM +0800:",
    b"1772461357.892114 ERROR    ",
    b"260302 142237.892|ERROR|",
)
_SMALL, _LARGE = 24 << 10, 96 << 10  # bytes
_GROWTH = (
    10  # times the small input's time: between four, what is linear, and sixteen, what is quadratic
)
_SECONDS = 0.5  # of this process, below which growth is noise


def scanner_time(data: bytes) -> None:
    """``F``, a beginning, and repeated parts after NULs: time in proportion to the bytes."""
    small = _seconds(data, _SMALL)
    large = _seconds(data, _LARGE)
    assert large < _GROWTH * small + _SECONDS, f"{small:.2f} s, then {large:.2f} s"


def _seconds(data: bytes, size: int) -> float:
    """Process time of reading a log of about ``size`` bytes."""
    number = data[0] % len(FORMATS) if data else 0
    beginning, *parts = data[1:].split(b"\0")
    share = size // max(len(parts), 1)
    log = _HEADERS[number] + beginning
    log += b"".join((p or b"\0") * (share // max(len(p), 1)) for p in parts) + b"\n"
    begin = time.process_time()
    read(log + _HEADERS[number], FORMATS[number], _ONE_CHUNK, 4 << 20, final=True)
    return time.process_time() - begin
