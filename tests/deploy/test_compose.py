"""docker-compose.yml and the Dockerfile: health checks, loopback, no passwords, pinned images, no root, real commands."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.settings import load_settings
from tests.unit.test_docs import unknown_words

ROOT = Path(__file__).parents[2]
EVERY = ROOT / "deploy" / "compose" / "every"
_PINNED = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*(@sha256:[0-9a-f]{64})?$")
_SECRET = re.compile(r"pass|secret|token|key", re.I)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def no_health_check(service: dict[str, Any]) -> bool:
    test = service.get("healthcheck", {}).get("test", [])
    return not test or test[0] not in ("CMD", "CMD-SHELL") or len(test) < 2


def ports_elsewhere(service: dict[str, Any]) -> bool:
    return any(not str(p).startswith("127.0.0.1:") for p in service.get("ports", ()))


def passwords(service: dict[str, Any]) -> bool:
    """A literal password, one with a default, or one in a URL."""
    words = [*map(str, service.get("command", ())), *map(str, service.get("entrypoint", ()))]
    environment = {str(k): str(v) for k, v in service.get("environment", {}).items()}
    named = [v for k, v in environment.items() if _SECRET.search(k)]
    in_urls = [v for v in (*words, *environment.values()) if re.search(r"://[^/@]*:[^/@]*@", v)]
    return bool(in_urls) or any(not v.startswith("/run/secrets/") for v in named)


def not_pinned(service: dict[str, Any]) -> bool:
    return not _PINNED.match(service.get("image", ""))


def may_be_root(service: dict[str, Any]) -> bool:
    return not re.match(r"[1-9]\d*:[1-9]\d*$", str(service.get("user", "")))


def unconfined(service: dict[str, Any]) -> bool:
    return not (
        service.get("read_only") is True
        and service.get("cap_drop") == ["ALL"]
        and "no-new-privileges:true" in service.get("security_opt", ())
        and not service.get("privileged")
    )


RULES: dict[Callable[[dict[str, Any]], bool], list[dict[str, Any]]] = {
    no_health_check: [{}, {"healthcheck": {"test": ["NONE"]}}],
    ports_elsewhere: [{"ports": ["5432:5432"]}, {"ports": ["0.0.0.0:5432:5432"]}],
    passwords: [
        {"environment": {"POSTGRES_PASSWORD": "ttsq"}},
        {"environment": {"DB_PASSWORD": "${DB_PASSWORD:-ttsq}"}},
        {"environment": {"TTSQ_DB": "postgresql+psycopg://ttsq:ttsq@postgres/ttsq"}},
        {"command": ["--db", "postgresql+psycopg://ttsq:ttsq@postgres/ttsq", "ingest"]},
    ],
    not_pinned: [{"image": "postgres"}, {"image": "postgres:latest"}, {"image": "postgres:17"}],
    may_be_root: [{}, {"user": "root"}, {"user": "0:0"}, {"user": "10001"}],
    unconfined: [{}, {"read_only": True, "cap_drop": ["NET_RAW"]}],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_service_keeps_the_rule(rule: Callable[[dict[str, Any]], bool]) -> None:
    services = compose()["services"]
    assert set(services) >= {"postgres", "ingest", "prune"}
    assert [name for name, service in services.items() if rule(service)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_broken_rule_is_noticed(rule: Callable[[dict[str, Any]], bool]) -> None:
    assert all(rule(service) for service in RULES[rule])


def test_volumes_are_named_or_read_only_and_secrets_are_files() -> None:
    found = compose()
    for service in found["services"].values():
        for volume in service.get("volumes", ()):
            source, target = re.match(r"(\$\{[^}]*\}|[^:]+):(.+)$", volume).groups()  # type: ignore[union-attr]
            assert source in found["volumes"] or target.endswith(":ro"), volume
        assert set(service.get("secrets", ())) <= set(found["secrets"])
    assert all(set(secret) == {"file"} for secret in found["secrets"].values())
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"secrets/", ".env"} <= set(ignored)


def ttsq_services() -> dict[str, dict[str, Any]]:
    return {n: s for n, s in compose()["services"].items() if s["image"].startswith("ttsq:")}


@pytest.mark.parametrize("name", ["ingest", "prune"])
def test_commands_are_real_ones(name: str) -> None:
    service = ttsq_services()[name]
    every, seconds, ttsq = service["entrypoint"]
    assert (every, ttsq) == ("every", "ttsq") and int(seconds) > 0
    assert unknown_words([str(word) for word in service["command"]]) == []


@pytest.mark.parametrize("name", ["ingest", "prune"])
def test_variables_are_settings(name: str) -> None:
    given = {k: f"{k}-value" for k in ttsq_services()[name]["environment"]}
    settings = load_settings(ROOT / "tests" / "deploy" / "empty.toml", given)
    assert set(given) <= set(re.findall(r"TTSQ_\w+(?=-value)", repr(settings)))
    example = (ROOT / "deploy" / "compose" / "env.example").read_text()
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert set(re.findall(r"^(\w+)=", example, re.M)) == asked - {"TTSQ_POSTGRES_PORT"}


def test_the_image_is_small_pinned_and_not_of_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", text, re.M)
    assert len(stages) == 2 and all(_PINNED.match(image) for image, _ in stages)
    last = text.split("\nFROM ")[-1]
    assert "gcc" not in last and f"--from={stages[0][1]}" in last
    assert re.findall(r"^USER (\S+)$", last, re.M) == ["10001:10001"]
    copied = {w for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.M) for w in line.split()}
    sources = {w for w in copied if not w.startswith(("--", "./", "/usr"))}
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)
    assert sources == set(kept)
    assert all((ROOT / source).exists() for source in sources)


def every(tmp_path: Path, *command: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "EVERY_DONE": str(tmp_path / "done"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [EVERY, "0.1", *command], env=environment, text=True, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_ingester_reads_what_comes_and_ends_at_sigterm(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    line = '2026-03-02 14:22:37,892 - app - INFO - synthesis_start: id=ts_{}, text="x"\n'
    (logs / "app.log").write_text(line.format(1) * 2)
    store = f"duckdb:///{tmp_path}/store.duckdb"
    ttsq = [sys.executable, "-m", "ingest", "--db", store, "ingest", "--final", "logs/"]
    running = every(tmp_path, *ttsq)
    try:
        wait_for((tmp_path / "done").exists)
        with (logs / "app.log").open("a") as file:
            file.write(line.format(2))
        (tmp_path / "done").unlink()
        wait_for((tmp_path / "done").exists)
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 0 and "exit code" not in err
    assert sum(int(n) for n in re.findall(r"^(\d+) records", out, re.M)) >= 2


def test_a_failing_command_is_told_and_is_not_healthy(tmp_path: Path) -> None:
    running = every(tmp_path, "sh", "-c", "echo again; exit 5")
    try:
        assert running.stdout is not None
        assert [running.stdout.readline() for _ in range(3)] == ["again\n"] * 3
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert "exit code 5: sh -c" in err
    assert not (tmp_path / "done").exists()
