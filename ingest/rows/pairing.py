"""Lines and requests that pair off in one way only, by when they began and ended; pure.

All instants are int64 microseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LONGEST_US = 300_000_000  # a request or a line of more than 5 minutes joins by name only
MISSING_US = 300_000_000  # what is missing within so long of a line may be missing beside it, too
_MOST_IN_GROUP = 8  # lines, and requests, that are told apart by how they fit each other
_FAR = 1 << 62
_MOST_PAIRS = 1 << 21  # compared in one go: 100 MB


@dataclass(frozen=True, slots=True)
class Lines:
    """Access lines of one server: what they reach from and to; ``timed`` have a duration,
    ``given_up`` did not see the end, and may have no request.
    """

    low: Ints
    high: Ints
    timed: Bools
    given_up: Bools


@dataclass(frozen=True, slots=True)
class Spans:
    """When requests began and ended, ordered by the beginning; ``ended`` have an end of their
    own.
    """

    start: Ints
    end: Ints
    ended: Bools


@dataclass(frozen=True, slots=True)
class _Missing:
    """When there are lines that must have a request which is not there, and the converse."""

    requests: Ints
    lines: Ints


def paired(lines: Lines, spans: Spans) -> Ints:
    """The request int64[n] that each line answers, -1 where that is not certain.

    A line whose request is missing and a request whose line is missing may look like a pair. So
    nothing is paired near both lines without a request and requests without a line.
    """
    found, missing = _in_groups(lines, spans) if lines.timed.all() else _alone(lines, spans)
    doubtful = _near(missing.requests, lines, spans) & _near(missing.lines, lines, spans)
    return np.where(doubtful, -1, found)


def _near(times: Ints, lines: Lines, spans: Spans) -> Bools:
    """Which lines bool[n] are near one of these times; what one of both logs does not reach yet is
    not missing.
    """
    high = min(int(lines.high.max(initial=-_FAR)), int(spans.end[spans.ended].max(initial=-_FAR)))
    told = np.sort(times[times <= high])
    first = np.searchsorted(told, lines.high - MISSING_US, "left")
    near: Bools = np.searchsorted(told, lines.high + MISSING_US, "right") > first
    return near


def _alone(lines: Lines, spans: Spans) -> tuple[Ints, _Missing]:
    """The request int64[n] of each line that alone fits it, and that no other line fits; -1 for the
    others.
    """
    first, of_line = _fitting(lines, spans)
    of_request = _lines_of(lines, spans)
    mutual = (of_line == 1) & (of_request[np.maximum(first, 0)] == 1)
    mutual &= lines.high - lines.low <= LONGEST_US
    missing = _Missing(
        lines.high[(of_line == 0) & ~lines.given_up], spans.end[(of_request == 0) & spans.ended]
    )
    return np.where(mutual, first, -1), missing


def _fitting(lines: Lines, spans: Spans) -> tuple[Ints, Ints]:
    """One request int64[n] that fits each line (-1: none), and how many do."""
    first = np.full(len(lines.low), -1, np.int64)
    count = np.zeros(len(lines.low), np.int64)
    timed = np.flatnonzero(lines.timed)
    for line, request in _pairs(lines, spans, timed):
        first[line] = request
        count += np.bincount(line, minlength=len(count))
    rest = np.flatnonzero(~lines.timed)
    begun = np.searchsorted(spans.start, lines.high[rest], "right")
    over = np.searchsorted(np.sort(spans.end), lines.low[rest], "left")
    count[rest] = begun - over
    # of those that have begun by then, the one that ends last: where one alone fits, it is this one
    last = _last_to_end(spans.end)
    first[rest] = np.where(begun - over > 0, last[np.maximum(begun - 1, 0)], -1)
    return first, count


def _lines_of(lines: Lines, spans: Spans) -> Ints:
    """How many lines fit each request."""
    timed = np.flatnonzero(lines.timed)
    count = np.zeros(len(spans.start), np.int64)
    for _, request in _pairs(lines, spans, timed):
        count += np.bincount(request, minlength=len(count))
    low, high = np.sort(lines.low[~lines.timed]), np.sort(lines.high[~lines.timed])
    begun = np.searchsorted(low, spans.end, "right")
    over = np.searchsorted(high, spans.start, "left")
    fitting: Ints = count + begun - over
    return fitting


def _in_groups(lines: Lines, spans: Spans) -> tuple[Ints, _Missing]:
    """The request int64[n] of each line, where lines and requests pair off in one way only; -1 for
    the others.

    A group is what hangs together by fitting each other. One that has more lines than requests, or
    fewer, has some whose mate is not in the log, and is left alone; so is one that is large or
    long.
    """
    n, m = len(lines.low), len(spans.start)
    line, request, crowded = _few_pairs(lines, spans)
    group = _groups(n, m, line, request)
    first = np.concatenate([lines.low, spans.start])
    last = np.concatenate([lines.high, np.minimum(spans.end, spans.start + LONGEST_US)])
    begins, ends = np.full(n + m, _FAR), np.full(n + m, -_FAR)
    np.minimum.at(begins, group, first)
    np.maximum.at(ends, group, last)
    n_lines = np.bincount(group[:n], minlength=n + m)
    n_requests = np.bincount(group[n:], minlength=n + m)
    bad = ends - begins > LONGEST_US
    bad[group[crowded]] = True
    torn = group[line] != group[n + request]
    bad[group[line[torn]]] = True
    bad[group[n + request[torn]]] = True
    uncertain = np.bincount(group[:n], lines.given_up, minlength=n + m)
    uncertain += np.bincount(group[n:], ~spans.ended, minlength=n + m)
    missing = _Missing(
        begins[~bad & (n_lines - n_requests > uncertain)],
        begins[~bad & (n_requests - n_lines > uncertain)],
    )
    bad |= (n_lines > _MOST_IN_GROUP) | (n_lines != n_requests)
    keep = ~bad[group[line]]
    found = _paired_off(n, m, line[keep], request[keep])
    whole = np.bincount(group[:n], found >= 0, minlength=n + m) == n_lines
    return np.where(whole[group[:n]] & ~bad[group[:n]], found, -1), missing


def _few_pairs(lines: Lines, spans: Spans) -> tuple[Ints, Ints, Bools]:
    """The fitting pairs; and bool[lines + requests]: those of lines that so many requests fit that
    it is hopeless.
    """
    n = len(lines.low)
    crowded = np.zeros(n + len(spans.start), np.bool_)
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for line, request in _pairs(lines, spans, np.arange(n)):
        many = np.bincount(line, minlength=n)[line] > _MOST_IN_GROUP
        crowded[line[many]] = True
        crowded[n + request[many]] = True
        found.append((line[~many], request[~many]))
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found]), crowded


def _groups(n: int, m: int, line: Ints, request: Ints) -> Ints:
    """What group int64[n + m] each line and request is of; a large one may be torn into several
    that still meet.
    """
    group = np.arange(n + m)
    for _ in range(2 * _MOST_IN_GROUP):
        before = group.copy()
        least = np.minimum(group[line], group[n + request])
        np.minimum.at(group, line, least)
        np.minimum.at(group, n + request, least)
        if (group == before).all():
            break
    return group


def _paired_off(n: int, m: int, line: Ints, request: Ints) -> Ints:
    """The mate int64[n] of each line: who has one choice left takes it, until nobody has; -1 for
    those left over.
    """
    found = np.full(n, -1, np.int64)
    for _ in range(_MOST_IN_GROUP):
        of_line = np.bincount(line, minlength=n)
        of_request = np.bincount(request, minlength=m)
        sure = np.flatnonzero((of_line[line] == 1) | (of_request[request] == 1))
        if not len(sure):
            break
        # two may want the same one: then nothing pairs off, and one of them is left over
        sure = sure[np.unique(line[sure], return_index=True)[1]]
        sure = sure[np.unique(request[sure], return_index=True)[1]]
        found[line[sure]] = request[sure]
        gone_lines, gone_requests = np.zeros(n, np.bool_), np.zeros(m, np.bool_)
        gone_lines[line[sure]] = True
        gone_requests[request[sure]] = True
        left = ~(gone_lines[line] | gone_requests[request])
        line, request = line[left], request[left]
    return found


def _pairs(lines: Lines, spans: Spans, chosen: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Lines with a duration and the requests within it, some million pairs at a time.

    A line of a proxy that gave up has those that began within it.
    """
    left = np.searchsorted(spans.start, lines.low[chosen], "left")
    right = np.searchsorted(spans.start, lines.high[chosen], "right")
    total = np.concatenate([[0], np.cumsum(right - left)])
    for at, until in _blocks(total):
        block = chosen[at:until]
        n = (right - left)[at:until]
        line = np.repeat(block, n)
        place = np.arange(len(line)) - np.repeat(total[at:until] - total[at], n)
        request = np.repeat(left[at:until], n) + place
        fits = (spans.end[request] <= lines.high[line]) | lines.given_up[line]
        yield line[fits], request[fits]


def _blocks(total: Ints) -> Iterator[tuple[int, int]]:
    """Stretches of lines that have at most some million pairs together, or are one line."""
    at, n = 0, len(total) - 1
    while at < n:
        until = int(np.searchsorted(total, total[at] + _MOST_PAIRS, "right")) - 1
        until = min(max(until, at + 1), n)
        yield at, until
        at = until


def alone_over(low: Ints, high: Ints, begin: Ints, end: Ints) -> Ints:
    """The one of the stretches low..high that each of begin..end touches: int64[n], -1 where none
    does or several do.
    """
    order = np.argsort(low, kind="stable")
    begun = np.searchsorted(low[order], end, "right")
    over = np.searchsorted(np.sort(high), begin, "left")
    # of those that have begun by then, the one that ends last: where one alone fits, it is this one
    last = order[_last_to_end(high[order])]
    return np.where(begun - over == 1, last[np.maximum(begun - 1, 0)], -1)


def _last_to_end(end: Ints) -> Ints:
    """Of the first n requests, for each n from 1 on, the one that ends last."""
    latest = np.maximum.accumulate(end)
    is_new = np.concatenate([[True], latest[1:] > latest[:-1]]) if len(end) else np.zeros(0, bool)
    last: Ints = np.maximum.accumulate(np.where(is_new, np.arange(len(end)), 0))
    return last
