"""One module per command: options in, one call, text out; and the table of all commands.

A new command is a module here and one line in :data:`COMMANDS`.
"""

from collections.abc import Mapping
from typing import NamedTuple

# as `ttsq --help` groups them
READ, ASK, KEEP, MORE = "Read logs", "Ask", "Keep the store", "Other"


class Command(NamedTuple):
    """A command of ``ttsq``: where it lives, as ``module:attribute`` in this folder, and what it
    does.

    The attribute is a function, or a ``typer.Typer`` for a command with commands of its own. The
    summary has 45 characters at most: longer ones do not fit a narrow terminal. ``settings`` are
    those of the parser, for which a module may name a class of its own as ``PARSER``.
    """

    name: str
    place: str
    section: str
    summary: str
    settings: Mapping[str, object] = {}


# options that only the query knows are passed on as words
_WORDS = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
_DASHES = {"ignore_unknown_options": True}  # a query's options, or SQL that begins with --

COMMANDS = (
    Command("ingest", "ingest:ingest", READ, "Read what is new in log files"),
    Command("check", "check:check", READ, "See which queries a log can answer"),
    Command("profiles", "profiles:profiles", READ, "List and try what services print"),
    Command("formats", "formats:formats", READ, "List and try formats of access lines"),
    Command("replay", "replay:replay", READ, "Retry quarantined lines"),
    Command("reread", "reread:reread", READ, "Forget a file's rows, read it anew"),
    Command("verify", "verify:verify", READ, "Recount log files against the tables"),
    Command("demo", "demo:demo", READ, "Write a small log set with an incident"),
    Command("run", "run:run", ASK, "Ask a named query", _WORDS),
    Command("queries", "queries:queries", ASK, "List the named queries, or check them"),
    Command("show", "show:show", ASK, "Print the SQL of a named query", _DASHES),
    Command("sql", "sql:sql", ASK, "Ask in SQL, read only", _DASHES),
    Command("trace", "trace:trace", ASK, "Show everything about one request"),
    Command("triage", "triage:triage", ASK, "Say what is wrong, and why"),
    Command("report", "report:report", ASK, "Write the incident as one HTML page"),
    Command("top", "top:top", ASK, "Watch the last minutes, live"),
    Command("mcp", "mcp:serve", ASK, "Answer an assistant's questions"),
    Command("status", "status:status", KEEP, "Show files, progress, runs and quarantine"),
    Command("prune", "prune:prune", KEEP, "Remove old rows or old user text"),
    Command("publish", "publish:publish", KEEP, "Copy the store for BI tools"),
    Command("db", "db:db", KEEP, "Upgrade the schema, grant read access"),
    Command("config", "config:config", MORE, "Show the settings that apply"),
    Command("help", "help:show_help", MORE, "Show the help of a command"),
)
