"""Values of a named query's parameters: from what the user wrote to typed, bound values."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from ingest.errors import UsageProblem
from ingest.lazily import matcher
from ingest.named_queries.library import NamedQuery
from ingest.named_queries.params import Param

_AGE = matcher(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TIME = matcher(r"(?:(today|yesterday)\b)?\s*(\d{1,2}:\d{2}(?::\d{2})?)?$", re.IGNORECASE)
_DAY = timedelta(days=1)
_EXPECTED = {
    "timestamp": "an instant (2026-03-02T14:00), a date (2026-03-02), a time (14:00, "
    "yesterday 14:00)"
    " or an age (30m, 24h, 7d)",
    "integer": "a whole number",
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
}


def bind_values(
    query: NamedQuery,
    given: Mapping[str, str],
    now: datetime,
    tz: tzinfo | None,
    data_end: datetime | None = None,
) -> dict[str, object]:
    """Every parameter's value, given or default; None where there is neither. Of filters, those
    that are given.

    An instant without a zone is read in ``tz`` (None: the machine's zone). Ages count back from
    ``data_end`` where it is given, else from ``now``. Instants come out in UTC.

    :raises UsageProblem: for a parameter the query does not have, or a value that is none of its
        type.
    """
    for name in given:
        if query.param(name) is None:
            raise UsageProblem(
                f"the query {query.name} has no parameter {name}",
                f"see: ttsq run {query.name} --help",
            )
    values: dict[str, object] = {}
    for param in (*query.params, *(f for f in query.filters if f.name in given)):
        written = given.get(param.name, param.default)
        values[param.name] = (
            None if written is None else parse_value(param, written, data_end or now, tz)
        )
    return values


def parse_value(param: Param, written: str, now: datetime, tz: tzinfo | None) -> object:
    """A value of the parameter's type.

    :raises UsageProblem: naming what was expected.
    """
    text = written.strip() if param.type != "text" else written
    value = _parse(param.type, _in_units(param, text), now, tz)
    if value is None or not _in_bounds(param, value):
        raise UsageProblem(
            f"the option {param.option} is given {written!r}, expected {expected(param)}",
            f"{param.option}: {param.help}",
        )
    return value


def expected(param: Param) -> str:
    """What a parameter takes, in words."""
    words = _EXPECTED[param.type]
    if param.unit_seconds is not None:
        words += " or a length of time such as 5m"
    low, high = (None if b is None else f"{b:.15g}" for b in (param.low, param.high))
    if low is not None and high is not None:
        return f"{words} from {low} to {high}"
    if low is not None:
        return f"{words}, {low} or more"
    return words if high is None else f"{words}, {high} or less"


def _in_units(param: Param, written: str) -> str:
    """A length of time (``1m``) as a number of what the parameter counts; others as written."""
    age = _AGE.match(written)
    if param.unit_seconds is None or not age:
        return written
    seconds = Decimal(age[1]) * Decimal(str(_SECONDS[age[2]]))
    return str(seconds / Decimal(str(param.unit_seconds)))


def _parse(kind: str, written: str, now: datetime, tz: tzinfo | None) -> object:
    """The value, or None for what is not of the type."""
    if kind == "text":
        return written
    if kind == "boolean":
        return _BOOLEANS.get(written.lower())
    if kind == "timestamp":
        return parse_instant(written, now, tz)
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 300:
        return None
    if kind == "number":
        return float(number)
    whole = int(number)
    return whole if whole == number and -(2**63) <= whole < 2**63 else None


def _in_bounds(param: Param, value: object) -> bool:
    if not isinstance(value, int | float):
        return True
    return (param.low is None or value >= param.low) and (param.high is None or value <= param.high)


def parse_instant(written: str, now: datetime, tz: tzinfo | None) -> datetime | None:
    """An instant in UTC from ISO 8601 (zone optional), a date, a time, an age or ``now``.

    ``today`` and ``yesterday`` are midnights in ``tz``, with a time that time of the day; a time
    alone is the last one that is not after ``now``. None for anything else.
    """
    try:
        if written.lower() == "now":
            return now.astimezone(UTC)
        if written and (time := _TIME.match(written)):
            return _of_day(time[1], time[2], now, tz)
        age = _AGE.match(written)
        if age:
            return now.astimezone(UTC) - timedelta(seconds=float(age[1]) * _SECONDS[age[2]])
        return _localized(_iso(written), tz)
    except (ValueError, OverflowError):
        return None


def _of_day(day: str | None, time: str | None, now: datetime, tz: tzinfo | None) -> datetime | None:
    """A time of the day before, of today, or the last such time."""
    hours, minutes, seconds = (*map(int, (time or "0:0").split(":")), 0)[:3]
    today = now.astimezone(tz).replace(tzinfo=None)
    at = today.replace(hour=hours, minute=minutes, second=seconds, microsecond=0)
    if (day or "").lower() == "yesterday" or (day is None and at > today):
        at -= _DAY
    return _localized(at, tz)


def _iso(written: str) -> datetime:
    if len(written) == 10:
        day = date.fromisoformat(written)
        return datetime(day.year, day.month, day.day)
    return datetime.fromisoformat(written.replace(",", "."))


def _localized(instant: datetime, tz: tzinfo | None) -> datetime:
    if instant.tzinfo is None and tz is not None:
        instant = instant.replace(tzinfo=tz)
    return instant.astimezone(UTC)


def sql_literal(value: object, kind: str) -> str:
    """A value as a typed SQL literal, for people to copy; never used to run anything."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"'{value.isoformat(sep=' ')}'"
    if kind == "text":
        return "'" + str(value).replace("'", "''") + "'"
    return str(value).lower() if kind == "boolean" else str(value)
