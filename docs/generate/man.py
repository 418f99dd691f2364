"""``python -m docs.generate.man``: writes the man pages from the help of every command.

``ttsq.1`` is the group, ``ttsq-NAME.1`` a command; wheels carry them. ``--check`` only says whether
they are as they would be written.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from docs.generate.keep import keep
from ingest.cli import app
from ingest.cli.commands import COMMANDS

FOLDER = Path(__file__).resolve().parents[1] / "man"
_WIDTH = 78  # columns: man(1) indents the text by seven more


def pages() -> dict[str, str]:
    """Names of files and their texts."""
    group: Any = get_command(app)
    names = ", ".join(f"ttsq-{c.name}(1)" for c in COMMANDS)
    with _context(group, None, "ttsq") as root:
        found = {
            "ttsq.1": _page(
                "ttsq", "logs of text-to-speech services as SQL tables", [root.get_help()], names
            )
        }
        for entry in COMMANDS:
            helps = list(_helps(root, entry.name, group.commands[entry.name]))
            name = f"ttsq-{entry.name}"
            found[f"{name}.1"] = _page(name, entry.summary, helps, "ttsq(1)")
    return found


def _helps(parent: Any, name: str, command: Any) -> Iterator[str]:
    """The help of a command and of those in it."""
    with _context(command, parent, name) as ctx:
        yield ctx.get_help()
        for inner_name, inner in getattr(command, "commands", {}).items():
            yield from _helps(ctx, inner_name, inner)


def _context(command: Any, parent: Any, name: str) -> Any:
    settings = {
        **command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH
    }  # fmt: skip
    return command.context_class(command, parent, name, **settings)


def _page(name: str, summary: str, helps: list[str], others: str) -> str:
    """A page: its text stands as the help has it, since options are aligned there."""
    body = "\n".join(f".PP\n.nf\n{_literal(text)}\n.fi" for text in helps)
    return (
        f'.TH {name.upper()} 1 "" "ttsq" "User Commands"\n'
        f".SH NAME\n{_literal(name)} \\- {_literal(summary)}\n"
        f".SH DESCRIPTION\n{body}\n"
        f".SH SEE ALSO\n{_literal(others)}\n"
    )


def _literal(text: str) -> str:
    """Text that roff prints as it stands."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join(
        f"\\&{line}" if line.startswith((".", "'")) else line.rstrip() for line in lines
    )


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` say whether one is stale; the exit code."""
    FOLDER.mkdir(exist_ok=True)
    found = pages()
    for stale in FOLDER.glob("*.1"):
        if stale.name not in found and "--check" not in arguments:
            stale.unlink()
    codes = [keep(FOLDER / n, text, "docs.generate.man", arguments) for n, text in found.items()]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
