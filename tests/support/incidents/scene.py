"""What incidents are made of: requests of a service, and the truth about what is wrong."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render")


BEGIN = datetime(2026, 3, 21, 8, 0, tzinfo=UTC).timestamp()


Condition = dict[str, object]


@dataclass(frozen=True)
class Truth:
    """What is wrong: ``symptom`` None if nothing. Any of ``conditions`` is right."""

    symptom: str | None
    code: str | None = None
    conditions: tuple[Condition, ...] = ({},)
    since: float | None = None
    slack: float = 0.0
    stage: str | None = None
    period_s: float | None = None
    affected: int = 0


@dataclass
class Request:
    """A request before its records are written. ``own`` are the stages' milliseconds."""

    at: float
    host: str
    id: str
    text: str
    text_class: str
    lang: str
    voice: str
    release: str
    client: str
    cached: bool
    own: list[float]
    kb: float
    centroid: float
    saved: bool = True
    fails: tuple[str, str] | None = None
    hangs: bool = False
    extra: list[tuple[str, str]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.text)


@dataclass
class Scene:
    """The service for a while: ``loose`` are records of no request."""

    chance: random.Random
    begin: float
    span: float
    hosts: list[str]
    voices: list[str]
    langs: list[str]
    requests: list[Request]
    speed: float
    noise: float
    loose: list[tuple[str, float, str, str, str]] = field(default_factory=list)
    shifts: list[tuple[str, float, float]] = field(default_factory=list)  # host, from, seconds

    def instant(self, low: float = 0.35, high: float = 0.8) -> float:
        """An instant somewhere in the middle of the log."""
        return self.begin + self.span * self.chance.uniform(low, high)

    def after(self, at: float) -> list[Request]:
        return [r for r in self.requests if r.at >= at]

    @property
    def end(self) -> float:
        return self.begin + self.span
