"""Fingerprints found by first bytes are those that a comparison with each finds."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.logfiles.fingerprint import HEAD_BYTES, Match, compare, fingerprint
from ingest.logfiles.fingerprint_index import PrintIndex

# few different beginnings, so that many are alike; lengths around those at which fingerprints have
# marks
_BANNERS = st.sampled_from([b"", b"a" * 40, b"a" * 64, b"a" * 300, b"b" * 128])
_RESTS = st.tuples(st.sampled_from([b"", b"x", b"y", b"xy"]), st.integers(0, 70)).map(
    lambda rest: rest[0] * rest[1]
)
HEADS = st.builds(bytes.__add__, _BANNERS, _RESTS)


@given(st.lists(HEADS, max_size=30), HEADS, st.data())
def test_full_and_alike_are_what_a_comparison_with_each_finds(
    known: list[bytes], head: bytes, data: st.DataObject
) -> None:
    index, prints = PrintIndex(), {n: fingerprint(h) or None for n, h in enumerate(known)}
    for key, print_ in prints.items():
        index.add(key, print_)
    for key in data.draw(st.sets(st.sampled_from(sorted(prints)))) if prints else ():
        index.remove(key, prints.pop(key))
    matches = {key: compare(p, head)[0] for key, p in prints.items()}
    assert index.full(head) == {k for k, m in matches.items() if m is Match.FULL}
    alike = {k for k, m in matches.items() if m in (Match.FULL, Match.PREFIX)}
    assert index.alike(head) == alike


def test_an_index_whose_last_fingerprint_was_removed_is_as_new() -> None:
    index, long = PrintIndex(), b"z" * HEAD_BYTES
    for head in (long, long[:100], long[:10]):
        index.add(len(head), fingerprint(head))
    assert index.full(long) == {10, 100, HEAD_BYTES}
    assert index.alike(long[:70]) == {10, 100, HEAD_BYTES}
    for head in (long, long[:100], long[:10]):
        index.remove(len(head), fingerprint(head))
    assert index.alike(long) == set()
