"""What DuckDB proposes for a name that it does not know."""

from collections.abc import Iterable

from ingest.lazily import matcher

_CANDIDATES = matcher(r"Candidate (?:bindings|tables)[:\s]+(?P<names>.+)")


def meant(lines: Iterable[str]) -> str:
    """The proposal in the lines below an error's first, ``Did you mean "status"?``; or nothing."""
    for line in lines:
        if line.startswith("Did you mean"):
            return line.strip()
        if near := _CANDIDATES.match(line):
            return f"Did you mean {near['names'].strip()}?"
    return ""
