"""Logs whose rows are known beforehand, written by Python's own ``logging``.

The rows are drawn first and rendered afterwards, so no parser has a part in what is expected.
"""

import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, Any]

FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render")
ENGINE = "app.tts_engine"
BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

# A text and its class, as a person would say it.
TEXTS = (
    ("你好, 世界", "plain"),
    ("Good morning. The train leaves at 9.", "plain"),
    ("a, status=failed, error_code=X", "symbols"),
    ('he said "hi", lang=xx, voice="y"', "symbols"),
    ('"', "plain"),
    ("", "empty"),
    ("  \t ", "empty"),
    ("trailing backslash \\", "symbols"),
    ("C:\\new\\table", "symbols"),
    ("早上好 🎉🎉", "emoji"),
    ("bell\x07 and \x1b[31m", "control"),
    ("null\0byte", "symbols"),
    ("zero\u200bwidth", "control"),
    ("20 % off @ ¥99", "symbols"),
    ("two\nlines, voice=z", "symbols"),
    ("2026-03-02 14:22:37,892 - a - ERROR - synthesis_failed: id=ts_0, error_code=X", "symbols"),
    ("x\n2026-03-02 14:22:37,892 - a - ERROR - synthesis_failed: id=ts_0\ny", "symbols"),
    ("x\nERROR: no\nTraceback (most recent call last):\n  boom\n\nValueError: z", "plain"),
    ("tab\tand\rreturn", "plain"),
)


@dataclass
class Entry:
    """A record that will be logged; ``place`` (file, offset) is known once it is."""

    at: datetime
    logger: str
    level: int
    message: str
    exc_info: ExcInfo | None = None
    place: tuple[int, int] = (-1, -1)


@dataclass
class Truth:
    """The files' contents and the rows they hold (columns as in the reference parser)."""

    files: list[bytes] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    stage_timings: list[Row] = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)
    cache_samples: list[Row] = field(default_factory=list)


class _Plan:
    """Entries drawn so far, and the rows to make once their places are known."""

    def __init__(self, seed: int, host: str, service: str) -> None:
        self.random = random.Random(seed)
        self.host, self.service = host, service
        self.entries: list[Entry] = []
        self.later: list[Callable[[Truth], None]] = []
        self.ids = [f"ts_{self.random.getrandbits(32):08x}" for _ in range(5)]

    def log(self, at: datetime, logger: str, message: str, **more: Any) -> Entry:
        entry = Entry(at, logger, more.get("level", logging.INFO), message, more.get("exc_info"))
        self.entries.append(entry)
        return entry


def make_truth(
    seed: int, n: int = 30, *, files: int = 2, tz: str = "UTC", host: str = "h", service: str = "s"
) -> Truth:
    """Draw ``n`` requests and what happens around them, and log them into ``files`` files."""
    plan = _Plan(seed, host, service)
    at = BEGAN
    for number in range(n):
        at += timedelta(milliseconds=plan.random.randint(1, 9000))
        reused = plan.random.random() < 0.3 and number % 6 == 0
        name = plan.ids[number // 6 % 5] if reused else f"ts_{plan.random.getrandbits(32):08x}"
        _plan_request(plan, at, name)
        if plan.random.random() < 0.3:
            _plan_sample(plan, at)
    plan.entries.sort(key=lambda entry: entry.at)
    truth = Truth(_write(plan.entries, files, ZoneInfo(tz)))
    for later in plan.later:
        later(truth)
    return truth


def wrong(truth: Truth, stored: dict[str, list[Row]]) -> list[str]:
    """What a store's rows have otherwise than what was logged, in the columns that are known."""
    told = []
    for table in ("requests", "stage_timings", "errors", "cache_samples"):
        logged, found = getattr(truth, table), stored[table]
        names = set(logged[0]) & set(found[0] if found else logged[0])
        want, have = (Counter(_known(row, names) for row in rows) for rows in (logged, found))
        for said, rows in (("missing", want - have), ("too many", have - want)):
            if rows:
                told.append(f"{table}: {rows.total()} {said}, e.g. {next(iter(rows))}")
    return told


def _known(row: Row, names: set[str]) -> str:
    return repr(sorted((name, value) for name, value in row.items() if name in names))


def _escape(text: str, raw_newlines: bool) -> str:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return text if raw_newlines else text.replace("\n", "\\n")


def _plan_request(plan: _Plan, at: datetime, name: str) -> None:
    pick = plan.random
    text, kind = pick.choice(TEXTS)
    fate = pick.choice(("success", "success", "failed", "unfinished", "cached"))
    voice, cached = pick.choice(("alloy", "nova")), fate == "cached"
    start = plan.log(
        at,
        ENGINE,
        f'synthesis_start: id={name}, text="{_escape(text, pick.random() < 0.5)}", lang=zh, '
        f"voice={voice}, duration_ms=0, cache_hit={str(cached).lower()}",
    )
    row: Row = {
        "id": name,
        "request_id": None,
        "host": plan.host,
        "service": plan.service,
        "logged_at": at,
        "started_at": at,
        "text": text.replace("\0", "\ufffd"),
        "text_len": len(text),
        "text_class": kind,
        "lang": "zh",
        "voice": voice,
        "cache_hit": cached,
        "attributes": None,
    }
    elapsed, entries = _plan_stages(plan, start, name, fate)
    end = None
    if fate == "unfinished":
        row |= _OPEN
    elif fate == "failed":
        end = _plan_failure(plan, start, name, elapsed, row)
    else:
        end = _plan_success(plan, start, name, elapsed, row)

    def later(truth: Truth) -> None:
        row.update(request_key=start.place, start_file=start.place[0], start_offset=start.place[1])
        row.update(end_file=end.place[0] if end else None)
        row.update(end_offset=end.place[1] if end else None)
        truth.requests.append(row)
        _stage_rows(truth, plan, start, name, entries)

    plan.later.append(later)


_OPEN: Row = dict.fromkeys(
    (
        "completed_at",
        "status",
        "duration_ms",
        "cache_saved",
        "model_stage",
        "error_code",
        "audio_size_kb",
        "rms",
        "spectral_centroid",
        "instance",
        "profile",
        "audio_ms",
        "rtf",
        "tokens",
    )
) | {"time_source": "logged", "id_source": "logged", "assembly": "id"}


def _plan_stages(
    plan: _Plan, start: Entry, name: str, fate: str
) -> tuple[int, list[tuple[str, int, int, Entry]]]:
    """Plan the stages that a request goes through; sometimes a fallback between them."""
    elapsed = 0
    entries = []
    count = {"success": 5, "cached": 0, "failed": 3, "unfinished": plan.random.randint(0, 3)}[fate]
    for stage in STAGES[:count]:
        own = plan.random.randint(1, 800)
        elapsed += own
        entry = plan.log(
            start.at + timedelta(milliseconds=elapsed),
            ENGINE,
            f"stage_time: stage={stage}, id={name}, duration_ms={elapsed}",
        )
        entries.append((stage, elapsed, own, entry))
    if count and plan.random.random() < 0.3:
        elapsed += 1
        _plan_fallback(plan, start, name, elapsed)
    return elapsed, entries


def _stage_rows(
    truth: Truth, plan: _Plan, start: Entry, name: str, entries: list[tuple[str, int, int, Entry]]
) -> None:
    for seq, (stage, elapsed, own, entry) in enumerate(entries, start=1):
        truth.stage_timings.append(
            {
                "request_key": start.place,
                "id": name,
                "host": plan.host,
                "stage": stage,
                "seq": seq,
                "logged_at": entry.at,
                "elapsed_ms": float(elapsed),
                "duration_ms": float(own),
                "file": entry.place[0],
                "byte_offset": entry.place[1],
            }
        )


def _plan_fallback(plan: _Plan, start: Entry, name: str, elapsed: int) -> None:
    entry = plan.log(
        start.at + timedelta(milliseconds=elapsed),
        ENGINE,
        f"voice_fallback: id={name}, warning_code=VOICE_MISSING, fallback_used=true, try=2",
        level=logging.WARNING,
    )
    extra = {
        "event": "voice_fallback",
        "code": "VOICE_MISSING",
        "id": name,
        "attributes": {"fallback_used": "true", "try": "2"},
    }
    plan.later.append(lambda truth: _error_row(truth, plan, entry, start, extra))


def _plan_failure(plan: _Plan, start: Entry, name: str, elapsed: int, row: Row) -> Entry:
    code = plan.random.choice(("SCIPY_FFT_INVALID", "CUDA_OOM"))
    exc_info, extra = _raised(plan.random.choice(("plain", "chained", "group", "lines")))
    at = start.at + timedelta(milliseconds=elapsed + 1)
    message = f"synthesis_failed: id={name}, error_code={code}, it went wrong"
    entry = plan.log(at, ENGINE, message, level=logging.ERROR, exc_info=exc_info)
    extra |= {"event": "synthesis_failed", "code": code, "id": name}
    plan.later.append(lambda truth: _error_row(truth, plan, entry, start, extra))
    end = plan.log(
        at + timedelta(milliseconds=1),
        ENGINE,
        f"synthesis_complete: id={name}, status=failed, duration_ms={elapsed + 2}, "
        f"text_len={row['text_len']} chars, error_code={code}, model_stage=llm_postproc",
    )
    row |= _OPEN | {
        "completed_at": end.at,
        "status": "failed",
        "duration_ms": float(elapsed + 2),
        "model_stage": "llm_postproc",
        "error_code": code,
    }
    return end


def _plan_success(plan: _Plan, start: Entry, name: str, elapsed: int, row: Row) -> Entry:
    rms, centroid = plan.random.randint(50, 300) / 1000, plan.random.randint(12000, 31000) / 10
    size = plan.random.randint(10, 900)
    plan.log(
        start.at + timedelta(milliseconds=elapsed + 2),
        "app.audio",
        f"audio_metrics: spectral_centroid={centroid}, id={name}, rms={rms}",
    )
    end = plan.log(
        start.at + timedelta(milliseconds=elapsed + 4),
        ENGINE,
        f"synthesis_complete: id={name}, status=success, duration_ms={elapsed + 3}ms, "
        f"audio_size_kb={size}, cache_saved=true, text_len={row['text_len']} chars, node=7",
    )
    row |= _OPEN | {
        "completed_at": end.at,
        "status": "success",
        "duration_ms": float(elapsed + 3),
        "audio_size_kb": float(size),
        "cache_saved": True,
        "rms": rms,
        "spectral_centroid": centroid,
        "attributes": {"node": "7"},
    }
    return end


def _plan_sample(plan: _Plan, at: datetime) -> None:
    used = plan.random.randint(700, 990)
    sample: Row = dict.fromkeys(("threshold_percent", "used_mb", "total_mb", "action"))
    sample |= {
        "sampled_at": at,
        "time_source": "logged",
        "host": plan.host,
        "path": "/app/cache",
        "used_percent": used / 10,
    }
    entry: Entry
    if used < 900:
        message = f"cache_health: path=/app/cache, used={used}MB, total=1000MB, usage={used / 10}%"
        entry = plan.log(at, "app.cache", message)
        sample |= {"event": "cache_health", "used_mb": float(used), "total_mb": 1000.0}
    else:
        pairs = f"path=/app/cache, used_percent={used / 10}, threshold=90.0, action=warn"
        message = f"cache_dir_usage: {pairs}"
        entry = plan.log(at, "app.cache", message, level=logging.WARNING)
        sample |= {"event": "cache_dir_usage", "threshold_percent": 90.0, "action": "warn"}
        attributes = dict(pair.split("=") for pair in pairs.split(", "))
        extra: Row = {"event": "cache_dir_usage", "attributes": attributes}
        plan.later.append(lambda truth: _error_row(truth, plan, entry, None, extra))

    def later(truth: Truth) -> None:
        file, offset = entry.place
        truth.cache_samples.append(sample | {"file": file, "byte_offset": offset})

    plan.later.append(later)


def _error_row(truth: Truth, plan: _Plan, entry: Entry, start: Entry | None, extra: Row) -> None:
    row: Row = dict.fromkeys(
        (
            "code",
            "id",
            "request_id",
            "exception_type",
            "exception_message",
            "traceback",
            "location",
            "attributes",
            "instance",
        )
    )
    row |= {
        "occurred_at": entry.at,
        "time_source": "logged",
        "host": plan.host,
        "service": plan.service,
        "level": logging.getLevelName(entry.level),
        "logger": entry.logger,
        "request_key": start.place if start else None,
        "message": entry.message,
        "file": entry.place[0],
        "byte_offset": entry.place[1],
    }
    truth.errors.append(row | extra)


def _raised(kind: str) -> tuple[ExcInfo, Row]:
    """Raise for real; return the exc_info and the error columns it must give."""
    message = "bad shape\n  expected 3, got 4" if kind == "lines" else "invalid value"
    try:
        if kind == "group":
            raise ExceptionGroup("several", [ValueError("one"), KeyError("two")])
        try:
            raise ValueError(message)
        except ValueError as cause:
            if kind == "chained":
                raise RuntimeError("invalid value in true_divide") from cause
            raise
    except (ValueError, RuntimeError, ExceptionGroup) as error:
        kind_, value, trace = sys.exc_info()
        assert kind_ is not None and value is not None and trace is not None
        frame = trace.tb_frame
        where = f"{frame.f_code.co_filename}:{trace.tb_lineno} in {frame.f_code.co_name}"
        exc_info = (kind_, value, trace)
        text = logging.Formatter().formatException(exc_info)
        return exc_info, {
            "exception_type": type(error).__name__,
            "exception_message": str(error),
            "traceback": text,
            "location": where,
        }


def _write(entries: list[Entry], files: int, zone: ZoneInfo) -> list[bytes]:
    """Log the entries with real handlers, in equal shares, and note their places."""

    def local(seconds: float | None) -> time.struct_time:
        return datetime.fromtimestamp(seconds or 0, zone).timetuple()

    formatter = logging.Formatter(FORMAT)
    formatter.converter = local
    share = -(-len(entries) // files)
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(files):
            path = Path(folder, f"{number}.log")
            handler = logging.FileHandler(path, encoding="utf-8")
            handler.setFormatter(formatter)
            for entry in entries[number * share : (number + 1) * share]:
                entry.place = (number, path.stat().st_size)
                handler.emit(_log_record(entry))
            handler.close()
            contents.append(path.read_bytes())
    return contents


def _log_record(entry: Entry) -> logging.LogRecord:
    record = logging.LogRecord(
        entry.logger, entry.level, __file__, 1, entry.message, None, entry.exc_info
    )
    record.created = entry.at.timestamp()
    record.msecs = float(entry.at.microsecond // 1000)
    return record
