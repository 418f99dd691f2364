"""Log records as a service writes them, remembered: what a store must hold in the end, and no more.

Record number n has the same bytes in every process, so a test knows what a writer in a process of
its own wrote. As a program: ``python -m tests.support.log_writer KIND PATH``, see :class:`Worker`.
"""

import logging
import logging.handlers
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.stores.duckdb.store import DuckDBStore
from tests.support.command_line import ROOT

FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
STAGES = ("text_normalize", "llm_inference")
_START = 1_772_409_600  # 2026-03-02T00:00:00Z


def formatter() -> logging.Formatter:
    """The service's formatter: Python's default stamps, in UTC."""
    made = logging.Formatter(FORMAT)
    made.converter = time.gmtime
    return made


def instant(number: int) -> datetime:
    """When the first record of a number is logged; the next number comes ten seconds later."""
    return datetime.fromtimestamp(_START + number * 10, UTC)


def _record(number: int, at: float, level: int, text: str, trace: str = "") -> logging.LogRecord:
    record = logging.LogRecord("app.tts", level, "", 0, text, None, None)
    record.created = _START + number * 10 + at
    record.msecs = round(record.created % 1 * 1000)
    record.exc_text = trace or None
    return record


def failure(number: int, pad: int = 0) -> list[logging.LogRecord]:
    """One ERROR record: a row of ``errors``."""
    return [_record(number, 0, logging.ERROR, f"failure {number} {'x' * pad}")]


def request(number: int, apart: float = 0.125) -> list[logging.LogRecord]:
    """The five records of a request that failed, a traceback among them, so many seconds apart."""
    id_ = request_id(number)
    start = f'synthesis_start: id={id_}, text="Hello, id=ts_00000000 {number}", voice=alloy'
    end = f"synthesis_complete: id={id_}, status=failed, duration_ms=500, error_code=OOM"
    stages = [f"stage_time: stage={s}, id={id_}, duration_ms={i}0" for i, s in enumerate(STAGES, 1)]
    failed = f"synthesis_failed: id={id_}, error_code=OOM, out of memory"
    return [
        _record(number, 0, logging.INFO, start),
        *(_record(number, i * apart, logging.INFO, s) for i, s in enumerate(stages, 1)),
        _record(number, 3 * apart, logging.ERROR, failed, traceback(number)),
        _record(number, 4 * apart, logging.INFO, end),
    ]


def request_id(number: int) -> str:
    """The id in all records of a request."""
    return f"ts_{number + 1:08x}"


def traceback(number: int) -> str:
    """The traceback of a request's failure; each has its own."""
    frames = "".join(
        f'  File "/app/app/tts_engine.py", line {line}, in stage_{line}\n    run({number})\n'
        for line in range(number % 3 + 2)
    )
    return f"Traceback (most recent call last):\n{frames}MemoryError: request {number}"


def to_bytes(records: Iterable[logging.LogRecord]) -> bytes:
    """Records as they stand in a file."""
    form = formatter()
    return b"".join(form.format(r).encode() + b"\n" for r in records)


@dataclass(frozen=True)
class Rows:
    """Rows as a test compares them: errors by id or message, requests, stages by name."""

    errors: "Counter[tuple[str, str | None]]"
    requests: "Counter[tuple[str, str | None]]"
    stages: "Counter[tuple[str, str]]"

    def wrong(self, expected: "Rows") -> list[str]:
        """What is missing and what is superfluous, in words; nothing where rows are right."""
        told = []
        for name in ("errors", "requests", "stages"):
            have, want = getattr(self, name), getattr(expected, name)
            for said, rows in (("missing", want - have), ("too many", have - want)):
                if rows:
                    told.append(f"{name}: {rows.total()} {said}, e.g. {list(rows)[:3]}")
        return told


def stored_rows(store: DuckDBStore) -> Rows:
    """The rows of a store."""
    with store.reading() as reader:
        errors = reader.query("select coalesce(id, message), traceback from errors", {}).rows
        requests = reader.query("select id, status from requests", {}).rows
        stages = reader.query("select id, stage from stage_times", {}).rows
    return Rows(Counter(errors), Counter(requests), Counter(stages))  # type: ignore[arg-type]


@dataclass
class Journal:
    """The records made so far, and the rows that they are."""

    made: int = 0
    failures_made: list[str] = field(default_factory=list)
    requests_made: list[int] = field(default_factory=list)
    size: int = 0

    def failures(self, count: int, pad: int = 0) -> list[logging.LogRecord]:
        """Further ERROR records."""
        records = []
        for number in range(self.made, self.made + count):
            records += failure(number, pad)
            self.failures_made.append(f"failure {number} {'x' * pad}".strip())
        self.made += count
        self.size += len(to_bytes(records))
        return records

    def requests(self, count: int) -> list[logging.LogRecord]:
        """The records of further requests."""
        records = []
        for number in range(self.made, self.made + count):
            records += request(number)
            self.requests_made.append(number)
        self.made += count
        self.size += len(to_bytes(records))
        return records

    def mixed(self, count: int) -> list[logging.LogRecord]:
        """Failures and requests in turn."""
        kinds = (self.failures, self.requests)
        return [record for n in range(count) for record in kinds[n % 2](1)]

    def forget(self, first: int, end: int) -> None:
        """Failures first … end - 1, by number, are lost for good."""
        gone = {f"failure {n}" for n in range(first, end)}
        self.failures_made = [f for f in self.failures_made if f not in gone]

    def rows(self, without_last: int = 0) -> Rows:
        """What a store must hold; ``without_last`` failures are still held back."""
        kept = self.failures_made[: len(self.failures_made) - without_last]
        ids = [(n, request_id(n)) for n in self.requests_made]
        return Rows(
            Counter([(f, None) for f in kept] + [(i, traceback(n)) for n, i in ids]),
            Counter((i, "failed") for _, i in ids),
            Counter((i, s) for _, i in ids for s in STAGES),
        )


class Service:
    """A service that logs through one of Python's own handlers."""

    def __init__(self, handler: logging.Handler) -> None:
        self.handler = handler
        handler.setFormatter(formatter())

    def log(self, records: Sequence[logging.LogRecord]) -> None:
        """Log records, as a logger would."""
        for record in records:
            self.handler.handle(record)
        self.handler.flush()

    def close(self) -> None:
        """Close its file."""
        self.handler.close()


def make_handler(kind: str, path: str) -> logging.Handler:
    """``append``, ``watched`` (reopens a replaced file) or ``position`` (writes on)."""
    if kind == "watched":
        return logging.handlers.WatchedFileHandler(path)
    return logging.FileHandler(path, mode="a" if kind == "append" else "w")


class Worker:
    """A process that logs to a file which it keeps open."""

    def __init__(self, kind: str, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.log_writer", kind, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def log(self, journal: Journal, count: int) -> None:
        """Log further failures; returns when they are written."""
        first = journal.made
        journal.failures(count)
        self._say(f"{first} {count}")
        self._answer()

    def log_and_die(self, number: int, size: int) -> None:
        """Write the first bytes of failure ``number`` and be killed."""
        self._say(f"{number} 1 {size}")
        self._answer()
        self._process.kill()
        self.close()

    def _say(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def _answer(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def main(kind: str, path: str) -> None:
    """Log what standard input asks for: first number, count, and a cut in bytes."""
    handler = make_handler(kind, path)
    service = Service(handler)
    print("ready", flush=True)
    for line in sys.stdin:
        first, count, *cut = map(int, line.split())
        records = [r for n in range(first, first + count) for r in failure(n)]
        if cut:
            with open(path, "ab") as file:
                file.write(to_bytes(records)[: cut[0]])
        else:
            service.log(records)
        print("ready", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
