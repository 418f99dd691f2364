"""Names of a JSON object's members → what is known of their values beforehand (pure).

A name that any rule of JSON records looks for decides what the record is, so what stands behind it
is kept; a number behind a name of an amount may be any. Behind all other names anything may stand.
"""

from functools import lru_cache

from ingest.compiled.objects import AMOUNT, FREE, KEPT, NAMED
from ingest.records import structured_words as words
from ingest.records.structured_fields import amounts, plain

_IDS = frozenset((*words.IDS, "requestid"))
_AMOUNTS = frozenset((*words.COLUMNS["text_len"], *words.COLUMNS["rtf"], *amounts()))
_STAMPS = frozenset((
    "timestamp", "asctime", "time", "ts", "datetime", "date", "time_local", "time_iso8601", "msec",
    "start_time",
))  # fmt: skip
_DECIDES = frozenset((
    *words.COLUMNS["voice"], *words.COLUMNS["lang"], *words.COLUMNS["error_code"],
    *words.STAGES, *words.ERRORS, *words.STATES, *words.ABOUT, *words.OPERATIONS, *words.PATHS,
    *words.HTTP, "message", "event", "event_name", "msg", "log", "text_payload", "level",
    "levelname", "severity", "log_level", "lvl", "no", "logger", "name", "logger_name",
    "log_logger", "function", "line", "exc_info", "exception", "stack", "stack_info", "traceback",
    "exc_text", "error_stack_trace", "stack_trace", "stacktrace", "outcome", "success", "ok",
    "stream", "response", "request", "http_request", "bytes", "bytes_sent", "referer", "value",
))  # fmt: skip


@lru_cache(4096)
def kind_of_key(name: str) -> int:
    """What stands behind a member's name, as the masker of objects knows it."""
    told = plain(name)
    if told in _IDS:
        return NAMED
    if told in _DECIDES:
        return KEPT
    if told in _AMOUNTS and told not in _STAMPS:
        return AMOUNT
    return FREE
