"""The scan beside a slow plain one, and what triage says of made incidents."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.causes.scan import BUCKETS, EDGE_COST, best_window
from tests.support.triage_score import diagnosed, problem


def _plain(x: float) -> float:
    return x * math.log(x) if x > 0 else 0.0


def _gain(k: float, n: float, k_all: float, n_all: float) -> float:
    rest_k, rest_n = k_all - k, n_all - n
    if k * rest_n <= rest_k * n:
        return 0.0
    parts = [(k, n, 1), (rest_k, rest_n, 1), (k_all, n_all, -1)]
    return sum(s * (_plain(a) + _plain(b - a) - _plain(b)) for a, b, s in parts)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_scan_finds_the_net_that_trying_every_slice_and_window_finds(
    seed: int, slices: int
) -> None:
    chance = np.random.default_rng(seed)
    n = chance.integers(0, 9, (slices, BUCKETS)).astype(float)
    k = np.floor(n * chance.random((slices, BUCKETS)) ** 3)
    totals = float(k.sum()), float(n.sum())
    best = max(
        _gain(k[v, i:j].sum(), n[v, i:j].sum(), *totals) - EDGE_COST * ((i > 0) + (j < BUCKETS)) - 1
        for v in range(slices)
        for i in range(BUCKETS)
        for j in range(i + 1, BUCKETS + 1)
    )
    hit = best_window(k, n, totals, 1.0)
    assert (hit.net if hit else 0.0) == pytest.approx(max(best, 0.0), abs=1e-6)


# a guard: what is found here goes on being found; make triage-score tells of all kinds
_FOUND = (
    "host_ill", "exact", "release", "stage_slow", "few_host", "hang", "periodic",
    "silent", "mix", "clock", "engine_oom", "engine_undated", "engine_leak", "engine_restarts",
    "proxy_errors", "proxy_slow", "proxy_limit",
)  # fmt: skip
_HEALTHY = (
    "healthy_plain", "healthy_release", "healthy_engine", "healthy_undated", "healthy_proxied",
)  # fmt: skip


@pytest.mark.parametrize("kind", _FOUND)
def test_the_cause_of_an_incident_comes_first(kind: str, tmp_path: Path) -> None:
    assert problem(*diagnosed(kind, 10, tmp_path)) is None


@pytest.mark.parametrize("kind", _HEALTHY)
def test_a_healthy_log_alarms_nobody(kind: str, tmp_path: Path) -> None:
    assert problem(*diagnosed(kind, 10, tmp_path)) is None
