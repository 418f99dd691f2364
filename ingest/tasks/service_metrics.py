"""Figures of the service itself, of the last 5 and 60 minutes: requests, failures, times, cache."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from ingest.stores.contract import Reader
from ingest.stores.results import whole
from ingest.tasks.metric import Labels, Metric

WINDOWS = {"5m": timedelta(minutes=5), "60m": timedelta(minutes=60)}
_QUANTILES = (0.5, 0.95, 0.99)
# what a log calls statuses and stages is its own affair: so many of them are labels, the most
# frequent ones
_STATUSES, _STAGES = 10, 20
_REST = "other"

_WINDOW = "logged_at >= :since and logged_at < :until"
_TOTALS = """
select coalesce(status, 'unfinished'), count(*) from requests
group by 1 order by 2 desc, 1
"""
_REQUESTS = f"""
select coalesce(status, 'unfinished'), count(*) from requests where {_WINDOW}
group by 1 order by 2 desc, 1
"""
_TIMES = "\n".join(
    [
        "select",
        ",\n".join(
            f"    percentile_cont({q}) within group (order by {column})"
            for column in ("duration_ms", "rtf")
            for q in _QUANTILES
        ),
        f"from requests where {_WINDOW}",
    ]
)
_OF_STAGES = "\n".join(
    [
        "select stage, count(*),",
        ",\n".join(
            f"    percentile_cont({q}) within group (order by duration_ms)" for q in _QUANTILES
        ),
        f"from stage_timings where {_WINDOW} and duration_ms is not null and stage is not null",
        f"group by stage order by 2 desc, 1 limit {_STAGES}",
    ]
)
_CACHES = """
select host, path, used from (
    select host, path, coalesce(used_percent, 100 * used_mb / nullif(total_mb, 0)) as used,
        row_number() over (partition by host, path order by sampled_at desc, sample_key desc)
            as place
    from cache_samples where sampled_at >= :since and sampled_at < :until
) as sampled where place = 1 and used is not null order by host, path
"""


def of_service(reader: Reader, now: datetime) -> list[Metric]:
    """The figures of the windows that end at ``now``.

    :raises StoreError: when the store fails.
    """
    found: dict[str, list[tuple[Labels, float]]] = {name: [] for name in _HELP}
    for window, length in WINDOWS.items():
        binds = {"since": now - length, "until": now}
        label = (("window", window),)
        for name, labels, value in _of_window(reader, binds):
            found[name].append(((*label, *labels), value))
    caches = reader.query(_CACHES, {"since": now - max(WINDOWS.values()), "until": now}).rows
    found["ttsq_cache_used_ratio"] = [
        ((("host", str(host)), ("path", str(path or ""))), _number(used) / 100)
        for host, path, used in caches
    ]
    totals = _by_status(reader, _TOTALS, {})
    return [
        Metric(
            "ttsq_requests_total",
            "Requests stored, by status; unfinished ones have none yet",
            [((("status", s),), n) for s, n in totals.items()],
            "counter",
        ),
        *(
            Metric(name, _HELP[name], samples, "summary" if name in _QUANTILED else "gauge")
            for name, samples in found.items()
        ),
    ]


_HELP = {
    "ttsq_recent_requests": "Requests that began in the window, by status",
    "ttsq_failure_ratio": "Failed ones of the requests of the window that ended, 0 to 1",
    "ttsq_unfinished_requests": "Requests that began in the window and have not ended",
    "ttsq_request_duration_seconds": "How long requests of the window took, quantiles",
    "ttsq_stage_duration_seconds": "How long stages took in the window, quantiles",
    "ttsq_rtf": "Real-time factor of the requests of the window, quantiles",
    "ttsq_cache_used_ratio": "Newest sample of a cache directory within an hour, 0 to 1",
}
# summaries: only theirs may be samples with the label "quantile"
_QUANTILED = ("ttsq_request_duration_seconds", "ttsq_stage_duration_seconds", "ttsq_rtf")


def _of_window(reader: Reader, binds: Mapping[str, object]) -> Iterator[tuple[str, Labels, float]]:
    """Names, labels without that of the window, values."""
    counts = _by_status(reader, _REQUESTS, binds)
    for status, count in counts.items():
        yield "ttsq_recent_requests", (("status", status),), count
    unfinished = counts.get("unfinished", 0)
    ended = sum(counts.values()) - unfinished
    yield "ttsq_unfinished_requests", (), unfinished
    if ended:
        yield "ttsq_failure_ratio", (), (ended - counts.get("success", 0)) / ended
    times = reader.query(_TIMES, binds).rows[0]
    half = len(_QUANTILES)
    for quantile, milliseconds, rtf in zip(_QUANTILES, times[:half], times[half:], strict=True):
        label = (("quantile", str(quantile)),)
        if milliseconds is not None:
            yield "ttsq_request_duration_seconds", label, _number(milliseconds) / 1000
        if rtf is not None:
            yield "ttsq_rtf", label, _number(rtf)
    for stage, _, *quantiles in reader.query(_OF_STAGES, binds).rows:
        for quantile, value in zip(_QUANTILES, quantiles, strict=True):
            labels = (("stage", str(stage)), ("quantile", str(quantile)))
            yield "ttsq_stage_duration_seconds", labels, _number(value) / 1000


def _by_status(reader: Reader, sql: str, binds: Mapping[str, object]) -> dict[str, int]:
    """Counts by status, the rare ones together."""
    counts = dict.fromkeys(("success", "failed", "unfinished"), 0)
    for status, count in reader.query(sql, binds).rows:
        known = str(status) in counts or len(counts) < _STATUSES
        name = str(status) if known else _REST
        counts[name] = counts.get(name, 0) + whole(count)
    return counts


def _number(value: object) -> float:
    return float(str(value))
