"""docs/bi.md: every command and every program on it, run with the real clients; what it shows is
what comes out.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import postgres_server
from tests.support.command_line import ROOT
from tests.unit.test_docs import ttsq_commands, unknown_words

PAGE = ROOT / "docs" / "bi.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
_SAMPLE_STAMP = "2026-03-02 14:22:37,892"


@dataclass(frozen=True)
class Recipe:
    """A block that is run, the language it is in, what the page shows of its output, and the store
    it is about.
    """

    language: str
    program: str
    shown: str
    engine: str


def recipes(page: str) -> Iterator[Recipe]:
    """The blocks of a page that are run, in their order."""
    before: tuple[str, str, int] | None = None
    for block in _BLOCK.finditer(page):
        language, content = block.groups()
        if language == "text":
            assert before is not None, f"nothing was run to show this: {content}"
            kind, program, at = before
            engine = "duckdb" if page.find("\n## DuckDB\n") < at else "postgresql"
            yield Recipe(kind, program, content, engine)
        before = (language, content, block.start()) if language in ("sh", "python") else None


@dataclass(frozen=True)
class Desk:
    """A folder with logs, a store of each engine that holds them, and the clients on the path."""

    folder: Path
    address: str

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TTSQ_", "PG"))}
        path = f"{self.folder}/bin:{Path(sys.executable).parent}:{postgres_server.binaries()}"
        own = {"PATH": f"{path}:{os.environ['PATH']}", "HOME": str(self.folder), "TZ": "UTC"}
        return kept | own | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}

    def run(self, language: str, program: str, engine: str) -> str:
        """What a program prints, with the page's names for this machine's."""
        db = {
            "duckdb": "duckdb:///store.duckdb",
            "postgresql": f"postgresql+psycopg://ttsq@{self.address}/ttsq",
        }[engine]
        done = subprocess.run(
            ["bash"] if language == "sh" else [sys.executable, "-"],
            input=program.replace("db.example.org", self.address),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self.environment | {"TTSQ_DB": db},
            timeout=120,
        )
        printed = done.stdout.replace(self.address, "db.example.org")
        printed = printed.replace(str(self.folder), "/srv/demo")
        return "".join(f"{line.rstrip()}\n" for line in printed.rstrip().splitlines())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The demo's logs in both stores; of roles only ttsq's own."""
    server = postgres_server.server()
    with server.connect() as connection:
        connection.execute("create role ttsq login")
        connection.execute("create database ttsq owner ttsq")
    made = Desk(tmp_path_factory.mktemp("desk"), f"127.0.0.1:{server.port}")
    (made.folder / "bin").mkdir()
    ttsq = made.folder / "bin" / "ttsq"
    ttsq.write_text(f'#!/bin/sh\nexec {sys.executable} -m ingest "$@"\n')
    ttsq.chmod(0o755)
    made.run("sh", "ttsq demo logs", "duckdb")
    for engine in ("duckdb", "postgresql"):
        printed = made.run("sh", "ttsq ingest logs --final --host tts-1", engine)
        assert "requests            3,000" in printed
    made.run("sh", "ttsq publish", "duckdb")
    assert (made.folder / "published" / "current.duckdb").exists()
    return made


def unstamped(text: str) -> str:
    return _STAMP.sub(_SAMPLE_STAMP, text)


def test_every_recipe_gives_what_the_page_shows(desk: Desk) -> None:
    """In their order: the first makes the role that the others connect as."""
    found = list(recipes(PAGE.read_text(encoding="utf-8")))
    assert [r.engine for r in found].count("duckdb") >= 3
    assert {w for r in found for w in ("psql", "pandas", "duckdb -readonly") if w in r.program} == {
        "psql", "pandas", "duckdb -readonly"
    }  # fmt: skip
    for recipe in found:
        printed = desk.run(recipe.language, recipe.program, recipe.engine)
        assert unstamped(printed) == unstamped(recipe.shown), recipe.program


def test_every_block_but_those_of_sql_is_run() -> None:
    page = PAGE.read_text(encoding="utf-8")
    run = [r.program for r in recipes(page)]
    blocks = _BLOCK.findall(page)
    assert [c for kind, c in blocks if kind in ("sh", "python")] == run
    assert {kind for kind, _ in blocks} == {"sh", "python", "text", "sql"}


def test_every_ttsq_command_on_the_page_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    inline = re.findall(r"`(ttsq [^`\n]+)`", _BLOCK.sub("", page))
    lines = [line for r in recipes(page) if r.language == "sh" for line in r.program.splitlines()]
    commands = [
        c
        for line in inline + [x for x in lines if x.startswith("ttsq ")]
        if not line.startswith("ttsq: ")
        for c in ttsq_commands(line)
    ]
    assert len(commands) >= 5
    assert {" ".join(c): w for c in commands if (w := unknown_words(c))} == {}


def test_the_panel_of_grafana_runs_once_its_macros_are_filled_in(desk: Desk) -> None:
    panel = next(c for kind, c in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if kind == "sql")
    filled = panel.replace(
        "$__timeGroupAlias(logged_at, $__interval)",
        'floor(extract(epoch from logged_at)/3600)*3600 AS "time"',
    ).replace("$__timeFilter(logged_at)", "logged_at BETWEEN '2026-01-01' AND '2100-01-01'")
    assert "$" not in filled
    (desk.folder / "panel.sql").write_text(filled)
    user = f"postgresql://ttsq@{desk.address}/ttsq"
    rows = desk.run("sh", f"psql {user} --csv -f panel.sql", "postgresql").splitlines()
    assert rows[0] == "time,failure_rate" and len(rows) > 20


def test_output_that_is_not_as_shown_is_noticed(desk: Desk) -> None:
    printed = desk.run("sh", "echo 2026-01-01 00:00:00,001 3 /srv/demo", "duckdb")
    assert unstamped(printed) == f"{_SAMPLE_STAMP} 3 /srv/demo\n" != unstamped("3 /srv/demo\n")
    two = "```sh\na\n```\n\n```text\n1\n```\n\n## DuckDB\n\n```python\nb\n```\n\n```text\n```\n"
    assert list(recipes(f"\n{two}")) == [
        Recipe("sh", "a\n", "1\n", "postgresql"),
        Recipe("python", "b\n", "", "duckdb"),
    ]
