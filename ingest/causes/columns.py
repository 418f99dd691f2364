"""What triage thinks with: the rows of one window of time, as columns.

Instants are seconds since the epoch, as float64; NaN stands for an instant or a number that is not
known.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
Bools: TypeAlias = npt.NDArray[np.bool_]
Value: TypeAlias = str | bool | int | float

YES, NO, UNKNOWN = 1, 0, -1  # of a column of yes or no
WARNING, ERROR, CRITICAL = 0, 1, 2  # of Records.level


@dataclass(frozen=True, slots=True)
class Labels:
    """A column of few values: ``codes`` int32[n] are places in ``values``, -1 for none."""

    codes: Codes
    values: tuple[Value, ...]

    def take(self, rows: Ints | Bools) -> "Labels":
        """The same of some rows: a copy."""
        return Labels(self.codes[rows], self.values)

    def equal(self, value: Value) -> Bools:
        """Which rows have the value."""
        if value not in self.values:
            return np.zeros(len(self.codes), bool)
        return np.asarray(self.codes == self.values.index(value))


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's own time in milliseconds, float64[n_requests]."""

    name: str
    own_ms: Floats


@dataclass(frozen=True, slots=True)
class Attribute:
    """A pair that the service logs of its requests."""

    name: str
    labels: Labels


class Rows(Protocol):
    """Rows in the order of time with yes-or-no properties: requests, or access lines."""

    @property
    def key(self) -> Ints: ...
    @property
    def at(self) -> Floats: ...
    @property
    def dated(self) -> Bools: ...
    @property
    def weight(self) -> Floats: ...
    @property
    def text_len(self) -> Floats: ...
    @property
    def host(self) -> Labels: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests in the order of ``at``: when each began, else the first instant known of it.

    ``weight``: how many requests of the window a row stands for. ``sampled`` rows are here whatever
    became of them; the others because something went wrong. ``dated`` is False where the instant is
    only the log file's. ``key`` is the row's key in the store: the order of keys of a file is the
    order of its records.
    """

    key: Ints
    at: Floats
    started: Floats
    completed: Floats
    dated: Bools
    weight: Floats
    sampled: Bools
    finished: Bools
    failed: Bools
    duration_ms: Floats
    text_len: Floats
    audio_ms: Floats
    audio_kb: Floats
    centroid: Floats
    rtf: Floats
    cache_hit: Codes
    cache_saved: Codes
    concurrency: Floats
    host: Labels
    error_code: Labels
    model_stage: Labels
    plain: tuple[Attribute, ...]
    attributes: tuple[Attribute, ...]
    text: Labels
    stages: tuple[Stage, ...]

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class Answers:
    """Access lines in the order of ``at``; ``row`` is the place of its request among the requests,
    -1 where it is not known.

    ``status`` int32[n] is 0 where none is logged. ``plain`` are instance, server, path, client and
    method. The length of the text is known of none. ``weight``, ``sampled``, ``dated`` and ``key``
    are as those of requests.
    """

    key: Ints
    at: Floats
    dated: Bools
    weight: Floats
    sampled: Bools
    status: Codes
    request_ms: Floats
    bytes_sent: Floats
    row: Ints
    host: Labels
    plain: tuple[Attribute, ...]

    @property
    def text_len(self) -> Floats:
        """Nothing, float64[n]."""
        return np.full(len(self.key), np.nan)

    def labels(self, name: str) -> Labels:
        """One of the plain columns."""
        return next(a.labels for a in self.plain if a.name == name)

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class Records:
    """WARNING, ERROR and CRITICAL records in the order of time.

    ``row`` is the place of its request among the requests, -1 without one; ``owned`` says whether
    it has one at all. ``dated`` is as that of requests. ``code`` is its code, else its event, else
    its message without numbers.
    """

    key: Ints
    at: Floats
    dated: Bools
    level: Codes
    row: Ints
    owned: Bools
    host: Labels
    code: Labels
    location: Labels

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class Samples:
    """What caches said of themselves, in the order of time."""

    key: Ints
    at: Floats
    used_percent: Floats
    host: Labels
    path: Labels


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When requests began, sorted; ``host`` of each; ``last_at`` of any record by host."""

    at: Floats
    host: Labels
    last_at: Floats


@dataclass(frozen=True, slots=True)
class Observed:
    """A window. ``total`` and ``answered`` count all its requests and lines, sampled or not."""

    since: float
    until: float
    total: int
    requests: Requests
    records: Records
    samples: Samples
    arrivals: Arrivals
    answers: Answers
    answered: int
