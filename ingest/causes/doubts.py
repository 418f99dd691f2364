"""What makes an explained event less than it looks: one request tried again and again, or one kind
of request that is new.
"""

from dataclasses import replace

import numpy as np

from ingest.causes.columns import Requests
from ingest.causes.dimensions import CACHE_HIT, TEXT, TEXT_LEN, Dimension
from ingest.causes.explain import LEAST_NET, Explanation
from ingest.causes.findings import NOTE, Finding
from ingest.causes.symptoms import CACHE_HITS, FAILURES, MIN_K, UNFINISHED

_AGAIN_S = 60.0  # within which the same request is one that is tried again
_MOST_ROWS = 300  # affected: of more, some tries more or less do not matter
_SHARE = 0.1  # of a window's requests, that a kind must be
_MOST_OF_ALL = 0.6  # of a window's requests: too many to know of the others
_EVERYBODY = 0.97  # of the requests since: no kind beside others, but what is new of all
_LEAST_REST = 15  # rows that must be left without it
_AS_EVER = 0.8  # of the hit rate before: more is no change


def with_doubts(
    requests: Requests, dimensions: tuple[Dimension, ...], found: Explanation, finding: Finding
) -> Finding:
    """The finding, as a note where a doubt is great enough."""
    if finding.severity == NOTE:
        return finding
    if finding.symptom in (FAILURES, UNFINISHED):
        share = _first_tries(requests, finding)
        if min(finding.net * share / LEAST_NET, finding.excess * share / MIN_K) < 1:
            return replace(finding, severity=NOTE)
    if finding.symptom == CACHE_HITS and _of_one_kind(dimensions, found):
        return replace(finding, severity=NOTE)
    return finding


def _first_tries(requests: Requests, finding: Finding) -> float:
    """The share of the affected that are not the same as one shortly before."""
    rows = finding.rows
    if len(rows) > _MOST_ROWS or any(c.name in (TEXT, TEXT_LEN) for c in finding.conditions):
        return 1.0
    if not requests.dated[rows].all() or np.isnan(requests.text_len[rows]).all():
        return 1.0
    columns = np.empty((len(rows), len(requests.plain) + 1))
    columns[:, 0] = np.nan_to_num(requests.text_len[rows], nan=-1.0)
    for n, attribute in enumerate(requests.plain, 1):
        columns[:, n] = attribute.labels.codes[rows]
    same = np.unique(columns, axis=0, return_inverse=True)[1]
    order = np.lexsort((requests.at[rows], same.ravel()))
    again = np.diff(same.ravel()[order]) == 0
    again &= np.diff(requests.at[rows][order]) <= _AGAIN_S
    return 1 - float(again.sum()) / len(rows)


def _of_one_kind(dimensions: tuple[Dimension, ...], found: Explanation) -> bool:
    """Whether the cache is hit as before, except by one kind of request, which asks for new."""
    event = found.event
    inside, outside = found.rows & event.population, event.population & ~found.rows
    named = {c.name for c in found.conditions}
    for d in dimensions:
        if d.numbers is not None or d.name in named or d.name in ("host", CACHE_HIT):
            continue
        count = np.bincount(d.codes[inside & (d.codes >= 0)], minlength=len(d.values))
        for value in np.flatnonzero(count >= _SHARE * inside.sum()):
            rest = [rows & (d.codes != value) for rows in (inside, outside)]
            if min(r.sum() for r in rest) < _LEAST_REST:
                usual = float((d.codes[outside] == value).mean())
                if usual <= 1 - _EVERYBODY and count[value] >= _EVERYBODY * inside.sum():
                    continue  # a release: everybody has it now, and nobody had it before
                if count[value] >= max(_MOST_OF_ALL, 2 * usual) * inside.sum():
                    return True
                continue
            now, before = (1 - float(event.affected[r].mean()) for r in rest)
            if now > _AS_EVER * before:
                return True
    return False
