"""What older DuckDBs read: the published copy, the Parquet files and the store itself, with their
own wheels in environments of their own.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine, lines

_VERSIONS = ("1.4", "1.5")
_READER = """
import duckdb, json, sys
c = duckdb.connect(sys.argv[1], read_only=True)
c.execute("set TimeZone = 'UTC'")
def ask(sql): return [[str(v) for v in row] for row in c.execute(sql).fetchall()]
tables = [t for (t,) in c.execute("select table_name from duckdb_tables() union all select view_name from duckdb_views() where not internal order by 1").fetchall()]
print(json.dumps({
    "version": duckdb.__version__,
    "rows": {t: ask(f'from "{t}" order by all') for t in tables},
    "comments": ask("select table_name, column_name, comment from duckdb_columns() where not internal order by all"),
    "hourly": ask("select date_trunc('hour', logged_at), count(*), quantile_cont(duration_ms, 0.95) from requests group by 1 order by 1"),
    "json": ask("select attributes ->> 'gpu' from requests order by 1"),
}))
"""  # noqa: E501
_PARQUET = (
    "import duckdb, sys; print(duckdb.read_parquet(sys.argv[1]).aggregate('count(*), min(id), "
    "max(logged_at)::varchar').fetchall())"
)


@pytest.fixture(scope="module")
def ttsq(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A store written in several commits, pruned (so it is a copy itself), written again, and
    published.
    """
    made = CommandLine(tmp_path_factory.mktemp("older"))
    log = made.folder / "app.log"
    log.write_text("not a record\n" + lines(0, 300).replace("text_len=7", "text_len=7, gpu=71"))
    made.well("ingest", "app.log")
    made.well("prune", "--older-than", "2026-03-02T00:05:00Z")
    with log.open("a") as file:
        file.write(lines(300, 200))
    made.well("ingest", "app.log", "--final")
    made.well("publish", "published", "--parquet", "parquet")
    return made


@pytest.fixture(scope="module", params=_VERSIONS)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with one release line of DuckDB, and pytz, by which it hands out instants."""
    folder = tmp_path_factory.mktemp(f"duckdb-{request.param}")
    venv.create(folder)
    wheel = f"duckdb=={request.param}.*"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet",
         "--disable-pip-version-check", "--no-deps", wheel, "pytz"],
        check=True, timeout=300,
    )  # fmt: skip
    return folder / "bin" / "python"


def _read(python: Path, store: Path) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", _READER, store], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("which", ["store.duckdb", "published/current.duckdb"])
def test_a_store_and_its_copy_are_read_as_here(ttsq: CommandLine, python: Path, which: str) -> None:
    here = _read(Path(sys.executable), ttsq.folder / which)
    there = _read(python, ttsq.folder / which)
    version = there.pop("version")
    assert f"duckdb-{version[:3]}" in str(python)
    here.pop("version")
    assert there == here
    assert len(there["rows"]["requests"]) == len(there["rows"]["failed_requests"]) == 495
    assert sum(int(row[1]) for row in there["hourly"]) == 495
    assert any(gpu == ["71"] for gpu in there["json"])


def test_parquet_files(ttsq: CommandLine, python: Path) -> None:
    folder = ttsq.folder / "parquet" / "current"
    answers = {
        subprocess.run(
            [p, "-c", _PARQUET, folder / "requests.parquet"],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for p in (python, Path(sys.executable))
    }  # fmt: skip
    assert len(answers) == 1
    assert "(495, 'ts_10'" in answers.pop()
