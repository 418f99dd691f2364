"""Names that are not UTF-8: of files, folders, hosts.

Nothing stumbles over them, and the files are read like others.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.paths import real, shown
from tests.support.command_line import CommandLine, Ended, lines

_ODD = b"app-\xff.log"


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path).with_tables()


def _write(ttsq: CommandLine, name: bytes, text: str) -> bytes:
    path = os.fsencode(ttsq.folder) + b"/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab") as file:
        file.write(text.encode())
    return path


def _raw(ttsq: CommandLine, *words: str | bytes) -> Ended:
    return ttsq(*map(os.fsdecode, words))


@pytest.mark.parametrize("way", [_ODD, b".", b"app*.log"])
def test_a_file_whose_name_is_not_utf_8(ttsq: CommandLine, way: bytes) -> None:
    path = _write(ttsq, _ODD, lines(0, 5))
    for count in (5, 8):
        done = _raw(ttsq, "ingest", way, "--final", "--json")
        assert done.code == 0, done
        (file,) = json.loads(done.out)["files"]
        assert file["path"].endswith("/app-\\xff.log")
        counts = ttsq.counts()
        assert counts is not None
        assert (counts["requests"], counts["log_files"]) == (count, 1)
        _write(ttsq, _ODD, lines(count, 3))
    os.rename(path, path + b".1")
    _write(ttsq, _ODD, lines(20, 1))
    assert _raw(ttsq, "ingest", path).code == 0
    counts = ttsq.counts()
    assert counts is not None
    assert (counts["requests"], counts["log_files"]) == (12, 2)


def test_every_command_speaks_of_it(ttsq: CommandLine) -> None:
    _write(ttsq, b"\xfe/" + _ODD, "no record\n" + lines(0, 5))
    for words in (
        ("ingest", b"\xfe", "--final"),
        ("status",),
        ("status", "--json"),
        ("verify",),
        ("verify", "--json"),
        ("replay",),
        ("trace", "ts_3"),
        ("trace", "ts_3", "--json"),
        ("check", b"\xfe"),
        ("check", b"\xfe", "--json"),
        ("prune", "--older-than", "2026-03-01"),
    ):
        done = _raw(ttsq, *words)
        assert "Traceback" not in done.err, (words, done)
        assert done.code in (0, 1), (words, done)  # 1: `check` has found something


def test_what_is_wrong_with_it_is_said(ttsq: CommandLine) -> None:
    _write(ttsq, b"data-\xff.log", "\x01\x02" * 100)
    (ttsq.folder / "made").mkdir()
    for words in (
        ("ingest", b"gone-\xff.log"),
        ("ingest", b"gone-\xff*.log"),
        ("ingest", b"data-\xff.log"),
        ("check", b"gone-\xff.log"),
        ("verify", b"gone-\xff.log"),
        ("run", b"\xff"),
        ("trace", b"\xff"),
        (b"\xff",),
        ("--db", b"duckdb:///made/\xff.duckdb", "status"),
        ("--config", b"\xff.toml", "status"),
        ("ingest", "made", "--tz", b"\xff"),
        ("ingest", "made", "--log-format", b"\xff"),
        ("demo", b"made/\xff"),
        ("sql", b"select '\xff'"),
        ("run", "window_requests", "--since", b"\xff"),
        ("run", "voices", b"--\xff", "1"),
        ("trace", b"\xff"),
        ("prune", "--older-than", b"\xff"),
        ("ingest", "made", "--service", b"\xff"),
        ("show", b"\xff"),
        ("publish", b"p\xff"),
        ("--db", b"duckdb:///made/\xff.duckdb", "ingest", "made"),
    ):
        done = _raw(ttsq, *words)
        assert "Traceback" not in done.err, (words, done)


def test_a_host_whose_name_is_not_utf_8(ttsq: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(ttsq, b"app.log", lines(0, 2))
    assert _raw(ttsq, "ingest", "app.log", "--host", b"h\xff").code == 0
    hosts = json.loads(ttsq.well("sql", "select distinct host from requests", "--format", "json"))
    assert hosts == [{"host": "h\\xff"}]
    script = (
        "from ingest.cli.settings import load; load.local_host = lambda: 'h\\udcfe'; from "
        "ingest.cli import main; main()"
    )
    _write(ttsq, b"other.log", lines(10, 2))
    done = subprocess.run(
        [sys.executable, "-c", script, "ingest", "other.log"],
        cwd=ttsq.folder, env=ttsq.environment, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done


def test_the_holder_of_the_lock_has_such_a_command(ttsq: CommandLine) -> None:
    _write(ttsq, _ODD, lines(0, 2))
    assert _raw(ttsq, "ingest", _ODD, "--final").code == 0
    assert b"\xff" in ttsq.store.with_name("store.duckdb.lock").read_bytes()
    script = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.lockf(f, fcntl.LOCK_EX, 1); "
        "print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, f"{ttsq.store}.lock"], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = _raw(ttsq, "ingest", _ODD, "--wait", "0")
        holder.kill()
    assert (done.code, "another ingest holds" in done.err) == (5, True), done


@pytest.mark.parametrize("name", [_ODD, b"a\xc3\xa9.log", b"\\xff.log", b"\xff\\xff", b"plain"])
def test_what_is_shown_leads_back(name: bytes, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    open(path, "w").close()
    shown(path).encode()
    if name != b"\xff\\xff":  # the two ways to write a byte at once: only one of them is looked for
        assert os.path.samefile(real(shown(path)), path)
