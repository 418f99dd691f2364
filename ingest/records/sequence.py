"""Requests out of lines that carry no id: opening line, block, closing line, failure (pure).

Lines come in the order of their file; every call says which events of SPEC §1 the line stands for. What is open
crosses chunks, runs and files as a state in JSON. The rules are in docs/profiles.md, "How requests are put together".
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ingest.compiled.layout import L_CRITICAL, L_ERROR, L_INFO, L_WARNING
from ingest.records import profile_rules as does
from ingest.records.profile_rules import Rule, Value, tidy
from ingest.records.profiles import Match, Profile, Profiles
from ingest.records.sequence_state import (
    DONE,
    MOST_INSTANCES,
    MOST_KEPT,
    MOST_OPEN,
    MOST_TEXT,
    NO_INNER,
    RUNNING,
    WAITING,
    BlockLine,
    Failure,
    Instance,
    Line,
    Request,
    dump,
    line_from,
    line_to,
    load,
)

__all__ = ["Adopted", "Claim", "Event", "Line", "Sequencer"]

LEVELS = {"INFO": L_INFO, "WARNING": L_WARNING, "ERROR": L_ERROR, "CRITICAL": L_CRITICAL}
START, COMPLETE, FAILED = "synthesis_start", "synthesis_complete", "synthesis_failed"
STAGE, PROGRESS = "stage_time", "audio_metrics"
HEAD = 1024  # bytes of a file that its requests' ids are made from
OVERTAKEN = 8  # requests that opened later and have ended, until an open one counts as abandoned
MOST_LEARNED = 32  # paths remembered as those of synthesis
MOST_ORPHANS, MOST_ORPHAN_BYTES = 256, 64 << 10
MOST_GLUED = 3  # further messages read behind the first on one physical line
TAIL = 80  # characters of a failure's message by which its second telling is known
SLACK_US, SLACK_SHARE, WHOLE_SECOND = 150_000, 0.02, 1_000_000

_POLLED = re.compile(
    r"/(?:gradio_api|queue|health\w*|metrics|docs|openapi|favicon|static|assets)\b"
)


@dataclass(frozen=True, slots=True)
class Event:
    """A record to be written as if the service had logged SPEC §1's event.

    ``event``: ``synthesis_start``, ``synthesis_complete``, ``synthesis_failed``, ``stage_time``, ``audio_metrics`` (any
    pair of a request that is open or has just ended), or empty (a warning or error record). ``line`` is where it comes
    from, and may stand before lines seen since: a block's events come when it is whole. ``level`` L_WARNING and above
    make a row of errors. ``pairs``: SPEC's keys, and ``id_source``, ``assembly``, ``profile``, ``instance``,
    ``audio_ms``, ``rtf``, ``tokens``, ``own_ms`` (a stage's own time), ``error_code``, ``warning_code``.
    """

    event: str
    line: Line
    level: int
    pairs: tuple[tuple[str, Value], ...]
    message: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a line that a rule takes stands for; no events: noise, or a line that only changed what is open.

    ``id`` names the request that the line belongs to, where it is one alone (access lines: the request answered).
    ``access`` is the offset of the access line, printed earlier, that the request opened here answers. ``torn`` are
    lines of blocks printed into each other, this one and earlier ones: they go to quarantine, no value of theirs is
    used. ``held``: counts as unclaimed until an earlier file of the series explains it (``Sequencer.orphans``).
    """

    events: tuple[Event, ...]
    profile: str
    rule: str
    id: str | None = None
    access: int | None = None
    torn: tuple[Line, ...] = ()
    held: bool = False


@dataclass(frozen=True, slots=True)
class Adopted:
    """What lines before a file's first opening line stand for, once the file before it is known.

    ``whole``: nothing of the earlier file stays open behind them; else the later file is to be read again with the
    earlier one's state for exactly the same rows.
    """

    claims: tuple[Claim, ...]
    whole: bool


class Sequencer:
    """Puts the requests of one log file together, line by line.

    ``head`` is the file's first 1,024 bytes (fewer where it has no more), ``state`` what ``state()`` gave after the
    line before: of this file, or of the file before it in a series.
    """

    def __init__(self, profiles: Profiles, head: bytes, state: str | None) -> None:
        self._profiles = profiles
        self._head = head[:HEAD]
        self._instances: dict[str | None, Instance] = {}
        self._learned: list[str] = []
        self._kept: list[Any] | None = []
        if state is not None:
            self._instances, self._learned, self._kept = load(state)

    # what comes in

    def line(self, line: Line) -> Claim | None:
        """What a line stands for; None where no rule of any profile takes it."""
        matches = self._profiles.match(line.message)
        if not matches:
            return None
        claim, match = self._first(matches, line)
        if claim is None:
            return self._keep("line", line, matches[0].rule)
        if match.rule.does in _GLUEABLE and match.spans[0][1] < len(match.data):
            return self._glued(claim, match, line)
        return claim

    def access(self, line: Line, method: str, path: str, status: int) -> Claim | None:
        """What an access line does: ``Claim.id`` is the request answered, events end or fail one."""
        path = path.partition("?")[0]
        instance = self._instance(line.instance)
        named = self._profiles.is_synthesis(path) or path in self._learned
        if status < 400:
            return self._answered(instance, line, method, path, named)
        if not named:
            return None
        if not instance.opened:
            self._keep("access", line, None, [method, path, status])
        return self._refused(instance, line, status)

    def failed(self, line: Line, exception: str, message: str) -> Claim | None:
        """A traceback or an ERROR of the application: fails the newest open request.

        The caller writes the error's own row; the claim's ``id`` is its request's. None: no request is concerned.
        """
        instance = self._instance(line.instance)
        if not instance.opened:
            self._keep("failed", line, None, [exception, message[-TAIL:]])
        told = f"{exception}: {message}" if exception else message
        code = self._profiles.code_of(told) or exception.rpartition(".")[2] or None
        again = self._told_again(instance, told)
        if again is not None:
            pairs: list[tuple[str, Value]] = [("id", again)]
            if code:
                pairs.append(("error_code", code))
            return Claim((Event(FAILED, line, L_INFO, tuple(pairs)),), "", "failed", again)
        if not instance.requests:
            if exception and line.instant is None:
                instance.early = [*instance.early, (code or "", instance.count)][-MOST_KEPT:]
            return None
        request = instance.requests[-1]
        events = self._fail(instance, request, line, code, told, "error")
        return Claim(tuple(events), request.profile, "failed", request.id)

    def restarted(self, line: Line) -> Claim | None:
        """The process begins again: what is open is INTERRUPTED."""
        instance = self._instances.get(line.instance)
        if instance is None or not (instance.requests or instance.block):
            return None
        return Claim(tuple(self._interrupt(instance, line)), "", "restarted")

    def bar(self, line: Line, elapsed_ms: int, done: bool) -> Claim | None:
        """A progress bar of the one open request, for profiles that have no other time or end."""
        instance = self._instances.get(line.instance)
        if instance is None or len(instance.requests) != 1:
            return None
        request = instance.requests[0]
        profile = self._profiles.by_name[request.profile]
        if not profile.bars:
            return None
        request.bar_ms = elapsed_ms
        if not done or not request.seen & (request.seen - 1):
            return None
        events = self._end(instance, request, request.last or line, {})
        return Claim(tuple(events), request.profile, "bar", request.id)

    def id_of_open(self, instance: str | None) -> str | None:
        """The id of the one open request, for errors; None where none or several are open."""
        found = self._instances.get(instance)
        return found.requests[0].id if found and len(found.requests) == 1 else None

    def state(self) -> str:
        """All that later lines can depend on, as compact JSON."""
        return dump(self._instances, self._learned, self._kept)

    def orphans(self, earlier: str) -> Adopted:
        """What the lines kept from before this file's first opening line are, with the earlier file's state."""
        before = Sequencer(self._profiles, self._head, earlier)
        before._kept = None
        claims = []
        for kind, data, message, more in self._kept or ():
            line = line_from(data, message)
            claim = (
                before.line(line)
                if kind == "line"
                else before.access(line, *more)
                if kind == "access"
                else before.failed(line, *more)
            )
            if claim is not None:
                claims.append(claim)
        return Adopted(
            tuple(claims),
            not any(found.requests or found.block for found in before._instances.values()),
        )

    # which rule

    def _first(self, matches: list[Match], line: Line) -> tuple[Claim | None, Match]:
        instance = self._instance(line.instance)
        if len(matches) > 1 and instance.requests:
            active = {request.profile for request in instance.requests}
            matches = sorted(matches, key=lambda match: match.rule.profile not in active)
        for match in matches:
            claim = _HANDLERS[match.rule.does](self, instance, line, match)
            if claim is not None:
                return claim, match
        return None, matches[0]

    def _glued(self, claim: Claim, match: Match, line: Line) -> Claim:
        """The line's claim with those of messages that stand behind the first without a line's end between."""
        claims, at = [claim], 0
        for _ in range(MOST_GLUED):
            at += match.spans[0][1]
            rest = match.data[match.spans[0][1] :].decode("utf-8", "replace")
            matches = (
                [m for m in self._profiles.match(rest) if m.start == 0] if rest.strip() else []
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

    def _instance(self, name: str | None) -> Instance:
        found = self._instances.get(name)
        if found is None:
            if len(self._instances) >= MOST_INSTANCES:
                self._forget()
            found = self._instances[name] = Instance()
        return found

    def _forget(self) -> None:
        empty = next((k for k, found in self._instances.items() if found.is_empty), None)
        del self._instances[empty if empty is not None else next(iter(self._instances))]

    def _keep(
        self, kind: str, line: Line, rule: Rule | None, more: list[Any] | None = None
    ) -> Claim | None:
        """Keep what stands before the first opening line of its instance; the claim that says so."""
        if self._kept is None or self._instance(line.instance).opened:
            return None
        if rule is not None and rule.does not in _ORPHANS:
            return None
        size = sum(len(item[2]) + 64 for item in self._kept)
        if len(self._kept) >= MOST_ORPHANS or size + len(line.message) > MOST_ORPHAN_BYTES:
            return None
        self._kept.append([kind, line_to(line), line.message, more])
        return Claim((), rule.profile, rule.name, held=True) if rule is not None else None

    # opening

    def _opens(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        profile = self._profiles.by_name[rule.profile]
        values = match.values()
        newest = instance.requests[-1] if instance.requests else None
        if newest is not None and _goes_on(newest, rule):
            return self._add_to(instance, newest, line, rule, values)
        outer = _waiting(instance)
        if outer is not None:
            return self._begin_inner(outer, line, rule, values)
        events = self._fail_early(instance, line)
        if profile.workers == "one":
            events += self._end_before(instance, line, profile)
        request = self._push(instance, line, rule, values)
        access = self._answers(instance, profile)
        if access is not None:
            request.answered = True
        events.append(self._started(request, line, values))
        return Claim(tuple(events), rule.profile, rule.name, request.id, access)

    def _outer_opens(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        values = match.values()
        newest = instance.requests[-1] if instance.requests else None
        if newest is not None and newest.inner == WAITING and _goes_on(newest, rule):
            return self._add_to(instance, newest, line, rule, values)
        events = self._end_done(instance)
        request = self._push(instance, line, rule, values)
        request.inner = WAITING
        events.append(self._started(request, line, values))
        return Claim(tuple(events), rule.profile, rule.name, request.id)

    def _begin_inner(
        self, outer: Request, line: Line, rule: Rule, values: dict[str, Value]
    ) -> Claim:
        """The engine's opening line inside a wrapper's: one request; what the wrapper said stays."""
        outer.inner = RUNNING
        outer.has_block = False
        outer.profile = rule.profile
        outer.seen |= rule.bit
        events = (_progress(outer, line, values),) if values else ()
        return Claim(events, rule.profile, rule.name, outer.id)

    def _push(
        self, instance: Instance, line: Line, rule: Rule, values: dict[str, Value]
    ) -> Request:
        if not instance.requests:
            instance.awaiting = [(i, f, True) for i, f, _ in instance.awaiting]
        self._drop_abandoned(instance)
        given = values.pop("id", None)
        known = [request for request in instance.requests if not _has_own_id(request)]
        request = Request(
            id=str(given) if given else self._place(line),
            id_source="logged" if given else "place",
            profile=rule.profile,
            rule=rule.name,
            number=instance.count,
            instant=line.instant,
            seen=rule.bit,
        )
        if known and not given:
            request.uncertain = True
            for other in known:
                other.uncertain = True
        instance.opened = True
        instance.count += 1
        instance.failure = None
        instance.ended = None
        instance.requests.append(request)
        if len(instance.requests) > MOST_OPEN:
            del instance.requests[0]
        return request

    def _place(self, line: Line) -> str:
        """The id of a request without one: a hash of the file's beginning, and the opening line's offset."""
        head = self._head[: min(HEAD, line.end)]
        return f"{hashlib.blake2b(head, digest_size=4).hexdigest()}-{line.offset}"

    def _started(self, request: Request, line: Line, values: dict[str, Value]) -> Event:
        pairs: list[tuple[str, Value]] = [
            ("id", request.id),
            ("id_source", request.id_source),
            ("assembly", _assembly(request)),
            ("profile", request.profile),
        ]
        if line.instance is not None:
            pairs.append(("instance", line.instance))
        return Event(START, line, L_INFO, (*pairs, *values.items()))

    def _end_before(self, instance: Instance, line: Line, profile: Profile) -> list[Event]:
        """One worker: what it had open has ended before this line; without a closing line, with success."""
        events: list[Event] = []
        for request in [r for r in instance.requests if r.profile == profile.name]:
            if profile.closes and not request.answered:
                instance.requests.remove(request)
                instance.block = []
            else:
                events += self._end(instance, request, request.last or line, {})
        return events

    def _end_done(self, instance: Instance) -> list[Event]:
        """End wrappers' requests whose engine has ended and whose own closing line has not come."""
        events: list[Event] = []
        for request in [r for r in instance.requests if r.inner == DONE]:
            assert request.last is not None
            events += self._end(instance, request, request.last, {})
        return events

    def _drop_abandoned(self, instance: Instance) -> None:
        """Forget open requests that many later ones have overtaken: they never ended."""
        requests = instance.requests
        if requests and instance.count - requests[0].number - len(requests) >= OVERTAKEN:
            del requests[0]

    def _fail_early(self, instance: Instance, line: Line) -> list[Event]:
        """Fail a request that ended without a block by the traceback that stood before its opening line.

        With stdout in a file, Python keeps what is printed in a buffer; stderr's traceback overtakes it.
        """
        while instance.early and instance.count - instance.early[0][1] > 3 * OVERTAKEN:
            del instance.early[0]
        if not instance.early or line.instant is not None or len(instance.requests) != 1:
            return []
        request = instance.requests[0]
        if request.inner != NO_INNER or request.has_block or instance.block:
            return []
        code, _ = instance.early.pop(0)
        return self._fail(instance, request, line, code or None, "", "early")

    # adding and closing

    def _adds(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        if rule.block:
            return self._block(instance, line, match)
        values = match.values()
        target = self._target(instance, rule, values)
        if target is None:
            return None
        return self._add_to(instance, target, line, rule, values)

    def _add_to(
        self,
        instance: Instance,
        request: Request,
        line: Line,
        rule: Rule,
        values: dict[str, Value],
    ) -> Claim:
        several = not rule.has_id and sum(r.profile == rule.profile for r in instance.requests) > 1
        claim = Claim((), rule.profile, rule.name, None if several else request.id)
        request.seen |= rule.bit
        if several and rule.does == does.ADDS:
            return claim
        request.last = replace(line, message="")
        values.pop("id", None)
        if rule.repeats in ("sum", "last", "join"):
            _accumulate(request.values, values, rule)
            return claim
        events = [*_stages(request, line, rule, values)]
        if values:
            events.append(_progress(request, line, values))
        return replace(claim, events=tuple(events))

    def _target(self, instance: Instance, rule: Rule, values: dict[str, Value]) -> Request | None:
        """The open request that a line of this rule belongs to: by its id, else the oldest that expects it."""
        requests = [r for r in instance.requests if r.profile == rule.profile]
        if rule.has_id and "id" in values:
            return next((r for r in requests if r.id == values["id"]), None)
        fitting = [r for r in requests if not rule.needs or r.seen & rule.needs]
        return fitting[0] if fitting else None

    def _closes(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        if rule.block:
            return self._block(instance, line, match)
        values = match.values()
        target = self._target(instance, rule, values)
        if target is None:
            return None
        events = self._close(instance, target, line, rule, values)
        return Claim(tuple(events), rule.profile, rule.name, target.id)

    def _close(
        self,
        instance: Instance,
        request: Request,
        line: Line,
        rule: Rule,
        values: dict[str, Value],
    ) -> list[Event]:
        request.seen |= rule.bit
        values.pop("id", None)
        events = _stages(request, line, rule, values)
        if request.inner == RUNNING:
            _add_run(request.values, values)
            request.inner = DONE
            request.last = replace(line, message="")
            if not self._has_partner(request):
                events += self._end(instance, request, line, {})
            return events
        return events + self._end(instance, request, line, values)

    def _has_partner(self, request: Request) -> bool:
        """Whether the wrapper prints a closing line of its own."""
        return any(
            rule.name == request.rule and rule.does == does.OUTER_OPENS and rule.closed_by
            for rule in self._profiles.rules
        )

    def _whole(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        values = match.values()
        outer = _waiting(instance)
        if outer is not None:
            self._begin_inner(outer, line, rule, {})
            events = self._close(instance, outer, line, rule, values)
            return Claim(tuple(events), rule.profile, rule.name, outer.id)
        id_ = {"id": values["id"]} if "id" in values else {}
        request = self._push(instance, line, rule, id_)
        request.instant = None
        request.uncertain = False
        events = [self._started(request, line, {}), *_stages(request, line, rule, values)]
        values.pop("id", None)
        events += self._end(instance, request, line, values)
        return Claim(tuple(events), rule.profile, rule.name, request.id)

    def _follows(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        if instance.ended is None:
            return None
        values = match.values()
        pairs = (("id", instance.ended), *values.items())
        events = (Event(PROGRESS, line, L_INFO, pairs),) if values else ()
        return Claim(events, rule.profile, rule.name, instance.ended)

    def _outer_closes(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        values = match.values()
        wrappers = [r for r in instance.requests if r.inner != NO_INNER]
        if not wrappers:
            return None
        done = [r for r in wrappers if r.inner == DONE] or wrappers
        events = self._end(instance, done[0], line, values)
        return Claim(tuple(events), rule.profile, rule.name, done[0].id)

    def _end(
        self, instance: Instance, request: Request, line: Line, values: dict[str, Value]
    ) -> list[Event]:
        """The request has ended with success, or with the status that its lines gave."""
        merged = {**request.values, **values}
        _complete_figures(merged, request, line)
        merged.setdefault("status", "success")
        instance.requests.remove(request)
        self._await_access(instance, request, failed=False)
        instance.ended = request.id
        instance.failure = None
        return [Event(COMPLETE, line, L_INFO, (*_identity(request), *merged.items()))]

    def _await_access(self, instance: Instance, request: Request, *, failed: bool) -> None:
        profile = self._profiles.by_name.get(request.profile)
        if not failed:
            instance.awaiting = [item for item in instance.awaiting if not item[2]]
        if request.answered or (profile is not None and profile.access != "after" and not failed):
            return
        instance.awaiting = [*instance.awaiting, (request.id, failed, False)][-MOST_KEPT:]

    # blocks

    def _block(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        """A line of a block: kept until the block is whole, so that blocks printed into each other are seen."""
        rule = match.rule
        if not self._expects(instance, rule):
            return None
        block = instance.block
        by_name = _names(self._profiles.by_name[rule.profile])
        if block and instance.block_profile == rule.profile:
            earlier = by_name[block[-1].rule]
            if instance.torn or rule.bit <= earlier.bit:
                return self._torn(instance, line, rule)
        else:
            block = instance.block = []
            instance.torn = 0
            instance.block_profile = rule.profile
        if rule.needs and not any(by_name[b.rule].bit & rule.needs for b in block):
            return None
        bare = replace(line, message="")
        block.append(BlockLine(rule.name, bare, match.values()))
        if rule.does != does.CLOSES:
            return Claim((), rule.profile, rule.name)
        return self._whole_block(instance, line, rule, by_name)

    def _expects(self, instance: Instance, rule: Rule) -> bool:
        return any(r.profile == rule.profile and not r.has_block for r in instance.requests)

    def _whole_block(
        self, instance: Instance, line: Line, rule: Rule, by_name: dict[str, Rule]
    ) -> Claim:
        block, instance.block = instance.block, []
        values: dict[str, Value] = {}
        for part in block:
            values.update(
                (key, value) for key, value in part.values.items() if not key.startswith("stage")
            )
        request = self._oldest(instance, rule, line, values)
        request.has_block = True
        events: list[Event] = []
        for part in block[:-1]:
            request.seen |= by_name[part.rule].bit
            events += _stages(request, part.line, by_name[part.rule], dict(part.values))
        events += _stages(request, block[-1].line, rule, dict(block[-1].values))
        events += self._close(instance, request, line, rule, values)
        return Claim(tuple(events), rule.profile, rule.name, request.id)

    def _oldest(
        self, instance: Instance, rule: Rule, line: Line, values: dict[str, Value]
    ) -> Request:
        """The open request that a whole block belongs to: the one that its duration fits, else the oldest."""
        fitting = [r for r in instance.requests if r.profile == rule.profile and not r.has_block]
        if "id" in values:
            fitting = [r for r in fitting if r.id == values["id"]] or fitting
        duration = values.get("duration_ms")
        if len(fitting) > 1 and line.instant is not None and isinstance(duration, int | float):
            timed = [r for r in fitting if _fits(r, line.instant, float(duration))]
            if len(timed) == 1:
                return timed[0]
        return fitting[0]

    def _torn(self, instance: Instance, line: Line, rule: Rule) -> Claim:
        """A line that breaks the order: two blocks in each other; none of their values can be told apart."""
        block = instance.block
        torn = [line] if instance.torn else [part.line for part in block] + [line]
        instance.torn += 1
        block.append(BlockLine(rule.name, replace(line, message=""), {}))
        counts: dict[str, int] = {}
        for part in block:
            counts[part.rule] = counts.get(part.rule, 0) + 1
        mixed = max(counts.values())
        claim = Claim((), rule.profile, rule.name, torn=tuple(torn))
        if rule.does != does.CLOSES or counts[rule.name] < mixed:
            return claim
        instance.block = []
        instance.torn = 0
        events: list[Event] = []
        for _ in range(mixed):
            fitting = [
                r for r in instance.requests if r.profile == rule.profile and not r.has_block
            ]
            if fitting:
                fitting[0].uncertain = True
                fitting[0].has_block = True
                events += self._close(instance, fitting[0], line, rule, {})
        return replace(claim, events=tuple(events))

    # failing

    def _fails(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        values = match.values()
        told = str(values.pop("message", "")) or line.message
        code = str(values.pop("error_code", "")) or rule.code or self._profiles.code_of(told)
        level = max(line.level, LEVELS.get(rule.level or "ERROR", L_ERROR))
        again = self._told_again(instance, told)
        target = self._failing(instance, rule, values)
        if again is None and target is None:
            if not instance.opened:
                self._keep("failed", line, None, ["", told[-TAIL:]])
            return Claim((self._error(line, level, rule, code, None),), rule.profile, rule.name)
        id_ = again or (target.id if target else None)
        error = self._error(line, level, rule, code, id_)
        if again is not None or target is None:
            return Claim((error,), rule.profile, rule.name, id_)
        events = [error, *self._fail(instance, target, line, code or None, told, "error")]
        return Claim(tuple(events), rule.profile, rule.name, id_)

    def _outer_fails(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        return self._fails(instance, line, match)

    def _failing(self, instance: Instance, rule: Rule, values: dict[str, Value]) -> Request | None:
        if rule.has_id and "id" in values:
            return next((r for r in instance.requests if r.id == values["id"]), None)
        newest = [
            r
            for r in instance.requests
            if r.profile == rule.profile or r.inner != NO_INNER or rule.does == does.OUTER_FAILS
        ]
        return newest[-1] if newest else None

    def _error(
        self, line: Line, level: int, rule: Rule, code: str | None, id_: str | None
    ) -> Event:
        pairs: list[tuple[str, Value]] = []
        if id_ is not None:
            pairs.append(("id", id_))
        if code:
            pairs.append(("error_code" if level >= L_ERROR else "warning_code", code))
        return Event("", line, level, tuple(pairs), line.message)

    def _fail(
        self,
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
        _complete_figures(values, request, line)
        instance.requests.remove(request)
        if not instance.torn:
            instance.block = []
        self._await_access(instance, request, failed=True)
        instance.failure = Failure(request.id, how, told[-TAIL:])
        instance.ended = None
        return [Event(COMPLETE, line, L_INFO, (*_identity(request), *values.items()))]

    def _told_again(self, instance: Instance, told: str) -> str | None:
        """The id of a failure that this message tells once more: a 500 before its traceback, or the same words."""
        failure = instance.failure
        if failure is None:
            return None
        if failure.told == "access":
            instance.failure = Failure(failure.id, "error", told[-TAIL:])
            return failure.id
        same = failure.tail and (told.endswith(failure.tail[-20:]) or failure.tail in told)
        return failure.id if same or not instance.requests else None

    def _warns(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        values = match.values()
        level = LEVELS[rule.level] if rule.level else max(line.level, L_WARNING)
        id_ = values.pop("id", None)
        if id_ is None and len(instance.requests) == 1:
            id_ = instance.requests[0].id
        key = "error_code" if level >= L_ERROR else "warning_code"
        pairs: list[tuple[str, Value]] = [(key, rule.code)]
        if id_ is not None:
            pairs.insert(0, ("id", id_))
        event = Event("", line, level, (*pairs, *values.items()), line.message)
        return Claim((event,), rule.profile, rule.name, str(id_) if id_ is not None else None)

    def _noise(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        return Claim((), match.rule.profile, match.rule.name)

    def _restarts(self, instance: Instance, line: Line, match: Match) -> Claim | None:
        rule = match.rule
        values = match.values()
        name = values.get("instance")
        if name is not None and line.instance is None and name in self._instances:
            instance = self._instances[str(name)]
        events: list[Event] = []
        if rule.level:
            events.append(self._error(line, LEVELS[rule.level], rule, rule.code, None))
        events += self._interrupt(instance, line, spare=not rule.whole_process)
        return Claim(tuple(events), rule.profile, rule.name)

    def _interrupt(self, instance: Instance, line: Line, *, spare: bool = False) -> list[Event]:
        """Fail what is open; ``spare`` wrappers' requests, inside which a model may be loaded."""
        events: list[Event] = []
        for request in list(instance.requests):
            if not (spare and request.inner == WAITING):
                events += self._fail(instance, request, line, "INTERRUPTED", "", "restart")
        instance.block = []
        instance.torn = 0
        instance.awaiting = []
        instance.answers = []
        instance.failure = None
        return events

    # access lines

    def _answers(self, instance: Instance, profile: Profile) -> int | None:
        """The access line that came before its block, where exactly one may be meant."""
        answers, instance.answers = instance.answers, []
        return answers[0] if profile.access == "before" and len(answers) == 1 else None

    def _answered(
        self, instance: Instance, line: Line, method: str, path: str, named: bool
    ) -> Claim | None:
        ended = [id_ for id_, failed, _ in instance.awaiting if not failed]
        learns = method == "POST" and not _POLLED.search(path)
        if not named and not (learns and len(ended) == 1):
            return None
        if ended:
            return self._answer_ended(instance, path, named, ended)
        if len(instance.requests) == 1:
            return self._answer_open(instance, line, instance.requests[0])
        if not instance.requests:
            instance.answers = [*instance.answers, line.offset][-MOST_KEPT:]
        return None

    def _answer_ended(
        self, instance: Instance, path: str, named: bool, ended: list[str]
    ) -> Claim | None:
        drop = ended[0]
        instance.awaiting = [item for item in instance.awaiting if item[0] != drop]
        if len(ended) > 1:
            return None
        if not named:
            self._learned = [*self._learned, path][-MOST_LEARNED:]
        return Claim((), "", "access", drop)

    def _answer_open(self, instance: Instance, line: Line, request: Request) -> Claim | None:
        profile = self._profiles.by_name[request.profile]
        if profile.access == "none":
            return None
        events: list[Event] = []
        request.answered = True
        if request.inner == DONE:
            events = self._end_done(instance)
        elif profile.access_closes:
            events = self._end(instance, request, request.last or line, {})
        return Claim(tuple(events), request.profile, "access", request.id)

    def _refused(self, instance: Instance, line: Line, status: int) -> Claim | None:
        """A 4xx or 5xx: the answer of a request that has failed, else the failure of the newest open one."""
        failed = [id_ for id_, bad, _ in instance.awaiting if bad]
        if failed:
            instance.awaiting = [item for item in instance.awaiting if item[0] != failed[-1]]
            return Claim((), "", "access", failed[-1])
        if not instance.requests:
            return None
        request = instance.requests[-1]
        profile = self._profiles.by_name[request.profile]
        if status < 500 and status not in profile.fail_statuses:
            return None
        request.answered = True
        events = self._fail(instance, request, line, f"HTTP_{status}", "", "access")
        return Claim(tuple(events), request.profile, "access", request.id)


def _waiting(instance: Instance) -> Request | None:
    """The wrapper's request that an engine's opening line belongs to: the oldest that waits, or one that goes on."""
    for request in instance.requests:
        if request.inner == WAITING:
            return request
    if len(instance.requests) == 1 and instance.requests[0].inner == DONE:
        return instance.requests[0]
    return None


def _goes_on(newest: Request, rule: Rule) -> bool:
    """Whether an opening line is a further one of the request opened last (``unless``)."""
    return (
        newest.profile == rule.profile
        and bool(newest.seen & rule.unless)
        and not newest.seen & rule.bit
    )


def _names(profile: Profile) -> dict[str, Rule]:
    return {rule.name: rule for rule in profile.rules}


def _has_own_id(request: Request) -> bool:
    return request.id_source == "logged"


def _assembly(request: Request) -> str:
    if _has_own_id(request):
        return "id"
    return "uncertain" if request.uncertain else "sequence"


def _identity(request: Request) -> tuple[tuple[str, Value], ...]:
    return (
        ("id", request.id),
        ("id_source", request.id_source),
        ("assembly", _assembly(request)),
        ("profile", request.profile),
    )


def _progress(request: Request, line: Line, values: dict[str, Value]) -> Event:
    return Event(PROGRESS, line, L_INFO, (("id", request.id), *values.items()))


def _stages(request: Request, line: Line, rule: Rule, values: dict[str, Value]) -> list[Event]:
    """Take the stages out of a line's values: an event each."""
    found: list[Event] = []
    named = str(values.pop("stage", "")) or rule.stage
    for key in [key for key in values if key.startswith("stage") and key.endswith("_ms")]:
        value = values.pop(key)
        stage = key[6:-3] or named
        if stage:
            pairs = (("id", request.id), ("stage", stage), ("own_ms", value))
            found.append(Event(STAGE, line, L_INFO, pairs))
    return found


def _accumulate(values: dict[str, Value], more: dict[str, Value], rule: Rule) -> None:
    for key, value in more.items():
        have = values.get(key)
        if have is None or rule.repeats == "last":
            values[key] = value
        elif isinstance(value, str):
            if rule.repeats == "join" and len(str(have)) < MOST_TEXT:
                values[key] = f"{have}{rule.joiner}{value}"[:MOST_TEXT]
        elif key == "rtf":
            values.pop("rtf")
        elif not isinstance(have, str):
            values[key] = tidy(have + value)


def _add_run(values: dict[str, Value], more: dict[str, Value]) -> None:
    """One more run of the engine inside a wrapper's request: times and lengths add up."""
    again = "duration_ms" in values or "audio_ms" in values
    for key, value in more.items():
        have = values.get(key)
        if key in ("duration_ms", "audio_ms", "tokens") and isinstance(have, int | float):
            assert not isinstance(value, str)
            values[key] = tidy(have + value)
        else:
            values[key] = value
    if again:
        values.pop("rtf", None)


def _complete_figures(values: dict[str, Value], request: Request, line: Line) -> None:
    """Duration from the bar or two stamps, real-time factor and audio length from each other, where not printed."""
    duration = values.get("duration_ms")
    if duration is None and request.bar_ms:
        duration = values["duration_ms"] = request.bar_ms
    if duration is None and None is not request.instant and None is not line.instant:
        took = line.instant - request.instant
        if took >= 0:
            duration = values["duration_ms"] = tidy(took / 1000)
    audio, rtf = values.get("audio_ms"), values.get("rtf")
    if not isinstance(duration, int | float) or values.get("status") == "failed":
        return
    if rtf is None and isinstance(audio, int | float) and audio > 0:
        values["rtf"] = tidy(duration / audio)
    elif audio is None and isinstance(rtf, int | float) and rtf > 0:
        values["audio_ms"] = round(duration / rtf)


def _fits(request: Request, instant: int, duration_ms: float) -> bool:
    """Whether a request that ends now has taken as long as its block says."""
    if request.instant is None:
        return False
    took = instant - request.instant
    slack = SLACK_US + SLACK_SHARE * duration_ms * 1000
    if instant % WHOLE_SECOND == 0 and request.instant % WHOLE_SECOND == 0:
        slack += WHOLE_SECOND
    return abs(took - duration_ms * 1000) <= slack


_GLUEABLE = frozenset({does.OPENS, does.ADDS, does.CLOSES})
_ORPHANS = frozenset({does.ADDS, does.CLOSES, does.OUTER_CLOSES, does.FOLLOWS, does.FAILS})
_HANDLERS = {
    does.OPENS: Sequencer._opens,
    does.ADDS: Sequencer._adds,
    does.CLOSES: Sequencer._closes,
    does.WHOLE: Sequencer._whole,
    does.FAILS: Sequencer._fails,
    does.WARNS: Sequencer._warns,
    does.NOISE: Sequencer._noise,
    does.RESTARTS: Sequencer._restarts,
    does.FOLLOWS: Sequencer._follows,
    does.OUTER_OPENS: Sequencer._outer_opens,
    does.OUTER_CLOSES: Sequencer._outer_closes,
    does.OUTER_FAILS: Sequencer._outer_fails,
}


def events_of(claims: Iterable[Claim | None]) -> list[Event]:
    """All events of some claims, in order."""
    return [event for claim in claims if claim is not None for event in claim.events]
