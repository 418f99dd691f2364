"""How a request ends: with a closing line, a failure, or with its process (pure)."""

from ingest.compiled.layout import L_INFO
from ingest.records.profile_rules import Rule, Value, tidy
from ingest.records.sequence.around import interrupted
from ingest.records.sequence.events import (
    COMPLETE,
    Event,
    add_run,
    complete_figures,
    identity,
    stages,
)
from ingest.records.sequence.state import (
    DONE,
    MOST_KEPT,
    RUNNING,
    WAITING,
    Assembly,
    Failure,
    Instance,
    Line,
    Request,
    bare,
)

TAIL = 80  # characters of a failure's message by which its second telling is known


def end(
    asm: Assembly, instance: Instance, request: Request, line: Line, values: dict[str, Value]
) -> list[Event]:
    """The request has ended with success, or with the status that its lines gave."""
    merged = {**request.values, **values}
    complete_figures(asm, merged, request, line)
    merged.setdefault("status", "success")
    instance.requests.remove(request)
    await_access(asm, instance, request, failed=False)
    instance.ended = request.id
    instance.failure = None
    pairs = (*identity(request), *merged.items())
    return [Event(COMPLETE, line, L_INFO, pairs, is_first=request.before)]


def close(
    asm: Assembly,
    instance: Instance,
    request: Request,
    line: Line,
    rule: Rule,
    values: dict[str, Value],
) -> list[Event]:
    """A closing line: the request ends, or only the engine's part of a wrapper's request."""
    request.seen |= rule.bit
    values.pop("id", None)
    if rule.total_of_stages:
        parts = [v for k, v in values.items() if k.startswith("stage") and k.endswith("_ms")]
        values["duration_ms"] = tidy(sum(float(part) for part in parts))
    events = stages(request.id, line, rule, values)
    if request.inner == RUNNING:
        add_run(request.values, values)
        request.inner = DONE
        request.last = bare(line)
        if not has_partner(asm, request):
            events += end(asm, instance, request, line, {})
        return events
    return events + end(asm, instance, request, line, values)


def has_partner(asm: Assembly, request: Request) -> bool:
    """Whether the wrapper prints a closing line of its own."""
    return request.rule in asm.profiles.closed_outers


def await_access(asm: Assembly, instance: Instance, request: Request, *, failed: bool) -> None:
    """Note that an access line may still answer the request."""
    profile = asm.profiles.by_name.get(request.profile)
    if not failed:
        instance.awaiting = [item for item in instance.awaiting if not item[2]]
    late = profile is None or failed or profile.access in ("after", "either")
    if request.answered or not late:
        return
    instance.awaiting = [*instance.awaiting, (request.id, failed, False)][-MOST_KEPT:]


def fail(
    asm: Assembly,
    instance: Instance,
    request: Request,
    line: Line,
    code: str | None,
    told: str,
    how: str,
) -> list[Event]:
    """The request has failed at this line."""
    values = {**request.values, "status": "failed"}
    if code:
        values["error_code"] = code
    complete_figures(asm, values, request, line)
    instance.requests.remove(request)
    if not instance.torn:
        instance.block = []
    await_access(asm, instance, request, failed=True)
    instance.failure = Failure(request.id, how, told[-TAIL:], line.offset)
    instance.ended = None
    pairs = (*identity(request), *values.items())
    return [Event(COMPLETE, line, L_INFO, pairs, is_first=request.before)]


def interrupt(asm: Assembly, instance: Instance, line: Line, *, spare: bool = False) -> list[Event]:
    """Fail what is open; ``spare`` wrappers' requests, inside which a model may be loaded."""
    events: list[Event] = []
    for request in list(instance.requests):
        if not (spare and request.inner == WAITING):
            events += fail(asm, instance, request, line, "INTERRUPTED", "", "restart")
    events += [] if spare else interrupted(instance, line)
    instance.block = []
    instance.torn = 0
    instance.awaiting = []
    instance.answers = []
    instance.failure = None
    return events


def end_done(asm: Assembly, instance: Instance, line: Line) -> list[Event]:
    """End wrappers' requests whose engine has ended and whose own closing line has not come before
    this line.
    """
    events: list[Event] = []
    for request in [r for r in instance.requests if r.inner == DONE]:
        events += end(asm, instance, request, request.last or line, {})
    return events
