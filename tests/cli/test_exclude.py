"""Files that are not to be read: --exclude, and exclude of a source."""

from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

_LINE = "2026-03-02 10:00:0{},000 - app - ERROR - record {}\n"


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    logs = tmp_path / "logs"
    logs.mkdir()
    for number, name in enumerate(("app.log", "error.log", "error.log.1", "other.log")):
        (logs / name).write_text(_LINE.format(number, number))
    return made


def _read(folder: Path) -> list[str]:
    ttsq = CommandLine(folder)
    out = ttsq.well("sql", "select message from errors order by 1", "--format", "csv")
    return [line.split()[-1] for line in out.splitlines()[1:]]


@pytest.mark.parametrize("glob", ["error.log", "err*", "*/logs/error.log"])
def test_a_name_or_path_is_left_out_with_what_was_rotated_from_it(
    ttsq: CommandLine, tmp_path: Path, glob: str
) -> None:
    ttsq.well("ingest", "logs", "--final", "--exclude", glob)
    assert _read(tmp_path) == ["0", "3"]


def test_several_may_be_given(ttsq: CommandLine, tmp_path: Path) -> None:
    ttsq.well("ingest", "logs", "--final", "--exclude", "error*", "--exclude", "other*")
    assert _read(tmp_path) == ["0"]


def test_a_source_names_its_own(ttsq: CommandLine, tmp_path: Path) -> None:
    settings = '[[sources]]\npaths = ["logs"]\nexclude = ["error.log"]\n'
    (tmp_path / "ttsq.toml").write_text(settings)
    ttsq.well("ingest", "--final")
    assert _read(tmp_path) == ["0", "3"]
    assert "error.log" in ttsq.well("config", "show")
