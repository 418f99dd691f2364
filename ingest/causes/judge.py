"""How bad an explained event is: its numbers, and from them its severity and score."""

import math
from dataclasses import replace

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
    """How many times the rate outside, and the lower end of its 95 % interval; half a case where there is none."""
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
        ratio=slow[0] if slow else None,
        slow_ms=slow[1] if slow else None, usual_ms=slow[2] if slow else None,
        net=found.net, gain=found.net + found.cost, cost=found.cost, excess=excess,
        rows=affected,
    )  # fmt: skip
    severity = NOTE if not _is_effect(finding, low, total) else _severity(finding, span, total)
    return _scored(finding, severity)


def _slowness(found: Explanation) -> tuple[float, float, float]:
    """How many times slower the slow side is, and the medians inside and outside, ms."""
    event = found.event
    assert event.excess is not None and event.own_ms is not None
    inside = found.rows & event.population
    outside = event.population & ~found.rows
    if not outside.any():
        return 1.0, float(np.median(event.own_ms[inside])), float("nan")
    apart = np.median(event.excess[inside]) - np.median(event.excess[outside])
    slow = float(np.median(event.own_ms[inside]))
    return float(np.exp(apart)), slow, float(np.median(event.own_ms[outside]))


def _is_effect(f: Finding, low: float, total: int) -> bool:
    """Whether it is large enough to tell people of."""
    if f.symptom != CACHE_HITS and f.population_outside > 0 and low < _LEAST_RISK_RATIO:
        return False
    rate = f.rate or 0.0
    if rate < _LEAST_RATE:
        return False
    if f.excess >= max(_EXCESS, _EXCESS_SHARE * total):
        return True
    return f.excess >= _FEW_EXCESS and rate >= _FEW_RATE and f.net >= _FEW_NET


def _severity(f: Finding, span: Span, total: int) -> str:
    is_worst = f.symptom in _WORST or (f.symptom == HTTP_ERRORS and not _is_refused(f))
    worst = CRITICAL if is_worst else WARNING
    if _is_refused(f) and f.excess < _REFUSED_SHARE * total:
        return NOTE
    if f.symptom == CACHE_HITS:
        rate, outside = f.rate or 0.0, f.rate_outside or 0.0
        fell = 1 - rate <= 0.6 * (1 - outside)
        return worst if fell and (f.changed or f.conditions) else NOTE
    if span.kind == MIX:
        is_much = f.affected >= _MIX_AFFECTED and span.share >= _MIX_SHARE
        return worst if is_much and span.since is not None else NOTE
    if span.kind == STANDING:
        return worst if _stands_out(f, total) else NOTE
    if f.symptom == HTTP_LATENCY:
        slower = (f.slow_ms or 0.0) - (f.usual_ms or 0.0)
        is_long = slower >= max(_OUTSIDE_MS, _OUTSIDE_SHARE * (f.slow_ms or 0.0))
        return worst if is_long and (f.ratio or 1) >= 1.3 and (f.rate or 0) >= 0.12 else NOTE
    if f.symptom == RTF:
        return worst if (f.ratio or 1) >= 1.3 and (f.rate or 0) >= 0.12 else NOTE
    if f.symptom == LATENCY:
        slower = (f.slow_ms or 0.0) * (1 - 1 / max(f.ratio or 1.0, 1.0))
        return worst if (f.ratio or 1) >= 1.3 and (f.rate or 0) >= 0.12 and slower >= 5 else NOTE
    return worst


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
        crowded = any(c.name == CONCURRENCY for c in f.conditions)
        return (f.ratio or 1) >= (1.7 if crowded else 2.5) and rate > (0.3 if crowded else 0.4)
    if f.symptom in (AUDIO_SIZE, DULL_AUDIO, CACHE_WRITE):
        return f.excess >= 0.03 * total
    return False


def _scored(f: Finding, severity: str) -> Finding:
    weight = _WEIGHT[f.symptom]
    if _is_refused(f):
        weight = _REFUSED_WEIGHT
    if f.symptom in (LATENCY, HTTP_LATENCY, RTF):
        weight *= min(3.0, max(0.2, math.log2(max(f.ratio or 1.0, 1.0))))
        weight *= 0.5 if (f.slow_ms or 0.0) < 100 and f.symptom != RTF else 1.0
    if f.kind == STANDING:
        weight *= 0.5
    return replace(f, severity=severity, score=max(0.0, weight * f.excess))
