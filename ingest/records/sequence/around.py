"""Structured records around an engine's own lines: the records open and end a request by its id,
what the engine prints between them is that request's (pure).

An engine's work belongs to the one request that is open. Where several are, it has no name until a
record ends one of them: work that is done by then and may be of no other is its. What is not sure
is given to nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ingest.compiled.layout import L_INFO, L_WARNING
from ingest.records.profile_rules import Value, tidy
from ingest.records.sequence.events import (
    COMPLETE,
    FAILED,
    PROGRESS,
    SLACK_SHARE,
    SLACK_US,
    STAGE,
    START,
    Claim,
    Event,
    add_run,
)
from ingest.records.sequence.state import MOST_OPEN, NAMELESS, Instance, Line, Outer, Run, bare

OVERTAKEN = 8  # requests that opened later and have ended, until an open one counts as abandoned
# columns of an engine's work that end with the request; the first ones count before the record's
OWN, FIGURES = ("duration_ms", "audio_ms", "rtf"), ("tokens", "audio_size_kb")
_OF_REQUEST = frozenset(("id", "id_source", "assembly", "instance", "status"))


@dataclass(slots=True)
class Recorded:
    """What a structured record means for the engine's work around which it stands: events of other
    lines, the figures of the request that it ends, and ids of requests that it ends besides.
    """

    events: list[Event] = field(default_factory=list)
    figures: dict[str, Value] = field(default_factory=dict)
    completed: list[tuple[str, int | None]] = field(default_factory=list)

    def over(self, pairs: Iterable[tuple[str, Value]]) -> list[tuple[str, Value]]:
        """A record's pairs with the figures of the engine's work in place of its own."""
        own = [(key, value) for key, value in pairs if key not in OWN or key not in self.figures]
        names = {key for key, _ in own}
        return own + [(key, value) for key, value in self.figures.items() if key not in names]


def are_several(instance: Instance) -> bool:
    """Whether records tell of several requests that are open: what names none may be of any."""
    return sum(not outer.over for outer in instance.outers) > 1


def has_other(instance: Instance) -> bool:
    """Whether a request is open that no structured record stands around."""
    ids = {outer.id for outer in instance.outers}
    return any(r.id not in ids and not r.id.startswith(NAMELESS) for r in instance.requests)


def is_alone(instance: Instance) -> bool:
    """Whether no engine has printed anything that may be of a structured record's request."""
    return not (
        instance.engine or instance.requests or instance.runs or instance.block
        or instance.awaiting or instance.expects
        or any(outer.ran or outer.lost or outer.values or outer.last for outer in instance.outers)
    )  # fmt: skip


def begun(instance: Instance, line: Line, id_: str) -> Recorded:
    """A record begins a request."""
    told = Recorded()
    if not instance.ends:
        for outer in [o for o in instance.outers if o.last and not _inner(instance, o.id)]:
            assert outer.last is not None
            _end_itself(instance, outer, told)
            told.completed += [] if outer.id == id_ else [(outer.id, outer.last.instant)]
    if any(outer.id == id_ for outer in instance.outers):
        instance.outers = [outer for outer in instance.outers if outer.id != id_]
        _leave(instance, id_)
    while instance.outers and (
        instance.told - instance.outers[0].number - len(instance.outers) >= OVERTAKEN
        or len(instance.outers) >= MOST_OPEN
    ):
        _leave(instance, instance.outers.pop(0).id)
    instance.outers.append(Outer(id_, line.instant, instance.told))
    instance.told += 1
    return told


def _end_itself(instance: Instance, outer: Outer, told: Recorded) -> None:
    """A service whose records tell of no ends: the engine's last line is the request's."""
    assert outer.last is not None
    pairs = (("id", outer.id), *_figures(outer).items(), ("status", "success"))
    told.events.append(Event(COMPLETE, outer.last, L_INFO, pairs))
    instance.outers.remove(outer)


def ended(
    instance: Instance, line: Line, id_: str, took_ms: float | None, *, failed: bool
) -> Recorded:
    """A record ends a request that has taken so long by its word."""
    told = Recorded()
    outer = next((o for o in instance.outers if o.id == id_), None)
    if outer is None:
        return told
    instance.ends = True
    instance.outers.remove(outer)
    if took_ms is None and None not in (line.instant, outer.instant):
        assert line.instant is not None and outer.instant is not None
        took_ms = (line.instant - outer.instant) / 1000
    if outer.ran:
        instance.late |= not failed and _inner(instance, id_)
        told.figures = {} if failed else _figures(outer)
    elif not outer.lost:
        found = [run for run in instance.runs if id_ in run.of and _fits(run, took_ms)]
        done = [run for run in found if run.done]
        instance.late |= bool(found) and not done and not failed
        if len(done) == 1 and not failed and (len(found) == 1 or not instance.late):
            _give(instance, done[0], outer, told)
        elif not failed or done:
            _lose(instance, found)
    _leave(instance, id_)
    return told


def _fits(run: Run, took_ms: float | None) -> bool:
    """Whether a request that took so long may have had an engine's work in it."""
    duration = run.values.get("duration_ms")
    if not run.done or took_ms is None or not isinstance(duration, int | float):
        return True
    return duration <= took_ms * (1 + SLACK_SHARE) + SLACK_US / 1000


def _give(instance: Instance, run: Run, outer: Outer, told: Recorded) -> None:
    """An engine's work is that of a request."""
    instance.runs.remove(run)
    outer.values = run.values
    told.figures = _figures(outer)
    told.events += [
        Event(STAGE, line, L_INFO, (("id", outer.id), *pairs)) for line, pairs in run.stages
    ]
    instance.awaiting = [
        (outer.id if id_ == run.id else id_, failed, late)
        for id_, failed, late in instance.awaiting
    ]


def _lose(instance: Instance, runs: list[Run]) -> None:
    """Work that may be of several requests is of none; nor is what comes later surely theirs."""
    for run in runs:
        instance.runs.remove(run)
        for outer in instance.outers:
            outer.lost |= outer.id in run.of


def _leave(instance: Instance, id_: str) -> None:
    """A request has ended: work that is not done is nobody's from now on."""
    for run in list(instance.runs):
        run.of = [other for other in run.of if other != id_]
        if not run.of:
            instance.runs.remove(run)
    for number, request in enumerate(instance.requests):
        if request.id == id_:
            request.id = f"{NAMELESS}{instance.told}-{number}"


def _inner(instance: Instance, id_: str) -> bool:
    return any(request.id == id_ for request in instance.requests)


def _figures(outer: Outer) -> dict[str, Value]:
    """The figures of an engine's work on a request."""
    found = dict(outer.values)
    duration, audio = found.get("duration_ms"), found.get("audio_ms")
    if "rtf" not in found and isinstance(duration, int | float) and isinstance(audio, int | float):
        found |= {"rtf": tidy(duration / audio)} if audio > 0 else {}
    return found


def name_of_run(instance: Instance, place: str) -> str | None:
    """The id of the request that an engine's opening line belongs to: one that structured records
    tell of, or a nameless one. None where no record is around it.
    """
    alive = [outer for outer in instance.outers if not outer.over]
    if not alive:
        return None
    running = [r for r in instance.requests if any(r.id == outer.id for outer in alive)]
    nameless = any(request.id.startswith(NAMELESS) for request in instance.requests)
    if len(alive) == 1 and not (alive[0].lost or running or nameless):
        instance.several |= alive[0].ran
        alive[0].ran = True
        return alive[0].id
    for request in running:  # at work at once: no block tells whose it is
        outer = next(o for o in alive if o.id == request.id)
        outer.ran, outer.lost = False, outer.lost or bool(outer.values)
        request.id = f"{NAMELESS}{place}-{outer.number}"
        instance.runs.append(Run(request.id, [o.id for o in alive if not o.ran]))
    free = [outer.id for outer in alive if not outer.ran]
    has_ran = len(free) < len(alive)
    run = Run(f"{NAMELESS}{place}", free)
    if any(outer.lost for outer in alive) or (has_ran and instance.several):
        _lose(instance, [r for r in instance.runs if not r.done])
    elif free:
        _share(instance, free)
        instance.runs.append(run)
    return run.id


def _share(instance: Instance, ids: list[str]) -> None:
    """Work that is not done may be of these requests, too: which line is whose, nothing tells."""
    known = {run.id for run in instance.runs}
    instance.runs += [
        Run(request.id, [])
        for request in instance.requests
        if request.id.startswith(NAMELESS) and request.id not in known
    ]
    for run in instance.runs:
        run.of += [] if run.done else [id_ for id_ in ids if id_ not in run.of]


def interrupted(instance: Instance, line: Line) -> list[Event]:
    """The process has ended: so have the requests of records around its engine."""
    events: list[Event] = []
    for outer in instance.outers if instance.engine else ():
        pairs = (("id", outer.id), ("error_code", "INTERRUPTED"))
        events += [] if outer.over else [Event(FAILED, line, L_INFO, pairs)]
        outer.over = True
    instance.runs = []
    return events


# what an engine's lines tell, in the words of the records around them


def within(instances: dict[str | None, Instance], claim: Claim | None) -> Claim | None:
    """A claim in which an engine's requests are those of the records around it."""
    if claim is None:
        return None
    events: list[Event] = []
    changed = False
    for event in claim.events:
        instance = instances.get(event.line.instance)
        id_ = event.id
        if instance is None or id_ is None:
            events.append(event)
            continue
        outer = next((o for o in instance.outers if o.id == id_), None)
        if id_.startswith(NAMELESS):
            told = _of_nameless(instance, id_, event)
        elif outer is not None:
            told = _of_outer(outer, event)
        else:
            told = [event]
        changed |= told != [event]
        events += told
    is_nameless = claim.id is not None and claim.id.startswith(NAMELESS)
    if not changed and not is_nameless:
        return claim
    return replace(claim, events=tuple(events), id=None if is_nameless else claim.id)


def _of_outer(outer: Outer, event: Event) -> list[Event]:
    """An event of the engine's request, as one of the record's."""
    pairs = dict(event.pairs)
    more = tuple((k, v) for k, v in event.pairs if k not in _OF_REQUEST)
    if event.event == START:
        return [replace(event, event=PROGRESS, pairs=(("id", outer.id), *more))]
    if event.event != COMPLETE:
        return [event]
    if pairs.get("status") != "success":
        told = tuple((k, v) for k, v in more if k == "error_code")
        return [replace(event, event=FAILED, pairs=(("id", outer.id), *told))]
    add_run(outer.values, _measured(event.pairs))
    outer.last = bare(event.line)
    rest = tuple((k, v) for k, v in more if k not in OWN + FIGURES and k != "profile")
    return [replace(event, event=PROGRESS, pairs=(("id", outer.id), *rest))] if rest else []


def _measured(pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    return {key: value for key, value in pairs if key in OWN + FIGURES}


def _of_nameless(instance: Instance, id_: str, event: Event) -> list[Event]:
    """An event of work of which nothing tells whose it is, until a record does."""
    if event.level >= L_WARNING:
        return [replace(event, pairs=tuple((k, v) for k, v in event.pairs if k != "id"))]
    run = next((run for run in instance.runs if run.id == id_), None)
    pairs = [(key, value) for key, value in event.pairs if key != "id"]
    if run is not None and event.event == STAGE:
        run.stages.append((bare(event.line), pairs))
    elif run is not None and event.event == COMPLETE:
        if dict(pairs).get("status") == "success":
            run.done, run.values = (
                True,
                {**_measured(pairs), "profile": str(dict(pairs)["profile"])},
            )
        else:
            instance.runs.remove(run)
    return []
