"""A window of the store → the columns that triage thinks with.

Up to CAP requests are fetched whole. Of more, those are kept that went wrong, and of the others one
in so many, by a rule on their keys that every engine counts alike; each then stands for so many
(Horvitz and Thompson, 1952).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.causes.answers import asked_by
from ingest.causes.columns import (
    Answers,
    Arrivals,
    Attribute,
    Floats,
    Ints,
    Labels,
    Observed,
    Records,
    Requests,
    Samples,
    Stage,
)
from ingest.lazily import matcher
from ingest.model import EPOCH
from ingest.stores.contract import Reader
from ingest.tasks.triage import statements as sql
from ingest.tasks.triage.arrays import Fetched, attributes_of, labelled, order_of

CAP = 100_000
DAY = timedelta(hours=24)
_LEVELS = {"WARNING": 0, "ERROR": 1, "CRITICAL": 2}
_OPTIONAL = ("instance", "profile", "audio_ms", "rtf")
_NUMBERS = matcher(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant to another, both included."""

    since: datetime
    until: datetime


def newest(reader: Reader) -> datetime | None:
    """The instant of the newest record; None for a store without any."""
    found = reader.query(sql.LAST, {}).rows[0][0]
    return found.astimezone(UTC) if isinstance(found, datetime) else None


def fetched(reader: Reader, window: Window, cap: int = CAP) -> Observed:
    """The columns of a window."""
    binds: dict[str, object] = {"since": window.since, "until": window.until}
    total, wrong = (int(str(v)) for v in reader.query(sql.COUNT, binds).rows[0])
    every = _next_prime(-(-total // cap)) if total > cap else 1
    every_wrong = _next_prime(-(-wrong // cap)) if wrong > cap else 1
    binds |= {"every": every, "wrong": every_wrong if every > 1 else 0}
    requests = _requests(reader, binds, every, every_wrong)
    _let_go()
    records = _records(reader, binds, requests, cap)
    samples = _samples(reader, binds, cap)
    since, until = _seconds(window.since), _seconds(window.until)
    arrivals, finished = _arrivals(reader, binds, requests, records, every > 1, until)
    requests = _with_concurrency(requests, arrivals, finished)
    answers, answered = _answers(reader, binds, requests, cap)
    asked = asked_by(answers, len(requests))
    requests = replace(requests, plain=(*requests.plain, *asked))
    first = float(requests.at[0]) if len(requests) else since
    _let_go()
    return Observed(max(since, min(first, _first(records, samples, first))), until, total,
                    requests, records, samples, arrivals, answers, answered)  # fmt: skip


def _let_go() -> None:
    """Give back the memory of results that have become columns; Arrow would keep it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _seconds(instant: datetime) -> float:
    return (instant - EPOCH).total_seconds()


def _first(records: Records, samples: Samples, otherwise: float) -> float:
    starts = [float(a[0]) for a in (records.at, samples.at) if len(a)]
    return min(starts, default=otherwise)


def _next_prime(least: int) -> int:
    found = max(2, least)
    while any(found % d == 0 for d in range(2, int(found**0.5) + 1)):
        found += 1
    return found


def _requests(reader: Reader, binds: Mapping[str, object], every: int, wrong: int) -> Requests:
    optional = _OPTIONAL
    rows = Fetched.of(reader.query(sql.requests(optional, dated=True), binds))
    key, started, logged = rows.ints("request_key"), rows.floats("started"), rows.floats("logged")
    dated = rows.ints("dated") == 1
    at = np.where(np.isnan(started), logged, started)
    order = order_of(key, at, dated)
    return _in_order(rows, order, key, at, dated, every, wrong, optional, reader, binds)


def _in_order(
    rows: Fetched, order: Ints, key: Ints, at: Floats, dated: "np.typing.NDArray[np.bool_]",
    every: int, wrong: int, optional: tuple[str, ...], reader: Reader, binds: Mapping[str, object],
) -> Requests:  # fmt: skip
    key = key[order]
    status = rows.labels("status").take(order)
    finished = status.codes >= 0
    failed = finished & ~status.equal("success")
    sampled = key % every == 0
    saved = rows.codes("cache_saved")[order]

    def floats(name: str) -> Floats:
        have = name in rows.names
        return rows.floats(name)[order] if have else np.full(len(key), np.nan)

    def labels(name: str) -> Labels:
        return rows.labels(name).take(order)

    plain = ("host", "service", *(c for c in optional if c in ("instance", "profile")))
    weight = _weights(key, failed | ~finished | (saved == 0), every, wrong)
    attributes = attributes_of(rows.array("attributes"))
    return Requests(
        key=key, at=at[order], started=floats("started"), completed=floats("completed"),
        dated=dated[order], weight=weight, sampled=sampled, finished=finished, failed=failed,
        duration_ms=floats("duration_ms"), text_len=floats("text_len"), audio_ms=floats("audio_ms"),
        audio_kb=floats("audio_size_kb"), centroid=floats("spectral_centroid"), rtf=floats("rtf"),
        cache_hit=rows.codes("cache_hit")[order], cache_saved=saved,
        concurrency=np.full(len(key), np.nan), host=labels("host"),
        error_code=labels("error_code"), model_stage=labels("model_stage"),
        plain=tuple(Attribute(n, labels(n)) for n in (*plain, "lang", "voice", "text_class")),
        attributes=tuple(Attribute(a.name, a.labels.take(order)) for a in attributes),
        text=_texts(reader, binds, key), stages=_stages(reader, binds, key),
    )  # fmt: skip


def _weights(key: Ints, is_wrong: "np.typing.NDArray[np.bool_]", every: int, wrong: int) -> Floats:
    """How many requests each row stands for."""
    if every == 1:
        return np.ones(len(key))
    by_rule = np.where(key % every == 0, float(every), 1.0)
    if wrong == 1:
        return np.where(is_wrong, 1.0, by_rule)
    # both rules may keep one that went wrong: it stands for the inverse of its chance of being kept
    chance = 1 / wrong + 1 / every - 1 / (wrong * every)
    return np.where(is_wrong, 1 / chance, by_rule)


def _texts(reader: Reader, binds: Mapping[str, object], key: Ints) -> Labels:
    """Texts that recur among those that went wrong; a value is the key of such a request."""
    rows = Fetched.of(reader.query(sql.TEXTS, binds))
    codes = np.full(len(key), -1, np.int32)
    if not rows.rows:
        return Labels(codes, ())
    found, text = rows.ints("request_key"), rows.ints("text_key")
    different, of = np.unique(text, return_inverse=True)
    place, known = _places(key, found)
    codes[place[known]] = of[known]
    return Labels(codes, tuple(int(t) for t in different))


def _places(key: Ints, wanted: Ints) -> tuple[Ints, "np.typing.NDArray[np.bool_]"]:
    """Where each wanted key is among the keys, and whether it is there at all."""
    if not len(key):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    order = np.argsort(key, kind="stable")
    place = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    return order[place], key[order][place] == wanted


def _stages(reader: Reader, binds: Mapping[str, object], key: Ints) -> tuple[Stage, ...]:
    """A column a stage; what a request went through twice is added up."""
    rows = Fetched.of(reader.query(sql.STAGES, binds))
    if not rows.rows:
        return ()
    labels, own = rows.labels("stage"), rows.floats("duration_ms")
    place, known = _places(key, rows.ints("request_key"))
    found = []
    for code, name in enumerate(labels.values):
        here = known & (labels.codes == code)
        sums = np.bincount(place[here], own[here], len(key)).astype(np.float64)
        sums[np.bincount(place[here], minlength=len(key)) == 0] = np.nan
        found.append(Stage(str(name), sums))
    return tuple(found)


def _records(reader: Reader, binds: Mapping[str, object], requests: Requests, cap: int) -> Records:
    total = int(str(reader.query(sql.COUNT_ERRORS, binds).rows[0][0]))
    every = _next_prime(-(-total // (2 * cap))) if total > 2 * cap else 1
    rows = Fetched.of(reader.query(sql.ERRORS, {**binds, "every": every}))
    at = rows.floats("instant")
    order = np.lexsort((rows.ints("error_key"), at))
    request = rows.ints("request_key", -1)
    place, known = _places(requests.key, request)
    level = rows.labels("level")
    number = np.array([_LEVELS.get(str(v), 1) for v in level.values] or [0], np.int32)
    return Records(
        key=rows.ints("error_key")[order], at=at[order], dated=rows.ints("dated")[order] == 1,
        level=number[level.codes][order] if rows.rows else np.zeros(0, np.int32),
        row=np.where(known, place, -1)[order], owned=(request >= 0)[order],
        host=rows.labels("host").take(order), code=_codes(rows).take(order),
        location=rows.labels("location").take(order),
    )  # fmt: skip


def _codes(rows: Fetched) -> Labels:
    """The code or event of each record, else its message without numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    messages = rows.array("message").cast(pa.string()).dictionary_encode()
    plain = [None if m is None else _NUMBERS.sub("#", m) for m in messages.dictionary.to_pylist()]
    without = pa.array(plain, pa.string()).take(messages.indices)
    return labelled(pc.coalesce(rows.array("code").cast(pa.string()), without))


def _answers(
    reader: Reader, binds: Mapping[str, object], requests: Requests, cap: int
) -> tuple[Answers, int]:
    """The access lines of a window, and how many there are."""
    window = {name: binds[name] for name in ("since", "until")}
    total, wrong = (int(str(v)) for v in reader.query(sql.HTTP_COUNT, window).rows[0])
    every = _next_prime(-(-total // cap)) if total > cap else 1
    every_wrong = _next_prime(-(-wrong // cap)) if wrong > cap else 1
    asked = {**window, "every": every, "wrong": every_wrong}
    rows = Fetched.of(reader.query(sql.ANSWERS, asked))
    key, at, dated = rows.ints("http_key"), rows.floats("instant"), rows.ints("dated") == 1
    order = order_of(key, at, dated)
    place, known = _places(requests.key, rows.ints("request_key", -1))
    key, status = key[order], rows.ints("http_status")[order].astype(np.int32)
    plain = ("instance", "server", "path", "client", "method")
    return Answers(
        key=key, at=at[order], dated=dated[order],
        weight=_weights(key, status >= 500, every, every_wrong), sampled=key % every == 0,
        status=status, request_ms=rows.floats("request_ms")[order],
        bytes_sent=rows.floats("bytes_sent")[order], row=np.where(known, place, -1)[order],
        host=rows.labels("host").take(order),
        plain=tuple(Attribute(n, rows.labels(n).take(order)) for n in plain),
    ), total  # fmt: skip


def _samples(reader: Reader, binds: Mapping[str, object], cap: int) -> Samples:
    rows = Fetched.of(reader.query(sql.SAMPLES, {**binds, "every": 1}))
    at = rows.floats("instant")
    order = np.lexsort((rows.ints("sample_key"), at))[: 10 * cap]
    return Samples(
        rows.ints("sample_key")[order], at[order], rows.floats("used_percent")[order],
        rows.labels("host").take(order), rows.labels("path").take(order),
    )  # fmt: skip


def _arrivals(
    reader: Reader, binds: Mapping[str, object], requests: Requests, records: Records,
    is_sample: bool, until: float,
) -> tuple[Arrivals, Floats]:  # fmt: skip
    """When all requests of the window began, and when each ended."""
    if is_sample:
        rows = Fetched.of(reader.query(sql.ARRIVALS, binds))
        started, completed, host = (
            rows.floats("started"),
            rows.floats("completed"),
            rows.labels("host"),
        )
    else:
        have = ~np.isnan(requests.started) & requests.dated
        started, completed = requests.started[have], requests.completed[have]
        host = requests.host.take(have)
    if (np.diff(started) < 0).any():
        order = np.argsort(started, kind="stable")
        started, completed, host = started[order], completed[order], host.take(order)
    last = _last_records(reader, host, requests, records, until)
    return Arrivals(started, host, last), completed


def _last_records(
    reader: Reader, host: Labels, requests: Requests, records: Records, until: float
) -> Floats:
    """The last record of each host within the window, as far as known."""
    known = {str(h): float(str(at)) for h, at in reader.query(sql.HOSTS, {}).rows if at is not None}
    found = []
    for name in host.values:
        ends = [min(known.get(str(name), -np.inf), until)]
        for labels, at in ((requests.host, requests.at), (records.host, records.at)):
            of_host = at[labels.equal(name)]
            ends.append(float(of_host.max()) if len(of_host) else -np.inf)
        found.append(min(max(ends), until))
    return np.asarray(found, np.float64)


def _with_concurrency(requests: Requests, arrivals: Arrivals, completed: Floats) -> Requests:
    """How many were in flight on the host when each began, itself included."""
    in_flight = np.full(len(requests), np.nan)
    for place, host in enumerate(arrivals.host.values):
        here = arrivals.host.codes == place
        starts = arrivals.at[here]
        # what has no end counts for itself only: hangs would make a crowd of everything behind them
        ends = np.sort(np.where(np.isnan(completed[here]), starts, completed[here]))
        rows = requests.host.equal(host) & ~np.isnan(requests.started) & requests.dated
        begun = np.searchsorted(starts, requests.started[rows], side="right")
        over = np.searchsorted(ends, requests.started[rows], side="left")
        in_flight[rows] = np.maximum(begun - over, 1)
    return replace(requests, concurrency=in_flight)
