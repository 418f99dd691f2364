"""What stands around a service's lines, each a function of the line, of chance and of its time."""

import json
import random
from datetime import datetime, timedelta
from typing import Any


def _bare(line: str, chance: random.Random, at: datetime) -> str:
    return line


def _compose(line: str, chance: random.Random, at: datetime) -> str:
    return f"indextts   | {line}"


def _several(line: str, chance: random.Random, at: datetime) -> str:
    """Two workers, of which one has a few lines of its own now and then."""
    name = "indextts-2" if at.minute % 3 == 0 or chance.random() < 0.02 else "indextts-1"
    return f"{name:10} | {line}"


def _json_file(line: str, chance: random.Random, at: datetime) -> str:
    end = "" if chance.random() < 0.01 else "\n"
    log = json.dumps(line + end, ensure_ascii=chance.random() < 0.3).replace(">", "\\u003e")
    return f'{{"log":{log},"stream":"stdout","time":"{at:%Y-%m-%dT%H:%M:%S.%f}789Z"}}'


def _cri(line: str, chance: random.Random, at: datetime) -> str:
    kind = "P" if chance.random() < 0.01 else "F"
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}789Z stdout {kind} {line}"


def _own_stamps(wrap: Any) -> Any:
    """An envelope whose program dates some of its lines by itself, with a zone or without."""

    def wrapped(line: str, chance: random.Random, at: datetime) -> str:
        if chance.random() < 0.1:
            own = at - timedelta(seconds=chance.randrange(1, 9))
            zone = chance.choice(("Z", "+0200", ""))
            line = f"{own:%Y-%m-%dT%H:%M:%S.%f}{zone} INFO tts: {line}"
        elif chance.random() < 0.7:
            line = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} | INFO | a.b:f:33 - {line}"
        return str(wrap(line, chance, at))

    return wrapped


ENVELOPES = (
    _bare, _compose, _several, _json_file, _cri, _own_stamps(_bare), _own_stamps(_compose),
    _own_stamps(_cri),
)  # fmt: skip
