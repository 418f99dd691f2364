"""JSON lines of loggers and servers: names of fields → header, message and pairs (pure).

loguru ``serialize``, structlog, python-json-logger, nginx ``escape=json``; docs/parsing.md, "JSON".
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.compiled.layout import L_CRITICAL, L_DEBUG, L_ERROR, L_INFO, L_NONE, L_WARNING
from ingest.records.access import Access
from ingest.records.access_json import access_object
from ingest.records.levels import LEVELS
from ingest.records.moments import Stamp, told_stamp

_MESSAGE = ("message", "event", "msg", "log", "textPayload", "text")
_TIME = ("timestamp", "asctime", "time", "@timestamp", "ts", "datetime", "date")
_LEVEL = ("level", "levelname", "severity", "log.level", "lvl")
_LOGGER = ("logger", "name", "logger_name", "log.logger", "module")
_EXCEPTION = (
    "exc_info", "exception", "stack", "stack_info", "traceback", "exc_text", "error.stack_trace",
    "stack_trace", "stacktrace",
)  # fmt: skip
_ACCESS_TIME = ("time_local", "time_iso8601", "msec", *_TIME, "start_time")
_NODE = {"pid", "hostname"}  # what pino and bunyan say of every record


@dataclass(frozen=True, slots=True)
class JsonLine:
    """A record in JSON: what its header would say, its message, its other keys as (name, text)
    pairs.

    ``traceback`` is the exception as text; ``grows``: lines without a header may go on with it.
    ``members`` are all of the record's members as they were written.
    """

    message: str
    level: int = L_NONE
    logger: str | None = None
    stamp: Stamp | None = None
    request_id: str | None = None
    traceback: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    access: Access | None = field(default=None)
    grows: bool = False
    members: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


def json_line(text: bytes) -> JsonLine | None:
    """A line that is one JSON object with a message or a request; None for any other."""
    if not text.startswith(b"{") or not text.rstrip().endswith(b"}") or b'"' not in text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found:
        return None
    return access_record(found) or record_of(found)


def record_of(found: dict[str, Any]) -> JsonLine | None:
    """The record that an object's members are; None where none of them is a message."""
    record = found.get("record")
    if isinstance(record, dict) and isinstance(record.get("message"), str):
        return _loguru(record)
    data = dict(found)
    message = next((data.pop(k) for k in _MESSAGE if isinstance(data.get(k), str)), None)
    if message is None:
        return None
    raised = data.pop("err") if isinstance(data.get("err"), dict) else None
    level = _level(_pop(data, _LEVEL), is_node=data.keys() >= _NODE)
    stamp = told_stamp(_pop(data, _TIME))
    logger = _pop(data, _LOGGER)
    exception = _pop(data, _EXCEPTION) or raised
    return JsonLine(
        message,
        level,
        logger if isinstance(logger, str) else None,
        stamp,
        _request_id(data),
        _exception(exception),
        _pairs(data),
        members=found,
    )


def _loguru(record: dict[str, Any]) -> JsonLine:
    level, time, extra = record.get("level"), record.get("time"), record.get("extra")
    data = dict(extra) if isinstance(extra, dict) else {}
    name, line, function = record.get("name"), record.get("line"), record.get("function")
    stamp = None
    if isinstance(time, dict):
        stamp = told_stamp(time.get("repr")) or told_stamp(time.get("timestamp"))
    return JsonLine(
        record["message"],
        _level(level.get("name") if isinstance(level, dict) else level),
        ":".join(str(part) for part in (name, function, line) if part) or None,
        stamp,
        _request_id(data),
        _exception(record.get("exception")),
        _pairs(data),
        members={**(extra if isinstance(extra, dict) else {}), "message": record["message"]},
    )


def _pop(data: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The value of the first of these names that is there, taken out."""
    for name in names:
        if name in data and data[name] not in (None, ""):
            return data.pop(name)
    return None


def _level(value: Any, *, is_node: bool = False) -> int:
    """A level by name or number: Python's, or pino's and bunyan's, ten higher from INFO."""
    if isinstance(value, str):
        return LEVELS.get(value.strip().lower().encode("utf-8", "replace"), L_NONE)
    if isinstance(value, dict):
        return _level(value.get("name"))
    if isinstance(value, int) and not isinstance(value, bool):
        value -= 10 if is_node else 0
        return (L_DEBUG, L_DEBUG, L_INFO, L_WARNING, L_ERROR, L_CRITICAL)[
            max(0, min(5, value // 10))
        ]
    return L_NONE


def _request_id(data: dict[str, Any]) -> str | None:
    for name in ("request_id", "x_request_id", "X-Request-ID", "requestId", "correlation_id"):
        value = data.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            del data[name]
            return str(value)
    for value in data.values():
        if isinstance(value, dict) and (found := _request_id(dict(value))) is not None:
            return found
    return None


def _exception(value: Any) -> str | None:
    if isinstance(value, dict):
        kind, told = value.get("type"), value.get("value") or value.get("message")
        trace = value.get("traceback") or value.get("stacktrace") or value.get("stack")
        if isinstance(trace, str) and trace.strip():
            return trace
        return f"Traceback (most recent call last):\n{kind}: {told}" if kind else None
    if isinstance(value, list):
        value = "\n".join(str(part) for part in value)
    return value if isinstance(value, str) and value.strip() else None


def _pairs(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(k), _text(v)) for k, v in data.items() if v is not None)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def access_record(found: dict[str, Any]) -> JsonLine | None:
    """The access line that an object's members are; None for any other."""
    access = access_object(found, _ACCESS_TIME)
    if access is None:
        return None
    stamp = next((s for k in _ACCESS_TIME if (s := _access_stamp(found.get(k))) is not None), None)
    access = replace(access, stamp=stamp)
    return JsonLine("", stamp=stamp, request_id=access.columns.get("request_id"), access=access)


def _access_stamp(value: Any) -> Stamp | None:
    return told_stamp(value.strip("[]") if isinstance(value, str) else value)
