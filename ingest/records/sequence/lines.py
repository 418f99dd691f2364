"""Lines that add to a request, close it, warn or say that a process begins again (pure)."""

from dataclasses import replace

from ingest.compiled.layout import L_ERROR, L_INFO, L_WARNING
from ingest.records import profile_rules as does
from ingest.records.dumps import dump_of
from ingest.records.profile_rules import Rule, Value
from ingest.records.profiles import Match
from ingest.records.sequence.blocks import block, by_id
from ingest.records.sequence.ends import close, end, interrupt
from ingest.records.sequence.events import (
    LEVELS,
    PROGRESS,
    Claim,
    Event,
    accumulate,
    fits,
    named,
    note_figures,
    progress,
    stages,
    tag_of,
)
from ingest.records.sequence.failures import error_event
from ingest.records.sequence.state import (
    DONE,
    NAMELESS,
    NO_INNER,
    Assembly,
    Instance,
    Line,
    Request,
    bare,
)


def adds(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A line that adds to a request; None where no open one expects it."""
    rule = match.rule
    if rule.block:
        return block(asm, instance, line, match)
    values = match.values()
    target = expecting(instance, rule, values)
    if target is None:
        return None
    return add_to(asm, instance, target, line, rule, values)


def add_to(
    asm: Assembly,
    instance: Instance,
    request: Request,
    line: Line,
    rule: Rule,
    values: dict[str, Value],
) -> Claim:
    """Add a line's values to a request; with several open, no value is used."""
    several = not rule.has_id and sum(r.profile == rule.profile for r in instance.requests) > 1
    claim = Claim((), rule.profile, rule.name, None if several else request.id)
    request.seen |= rule.bit
    request.enough |= rule.enough
    if several and rule.does == does.ADDS:
        return claim
    request.last = bare(line)
    values.pop("id", None)
    if rule.repeats in ("sum", "last", "join"):
        texts: dict[str, Value] = {
            k: v for k, v in values.items() if isinstance(v, str) and k not in request.values
        }
        accumulate(request.values, values, rule)
        return replace(claim, events=(progress(request, line, texts),)) if texts else claim
    events = [*stages(request.id, line, rule, values)]
    note_figures(request.values, values)
    if values:
        events.append(progress(request, line, values))
    return replace(claim, events=tuple(events))


def expecting(instance: Instance, rule: Rule, values: dict[str, Value]) -> Request | None:
    """The open request that a rule's line belongs to: by id, else the oldest that expects it."""
    requests = [r for r in instance.requests if r.profile == rule.profile]
    if rule.has_id and "id" in values:
        return next((r for r in requests if r.id == values["id"]), None)
    fitting = [r for r in requests if not rule.needs or r.seen & rule.needs]
    return fitting[0] if fitting else None


def closes(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A closing line outside any block; None where no open request expects it."""
    rule = match.rule
    if rule.block:
        return block(asm, instance, line, match)
    values = match.values()
    target = expecting(instance, rule, values)
    if target is None and rule.has_id and "id" in values:
        target = by_id(instance, rule, str(values["id"]))
    if target is None:
        return None
    if not rule.has_id:
        target, values = by_time(instance, target, line, values)
    events = close(asm, instance, target, line, rule, values)
    return Claim(tuple(events), rule.profile, rule.name, target.id)


def by_time(
    instance: Instance, oldest: Request, line: Line, values: dict[str, Value]
) -> tuple[Request, dict[str, Value]]:
    """The request that a closing line's duration fits, with values; else the oldest, without."""
    return _of_several([r for r in instance.requests if r.profile == oldest.profile], line, values)


def _of_several(
    fitting: list[Request], line: Line, values: dict[str, Value]
) -> tuple[Request, dict[str, Value]]:
    """The one of these that a duration fits, with the values; else the oldest, without."""
    oldest = fitting[0]
    duration = values.get("duration_ms")
    if len(fitting) == 1 and not oldest.uncertain:
        return oldest, values
    if line.instant is not None and isinstance(duration, int | float):
        timed = [r for r in fitting if fits(r, line.instant, float(duration))]
        if len(timed) == 1:
            return timed[0], values
    return oldest, {}


def follows(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A line about the request that has just ended."""
    rule = match.rule
    if instance.ended is None:
        return None
    values = match.values()
    events = stages(instance.ended, line, rule, values)
    if values:
        pairs = (*named(instance.ended), *values.items())
        events.append(Event(PROGRESS, line, L_INFO, pairs))
    return Claim(tuple(events), rule.profile, rule.name, instance.ended)


def outer_closes(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A wrapper's closing line: the request of its id or tag, else the oldest with an ended engine,
    else the one that has taken as long as the line says.
    """
    rule = match.rule
    values = match.values()
    wrappers = [r for r in instance.requests if r.inner != NO_INNER]
    if "id" in values:
        named_by = str(values.pop("id"))
        wrappers = [r for r in instance.requests if r.id == named_by]
    elif tag := tag_of(line, match):
        wrappers = [r for r in wrappers if r.tag == tag] or wrappers
    if not wrappers:
        return None
    done = [r for r in wrappers if r.inner == DONE]
    target, values = (done[0], values) if done else _of_several(wrappers, line, values)
    values = {k: v for k, v in values.items() if k not in target.values}
    events = end(asm, instance, target, line, values)
    return Claim(tuple(events), rule.profile, rule.name, target.id)


def warns(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A warning (or an error that fails nobody) with its code, of the one request that is open."""
    rule = match.rule
    values = match.values()
    level = LEVELS[rule.level] if rule.level else max(line.level, L_WARNING)
    values.pop("pid", None)
    id_ = values.pop("id", None)
    if id_ is None and len(instance.requests) == 1:
        id_ = instance.requests[0].id
    key = "error_code" if level >= L_ERROR else "warning_code"
    pairs: list[tuple[str, Value]] = [(key, rule.code)]
    if id_ is not None:
        pairs.insert(0, ("id", id_))
    raised = values.pop("exception", None)
    if raised is not None:
        told = values.pop("message", "")
        pairs.append(("exc", f"{raised}: {told}" if told else raised))
    event = Event("", line, level, (*pairs, *values.items()), line.message)
    return Claim((event,), rule.profile, rule.name, str(id_) if id_ is not None else None)


def noise(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A line that is known and says nothing."""
    return Claim((), match.rule.profile, match.rule.name)


def restarts(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A line that a process prints when it begins, or that another prints when it has ended: it is
    then of the instance that it names.
    """
    rule = match.rule
    values = match.values()
    name = values.get("instance")
    if name is not None and line.instance is None and name in asm.instances:
        instance, line = asm.instances[str(name)], replace(line, instance=str(name))
    if "pid" in values:
        killed = _process(asm, line.instance, str(values["pid"]))
        if killed is None:
            return warns(asm, instance, line, match)  # of whoever that was
        instance, line = asm.instances[killed], replace(line, instance=killed)
    if "gunicorn" in line.message:
        instance.server = "gunicorn"
    events: list[Event] = []
    if rule.level:
        events.append(
            error_event(line, LEVELS[rule.level], rule, rule.code, _at_work(instance, line))
        )
    events += interrupt(asm, instance, line, spare=not rule.whole_process)
    return Claim(tuple(events), rule.profile, rule.name)


def _at_work(instance: Instance, line: Line) -> str | None:
    """The one request that was open when a process printed its last words: they are an error of
    that. Who watches a process says only that it ended.
    """
    dump = dump_of(line.message.encode())
    if (
        dump is None
        or not dump.is_told
        or len(instance.requests) != 1
        or instance.requests[0].id.startswith(NAMELESS)
    ):
        return None
    return instance.requests[0].id


def _process(asm: Assembly, kernel: str | None, pid: str) -> str | None:
    """The instance of a process on the host of the line that the kernel wrote of it."""
    host = (kernel or "").rpartition("/")[0]
    found = [
        name
        for name in asm.instances
        if name is not None and name.endswith(f"[{pid}]") and name.rpartition("/")[0] == host
    ]
    return found[0] if len(found) == 1 else None
