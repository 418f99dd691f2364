"""Which finding does a request belong to?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from ingest.causes.diagnose import diagnose
from ingest.causes.findings import Finding
from ingest.stores.contract import Reader
from ingest.tasks.triage.fetch import DAY, Window, fetched, newest
from ingest.tasks.triage.phrases import Clock, title
from ingest.tasks.triage.report import with_texts

_ROWS = 20_000  # a sample: what went wrong is in it, and a trace shall not take long
_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BelongsTo:
    """A window's finding of a rank; ``through``: the consequence that the request is part of."""

    rank: int
    finding: Finding
    through: Finding | None
    until: datetime

    def told(self, tz: tzinfo | None) -> str:
        """The finding in words."""
        clock = Clock(tz or UTC, self.until)
        words = f"{self.rank}: {title(self.finding, clock)}"
        return (
            words
            if self.through is None
            else f"{words} (of which follows: {title(self.through, clock)})"
        )


def finding_of(reader: Reader, key: int | None, at: datetime) -> BelongsTo | None:
    """The first finding that affects a request: of the newest 24 hours, else of its time."""
    end = newest(reader)
    if key is None or end is None:
        return None
    if at.astimezone(UTC) < end - DAY:
        end = min(end, at.astimezone(UTC) + _AFTER)
    observed = fetched(reader, Window(end - DAY, end), _ROWS)
    places = np.flatnonzero(observed.requests.key == key)
    if not len(places):
        return None
    place = int(places[0])
    ranked = [*enumerate(diagnose(observed).findings, 1)]
    # a finding of which the request is itself comes before one that it only follows from
    own = [(rank, finding, finding) for rank, finding in ranked]
    followed = [(rank, finding, f) for rank, finding in ranked for f in finding.consequences]
    for rank, finding, hit in [*own, *followed]:
        if place in hit.rows:
            finding, hit = with_texts(reader, (finding, hit))
            through = None if hit.symptom == finding.symptom else hit
            return BelongsTo(rank, finding, through, end)
    return None
