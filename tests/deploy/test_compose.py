"""docker-compose.yml and the Dockerfiles: health checks, loopback, no passwords, pinned images, no
root, real commands.

There is no container engine in the tests: the scripts that the containers start are run here,
against a real server.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from ingest.cli.settings.load import load
from tests.support import postgres_server
from tests.unit.test_docs import unknown_words

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "deploy" / "compose"
EVERY = SCRIPTS / "every"
ONCE = {"roles", "readers"}  # services that end when their work is done
ON_CLICKHOUSE = {"clickhouse", "clickhouse-ingest", "clickhouse-prune"}
IMAGES = {"Dockerfile": "10001:10001", "deploy/superset/Dockerfile": "10002:10002"}
_PINNED = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*(@sha256:[0-9a-f]{64})?$")
_SECRET = re.compile(r"pass|secret|token|key", re.I)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def no_health_check(service: dict[str, Any]) -> bool:
    """Neither one, nor a service that ends and is started again until it has done its work."""
    if service.get("restart") == "on-failure":
        return "healthcheck" in service
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
    no_health_check: [
        {},
        {"healthcheck": {"test": ["NONE"]}},
        {"restart": "on-failure", "healthcheck": {"test": ["CMD", "true"]}},
    ],
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
    assert set(services) == {"postgres", "ingest", "prune", "superset"} | ONCE | ON_CLICKHOUSE
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
            assert not source.startswith("./") or (ROOT / source).exists()
        assert set(service.get("secrets", ())) <= set(found["secrets"])
    assert {name: {"file": f"./secrets/{name}"} for name in found["secrets"]} == found["secrets"]
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"secrets/", ".env"} <= set(ignored)


def test_no_secret_is_handed_to_who_does_not_need_it() -> None:
    found = compose()
    holders = {n: set(s.get("secrets", ())) for n, s in found["services"].items()}
    assert set().union(*holders.values()) == set(found["secrets"])
    superset = {"superset_secret_key", "superset_admin_password", "superset_db_password"}
    assert holders["superset"] == superset | {"reader_password"}
    assert {n for n, held in holders.items() if "postgres_password" in held} == {
        "postgres",
        "roles",
    }
    for name, service in ttsq_services().items():
        on = "clickhouse_password" if name in ON_CLICKHOUSE else "db_password"
        assert holders[name] == {on}
        assert service["environment"]["TTSQ_DB_PASSWORD_FILE"] == f"/run/secrets/{on}"


def test_services_wait_for_what_they_need() -> None:
    services = compose()["services"]
    done = {"condition": "service_completed_successfully"}
    for name, service in services.items():
        needed = service.get("depends_on", {})
        server = "clickhouse" if name in ON_CLICKHOUSE else "postgres"
        assert name == server or needed[server] == {"condition": "service_healthy"}
        assert {n for n, how in needed.items() if how == done} == set(needed) & ONCE
    assert {n for n, s in services.items() if s["restart"] == "on-failure"} == ONCE
    assert (
        "roles" in services["readers"]["depends_on"]
        and "readers" in services["superset"]["depends_on"]
    )


def ttsq_services() -> dict[str, dict[str, Any]]:
    return {n: s for n, s in compose()["services"].items() if s["image"].startswith("ttsq:")}


@pytest.mark.parametrize("name", ["ingest", "prune", "clickhouse-ingest", "clickhouse-prune"])
def test_commands_are_real_ones(name: str) -> None:
    service = ttsq_services()[name]
    every, seconds, ttsq = service["entrypoint"]
    assert (every, ttsq) == ("every", "ttsq") and int(seconds) > 0
    assert unknown_words([str(word) for word in service["command"]]) == []


def test_the_readers_commands_are_real_ones() -> None:
    shell, c, line = ttsq_services()["readers"]["entrypoint"]
    assert (shell, c) == ("sh", "-c")
    commands = [command.split() for command in line.split(" && ")]
    assert [command[:3] for command in commands] == [
        ["ttsq", "db", "upgrade"],
        ["ttsq", "db", "grant-reader"],
    ]
    assert [unknown_words(command[1:]) for command in commands] == [[], []]


@pytest.mark.parametrize(
    "name", ["ingest", "prune", "readers", "clickhouse-ingest", "clickhouse-prune"]
)
def test_variables_are_settings(name: str) -> None:
    given = {k: f"{k}-value" for k in ttsq_services()[name]["environment"]}
    settings = load(ROOT / "tests" / "deploy" / "empty.toml", given).settings
    assert set(given) <= set(re.findall(r"TTSQ_\w+(?=-value)", repr(settings)))
    example = (ROOT / "deploy" / "compose" / "env.example").read_text()
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    ports = {"TTSQ_POSTGRES_PORT", "TTSQ_SUPERSET_PORT", "TTSQ_CLICKHOUSE_PORT"}
    assert set(re.findall(r"^(\w+)=", example, re.M)) == asked - ports


@pytest.mark.parametrize("file", IMAGES)
def test_the_image_is_small_pinned_and_not_of_root(file: str) -> None:
    text = (ROOT / file).read_text()
    folder = (ROOT / file).parent
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", text, re.M)
    assert len(stages) == 2 and all(_PINNED.match(image) for image, _ in stages)
    last = text.split("\nFROM ")[-1]
    assert "gcc" not in last and f"--from={stages[0][1]}" in last
    assert re.findall(r"^USER (\S+)$", last, re.M) == [IMAGES[file]]
    assert IMAGES[file] in {s["user"] for s in compose()["services"].values()}
    lines = re.findall(r"^COPY (?!--from)(.*)$", text, re.M)
    sources = {w for line in lines for w in line.split()[:-1] if not w.startswith("--")}
    kept = re.findall(r"^!(.+)$", (folder / ".dockerignore").read_text(), re.M)
    assert sources == set(kept)
    assert all((folder / source).exists() for source in sources)


def test_the_image_has_what_the_store_on_a_server_needs() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in text and "-r deploy/requirements.lock" in text
    locked = (ROOT / "deploy/requirements.lock").read_text()
    for name in ("duckdb", "psycopg-binary", "pgpq", "clickhouse-connect"):
        assert re.search(rf"^{name}==\S+ --hash=sha256:[0-9a-f]{{64}}$", locked, re.M)
    assert {s["environment"]["TTSQ_DB"] for s in ttsq_services().values()} == {
        "postgresql+psycopg://ttsq@postgres:5432/ttsq",
        "clickhousedb://ttsq@clickhouse:8123/ttsq",
    }


def test_clickhouse_starts_only_where_it_is_asked_for() -> None:
    services = compose()["services"]
    profiles = {n: s["profiles"] for n, s in services.items() if "profiles" in s}
    assert profiles == {name: ["clickhouse"] for name in ON_CLICKHOUSE}


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


@dataclass(frozen=True)
class Stack:
    """A server that asks for passwords, and the folder with them."""

    server: postgres_server.Server
    secrets: Path

    def environment(self, **own: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TTSQ_", "PG"))}
        path = f"{postgres_server.binaries()}:{os.environ['PATH']}"
        return kept | {"PATH": path, "PYTHONPATH": str(ROOT)} | own

    def roles(self, secrets: Path) -> "subprocess.CompletedProcess[str]":
        """The script of the service ``roles``."""
        own = {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port), "TTSQ_SECRETS": str(secrets)}
        return subprocess.run(
            [SCRIPTS / "roles"], env=self.environment(**own), capture_output=True, text=True
        )

    def ttsq(self, *command: str, **own: str) -> "subprocess.CompletedProcess[str]":
        """ttsq as in the services, by TCP."""
        given = {
            "TTSQ_DB": self.server.tcp_url("ttsq", "ttsq"),
            "TTSQ_DB_PASSWORD_FILE": str(self.secrets / "db_password"),
            "TTSQ_HOST": "tts-1",
        }
        return subprocess.run(
            [sys.executable, "-m", "ingest", *command],
            env=self.environment(**given, **own), cwd=self.secrets, capture_output=True, text=True,
        )  # fmt: skip

    def connect(self, user: str, secret: str, database: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, user=user, dbname=database, autocommit=True,
            password=(self.secrets / secret).read_text(),
        )  # fmt: skip


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    server = postgres_server.make_server()
    secrets = tmp_path_factory.mktemp("secrets") / "secrets"
    subprocess.run([SCRIPTS / "make-secrets", secrets], check=True)
    password = (secrets / "postgres_password").read_text()
    with server.connect() as connection:
        connection.execute(f"alter role postgres password '{password}'")
    hba = server.folder / "data" / "pg_hba.conf"
    hba.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    with server.connect() as connection:
        connection.execute("select pg_reload_conf()")
    made = Stack(server, secrets)
    done = made.roles(secrets)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    yield made
    server.remove()


def test_secrets_are_random_all_there_and_stay(tmp_path: Path) -> None:
    first: dict[str, str] = {}
    for _ in range(2):
        subprocess.run([SCRIPTS / "make-secrets", tmp_path / "secrets"], check=True)
        found = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
        assert set(found) == set(compose()["secrets"])
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in found.values())
        assert len(set(found.values())) == len(found)
        first = first or found
    assert first == found
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "secrets").iterdir()} == {0o644}


def test_the_roles_are_no_superusers_and_each_stays_in_its_database(stack: Stack) -> None:
    for user, secret in (("ttsq", "db_password"), ("superset", "superset_db_password")):
        with stack.connect(user, secret, user) as connection:
            row = connection.execute(
                "select rolsuper or rolcreaterole or rolcreatedb, pg_get_userbyid(datdba) "
                "from pg_roles, pg_database where rolname = current_user and datname = "
                "current_database()"
            ).fetchone()
            assert row == (False, user)
    for user, secret, database in (
        ("superset", "superset_db_password", "ttsq"),
        ("ttsq", "db_password", "superset"),
        ("reader", "reader_password", "superset"),
    ):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            stack.connect(user, secret, database)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        stack.connect("ttsq", "reader_password", "ttsq")


def test_new_passwords_are_taken_and_no_password_is_refused(stack: Stack, tmp_path: Path) -> None:
    shutil.copytree(stack.secrets, tmp_path / "new")
    (tmp_path / "new" / "superset_db_password").write_text("another 'one' that is long")
    assert stack.roles(tmp_path / "new").returncode == 0
    with pytest.raises(psycopg.OperationalError):
        stack.connect("superset", "superset_db_password", "superset")
    assert stack.roles(stack.secrets).returncode == 0
    stack.connect("superset", "superset_db_password", "superset").close()
    (tmp_path / "new" / "reader_password").write_text("short")
    refused = stack.roles(tmp_path / "new")
    assert refused.returncode == 1 and "reader_password is missing or too short" in refused.stderr
    (tmp_path / "new" / "reader_password").unlink()
    assert stack.roles(tmp_path / "new").returncode == 1


def test_a_reader_reads_what_the_ingester_has_read_and_the_pruner_prunes(stack: Stack) -> None:
    line = ttsq_services()["readers"]["entrypoint"][2]
    logs = stack.secrets.parent / "logs"
    for command in (c.split()[1:] for c in line.split(" && ")):
        done = stack.ttsq(*command)
        assert done.returncode == 0, done.stderr
    assert stack.ttsq("demo", "--tz", "UTC", "--requests", "50", str(logs)).returncode == 0
    done = stack.ttsq("ingest", f"{logs}/", TTSQ_TZ="UTC")
    assert done.returncode == 0, done.stderr
    with stack.connect("reader", "reader_password", "ttsq") as connection:
        assert connection.execute("select count(*) from all_requests").fetchone() == (50,)
        for statement in ("select text from requests", "create table x (y int)"):
            with pytest.raises(psycopg.Error, match=r"permission denied|read-only"):
                connection.execute(statement)
    command = [str(word) for word in ttsq_services()["prune"]["command"]]
    done = stack.ttsq(*command, TTSQ_PRUNE_OLDER_THAN="90d", TTSQ_PRUNE_TEXT_OLDER_THAN="14d")
    assert done.returncode == 0, done.stderr


def test_the_health_checks_say_what_is(stack: Stack, tmp_path: Path) -> None:
    services = compose()["services"]
    environment = stack.environment(PGPORT=str(stack.server.port))
    check = services["postgres"]["healthcheck"]["test"][1:]
    assert subprocess.run(check, env=environment, capture_output=True).returncode == 0
    elsewhere = environment | {"PGPORT": "1"}
    assert subprocess.run(check, env=elsewhere, capture_output=True).returncode != 0
    for name, minutes in (("ingest", 10), ("prune", 1500)):
        (line,) = services[name]["healthcheck"]["test"][1:]
        line = line.replace("$$", "$").replace("/tmp/done", str(tmp_path / name))
        health = ["sh", "-c", line]
        assert subprocess.run(health, capture_output=True).returncode != 0
        (tmp_path / name).touch()
        assert subprocess.run(health, capture_output=True).returncode == 0
        past = time.time() - 60 * (minutes + 2)
        os.utime(tmp_path / name, (past, past))
        assert subprocess.run(health, capture_output=True).returncode != 0
