"""Symptoms, yes or no per request: what went wrong, who could have it, and who has it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import NO, UNKNOWN, WARNING, Bools, Codes, Floats, Observed, Requests
from ingest.causes.dimensions import Dimension
from ingest.causes.residuals import deviations, residuals
from ingest.causes.scan import buckets_of

FAILURES, UNFINISHED, LATENCY = "failures", "unfinished", "latency"
CACHE_WRITE, CACHE_HITS, WARNINGS = "cache_write", "cache_hits", "warnings"
AUDIO_SIZE, DULL_AUDIO, RTF = "audio_size", "dull_audio", "rtf"
HTTP_ERRORS, HTTP_LATENCY, SILENT_FAILURES = "http_errors", "http_latency", "silent_failures"
SILENCE, CLOCK, ERRORS, CACHE_FILLING = "silence", "clock", "errors", "cache_filling"
MIN_K = 5  # affected requests: fewer are no event
END_TO_END = "end_to_end"  # the stage of a service that logs none

DULL_HZ = 1800.0  # of the spectral centroid
_LOUDEST = 5.0  # robust standard deviations of the audio's size a character
_ODD_SIZE = math.log(1.6)
# seconds that a request may take before it counts as hanging
_LEAST_AGE, _MOST_AGE, _TIMES_USUAL = 30.0, 120.0, 3.0
_BEHIND = 50  # requests that came later: what has no end by then hangs, where no instant is known
_STEPS, _MOST_STEPS = (
    5,
    20,
)  # of what a stage's times are rounded to: by the median, by the 99th percentile


@dataclass(frozen=True, slots=True)
class Event:
    """``population`` and ``affected`` bool[n_requests]; ``excess`` float64[n_requests] says of a
    stage how slow, NaN outside.

    ``subject`` is the HTTP server that says so. ``weighted``: rows stand for as many requests as
    their weight says; else the sampled rows alone count.
    """

    symptom: str
    population: Bools
    affected: Bools
    code: str | None = None
    stage: str | None = None
    weighted: bool = True
    excess: Floats | None = None
    own_ms: Floats | None = None
    subject: str | None = None


def events_of(observed: Observed, dimensions: tuple[Dimension, ...]) -> list[Event]:
    """All events of at least MIN_K affected requests; of times all, for they may be a saw-tooth."""
    r = observed.requests
    found: list[Event | None] = [
        *_failures(r),
        _unfinished(observed),
        *_cache(r),
        *_warnings(observed),
    ]
    found += [*_slow(r, dimensions), _audio_size(r), _dull(r)]
    return [
        e for e in found
        if e is not None and (e.excess is not None or e.affected.sum() >= MIN_K)
    ]  # fmt: skip


def _failures(r: Requests) -> Iterator[Event]:
    codes = r.error_code.codes
    for place in np.unique(codes[r.failed]):
        code = str(r.error_code.values[place]) if place >= 0 else None
        yield Event(FAILURES, r.finished, r.failed & (codes == place), code)


def usual_limit(r: Requests) -> float:
    """Seconds behind which a request without an end counts as hanging."""
    known = r.duration_ms[~np.isnan(r.duration_ms)]
    usual = float(np.quantile(known, 0.999)) / 1000 if len(known) else _MOST_AGE
    return min(_MOST_AGE, max(_LEAST_AGE, _TIMES_USUAL * usual))


def _unfinished(observed: Observed) -> Event:
    r = observed.requests
    last = np.append(observed.arrivals.last_at, observed.until)[r.host.codes]
    came_later = np.arange(len(r), 0, -1) - 1
    asked = np.where(r.dated, last - r.at > usual_limit(r), came_later >= _BEHIND)
    return Event(UNFINISHED, asked, asked & ~r.finished & ~np.isnan(r.started))


def _cache(r: Requests) -> Iterator[Event]:
    known = (r.cache_saved != UNKNOWN) & r.finished & ~r.failed
    yield Event(CACHE_WRITE, known, known & (r.cache_saved == NO))
    known = (r.cache_hit != UNKNOWN) & r.sampled
    yield Event(CACHE_HITS, known, known & (r.cache_hit == NO), weighted=False)


def _warnings(observed: Observed) -> Iterator[Event]:
    r, records = observed.requests, observed.records
    tied = (records.row >= 0) & (records.level == WARNING)
    everyone = np.ones(len(r), bool)
    for place in np.unique(records.code.codes[tied]):
        if place < 0:
            continue
        affected = np.zeros(len(r), bool)
        affected[records.row[tied & (records.code.codes == place)]] = True
        yield Event(WARNINGS, everyone, affected, str(records.code.values[place]))


def _slow(r: Requests, dimensions: tuple[Dimension, ...]) -> Iterator[Event]:
    timed = [(s.name, s.own_ms) for s in r.stages] or [(END_TO_END, r.duration_ms)]
    for name, own_ms in timed:
        measured = _measured(np.where(r.sampled, own_ms, np.nan), r.cache_hit)
        yield from _slower(LATENCY, r, measured, _sizes(r), name, dimensions)
    rtf = np.where(r.sampled, r.rtf, np.nan)
    yield from _slower(RTF, r, rtf, r.audio_ms, None, dimensions)


def _slower(
    symptom: str, r: Requests, taken: Floats, size: Floats, stage: str | None,
    dimensions: tuple[Dimension, ...],
) -> Iterator[Event]:  # fmt: skip
    """What takes longer than expected of its size."""
    found = residuals(taken, size, r.cache_hit, buckets_of(np.ones(len(r))), dimensions)
    if found is None:
        return
    population, affected = np.zeros(len(r), bool), np.zeros(len(r), bool)
    excess = np.full(len(r), np.nan)
    population[found.rows] = True
    affected[found.rows] = found.slow
    excess[found.rows] = found.value
    yield Event(symptom, population, affected, None, stage, False, excess, taken)


def _sizes(r: Requests) -> Floats:
    """What time grows with: the text's length, else the audio's, logged or by its factor."""
    with np.errstate(divide="ignore", invalid="ignore"):
        by_factor = np.where(r.rtf > 0, r.duration_ms / r.rtf, np.nan)
    known = [(~np.isnan(s)).sum() for s in (r.text_len, r.audio_ms, by_factor)]
    best = next((i for i, n in enumerate(known) if n >= len(r) / 2), int(np.argmax(known)))
    return (r.text_len, r.audio_ms, by_factor)[best]


def _measured(own_ms: Floats, groups: Codes) -> Floats:
    """Times without groups so short that rounding decides; float64[n], a copy."""
    kept = own_ms.copy()
    for group in np.unique(groups):
        here = (groups == group) & (own_ms > 0)
        times = own_ms[here]
        if not len(times):
            continue
        step = next((s for s in (10.0, 1.0) if not (times % s).any()), 0.0)
        middle, long = np.quantile(times, [0.5, 0.99])
        if middle < _STEPS * step and long < _MOST_STEPS * step:
            kept[here] = np.nan
    return kept


def _audio_size(r: Requests) -> Event | None:
    length = r.audio_kb if (r.audio_kb > 0).sum() >= (r.audio_ms > 0).sum() else r.audio_ms
    known = (length > 0) & (r.text_len > 0) & r.sampled
    if known.sum() < MIN_K:
        return None
    rows = np.flatnonzero(known)
    off = deviations(np.log(length[rows]), r.text_len[rows])
    spread = 1.4826 * float(np.median(np.abs(off)))
    affected = np.zeros(len(r), bool)
    affected[rows] = np.abs(off) > max(_LOUDEST * spread, _ODD_SIZE)
    return Event(AUDIO_SIZE, known, affected, weighted=False)


def _dull(r: Requests) -> Event:
    known = ~np.isnan(r.centroid) & r.sampled
    with np.errstate(invalid="ignore"):
        return Event(DULL_AUDIO, known, known & (r.centroid < DULL_HZ), weighted=False)
