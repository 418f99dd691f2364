"""Access lines: which request they answer, and which they end or fail (pure)."""

from ingest.lazily import matcher
from ingest.records.profiles import Profile
from ingest.records.sequence.around import are_several
from ingest.records.sequence.ends import end, end_done, fail
from ingest.records.sequence.events import Claim, Event
from ingest.records.sequence.state import (
    DONE,
    MOST_KEPT,
    WAITING,
    Assembly,
    Instance,
    Line,
    Request,
)

NEAR_BYTES = 4096  # between an access line and the opening line of the block that it comes before
MOST_LEARNED = 32  # paths remembered as those of synthesis
_POLLED = matcher(r"/(?:gradio_api|queue|health\w*|metrics|docs|openapi|favicon|static|assets)\b")


def answers(instance: Instance, profile: Profile, opened_at: int) -> int | None:
    """The access line that came before its block, where exactly one may be meant."""
    answers = [at for at in instance.answers if opened_at - at <= NEAR_BYTES]
    instance.answers = []
    return answers[0] if profile.access in ("before", "either") and len(answers) == 1 else None


def may_answer(method: str, path: str, named: bool) -> bool:
    """Whether an access line may be the answer to a request, by its method and path."""
    return named or (method == "POST" and not _POLLED.search(path))


def answered(
    asm: Assembly, instance: Instance, line: Line, method: str, path: str, named: bool
) -> Claim | None:
    ended = [id_ for id_, failed, _ in instance.awaiting if not failed]
    if not named and not (may_answer(method, path, named) and len(ended) == 1):
        return None
    if ended:
        return answer_ended(asm, instance, path, named, ended)
    if len(instance.requests) == 1:
        return answer_open(asm, instance, line, instance.requests[0])
    if not instance.requests:
        instance.answers = [*instance.answers, line.offset][-MOST_KEPT:]
    return None


def answer_ended(
    asm: Assembly, instance: Instance, path: str, named: bool, ended: list[str]
) -> Claim | None:
    drop = ended[0]
    instance.awaiting = [item for item in instance.awaiting if item[0] != drop]
    if len(ended) > 1:
        return None
    if not named:
        asm.learned = [*asm.learned, path][-MOST_LEARNED:]
    return Claim((), "", "access", drop)


def answer_open(asm: Assembly, instance: Instance, line: Line, request: Request) -> Claim | None:
    profile = asm.profiles.by_name[request.profile]
    if profile.access == "none":
        return None
    events: list[Event] = []
    request.answered = True
    if request.inner == DONE:
        events = end_done(asm, instance, line)
    elif request.inner == WAITING and instance.wrapped:
        pass  # a stream is answered before its engine prints
    elif profile.access_closes or request.enough:
        events = end(asm, instance, request, request.last or line, {})
    return Claim(tuple(events), request.profile, "access", request.id)


def refused(asm: Assembly, instance: Instance, line: Line, status: int) -> Claim | None:
    """A 4xx or 5xx: the answer of a failed request, else the newest open one fails."""
    failed = [id_ for id_, bad, _ in instance.awaiting if bad]
    if failed:
        instance.awaiting = [item for item in instance.awaiting if item[0] != failed[-1]]
        return Claim((), "", "access", failed[-1])
    if not instance.requests or are_several(instance):
        return None
    request = instance.requests[-1]
    profile = asm.profiles.by_name[request.profile]
    if status < 500 and status not in profile.fail_statuses:
        return None
    request.answered = True
    request.values["http_status"] = status
    events = fail(asm, instance, request, line, None, "", "access")
    return Claim(tuple(events), request.profile, "access", request.id)
