"""What every query must answer, by plain loops over the rows; no SQL, no code of ingest.

Each function takes the rows and the bound values and returns the rows of the answer, in order.
Percentiles are linear between the two neighbours.
"""

import json
import math
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.queries.rows import BEGAN, Error, Http, Request, Rows, Sample, Stage

Values = dict[str, Any]
Answer = list[tuple[Any, ...]]
ORACLES: dict[str, Callable[[Rows, Values], Answer]] = {}


def oracle(function: Callable[[Rows, Values], Answer]) -> Callable[[Rows, Values], Answer]:
    ORACLES[function.__name__] = function
    return function


def in_window(at: datetime, v: Values) -> bool:
    return (v["since"] is None or at >= v["since"]) and (v["until"] is None or at < v["until"])


def is_of(row: Request | Error | Stage | Sample | Http, v: Values) -> bool:
    for name in ("host", "service"):
        if v.get(name) is not None and hasattr(row, name) and getattr(row, name) != v[name]:
            return False
    return True


def requests_of(rows: Rows, v: Values) -> list[Request]:
    return [r for r in rows.requests if in_window(r.logged_at, v) and is_of(r, v)]


def errors_of(rows: Rows, v: Values) -> list[Error]:
    return [e for e in rows.errors if in_window(e.occurred_at, v) and is_of(e, v)]


def http_of(rows: Rows, v: Values) -> list[Http]:
    found = [h for h in rows.http_requests if in_window(h.logged_at, v) and is_of(h, v)]
    for name in ("path", "server"):
        if v.get(name) is not None:
            found = [h for h in found if getattr(h, name) == v[name]]
    return found


def answered_by(line: Http, rows: Rows) -> Request | None:
    """The request that an access line answers: by its key, else the only one with its X-Request-ID."""  # noqa: E501
    if line.request_key is not None:
        return next(r for r in rows.requests if r.request_key == line.request_key)
    alike = [r for r in rows.requests if line.request_id and r.request_id == line.request_id]
    return alike[0] if len(alike) == 1 else None


def timed(found: Iterable[Any]) -> list[Any]:
    """The rows that have a time of their own."""
    return [row for row in found if row.time_source != "file"]


def grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def percentile(values: Iterable[float | None], share: float) -> float | None:
    known = sorted(v for v in values if v is not None)
    if not known:
        return None
    place = share * (len(known) - 1)
    low, high = known[math.floor(place)], known[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def ascending(value: Any) -> tuple[bool, Any]:
    """A sort key: None last."""
    return (value is None, 0 if value is None else value)


def descending(value: float | None) -> tuple[bool, float]:
    return (value is None, 0 if value is None else -value)


def limited(answer: Answer, v: Values) -> Answer:
    return answer if v["limit"] is None else answer[: v["limit"]]


def bucket_of(at: datetime, v: Values) -> datetime:
    seconds = int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))
    return datetime.fromtimestamp(seconds // v["bucket"] * v["bucket"], UTC)


def milliseconds(span: timedelta) -> float:
    return span / timedelta(milliseconds=1)


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@oracle
def failure_by_length(rows: Rows, v: Values) -> Answer:
    requests = requests_of(rows, v)
    band = v["length_band"]

    def least(request: Request) -> int | None:
        length = request.text_len
        return length // band * band if band and length is not None else length

    answer = []
    failed = grouped((r for r in requests if r.failed), lambda r: (least(r), r.error_code))
    for (length, code), group in failed.items():
        alike = sum(least(r) == length for r in requests)
        last = None if length is None or not band else length + band - 1
        answer.append((length, code, len(group), alike, len(group) / alike, last))
    answer.sort(key=lambda a: (-a[2], -a[4], ascending(a[0]), ascending(a[1])))
    return limited(answer, v)


@oracle
def failure_by_cause(rows: Rows, v: Values) -> Answer:
    requests = requests_of(rows, v)
    failures = [r for r in requests if r.failed]
    answer = []
    for (kind, code), group in grouped(failures, lambda r: (r.text_class, r.error_code)).items():
        alike = sum(r.text_class == kind for r in requests)
        plain = [r for r in requests if r.text_class == "plain"]
        plain_failures = sum(r.failed and r.error_code == code for r in plain)
        expected = alike * (plain_failures / len(plain) if plain else 0)
        count = len(group)
        if kind is None:
            cause = None
        elif kind == "plain" or count <= expected + 2 * math.sqrt(expected):
            cause = "code"
        else:
            cause = "text" if count >= 3 else "unclear"
        share = count / len(failures)
        answer.append((kind, code, count, share, count / alike, alike, expected, cause))
    return sorted(answer, key=lambda a: (-a[2], ascending(a[0]), ascending(a[1])))


@oracle
def failure_by_stage(rows: Rows, v: Values) -> Answer:
    failures = [r for r in requests_of(rows, v) if r.failed]
    answer = [
        (stage, code, len(group), len(group) / len(failures))
        for (stage, code), group in grouped(
            failures, lambda r: (r.model_stage, r.error_code)
        ).items()
    ]
    return sorted(answer, key=lambda a: (-a[2], ascending(a[0]), ascending(a[1])))


@oracle
def failure_rate_over_time(rows: Rows, v: Values) -> Answer:
    answer = []
    for at, group in grouped(
        timed(requests_of(rows, v)), lambda r: bucket_of(r.logged_at, v)
    ).items():
        failures = sum(r.failed for r in group)
        ended = sum(r.status is not None for r in group)
        rate = ratio(failures, ended)
        answer.append((at, len(group), failures, rate, ended, len(group) - ended))
    return sorted(answer)


@oracle
def error_codes(rows: Rows, v: Values) -> Answer:
    failures = [r for r in requests_of(rows, v) if r.failed]
    answer = []
    for code, group in grouped(failures, lambda r: r.error_code).items():
        last = max(group, key=lambda r: (r.logged_at, r.request_key))
        first = min(r.logged_at for r in group)
        share = len(group) / len(failures)
        answer.append((code, len(group), share, first, last.logged_at, last.id))
    answer.sort(key=lambda a: (-a[1], ascending(a[0])))
    return limited(answer, v)


KEPT_NUMBER = (
    r"(?:[Ee]rrno|ERRNO|[Ee]xit(?:ed)?[ _-]?(?:with )?(?:status|code|value)?"
    r"|[Rr]eturn[ _-]?code|[Ss]ignal)[ =:]{0,2}-?[0-9]+"
)


def raised(error: Error) -> str | None:
    """The exception of a record without an event, where its message does not tell it."""
    if error.event is not None or (
        error.message and error.exception_message and error.exception_message in error.message
    ):
        return None
    parts = [part for part in (error.exception_type, error.exception_message) if part is not None]
    return ": ".join(parts)[:500] if error.exception_message else error.exception_type


def said(error: Error) -> str | None:
    """A message without what the columns say and what differs between occurrences."""
    parts = [error.message and error.message[:500], raised(error)]
    if parts == [None, None]:
        return None
    message = ": ".join(
        re.sub(r'text="[^"]*"?', 'text="..."', part) for part in parts if part is not None
    )
    for name in (error.id, error.request_id):
        if name:
            message = message.replace(name, "<id>")
    if error.code is not None and error.event and message.startswith(error.event + ":"):
        rest = message[len(error.event) + 1 :].lstrip(" ,")
        while pair := re.match(r"(id|request_id|error_code|warning_code|code)=[^,]*(, *|$)", rest):
            rest = rest[pair.end() :]
        message = rest or error.event
    pieces = re.split(f"({KEPT_NUMBER})", message)
    return "".join(p if n % 2 else without_numbers(p) for n, p in enumerate(pieces))


def without_numbers(message: str) -> str:
    uuid = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    message = re.sub(uuid, "#", message)
    words = re.split(r"([A-Za-z0-9]+)", message)
    message = "".join("#" if any(c in "0123456789" for c in word) else word for word in words)
    while "#.#" in message:
        message = message.replace("#.#", "#")
    return message


Told = tuple[str | None, str | None, str | None]  # code, location, message


def twinned(errors: list[Error]) -> list[Told]:
    """Records of one request that tell the same error once with its code, once with its traceback,
    as one.
    """
    told: dict[int, Told] = {e.error_key: (e.code, e.location, said(e)) for e in errors}
    known = [e for e in errors if e.level != "WARNING" and e.request_key is not None]
    for group in grouped(known, lambda e: e.request_key).values():
        group.sort(key=lambda e: (e.occurred_at, e.error_key))
        both = [e for e in group if e.code is not None and e.location is not None]
        coded = [e for e in group if e.code is not None and e.location is None]
        traced = [e for e in group if e.code is None and e.location is not None]
        for e in coded:
            whole = [o for o in both if o.code == e.code]
            places = {o.location for o in traced}
            if whole:
                message = said(whole[0])
                told[e.error_key] = (
                    e.code, whole[0].location, said(e) if message is None else message
                )  # fmt: skip
            elif len(places) == 1:
                told[e.error_key] = (e.code, *places, said(e))
        if not both and len({e.code for e in coded}) == 1:
            for e in traced:
                told[e.error_key] = (coded[0].code, e.location, said(coded[0]))
    return [told[e.error_key] for e in errors]


@oracle
def error_groups(rows: Rows, v: Values) -> Answer:
    errors = [e for e in errors_of(rows, v) if v["level"] is None or e.level == v["level"].upper()]
    told = list(zip(errors, twinned(errors), strict=True))
    places = defaultdict(set)
    for e, (code, location, message) in told:
        if location is not None:
            places[e.level, code, message].add(location)
    keyed = []
    for e, (code, location, message) in told:
        alike = places[e.level, code, message]
        if location is None and code is not None and len(alike) == 1:
            location = next(iter(alike))
        keyed.append((e, (e.level, code, location, message)))
    answer = []
    for key, pairs in grouped(keyed, lambda pair: pair[1]).items():
        group = [e for e, _ in pairs]
        requests = {e.request_key for e in group if e.request_key is not None}
        times = [e.occurred_at for e in group]
        answer.append((*key, len(group), len(requests), min(times), max(times)))
    answer.sort(
        key=lambda a: (-a[4], a[0], ascending(a[1]), ascending(a[2]), ascending(a[3])),
    )
    return limited(answer, v)


@oracle
def window_summary(rows: Rows, v: Values) -> Answer:
    answer = []
    for key, group in grouped(errors_of(rows, v), lambda e: (e.level, e.code)).items():
        known = {e.request_key for e in group if e.request_key is not None}
        times = [e.occurred_at for e in group]
        hosts = len({e.host for e in group})
        answer.append((*key, len(group), len(known), hosts, min(times), max(times)))
    return sorted(answer, key=lambda a: (a[0], -a[2], ascending(a[1])))


@oracle
def window_requests(rows: Rows, v: Values) -> Answer:
    found = sorted(requests_of(rows, v), key=lambda r: (r.logged_at, r.request_key))
    answer = [
        (
            r.id, r.started_at, r.status, r.error_code, r.duration_ms, r.logged_at, r.request_key,
            r.request_id, r.host, r.voice, r.text_len,
        )
        for r in found
    ]  # fmt: skip
    return limited(answer, v)


@oracle
def latency_over_time(rows: Rows, v: Values) -> Answer:
    known = [r for r in timed(requests_of(rows, v)) if r.duration_ms is not None]
    answer = []
    for at, group in grouped(known, lambda r: bucket_of(r.logged_at, v)).items():
        times = [r.duration_ms for r in group]
        shares = [percentile(times, share) for share in (0.5, 0.95, 0.99)]
        answer.append((at, len(group), *shares, max(times)))
    return sorted(answer)


@oracle
def stage_breakdown(rows: Rows, v: Values) -> Answer:
    known = [
        s
        for s in rows.stage_timings
        if s.duration_ms is not None and in_window(s.logged_at, v) and is_of(s, v)
    ]
    whole = sum(s.duration_ms or 0 for s in known)
    answer = []
    for stage, group in grouped(known, lambda s: s.stage).items():
        times = [s.duration_ms for s in group]
        middle, high = percentile(times, 0.5), percentile(times, 0.95)
        answer.append((stage, len(times), middle, high, sum(times), ratio(sum(times), whole)))
    return sorted(answer, key=lambda a: (-a[4], ascending(a[0])))


def stages_of(rows: Rows, request: Request, v: Values) -> list[Stage]:
    return [
        s
        for s in rows.stage_timings
        if s.request_key == request.request_key
        and (v["since"] is None or s.logged_at >= v["since"])
    ]


@oracle
def slow_requests(rows: Rows, v: Values) -> Answer:
    least = v["slower_than_ms"]
    known = [
        r
        for r in requests_of(rows, v)
        if r.duration_ms is not None and (least is None or r.duration_ms > least)
    ]
    known.sort(key=lambda r: (-(r.duration_ms or 0), r.request_key))
    answer = []
    for r in known:
        stages = [s for s in stages_of(rows, r, v) if s.duration_ms is not None]
        stages.sort(key=lambda s: (-(s.duration_ms or 0), s.seq))
        name, own = (stages[0].stage, stages[0].duration_ms) if stages else (None, None)
        share = own / r.duration_ms if own is not None and r.duration_ms else None
        answer.append(
            (
                r.id, r.started_at, r.duration_ms, name, own, share, r.request_key, r.host,
                r.text_len, r.cache_hit, r.status,
            )
        )  # fmt: skip
    return limited(answer, v)


def in_flight(request: Request, others: Sequence[Request]) -> int:
    """Requests of the same host and service that had begun and not ended when this one began, and
    itself.
    """
    count = 0
    for other in others:
        if other.started_at is None or (other.host, other.service) != (
            request.host,
            request.service,
        ):
            continue
        ended = max(other.started_at, other.completed_at or other.started_at)
        running = other.started_at <= request.started_at < ended  # type: ignore[operator]
        count += running or other is request
    return count


@oracle
def concurrency_bottleneck(rows: Rows, v: Values) -> Answer:
    everything = [
        r
        for r in timed(rows.requests)
        if is_of(r, v) and (v["until"] is None or r.logged_at < v["until"])
    ]
    begun = [r for r in timed(requests_of(rows, v)) if r.started_at is not None]
    levels = grouped(begun, lambda r: (in_flight(r, everything) - 1) // v["width"] * v["width"] + 1)
    first: dict[str | None, float] = {}
    answer = []
    for level in sorted(levels):
        times = grouped(
            (s for r in levels[level] for s in stages_of(rows, r, v) if s.duration_ms is not None),
            lambda s: s.stage,
        )
        high = {
            stage: percentile((s.duration_ms for s in g), 0.95) or 0 for stage, g in times.items()
        }
        for stage, value in high.items():
            first.setdefault(stage, value)
        growth = {stage: ratio(value, first[stage]) for stage, value in high.items()}
        slow = min(high, key=lambda s: (-high[s], ascending(s)), default=None)
        most = min(growth, key=lambda s: (descending(growth[s]), ascending(s)), default=None)
        whole = [r.duration_ms for r in levels[level]]
        answer.append(
            (
                level, len(whole), percentile(whole, 0.5), percentile(whole, 0.95),
                slow, high.get(slow), growth.get(slow), most, growth.get(most),
            )
        )  # fmt: skip
    return answer


@oracle
def cold_starts(rows: Rows, v: Values) -> Answer:
    requests = [r for r in requests_of(rows, v) if r.cache_hit is not None]
    known = [r for r in requests if r.duration_ms is not None and r.text_len is not None]
    bands = grouped(known, lambda r: (r.text_len or 0) // v["length_band"])
    both = [b for b in bands.values() if len({r.cache_hit for r in b}) == 2]
    answer = []
    for hit, group in grouped(requests, lambda r: r.cache_hit).items():
        weights, sums, matched = 0, [0.0, 0.0], 0
        for band in both:
            times = [r.duration_ms for r in band if r.cache_hit == hit]
            weight = sum(bool(r.cache_hit) for r in band)
            weights += weight
            matched += len(times)
            sums = [
                total + weight * (percentile(times, share) or 0)
                for total, share in zip(sums, (0.5, 0.95), strict=True)
            ]
        times = [r.duration_ms for r in group]
        failures = sum(r.failed for r in group)
        answer.append(
            (
                hit, len(group), percentile(times, 0.5), percentile(times, 0.95),
                failures / len(group), failures, matched,
                ratio(sums[0], weights), ratio(sums[1], weights),
            )
        )  # fmt: skip
    return sorted(answer)


@oracle
def cache_not_saved(rows: Rows, v: Values) -> Answer:
    lost = [
        r
        for r in requests_of(rows, v)
        if r.status == "success" and r.cache_saved is False and r.cache_hit is not True
    ]
    lost.sort(key=lambda r: (descending(r.duration_ms), r.request_key))
    return limited(
        [
            (
                r.id,
                r.completed_at,
                r.duration_ms,
                r.audio_size_kb,
                r.request_key,
                r.host,
                r.text_len,
            )
            for r in lost
        ],
        v,
    )


def used(sample: Sample) -> float | None:
    if sample.used_percent is not None:
        return sample.used_percent
    if sample.used_mb is None or not sample.total_mb:
        return None
    return 100 * sample.used_mb / sample.total_mb


def samples_of(rows: Rows, v: Values) -> list[Sample]:
    found = [s for s in rows.cache_samples if in_window(s.sampled_at, v) and is_of(s, v)]
    return sorted(found, key=lambda s: (s.sampled_at, s.sample_key))


@oracle
def cache_usage(rows: Rows, v: Values) -> Answer:
    answer = []
    groups = grouped(
        timed(samples_of(rows, v)), lambda s: (bucket_of(s.sampled_at, v), s.host, s.path)
    )
    for key, group in groups.items():
        most = max((u for u in map(used, group) if u is not None), default=None)
        limit = max(
            (s.threshold_percent for s in group if s.threshold_percent is not None), default=None
        )
        answer.append((*key, most, limit, len(group)))
    return sorted(answer, key=lambda a: (a[0], a[1], ascending(a[2])))


@oracle
def cache_alert(rows: Rows, v: Values) -> Answer:
    answer = []
    for (host, path), group in grouped(
        timed(samples_of(rows, v)), lambda s: (s.host, s.path)
    ).items():
        runs: list[list[Sample]] = [[]]
        for sample in group:
            percent = used(sample)
            if percent is None:
                continue
            if percent > v["above_percent"]:
                runs[-1].append(sample)
            else:
                runs.append([])
        for run in runs:
            least = v["samples"]
            close = any(
                (run[i + least - 1].sampled_at - run[i].sampled_at).total_seconds() <= v["within"]
                for i in range(len(run) - least + 1)
            )
            if close:
                most = max(used(s) or 0 for s in run)
                answer.append((host, path, run[0].sampled_at, run[-1].sampled_at, len(run), most))
    return sorted(answer, key=lambda a: (a[2], a[0], ascending(a[1])))


def line_through(points: list[tuple[float, float]]) -> tuple[float | None, float | None]:
    """Slope and r2 of the least-squares line; r2 of a level line is 1, both None for a single
    instant.
    """
    n = len(points)
    mx = math.fsum(x for x, _ in points) / n
    my = math.fsum(y for _, y in points) / n
    sxx = math.fsum((x - mx) ** 2 for x, _ in points)
    sxy = math.fsum((x - mx) * (y - my) for x, y in points)
    syy = math.fsum((y - my) ** 2 for _, y in points)
    if not sxx:
        return None, None
    return sxy / sxx, sxy**2 / (sxx * syy) if syy else 1.0


@oracle
def cache_full_forecast(rows: Rows, v: Values) -> Answer:
    answer = []
    for (host, path), group in grouped(
        timed(samples_of(rows, v)), lambda s: (s.host, s.path)
    ).items():
        known = [(s.sampled_at, u) for s in group if (u := used(s)) is not None]
        if not known:
            continue
        last_at, last = known[-1]
        for i in range(len(known) - 1, 0, -1):
            if known[i][1] - known[i - 1][1] < -v["drop_percent"]:
                known = known[i:]
                break
        points = [
            ((at - last_at) / timedelta(hours=1), percent)
            for at, percent in known
            if (last_at - at) / timedelta(hours=1) <= v["hours"]
        ]
        enough = len(points) >= 3 and -points[0][0] >= 1 / 6
        slope, fit = line_through(points) if enough else (None, None)
        full_at = None
        if last >= 100:
            word = "full"
        elif slope is None:
            word = "too few samples"
        elif slope <= 0 or (fit or 0) < 0.5:
            word = "not growing"
        elif (100 - last) / slope > 8760:
            word = "beyond a year"
        else:
            word = "growing"
            full_at = last_at + timedelta(hours=(100 - last) / slope)
            full_at = datetime.fromtimestamp(round(full_at.timestamp()), UTC)
        answer.append((host, path, last, slope, full_at, word, len(points), last_at))
    return sorted(answer, key=lambda a: (ascending(a[4]), a[0], ascending(a[1])))


@oracle
def warning_precursors(rows: Rows, v: Values) -> Answer:
    wanted = v["error_code"]
    errors = [
        e
        for e in timed(errors_of(rows, v))
        if e.level != "WARNING" and e.code is not None and (wanted is None or e.code == wanted)
    ]
    warnings = [e for e in timed(rows.errors) if e.level == "WARNING" and e.code and is_of(e, v)]
    leads: dict[tuple[str, str], list[float]] = defaultdict(list)
    for error in errors:
        last: dict[str, datetime] = {}
        for w in warnings:
            if w.host == error.host and w.occurred_at <= error.occurred_at and w.code:
                last[w.code] = max(w.occurred_at, last.get(w.code, w.occurred_at))
        for code, at in last.items():
            lead = milliseconds(error.occurred_at - at)
            if lead <= v["within"] * 1000:
                leads[error.code or "", code].append(lead)
    answer = []
    for (code, warning), times in leads.items():
        struck = [e for e in errors if e.code == code]
        total, count = len(struck), len(times)
        middle = percentile(times, 0.5)
        successes, expected = usual(rows, v, struck, [w for w in warnings if w.code == warning])
        base = lift = low = None
        if successes:
            base = expected / total
            least = base * successes + 0.5
            lift = (count + 0.5) / (total + 1) / (least / (successes + 1))
            spread = 1 / (count + 0.5) - 1 / (total + 1) + 1 / least - 1 / (successes + 1)
            low = lift * math.exp(-1.96 * math.sqrt(max(spread, 0)))
        answer.append((code, warning, total, count, middle, count / total, base, lift, low))
    return sorted(answer, key=lambda a: (descending(a[8]), -a[3], a[0], a[1]))


def usual(rows: Rows, v: Values, struck: list[Error], warnings: list[Error]) -> tuple[int, float]:
    """Successful requests on the hosts that have errors and warnings, and how many of the errors
    the warnings would precede if they came before errors as before successes.
    """
    width = max(v["within"] / 60, 1)
    span = timedelta(seconds=min(v["within"], 10**9))
    since = v["since"] and v["since"] - span
    warnings = [w for w in warnings if in_window(w.occurred_at, v | {"since": since})]
    whole, expected = 0, 0.0
    for host in {w.host for w in warnings} & {e.host for e in struck}:
        ends = [
            (math.floor((r.completed_at or r.logged_at).timestamp() / width) + 1) * width
            for r in timed(requests_of(rows, v))
            if r.host == host and r.status == "success"
        ]
        warned = [w.occurred_at.timestamp() for w in warnings if w.host == host]
        preceded = sum(any(0 <= end - at <= v["within"] for at in warned) for end in ends)
        if ends:
            errors = sum(e.host == host for e in struck)
            whole += len(ends)
            expected += errors * preceded / len(ends)
    return whole, expected


@oracle
def unfinished_requests(rows: Rows, v: Values) -> Answer:
    answer = []
    for r in requests_of(rows, v):
        if r.started_at is None or r.completed_at is not None or r.status is not None:
            continue
        age = milliseconds(v["as_of"] - r.started_at)
        if v["older_than_ms"] is not None and age <= v["older_than_ms"]:
            continue
        last = max(stages_of(rows, r, v), key=lambda s: s.seq, default=None)
        if v["stage"] is not None and (last is None or last.stage != v["stage"]):
            continue
        answer.append(
            (r.id, r.started_at, last and last.stage, age, r.request_key, r.request_id, r.host)
        )
    answer.sort(key=lambda a: (-a[1].timestamp(), a[4]))
    return limited(answer, v)


@oracle
def muffled_audio(rows: Rows, v: Values) -> Answer:
    dull = [
        r
        for r in requests_of(rows, v)
        if r.spectral_centroid is not None and r.spectral_centroid < v["below_hz"]
    ]
    dull.sort(key=lambda r: (r.spectral_centroid, r.request_key))
    return limited(
        [
            (
                r.id,
                r.completed_at,
                r.spectral_centroid,
                r.rms,
                r.voice,
                r.request_key,
                r.host,
                r.lang,
            )
            for r in dull
        ],
        v,
    )


@oracle
def audio_size_outliers(rows: Rows, v: Values) -> Answer:
    sized = [
        r
        for r in requests_of(rows, v)
        if r.status == "success" and r.text_len and r.audio_size_kb is not None
    ]
    answer = []
    groups = grouped(sized, lambda r: (r.lang, r.text_len // v["length_band"]))
    for group in groups.values():
        per_char = [r.audio_size_kb / r.text_len for r in group]
        if len(group) < 2 or not (deviation := statistics.stdev(per_char)):
            continue
        for r, value in zip(group, per_char, strict=True):
            z = round((value - statistics.mean(per_char)) / deviation, 9)
            if abs(z) >= v["min_z"]:
                answer.append(
                    (
                        r.id, r.text_len, r.audio_size_kb, value, z, r.request_key, r.lang,
                        r.voice, len(group),
                    )
                )  # fmt: skip
    answer.sort(key=lambda a: (-abs(a[4]), a[5]))
    return limited(answer, v)


@oracle
def fallbacks(rows: Rows, v: Values) -> Answer:
    found = []
    for e in errors_of(rows, v):
        if e.level != "WARNING":
            continue
        flag = re.search(r'"fallback_used": "(\w+)"', e.attributes or "")
        named = "fallback" in (e.code or "").lower() or "fallback" in (e.event or "").lower()
        if flag[1].lower() in ("true", "yes", "1") if flag else named:
            found.append(e)
    answer = []
    for (code, logger), group in grouped(found, lambda e: (e.code, e.logger)).items():
        known = {e.request_key for e in group if e.request_key is not None}
        times = [e.occurred_at for e in group]
        answer.append((code, logger, len(group), len(known), max(times), min(times)))
    return sorted(answer, key=lambda a: (-a[2], ascending(a[0]), ascending(a[1])))


@oracle
def voices(rows: Rows, v: Values) -> Answer:
    requests = requests_of(rows, v)
    answer = []
    for (voice, lang), group in grouped(requests, lambda r: (r.voice, r.lang)).items():
        failures = sum(r.failed for r in group)
        high = percentile((r.duration_ms for r in group), 0.95)
        count = len(group)
        share = count / len(requests)
        answer.append((voice, lang, count, share, failures / count, high, failures))
    return sorted(answer, key=lambda a: (-a[2], ascending(a[0]), ascending(a[1])))


@oracle
def hosts(rows: Rows, v: Values) -> Answer:
    requests, errors = requests_of(rows, v), errors_of(rows, v)
    answer = []
    for host in {r.host for r in requests} | {e.host for e in errors}:
        served = [r for r in requests if r.host == host]
        told = [e for e in errors if e.host == host]
        signs = [e.occurred_at for e in told]
        signs += [max(r.logged_at, r.completed_at or r.logged_at) for r in served]
        failures = sum(r.failed for r in served)
        warnings = sum(e.level == "WARNING" for e in told)
        answer.append(
            (
                host, len(served), failures, ratio(failures, len(served)),
                percentile((r.duration_ms for r in served), 0.95), max(signs),
                len(told) - warnings, warnings,
            )
        )  # fmt: skip
    return sorted(answer, key=lambda a: (descending(a[3]), -a[6], a[0]))


@oracle
def field_coverage(rows: Rows, v: Values) -> Answer:
    requests = requests_of(rows, v)
    staged = {
        s.request_key for s in rows.stage_timings if v["since"] is None or s.logged_at >= v["since"]
    }
    sampled = {s.host for s in rows.cache_samples if in_window(s.sampled_at, v)}
    good = [r for r in requests if r.status == "success"]
    bad = [r for r in requests if r.failed]
    made = [r for r in requests if r.cache_hit is not True]
    made_good = [r for r in good if r.cache_hit is not True]
    ended = [r for r in requests if r.completed_at is not None]
    scopes = {
        "status": ended, "duration_ms": ended, "cache_saved": good, "audio_size_kb": good,
        "rms": made_good, "spectral_centroid": made_good, "error_code": bad, "model_stage": bad,
    }  # fmt: skip
    answer = []
    for name in (
        "id", "request_id", "started_at", "completed_at", "status", "duration_ms", "text_len",
        "lang", "voice", "cache_hit", "cache_saved", "audio_size_kb", "rms", "spectral_centroid",
        "error_code", "model_stage",
    ):  # fmt: skip
        scope = scopes.get(name, requests)
        present = sum(getattr(r, name) is not None for r in scope)
        answer.append((name, len(scope), present, ratio(present, len(scope))))
    present = sum(r.request_key in staged for r in made)
    answer.append(("stage_times", len(made), present, ratio(present, len(made))))
    present = sum(r.host in sampled for r in requests)
    answer.append(("cache_health", len(requests), present, ratio(present, len(requests))))
    return sorted(answer, key=lambda a: (ascending(a[3]), a[0]))


@oracle
def rtf_over_time(rows: Rows, v: Values) -> Answer:
    known = [r for r in timed(requests_of(rows, v)) if r.rtf is not None]
    answer = []
    for at, group in grouped(known, lambda r: bucket_of(r.logged_at, v)).items():
        audio = [r.audio_ms for r in group if r.audio_ms is not None]
        factors = [r.rtf for r in group]
        answer.append(
            (
                at, len(group), percentile(factors, 0.5), percentile(factors, 0.95),
                sum(audio) / 1000 if audio else None,
            )
        )  # fmt: skip
    return sorted(answer)


@oracle
def rtf_by_length(rows: Rows, v: Values) -> Answer:
    known = [r for r in requests_of(rows, v) if r.rtf is not None and r.audio_ms is not None]
    width = v["audio_band"]
    answer = []
    for band, group in grouped(known, lambda r: math.floor(r.audio_ms / 1000 / width)).items():
        factors = [r.rtf for r in group]
        spread = (percentile(factors, 0.5), percentile(factors, 0.95))
        answer.append((band * width, (band + 1) * width, len(group), *spread))
    return sorted(answer)


@oracle
def latency_by_length(rows: Rows, v: Values) -> Answer:
    found = requests_of(rows, v)
    known = [r for r in found if r.duration_ms is not None and r.text_len is not None]
    width = v["length_band"]
    answer = []
    for band, group in grouped(known, lambda r: r.text_len // width).items():
        times = [r.duration_ms for r in group]
        per_char = [r.duration_ms / r.text_len for r in group if r.text_len and r.duration_ms is not None]  # fmt: skip  # noqa: E501
        answer.append(
            (
                band * width, (band + 1) * width - 1, len(group), percentile(times, 0.5),
                percentile(times, 0.95), percentile(per_char, 0.5),
            )
        )  # fmt: skip
    return sorted(answer, key=lambda a: a[0])


@oracle
def warm_up(rows: Rows, v: Values) -> Answer:
    known = [r for r in timed(requests_of(rows, v)) if r.duration_ms is not None]
    answer = []
    for (host, service, instance), group in grouped(
        known, lambda r: (r.host, r.service, r.instance)
    ).items():
        group.sort(key=lambda r: (r.logged_at, r.request_key))
        before, began, nth, placed = None, BEGAN, 0, []
        for r in group:
            rest = None if before is None else (r.logged_at - before).total_seconds()
            if rest is None or rest >= v["idle"]:
                began, nth = r.logged_at, 0
            nth, before = nth + 1, r.logged_at
            placed.append((began, nth, r))
        usual = percentile([r.duration_ms for _, n, r in placed if n > v["first"]], 0.5)
        for began, nth, r in placed:
            if nth <= v["first"]:
                factor = ratio(r.duration_ms, usual) if usual is not None else None
                answer.append((instance, began, nth, r.duration_ms, usual, factor, r.request_key, r.id, host, service))  # fmt: skip  # noqa: E501
    return sorted(answer, key=lambda a: (a[1], a[8], a[9], ascending(a[0]), a[2]))


def is_degradation(e: Error) -> bool:
    if e.level != "WARNING" or e.code is None:
        return False
    if e.code in ("MAX_MEL_TOKENS", "UNKNOWN_TOKENS"):
        return True
    flag = re.search(r'"fallback_used": "(\w+)"', e.attributes or "")
    named = "fallback" in e.code.lower() or "fallback" in (e.event or "").lower()
    return flag[1].lower() in ("true", "yes", "1") if flag else named


@oracle
def degradations(rows: Rows, v: Values) -> Answer:
    served = requests_of(rows, v)
    found = [e for e in errors_of(rows, v) if is_degradation(e)]
    concerned: dict[Any, set[int]] = {}
    groups = grouped(found, lambda e: (e.code, e.host, e.service, e.instance))
    for key, group in groups.items():
        code, *place = key
        named = {e.request_key for e in group if e.request_key is not None}
        first = min(e.occurred_at for e in group)
        concerned[key] = {
            r.request_key
            for r in served
            if (
                r.request_key in named
                if named
                else [r.host, r.service, r.instance] == place and r.logged_at >= first
            )
        }
    answer = []
    for key, group in groups.items():
        code, host, service, instance = key
        its = set().union(*(keys for k, keys in concerned.items() if k[0] == code))
        with_it = [r.rtf for r in served if r.request_key in concerned[key]]
        without = [r.rtf for r in served if r.service == service and r.request_key not in its]
        times = [e.occurred_at for e in group]
        answer.append(
            (
                code, instance, min(times), max(times), len(concerned[key]),
                percentile(with_it, 0.5), percentile(without, 0.5), len(group), host, service,
            )
        )  # fmt: skip
    return sorted(answer, key=lambda a: (-a[4], a[0], a[8], a[9], ascending(a[1])))


@oracle
def http_errors(rows: Rows, v: Values) -> Answer:
    lines = http_of(rows, v)
    bad = [h for h in lines if (h.http_status or 0) >= 400]
    answer = []
    for key, group in grouped(bad, lambda h: (h.http_status, h.path, h.server)).items():
        alike = sum(h.server == key[2] for h in lines)
        times = [h.logged_at for h in group]
        answer.append((*key[:2], len(group), len(group) / alike, min(times), max(times), key[2]))
    answer.sort(key=lambda a: (-a[2], a[0], ascending(a[1]), ascending(a[6])))
    return limited(answer, v)


@oracle
def http_latency_over_time(rows: Rows, v: Values) -> Answer:
    known = [h for h in timed(http_of(rows, v)) if h.request_ms is not None]
    answer = []
    for at, group in grouped(known, lambda h: bucket_of(h.logged_at, v)).items():
        times = [h.request_ms for h in group]
        spread = [percentile(times, share) for share in (0.5, 0.95, 0.99, 1.0)]
        answer.append((at, len(group), *spread))
    return sorted(answer)


@oracle
def silent_failures(rows: Rows, v: Values) -> Answer:
    answer = []
    for h in http_of(rows, v):
        r = answered_by(h, rows)
        if h.http_status is None or h.http_status >= 400 or r is None or not r.failed:
            continue
        answer.append(
            (
                h.request_id or r.request_id, r.id, h.logged_at, h.http_status, r.error_code,
                h.server, h.path, r.status, r.request_key, h.http_key,
            )
        )  # fmt: skip
    answer.sort(key=lambda a: (-a[2].timestamp(), a[9]))
    return limited(answer, v)


@oracle
def time_outside_synthesis(rows: Rows, v: Values) -> Answer:
    answer = []
    for h in http_of(rows, v):
        r = answered_by(h, rows)
        if h.request_ms is None or r is None or r.duration_ms is None:
            continue
        proxy = None if h.upstream_ms is None else h.request_ms - h.upstream_ms
        answer.append(
            (
                h.request_id or r.request_id, r.id, h.request_ms, h.upstream_ms, r.duration_ms,
                h.request_ms - r.duration_ms, proxy, h.logged_at, h.server, h.http_status,
                h.http_key,
            )
        )  # fmt: skip
    answer.sort(key=lambda a: (-a[5], a[10]))
    return limited(answer, v)


@oracle
def rejected_requests(rows: Rows, v: Values) -> Answer:
    known = {r.request_id for r in rows.requests}
    refused = [
        h
        for h in http_of(rows, v)
        if h.http_status is not None
        and 400 <= h.http_status < 500
        and h.request_key is None
        and (h.request_id is None or h.request_id not in known)
    ]
    answer = []
    for key, group in grouped(refused, lambda h: (h.http_status, h.path, h.client, h.server)).items():  # fmt: skip  # noqa: E501
        times = [h.logged_at for h in group]
        answer.append((*key[:3], len(group), min(times), max(times), key[3]))
    answer.sort(key=lambda a: (-a[3], a[0], ascending(a[1]), ascending(a[2]), ascending(a[6])))
    return limited(answer, v)


@oracle
def clients(rows: Rows, v: Values) -> Answer:
    answer = []
    for (client, server), group in grouped(
        http_of(rows, v), lambda h: (h.client, h.server)
    ).items():
        failures = 0
        for h in group:
            r = answered_by(h, rows)
            failures += (h.http_status or 0) >= 400 or (r is not None and r.failed)
        rejected = sum(400 <= (h.http_status or 0) < 500 for h in group)
        times = [h.request_ms for h in group]
        answer.append(
            (
                client, len(group), failures, failures / len(group), percentile(times, 0.95),
                max(h.logged_at for h in group), server, rejected,
            )
        )  # fmt: skip
    answer.sort(key=lambda a: (-a[1], ascending(a[0]), ascending(a[6])))
    return limited(answer, v)


def valued(request: Request, v: Values) -> str | None:
    """The value of the dimension that is asked for, as text."""
    by, band, length = v["by"], v["length_band"], request.text_len
    if by == "length":
        least = length if length is None or not band else length // band * band
        return None if least is None else str(least) if not band else f"{least}-{least + band - 1}"
    if by == "cache_hit":
        return None if request.cache_hit is None else str(request.cache_hit).lower()
    if by == "status":
        return request.status or "unfinished"
    columns = "voice lang text_class host service instance profile model_stage error_code"
    if by in columns.split():
        value: str | None = getattr(request, by)
        return value
    found: dict[str, str] = json.loads(request.attributes or "{}")
    return found.get(by)


@oracle
def latency_by(rows: Rows, v: Values) -> Answer:
    known = [r for r in requests_of(rows, v) if r.duration_ms is not None]
    answer = []
    for value, group in grouped(known, lambda r: valued(r, v)).items():
        times = [r.duration_ms for r in group]
        shares = [percentile(times, share) for share in (0.5, 0.95)]
        answer.append((value, len(group), *shares, max(times)))
    answer.sort(key=lambda a: (-a[3], -a[1], ascending(a[0])))
    return limited(answer, v)


@oracle
def failures_by(rows: Rows, v: Values) -> Answer:
    found = requests_of(rows, v)
    whole = sum(r.failed for r in found)
    answer = []
    for value, group in grouped(found, lambda r: valued(r, v)).items():
        failures = sum(r.failed for r in group)
        rate = failures / len(group)
        answer.append((value, len(group), failures, rate, ratio(failures, whole)))
    answer.sort(key=lambda a: (-a[2], -a[3], ascending(a[0])))
    return limited(answer, v)


@oracle
def unfinished_by(rows: Rows, v: Values) -> Answer:
    found = [r for r in requests_of(rows, v) if r.started_at is not None]

    def hangs(request: Request) -> bool:
        return request.completed_at is None and request.status is None

    whole = sum(map(hangs, found))
    answer = []
    for value, group in grouped(found, lambda r: valued(r, v)).items():
        count = sum(map(hangs, group))
        share = ratio(count, whole)
        answer.append((value, len(group), count, share, count / len(group)))
    answer.sort(key=lambda a: (-a[2], -a[4], ascending(a[0])))
    return limited(answer, v)
