"""Lines that tell of a failure, once or once more (pure)."""

from ingest.compiled.layout import L_ERROR
from ingest.records import profile_rules as does
from ingest.records.profile_rules import Rule, Value
from ingest.records.profiles import Match
from ingest.records.sequence.ends import TAIL, fail
from ingest.records.sequence.events import LEVELS, Claim, Event, tag_of
from ingest.records.sequence.memory import keep
from ingest.records.sequence.state import NO_INNER, Assembly, Failure, Instance, Line, Request


def fails(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """An engine's own line of a failure: an error row; its profile's newest request fails."""
    rule = match.rule
    values = match.values()
    told = str(values.pop("message", "")) or line.message
    code = str(values.pop("error_code", "")) or rule.code or asm.profiles.code_of(told)
    level = max(line.level, LEVELS.get(rule.level or "ERROR", L_ERROR))
    again = told_again(instance, told, line)
    target = failing(instance, rule, values, tag_of(line, match))
    if again is None and target is None:
        if not instance.opened:
            keep(asm, line)
        return Claim((error_event(line, level, rule, code, None),), rule.profile, rule.name)
    id_ = again or (target.id if target else None)
    error = error_event(line, level, rule, code, id_)
    if again is not None or target is None:
        return Claim((error,), rule.profile, rule.name, id_)
    events = [error, *fail(asm, instance, target, line, code or None, told, "error")]
    return Claim(tuple(events), rule.profile, rule.name, id_)


def outer_fails(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A wrapper's line of a failure: the newest open request fails, whatever its engine."""
    return fails(asm, instance, line, match)


def failing(instance: Instance, rule: Rule, values: dict[str, Value], tag: str) -> Request | None:
    """The open request that a failing line means: by its id or tag, else the newest possible."""
    if rule.has_id and "id" in values:
        return next((r for r in instance.requests if r.id == values["id"]), None)
    if tag:
        tagged = [r for r in instance.requests if r.tag == tag]
        if len(tagged) == 1:
            return tagged[0]
    newest = [
        r
        for r in instance.requests
        if r.profile == rule.profile or r.inner != NO_INNER or rule.does == does.OUTER_FAILS
    ]
    return newest[-1] if newest else None


def error_event(line: Line, level: int, rule: Rule, code: str | None, id_: str | None) -> Event:
    """The error row of a line."""
    pairs: list[tuple[str, Value]] = []
    if id_ is not None:
        pairs.append(("id", id_))
    if code:
        pairs.append(("error_code" if level >= L_ERROR else "warning_code", code))
    return Event("", line, level, tuple(pairs), line.message)


def told_again(instance: Instance, told: str, line: Line) -> str | None:
    """The id of a failure that this message tells once more.

    A traceback on the line that failed, or behind a 500; the same words.
    """
    failure = instance.failure
    if failure is None:
        return None
    if failure.at == line.offset:
        return failure.id
    if failure.told == "access":
        instance.failure = Failure(failure.id, "error", told[-TAIL:], line.offset)
        return failure.id
    same = failure.tail and (told.endswith(failure.tail[-20:]) or failure.tail in told)
    return failure.id if same or not instance.requests else None
