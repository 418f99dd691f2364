"""The golden fields: what the named queries need to find in a log, and the logging that puts it
there.

The counts of a field are those of ``queries/field_coverage.sql``, where that has the field.
"""

from typing import NamedTuple

MOST = 0.95  # a field that fewer records have is a gap; some are lost at the borders of any log
ANY = 1e-9  # a field that only some records can have, so that one is enough

# What a field is counted among.
BASES = {
    "requests": "requests",
    "ends": "requests with an end",
    "successes": "successful requests",
    "failures": "failed requests",
    "computed": "requests not served from the cache",
    "computed_successes": "successful ones not from the cache",
    "warnings": "WARNING records",
}


class Golden(NamedTuple):
    """A golden field: among what it is counted (:data:`BASES`), and from which share (0 to 1) on it
    counts as logged.

    ``event`` is the record to which ``pairs`` (key, format, expression) are to be added where the
    field is missing.
    """

    name: str
    base: str
    event: str
    pairs: tuple[tuple[str, str, str], ...]
    least: float = MOST


_START, _COMPLETE = "synthesis_start", "synthesis_complete"
_METRICS, _CACHE = "audio_metrics", "cache_health"
_TEXT = ("text", "%s", "json.dumps(text, ensure_ascii=False)")

FIELDS = (
    Golden("id", "requests", _START, ()),
    Golden("request_id", "requests", _START, (("request_id", "%s", "request_id"),)),
    Golden("started_at", "requests", _START, (_TEXT,)),
    # what hangs or was killed ends in no log: that is news, not a gap
    Golden("completed_at", "requests", _COMPLETE, (("status", "%s", "status"),), 0.5),
    Golden("status", "ends", _COMPLETE, (("status", "%s", "status"),)),
    Golden("duration_ms", "ends", _COMPLETE, (("duration_ms", "%d", "duration_ms"),)),
    Golden("error_code", "failures", _COMPLETE, (("error_code", "%s", "error_code"),)),
    Golden("model_stage", "failures", _COMPLETE, (("model_stage", "%s", "stage"),)),
    Golden("stage_times", "computed", "stage_time", ()),
    Golden("text", "requests", _START, (_TEXT,)),
    Golden("text_len", "requests", _START, (("text_len", "%d", "len(text)"),)),
    Golden("lang", "requests", _START, (("lang", "%s", "lang"),)),
    Golden("voice", "requests", _START, (("voice", "%s", "voice"),)),
    Golden("cache_hit", "requests", _START, (("cache_hit", "%s", "cache_hit"),)),
    Golden("cache_saved", "successes", _COMPLETE, (("cache_saved", "%s", "cache_saved"),)),
    Golden("audio_size_kb", "successes", _COMPLETE, (("audio_size_kb", "%.1f", "len(audio) / 1024"),
    )),
    Golden("rms", "computed_successes", _METRICS, (("rms", "%.4f", "rms"),)),
    Golden(
        "spectral_centroid", "computed_successes", _METRICS,
        (("spectral_centroid", "%.1f", "spectral_centroid"),),
    ),
    Golden("cache_health", "requests", _CACHE, ()),
    Golden("warning_code", "warnings", "warnings", (("warning_code", "%s", "warning_code"),), ANY),
)  # fmt: skip
BY_NAME = {f.name: f for f in FIELDS}

_WHERE = {
    _START: "where a request begins",
    _COMPLETE: "where a request ends, whether it worked or not",
    "stage_time": "at the end of each stage; started = time.monotonic() where the request begins",
    _METRICS: "when the audio is there",
    _CACHE: "every minute, from a timer; usage = shutil.disk_usage(cache_dir)",
    "warnings": "where the service continues with less than was asked for",
}
_FIXED = {
    "stage_time": (
        ("stage", "%s", "stage"),
        ("id", "%s", "ts_id"),
        ("duration_ms", "%d", "(time.monotonic() - started) * 1000"),
    ),
    _CACHE: (
        ("path", "%s", "cache_dir"),
        ("used", "%.0fMB", "usage.used / 2**20"),
        ("total", "%.0fMB", "usage.total / 2**20"),
        ("usage", "%.1f%%", "100 * usage.used / usage.total"),
    ),
}
_NAMES = {"warnings": "fallback"}  # of the events that have no name of their own
_LINE = 100  # characters


def logging_lines(event: str, fields: list[str]) -> list[str]:
    """Python lines that put fields (:data:`FIELDS`) into a record; the service adapts the names."""
    pairs = dict.fromkeys(_FIXED.get(event, (("id", "%s", "ts_id"),)))
    pairs.update(dict.fromkeys(p for name in fields for p in BY_NAME[name].pairs))
    body = ", ".join(f"{key}={form}" for key, form, _ in pairs)
    values = ", ".join(expression for _, _, expression in pairs)
    call = "logger.warning" if event == "warnings" else "logger.info"
    text = f'"{_NAMES.get(event, event)}: {body}"'
    where = f"# {_WHERE[event]}"
    if len(one := f"{call}({text}, {values})") <= _LINE:
        return [where, one]
    return [where, f"{call}(", f"    {text},", f"    {values},", ")"]
