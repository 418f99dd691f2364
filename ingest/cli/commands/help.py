"""``ttsq help``: the help of ttsq, of a command, or of a query."""

from typing import Annotated

import typer


def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND] [NAME]", help="A command, and one of its own commands."),
    ] = None,
) -> None:
    """Show the help of a command, as its --help does.

    For example: ttsq help prune, ttsq help run failure_by_length
    """
    root = ctx.find_root()
    root.command.main([*(words or []), "--help"], root.info_name, standalone_mode=False)
