"""``python -m docs.generate.cli``: writes docs/cli.md from the help of every command.

``--check`` only says whether the page is as it would be written.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from docs.generate.keep import keep
from ingest.cli import app
from ingest.cli.commands import COMMANDS

PAGE = Path(__file__).resolve().parents[1] / "cli.md"
_WIDTH = 96  # columns: a page shows them without scrolling

_HEAD = """\
# The command line

Written by `python -m docs.generate.cli` from the help of each command; change that, not this page.

`--db`, `--config` and `--debug` stand before or after the command. `ttsq help COMMAND`,
`ttsq COMMAND --help` and `-h` print what follows; `ttsq run NAME --help` prints the parameters
of a query, as [queries.md](queries.md) has them. Exit codes: [errors.md](errors.md).

| command | |
|---|---|
"""


def written() -> str:
    """The page as it ought to be."""
    group: Any = get_command(app)
    rows = "".join(f"| [{c.name}](#ttsq-{c.name}) | {c.summary} |\n" for c in COMMANDS)
    with group.context_class(group, info_name="ttsq", **_settings(group)) as root:
        sections = [_section("ttsq", root)]
        for entry in COMMANDS:
            sections += _of(root, entry.name, group.commands[entry.name])
    return _HEAD + rows + "".join(sections)


def _of(parent: Any, name: str, command: Any) -> Iterator[str]:
    """The sections of a command and of those in it."""
    with command.context_class(command, parent, name, **_settings(command)) as ctx:
        yield _section(ctx.command_path, ctx)
        for inner_name, inner in getattr(command, "commands", {}).items():
            yield from _of(ctx, inner_name, inner)


def _settings(command: Any) -> dict[str, Any]:
    return {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}


def _section(path: str, ctx: Any) -> str:
    lines = "\n".join(line.rstrip() for line in ctx.get_help().splitlines())
    return f"\n## {path}\n\n```text\n{lines}\n```\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say whether it is stale; the exit code."""
    return keep(PAGE, written(), "docs.generate.cli", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
