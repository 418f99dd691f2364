"""What is open, and its JSON: the memory of the assembly between two lines (pure)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.records.profile_rules import Value, tidy
from ingest.records.profiles import Profiles

MOST_OPEN = 1000  # requests open at once in one instance; older ones end unfinished
MOST_INSTANCES = 4096  # instances remembered; the one seen longest ago is forgotten first
MOST_KEPT = 8  # ended requests that an access line may still answer
MOST_TEXT = 64 << 10  # characters of a text that is printed in pieces
NO_INNER, WAITING, RUNNING, DONE = 0, 1, 2, 3  # where the engine's own block of a wrapper stands
NAMELESS = (
    "\0"  # what the id of an engine's run begins with, as long as nothing tells its request's
)


@dataclass(slots=True)
class Line:
    """One physical line; envelope, colours, bars and header are off.

    ``offset`` is that of the physical line's first byte in the decompressed file, ``end`` that
    behind its newline; ``level`` as in the compiled layout (0 where there is none); ``instant``
    microseconds UTC.
    """

    offset: int
    end: int
    instance: str | None
    message: str
    level: int
    logger: str | None
    instant: int | None


@dataclass(slots=True)
class Request:
    """A request that is open: how it will be named, and what its lines have said so far.

    ``tag`` stood before its opening line's message: ``[req-12] ``. ``before``: that line stands in
    a file before this one.
    """

    id: str
    id_source: str
    profile: str
    rule: str
    number: int
    instant: int | None
    inner: int = NO_INNER
    seen: int = 0
    has_block: bool = False
    enough: bool = False
    uncertain: bool = False
    answered: bool = False
    bar_ms: int = 0
    values: dict[str, Value] = field(default_factory=dict)
    last: Line | None = None
    tag: str = ""
    before: bool = False


@dataclass(slots=True)
class BlockLine:
    """A line of a block that is still being printed."""

    rule: str
    line: Line
    values: dict[str, Value]


@dataclass(slots=True)
class Failure:
    """The failure seen last: of which request, how it was told, and the end of its message."""

    id: str
    told: str
    tail: str
    at: int = -1


@dataclass(slots=True)
class Outer:
    """A request that structured records tell of by its id, around an engine's own lines.

    ``ran``: an engine has been at work on it alone; ``values`` are that work's figures, ``last``
    its last line. ``lost``: an engine's work that cannot be told from another request's may have
    been its. ``over``: its process has ended.
    """

    id: str
    instant: int | None
    number: int
    ran: bool = False
    lost: bool = False
    over: bool = False
    values: dict[str, Value] = field(default_factory=dict)
    last: Line | None = None


@dataclass(slots=True)
class Run:
    """An engine's work on one of several requests that structured records tell of, ``of`` these
    ids: a record that ends one tells of which. ``stages`` are the pairs of a stage each, with its
    line.
    """

    id: str
    of: list[str]
    done: bool = False
    values: dict[str, Value] = field(default_factory=dict)
    stages: list[tuple[Line, list[tuple[str, Value]]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Expected:
    """A text of a request that the next line is, by a rule; ``of_several``: lines without a header
    go on with it; ``is_begun``: its first line has come.
    """

    id: str
    column: str
    rule: str
    of_several: bool = False
    is_begun: bool = False


@dataclass(slots=True)
class Instance:
    """One process's (container's, pod's, unit's) requests; ``server``: what writes its access
    lines, as far as a line has shown; ``engine``: an engine's own lines make its requests;
    ``asked``: so have a wrapper's opening lines. ``outers`` and ``runs`` are of structured records
    around an engine, of which there have been ``told``; ``ends``: some told of an end; ``several``:
    an engine has worked on one more than once; ``late``: one may have ended before its engine's
    lines.
    """

    opened: bool = False
    count: int = 0
    requests: list[Request] = field(default_factory=list)
    block: list[BlockLine] = field(default_factory=list)
    block_profile: str = ""
    torn: int = 0
    awaiting: list[tuple[str, bool, bool]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    failure: Failure | None = None
    ended: str | None = None
    early: list[tuple[str, int]] = field(default_factory=list)
    expects: Expected | None = None
    wrapped: bool = False
    server: str = ""
    engine: bool = False
    asked: bool = False
    outers: list[Outer] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    told: int = 0
    ends: bool = False
    several: bool = False
    late: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether forgetting it changes nothing but whether it ever opened a request."""
        lists = self.requests, self.block, self.awaiting, self.answers, self.outers
        return not (any(lists) or self.failure)


def milliseconds_between(begun: int, ended: int) -> int | float | None:
    """Milliseconds from one instant to another, None where that comes first."""
    took = ended - begun
    return tidy(took / 1000) if took >= 0 else None


@dataclass(slots=True)
class Assembly:
    """All of one log file's memory: the profiles, the file's first bytes, its instances, paths
    learned.

    ``kept`` is not empty where a line before the first opening one goes on with something that the
    file does not hold; None where that is not looked for.
    ``answers_first``: a profile was seen whose access lines come before their blocks. ``given`` are
    ids in use that were made of places in the files before, by place: one made here may be the
    same. ``took`` tells how long it is from one instant to another.
    """

    profiles: Profiles
    head: bytes
    instances: dict[str | None, Instance] = field(default_factory=dict)
    learned: list[str] = field(default_factory=list)
    kept: list[Any] | None = None
    answers_first: bool = False
    given: dict[int, list[str]] = field(default_factory=dict)
    took: Callable[[int, int], int | float | None] = milliseconds_between


def bare(line: Line) -> Line:
    """A line without its message, as the state keeps it."""
    return Line(line.offset, line.end, line.instance, "", line.level, line.logger, line.instant)


def line_to(line: Line) -> list[Any]:
    """A line as JSON takes it, without its message."""
    return [line.offset, line.end, line.instance, line.level, line.logger, line.instant]


def line_from(data: list[Any], message: str = "") -> Line:
    """The line behind ``line_to``."""
    offset, end, instance, level, logger, instant = data
    return Line(offset, end, instance, message, level, logger, instant)


def _request_to(request: Request) -> list[Any]:
    return [
        request.id, request.id_source, request.profile, request.rule, request.number,
        request.instant, request.inner, f"{request.seen:x}", int(request.has_block),
        int(request.enough),
        int(request.uncertain), int(request.answered), request.bar_ms, request.values,
        line_to(request.last) if request.last else None,
        *([request.tag, 1] if request.before else [request.tag] if request.tag else []),
    ]  # fmt: skip


def _request_from(data: list[Any]) -> Request:
    (
        id_, source, profile, rule, number, instant, inner, seen, block, enough, uncertain,
        answered,
        bar, values, last, *rest,
    ) = data  # fmt: skip
    return Request(
        id_, source, profile, rule, number, instant, inner, int(seen, 16), bool(block),
        bool(enough), bool(uncertain), bool(answered), bar, values,
        line_from(last) if last else None, rest[0] if rest else "", len(rest) > 1,
    )  # fmt: skip


def _instance_to(instance: Instance) -> dict[str, Any]:
    data: dict[str, Any] = {"o": int(instance.opened), "c": instance.count}
    if instance.requests:
        data["r"] = [_request_to(request) for request in instance.requests]
    if instance.block:
        data["b"] = [[b.rule, line_to(b.line), b.values] for b in instance.block]
        data["p"] = instance.block_profile
        data["t"] = instance.torn
    if instance.awaiting:
        data["a"] = instance.awaiting
    if instance.answers:
        data["w"] = instance.answers
    if instance.failure:
        data["f"] = [
            instance.failure.id,
            instance.failure.told,
            instance.failure.tail,
            instance.failure.at,
        ]
    if instance.ended:
        data["e"] = instance.ended
    if instance.early:
        data["y"] = instance.early
    if instance.wrapped:
        data["n"] = 1
    if instance.expects is not None:
        told = instance.expects
        data["x"] = [told.id, told.column, told.rule, int(told.of_several), int(told.is_begun)]
    if instance.server:
        data["s"] = instance.server
    if instance.engine:
        data["g"] = 1
    if instance.asked:
        data["q"] = 1
    if instance.told:
        flags = instance.ends, instance.several, instance.late
        data["d"] = [instance.told, *map(int, flags)]
    if instance.outers:
        data["u"] = [_outer_to(outer) for outer in instance.outers]
    if instance.runs:
        data["v"] = [_run_to(run) for run in instance.runs]
    return data


def _outer_to(outer: Outer) -> list[Any]:
    return [
        outer.id, outer.instant, outer.number, int(outer.ran), int(outer.lost), int(outer.over),
        outer.values, line_to(outer.last) if outer.last else None,
    ]  # fmt: skip


def _outer_from(data: list[Any]) -> Outer:
    id_, instant, number, ran, lost, over, values, last = data
    return Outer(
        id_, instant, number, bool(ran), bool(lost), bool(over), values,
        line_from(last) if last else None,
    )  # fmt: skip


def _run_to(run: Run) -> list[Any]:
    stages = [[line_to(line), pairs] for line, pairs in run.stages]
    return [run.id, run.of, int(run.done), run.values, stages]


def _run_from(data: list[Any]) -> Run:
    id_, of, done, values, stages = data
    told = [(line_from(line), [(k, v) for k, v in pairs]) for line, pairs in stages]
    return Run(id_, of, bool(done), values, told)


def _expected_from(data: list[Any]) -> Expected:
    id_, column, rule, *flags = data
    return Expected(id_, column, rule, *map(bool, flags))


def _instance_from(data: Mapping[str, Any]) -> Instance:
    told, *flags = data.get("d", (0, 0, 0, 0))
    return Instance(
        bool(data["o"]),
        data["c"],
        [_request_from(request) for request in data.get("r", ())],
        [BlockLine(rule, line_from(line), values) for rule, line, values in data.get("b", ())],
        data.get("p", ""),
        data.get("t", 0),
        [(id_, bool(failed), bool(late)) for id_, failed, late in data.get("a", ())],
        list(data.get("w", ())),
        Failure(*data["f"]) if "f" in data else None,
        data.get("e"),
        [(code, at) for code, at in data.get("y", ())],
        _expected_from(data["x"]) if "x" in data else None,
        "n" in data,
        data.get("s", ""),
        "g" in data,
        "q" in data,
        [_outer_from(outer) for outer in data.get("u", ())],
        [_run_from(run) for run in data.get("v", ())],
        told,
        *map(bool, flags),
    )


def dump(
    instances: Mapping[str | None, Instance],
    learned: list[str],
    kept: list[Any] | None,
    answers_first: bool = False,
    given: Mapping[int, list[str]] | None = None,
) -> str:
    """The state as compact JSON."""
    data: dict[str, Any] = {
        "v": 1,
        "i": [[name, _instance_to(instance)] for name, instance in instances.items()],
    }
    if learned:
        data["l"] = learned
    if kept is not None:
        data["k"] = kept
    if answers_first:
        data["h"] = 1
    if given:
        data["u"] = [[place, *ids] for place, ids in given.items()]
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def load(state: str) -> tuple[dict[str | None, Instance], list[str], list[Any] | None]:
    """What ``dump`` wrote."""
    data = json.loads(state)
    instances = {name: _instance_from(instance) for name, instance in data["i"]}
    return instances, list(data.get("l", ())), data.get("k")


def answers_first(state: str) -> bool:
    """Whether ``dump`` wrote that access lines may come before their blocks."""
    return "h" in json.loads(state)


def given(state: str) -> dict[int, list[str]]:
    """The ids of the files before that ``dump`` wrote, by place."""
    return {place: ids for place, *ids in json.loads(state).get("u", ())}
