"""Values of a named query's parameters: from what the user wrote to typed, bound values."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from ingest.errors import UsageProblem
from ingest.named_queries.library import NamedQuery, Param

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_EXPECTED = {
    "timestamp": "an instant (2026-03-02T14:00), a date (2026-03-02) or an age (30m, 24h, 7d)",
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
    """Every parameter's value, given or default; None where there is neither.

    An instant without a zone is read in ``tz`` (None: the machine's zone). Ages count back from ``data_end`` where it
    is given, else from ``now``. Instants come out in UTC.

    :raises UsageProblem: for a parameter the query does not have, or a value that is none of its type.
    """
    for name in given:
        if query.param(name) is None:
            raise UsageProblem(
                f"the query {query.name} has no parameter {name}",
                f"see: ttsq run {query.name} --help",
            )
    values: dict[str, object] = {}
    for param in query.params:
        written = given.get(param.name, param.default)
        values[param.name] = (
            None if written is None else parse_value(param, written, data_end or now, tz)
        )
    return values


def parse_value(param: Param, written: str, now: datetime, tz: tzinfo | None) -> object:
    """A value of the parameter's type.

    :raises UsageProblem: naming what was expected.
    """
    value = _parse(param.type, written.strip() if param.type != "text" else written, now, tz)
    if value is None or not _in_bounds(param, value):
        raise UsageProblem(
            f"the option {param.option} is given {written!r}, expected {expected(param)}",
            f"{param.option}: {param.help}",
        )
    return value


def expected(param: Param) -> str:
    """What a parameter takes, in words."""
    words = _EXPECTED[param.type]
    low, high = (None if b is None else f"{b:.15g}" for b in (param.low, param.high))
    if low is not None and high is not None:
        return f"{words} from {low} to {high}"
    if low is not None:
        return f"{words}, {low} or more"
    return words if high is None else f"{words}, {high} or less"


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
    """An instant in UTC from ISO 8601 (zone optional), a date, an age or ``now``; None for anything else."""
    try:
        if written.lower() == "now":
            return now.astimezone(UTC)
        age = _AGE.match(written)
        if age:
            return now.astimezone(UTC) - timedelta(seconds=float(age[1]) * _SECONDS[age[2]])
        return _localized(_iso(written), tz)
    except (ValueError, OverflowError):
        return None


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
