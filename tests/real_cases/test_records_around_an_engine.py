"""Structured records around an engine that prints lines of its own: each request is one, and no
value of one is another's.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.real_cases.cases import rows_of
from tests.support import harness

_STAGES = (("gpt_gen", 0.5), ("gpt_forward", 0.1), ("s2mel", 0.2), ("bigvgan", 0.1))
_TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/app/a.py", line 3, in f',
    "    x()",
    "RuntimeError: boom",
]


@dataclass
class _Asked:
    """A request: how long the engine works on it, and what becomes of it."""

    seconds: float
    fate: str
    at: datetime
    began: datetime | None = None


class _Service:
    """Writes the log of a service that has some threads of an engine, and requests in any order."""

    def __init__(self, chosen: random.Random, threads: int, fates: list[str]) -> None:
        self.chosen, self.threads, self.fates = chosen, threads, fates
        self.at = datetime(2026, 3, 2, 10, tzinfo=UTC)
        self.lines: list[str] = []
        self.asked: dict[str, _Asked] = {}
        self.waiting: list[str] = []
        self.running: list[str] = []

    def record(self, message: str, name: str, **more: object) -> None:
        told = {"asctime": f"{self.at:%Y-%m-%d %H:%M:%S},{self.at.microsecond // 1000:03}",
                "levelname": "INFO", "name": "api", "message": message, "request_id": name,
                "path": "/tts", **more}  # fmt: skip
        self.lines.append(json.dumps(told))

    def arrive(self) -> None:
        name = f"r{len(self.asked)}"
        fate = self.chosen.choice(self.fates)
        seconds = 1 + len(self.asked) / 100 + self.chosen.randint(0, 3)
        self.asked[name] = _Asked(seconds, fate, self.at)
        self.record("request received", name, text=name)
        if fate == "rejected":
            self.record("request failed", name, levelname="ERROR", status_code=400)
        elif fate == "cached":
            self.record("request completed", name, status_code=200, duration_ms=3)
        else:
            self.waiting.append(name)

    def start(self) -> None:
        name = self.waiting.pop(self.chosen.randrange(len(self.waiting)))
        self.asked[name].began = self.at
        self.running.append(name)
        self.lines.append(">> starting inference...")

    def end(self) -> None:
        name = self.running.pop(self.chosen.randrange(len(self.running)))
        asked = self.asked[name]
        if asked.fate == "failed":
            self.lines += self.chosen.choice(([], _TRACEBACK))
            self.record("request failed", name, levelname="ERROR", status_code=500)
            return
        assert asked.began is not None
        self.at = max(self.at, asked.began + timedelta(seconds=asked.seconds))
        self.lines += [f">> {s}_time: {asked.seconds * part:.3f} seconds" for s, part in _STAGES]
        self.lines += [
            f">> Total inference time: {asked.seconds:.2f} seconds",
            f">> Generated audio length: {2 * asked.seconds:.2f} seconds",
            ">> RTF: 0.5000",
        ]
        if asked.fate != "unanswered":
            took = round((self.at - asked.at).total_seconds() * 1000) + 2
            self.record("request completed", name, status_code=200, duration_ms=took)

    def run(self, requests: int, most: int) -> None:
        """Serve so many requests, of which so many at most are under way at once."""
        while len(self.asked) < requests or self.waiting or self.running:
            self.at += timedelta(milliseconds=self.chosen.randint(100, 900))
            may = []
            if len(self.asked) < requests and len(self.waiting) + len(self.running) < most:
                may.append(self.arrive)
            if self.waiting and len(self.running) < self.threads:
                may.append(self.start)
            if self.running:
                may.append(self.end)
            self.chosen.choice(may)()


_FATES = ["served"] * 8 + ["failed", "rejected", "cached", "unanswered"]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("most", [1, 2, 4])
def test_no_request_is_invented_and_no_value_is_anothers(
    threads: int, most: int, tmp_path: Path
) -> None:
    for seed in range(4):
        service = _Service(random.Random(f"{threads} {most} {seed}"), threads, _FATES)
        service.run(8, most)
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        log = folder / "app.log"
        log.write_text("\n".join(service.lines) + "\n")
        store = harness.new_store(folder)
        harness.run(store, [log], final=True)
        rows = rows_of(store)
        assert sorted(row["id"] for row in rows["requests"]) == sorted(service.asked)
        for row in rows["requests"]:
            asked = service.asked[row["id"]]
            if asked.fate == "unanswered":
                assert row["status"] in (None, "success")  # by the engine's last line
            else:
                has_failed = asked.fate in ("failed", "rejected")
                assert row["status"] == ("failed" if has_failed else "success")
            assert row["text"] == row["id"]
            assert row["error_code"] is None or asked.fate in ("failed", "rejected")
            stages = [
                (s["stage"], s["duration_ms"])
                for s in rows["stages"]
                if s["request_key"] == row["request_key"]
            ]
            own = [(name, pytest.approx(asked.seconds * p * 1000, abs=1)) for name, p in _STAGES]
            assert stages in ([], own)
            if row["rtf"] is not None:
                assert stages == own
                assert row["duration_ms"] == pytest.approx(asked.seconds * 1000)
            else:
                fates = {other.fate for other in service.asked.values()}
                assert not (most == 1 and asked.fate == "served" and "unanswered" not in fates)
