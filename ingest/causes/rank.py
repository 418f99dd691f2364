"""Which finding is the cause, and which follow from it."""

from dataclasses import replace

import numpy as np

from ingest.causes.findings import CRITICAL, NOTE, Finding
from ingest.causes.symptoms import (
    CACHE_FILLING,
    CACHE_WRITE,
    CLOCK,
    FAILURES,
    HTTP_ERRORS,
    HTTP_LATENCY,
    LATENCY,
    RTF,
    SILENCE,
    UNFINISHED,
)

_SHARE = 0.6  # of a finding's requests that are another's
_OVERLAP = 0.8
_TIMES_JUMP = 2.5
_SLACK_S = 120.0
_NEAR_S = 600.0
_TIMES_MORE = 2.0  # answers that are errors, beside the requests that explain them
_FAR = float("inf")


def ranked(findings: list[Finding], n_requests: int) -> list[Finding]:
    """Causes by severity and score, each with its consequences."""
    order = sorted(findings, key=_place)
    kept = [f for f in order if f.symptom == CLOCK]
    for finding in (f for f in order if f.symptom != CLOCK):
        at = next((i for i, cause in enumerate(kept) if _follows(finding, cause, n_requests)), None)
        if at is None:
            kept.append(finding)
        else:
            kept[at] = replace(kept[at], consequences=(*kept[at].consequences, finding))
    kept = _without_silence(_without_timeouts(kept))
    return sorted(kept, key=_place)


def _place(f: Finding) -> tuple[int, float]:
    severity = 0 if f.severity == CRITICAL else 2 if f.severity == NOTE else 1
    return (1 if f.severity != NOTE and severity == 1 else severity, -f.score)


def _follows(x: Finding, cause: Finding, n_requests: int) -> bool:
    """Whether a lower finding is but a consequence of a higher one."""
    if x.symptom == CACHE_FILLING:
        return cause.symptom in (FAILURES, CACHE_WRITE) and _of_one_host(x, cause)
    if cause.symptom == CLOCK:
        return x.symptom in (SILENCE, UNFINISHED, LATENCY) and _explained_by(x, cause)
    if _answers_for(x, cause, n_requests):
        return True
    if len(x.rows) and len(cause.rows):
        shared = len(np.intersect1d(x.rows, cause.rows, assume_unique=True))
        if shared >= _SHARE * len(x.rows):
            return True
    return x.symptom == cause.symptom and _alike(x, cause) and len(x.rows) > 0


def _answers_for(x: Finding, cause: Finding, n_requests: int) -> bool:
    """Whether HTTP reports what its service reports then, and no line is tied to a request."""
    causes = {
        HTTP_ERRORS: (FAILURES, UNFINISHED, HTTP_ERRORS),
        HTTP_LATENCY: (LATENCY, FAILURES, UNFINISHED, HTTP_LATENCY, RTF),
    }.get(x.symptom, ())
    if cause.symptom not in causes or cause.severity == NOTE or not _of_one_host(x, cause):
        return False
    if x.symptom == HTTP_ERRORS:
        is_known = (x.rows < n_requests).sum() >= len(x.rows) / 2 and not len(cause.lines)
        if is_known or x.affected > _TIMES_MORE * cause.affected:
            return False
    return _at_one_time(x, cause)


def _at_one_time(x: Finding, cause: Finding) -> bool:
    begins = [-_FAR if f.since is None else f.since for f in (x, cause)]
    ends = [_FAR if f.until is None else f.until for f in (x, cause)]
    near = begins[0] == begins[1] or abs(begins[0] - begins[1]) <= _NEAR_S
    overlap = min(ends) - max(begins)
    longest = max(e - b for b, e in zip(begins, ends, strict=True))
    return near if longest == _FAR else overlap >= _OVERLAP * longest


def _alike(x: Finding, cause: Finding) -> bool:
    """The same requests at the same time, by what they are called."""
    if x.conditions != cause.conditions:
        return False
    begins = [-_FAR if f.since is None else f.since for f in (x, cause)]
    ends = [_FAR if f.until is None else f.until for f in (x, cause)]
    if begins[0] == begins[1] and ends[0] == ends[1]:
        return True
    overlap = min(ends) - max(begins)
    longest = max(e - b for b, e in zip(begins, ends, strict=True))
    if longest == _FAR:
        return abs(begins[0] - begins[1]) < 600 or (begins[0] == begins[1])
    return overlap >= _OVERLAP * longest


def _of_one_host(x: Finding, cause: Finding) -> bool:
    hosts = [{c.value for c in f.conditions if c.name == "host"} for f in (x, cause)]
    return not hosts[0] or not hosts[1] or hosts[0] == hosts[1]


def _explained_by(x: Finding, clock: Finding) -> bool:
    """Whether what looks like a gap is no longer than the clock's jump allows."""
    jump = abs(clock.amount or 0.0)
    near = clock.since is not None and x.since is not None
    if near and abs(x.since - clock.since) <= _TIMES_JUMP * jump + _SLACK_S:  # type: ignore[operator]
        return True
    # a clock that is ahead makes all others fall silent in the end, one that is behind its own host
    return x.symptom == SILENCE and x.until is None and (x.amount or 0.0) <= _TIMES_JUMP * jump


def _without_silence(kept: list[Finding]) -> list[Finding]:
    """A service that nobody asks, while its proxy answers those who do with errors of its own."""
    for refusal in [f for f in kept if f.symptom == HTTP_ERRORS and f.severity == CRITICAL]:
        quiet = [f for f in kept if f.symptom == SILENCE and _at_one_time(f, refusal)]
        quiet = [f for f in quiet if _of_one_host(f, refusal)]
        if quiet:
            cause = replace(refusal, consequences=(*refusal.consequences, *quiet))
            told = {id(f) for f in quiet}
            kept = [cause if f is refusal else f for f in kept if id(f) not in told]
    return kept


def _without_timeouts(kept: list[Finding]) -> list[Finding]:
    """Slow requests that are the failed ones: the failure is the event, whatever the scores."""
    for failure in [f for f in kept if f.symptom == FAILURES and f.severity != NOTE]:
        for slow in [f for f in kept if f.symptom == LATENCY]:
            shared = len(np.intersect1d(slow.rows, failure.rows, assume_unique=True))
            if len(slow.rows) and shared >= _SHARE * len(slow.rows):
                kept = [f for f in kept if f is not slow]
                kept = [
                    replace(f, consequences=(*f.consequences, slow)) if f is failure else f
                    for f in kept
                ]
                failure = next(f for f in kept if slow in f.consequences)
    return kept
