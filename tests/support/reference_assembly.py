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
    values: dict[str, float] = field(default_factory=dict)


@dataclass
class Told:
    """One thing that a log told: ``kind`` is line, access, failed or restarted."""

    kind: str
    offset: int
    instance: str | None
    text: str = ""
    status: int = 0


def assemble(told: list[Told]) -> list[Asked]:
    """Every request of a log, in the order of its opening lines."""
    names = {one.instance for one in told}
    found = [a for name in names for a in _alone([one for one in told if one.instance == name])]
    return sorted(found, key=lambda asked: asked.offset)


def _alone(told: list[Told]) -> list[Asked]:
    everyone: list[Asked] = []
    waiting: list[Asked] = []  # open, the oldest first
    block: list[tuple[str, float]] = []
    torn = False
    last_failed: str = ""  # how the failure seen last was told, while nothing opened or ended since
    failed_unanswered = 0
    for one in told:
        if one.kind == "line" and one.text == ">> starting inference...":
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
            if part is None or not waiting:
                continue
            name = part[0]
            if not block and not torn and name == "rtf":
                continue
            if name == "rtf" and not torn and not {"total", "gpt_gen"} & {n for n, _ in block}:
                continue
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
                    asked.status, last_failed = "success", ""
                    asked.uncertain |= torn
                    asked.values = {} if torn else dict(block)
            block, torn = [], False
        elif one.kind == "failed":
            if last_failed == "access" or (last_failed and not waiting):
                last_failed = "error"
            elif last_failed == "error" and waiting:
                continue  # the same words once more
            elif waiting:
                waiting.pop().status = "failed"
                last_failed, failed_unanswered = "error", failed_unanswered + 1
                block = block if torn else []
        elif one.kind == "access" and one.status >= 500:
            if failed_unanswered:
                failed_unanswered -= 1
            elif waiting:
                waiting.pop().status = "failed"
                last_failed = "access"
                block = block if torn else []
        elif one.kind == "restarted":
            for asked in waiting:
                asked.status = "interrupted"
            waiting, block, torn, last_failed, failed_unanswered = [], [], False, "", 0
    return everyone


def _part(text: str) -> tuple[str, float] | None:
    for beginning, name in _BEGINNINGS.items():
        if text.startswith(beginning):
            return name, float(text.removeprefix(beginning).split()[0])
    return None
