"""deploy/: the units as systemd reads them, and what their commands, the cron lines and the
logrotate example do.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, CommandLine
from tests.unit.test_docs import ttsq_commands, unknown_words

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
STARTED = (
    "ttsq-ingest.service", "ttsq-ingest.timer", "ttsq-follow.service", "ttsq-prune.service",
    "ttsq-prune.timer",
    "ttsq-metrics.service", "ttsq-metrics.timer", "ttsq-alert@cache_alert.service",
    "ttsq-alert@cache_alert.timer", "ttsq-triage@1h.service", "ttsq-triage@1h.timer",
    "tell-oncall@ttsq-ingest.service.service",
)  # fmt: skip
SANDBOXED = [unit for unit in STARTED if unit.startswith("ttsq-") and unit.endswith(".service")]
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
POSTGRESQL = "ttsq-.service.d/20-postgresql.conf"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine that has systemd's own units, ours, and what ours start."""
    analyze = shutil.which("systemd-analyze", path=PATH)
    assert analyze, "systemd-analyze is needed: make tools"
    root = tmp_path / "machine"
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    shutil.copytree(UNITS, root / "etc/systemd/system")
    (root / "opt/ttsq/bin").mkdir(parents=True)
    shutil.copy("/bin/true", root / "opt/ttsq/bin/ttsq")
    shutil.copy(UNITS / "tell-oncall", root / "opt/ttsq/tell-oncall")
    return root


def analyzed(root: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        ["systemd-analyze", words[0], f"--root={root}", *words[1:]],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"},
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def scores(root: Path) -> dict[str, float]:
    found = {}
    for unit in SANDBOXED:
        code, told = analyzed(root, "security", "--offline=yes", unit)
        assert code == 0, told
        found[unit] = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", told)[1])  # type: ignore[index]
    return found


def test_systemd_finds_nothing_wrong_with_the_units(machine: Path) -> None:
    assert analyzed(machine, "verify", *STARTED) == (0, "")
    example = machine / "etc/systemd/system" / f"{POSTGRESQL}.example"
    example.rename(example.with_suffix(""))
    assert analyzed(machine, "verify", *STARTED) == (0, "")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("ttsq-.service.d/10-sandbox.conf", "ProtectHome=", "ProtectHomes="),
        ("ttsq-ingest.service", "/opt/ttsq/bin/ttsq", "/opt/ttsq/bin/tsq"),
        ("ttsq-prune.timer", "OnCalendar=*-*-* 03:30", "OnCalendar=at night"),
    ],
)
def test_what_is_wrong_with_a_unit_is_noticed(
    machine: Path, file: str, before: str, after: str
) -> None:
    unit = machine / "etc/systemd/system" / file
    text = unit.read_text()
    assert before in text
    unit.write_text(text.replace(before, after))
    assert analyzed(machine, "verify", *STARTED) != (0, "")


def test_the_sandbox_is_as_tight_as_the_readme_says(machine: Path) -> None:
    stated = dict(re.findall(r"^\| (DuckDB|PostgreSQL)[^|]*\| ([\d.]+) \|", readme(), re.M))
    assert set(scores(machine).values()) == {float(stated["DuckDB"])}
    example = machine / "etc/systemd/system" / f"{POSTGRESQL}.example"
    example.rename(example.with_suffix(""))
    assert set(scores(machine).values()) == {float(stated["PostgreSQL"])}
    (machine / "etc/systemd/system/ttsq-.service.d/10-sandbox.conf").unlink()
    assert min(scores(machine).values()) > 5


def readme() -> str:
    return (DEPLOY / "README.md").read_text(encoding="utf-8")


def commands(unit: Path) -> list[list[str]]:
    lines = re.findall(r"^ExecStart=(.+)$", unit.read_text(), re.M)
    return [c for line in lines for c in ttsq_commands(line.replace("%i", "cache_alert"))]


def test_every_command_is_a_real_one() -> None:
    found = [c for unit in UNITS.glob("ttsq-*.service") for c in commands(unit)]
    cron = (DEPLOY / "cron.d/ttsq").read_text()
    found += [words.split() for words in re.findall(r"\$TTSQ ([^>]+) 2>&1", cron)]
    for document in (DEPLOY / "README.md", ROOT / "docs/timers.md", ROOT / "docs/settings.md"):
        found += [
            c
            for line in re.findall(r"`(ttsq [^`\n]+)`", document.read_text("utf-8"))
            for c in ttsq_commands(line)
        ]
    assert len(found) >= 7
    assert {" ".join(c): w for c in found if (w := unknown_words(c))} == {}


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    """Where the units' commands run: settings with one source, a store, a full cache in the log."""
    ttsq = CommandLine(tmp_path)
    (tmp_path / "ttsq.toml").write_text(
        f'[prune]\nolder_than = "3650d"\n\n[[sources]]\npaths = ["{tmp_path}/app.log"]\nhost '
        '= "tts-1"\n'
    )
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    sample = "app.cache - INFO - cache_health: path=/c, used=95MB, total=100MB, usage=95.0%"
    (tmp_path / "app.log").write_text("".join(f"{now},00{n} - {sample}\n" for n in range(4)))
    return ttsq


def test_the_commands_of_the_units_do_what_they_are_for(ttsq: CommandLine) -> None:
    [ingest], [prune], [metrics], [alert] = (
        commands(UNITS / f"ttsq-{name}.service")
        for name in ("ingest", "prune", "metrics", "alert@")
    )
    assert ttsq(*ingest).code == 0
    assert ttsq(*metrics[:-1], ttsq.folder / "ttsq.prom").code == 0
    assert "ttsq_rows{" in (ttsq.folder / "ttsq.prom").read_text()
    assert ttsq(*alert).code == 1
    assert ttsq(*alert, "--until", "29m").code == 6  # no sample is of that minute
    assert ttsq(*prune).code == 0


def cron_lines() -> dict[str, str]:
    """Commands by the first word for ttsq; cron's fields and user, and its own meaning of %,
    checked.
    """
    text = (DEPLOY / "cron.d/ttsq").read_text()
    assert text.endswith("\n") and "%" not in text
    lines = [x for x in text.splitlines() if re.match(r"[\d*]", x)]
    found = {}
    for line in lines:
        *_, user, command = line.split(maxsplit=6)
        assert user == "ttsq"
        found[re.search(r"\$TTSQ (\w+)", command)[1]] = command  # type: ignore[index]
    return found


@pytest.mark.parametrize(
    ("name", "code", "mailed"),
    [
        ("ingest", 0, ""),
        ("ingest", 5, ""),
        ("ingest", 3, "exit code 3\nread\nnot read\n"),
        ("run", 0, ""),
        ("run", 1, "read\nnot read\n"),
        ("prune", 0, ""),
        ("prune", 5, "read\nnot read\n"),
    ],
)
def test_cron_mails_what_matters(tmp_path: Path, name: str, code: int, mailed: str) -> None:
    program = tmp_path / "ttsq"
    program.write_text(f"#!/bin/sh\necho read\necho not read >&2\nexit {code}\n")
    program.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", cron_lines()[name]],
        env={"TTSQ": str(program), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (mailed, "")


def test_two_that_cron_starts_at_once_exclude_each_other(ttsq: CommandLine) -> None:
    environment = {**ttsq.environment, "TTSQ": f"{sys.executable} -m ingest"}
    with Path(f"{ttsq.store}.lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1)
        done = subprocess.run(
            ["/bin/sh", "-c", cron_lines()["ingest"]],
            cwd=ttsq.folder, env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not ttsq.store.exists()


def test_logrotate_takes_the_example(tmp_path: Path) -> None:
    tool = shutil.which("logrotate", path=PATH)
    assert tool, "logrotate is needed: make tools"
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o755)
    text = (DEPLOY / "logrotate.d/tts").read_text().replace("/var/log/tts", str(logs))
    config = tmp_path / "tts"
    config.write_text(text)
    config.chmod(0o644)
    ttsq = CommandLine(tmp_path)
    for day in range(4):
        with (logs / "app.log").open("a") as file:
            file.write(
                f"2026-03-0{day + 1} 14:22:37,892 - app - INFO - synthesis_start: id=ts_{day}\n"
            )
        ttsq.well("ingest", logs)
        done = subprocess.run(
            [tool, "--force", "--verbose", "--state", str(tmp_path / "state"), str(config)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and "error" not in done.stderr, done.stderr
    (logs / "app.log").write_text("2026-03-05 00:00:00,000 - app - INFO - a new day\n")
    ttsq.well("ingest", logs)
    assert {p.name for p in logs.iterdir()} >= {"app.log", "app.log.1", "app.log.2.gz"}
    shown = ttsq.well("sql", "select id from requests order by id", "--format", "csv")
    assert shown.split() == ["id", "ts_0", "ts_1", "ts_2", "ts_3"]


@pytest.mark.parametrize(
    ("given", "where", "asked"),
    [
        ({}, "", "--unit=ttsq-ingest.service"),
        (
            {"MONITOR_INVOCATION_ID": "5f", "MONITOR_EXIT_STATUS": "3"},
            " with exit code 3",
            "_SYSTEMD_INVOCATION_ID=5f",
        ),
    ],
)
def test_on_call_is_told_what_the_unit_wrote_last(
    tmp_path: Path, given: dict[str, str], where: str, asked: str
) -> None:
    journal = tmp_path / "journalctl"
    journal.write_text('#!/bin/sh\necho "asked: $*"\n')
    journal.chmod(0o755)
    told = tmp_path / "told"
    done = subprocess.run(
        [UNITS / "tell-oncall", "ttsq-ingest.service"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TELL": f"tee {told}"} | given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert told.read_text().splitlines() == [
        f"ttsq-ingest.service failed on {os.uname().nodename}{where}. Its last lines:",
        f"asked: {asked} --lines=40 --output=cat --no-pager",
    ]


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (
            "1  CRITICAL  X_FAILED: half of the texts of 512 characters and more fail since\n"
            "             13:39 (2 h)\n   where     text_len >= 512\n\n2  WARNING  other\n",
            "X_FAILED: half of the texts of 512 characters and more fail since 13:39 (2 h)",
        ),
        ("ttsq: error: $(touch here) no store\n", None),
    ],
)
def test_the_subject_of_a_mail_to_on_call_is_the_title_of_the_first_finding(
    tmp_path: Path, written: str, subject: str | None
) -> None:
    (tmp_path / "written").write_text(written)
    journal = tmp_path / "journalctl"
    journal.write_text(f"#!/bin/sh\ncat {tmp_path}/written\n")
    journal.chmod(0o755)
    done = subprocess.run(
        [UNITS / "tell-oncall", "ttsq-triage@1h.service"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TELL": 'printf "%s" "$SUBJECT"'},
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == (subject or f"ttsq-triage@1h.service failed on {os.uname().nodename}")
    assert not (tmp_path / "here").exists()
