"""The command that an answer leads to, ready to be pasted."""

import shlex
import string
from collections.abc import Collection, Mapping, Sequence

from ingest.named_queries.filters import NAMES
from ingest.named_queries.library import NamedQuery

# what the next question is to be asked about, too
_KEPT = ("since", "until", "service", *NAMES)


def next_command(
    query: NamedQuery,
    columns: Sequence[str],
    row: Sequence[object],
    given: Mapping[str, str],
    takes: Collection[str],
    shared: Sequence[str] = (),
) -> str | None:
    """The command of the header's ``next``, filled from the first row of the answer.

    The window and filters that were given are asked about again, those that the next query
    ``takes``; ``shared`` are words that every command takes, such as ``--db URL``. None where the
    header has none, or where a value is missing or could not be pasted: it stands in a log, and is
    never trusted.
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
        options = [(n, "--" + n.replace("_", "-")) for n in _KEPT if n in given and n in takes]
        words += [
            part for n, option in options if option not in words for part in (option, given[n])
        ]
    return " ".join(map(shlex.quote, [*words, *shared])) if words else None


def _pasteable(value: object) -> str | None:
    """A value as a command's argument; None if it is empty, unprintable or like an option."""
    text = "" if value is None else str(value)
    return text if text and text.isprintable() and not text.startswith("-") else None
