"""What proves a finding and what leads to it: line of code, stage, earlier warnings, examples."""

from dataclasses import replace

import numpy as np

from ingest.causes.columns import WARNING, Bools, Observed
from ingest.causes.findings import Finding, Precursor
from ingest.causes.symptoms import CLOCK, FAILURES, UNFINISHED

_BEFORE_S = 3600.0
_TIMES_BEFORE = 3.0
_LEAST_RECORDS = 3
_EXAMPLES = 20  # keys kept: the newest
_TO_COUNT = 20000  # rows at most that are looked at


def with_evidence(observed: Observed, finding: Finding) -> Finding:
    """The finding with its location, stage, precursors and the keys of examples."""
    if finding.of_records or not len(finding.rows):
        return replace(finding, precursors=_precursors(observed, finding))
    requests = observed.requests
    if len(finding.lines):
        answers = observed.answers
        newest = finding.lines[np.argsort(answers.at[finding.lines], kind="stable")[::-1]]
        keys = tuple(int(k) for k in answers.key[newest[:_EXAMPLES]])
        return replace(finding, keys=keys, precursors=_precursors(observed, finding))
    newest = finding.rows[np.argsort(requests.at[finding.rows], kind="stable")[::-1]]
    stage = finding.stage
    if finding.symptom in (FAILURES, UNFINISHED) and stage is None:
        stage = _stage(observed, finding)
    return replace(
        finding,
        stage=stage,
        location=finding.location or _location(observed, finding),
        precursors=_precursors(observed, finding),
        keys=tuple(int(k) for k in requests.key[newest[:_EXAMPLES]]),
    )


def _stage(observed: Observed, finding: Finding) -> str | None:
    """Where most of the affected stopped: as logged, else the last stage that they came through."""
    labels = observed.requests.model_stage
    codes = labels.codes[finding.rows]
    codes = codes[codes >= 0]
    if len(codes):
        return str(labels.values[int(np.bincount(codes).argmax())])
    if finding.symptom != UNFINISHED or not observed.requests.stages:
        return None
    last = np.full(len(finding.rows), -1)
    for place, stage in enumerate(observed.requests.stages):
        last[~np.isnan(stage.own_ms[finding.rows])] = place
    last = last[last >= 0]
    if not len(last):
        return None
    return observed.requests.stages[int(np.bincount(last).argmax())].name


def _location(observed: Observed, finding: Finding) -> str | None:
    """The line of code most over-represented among the affected, beside other failures."""
    if finding.symptom != FAILURES:
        return None
    records, requests = observed.records, observed.requests
    known = (records.row >= 0) & (records.location.codes >= 0)
    rows, codes = records.row[known], records.location.codes[known]
    if not len(rows):
        return None
    inside = np.zeros(len(requests), bool)
    inside[finding.rows] = True
    same = requests.failed.copy()
    if finding.code is not None:
        same &= requests.error_code.equal(finding.code)
    size = len(records.location.values)
    within = np.bincount(codes[inside[rows]], minlength=size).astype(float)
    others = np.bincount(codes[same[rows] & ~inside[rows]], minlength=size).astype(float)
    if not within.sum():
        return None
    above = within / within.sum() - others / max(others.sum(), 1.0)
    # with nothing to compare, the most frequent one
    best = int(np.argmax(above * (within > 0) + 1e-9 * within))
    return str(records.location.values[best])


def _precursors(observed: Observed, finding: Finding) -> tuple[Precursor, ...]:
    """Warnings on the same host that came more often in the hour before than earlier; errors of no
    request that had not come before: a model that did not load.
    """
    records = observed.records
    if finding.since is None or not len(records) or finding.symptom == CLOCK:
        return ()
    begins = max(observed.since, finding.since - _BEFORE_S)
    usual_s, hour_s = begins - observed.since, finding.since - begins
    is_loose = (records.level > WARNING) & ~records.owned
    is_early = (records.at < finding.since) & _same_host(observed, finding)
    kept = ((records.level == WARNING) | is_loose) & is_early
    found = []
    for code in np.unique(records.code.codes[kept]):
        if code < 0 or records.code.values[code] == finding.code:
            continue
        mine = kept & (records.code.codes == code)
        at, least = records.at[mine], 1 if is_loose[mine].all() else _LEAST_RECORDS
        in_hour = at[at >= begins]
        before = len(at) - len(in_hour)
        if len(in_hour) < least or hour_s <= 0:
            continue
        is_more = before == 0 and usual_s > 0
        if before and usual_s > 0 and least > 1:
            is_more = len(in_hour) / hour_s >= _TIMES_BEFORE * before / usual_s
        if is_more:
            lead = finding.since - float(np.median(in_hour))
            found.append(Precursor(str(records.code.values[code]), len(in_hour), lead))
    return tuple(sorted(found, key=lambda p: -p.records)[:3])


def _same_host(observed: Observed, finding: Finding) -> Bools:
    """Records of the hosts that most of the affected are of."""
    requests, records = observed.requests, observed.records
    if not len(finding.rows):
        return np.ones(len(records), bool)
    host, rows = requests.host, finding.rows
    if len(finding.lines):
        host, rows = observed.answers.host, finding.lines
    codes = host.codes[rows[:_TO_COUNT]]
    count = np.bincount(codes[codes >= 0], minlength=len(host.values))
    hosts = [host.values[i] for i in np.flatnonzero(count >= 0.1 * count.sum())]
    same = np.zeros(len(records), bool)
    for name in hosts:
        same |= records.host.equal(name)
    return same
