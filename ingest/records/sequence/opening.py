"""How a request begins: an engine's opening line, a wrapper's, both, or a single line (pure)."""

import hashlib

from ingest.compiled.layout import L_INFO
from ingest.records.profile_rules import Rule, Value
from ingest.records.profiles import Match, Profile
from ingest.records.sequence.answers import answers
from ingest.records.sequence.around import name_of_run
from ingest.records.sequence.ends import close, end, end_done, fail
from ingest.records.sequence.events import (
    START,
    Claim,
    Event,
    accumulate,
    assembly,
    has_own_id,
    note_figures,
    progress,
    tag_of,
)
from ingest.records.sequence.lines import add_to, outer_closes
from ingest.records.sequence.state import (
    DONE,
    MOST_OPEN,
    NAMELESS,
    NO_INNER,
    RUNNING,
    WAITING,
    Assembly,
    Instance,
    Line,
    Request,
)

HEAD = 1024  # bytes of a file that its requests' ids are made from
OVERTAKEN = 8  # requests that opened later and have ended, until an open one counts as abandoned


def opens(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """An engine's opening line: a new request, or the engine's part of a wrapper's."""
    rule = match.rule
    profile = asm.profiles.by_name[rule.profile]
    values = match.values()
    newest = instance.requests[-1] if instance.requests else None
    if newest is not None and goes_on(newest, rule):
        return add_to(asm, instance, newest, line, rule, values)
    outer = waiting(instance)
    if outer is not None:
        return begin_inner(instance, outer, line, rule, values)
    events = fail_early(asm, instance, line)
    if profile.workers == "one":
        events += end_before(asm, instance, line, profile)
    request = push(asm, instance, line, rule, values)
    access = answers(instance, profile, line.offset)
    if access is not None:
        request.answered = True
    events.append(started(request, line, values))
    note_figures(request.values, values)
    if rule.repeats:
        accumulate(request.values, values, rule)
    return Claim(tuple(events), rule.profile, rule.name, request.id, access)


def outer_opens(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A wrapper's opening line: a new request that waits for its engine."""
    rule = match.rule
    values = match.values()
    newest = instance.requests[-1] if instance.requests else None
    if newest is not None and newest.inner == WAITING and goes_on(newest, rule):
        return add_to(asm, instance, newest, line, rule, values)
    events = end_done(asm, instance, line)
    request = push(asm, instance, line, rule, values, tag_of(line, match))
    request.inner = WAITING
    instance.asked = True
    events.append(started(request, line, values))
    return Claim(tuple(events), rule.profile, rule.name, request.id)


def whole(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """One line that is a whole request, or the engine's part of a wrapper's.

    ``alone``: the end of a wrapper's request that is open; else only in an instance where neither
    an engine's lines nor a wrapper's opening ones make the requests.
    """
    rule = match.rule
    if rule.alone and any(request.inner != NO_INNER for request in instance.requests):
        return outer_closes(asm, instance, line, match)
    if rule.alone and (instance.engine or instance.asked):
        return None
    values = match.values()
    outer = waiting(instance)
    if outer is not None:
        begin_inner(instance, outer, line, rule, {})
        events = close(asm, instance, outer, line, rule, values)
        return Claim(tuple(events), rule.profile, rule.name, outer.id)
    id_ = {"id": values["id"]} if "id" in values else {}
    request = push(asm, instance, line, rule, id_)
    request.instant = None
    request.uncertain = False
    events = [started(request, line, {})]
    events += close(asm, instance, request, line, rule, values)
    return Claim(tuple(events), rule.profile, rule.name, request.id)


def begin_inner(
    instance: Instance, outer: Request, line: Line, rule: Rule, values: dict[str, Value]
) -> Claim:
    """The engine's opening line inside a wrapper's: one request; what the wrapper said stays."""
    instance.wrapped = True
    outer.inner = RUNNING
    outer.has_block = False
    outer.profile = rule.profile
    outer.seen |= rule.bit
    events = (progress(outer, line, values),) if values else ()
    return Claim(events, rule.profile, rule.name, outer.id)


def push(
    asm: Assembly,
    instance: Instance,
    line: Line,
    rule: Rule,
    values: dict[str, Value],
    tag: str = "",
) -> Request:
    """Open a request; those that are open at once and share id and tag are uncertain."""
    if not instance.requests:
        instance.awaiting = [(i, f, True) for i, f, _ in instance.awaiting]
    drop_abandoned(instance)
    given = values.pop("id", None) or name_of_run(instance, str(line.offset))
    known = [
        r for r in instance.requests if not has_own_id(r) and not (tag and r.tag and r.tag != tag)
    ]
    request = Request(
        id=str(given) if given else place(asm, line),
        id_source="logged" if given else "place",
        profile=rule.profile,
        rule=rule.name,
        number=instance.count,
        instant=line.instant,
        seen=rule.bit,
        tag=tag,
    )
    if known and not given:
        request.uncertain = True
        for other in known:
            other.uncertain = True
    if request.id.startswith(NAMELESS):
        at_once = [r for r in instance.requests if r.id.startswith(NAMELESS)]
        for other in [request, *at_once] if at_once else ():
            other.uncertain = True
    instance.opened = True
    instance.count += 1
    instance.failure = None
    instance.ended = None
    instance.requests.append(request)
    if len(instance.requests) > MOST_OPEN:
        del instance.requests[0]
    return request


def place(asm: Assembly, line: Line) -> str:
    """A made id: a hash of the file's beginning, and the opening line's offset.

    Where the file before began alike, and its request of that place is not forgotten yet, it is
    another one.
    """
    made = f"{begins_of_ids(asm.head[: line.end])}{line.offset}"
    while made in asm.given.get(line.offset, ()):
        made = f"{begins_of_ids(made.encode() + asm.head[: line.end])}{line.offset}"
    return made


def begins_of_ids(head: bytes) -> str:
    """What ids begin with that are made of places behind a file's first bytes ``head``."""
    return f"{hashlib.blake2b(head[:HEAD], digest_size=4).hexdigest()}-"


def started(request: Request, line: Line, values: dict[str, Value]) -> Event:
    pairs: list[tuple[str, Value]] = [
        ("id", request.id),
        ("id_source", request.id_source),
        ("assembly", assembly(request)),
        ("profile", request.profile),
    ]
    if line.instance is not None:
        pairs.append(("instance", line.instance))
    return Event(START, line, L_INFO, (*pairs, *values.items()))


def end_before(asm: Assembly, instance: Instance, line: Line, profile: Profile) -> list[Event]:
    """One worker: its open request ended before this line, with success if none closes."""
    events: list[Event] = []
    for request in [r for r in instance.requests if r.profile == profile.name]:
        if profile.closes and not request.enough and not request.answered:
            instance.requests.remove(request)
            instance.block = []
        else:
            events += end(asm, instance, request, request.last or line, {})
    return events


def drop_abandoned(instance: Instance) -> None:
    """Forget open requests that many later ones have overtaken: they never ended."""
    requests = instance.requests
    if requests and instance.count - requests[0].number - len(requests) >= OVERTAKEN:
        del requests[0]


def fail_early(asm: Assembly, instance: Instance, line: Line) -> list[Event]:
    """Fail a request that ended without a block by the traceback that stood before its opening
    line.

    With stdout in a file, Python keeps what is printed in a buffer; stderr's traceback overtakes
    it.
    """
    while instance.early and instance.count - instance.early[0][1] > 3 * OVERTAKEN:
        del instance.early[0]
    if not instance.early or line.instant is not None or len(instance.requests) != 1:
        return []
    request = instance.requests[0]
    if request.inner != NO_INNER or request.has_block or instance.block:
        return []
    code, _ = instance.early.pop(0)
    return fail(asm, instance, request, line, code or None, "", "early")


def waiting(instance: Instance) -> Request | None:
    """The wrapper's request of an engine's opening line: the oldest that waits or continues."""
    for request in instance.requests:
        if request.inner == WAITING:
            return request
    if len(instance.requests) == 1 and instance.requests[0].inner == DONE:
        return instance.requests[0]
    return None


def goes_on(newest: Request, rule: Rule) -> bool:
    """Whether an opening line is a further one of the request opened last (``unless``)."""
    return (
        newest.profile == rule.profile
        and bool(newest.seen & rule.unless)
        and not newest.seen & (rule.until or rule.bit)
    )
