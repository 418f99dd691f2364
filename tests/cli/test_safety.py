"""What a store owes its owner: copies that show no more than it does, no secret shown, no second
half of it.
"""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.stores.urls import without_password
from tests.support.command_line import CommandLine, lines


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 40))
    return CommandLine(tmp_path)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("of_store", [0o600, 0o640, 0o664])
@pytest.mark.parametrize("kind", [(), ("--parquet",)])
def test_a_copy_is_read_by_those_who_may_read_the_store(
    ttsq: CommandLine, of_store: int, kind: tuple[str, ...]
) -> None:
    ttsq.well("ingest", "app.log", "--final")
    ttsq.store.chmod(of_store)
    ttsq.well("publish", *kind, "pub")
    for path in (ttsq.folder / "pub").rglob("*"):
        if path.is_file() and not path.is_symlink() and "ttsq-" in str(path):
            assert _mode(path) == of_store & 0o444, path


def test_a_store_without_log_files_verifies(ttsq: CommandLine) -> None:
    ttsq.well("db", "upgrade")
    ttsq.well("verify")


def test_a_store_with_two_names_is_not_pruned(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final")
    before = ttsq.counts()
    other = ttsq.folder / "other.duckdb"
    os.link(ttsq.store, other)
    ended = ttsq("prune", "--older-than", "1d")
    assert ended.code == 4 and "hard links" in ended.err and "Traceback" not in ended.err
    assert ttsq.counts() == before and other.samefile(ttsq.store)


@pytest.mark.parametrize(
    "options", ["-cfoo.secret%3Dpw9", "-c%20x.y=pw9", "-csearch_path=a%20-cz.key=pw9", "pw9"]
)
def test_what_options_set_is_not_shown(options: str) -> None:
    shown = without_password(f"postgresql://u@h/x?sslmode=require&options={options}&port=1")
    assert shown == "postgresql://u@h/x?sslmode=require&options=***&port=1"


def test_the_schema_that_options_name_is_shown() -> None:
    url = "postgresql://u@h/x?options=-csearch_path%3Dtts,public"
    assert without_password(url) == url


@pytest.mark.parametrize("kibibytes", [300_000, 400_000, 600_000])
def test_a_limit_of_memory_ends_in_a_sentence(ttsq: CommandLine, kibibytes: int) -> None:
    ttsq.well("db", "upgrade")
    script = f'ulimit -c 0; ulimit -v {kibibytes}; exec "$0" -m ingest ingest app.log --final'
    ended = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable],
        cwd=ttsq.folder, env=ttsq.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in ended.stderr
    assert ended.returncode in ((4,) if kibibytes < 393_216 else (0, 4)), ended


_STEERING = "\x1b[31m\u202eowned"


def test_a_traceback_cannot_steer_the_terminal(ttsq: CommandLine) -> None:
    words = [sys.executable, "-m", "ingest", "--debug", "ingest", f"none{_STEERING}.log"]
    ended = subprocess.run(
        words, cwd=ttsq.folder, env=ttsq.environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" in ended.stderr and r"\x1b[31m\u202eowned" in ended.stderr
    assert not {"\x1b", "\u202e"} & set(ended.stderr)


@pytest.mark.parametrize(
    "words", [("ingest", "."), ("ingest", ".", "--dry-run"), ("status",), ("reread", ".")]
)
def test_paths_in_json_cannot_steer_the_terminal(ttsq: CommandLine, words: tuple[str, ...]) -> None:
    path = ttsq.folder / f"app{_STEERING}.log"
    path.write_text(lines(100, 3))
    ttsq("ingest", ".", "--final")
    ended = ttsq(*words, "--json")
    assert not {"\x1b", "\u202e"} & set(ended.out + ended.err)
    assert "owned" in str(json.loads(ended.out))
