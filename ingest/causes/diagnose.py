"""A window's columns → what is wrong in it, ranked."""

from dataclasses import replace

import numpy as np

from ingest.causes.answers import dimensions_of_answers, events_of_answers
from ingest.causes.cache_filling import caches_filling
from ingest.causes.clock import clocks
from ingest.causes.columns import Observed, Requests, Rows
from ingest.causes.dimensions import Dimension, dimensions_of
from ingest.causes.doubts import with_doubts
from ingest.causes.evidence import with_evidence
from ingest.causes.explain import LEAST_NET, Explanation, Search, explanations
from ingest.causes.findings import CRITICAL, NOTE, Diagnosis, Finding
from ingest.causes.gradual import with_growth
from ingest.causes.judge import judged, wilson
from ingest.causes.loose_errors import loose_errors
from ingest.causes.periodic import Rhythm, rhythm_of
from ingest.causes.rank import ranked
from ingest.causes.sawtooth import beside, saw_tooth
from ingest.causes.scan import BUCKETS
from ingest.causes.silence import silences
from ingest.causes.symptoms import FAILURES, MIN_K, UNFINISHED, Event, events_of
from ingest.causes.windows import Span, narrowed, span_of

LOOKED_FOR = (
    "failures", "requests without an end", "slow stages", "cache", "warnings", "audio",
    "silence", "clocks", "HTTP answers",
)  # fmt: skip
_PERIODIC_NET = 5.0  # nats that a rhythm must win by
_FLOOR = 0.05  # of all requests: enough to be told without a condition
_LEAST_REQUESTS = 20


def diagnose(observed: Observed) -> Diagnosis:
    """Everything that is wrong in a window, the cause first; may be empty."""
    findings: list[Finding] = []
    uncertain: list[Finding] = []
    requests = observed.requests
    if len(requests) >= _LEAST_REQUESTS:
        dimensions = dimensions_of(requests)
        for event in events_of(observed, dimensions):
            some, rest = _of_event(requests, observed.total, dimensions, event)
            findings += some
            uncertain += rest
    findings += _of_answers(observed)
    findings += silences(observed)
    findings += clocks(observed)
    findings += loose_errors(observed)
    findings += caches_filling(observed)
    order = [with_evidence(observed, f) for f in ranked(findings, len(requests))]
    unsure = max(uncertain, key=lambda f: f.net, default=None)
    return Diagnosis(
        observed.since, observed.until, observed.total, tuple(order), LOOKED_FOR, unsure,
        observed.answered,
    )  # fmt: skip


def _of_answers(observed: Observed) -> list[Finding]:
    """What access lines tell; their rows are the requests that they answer."""
    answers, n_requests = observed.answers, len(observed.requests)
    if len(answers) < _LEAST_REQUESTS:
        return []
    dimensions = dimensions_of_answers(answers)
    place = np.where(answers.row >= 0, answers.row, n_requests + np.arange(len(answers)))
    found = []
    for event in events_of_answers(observed, dimensions):
        some, _ = _of_event(answers, observed.answered, dimensions, event)
        found += [replace(f, rows=np.unique(place[f.rows]), lines=f.rows) for f in some]
    return found


def _of_event(
    rows: Rows, total: int, dimensions: tuple[Dimension, ...], event: Event
) -> tuple[list[Finding], list[Finding]]:
    """An event's findings, and the best uncertain one; ``total`` is what rows are sampled from."""
    saw = saw_tooth(rows, event, total) if isinstance(rows, Requests) else []
    if event.affected.sum() < MIN_K:
        return saw, []
    if not saw:
        return _explained(rows, total, dimensions, event)
    return beside(saw, _explained(rows, total, dimensions, event)[0]), []


def _explained(
    rows: Rows, total: int, dimensions: tuple[Dimension, ...], event: Event
) -> tuple[list[Finding], list[Finding]]:
    """What windows, kinds of requests and rhythms explain of an event, and the best that is not
    certain.
    """
    search = Search.of(rows, dimensions, event)
    found, rest = explanations(rows, dimensions, event)
    best = max((f.net for f in found[:1]), default=0.0)
    needed = max(LEAST_NET, best + _PERIODIC_NET)
    rhythm = rhythm_of(search, event, needed)
    if rhythm is not None and rhythm.net >= needed:
        return [_periodic(search, event, rhythm, total, dimensions)], []
    findings = []
    for explanation in found:
        span = span_of(search, explanation)
        narrow = narrowed(search, explanation, span)
        finding = judged(search, narrow, span, total)
        if isinstance(rows, Requests):
            finding = with_doubts(rows, dimensions, narrow, finding)
        findings.append(with_growth(search, narrow, finding))
        search = search.without(explanation.rows)
    if not found:
        everything = _everything(search, event, total)
        if everything is not None:
            return [everything], []
    unsure = [] if rest is None else [_unsure(search, rest, total)]
    return findings, unsure


def _unsure(search: Search, rest: Explanation, total: int) -> Finding:
    span = span_of(search, rest)
    return replace(judged(search, narrowed(search, rest, span), span, total), severity=NOTE)


def _periodic(
    search: Search, event: Event, rhythm: Rhythm, total: int, dimensions: tuple[Dimension, ...]
) -> Finding:
    """The finding of a rhythm."""
    explanation = Explanation(
        event, (), 0, BUCKETS, rhythm.k, rhythm.n, rhythm.k_all, rhythm.n_all,
        rhythm.net, rhythm.cost, rhythm.rows, rhythm.rows,
    )  # fmt: skip
    finding = judged(search, explanation, Span("began"), total)
    if isinstance(search.requests, Requests):
        finding = with_doubts(search.requests, dimensions, explanation, finding)
    return replace(finding, kind="periodic", period_s=rhythm.period_s)


def _everything(search: Search, event: Event, total: int) -> Finding | None:
    """Many fail, and no more of one kind than of another, nor at one time than at another."""
    if event.symptom not in (FAILURES, UNFINISHED):
        return None
    k = float(search.weight[event.affected & search.population].sum())
    n = float(search.weight[search.population].sum())
    if k < _FLOOR * total or n <= 0:
        return None
    return Finding(
        event.symptom, CRITICAL, "whole", event.code, affected=k, population=n,
        interval=wilson(k, n), excess=k, score=k / 2, rows=np.flatnonzero(event.affected),
    )  # fmt: skip
