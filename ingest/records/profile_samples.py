"""A profile's samples: their lines read as a file, and rows other than expected (pure)."""

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.records.profiles import Profile, Profiles, Sample
from ingest.records.sequence import LEVELS, Claim, Event, Line, Sequencer

_NAMES = {number: name for name, number in LEVELS.items()}


def rows_of(events: list[Event]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Requests (with their stages) and errors as plain rows, in the order of their first event."""
    requests: dict[str, dict[str, Any]] = {}
    errors: list[dict[str, Any]] = []
    for event in events:
        pairs = dict(event.pairs)
        id_ = str(pairs.pop("id", ""))
        if not event.event or event.level >= LEVELS["WARNING"]:
            errors.append(_error(event, pairs, id_))
        if not event.event or not id_:
            continue
        row = requests.setdefault(id_, {"id": id_, "stages": []})
        if event.event == "stage_time":
            row["stages"].append([pairs["stage"], pairs["own_ms"]])
        elif event.event == "synthesis_complete":
            row.update(pairs)
        else:
            for key, value in pairs.items():
                row.setdefault(key, value)
    return list(requests.values()), errors


def _error(event: Event, pairs: Mapping[str, Any], id_: str) -> dict[str, Any]:
    return {
        "level": _NAMES.get(event.level, ""),
        "code": pairs.get("error_code") or pairs.get("warning_code"),
        "message": event.message,
        "id": id_ or None,
    }


def claims_of(profiles: Profiles, lines: tuple[str, ...]) -> list[Claim | None]:
    """What each line stands for; ``!NAME`` sets its instance, ``@N`` its instant in seconds."""
    text = "\n".join(lines).encode()
    sequencer = Sequencer(profiles, text[:1024], None)
    claims, offset = [], 0
    for line in lines:
        end = offset + len(line.encode()) + 1
        claims.append(sequencer.line(Line(offset, end, None, line, 0, None, None)))
        offset = end
    return claims


def differences(profiles: Profiles, sample: Sample) -> Iterator[str]:
    """What a sample's rows have otherwise than expected: a sentence each."""
    claims = claims_of(profiles, sample.lines)
    events = [event for claim in claims if claim is not None for event in claim.events]
    requests, errors = rows_of(events)
    unclaimed = sum(claim is None or claim.held for claim in claims)
    if unclaimed != sample.unclaimed:
        lost = [line for line, c in zip(sample.lines, claims, strict=True) if c is None or c.held]
        yield f"{unclaimed} lines unclaimed, {sample.unclaimed} expected: {lost}"
    yield from _compare("request", requests, sample.requests)
    ids = [row["id"] for row in requests]
    for row in errors:
        row["request"] = ids.index(row["id"]) + 1 if row["id"] in ids else None
    yield from _compare("error", errors, sample.errors)


def _compare(
    noun: str, rows: list[dict[str, Any]], expected: tuple[dict[str, Any], ...]
) -> Iterator[str]:
    if len(rows) != len(expected):
        yield f"{len(rows)} {noun}s, {len(expected)} expected: {rows}"
        return
    for number, (row, want) in enumerate(zip(rows, expected, strict=True), 1):
        for key, value in want.items():
            if row.get(key) != value:
                yield f"{noun} {number}: {key} is {row.get(key)!r}, {value!r} expected"


def check_samples(profiles: Profiles, profile: Profile) -> Iterator[tuple[int, str]]:
    """Line number of a sample, and what is wrong with it."""
    for sample in profile.samples:
        for difference in differences(profiles, sample):
            yield sample.line_number, difference
