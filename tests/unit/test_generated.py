"""Pages that are made from the code are as the code makes them."""

from types import ModuleType

import pytest

from docs.generate import cli, errors, schema, services
from ingest.cli.commands import COMMANDS
from ingest.errors import ExitCode

_PAGES = pytest.mark.parametrize(
    "page", (cli, errors, schema, services), ids=lambda page: page.PAGE.name
)


@_PAGES
def test_the_page_is_not_stale(page: ModuleType) -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.written(), (
        "write it anew: python -m docs.generate"
    )


def test_every_command_and_subcommand_has_its_help_on_the_page() -> None:
    written = cli.written()
    for entry in COMMANDS:
        assert f"\n## ttsq {entry.name}\n" in written
        assert f"| {entry.summary} |" in written
    assert "\n## ttsq db upgrade\n" in written
    assert written.count("Usage: ttsq ") == written.count("\n## ttsq")
    assert max(map(len, written.splitlines())) <= 110


def test_every_exit_code_is_on_the_page_and_every_class_of_errors() -> None:
    written = errors.written()
    for code in ExitCode:
        assert f"| {int(code)} | {code.name} |" in written
    for name in ("StoreBusyError", "QueryFileError", "DamagedFileError"):
        assert f"| `{name}` |" in written
