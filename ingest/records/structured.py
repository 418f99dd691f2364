"""Records of structured loggers that say of a request that it has begun, ended or failed → events
(pure).

A record counts only with a field that is the request's id, and where its message or event, as a
whole, is made of the words of :mod:`ingest.records.structured_words`: one that names a synthesis or
request, and one that says what has become of it. See docs/parsing.md, "Structured records".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ingest.lazily import matcher
from ingest.records import structured_words as words
from ingest.records.json_lines import JsonLine
from ingest.records.structured_fields import Fields, Pair, fields_of
from ingest.records.structured_tokens import names_speech, tokens
from ingest.records.structured_words import DONE, FAILED, START
from ingest.records.vocabulary import FAILED as FAILED_EVENT
from ingest.records.vocabulary import PUBLIC_EVENTS

MOST_OPEN, MOST_CLOSED = 1000, 64  # requests that are remembered
_FOLLOWS_US = 60_000_000  # what comes later than this behind an end is another request's
_LONGEST = 120  # characters of a message that is looked at
_FORBIDDEN = matcher(r"[^A-Za-z\u4e00-\u9fff\s._:/,()!…#\[\]|-]")
_IN_TIME = matcher(
    r"[\s:,(]*(?:in|took|after|耗时|用时)?[\s:：]*"
    r"(?P<taken>\d+(?:\.\d+)? ?(?:ms|s|secs?|seconds|秒|毫秒))[).!]*$"
)
_NAMES = ("event", "event_name", "message", "msg", "log")
# events that others name alike, by other ids
_WITHOUT_ID = frozenset(PUBLIC_EVENTS[: FAILED_EVENT + 1])


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a message says: what has become of what. ``taken`` is a duration behind it, ``told`` the
    reason of a failure.
    """

    kind: str
    is_speech: bool
    is_job: bool
    is_stage: bool
    taken: str = ""
    told: str = ""


@dataclass(slots=True)
class Known:
    """What is remembered of a request: the message of its start, that of its end (empty while it is
    open), the instant of the last of both, whether a start inside it has no end yet, and whether
    a start named speech.
    """

    start: str
    end: str
    at: int | None
    inner: bool = False
    is_speech: bool = False

    def is_near(self, at: int | None) -> bool:
        """Whether an instant is none of another request's behind the end."""
        return at is None or self.at is None or 0 <= at - self.at <= _FOLLOWS_US


@dataclass(slots=True)
class Memory:
    """Requests of one file, by id: the open ones, and those that have ended a moment ago."""

    opened: dict[str, Known] = field(default_factory=dict)
    closed: dict[str, Known] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Any) -> "Memory":
        """As it was kept."""
        opened, closed = data or ((), ())
        return cls(
            {id_: Known(*told) for id_, *told in opened},
            {id_: Known(*told) for id_, *told in closed},
        )

    def kept(self) -> list[list[Any]]:
        """As it is kept; empty where nothing is remembered."""
        if not self.opened and not self.closed:
            return []
        opened, closed = (
            [[id_, k.start, k.end, k.at, k.inner, k.is_speech] for id_, k in part.items()]
            for part in (self.opened, self.closed)
        )
        return [opened, closed]

    def begins(self, id_: str, said: str, at: int | None, is_speech: bool) -> bool:
        """Take a start; whether it begins a request, rather than standing inside one.

        A synthesis behind a step of the same id that named no speech is a request of its own.
        """
        known = self._within(id_, at, is_speech)
        if known is not None and known.start != said:
            known.inner = True
            known.is_speech |= is_speech
            return False
        self._put(self.opened, MOST_OPEN, id_, Known(said, "", at, is_speech=is_speech))
        return True

    def _within(self, id_: str, at: int | None, is_speech: bool) -> Known | None:
        """The request that a start stands in, or begins once more."""
        known = self.opened.get(id_)
        if known is None and (ended := self.closed.get(id_)) is not None:
            is_same = ended.start and ended.is_near(at) and ended.is_speech >= is_speech
            known = ended if is_same else None
        return known

    def would_begin(self, id_: str, said: str, at: int | None, is_speech: bool) -> bool:
        """What ``begins`` would say."""
        known = self._within(id_, at, is_speech)
        return known is None or known.start == said

    def would_end(self, id_: str, said: str, at: int | None) -> bool:
        """What ``ends`` would say."""
        ended = self.closed.get(id_)
        return ended is None or not ended.is_near(at) or not (ended.inner or ended.end != said)

    def begun(self, id_: str, at: int | None) -> float | None:
        """Milliseconds since an open request's start, as far as both have an instant."""
        known = self.opened.get(id_)
        begun = known.at if known is not None else None
        return (at - begun) / 1000 if at is not None and begun is not None and at >= begun else None

    def ends(self, id_: str, said: str, at: int | None) -> bool:
        """Take an end; whether it ends a request, rather than saying more of one that has ended."""
        ended = self.closed.get(id_)
        if ended is not None and not self.would_end(id_, said, at):
            ended.inner = False
            return False
        opened = self.opened.get(id_)
        start, is_speech = (opened.start, opened.is_speech) if opened is not None else ("", False)
        known = Known(start, said, at, is_speech=is_speech)
        self._put(self.closed, MOST_CLOSED, id_, known)
        return True

    def goes_on(self, id_: str, said: str, at: int | None, is_start: bool) -> bool:
        """Whether a start or an end is of a request that is known."""
        ended = self.closed.get(id_)
        if id_ in self.opened or ended is None:
            return id_ in self.opened
        if is_start:
            return bool(ended.start) and ended.is_near(at)
        return ended.is_near(at) and (ended.inner or ended.end != said)

    def _put(self, part: dict[str, Known], most: int, id_: str, known: Known) -> None:
        self.opened.pop(id_, None)
        self.closed.pop(id_, None)
        if len(part) >= most:
            del part[next(iter(part))]
        part[id_] = known


@dataclass(frozen=True, slots=True)
class Told:
    """The event that a record is, its request's id, the pairs of its columns, and its other pairs
    as logged.
    """

    event: str
    id: str
    pairs: list[Pair]
    logged: list[tuple[str, str]]


def structured(
    line: JsonLine,
    has_engine: bool,
    has_other: bool,
    at: int | None,
    memory: Memory,
    is_synthesis: Callable[[str], bool],
    code_of: Callable[[str], str | None],
) -> Told | None:
    """The event that a record tells of, None for any other record; ``at`` is its own instant.

    ``has_engine``: an engine's own lines make requests of the instance; then a record begins only
    one that it says to be of speech, and none while one of the engine's own is open
    (``has_other``).
    ``is_synthesis`` knows paths of synthesis, ``code_of`` the code of an
    error's text.
    """
    members = line.members
    if len(members) < 2:
        return None
    said, phrase = _said(members)
    if phrase is None and not any(name in members for name in words.STAGES):
        return None
    fields = fields_of(members)
    if fields.id is None:
        return None
    known = fields.id in memory.opened or fields.id in memory.closed
    stage = fields.stage
    if stage and fields.id in memory.opened and (phrase is None or phrase.is_stage):
        return _stage(line, fields, stage)
    if phrase is None or phrase.is_stage:
        return None
    if has_engine and not memory.goes_on(fields.id, said, at, phrase.kind == START):
        if phrase.kind != START or has_other:
            return None
        known, phrase = False, replace(phrase, is_job=True)
    if not (phrase.is_speech or known) and not _is_request(line, phrase, fields, is_synthesis):
        return None
    if phrase.kind == START:
        begins = memory.begins(fields.id, said, at, phrase.is_speech)
        return _told("synthesis_start" if begins else "audio_metrics", line, fields)
    return _end(line, said, phrase, fields, at, memory, code_of)


@dataclass(frozen=True, slots=True)
class Telling:
    """What records of one shape tell, whoever's request it is: what they say, whether a stage is
    among their fields, and whether they are about a synthesis by themselves. Memory decides what of
    it comes to pass. ``id`` is the request's, ``amounts`` are the durations by name, value and
    unit.
    """

    said: str
    phrase: Phrase | None
    has_stage: bool
    is_request: bool
    id: str = field(compare=False)
    amounts: list[tuple[str, Any, float | None]] = field(compare=False)


def telling(line: JsonLine, is_synthesis: Callable[[str], bool]) -> Telling | None:
    """What a record tells; None where it tells of no request, whatever is remembered."""
    if tells_by_itself(line):
        return None
    said, phrase = _said(line.members)
    fields = fields_of(line.members)
    assert fields.id is not None
    is_request = phrase is not None and (
        phrase.is_speech or _is_request(line, phrase, fields, is_synthesis)
    )
    return Telling(said, phrase, bool(fields.stage), is_request, fields.id, fields.durations())


def tells_by_itself(line: JsonLine) -> bool:
    """Whether a record is none that tells of a request, whatever other records have told."""
    members = line.members
    if len(members) < 2 or is_event(line):
        return True
    if _said(members)[1] is None and not any(name in members for name in words.STAGES):
        return True
    return fields_of(members).id is None


def is_event(line: JsonLine) -> bool:
    """Whether a record is one of the format's own events, with their own fields."""
    return line.message.partition(":")[0] in PUBLIC_EVENTS and (
        "id" in line.members or line.message not in _WITHOUT_ID
    )


def _is_request(
    line: JsonLine, phrase: Phrase, fields: Fields, is_synthesis: Callable[[str], bool]
) -> bool:
    """Whether a record that names no speech is about a synthesis all the same."""
    if fields.has_speech:
        return True
    if fields.path:
        return is_synthesis(fields.path)
    if fields.is_about_speech or names_speech(line.logger or ""):
        return True
    if phrase.is_job or fields.is_of_server or fields.has_operation:
        return False
    return phrase.kind != DONE or fields.has_duration or bool(phrase.taken)


def _end(
    line: JsonLine,
    said: str,
    phrase: Phrase,
    fields: Fields,
    at: int | None,
    memory: Memory,
    code_of: Callable[[str], str | None],
) -> Told:
    assert fields.id is not None
    between = memory.begun(fields.id, at)
    ends = memory.ends(fields.id, said, at)
    has_failed = phrase.kind == FAILED or fields.has_failed
    fields.used.add(fields.status_name)
    more: list[Pair] = []
    if has_failed:
        more = _failure(line, phrase, fields, code_of)
    if not ends:
        return _told("synthesis_failed" if has_failed else "audio_metrics", line, fields, more)
    taken = fields.duration(phrase.taken, between)
    if taken is not None:
        more.append(("duration_ms", taken))
    elif has_failed:
        return _told("synthesis_failed", line, fields, more)
    more.append(("status", "failed" if has_failed else fields.status or "success"))
    return _told("synthesis_complete", line, fields, more)


def _failure(
    line: JsonLine, phrase: Phrase, fields: Fields, code_of: Callable[[str], str | None]
) -> list[Pair]:
    """The code of a failure, and its exception where no traceback shows it."""
    reason = fields.error or phrase.told
    pairs: list[Pair] = []
    named = re.match(r"(?:[A-Za-z_]\w*\.)*(?P<type>[A-Z]\w*(?:Error|Exception|Timeout))\b", reason)
    if named is not None and not line.traceback:
        pairs.append(("exc", reason))
    code = None if "error_code" in fields.columns else code_of(line.traceback or reason)
    code = code or (named["type"] if named is not None else None)
    return [*pairs, ("error_code", code)] if code else pairs


def _stage(line: JsonLine, fields: Fields, stage: str) -> Told | None:
    taken = fields.duration("", None)
    if taken is None:
        return None
    return _told("stage_time", line, fields, [("stage", stage), ("own_ms", taken)])


def _told(event: str, line: JsonLine, fields: Fields, more: list[Pair] | None = None) -> Told:
    """An event with its columns; a field that has filled one is not an attribute, too."""
    pairs: list[Pair] = [("id", fields.id or "")]
    if line.request_id is not None and line.request_id in fields.ids:
        pairs.append(("request_id", line.request_id))
    if event != "stage_time":
        pairs += fields.columns.items()
    pairs += more or []
    logged = [(name, value) for name, value in line.pairs if name not in fields.used]
    return Told(event, fields.id or "", pairs, logged)


# what a message says


def _said(members: Mapping[str, Any]) -> tuple[str, Phrase | None]:
    """The message or event that tells of a request, and what it says.

    An event of another kind has the last word: the message beside it may be a user's.
    """
    for name in _NAMES:
        said = members.get(name)
        if not isinstance(said, str):
            continue
        phrase = phrase_of(said) or _with_state(said, members)
        if phrase is not None:
            return said[:_LONGEST], phrase
        if name.startswith("event") and not _is_subject(said):
            return "", None
    return "", None


def _with_state(name: str, members: Mapping[str, Any]) -> Phrase | None:
    """What a name says together with a field: ``event=synthesis status=completed``."""
    if not _is_subject(name):
        return None
    state = next((v for key in words.STATES if isinstance(v := members.get(key), str)), "")
    return _phrase(f"{name} {state}") if state and len(state) < _LONGEST else None


def _is_subject(name: str) -> bool:
    """Whether a name is one of speech or requests alone: it does not say what became of it."""
    known = words.SPEECH | words.UNITS | words.RUNNERS | words.FILLERS
    return len(name) <= _LONGEST and set(tokens(name)) <= known


def phrase_of(message: str) -> Phrase | None:
    """What a message says of a request as a whole; None where any other word stands in it."""
    head, colon, _ = message[:_LONGEST].partition(": ")
    if colon and (found := _phrase(head)) is not None and found.kind == FAILED:
        reason = message[len(head) + 2 :].strip()
        return Phrase(FAILED, found.is_speech, found.is_job, found.is_stage, told=reason)
    return _phrase(message) if len(message) <= _LONGEST else None


@lru_cache(maxsize=4096)  # a service says few different things
def _phrase(message: str) -> Phrase | None:
    timed = _IN_TIME.search(message)
    taken = timed["taken"] if timed is not None else ""
    message = message[: timed.start()] if timed is not None else message
    if _FORBIDDEN.search(message):
        return None
    said = frozenset(tokens(message))
    kind = _kind(said) or (DONE if taken else "")
    units = said & words.UNITS
    subjects = said & (words.SPEECH | words.UNITS)
    if not kind or not subjects or (not units and said & words.RUNNERS):
        return None
    known = subjects | words.STARTS | words.ENDS | words.FAILURES | words.RUNNERS | words.FILLERS
    if not said <= known or ("text" in said and ":" in message):  # behind it stands a user's
        return None
    return Phrase(
        kind,
        not said.isdisjoint(words.SPEECH - words.THINGS if not units else words.SPEECH),
        units <= words.JOB,
        not said.isdisjoint(words.STAGE),
        taken,
    )


def _kind(said: frozenset[str]) -> str:
    """What has become of it: failed before over, over before begun."""
    for kind, told in ((FAILED, words.FAILURES), (DONE, words.ENDS), (START, words.STARTS)):
        if said & told - {"out"}:
            return kind
    if said & words.OVER:
        return DONE
    return START if said & words.GOING_ON else ""
