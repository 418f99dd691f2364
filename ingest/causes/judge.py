"""How bad an explained event is: its numbers, and from them its severity and score."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ingest.causes.dimensions import CONCURRENCY, TEXT_LEN
from ingest.causes.explain import Explanation, Search
from ingest.causes.findings import CRITICAL, NOTE, WARNING, Finding
from ingest.causes.symptoms import (
    AUDIO_SIZE,
    CACHE_HITS,
    CACHE_WRITE,
    DULL_AUDIO,
    FAILURES,
    HTTP_ERRORS,
    HTTP_LATENCY,
    LATENCY,
    RTF,
    SILENT_FAILURES,
    UNFINISHED,
    WARNINGS,
)
from ingest.causes.windows import BEGAN, MIX, NEW, STANDING, Span

_Z = 1.959964  # 95 %
_LEAST_RISK_RATIO = 1.5
_LEAST_RATE = 0.04
_NOVEL_RATE, _NOVEL_RATIO, _NOVEL_NET, _NOVEL_ROWS = 0.01, 10.0, 30.0, 50.0
_EXCESS, _EXCESS_SHARE = 5.0, 0.0015
_FEW_EXCESS, _FEW_RATE, _FEW_NET = 4.5, 0.30, 12.0
# of all requests: what has always failed and is still worth an alarm
_STANDS_OUT, _UNSPEAKABLE = 0.01, 0.03
_MIX_AFFECTED, _MIX_SHARE = 15.0, 0.03
_WEIGHT = {
    FAILURES: 1.0, UNFINISHED: 1.0, LATENCY: 0.4, AUDIO_SIZE: 0.35, DULL_AUDIO: 0.35,
    CACHE_WRITE: 0.3, WARNINGS: 0.25, CACHE_HITS: 0.2, RTF: 0.3,
    HTTP_ERRORS: 0.9, HTTP_LATENCY: 0.3, SILENT_FAILURES: 0.5,
}  # fmt: skip
_WORST = frozenset((FAILURES, UNFINISHED))
_REFUSED_SHARE, _REFUSED_WEIGHT = 0.01, 0.3  # of answers 4xx: the client's fault, as a rule
_OFTEN, _TIMES_OFTEN = 0.12, 4.0  # slow requests: of all, and beside those elsewhere
_BY_LENGTH = 20  # slow requests of a kind that is but longer
_WARM_UP = 15  # requests of a host behind its start
_LEAST_RATIO = 1.3  # of the medians: less is hardly slower
_TIMES_SHIFTED, _MORE_SLOW = (
    2.0,
    0.08,
)  # slow requests beside those that a small shift of all would give
_OUTSIDE_MS, _OUTSIDE_SHARE = (
    100.0,
    0.05,
)  # what an answer must take longer, of itself and of what it takes


def wilson(k: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a rate, 0 to 1 (Wilson, 1927)."""
    if n <= 0:
        return 0.0, 1.0
    p, z2 = k / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(max(p * (1 - p) / n + z2 / (4 * n * n), 0.0)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def risk_ratio(k: float, n: float, k_out: float, n_out: float) -> tuple[float, float]:
    """The ratio to the rate outside (at least half a case), and its 95 % interval's lower end."""
    if n <= 0 or n_out <= 0:
        return 1.0, 0.0
    rest = k_out if k_out > 0 else 0.5
    ratio = (k / n) / (rest / n_out)
    if k <= 0:
        return ratio, 0.0
    deviation = math.sqrt(max(1 / k - 1 / n + 1 / rest - 1 / n_out, 0.0))
    return ratio, ratio * math.exp(-_Z * deviation)


def judged(search: Search, found: Explanation, span: Span, total: int) -> Finding:
    """The finding of an explanation; ``total`` counts the window's requests."""
    event = found.event
    rows = found.rows if span.kind in (BEGAN, NEW, STANDING) else found.slice_rows
    affected = np.flatnonzero(event.affected & rows)
    k_out, n_out = found.k_all - found.k, found.n_all - found.n
    ratio, low = risk_ratio(found.k, found.n, k_out, n_out)
    outside = k_out / n_out if n_out > 0 else 0.0
    scale = 1.0 if event.weighted else total / max(len(search.requests), 1)
    scale = scale if scale > 1.0 else 1.0
    excess = (found.k - found.n * outside) * scale
    slow = None if event.own_ms is None else _slowness(found)
    finding = Finding(
        event.symptom, NOTE, span.kind, event.code, event.stage,
        conditions=found.conditions, since=span.since, until=span.until,
        since_key=span.key, subject=event.subject,
        affected=found.k * scale, population=found.n * scale,
        affected_outside=k_out * scale, population_outside=n_out * scale,
        interval=wilson(found.k, found.n), risk_ratio=ratio if n_out > 0 else None,
        ratio=slow.ratio if slow else None, partial=slow.partial if slow else False,
        slow_ms=slow.slow_ms if slow else None, usual_ms=slow.usual_ms if slow else None,
        net=found.net, gain=found.net + found.cost, cost=found.cost, excess=excess,
        rows=affected,
    )  # fmt: skip
    is_novel = event.symptom in _WORST and low >= _NOVEL_RATIO / 2 and _is_novel(search, found)
    severity = NOTE
    if _is_effect(finding, low, total, is_novel):
        hosts = len(np.unique(search.requests.host.codes[affected]))
        severity = NOTE if _is_warm_up(finding, hosts) else _severity(finding, span, total)
    return scored(finding, severity)


@dataclass(frozen=True, slots=True)
class _Slowness:
    """How many times slower, and the medians inside and outside; ``partial``: of the affected
    alone.
    """

    ratio: float
    slow_ms: float
    usual_ms: float
    partial: bool = False


def _slowness(found: Explanation) -> _Slowness:
    """How much slower the slow side is, or that part of it which is slow at all."""
    event = found.event
    assert event.excess is not None and event.own_ms is not None
    inside = found.rows & event.population
    outside = event.population & ~found.rows
    slow_ms = float(np.median(event.own_ms[inside]))
    if not outside.any():
        return _Slowness(1.0, slow_ms, math.nan)
    middle, usual_ms = np.median(event.excess[outside]), float(np.median(event.own_ms[outside]))
    apart = float(np.median(event.excess[inside]) - middle)
    slow = inside & event.affected
    if math.exp(apart) < _LEAST_RATIO and slow.any():
        threshold = float(event.excess[slow].min())
        # as many would be slow if all had become slower by what the median has
        shifted = float((event.excess[outside] > threshold - max(apart, 0.0)).mean())
        if slow.sum() / inside.sum() >= _TIMES_SHIFTED * shifted + _MORE_SLOW:
            ratio = math.exp(float(np.median(event.excess[slow]) - middle))
            return _Slowness(ratio, float(np.median(event.own_ms[slow])), usual_ms, True)
    return _Slowness(math.exp(apart), slow_ms, usual_ms)


def _is_novel(search: Search, found: Explanation) -> bool:
    """Whether its requests hardly ever had it at other times: such a thing is told even where few
    have it.
    """
    if found.net < _NOVEL_NET:
        return False
    other = found.slice_rows & ~found.rows
    k, n = (float(search.weight[r].sum()) for r in (other & found.event.affected, other))
    return n >= _NOVEL_ROWS and found.k / found.n >= _NOVEL_RATIO * (k + 0.5) / n


def _is_effect(f: Finding, low: float, total: int, is_novel: bool) -> bool:
    """Whether it is large enough to tell people of."""
    if f.symptom != CACHE_HITS and f.population_outside > 0 and low < _LEAST_RISK_RATIO:
        return False
    rate = f.rate or 0.0
    if rate < (_NOVEL_RATE if is_novel else _LEAST_RATE):
        return False
    if f.excess >= max(_EXCESS, _EXCESS_SHARE * total):
        return True
    return f.excess >= _FEW_EXCESS and rate >= _FEW_RATE and f.net >= _FEW_NET


def _is_warm_up(f: Finding, hosts: int) -> bool:
    """Whether but the first requests of the log were slow: models and caches were cold."""
    is_first = f.kind == BEGAN and f.since is None and f.until is not None
    is_slow = f.symptom in (LATENCY, HTTP_LATENCY, RTF)
    return is_first and is_slow and f.affected <= _WARM_UP * hosts


def _severity(f: Finding, span: Span, total: int) -> str:
    is_worst = f.symptom in _WORST or (f.symptom == HTTP_ERRORS and not _is_refused(f))
    worst = CRITICAL if is_worst else WARNING
    if _is_refused(f) and f.excess < _REFUSED_SHARE * total:
        return NOTE
    if f.symptom == CACHE_HITS:
        rate, outside = f.rate or 0.0, f.rate_outside or 0.0
        fell = 1 - rate <= 0.6 * (1 - outside)
        is_told = f.since is not None or f.since_key is not None or f.conditions
        return worst if fell and is_told else NOTE  # that it was cold at first is no news
    if span.kind == MIX:
        is_much = f.affected >= _MIX_AFFECTED and span.share >= _MIX_SHARE
        return worst if is_much and span.since is not None else NOTE
    if span.kind == STANDING:
        return worst if _stands_out(f, total) else NOTE
    if f.symptom in (LATENCY, RTF) and _is_by_length(f) and f.affected < _BY_LENGTH:
        return NOTE  # what a curve through few texts leaves at its ends is not slow
    if f.symptom == HTTP_LATENCY:
        slower = (f.slow_ms or 0.0) - (f.usual_ms or 0.0)
        is_long = slower >= max(_OUTSIDE_MS, _OUTSIDE_SHARE * (f.slow_ms or 0.0))
        return (
            worst if is_long and (f.ratio or 1) >= _LEAST_RATIO and (f.rate or 0) >= 0.12 else NOTE
        )
    if f.symptom == RTF:
        return worst if (f.ratio or 1) >= _LEAST_RATIO and (f.rate or 0) >= 0.12 else NOTE
    if f.symptom == LATENCY:
        slower = (f.slow_ms or 0.0) * (1 - 1 / max(f.ratio or 1.0, 1.0))
        return worst if (f.ratio or 1) >= _LEAST_RATIO and slower >= 5 and _is_often(f) else NOTE
    return worst


def _is_by_length(f: Finding) -> bool:
    """Whether its requests are but longer, or shorter."""
    return bool(f.conditions) and all(c.name == TEXT_LEN for c in f.conditions)


def _is_often(f: Finding) -> bool:
    """Whether enough of its requests are slow, or many more than elsewhere."""
    rate, outside = f.rate or 0.0, f.rate_outside or 0.0
    return rate >= _OFTEN or (
        rate >= _OFTEN / 2 and rate >= _TIMES_OFTEN * outside and f.net >= _NOVEL_NET
    )


def _is_refused(f: Finding) -> bool:
    """Whether HTTP says that the client is to blame."""
    return f.symptom == HTTP_ERRORS and (f.code or "").startswith("4")


def _is_unspeakable(f: Finding) -> bool:
    """Whether its texts hold nothing that could be spoken: to refuse them is right."""
    return any(
        (c.name == "text_class" and c.value in ("empty", "control"))
        or (c.name == TEXT_LEN and (c.op, c.value) in (("=", 0), ("<", 1), ("<", 2)))
        for c in f.conditions
    )


def _stands_out(f: Finding, total: int) -> bool:
    """Whether what has been so all the time is worth more than a note."""
    rate = f.rate or 0.0
    if f.symptom in _WORST or (f.symptom == HTTP_ERRORS and not _is_refused(f)):
        return (
            f.excess >= (_UNSPEAKABLE if _is_unspeakable(f) else _STANDS_OUT) * total
            and rate >= 0.15
        )
    if f.symptom in (LATENCY, RTF):
        if _is_by_length(f) and f.excess < _STANDS_OUT * total:
            return False
        crowded = any(c.name == CONCURRENCY for c in f.conditions)
        return (f.ratio or 1) >= (1.7 if crowded else 2.5) and rate > (0.3 if crowded else 0.4)
    if f.symptom in (AUDIO_SIZE, DULL_AUDIO, CACHE_WRITE):
        return f.excess >= 0.03 * total
    return False


def scored(f: Finding, severity: str) -> Finding:
    """The finding with its severity, and the score that its rank goes by."""
    weight = _WEIGHT[f.symptom]
    if _is_refused(f):
        weight = _REFUSED_WEIGHT
    if f.symptom in (LATENCY, HTTP_LATENCY, RTF):
        weight *= min(3.0, max(0.2, math.log2(max(f.ratio or 1.0, 1.0))))
        weight *= 0.5 if (f.slow_ms or 0.0) < 100 and f.symptom != RTF else 1.0
    if f.kind == STANDING:
        weight *= 0.5
    return replace(f, severity=severity, score=max(0.0, weight * f.excess))
