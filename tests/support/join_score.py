"""How many access lines without an id are joined, and how many wrongly:
``python -m tests.support.join_score``.

Generated hours, whole and with a share of their lines and of their requests taken out.
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.rows.answers import by_order, free_lines
from ingest.stores.duckdb.answers import DuckDBAnswers
from tests.support import harness
from tests.support.busy_hour import busy_hour

_RATES = (5, 10, 20, 30, 40, 60)
_MISSING = ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1), (0.01, 0.01), (0.1, 0.1), (0.3, 0.3))
_DAY = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)


class Hour(NamedTuple):
    """Access lines and requests as the store has them, and the key that each line answers."""

    lines: pa.Table
    requests: pa.Table
    answers: npt.NDArray[np.int64]


class Score(NamedTuple):
    """Lines joined, wrongly joined, and those whose request is there."""

    joined: int
    wrong: int
    known: int

    def __add__(self, other: "Score") -> "Score":  # type: ignore[override]
        return Score(*(a + b for a, b in zip(self, other, strict=True)))


def hour_of(seed: int, per_minute: float) -> Hour:
    """An hour that was ingested."""
    made = busy_hour(seed, per_minute=per_minute)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.log").write_text("".join(made.application))
        (folder / "access.log").write_text("".join(made.access))
        store = harness.new_store(folder)
        harness.run(store, [folder / "app.log", folder / "access.log"], final=True)
        with duckdb.connect(str(store.path)) as connection:
            answers = DuckDBAnswers(connection)
            lines = answers.lines_between(*_DAY).sort_by("http_key")
            requests = answers.requests_between(*_DAY)
    keys = dict(zip(requests["id"].to_pylist(), requests["request_key"].to_pylist(), strict=True))
    truth = [keys.get(made.answers.get(n), 0) for n in range(lines.num_rows)]
    told = lines.column_names.index("is_told")
    lines = lines.set_column(told, "is_told", [np.zeros(lines.num_rows, bool)])
    return Hour(lines, requests, np.array(truth, np.int64))


def score_of(hour: Hour, without: tuple[float, float], seed: int) -> Score:
    """The joins of an hour without a share of its lines, and without a share of its requests."""
    chance = np.random.default_rng(seed)
    kept = chance.random(hour.lines.num_rows) >= without[0]
    stays = chance.random(hour.requests.num_rows) >= without[1]
    requests = hour.requests.filter(stays)
    lines = hour.lines.filter(kept)
    found, truth = by_order(lines, requests, free_lines(lines)), hour.answers[kept]
    joined = found > 0
    known = np.isin(truth, requests["request_key"].to_numpy())
    return Score(int(joined.sum()), int((joined & (found != truth)).sum()), int(known.sum()))


def main() -> int:
    """A line a rate and a share that is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4, help="hours of each rate")
    options = parser.parse_args()
    print(
        f"{'a minute':>8}{'lines gone':>12}{'requests gone':>15}{'joined':>9}{'of':>8}{'wrong':>7}"
    )
    for rate in _RATES:
        hours = [hour_of(100 + seed, rate) for seed in range(options.seeds)]
        for without in _MISSING:
            total = Score(0, 0, 0)
            for number, hour in enumerate(hours):
                for again in range(3):
                    total += score_of(hour, without, 1000 * number + again)
            share = total.joined / max(total.known, 1)
            print(
                f"{rate:>8}{without[0]:>11.0%} {without[1]:>14.0%} {share:>8.1%}"
                f"{total.known:>8}{total.wrong:>7}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
