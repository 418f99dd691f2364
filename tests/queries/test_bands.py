"""The band that an answer of many lengths names."""

from dataclasses import replace
from datetime import UTC, timedelta
from math import log
from pathlib import Path
from random import Random

import pytest

from ingest.named_queries.bands import bands_note
from ingest.named_queries.library import NamedQuery, load_query
from ingest.named_queries.values import bind_values
from ingest.stores.contract import Reader
from tests.queries.engines import ENGINES, store_of
from tests.queries.rows import BEGAN, Rows, draw_rows
from tests.queries.test_commands import _store, ttsq

_WIDTHS = tuple(lead * 10**power for power in range(1, 9) for lead in (1, 2, 5))
_CASES: tuple[dict[str, str], ...] = (
    {},
    {"limit": "50"},
    {"since": "2026-03-02T07:00:00Z"},
    {"until": "2026-03-02T10:00:00Z"},
    {"host": "h1"},
    {"service": "tts"},
    {"voice": "anna"},
    {"min_len": "100", "max_len": "640"},
)


def _rows(seed: int) -> Rows:
    """Requests of many lengths, of which those of some band fail more often than the others."""
    random = Random(seed)
    low = random.randrange(600)
    high = low + random.choice((30, 90, 200))
    made = []
    for number, request in enumerate(draw_rows(seed, 1500).requests):
        length = random.randrange(800)
        fails = low <= length < high and random.random() < 0.5
        made.append(
            replace(
                request,
                text_len=None if random.random() < 0.02 else length,
                logged_at=BEGAN + timedelta(seconds=10 * number),
                status="failed" if fails else request.status,
                error_code="CUDA_OOM" if fails else request.error_code,
                voice=random.choice(("anna", "ben", None)),
            )
        )
    return Rows(requests=made)


def _fit(failures: int, requests: int) -> float:
    return sum(p * log(p / requests) for p in (failures, requests - failures) if p)


def _asked_band_by_band(
    reader: Reader, query: NamedQuery, values: dict[str, object]
) -> set[tuple[int, int, int, int]]:
    """Width, beginning, failures and requests of the clearest bands, each width asked for by
    itself.
    """

    def banded(width: int) -> list[tuple[int, str, int, int]]:
        given = {**values, "limit": None, "length_band": width}
        rows = reader.query(query.statement(given), given).rows
        return [row[:4] for row in rows if row[0] is not None]  # type: ignore[misc]

    total = {code: (failures, requests) for _, code, failures, requests in banded(10**9)}
    longest = max(
        row[0] for row in reader.query(query.statement(values), values).rows if row[0] is not None
    )  # type: ignore[type-var]
    found = []
    for width in (w for w in _WIDTHS if 1 <= longest / w <= 199):  # type: ignore[operator]
        rows = banded(width)
        if len({row[0] for row in rows}) > 30:
            continue
        for low, code, failures, requests in rows:
            every, of_all = total[code]
            if failures * of_all > every * requests:
                gain = _fit(failures, requests) + _fit(every - failures, of_all - requests)
                gain -= _fit(every, of_all) + log(len(rows))
                found.append((gain, (width, low, failures, requests)))
    best = max(gain for gain, _ in found)
    return {band for gain, band in found if gain > best - 1e-9}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_band_is_the_clearest_of_all_that_the_query_gives(
    engine: str, seed: int, tmp_path: Path
) -> None:
    query = load_query("failure_by_length", backend=engine)
    with store_of(engine, tmp_path / "s.duckdb", _rows(seed)).reading() as reader:
        for given in _CASES:
            values = bind_values(query, given, BEGAN, UTC)
            result = reader.query(query.statement(values), values)
            note = bands_note(reader, query, values, result)
            told = {
                f"--length-band {width} shows best what stands out: {low} to {low + width - 1} "
                f"characters, {failures} of {requests} fail"
                for width, low, failures, requests in _asked_band_by_band(reader, query, values)
            }
            assert note is not None, given
            assert note.partition("; ")[2] in told, given


def test_of_a_query_of_ones_own_only_the_option_is_told(tmp_path: Path) -> None:
    url = _store(tmp_path / "s.duckdb", _rows(1))
    own = tmp_path / "queries"
    own.mkdir()
    (own / "lengths.sql").write_text(
        "-- name: lengths\n-- summary: lengths\n-- question: Which lengths are there?\n"
        "-- param: length_band integer = 0 -- width of a band\n"
        "-- column: text_len integer -- length\n-- chart: none\n-- order: text_len\n\n"
        "select distinct coalesce(text_len - text_len % nullif(:length_band, 0), text_len)\n"
        "    as text_len from requests order by text_len\n"
    )
    settings = tmp_path / "ttsq.toml"
    settings.write_text(f'query_folder = "{own}"\n')
    shown = ttsq(url, "--config", str(settings), "run", "lengths")
    assert "different lengths; --length-band N puts N of them together" in shown
