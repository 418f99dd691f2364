"""Targets of the format compiler: any string, and formats as a service could have them, by the
library that writes them.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from ingest.compiled import layout
from ingest.compiled import records as scan
from ingest.errors import FormatError
from ingest.records.arrays import view
from ingest.records.formats import MAX_RECORD_BYTES, Format, compile_format, scanner_arguments
from ingest.records.units import FAMILIES
from tests.fuzz.reading import read
from tests.unit.test_formats import _Formatter
from tests.unit.test_uncompiled import PLAIN

_LINES = b"2026-03-02 14:22:37,892 - app - INFO - x: a=b\n\nERROR: x\n7 8 9 text [x]\n  1.5,2\n"


def format_string(data: bytes) -> None:
    """A format, a date format (none if empty) and lines, each on a line of its own; nothing but
    FormatError.
    """
    text, datefmt, lines = (*data.split(b"\n", 2), b"", b"")[:3]
    try:
        fmt = compile_format(_argument(text), _argument(datefmt) or None)
    except FormatError as error:
        assert error.hint
        assert error.message.isprintable(), error.message
        return
    for log in (lines, _LINES, text + b"\n" + datefmt + b"\n"):
        ours, theirs = (_tables(m, fmt, log) for m in (scan, PLAIN["records"]))
        assert ours == theirs, (ours, theirs)


def _argument(raw: bytes) -> str:
    """Bytes as an argument of the command line arrives."""
    return raw.decode("utf-8", "surrogateescape")


def _tables(module: object, fmt: Format, log: bytes) -> tuple[object, ...]:
    rows = len(log) + 8
    records = np.zeros((rows, layout.REC_WIDTH + 2 * len(fmt.extras)), np.int32)
    stamps, pairs = np.zeros(rows, np.int64), np.zeros((rows, layout.PAIR_WIDTH), np.int32)
    scanner = module.Scanner(*scanner_arguments(fmt, 4096))  # type: ignore[attr-defined]
    memory = view(np.frombuffer(log, np.uint8).copy())
    numbers = view(np.zeros(rows)), view(np.zeros(rows, np.int8)), view(FAMILIES)
    consumed = scanner.scan(
        memory, 0, len(log), True, True, view(records), view(stamps), view(pairs), numbers
    )
    n, p = scanner.n_records, scanner.n_pairs
    return consumed, records[:n].tolist(), stamps[:n].tolist(), pairs[:p].tolist()


FIELDS = (
    ("name", ("s", "-12s", "12s", "s")),
    ("levelname", ("s", "-8s", "8s", "s")),
    ("process", ("d", "s", "5d", "-6d", "05d")),
    ("thread", ("d", "s")),
    ("lineno", ("d", "s", "4d", "-4d", "03d")),
    ("levelno", ("s", "d", "02d")),
    ("threadName", ("s", "-15s", "10s")),
    ("funcName", ("s", "-20s")),
    ("module", ("s", "10s")),
    ("filename", ("s", "-12s")),
    ("request_id", ("s", "-12s")),
    ("relativeCreated", ("d", "6d", "f")),
)
SEPARATORS = (" ", " - ", " | ", "|", ":", " [", "] ", " (", ") ", "  ", "\t", " — ", " %% ", "; ")
DATES = (
    None,
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%d/%b/%Y %H:%M:%S",
    "%a %d %b %Y %T",
    "%m/%d/%Y %I:%M:%S %p",
    "%y%m%d-%H%M%S",
    "%D %R:%S",
    "%F %T %Z",
    "%Y年%m月%d日 %H:%M:%S",
    "%h %d %Y %H.%M.%S %%",
)
_ZONES = ("UTC", "Asia/Shanghai", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata")
_STYLES: tuple[Literal["%", "{", "$"], ...] = ("%", "{", "$")
UNCLAIMED = "line two"  # a line that belongs to nothing (docs/parsing.md, Lines 2)
_MESSAGES = (
    "down",
    'synthesis_start: id=ts_1, text="你好, [世界] - x | y"',
    '50% of {all}: $x="2026-03-02 14:22:37,892 - app - INFO - y"',
    "line one\n" + UNCLAIMED,
)


def format_written(data: bytes) -> None:
    """Bytes choose style, fields, widths, separators and date: what ``logging`` writes with them is
    read back.
    """
    if len(data) < 6:
        return
    style = _STYLES[data[0] % 3]
    datefmt = DATES[data[1] % len(DATES)]
    zone = ZoneInfo(_ZONES[data[2] % len(_ZONES)])
    text, step = _format_text(style, datefmt, data[3:])
    formatter = _Formatter(text, datefmt, style)
    formatter.zone = zone
    records = _logged(text, data[-1] + 256 * data[-2])
    log = "".join(formatter.format(r) + "\n" for r in records).encode()
    found = read(
        log, compile_format(text, datefmt), 1 << 20, MAX_RECORD_BYTES, final=True, zone=zone
    )
    case = (text, datefmt, log)
    assert found.ledger.records == len(records) and not found.ledger.quarantined, case
    whole = found.ledger.unclaimed == 0  # what a warning says may go on in the next line
    assert found.ledger.unclaimed <= 1, case
    for record, row in zip(records, found.records, strict=True):
        assert row.kind == layout.K_HEADER, case
        name, message, _ = row.texts
        wanted = (
            record.getMessage() if whole else record.getMessage().removesuffix("\n" + UNCLAIMED)
        )
        assert message.decode() == wanted, case
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.instant)
        expected = round(record.created * 1e6) // step * step
        allowed = (expected, expected - _since_the_hour_before(record.created, zone))
        assert at.timestamp() * 1e6 in allowed, (at, record.created, case)
        if "name" in {f[0] for f in FIELDS if f"({f[0]})" in text} and "(name)" in text:
            assert name.decode() == record.name, (name, case)


def _since_the_hour_before(created: float, zone: ZoneInfo) -> float:
    """Microseconds since the zone's clock stood as it does: a stamp that exists twice may be the
    earlier one; else 0.
    """
    at = datetime.fromtimestamp(created, zone)
    return (at.timestamp() - at.replace(fold=0).timestamp()) * 1e6


def _format_text(style: str, datefmt: str | None, choices: bytes) -> tuple[str, int]:
    """The format string, and the finest time that its stamps tell, microseconds."""
    numbers = list(choices)
    step = 1000 if datefmt is None else 10**6
    text = _field(style, "asctime", ("s", "s", "s", "-30s", "30s")[numbers[0] % 5])
    if numbers[0] & 32 and datefmt is not None:
        text += (".", ",")[numbers[0] >> 7] + _field(
            style, "msecs", "03.0f" if style == "{" else "03d"
        )
        step = 1000
    elif numbers[0] & 64:
        text, step = _field(style, "created", "f"), 1
    used = set()
    for number in numbers[1:-2][:6]:
        name, specs = FIELDS[number % len(FIELDS)]
        if name in used:
            continue
        used.add(name)
        text += _literal(style, number >> 3) + _field(
            style, name, specs[(number >> 2) % len(specs)]
        )
    return text + _literal(style, numbers[-1]) + _field(style, "message", "s"), step


def _literal(style: str, number: int) -> str:
    separator = SEPARATORS[number % len(SEPARATORS)]
    if style != "%":
        separator = separator.replace("%%", "{{}}" if style == "{" else "$$")
    return separator


def _field(style: str, name: str, spec: str) -> str:
    if name == "relativeCreated" and style == "{":
        spec = "f"
    if style == "%":
        return f"%({name}){spec}"
    if style == "$":
        # a Template has no widths; a number's digits are those of str()
        return f"${{{name}}}"
    width = spec[:-1]
    if width.startswith("-"):
        width = "<" + width[1:]
    elif width and spec.endswith("s"):
        width = ">" + width
    return "{" + name + (f":{width}{spec[-1]}" if spec != "s" else "") + "}"


def _logged(text: str, seed: int) -> Sequence[logging.LogRecord]:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
        hours=seed % 8000, milliseconds=seed % 1000
    )
    records = []
    for i, message in enumerate(_MESSAGES):
        level = (logging.DEBUG, logging.INFO, logging.WARNING, logging.CRITICAL)[(seed + i) % 4]
        name = ("app", "app.tts_engine", "root", "uvicorn.error")[(seed >> 2) % 4]
        record = logging.LogRecord(name, level, "/srv/app.py", 7, message, None, None, func="run")
        at = start + i * timedelta(seconds=1, milliseconds=17)
        record.created, record.msecs = at.timestamp(), float(at.microsecond // 1000)
        record.relativeCreated = 1234.5
        record.request_id = f"ts_{i}"
        records.append(record)
    return records
