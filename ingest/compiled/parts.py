# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Events of one log file, in its order → parts of requests (docs/parsing.md, "Requests").

Cython's pure-Python mode, as :mod:`ingest.compiled.records`.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
else:
    from ingest.compiled import layout

COMPILED = cython.compiled
_GOOD = cython.declare(cython.int, layout.K_TRACEBACK)  # the last kind of records that are
_SEVERE = cython.declare(cython.int, layout.L_WARNING)

# Kinds of events, as the scanner's event codes; E_OTHER is any other WARNING or worse, or an access
# line, that names an id.
E_START, E_COMPLETE, E_FAILED, E_STAGE, E_METRICS, E_OTHER = 0, 1, 2, 3, 4, 9
TAKEN = 1000  # in place of a column: the pair is known, and goes nowhere
_TAKEN = cython.declare(cython.int, TAKEN)
_START = cython.declare(cython.int, E_START)
_COMPLETE = cython.declare(cython.int, E_COMPLETE)
_FAILED = cython.declare(cython.int, E_FAILED)
_STAGE = cython.declare(cython.int, E_STAGE)
_OTHER = cython.declare(cython.int, E_OTHER)
_OK = cython.declare(cython.char, 1)  # of a value's states: ingest.compiled.numbers.OK

# Columns of the part table, int32[n_parts, PART_WIDTH]: event numbers, -1 for none.
FIRST, LAST, STARTED, COMPLETED, IS_REQUEST, HAS_FAILED = range(6)
PART_WIDTH = 6
_FIRST = cython.declare(cython.int, FIRST)
_LAST = cython.declare(cython.int, LAST)
_STARTED = cython.declare(cython.int, STARTED)
_COMPLETED = cython.declare(cython.int, COMPLETED)
_IS_REQUEST = cython.declare(cython.int, IS_REQUEST)
_HAS_FAILED = cython.declare(cython.int, HAS_FAILED)

OPEN = -(2**63)
_CARRIED_END = cython.declare(cython.int, -3)
GRACE_US = 60_000_000  # microseconds behind the end in which a record still belongs to a request


def events(records, pairs, id_key, codes, rows, kinds, id_of, others):
    """Find the records that make requests, and the errors and access lines that name an id; return
    how many, how many of these tell a stage's time, and how many ``others`` there are of each kind.

    ``records`` int32[n, w] and ``pairs`` int32[p, 7] as scanned; ``id_key``: the code of the key
    ``id``, of which a record's first pair counts. ``codes``: first and last of the event codes that
    make requests, the one of access lines, first and last of samples. Fills ``rows`` int32[n],
    ``kinds`` int32[n] and ``id_of`` int32[n] (-1: no id, or an empty one), and ``others``
    int32[3, n]: the records of level WARNING or worse, samples, access lines.
    """
    rec: cython.int[:, ::1] = records
    pr: cython.int[:, ::1] = pairs
    out: cython.int[::1] = rows
    kd: cython.int[::1] = kinds
    io: cython.int[::1] = id_of
    more: cython.int[:, ::1] = others
    first: cython.int = codes[0]
    last: cython.int = codes[1]
    access: cython.int = codes[2]
    sample: cython.int = codes[3]
    last_sample: cython.int = codes[4]
    key: cython.int = id_key
    i: cython.int
    j: cython.int
    end: cython.int
    event: cython.int
    plain: cython.bint
    n: cython.int = 0
    stages: cython.int = 0
    severe: cython.int = 0
    samples: cython.int = 0
    accesses: cython.int = 0
    total: cython.int = rec.shape[0]
    with cython.nogil:
        for i in range(total):
            if rec[i, layout.R_KIND] > _GOOD:
                continue
            event = rec[i, layout.R_EVENT]
            plain = first <= event <= last
            if not plain or rec[i, layout.R_LEVEL] >= _SEVERE:
                if rec[i, layout.R_LEVEL] >= _SEVERE:
                    more[0, severe] = i
                    severe += 1
                if sample <= event <= last_sample:
                    more[1, samples] = i
                    samples += 1
                if event == access:
                    more[2, accesses] = i
                    accesses += 1
                elif not plain and rec[i, layout.R_LEVEL] < _SEVERE:
                    continue
            j = rec[i, layout.R_PAIR]
            end = j + rec[i, layout.R_PAIRS]
            while j < end and pr[j, layout.P_CODE] != key:
                j += 1
            if j == end or pr[j, layout.P_VALUE] == pr[j, layout.P_VALUE_END]:
                j = -1
            if not plain:
                if j < 0:
                    continue
                event = _OTHER
            out[n] = i
            kd[n] = event
            io[n] = j
            n += 1
            if event == _STAGE:
                stages += 1
    return n, stages, (severe, samples, accesses)


def unnamed(records, found):
    """Find the records that no event names, other than tracebacks and what has no header; return
    how many, of which ``found`` int32[n] gets the numbers.
    """
    rec: cython.int[:, ::1] = records
    out: cython.int[::1] = found
    most: cython.int = layout.K_HEADERLESS
    n: cython.int = 0
    i: cython.int
    total: cython.int = rec.shape[0]
    with cython.nogil:
        for i in range(total):
            if rec[i, layout.R_EVENT] < 0 and rec[i, layout.R_KIND] <= most:
                out[n] = i
                n += 1
    return n


def cut(kinds, ids, instants, carried, ends, n_ids, part_of, parts):
    """Cut events into parts; return how many parts.

    ``kinds`` int32[e], ``ids`` int32[e] (-1: no id), ``instants`` int64[e] microseconds. The first
    parts continue those that precede these events in the file: ``carried`` int32[c] are their ids,
    ``ends`` int64[c] the instants of their ends, OPEN where they have none. ``part_of`` int32[e]
    and ``parts`` int32[c + e, PART_WIDTH] are filled.
    """
    cr: cython.int[::1] = carried
    en: cython.longlong[::1] = ends
    kd: cython.int[::1] = kinds
    idc: cython.int[::1] = ids
    at: cython.longlong[::1] = instants
    po: cython.int[::1] = part_of
    pt: cython.int[:, ::1] = parts
    current: cython.int[::1] = memoryview(bytearray(4 * max(n_ids, 1))).cast("i")
    e: cython.int
    p: cython.int
    n: cython.int = 0
    kind: cython.int
    total: cython.int = kd.shape[0]
    fresh: cython.bint
    gap: cython.longlong
    k: cython.int
    count: cython.int = n_ids
    n_carried: cython.int = cr.shape[0]
    is_open: cython.longlong = OPEN
    grace: cython.longlong = GRACE_US
    with cython.nogil:
        for k in range(count):
            current[k] = -1
        for k in range(n_carried):
            current[cr[k]] = k
            pt[k, _FIRST] = -1
            pt[k, _LAST] = -1
            pt[k, _STARTED] = -1
            pt[k, _COMPLETED] = -1 if en[k] == is_open else _CARRIED_END
            pt[k, _IS_REQUEST] = 0
            pt[k, _HAS_FAILED] = 0
        n = n_carried
        for e in range(total):
            kind = kd[e]
            p = current[idc[e]] if idc[e] >= 0 else -1
            fresh = p < 0 or kind == _START
            if not fresh and pt[p, _COMPLETED] != -1:
                gap = at[e] - (at[pt[p, _COMPLETED]] if pt[p, _COMPLETED] >= 0 else en[p])
                fresh = kind == _COMPLETE or gap > grace or gap < -grace
            if fresh:
                p = n
                n += 1
                pt[p, _FIRST] = e
                pt[p, _STARTED] = -1
                pt[p, _COMPLETED] = -1
                pt[p, _IS_REQUEST] = 0
                pt[p, _HAS_FAILED] = 0
                if idc[e] >= 0:
                    current[idc[e]] = p
            po[e] = p
            if pt[p, _FIRST] < 0:
                pt[p, _FIRST] = e
            pt[p, _LAST] = e
            if kind != _OTHER:
                pt[p, _IS_REQUEST] = 1
            if kind == _START:
                pt[p, _STARTED] = e
            elif kind == _COMPLETE:
                pt[p, _COMPLETED] = e
            elif kind == _FAILED:
                pt[p, _HAS_FAILED] = 1
    return n


def extents(part_of, ids, instants, lowest, highest, id_of):
    """The first and last instant of each part, and the code of its id.

    ``part_of`` int32[e], ``ids`` int32[e] and ``instants`` int64[e] of events, as cut; fills
    ``lowest`` and ``highest`` int64[n] and ``id_of`` int32[n] (-1: no id), of parts without an
    event with 0, 0 and -1.
    """
    po: cython.int[::1] = part_of
    idc: cython.int[::1] = ids
    at: cython.longlong[::1] = instants
    low: cython.longlong[::1] = lowest
    high: cython.longlong[::1] = highest
    code: cython.int[::1] = id_of
    none: cython.int = -2
    e: cython.int
    p: cython.int
    n: cython.int = code.shape[0]
    total: cython.int = po.shape[0]
    with cython.nogil:
        for p in range(n):
            code[p] = none
        for e in range(total):
            p = po[e]
            if code[p] == none:
                code[p] = idc[e]
                low[p] = at[e]
                high[p] = at[e]
            elif at[e] < low[p]:
                low[p] = at[e]
            elif at[e] > high[p]:
                high[p] = at[e]
        for p in range(n):
            if code[p] == none:
                code[p] = -1
                low[p] = 0
                high[p] = 0


def first_pairs(records, pairs, rows, keys, first):
    """Note the first pair of each key in some records: ``first`` int32[m, k], -1 at first, gets
    pair numbers.

    ``records`` int32[n, w] and ``pairs`` int32[p, 7] as scanned; ``rows`` int32[m] of the records;
    ``keys`` int32[n_keys] maps a key code to a column of ``first`` or -1.
    """
    rec: cython.int[:, ::1] = records
    pr: cython.int[:, ::1] = pairs
    at: cython.int[::1] = rows
    column: cython.int[::1] = keys
    out: cython.int[:, ::1] = first
    i: cython.int
    j: cython.int
    k: cython.int
    begin: cython.int
    total: cython.int = at.shape[0]
    with cython.nogil:
        for j in range(total):
            begin = rec[at[j], layout.R_PAIR]
            for i in range(begin, begin + rec[at[j], layout.R_PAIRS]):
                if pr[i, layout.P_CODE] < 0:
                    continue
                k = column[pr[i, layout.P_CODE]]
                if k >= 0 and out[j, k] < 0:
                    out[j, k] = i


def unused(records, rows, used, found):
    """Find the pairs of records int32[n] that are none of ``used`` int32[n, k], of each (-1: none);
    return how many. ``found`` int32[2, p] gets them, and the places of their records in ``rows``.
    """
    rec: cython.int[:, ::1] = records
    at: cython.int[::1] = rows
    taken: cython.int[:, ::1] = used
    out: cython.int[:, ::1] = found
    # of one record's pairs those that are used
    mark: cython.uchar[::1] = memoryview(bytearray(found.shape[1] + 1))
    i: cython.int
    j: cython.int
    k: cython.int
    begin: cython.int
    n: cython.int = 0
    width: cython.int = taken.shape[1]
    total: cython.int = at.shape[0]
    with cython.nogil:
        for j in range(total):
            begin = rec[at[j], layout.R_PAIR]
            for k in range(width):
                if taken[j, k] >= 0:
                    mark[taken[j, k] - begin] = 1
            for i in range(rec[at[j], layout.R_PAIRS]):
                if mark[i]:
                    mark[i] = 0
                else:
                    out[0, n] = begin + i
                    out[1, n] = j
                    n += 1
    return n


def starts(records, rows, base, out):
    """Offsets int64[m] in the file of records int32[m]: where they begin, behind ``base``."""
    rec: cython.int[:, ::1] = records
    at: cython.int[::1] = rows
    to: cython.longlong[::1] = out
    before: cython.longlong = base
    j: cython.int
    total: cython.int = at.shape[0]
    with cython.nogil:
        for j in range(total):
            to[j] = before + rec[at[j], layout.R_START]


def tally(records):
    """What records are as a whole: how many have a stamp that is an instant, how many of these name
    a zone, how many are none (quarantined), the bytes of all and of these, and the last record with
    an instant, or -1.
    """
    rec: cython.int[:, ::1] = records
    i: cython.int
    kind: cython.int
    none: cython.int = layout.NO_ZONE
    header: cython.int = layout.K_HEADER
    good: cython.int = layout.K_TRACEBACK
    stamped: cython.int = 0
    zoned: cython.int = 0
    bad: cython.int = 0
    last: cython.int = -1
    size: cython.longlong = 0
    bad_size: cython.longlong = 0
    length: cython.int
    total: cython.int = rec.shape[0]
    with cython.nogil:
        for i in range(total):
            kind = rec[i, layout.R_KIND]
            length = rec[i, layout.R_END] - rec[i, layout.R_START]
            size += length
            if kind == header:
                stamped += 1
                last = i
                if rec[i, layout.R_ZONE] != none:
                    zoned += 1
            elif kind > good:
                bad += 1
                bad_size += length
    return stamped, zoned, bad, size, bad_size, last


def infer(records, stamps, lead, neighbour, instants, source):
    """Instants int64[n] of records whose stamps int64[n] are in UTC: those without one have that of
    the record before, the first ones ``lead``; ``source`` int8[n] gets ``neighbour`` for them.
    """
    rec: cython.int[:, ::1] = records
    at: cython.longlong[::1] = stamps
    to: cython.longlong[::1] = instants
    of: cython.char[::1] = source
    before: cython.longlong = lead
    near: cython.char = neighbour
    header: cython.int = layout.K_HEADER
    i: cython.int
    total: cython.int = rec.shape[0]
    with cython.nogil:
        for i in range(total):
            if rec[i, layout.R_KIND] == header:
                before = at[i]
            else:
                of[i] = near
            to[i] = before


def choose(
    kinds, rows, part_of, records, pairs, texts, states, columns, bits, slots, from_end, free,
    owners, keys, stages,
):  # fmt: skip
    """Choose for each part and column the pair that fills it: the end's, else the first. Return how
    many pairs have no column of their own.

    Event e is record ``rows[e]`` of ``records`` and belongs to part ``part_of[e]``; ``records`` and
    ``pairs`` as scanned. ``texts`` uint8[n_keys]: keys whose value is text; ``states`` int8[p] 0
    where another's does not fit; ``columns`` int32[6, n_keys] maps (event kind, key code) to a
    column or -1 (E_OTHER counts as 5; at most 63 keys); ``slots`` int32[n_parts, n_columns], -1 at
    first, gets pair numbers; ``from_end`` int64[n_parts] gets ``bits`` int64[n_columns] for every
    column that an end filled; ``free`` int32[p] and ``owners`` int32[p] get the pairs of requests'
    events that have no column of their own (used or outvoted), and their parts.

    ``keys``: the codes of stage, duration and own time; ``stages`` int32[4, s] gets the events that
    tell how long a stage took, and the first pairs of these keys, -1 for none.
    """
    kd: cython.int[::1] = kinds
    at: cython.int[::1] = rows
    po: cython.int[::1] = part_of
    rec: cython.int[:, ::1] = records
    pr: cython.int[:, ::1] = pairs
    text: cython.uchar[::1] = texts
    state: cython.char[::1] = states
    col: cython.int[:, ::1] = columns
    slot: cython.int[:, ::1] = slots
    left: cython.int[::1] = free
    own: cython.int[::1] = owners
    fe: cython.longlong[::1] = from_end
    bit_of: cython.longlong[::1] = bits
    stage_key: cython.int = keys[0]
    total_key: cython.int = keys[1]
    own_key: cython.int = keys[2]
    found: cython.int[:, ::1] = stages
    one: cython.longlong = 1
    e: cython.int
    total: cython.int = kd.shape[0]
    kind: cython.int
    p: cython.int
    c: cython.int
    i: cython.int
    first: cython.int
    last: cython.int
    code: cython.int
    n: cython.int = 0
    s: cython.int = -1
    k: cython.int
    seen: cython.longlong  # a bit for every key that has been taken in the event
    text_of: cython.p_uchar = cython.address(text[0]) if cython.compiled else text
    width: cython.int = col.shape[1]
    all_columns: cython.p_int = cython.address(col[0, 0]) if cython.compiled else None
    all_cells: cython.p_int = cython.address(pr[0, 0]) if cython.compiled else None
    column: cython.p_int = all_columns
    cell: cython.p_int = all_cells
    with cython.nogil:
        for e in range(total):
            kind = kd[e] if kd[e] < 5 else 5
            p = po[e]
            seen = 0
            first = rec[at[e], layout.R_PAIR]
            last = first + rec[at[e], layout.R_PAIRS]
            if cython.compiled:
                column = all_columns + kind * width
                cell = all_cells + first * layout.PAIR_WIDTH
            if kind == _STAGE:
                s += 1
                found[0, s] = e
                found[1, s] = found[2, s] = found[3, s] = -1
            for i in range(first, last):
                if cython.compiled:
                    code = cell[layout.P_CODE]
                    cell += layout.PAIR_WIDTH
                else:
                    code = pr[i, layout.P_CODE]
                if kind == _STAGE:
                    k = 1 if code == stage_key else 2 if code == total_key else 3
                    if (k < 3 or code == own_key) and found[k, s] < 0:
                        found[k, s] = i
                c = -1
                if code >= 0 and (state[i] != 0 or text_of[code] != 0) and not seen >> code & 1:
                    c = column[code] if cython.compiled else col[kind, code]
                if c < 0:
                    if kd[e] != _OTHER:
                        left[n] = i
                        own[n] = p
                        n += 1
                    continue
                seen |= one << code
                if c == _TAKEN:
                    continue
                if slot[p, c] < 0 or kind == _COMPLETE:
                    slot[p, c] = i
                    if kind == _COMPLETE:
                        fe[p] |= bit_of[c]
    return n


def stage_times(
    chosen, rows, part_of, instants, records, given, base, values, states, own, part, places,
    logged, told, valid,
):  # fmt: skip
    """How long stages took, of the events and pairs that :func:`choose` has found; return how many
    tell it by a number.

    ``chosen`` int32[4, s] as its ``stages``; other arguments as those of :func:`place`, with
    ``values`` float64[p]; ``own``: durations are each stage's own. Fills ``part`` int32[s],
    ``places`` int64[2, s] (its instant, its offset in the file), ``logged`` float64[s]
    milliseconds and ``told`` uint8[2, s]: whether these are a number, and the stage's own.
    ``valid`` is the former as Arrow's bitmap, all 0 at first.
    """
    found: cython.int[:, ::1] = chosen
    at: cython.int[::1] = rows
    po: cython.int[::1] = part_of
    when: cython.longlong[::1] = instants
    rec: cython.int[:, ::1] = records
    known: cython.longlong[::1] = given
    before: cython.longlong = base
    val: cython.double[::1] = values
    state: cython.char[::1] = states
    always_own: cython.bint = own
    owner: cython.int[::1] = part
    where: cython.longlong[:, ::1] = places
    ms: cython.double[::1] = logged
    are: cython.uchar[:, ::1] = told
    bits: cython.uchar[::1] = valid
    s: cython.int
    e: cython.int
    took: cython.int
    numbers: cython.int = 0
    total: cython.int = owner.shape[0]
    has_own: cython.bint = known.shape[0] > 0
    with cython.nogil:
        for s in range(total):
            e = found[0, s]
            owner[s] = po[e]
            where[0, s] = when[e]
            where[1, s] = known[at[e]] if has_own else before + rec[at[e], layout.R_START]
            took = found[2, s] if found[3, s] < 0 else found[3, s]
            are[1, s] = found[3, s] >= 0 or always_own
            are[0, s] = took >= 0 and state[took] == _OK
            ms[s] = val[took] if took >= 0 else 0.0
            if are[0, s]:
                bits[s >> 3] |= 1 << (s & 7)
                numbers += 1
    return numbers


def place(
    parts, kinds, ids, part_of, instants, rows, records, given, base, key, n_carried, out, valid,
    nulls, whole, used,
):  # fmt: skip
    """Say where and when parts begin and end; return whether one of them says that it failed.

    ``parts`` int32[n, PART_WIDTH] as of :func:`cut`, with its ``kinds``, ``ids``, ``part_of`` and
    ``instants`` of events; ``rows`` int32[e]: their records. Of records, ``given`` int64 are the
    offsets in the file; where it is empty, these are R_START behind ``base``. ``key`` is added to
    an offset for a key. The first ``n_carried`` parts are carried on.

    Fills ``out`` int64[7, n]: key, offsets of the first and the last record, of start and end,
    instants of the start and of the end, which is the event that completes it, else the first that
    says it failed. ``valid`` uint8[4, (n + 7) // 8], all 0 at first, and ``nulls`` int64[4]: bitmap
    of Arrow and number of nulls of start, end, the end's instant; and, as the fourth, whether it
    is a request. ``whole`` uint8[n]: has start and end, or no id; ``used`` uint8[n]: has records.
    """
    pt: cython.int[:, ::1] = parts
    kd: cython.int[::1] = kinds
    idc: cython.int[::1] = ids
    po: cython.int[::1] = part_of
    when: cython.longlong[::1] = instants
    at: cython.int[::1] = rows
    rec: cython.int[:, ::1] = records
    known: cython.longlong[::1] = given
    before: cython.longlong = base
    high: cython.longlong = key
    to: cython.longlong[:, ::1] = out
    bits: cython.uchar[:, ::1] = valid
    none: cython.longlong[::1] = nulls
    is_whole: cython.uchar[::1] = whole
    is_used: cython.uchar[::1] = used
    carried: cython.int = n_carried
    n: cython.int = pt.shape[0]
    total: cython.int = kd.shape[0]
    failed: cython.int[::1] = memoryview(bytearray(4 * max(n, 1))).cast("i")
    e: cython.int
    p: cython.int
    k: cython.int
    bit: cython.uchar
    any_failed: cython.bint = False
    has_own: cython.bint = known.shape[0] > 0
    with cython.nogil:
        for e in range(total):  # of a failed part the first such event, plus one
            if kd[e] == _FAILED:
                any_failed = True
                if failed[po[e]] == 0:
                    failed[po[e]] = e + 1
            if idc[e] < 0:
                is_whole[po[e]] = 1
        for p in range(n):
            bit = 1 << (p & 7)
            is_used[p] = pt[p, _FIRST] >= 0
            if p >= carried and pt[p, _STARTED] >= 0 and pt[p, _COMPLETED] >= 0:
                is_whole[p] = 1
            for k in range(4):
                e = pt[p, _FIRST + k]
                if k >= 2:
                    if e >= 0:
                        bits[k - 2, p >> 3] |= bit
                    else:
                        none[k - 2] += 1
                e = e if e > 0 else 0
                if total == 0:
                    to[1 + k, p] = 0
                elif has_own:
                    to[1 + k, p] = known[at[e]]
                else:
                    to[1 + k, p] = before + rec[at[e], layout.R_START]
            to[0, p] = high | to[1, p]
            e = pt[p, _STARTED]
            to[5, p] = when[e] if e >= 0 else 0
            e = pt[p, _COMPLETED]
            e = e if e >= 0 else failed[p] - 1
            to[6, p] = when[e] if e >= 0 else 0
            if e >= 0:
                bits[2, p >> 3] |= bit
            else:
                none[2] += 1
            if pt[p, _IS_REQUEST]:
                bits[3, p >> 3] |= bit
    return any_failed


def stages(part_of, elapsed, valid, own, n_parts, seq, own_ms, elapsed_ms):
    """Number the stages of each part and split elapsed into own times (or sum own times up).

    ``part_of`` int32[s] in the file's order, ``elapsed`` float64[s] milliseconds, ``valid``
    uint8[s], ``own`` uint8[s]: the milliseconds are the stage's own; fills ``seq`` int32[s],
    ``own_ms`` and ``elapsed_ms`` float64[s] (meaningless where not valid).
    """
    po: cython.int[::1] = part_of
    el: cython.double[::1] = elapsed
    ok: cython.uchar[::1] = valid
    sq: cython.int[::1] = seq
    om: cython.double[::1] = own_ms
    em: cython.double[::1] = elapsed_ms
    is_own: cython.uchar[::1] = own
    n: cython.int = n_parts
    last: cython.double[::1] = memoryview(bytearray(8 * max(n, 1))).cast("d")
    count: cython.int[::1] = memoryview(bytearray(4 * max(n, 1))).cast("i")
    s: cython.int
    p: cython.int
    total: cython.int = po.shape[0]
    with cython.nogil:
        for s in range(total):
            p = po[s]
            if p < 0:
                sq[s] = 1
                om[s] = el[s]
                em[s] = el[s]
                continue
            count[p] += 1
            sq[s] = count[p]
            if ok[s] == 0:
                continue
            if is_own[s]:
                last[p] += el[s]
                om[s] = el[s]
                em[s] = last[p]
            else:
                om[s] = el[s] - last[p] if el[s] >= last[p] else el[s]
                em[s] = el[s]
                last[p] = el[s]
