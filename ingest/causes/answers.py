"""What HTTP says: errors, answers that are late unlike their synthesis, and hidden failures."""

from collections.abc import Iterator

import numpy as np

from ingest.causes.columns import Answers, Attribute, Bools, Floats, Labels, Observed
from ingest.causes.dimensions import CLIENT, PATH, Dimension, labelled_dimension
from ingest.causes.residuals import residuals
from ingest.causes.scan import buckets_of
from ingest.causes.symptoms import HTTP_ERRORS, HTTP_LATENCY, MIN_K, SILENT_FAILURES, Event
from ingest.model import APPLICATION_SERVERS

OUTSIDE, WHOLE = "outside_synthesis", "http"  # stages of an answer's time
_ERROR, _SERVER_ERROR = 400, 500
_NOT_FOUND = frozenset((404, 405))  # what strangers look for
_ANSWERED = 5  # lines without an error that make a path one of the service's
_LEAST_KNOWN = 0.7  # of the requests
_FLOOR_MS = 200.0  # added to what is measured: below it nobody minds a factor


def asked_by(answers: Answers, n_requests: int) -> tuple[Attribute, ...]:
    """By which path, and for which client, each request was asked for, as its access line says;
    a proxy's line before that of the application's own server.

    Nothing where most requests have no such line: those that have one would differ by that alone.
    """
    known = np.flatnonzero(answers.row >= 0)
    if len(np.unique(answers.row[known])) < _LEAST_KNOWN * n_requests:
        return ()
    servers = answers.labels("server")
    own = [n for n, v in enumerate(servers.values) if v in APPLICATION_SERVERS]
    is_own = np.isin(servers.codes[known], own)
    rows = np.concatenate([known[is_own], known[~is_own]])
    found = []
    for name in (PATH, CLIENT):
        labels = answers.labels(name)
        codes = np.full(n_requests, -1, np.int32)
        codes[answers.row[rows]] = labels.codes[rows]
        if len(np.unique(codes[codes >= 0])) > 1:
            found.append(Attribute(name, Labels(codes, labels.values)))
    return tuple(found)


def dimensions_of_answers(answers: Answers) -> tuple[Dimension, ...]:
    """What answers may differ by before anybody knows how they are."""
    found = [labelled_dimension("host", answers.host)]
    found += [labelled_dimension(a.name, a.labels) for a in answers.plain if a.name != "server"]
    return tuple(d for d in found if d is not None)


def events_of_answers(observed: Observed, dimensions: tuple[Dimension, ...]) -> list[Event]:
    """Events of at least MIN_K affected lines, each about the lines of one server."""
    answers = observed.answers
    servers = answers.labels("server")
    found: list[Event] = []
    for place in np.unique(servers.codes):
        here = servers.codes == place
        name = str(servers.values[place]) if place >= 0 else None
        asked = here & _synthesis(answers, here)
        found += _errors(answers, asked, name)
        found += [e for e in _errors(answers, here & ~asked, name) if e.code and e.code >= "5"]
        found += _late(observed, asked, name, dimensions)
        found += _silent(observed, asked, name)
    return [e for e in found if e.affected.sum() >= MIN_K]


def _synthesis(answers: Answers, here: Bools) -> Bools:
    """Lines on synthesis paths: those with a known request, else POSTs, else all that were
    answered.
    """
    path, method = answers.labels("path"), answers.labels("method")
    for known in (here & (answers.row >= 0), here & method.equal("POST") & _is_good(answers)):
        if known.any():
            return _of_paths(path, known)
    good = here & _is_good(answers)
    count = np.bincount(path.codes[good & (path.codes >= 0)], minlength=len(path.values))
    often = np.flatnonzero(count >= _ANSWERED)
    return np.isin(path.codes, often)


def _of_paths(path: Labels, rows: Bools) -> Bools:
    return np.isin(path.codes, np.unique(path.codes[rows]))


def _is_good(answers: Answers) -> Bools:
    return np.asarray((answers.status > 0) & (answers.status < _ERROR))


def _errors(answers: Answers, asked: Bools, server: str | None) -> Iterator[Event]:
    population = asked & (answers.status > 0)
    for status in np.unique(answers.status[population]):
        if status >= _ERROR and int(status) not in _NOT_FOUND:
            affected = population & (answers.status == status)
            yield Event(HTTP_ERRORS, population, affected, str(status), subject=server)


def _late(
    observed: Observed, asked: Bools, server: str | None, dimensions: tuple[Dimension, ...]
) -> Iterator[Event]:
    """Time outside synthesis where most lines have the synthesis' time; else the whole time."""
    answers = observed.answers
    timed = asked & ~np.isnan(answers.request_ms) & _is_good(answers) & answers.sampled
    synthesis = np.append(observed.requests.duration_ms, np.nan)[answers.row]
    known = timed & ~np.isnan(synthesis)
    stage, took = WHOLE, np.where(timed, answers.request_ms, np.nan)
    size = np.where(np.isnan(answers.bytes_sent), 0.0, answers.bytes_sent)
    if known.sum() >= timed.sum() / 2:
        stage, size = OUTSIDE, np.zeros(len(answers))
        took = np.where(known, np.maximum(answers.request_ms - synthesis, 0.0), np.nan)
    paths = answers.labels("path").codes
    found = residuals(took + _FLOOR_MS, size, paths, buckets_of(np.ones(len(answers))), dimensions)
    if found is None:
        return
    population, affected = np.zeros(len(answers), bool), np.zeros(len(answers), bool)
    excess: Floats = np.full(len(answers), np.nan)
    population[found.rows], affected[found.rows] = True, found.slow
    excess[found.rows] = found.value
    yield Event(
        HTTP_LATENCY, population, affected, None, stage, False, excess, took, subject=server
    )


def _silent(observed: Observed, asked: Bools, server: str | None) -> Iterator[Event]:
    """HTTP says that all is well where the synthesis failed."""
    answers, requests = observed.answers, observed.requests
    finished = np.append(requests.finished, False)[answers.row]
    failed = np.append(requests.failed, False)[answers.row]
    population = asked & finished & (answers.status > 0)
    yield Event(
        SILENT_FAILURES, population, population & failed & _is_good(answers), subject=server
    )
