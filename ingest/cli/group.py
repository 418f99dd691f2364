"""The group of all commands: imports the module of the command that is asked for, and no other."""

from collections.abc import Iterator, MutableMapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ingest.cli.commands import COMMANDS, Command
from ingest.cli.options.context import Options
from ingest.cli.process.loading import with_garbage

_BY_NAME = {command.name: command for command in COMMANDS}
_FOLDER = "ingest.cli.commands"


class LazyGroup(TyperGroup):
    """The commands of :data:`COMMANDS`; lists them without importing any."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": _Commands()})

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Names of commands with their summaries, and options; no command is imported for it."""
        commands = [TyperCommand(c.name, help=c.summary) for c in COMMANDS]
        stub = TyperGroup(name=self.name, commands=commands, params=self.params)
        return stub.shell_complete(stub.context_class(stub, info_name=ctx.info_name), incomplete)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands in their sections, with the summaries of the table."""
        width = max(map(len, _BY_NAME))
        for section in dict.fromkeys(c.section for c in COMMANDS):
            rows = [(f"{c.name:<{width}}", c.summary) for c in COMMANDS if c.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


class _Commands(MutableMapping[str, Any]):
    """Names of commands to commands; each is imported the first time it is taken out."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(_BY_NAME[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_BY_NAME)

    def __len__(self) -> int:
        return len(_BY_NAME)


def _load(entry: Command) -> Any:
    """The command as the parser wants it, with the options that every command takes."""
    module, _, attribute = entry.place.partition(":")
    loaded = import_module(f"{_FOLDER}.{module}")
    found, parser = getattr(loaded, attribute), getattr(loaded, "PARSER", TyperCommand)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=entry.name)
        command: Any = get_command(app).commands[entry.name]  # type: ignore[attr-defined]
    else:
        app.command(entry.name, cls=parser, context_settings=dict(entry.settings))(found)
        command = get_command(app)
    _take_everywhere(command)
    with_garbage()
    return command


def _take_everywhere(command: Any) -> None:
    """Let a command, and the commands in it, take the options that stand in front of commands."""
    command.params.extend(_everywhere())
    for inner in getattr(command, "commands", {}).values():
        _take_everywhere(inner)


@cache
def _everywhere() -> list[Any]:
    """--db, --config and --debug behind a command, as the parser wants them."""
    app = typer.Typer(add_completion=False)
    app.command()(_options)
    return [param for param in get_command(app).params if param.name in ("db", "config", "debug")]


def _chosen(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> None:
    """Set one of the options in front of the command from behind it."""
    chosen = ctx.find_object(Options)
    if chosen is not None and value:
        setattr(chosen, str(param.name), value)


def _options(
    db: Annotated[
        str | None, typer.Option(hidden=True, expose_value=False, callback=_chosen)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(hidden=True, expose_value=False, callback=_chosen)
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", hidden=True, expose_value=False, callback=_chosen)
    ] = False,
) -> None:
    """The options of the group, as every command takes them."""
