"""The command that an answer leads to, ready to be pasted."""

import shlex
import string
from collections.abc import Mapping, Sequence

from ingest.named_queries.library import NamedQuery

_KEPT = ("since", "until", "host", "service")  # what the next question is to be asked about, too


def next_command(
    query: NamedQuery,
    columns: Sequence[str],
    row: Sequence[object],
    given: Mapping[str, str],
    shared: Sequence[str] = (),
) -> str | None:
    """The command of the header's ``next``, filled from the first row of the answer.

    The window, host and service that were given are asked about again; ``shared`` are words that
    every command takes, such as ``--db URL``. None where the header has none, or where a value is
    missing or could not be pasted: it stands in a log, and is never trusted.
    """
    words: list[str] = []
    values = dict(zip(columns, row, strict=True))
    for word in query.next.split():
        name = next((n for _, n, _, _ in string.Formatter().parse(word) if n), None)
        text = word if name is None else _pasteable(values.get(name))
        if text is None:
            return None
        words.append(text)
    if words[:2] == ["ttsq", "run"]:
        kept = [(n, given[n]) for n in _KEPT if n in given and f"--{n}" not in words]
        words += [part for name, value in kept for part in (f"--{name}", value)]
    return " ".join(map(shlex.quote, [*words, *shared])) if words else None


def _pasteable(value: object) -> str | None:
    """A value as a command's argument; None if it is empty, unprintable or like an option."""
    text = "" if value is None else str(value)
    return text if text and text.isprintable() and not text.startswith("-") else None
