"""What triage finds."""

from dataclasses import dataclass, field

import numpy as np

from ingest.causes.columns import Ints
from ingest.causes.dimensions import Condition

CRITICAL, WARNING, NOTE = "critical", "warning", "note"


def _nobody() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Precursor:
    """A code that came before: how many records, and how long before, by the median."""

    code: str
    records: int
    median_lead_s: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. Counts are of requests, as many as the sample stands for.

    ``kind``: began, gradual, mix, new, standing, periodic, sawtooth or whole
    (:mod:`ingest.causes.windows`).
    ``partial``: ``ratio`` and ``slow_ms`` are those of the affected alone, since most of the
    population is as fast as ever. ``rows`` int64 are the affected requests' places, ``keys`` those
    of rows of the store that show it: requests, or records where ``of_records``, or access lines
    where there are ``lines``, which are places among those. (An access line whose request is not
    known has a place among ``rows`` behind all requests.) ``subject`` is what a finding without
    requests is about: a host, a path, a message, an HTTP server. Instants are seconds since the
    epoch; ``since_key`` is the key of the row where it began if no instant is known of that,
    ``since_place`` its path and offset, for people.
    """

    symptom: str
    severity: str
    kind: str = "standing"
    code: str | None = None
    stage: str | None = None
    location: str | None = None
    conditions: tuple[Condition, ...] = ()
    since: float | None = None
    until: float | None = None
    period_s: float | None = None
    affected: float = 0
    population: float = 0
    affected_outside: float = 0
    population_outside: float = 0
    interval: tuple[float, float] | None = None
    risk_ratio: float | None = None
    ratio: float | None = None
    slow_ms: float | None = None
    usual_ms: float | None = None
    partial: bool = False
    net: float = 0
    gain: float = 0
    cost: float = 0
    score: float = 0
    excess: float = 0
    subject: str | None = None
    amount: float | None = None
    full_at: float | None = None
    rows: Ints = field(default_factory=_nobody, compare=False)
    keys: tuple[int, ...] = ()
    of_records: bool = False
    lines: Ints = field(default_factory=_nobody, compare=False)
    since_key: int | None = None
    since_place: str | None = None
    precursors: tuple[Precursor, ...] = ()
    consequences: tuple["Finding", ...] = ()

    @property
    def changed(self) -> bool:
        """Whether it was otherwise before, or is again."""
        return (self.since, self.until, self.since_key) != (None, None, None)

    @property
    def rate(self) -> float | None:
        """Affected of the population; None where nothing is counted so."""
        return self.affected / self.population if self.population else None

    @property
    def rate_outside(self) -> float | None:
        """The same elsewhere and at other times; None where there is no elsewhere."""
        return self.affected_outside / self.population_outside if self.population_outside else None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A window: findings in rank, counts of requests and access lines, span, what was searched."""

    since: float
    until: float
    requests: int
    findings: tuple[Finding, ...]
    looked_for: tuple[str, ...]
    uncertain: Finding | None = None
    answers: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is worse than a note."""
        return all(f.severity == NOTE for f in self.findings)
