"""The assembly's one door: lines in, claims out (pure)."""

from collections.abc import Callable
from dataclasses import replace

from ingest.compiled.layout import L_INFO, L_NONE
from ingest.lazily import matcher
from ingest.records import profile_rules as does
from ingest.records.profiles import Match, Profiles, is_of_users
from ingest.records.sequence import around
from ingest.records.sequence.answers import NEAR_BYTES, answered, may_answer, refused
from ingest.records.sequence.around import Recorded
from ingest.records.sequence.ends import end, fail, interrupt
from ingest.records.sequence.events import FAILED, LEVELS, Claim, Event, named, progress
from ingest.records.sequence.failures import fails, outer_fails, told_again
from ingest.records.sequence.lines import (
    adds,
    closes,
    follows,
    noise,
    outer_closes,
    restarts,
    warns,
)
from ingest.records.sequence.memory import instance_of, keep
from ingest.records.sequence.opening import HEAD, opens, outer_opens, whole
from ingest.records.sequence.state import (
    MOST_KEPT,
    MOST_TEXT,
    NAMELESS,
    Assembly,
    Expected,
    Instance,
    Line,
    Request,
    answers_first,
    dump,
    given,
    load,
)

_ACCESS = matcher(r'"[A-Z]+ \S+ HTTP/[\d.]+" \d{3}\b')
MOST_GLUED = 3  # further messages read behind the first on one physical line
_GLUEABLE = frozenset({does.OPENS, does.ADDS, does.CLOSES})
Handler = Callable[[Assembly, Instance, Line, Match], Claim | None]
_HANDLERS: dict[str, Handler] = {
    does.OPENS: opens,
    does.ADDS: adds,
    does.CLOSES: closes,
    does.WHOLE: whole,
    does.FAILS: fails,
    does.WARNS: warns,
    does.NOISE: noise,
    does.RESTARTS: restarts,
    does.FOLLOWS: follows,
    does.OUTER_OPENS: outer_opens,
    does.OUTER_CLOSES: outer_closes,
    does.OUTER_FAILS: outer_fails,
}

_COMBINED = ("apache", "gunicorn", "nginx")  # servers whose lines may look like those of nginx


class Sequencer:
    """Puts the requests of one log file together, line by line.

    ``head`` is the file's first 1,024 bytes (fewer where it has no more), ``state`` what
    ``state()`` gave after the line before: of this file, or of the file before it in a series.
    """

    def __init__(self, profiles: Profiles, head: bytes, state: str | None) -> None:
        self._asm = Assembly(profiles, head[:HEAD], kept=[])
        if state is not None:
            self._asm.instances, self._asm.learned, self._asm.kept = load(state)
            self._asm.answers_first, self._asm.given = answers_first(state), given(state)

    # what comes in

    def line(self, line: Line) -> Claim | None:
        """What a line stands for; None where no rule of any profile takes it."""
        return self._within(self._of_rules(line))

    def _within(self, claim: Claim | None) -> Claim | None:
        """A claim in which requests are those of structured records, where such stand around."""
        return around.within(self._asm.instances, claim)

    def _of_rules(self, line: Line) -> Claim | None:
        expected = self._expected(line)
        if expected is not None:
            return expected
        matches = self._asm.profiles.match(line.message)
        if not matches or (line.logger and is_of_users(line.logger)):
            return None
        claim, match = self._first(matches, line)
        profile = self._asm.profiles.by_name[match.rule.profile]
        if claim is not None and profile.access in ("before", "either"):
            self._asm.answers_first = True
        if claim is None:
            return keep(self._asm, line, matches[0].rule)
        if match.rule.then and claim.id is not None:
            instance_of(self._asm, line.instance).expects = Expected(
                claim.id, match.rule.then, match.rule.name, of_several=line.level != L_NONE
            )
        if match.rule.does in _GLUEABLE and match.data[match.spans[0][1] :].strip():
            return self._glued(claim, match, line)
        return claim

    def access(self, line: Line, method: str, path: str, status: int) -> Claim | None:
        """What an access line does: ``Claim.id`` is the request answered, events end one."""
        path = path.partition("?")[0]
        instance = instance_of(self._asm, line.instance)
        named = self._asm.profiles.is_synthesis(path) or path in self._asm.learned
        if not instance.opened and may_answer(method, path, named):
            keep(self._asm, line)
        if status < 400:
            return self._within(answered(self._asm, instance, line, method, path, named))
        if not named:
            return None
        return self._within(refused(self._asm, instance, line, status))

    def kind_of_path(self, path: str) -> int:
        """A number for all that an access line's path (without its query) tells by itself: whether
        it is one of synthesis, and whether it may be.
        """
        is_named = self._asm.profiles.is_synthesis(path) or path in self._asm.learned
        return 2 * is_named + may_answer("POST", path, named=False)

    def structured(self, line: Line, event: str, id_: str) -> None:
        """Take note of a structured record that tells of a request by its own id."""

    def begun(self, line: Line, id_: str) -> Recorded:
        """A structured record begins a request: an engine's lines behind it are part of it."""
        return around.begun(instance_of(self._asm, line.instance), line, id_)

    def ended(self, line: Line, id_: str, took_ms: float | None, *, failed: bool) -> Recorded:
        """A structured record ends a request, which took so long where it says so."""
        instance = self._asm.instances.get(line.instance)
        if instance is None:
            return Recorded()
        return around.ended(instance, line, id_, took_ms, failed=failed)

    def is_alone(self, name: str | None) -> bool:
        """Whether an instance's structured records stand around nothing that an engine prints."""
        instance = self._asm.instances.get(name)
        return instance is None or around.is_alone(instance)

    def is_around(self, name: str | None) -> bool:
        """Whether structured records stand around what an instance's engine prints now."""
        instance = self._asm.instances.get(name)
        return instance is not None and bool(instance.outers)

    def has_other(self, name: str | None) -> bool:
        """Whether an instance has a request open that no structured record stands around."""
        instance = self._asm.instances.get(name)
        return instance is not None and around.has_other(instance)

    def has_engine(self, name: str | None) -> bool:
        """Whether an engine's own lines make the requests of an instance."""
        instance = self._asm.instances.get(name)
        return instance is not None and instance.engine

    def prints(self, line: Line) -> None:
        """Note that an engine's own lines make the requests of the line's instance."""
        instance_of(self._asm, line.instance).engine = True

    def server(self, line: Line, told: str, is_sure: bool) -> str:
        """What writes an access line: what it shows, else what its instance has shown before."""
        instance = instance_of(self._asm, line.instance)
        if is_sure:
            if told in _COMBINED:
                instance.server = told
            return told
        return instance.server or told

    def failed(self, line: Line, exception: str, message: str) -> Claim | None:
        """A traceback or an ERROR of the application: fails the newest open request.

        The caller writes the error's own row; the claim's ``id`` is its request's. None: no request
        is concerned.
        """
        instance = instance_of(self._asm, line.instance)
        if not instance.opened:
            keep(self._asm, line)
        told = f"{exception}: {message}" if exception else message
        code = self._asm.profiles.code_of(told) or exception.rpartition(".")[2] or None
        again = told_again(instance, told, line)
        if again is not None:
            pairs = named(again)
            if code:
                pairs.append(("error_code", code))
            return self._within(
                Claim((Event(FAILED, line, L_INFO, tuple(pairs)),), "", "failed", again)
            )
        if around.are_several(instance):
            return None
        if not instance.requests:
            if exception and line.instant is None:
                instance.early = [*instance.early, (code or "", instance.count)][-MOST_KEPT:]
            return None
        request = instance.requests[-1]
        events = fail(self._asm, instance, request, line, code, told, "error")
        return self._within(Claim(tuple(events), request.profile, "failed", request.id))

    def restarted(self, line: Line) -> Claim | None:
        """The process begins again: what is open is INTERRUPTED."""
        instance = self._asm.instances.get(line.instance)
        if instance is None or not (instance.requests or instance.block):
            return None
        return self._within(Claim(tuple(interrupt(self._asm, instance, line)), "", "restarted"))

    def bar(self, line: Line, elapsed_ms: int, done: bool) -> Claim | None:
        """A progress bar of the one open request, for profiles that have no other time or end."""
        instance = self._asm.instances.get(line.instance)
        if instance is None or len(instance.requests) != 1:
            return None
        request = instance.requests[0]
        profile = self._asm.profiles.by_name[request.profile]
        if not profile.bars:
            return None
        if profile.bars == "duration":
            request.bar_ms = elapsed_ms
        if not done or not request.seen & (request.seen - 1):
            return None
        events = end(self._asm, instance, request, request.last or line, {})
        return self._within(Claim(tuple(events), request.profile, "bar", request.id))

    def id_of_open(self, instance: str | None) -> str | None:
        """The id of the one open request, for errors; None where none or several are open."""
        found = self._asm.instances.get(instance)
        if found is None or len(found.requests) != 1 or around.are_several(found):
            return None
        id_ = found.requests[0].id
        return None if id_.startswith(NAMELESS) else id_

    @property
    def has_open(self) -> bool:
        """Whether a request is open, or a line that belongs to one may still come."""
        return any(
            found.requests or found.block or found.awaiting or found.failure
            for found in self._asm.instances.values()
        )

    def remembered_ids(self) -> frozenset[str]:
        """The ids of requests that are open, or that a later line may still be about."""
        ids: set[str] = set()
        for found in self._asm.instances.values():
            ids.update(request.id for request in found.requests)
            ids.update(id_ for id_, _, _ in found.awaiting)
            ids.update([found.failure.id] if found.failure else [])
            ids.update([found.ended] if found.ended else [])
        return frozenset(id_ for id_ in ids if not id_.startswith(NAMELESS))

    def waits_from(self, end: int) -> int | None:
        """The offset of the first access line whose block may stand behind ``end``, or None."""
        if not self._asm.answers_first:
            return None
        near = [
            at
            for found in self._asm.instances.values()
            for at in found.answers
            if end - at <= NEAR_BYTES
        ]
        return min(near, default=None)

    @property
    def learned(self) -> list[str]:
        """The paths that were learnt to be those of synthesis."""
        return self._asm.learned

    @property
    def has_kept(self) -> bool:
        """Whether no further line is kept for a request of the file before."""
        return self._asm.kept is None or bool(self._asm.kept)

    @property
    def answers_first(self) -> bool:
        """Whether access lines may come before the blocks that they answer."""
        return self._asm.answers_first

    def memory_of(self, name: str | None) -> Instance | None:
        """What is remembered of an instance, None where nothing is."""
        return self._asm.instances.get(name)

    def remember(self, name: str | None, instance: Instance) -> None:
        """Put another memory in place of an instance's."""
        self._asm.instances[name] = instance

    def state(self) -> str:
        """All that later lines can depend on, as compact JSON."""
        asm = self._asm
        return dump(asm.instances, asm.learned, asm.kept, asm.answers_first, asm.given)

    def may_give_again(self, begin: int, end: int) -> bool:
        """Whether an id that is made of a place in these bytes may be one of the file before."""
        return any(begin <= place < end for place in self._asm.given)

    # which rule

    def _expected(self, line: Line) -> Claim | None:
        """A line announced by the line before as a text: no rule is asked.

        Where that line has a header, lines without one go on with the text, as far as no rule takes
        them.
        """
        instance = self._asm.instances.get(line.instance)
        if instance is None or instance.expects is None or _ACCESS.search(line.message):
            return None
        told, instance.expects = instance.expects, None
        request = next((r for r in instance.requests if r.id == told.id), None)
        if request is None:
            return None
        if told.is_begun:
            return self._further(instance, request, line, told)
        if told.of_several:
            request.values[told.column] = line.message[:MOST_TEXT]
            instance.expects = replace(told, is_begun=True)
        event = progress(request, line, {told.column: line.message})
        return Claim((event,), request.profile, told.rule, told.id)

    def _further(
        self, instance: Instance, request: Request, line: Line, told: Expected
    ) -> Claim | None:
        """A further line of a text; None where it is none."""
        if line.level != L_NONE or line.logger:
            return None
        if not all(match.rule.bare for match in self._asm.profiles.match(line.message)):
            return None
        before = request.values.get(told.column)  # None: a state that is stored without texts
        if before is not None and len(f"{before}\n{line.message}") <= MOST_TEXT:
            request.values[told.column] = f"{before}\n{line.message}"
        instance.expects = told
        return Claim((), request.profile, told.rule, request.id)

    def _first(self, matches: list[Match], line: Line) -> tuple[Claim | None, Match]:
        instance = instance_of(self._asm, line.instance)
        if len(matches) > 1 and instance.requests:
            active = {request.profile for request in instance.requests}
            matches = sorted(matches, key=lambda match: match.rule.profile not in active)
        for match in matches:
            if match.rule.only and line.level not in (L_NONE, LEVELS[match.rule.only]):
                continue
            if match.rule.bare and (line.level != L_NONE or line.logger):
                continue
            claim = _HANDLERS[match.rule.does](self._asm, instance, line, match)
            if claim is not None:
                return claim, match
        return None, matches[0]

    def _glued(self, claim: Claim, match: Match, line: Line) -> Claim:
        """The line's claim with those of messages that follow the first without a line's end."""
        claims, at = [claim], 0
        for _ in range(MOST_GLUED):
            at += match.spans[0][1]
            rest = match.data[match.spans[0][1] :].decode("utf-8", "replace")
            matches = (
                [m for m in self._asm.profiles.match(rest) if m.start == 0] if rest.strip() else []
            )
            if not matches:
                break
            more, match = self._first(matches, replace(line, offset=line.offset + at, message=rest))
            if more is None or match.rule.does not in _GLUEABLE:
                break
            claims.append(more)
        if len(claims) == 1:
            return claim
        return replace(
            claim,
            events=tuple(event for c in claims for event in c.events),
            torn=tuple(torn for c in claims for torn in c.torn),
        )
