"""Format strings: real records, rendered by the standard library's Formatter, are read back."""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from ingest.compiled import layout
from ingest.errors import FormatError
from ingest.records.clock import compile_clock
from ingest.records.formats import DEFAULT_FORMAT, Format, compile_format
from ingest.records.parse import Parser

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVELS = {
    layout.L_DEBUG: "DEBUG",
    layout.L_INFO: "INFO",
    layout.L_WARNING: "WARNING",
    layout.L_ERROR: "ERROR",
    layout.L_CRITICAL: "CRITICAL",
}
_MESSAGES = (
    (logging.INFO, "app.tts_engine", 'synthesis_start: id=ts_1, text="你好, 世界", lang=zh'),
    (logging.WARNING, "app", 'slow: text="several\nlines\n  of - text [x]"'),
    (logging.ERROR, "app.a.b", "failed: 5% of {all} - $x"),
    (logging.CRITICAL, "root", "down"),
    (logging.DEBUG, "app.cache", "last"),
)
Style = Literal["%", "{", "$"]


@dataclass(frozen=True)
class Case:
    """A format as a service has it; ``step`` is the finest time that its stamp tells, microseconds."""  # noqa: E501

    text: str
    style: Style = "%"
    datefmt: str | None = None
    step: int = 1000
    zone: str = "UTC"


CASES = (
    Case(DEFAULT_FORMAT),
    Case("%(asctime)s %(levelname)s %(name)s: %(message)s"),
    Case("%(asctime)s [%(levelname)s] [%(name)s] %(message)s"),
    Case("[%(asctime)s] {%(name)s:%(lineno)d} %(levelname)s - %(message)s"),
    Case("%(asctime)s %(levelname)-8s %(name)s %(message)s"),
    Case("%(asctime)s %(levelname)8s %(name)-20s | %(message)s"),
    Case("%(levelname)s:%(name)s:%(asctime)s:%(message)s"),
    Case("%(asctime)s %(name)s %(levelname)s [%(request_id)s] %(message)s"),
    Case("%(asctime)s - %(process)d - %(thread)d - %(name)s - %(levelname)s - %(message)s"),
    Case("%(asctime)s %(processName)s/%(threadName)s %(name)s %(levelname)s %(message)s"),
    Case("%(asctime)s %(module)s.%(funcName)s(%(filename)s:%(lineno)d) %(name)s %(levelname)s " "%(message)s"),  # noqa: E501
    Case("%(asctime)s.%(msecs)03d %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"),
    Case("%(asctime)s,%(msecs)03d %(levelname)s %(name)s %(message)s", datefmt="%d/%b/%Y:%H:%M:%S"),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S", step=10**6),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z",
    step=10**6,
         zone="Asia/Shanghai"),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%m/%d/%Y %I:%M:%S %p",
    step=10**6),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%a %d %B %Y %T".replace("%B",
    "%b"),
         step=10**6),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%y%m%d %H%M%S", step=10**6),
    Case("%(created)f %(levelname)s %(name)s %(message)s", step=1),
    Case("%(asctime)s 100%% %(levelname)s %(name)s %(message)s"),
    Case("%(asctime)s %(levelname)s %(name)s <%(message)s>"),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s [%(process)d]"),
    Case("%(asctime)s %(levelname)s %(name)s %(message)s | end"),
    Case("%(asctime)s — %(name)s — %(levelname)s — %(message)s"),
    Case("{asctime} {levelname:<8} {name} {message}", "{"),
    Case("[{asctime}] [{levelname}] {name}: {message}", "{"),
    Case("{asctime} {process:d} {name} {levelname!s} {request_id} {message}", "{"),
    Case("$asctime $levelname $name - $message", "$"),
    Case("${asctime} [${levelname}] ${name} ${message}", "$"),
)  # fmt: skip


def _logged() -> list[logging.LogRecord]:
    start = datetime(2026, 3, 2, 21, 59, 58, 123000, tzinfo=UTC)
    records = []
    for i, (level, name, message) in enumerate(_MESSAGES):
        record = logging.LogRecord(name, level, "/srv/app.py", 7, message, None, None, func="run")
        at = start + i * timedelta(seconds=1, milliseconds=17)
        record.created = at.timestamp()
        record.msecs = float(at.microsecond // 1000)
        record.request_id = f"ts_{i}"
        records.append(record)
    return records


def _rendered(case: Case, records: list[logging.LogRecord]) -> bytes:
    formatter = _Formatter(case.text, case.datefmt, case.style)
    formatter.zone = ZoneInfo(case.zone)
    return "".join(formatter.format(r) + "\n" for r in records).encode()


class _Formatter(logging.Formatter):
    """The standard one, in a zone of our choice: it knows only the machine's and UTC."""

    zone: ZoneInfo

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        local = datetime.fromtimestamp(record.created, self.zone)
        self.converter = lambda _: local.timetuple()
        return local.strftime(datefmt) if datefmt else super().formatTime(record, None)


def _fields(case: Case, data: bytes) -> list[tuple[str, str, str, datetime]]:
    """Level, logger, message and instant of each record as the product reads them."""
    fmt = compile_format(case.text, case.datefmt)
    view = memoryview(data)
    parsed = Parser(fmt, ZoneInfo(case.zone)).parse(
        view, base=0, final=True, last_instant=None, fallback_instant=0
    )
    assert parsed.ledger.quarantined == 0
    assert parsed.ledger.record_bytes == len(data)
    assert (parsed.records[:, layout.R_KIND] == layout.K_HEADER).all()

    def text(row: int, start: int) -> str:
        at, end = parsed.records[row, start], parsed.records[row, start + 1]
        return bytes(view[at:end]).decode()

    return [
        (
            _LEVELS[int(parsed.records[i, layout.R_LEVEL])],
            text(i, layout.R_NAME).strip(),
            text(i, layout.R_MSG),
            _EPOCH + timedelta(microseconds=int(parsed.instants[i])),
        )
        for i in range(len(parsed.records))
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.text} {c.datefmt or ''}")
def test_what_the_standard_library_writes_is_read_back(case: Case) -> None:
    ends_line = case.text.rstrip("}").endswith(("message)s", "message"))
    _read_back(case, [r for r in _logged() if ends_line or "\n" not in r.getMessage()])


def _read_back(case: Case, records: list[logging.LogRecord]) -> None:
    found = _fields(case, _rendered(case, records))
    expected = []
    for record in records:
        micros = round(record.created * 10**6) // case.step * case.step
        at = _EPOCH + timedelta(microseconds=micros)
        expected.append((record.levelname, record.name, record.getMessage(), at))
    assert found == expected


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-03-02 12:00:00,500", datetime(2026, 3, 2, 12, 0, 0, 500000, tzinfo=UTC)),
        ("2026-03-02 12:00:00", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-02T12:00:00Z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ("2026-03-02T12:00:00.123456789Z", datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-02T20:00:00.25+08:00", datetime(2026, 3, 2, 12, 0, 0, 250000, tzinfo=UTC)),
        ("2026-03-02 06:30:00-0530", datetime(2026, 3, 2, 12, tzinfo=UTC)),
    ],
)
def test_without_a_date_format_iso_8601_is_read_too(stamp: str, expected: datetime) -> None:
    case = Case(DEFAULT_FORMAT, zone="Asia/Tokyo" if stamp[-1] == "Z" or "+" in stamp else "UTC")
    (found,) = _fields(case, f"{stamp} - app - INFO - hello\n".encode())
    assert found == ("INFO", "app", "hello", expected)


def _request_ids(fmt: Format, data: bytes) -> list[str]:
    parsed = Parser(fmt, UTC).parse(
        memoryview(data), base=0, final=True, last_instant=None, fallback_instant=0
    )
    at = parsed.records[:, [layout.R_REQUEST_ID, layout.R_REQUEST_ID_END]].tolist()
    return [data[start:end].decode() for start, end in at]


def test_the_request_id_of_the_header_is_found() -> None:
    case = Case("%(asctime)s [%(request_id)s] %(levelname)s %(name)s %(message)s")
    data = _rendered(case, _logged())
    assert _request_ids(compile_format(case.text), data) == [f"ts_{i}" for i in range(5)]


def test_the_machines_own_time_is_what_the_formatter_writes() -> None:
    record = _logged()[0]
    formatter = logging.Formatter(DEFAULT_FORMAT)
    formatter.converter = time.gmtime
    (found,) = _fields(Case(DEFAULT_FORMAT), (formatter.format(record) + "\n").encode())
    assert found[3] == datetime(2026, 3, 2, 21, 59, 58, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no fields"),
        ("plain", "no fields"),
        ("%(asctime)s %(levelname)s", "%(message)s"),
        ("%(levelname)s %(message)s", "%(asctime)s"),
        ("%(asctime)s%(levelname)s%(name)s %(message)s", "levelname and name"),
        ("%(asctime)s %(levelname %(message)s", "malformed"),
        ("%(asctime)s %d %(message)s", "malformed"),
        ("%(asctime)s %(message)s 5%", "malformed"),
        ("%(asctime)s\n%(message)s", "several lines"),
        ("%(asctime)s %(message)s %(message)s", "twice"),
        ("{asctime} {levelname}", "message"),
        ("$asctime $name", "message"),
    ],
)
def test_a_string_that_is_no_format_is_refused_with_a_hint(text: str, said: str) -> None:
    with pytest.raises(FormatError) as raised:
        compile_format(text)
    assert said in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("datefmt", ["", "%H:%M:%S", "%c", "%Y-%m-%d %x", "%Y-%m", "%d %b %H:%M"])
def test_a_date_format_that_cannot_be_read_back_is_refused(datefmt: str) -> None:
    with pytest.raises(FormatError) as raised:
        compile_clock(datefmt)
    assert repr(datefmt) in raised.value.message
    assert raised.value.hint


def test_other_choices_are_checked() -> None:
    for choice in ({"escapes": "json"}, {"stage_time": "total"}):
        with pytest.raises(FormatError) as raised:
            compile_format(**choice)
        assert raised.value.hint
