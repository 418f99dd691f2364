"""Which elements of two sequences stand for each other: the longest that both have in order."""

from collections.abc import Iterator, Sequence

_WINDOW = 8192  # elements compared in one go: 8 MB of bits


def matching_blocks(
    a: Sequence[int], b: Sequence[int], window: int = _WINDOW
) -> list[tuple[int, int, int]]:
    """Blocks ``a[i:i + n] == b[j:j + n]`` as (i, j, n), in order; the last is (len(a), len(b), 0).

    They are a longest common subsequence of all that fits into one window, whatever the elements
    are, in time that depends on their number alone. Longer sequences are compared in windows.
    """
    blocks: list[tuple[int, int, int]] = []
    for i, j in _pairs(a, b, window):
        if blocks and (blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]) == (i, j):
            blocks[-1] = *blocks[-1][:2], blocks[-1][2] + 1
        else:
            blocks.append((i, j, 1))
    return [*blocks, (len(a), len(b), 0)]


def _pairs(a: Sequence[int], b: Sequence[int], window: int) -> Iterator[tuple[int, int]]:
    low, most = 0, min(len(a), len(b))
    while low < most and a[low] == b[low]:
        yield low, low
        low += 1
    back = 0
    while back < most - low and a[-1 - back] == b[-1 - back]:
        back += 1
    for i, j in _windows(a[low : len(a) - back], b[low : len(b) - back], window):
        yield low + i, low + j
    for k in range(back, 0, -1):
        yield len(a) - k, len(b) - k


def _windows(a: Sequence[int], b: Sequence[int], window: int) -> Iterator[tuple[int, int]]:
    """The pairs of each window; the next begins behind the last pair that is taken of it. Near a
    window's end none is taken: what follows may fit better.
    """
    i = j = 0
    while len(a) - i > window or len(b) - j > window:
        pairs = _common(a[i : i + window], b[j : j + window])
        taken = [pair for pair in pairs if max(pair) < window * 3 // 4]
        yield from ((i + x, j + y) for x, y in taken)
        x, y = taken[-1] if taken else (0, 0)
        if x + y < window // 4:
            x = y = window // 2
        i, j = i + x + 1, j + y + 1
    yield from ((i + x, j + y) for x, y in _common(a[i:], b[j:]))


def _common(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """A longest common subsequence, by rows of bits (Hyyrö 2004): bit i of row j is 0 where
    ``a[:i + 1]`` has a longer one with ``b[:j]`` than ``a[:i]`` has.
    """
    places: dict[int, int] = {}
    for i, element in enumerate(a):
        places[element] = places.get(element, 0) | 1 << i
    size = len(a) // 8 + 1
    full = row = (1 << len(a)) - 1
    rows = [row.to_bytes(size, "little")]
    for element in b:
        equal = row & places.get(element, 0)
        row = (row + equal | row - equal) & full
        rows.append(row.to_bytes(size, "little"))
    pairs = []
    i, j = len(a), len(b)
    while i and j:
        if rows[j][(i - 1) >> 3] >> ((i - 1) & 7) & 1:
            i -= 1
        elif a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        else:
            j -= 1
    return pairs[::-1]
