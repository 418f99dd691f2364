"""What a command may load: its own module, and no library that it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from ingest.cli import app
from ingest.cli.commands import COMMANDS
from tests.support.command_line import CommandLine, lines

_LIBRARIES = {
    "alembic", "duckdb", "isal", "matplotlib", "numpy", "pandas", "plotext", "psycopg", "pyarrow",
    "pydantic", "pytz", "re2", "rich", "sqlalchemy",
}  # fmt: skip
_LOADED = """
import sys
from ingest.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(sys.modules), file=sys.stderr)
"""


def _modules(ttsq: CommandLine, *words: str | Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *map(str, words)],
        cwd=ttsq.folder, env=ttsq.environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def _libraries(modules: set[str]) -> set[str]:
    return {m.partition(".")[0] for m in modules} & _LIBRARIES


def _commands(modules: set[str]) -> set[str]:
    prefix = "ingest.cli.commands."
    return {m.removeprefix(prefix) for m in modules if m.startswith(prefix)}


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 20))
    found = CommandLine(tmp_path)
    found.well("ingest", "app.log", "--final")
    return found


def test_version_and_help_load_no_command_and_no_library(ttsq: CommandLine) -> None:
    for words in (["--version"], ["-V"], ["--help"], ["-h"]):
        modules = _modules(ttsq, *words)
        assert _commands(modules) == set(), words
        assert _libraries(modules) == set(), words
        assert not any(m.startswith("ingest.tasks") for m in modules), words


def test_a_list_of_the_queries_opens_no_engine(ttsq: CommandLine) -> None:
    modules = _modules(ttsq, "queries")
    assert _libraries(modules) == set()
    assert _commands(modules) == {"queries"}


def test_an_ingest_with_nothing_new_loads_the_engine_and_no_arrow(ttsq: CommandLine) -> None:
    modules = _modules(ttsq, "ingest", "app.log")
    assert _libraries(modules) == {"duckdb"}
    assert _commands(modules) == {"ingest", "run_report"}
    assert not any(m.startswith(("ingest.causes", "ingest.named_queries")) for m in modules)


def test_more_lines_of_the_log_format_do_not_load_the_general_path(ttsq: CommandLine) -> None:
    with (ttsq.folder / "app.log").open("a") as file:
        file.write(lines(20, 40))
    modules = _modules(ttsq, "ingest", "app.log", "--final")
    assert "ingest.records.front" in modules
    general = ("ingest.records.general", "ingest.records.learnt", "ingest.records.sequence")
    assert not any(m.startswith(general) for m in modules)


def test_more_lines_of_the_log_format_load_of_the_libraries_what_they_use(
    ttsq: CommandLine,
) -> None:
    with (ttsq.folder / "app.log").open("a") as file:
        file.write(lines(20, 40))
    modules = _modules(ttsq, "ingest", "app.log", "--final")
    assert "pyarrow._compute" in modules
    assert not modules & {
        "pyarrow.compute",
        "pyarrow.dataset",
        "numpy.ma",
        "ingest.pipeline.changed_answers",
    }


def test_a_query_loads_what_asks_and_shows_and_nothing_that_reads_logs(ttsq: CommandLine) -> None:
    modules = _modules(ttsq, "run", "error_codes", "--format", "csv")
    assert _libraries(modules) <= {"duckdb", "pytz"}  # DuckDB hands out instants by pytz
    assert _commands(modules) == {"queries", "run"}
    rooms = ("ingest.logfiles", "ingest.pipeline", "ingest.tasks", "ingest.causes")
    assert not any(m.startswith(rooms) for m in modules)
    assert "ingest.render.charts" not in modules


def test_the_engine_is_loaded_without_what_would_only_find_its_version(ttsq: CommandLine) -> None:
    for words in (["run", "error_codes"], ["ingest", "app.log"]):
        modules = _modules(ttsq, *words)
        assert "duckdb" in modules
        assert not modules & {"importlib.metadata", "email.message", "socket", "zipfile"}, words


def test_the_engine_that_is_loaded_in_this_way_knows_its_version(ttsq: CommandLine) -> None:
    asked = (
        "from ingest.cli.process.loading import without_metadata; without_metadata()\n"
        "import duckdb\n"
        "print(duckdb.__version__, duckdb.__duckdb_version__, duckdb.version(), sep='|')"
    )
    plain = asked.partition("\n")[2]
    versions = [
        subprocess.run([sys.executable, "-c", text], capture_output=True, check=True).stdout
        for text in (asked, plain)
    ]
    assert versions[0] == versions[1]


def test_garbage_is_looked_for_once_the_command_is_loaded(ttsq: CommandLine) -> None:
    asked = (
        "import gc, ingest.cli.commands.queries as q\n"
        "q.list_library = lambda *_: print(gc.isenabled())\n"
        "from ingest.__main__ import entry\n"
        "entry()"
    )
    shown = subprocess.run(
        [sys.executable, "-c", asked, "queries"],
        cwd=ttsq.folder, env=ttsq.environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.strip() == "True"


def test_every_command_of_the_table_can_be_loaded_and_has_a_short_summary() -> None:
    group = get_command(app)
    for entry in COMMANDS:
        assert group.commands[entry.name].name == entry.name  # type: ignore[attr-defined]
        assert 0 < len(entry.summary) <= 45, entry
        assert not entry.summary.endswith("."), entry


def test_every_subcommand_has_a_short_summary() -> None:
    group = get_command(app)
    for entry in COMMANDS:
        for inner in getattr(group.commands[entry.name], "commands", {}).values():  # type: ignore[attr-defined]
            first = (inner.help or "").partition("\n\n")[0].strip()
            assert 0 < len(first) <= 45, (entry.name, inner.name, first)


def test_options_of_every_command_stand_before_or_after_it(ttsq: CommandLine) -> None:
    other = f"duckdb:///{ttsq.folder / 'other.duckdb'}"
    for words in (["status"], ["db", "current"], ["run", "hosts"], ["sql", "select 1"]):
        assert ttsq(*words, "--db", other).err == ttsq("--db", other, *words).err
        assert ttsq(*words, "--config", "no.toml").err == ttsq("--config", "no.toml", *words).err
        assert "no.toml" in ttsq(*words, "--config", "no.toml").err
    assert "Traceback" in ttsq("sql", "nonsense", "--debug").err


def test_help_is_asked_for_in_four_ways(ttsq: CommandLine) -> None:
    for words in (["run", "hosts"], ["prune"], ["db", "upgrade"]):
        shown = {ttsq.well(*words, "--help"), ttsq.well(*words, "-h"), ttsq.well("help", *words)}
        assert len(shown) == 1, words
    assert ttsq.well("help") == ttsq.well("--help")
    assert ttsq("help", "nonsense").code == 2
    assert (ttsq().code, ttsq().err) == (2, ttsq.well("--help"))


def test_an_ingest_that_reads_looks_for_garbage_and_more_rarely_than_python(
    ttsq: CommandLine,
) -> None:
    (ttsq.folder / "other.log").write_text(lines(20, 40))
    asked = (
        "import gc, sys\n"
        "gc.disable()\n"
        "from ingest.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n"
        "    print(gc.isenabled(), gc.get_threshold()[0] > 700, file=sys.stderr)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", asked, "ingest", "other.log"],
        cwd=ttsq.folder, env=ttsq.environment, capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    assert shown.splitlines()[-1] == "True True"
