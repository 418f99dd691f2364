"""Every target over its corpus, and over mutations of it that are the same in every run."""

import subprocess
import sys
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import igzip

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).with_name("corpus")
_SEEDS = {name: sorted((CORPUS / name).iterdir()) for name in TARGETS}
_LONGEST = 4096  # bytes of a seed that is mutated; longer ones only cost time
_SLOW = {"scanner_time": 10, "query_time": 10, "traceback_time": 10}


_FILES = [
    pytest.param(name, seed, id=f"{name}/{seed.name}")
    for name, seeds in _SEEDS.items()
    for seed in seeds
]


@pytest.mark.parametrize(("target", "seed"), _FILES)
def test_seed(target: str, seed: Path) -> None:
    TARGETS[target](seed.read_bytes())


def test_every_folder_of_the_corpus_has_its_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(_SEEDS.values())


@st.composite
def _mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with pieces of it, of another, or any bytes put over, between or out."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        low, high = sorted(draw(st.lists(st.integers(0, len(data)), min_size=2, max_size=2)))
        other = draw(st.sampled_from([data, *seeds]))
        begin = draw(st.integers(0, len(other)))
        piece = draw(
            st.one_of(
                st.binary(max_size=4), st.just(other[begin : begin + draw(st.integers(0, 80))])
            )
        )
        data = data[:low] + piece + data[draw(st.sampled_from((low, min(low + 1, high), high))) :]
    return data


@pytest.mark.parametrize("target", TARGETS)
def test_mutations(target: str) -> None:
    read = [path.read_bytes() for path in _SEEDS[target]]
    seeds = [data for data in read if len(data) <= _LONGEST]

    @settings(
        max_examples=_SLOW.get(target, 60),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_mutated(seeds))
    def search(data: bytes) -> None:
        TARGETS[target](data)

    search()


_BOMB_BYTES = 256 << 20
_READ = """
import resource, sys
from pathlib import Path
from ingest.logfiles.reader import LogReader, read_before, read_head
from ingest.logfiles.stat import stat_file
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
stat, total = stat_file(Path(sys.argv[1])), 0
assert len(read_head(stat)[0]) <= 1 << 20
before = peak()
with LogReader(stat) as reader:
    while piece := reader.read(1 << 20):
        assert len(piece) <= 1 << 20
        total += len(piece)
assert len(read_before(stat, total, 100)) == 100
print(total, peak() - before)
"""


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_bomb_takes_no_memory(packing: str, tmp_path: Path) -> None:
    content = b"x" * _BOMB_BYTES
    path = tmp_path / "app.log.1"
    path.write_bytes(igzip.compress(content) if packing == "gzip" else zstd.compress(content))
    assert path.stat().st_size < _BOMB_BYTES // 50
    del content
    child = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
    )
    total, grown = map(int, child.stdout.split())
    assert total == _BOMB_BYTES
    assert grown < 100 << 10, "KiB that reading has added to the peak"
