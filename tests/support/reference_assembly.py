"""The assembly of requests without ids as docs/profiles.md says it, plainly: one instance at a
time, whole lists.

Reads IndexTTS's lines with string methods; knows no profile, no state and no chunk.
"""

from dataclasses import dataclass, field

ORDER = ("gpt_gen", "gpt_forward", "s2mel", "bigvgan", "total", "audio", "rtf")
_BEGINNINGS = {
    ">> gpt_gen_time: ": "gpt_gen",
    ">> gpt_forward_time: ": "gpt_forward",
    ">> s2mel_time: ": "s2mel",
    ">> bigvgan_time: ": "bigvgan",
    ">> Total inference time: ": "total",
    ">> Generated audio length: ": "audio",
    ">> RTF: ": "rtf",
}


@dataclass
class Asked:
    """One request: where it opened, and how it ended."""

    offset: int
    number: int
    status: str = "open"
    uncertain: bool = False
    has_block: bool = False
    is_answered: bool = False
    values: dict[str, float] = field(default_factory=dict)


@dataclass
class Told:
    """One thing that a log told: ``kind`` is line, access, failed or restarted."""

    kind: str
    offset: int
    instance: str | None
    text: str = ""
    status: int = 0
    is_stamped: bool = False
    raised: bool = True  # of a failure: it has a traceback
    is_taken: bool = True  # False afterwards for a line that no request expects


@dataclass
class Unanswered:
    """A request that has ended and that no access line has answered yet."""

    has_failed: bool
    is_late: bool = False


def _ended(unanswered: list[Unanswered], asked: Asked, status: str) -> list[Unanswered]:
    """End a request; what may still be answered then. A success outdates older failures."""
    asked.status = status
    if status == "success":
        unanswered = [other for other in unanswered if not other.is_late]
    if asked.is_answered:
        return unanswered
    return [*unanswered, Unanswered(status == "failed")][-8:]


def assemble(told: list[Told]) -> list[Asked]:
    """Every request of a log, in the order of its opening lines."""
    names = {one.instance for one in told}
    found = [a for name in names for a in _alone([one for one in told if one.instance == name])]
    return sorted(found, key=lambda asked: asked.offset)


def is_known(text: str) -> bool:
    """Whether a line is one of the engine's."""
    return text == ">> starting inference..." or _part(text) is not None


def _alone(told: list[Told]) -> list[Asked]:
    everyone: list[Asked] = []
    waiting: list[Asked] = []  # open, the oldest first
    block: list[tuple[str, float]] = []
    torn = False
    last_failed: str = ""  # how the failure seen last was told, while nothing opened or ended since
    words = ""  # of that failure
    unanswered: list[Unanswered] = []  # ended requests that an access line may still answer
    early: list[int] = []  # tracebacks that overtook what a buffer kept of their request
    for one in told:
        if one.kind == "line" and one.text == ">> starting inference...":
            early = [number for number in early if len(everyone) - number <= 24]
            if early and len(waiting) == 1 and not block and not one.is_stamped:
                del early[0]
                unanswered = _ended(unanswered, waiting.pop(), "failed")
            if not waiting:
                for other in unanswered:
                    other.is_late = True
            if waiting and len(everyone) - waiting[0].number - len(waiting) >= 8:
                del waiting[0]
            asked = Asked(one.offset, len(everyone))
            if waiting:
                for other in [*waiting, asked]:
                    other.uncertain = True
            everyone.append(asked)
            waiting.append(asked)
            last_failed = ""
        elif one.kind == "line":
            part = _part(one.text)
            one.is_taken = False
            if part is None or not waiting:
                continue
            name = part[0]
            if not block and not torn and name == "rtf":
                continue
            if name == "rtf" and not torn and not {"total", "gpt_gen"} & {n for n, _ in block}:
                continue
            one.is_taken = True
            torn = torn or bool(block and ORDER.index(name) <= ORDER.index(block[-1][0]))
            block.append(part)
            if name != "rtf":
                continue
            most = max(sum(n == each for n, _ in block) for each in ORDER)
            if torn and sum(n == "rtf" for n, _ in block) < most:
                continue
            for _ in range(most if torn else 1):
                if waiting:
                    asked = waiting.pop(0)
                    unanswered, last_failed = _ended(unanswered, asked, "success"), ""
                    asked.uncertain |= torn
                    asked.values = {} if torn else dict(block)
            block, torn = [], False
        elif one.kind == "failed":
            if last_failed == "access":
                last_failed, words = "error", one.text
            elif last_failed == "error" and (not waiting or _same(words, one.text)):
                continue  # told once more
            elif waiting:
                unanswered = _ended(unanswered, waiting.pop(), "failed")
                last_failed, words = "error", one.text
                block = block if torn else []
            elif one.raised and not one.is_stamped:
                early = [*early, len(everyone)][-8:]
        elif one.kind == "access" and one.status < 400:
            ended = [other for other in unanswered if not other.has_failed]
            if ended:
                unanswered.remove(ended[0])
            elif len(waiting) == 1:
                waiting[0].is_answered = True
        elif one.kind == "access":
            failed = [other for other in unanswered if other.has_failed]
            if failed:
                unanswered.remove(failed[-1])
            elif waiting and one.status >= 500:
                waiting.pop().status = "failed"
                last_failed = "access"
                block = block if torn else []
        elif one.kind == "restarted":
            for asked in waiting:
                asked.status = "interrupted"
            waiting, block, torn, last_failed, unanswered = [], [], False, "", []
    return everyone


def _same(words: str, more: str) -> bool:
    """Whether a failure is told in the words of the one before, or in the last of them."""
    return bool(words) and (more.endswith(words[-20:]) or words in more)


def _part(text: str) -> tuple[str, float] | None:
    for beginning, name in _BEGINNINGS.items():
        if text.startswith(beginning):
            number, rest = _number(text.removeprefix(beginning))
            if number is not None and (name == "rtf" or rest.removeprefix(" ").startswith("s")):
                return name, number
    return None


def _number(text: str) -> tuple[float | None, str]:
    """The number that a text begins with, and what follows it."""
    end = 0
    while end < len(text) and text[end] in "0123456789.":
        end += 1
    number = text[:end].rstrip(".")
    return (float(number) if number else None), text[len(number) :]
