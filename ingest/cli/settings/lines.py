"""On which line of a TOML text each key stands; the parser of the standard library does not say."""

from collections.abc import Iterator, Mapping

from ingest.lazily import matcher

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = matcher(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=")
_TABLE = matcher(r"[ \t]*(\[\[?)([^\]]*)\]")
_PARTS = matcher(_PART)
_LONG_QUOTES = ('"""', "'''")


def key_lines(text: str) -> dict[str, int]:
    """Line, from 1, of every key and table: ``db``, ``prune.older_than``, ``sources[0].host``.

    Keys inside an inline table are not found; :func:`line_of` falls back on the table. Time is
    linear in the text.
    """
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in _outside_strings(text):
        header = _TABLE.match(line)
        key = None if header else _KEY.match(line)
        if header:
            table = _name(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table += f"[{counts[table]}]"
            found.setdefault(table, number)
        elif key:
            found.setdefault(f"{table}.{_name(key[1])}" if table else _name(key[1]), number)
    return found


def line_of(lines: Mapping[str, int], key: str) -> int | None:
    """The line of a key, else of the innermost table around it that has one."""
    while key not in lines:
        outer = max(key.rfind("."), key.rfind("["))
        if outer < 1:
            return None
        key = key[:outer]
    return lines[key]


def _name(written: str) -> str:
    return ".".join(part.strip("\"'") for part in _PARTS.findall(written))


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Lines that do not begin inside a string of several lines, with their numbers."""
    inside = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not inside:
            yield number, line
            opened = [q for q in _LONG_QUOTES if line.count(q) % 2]
            inside = opened[0] if opened else ""
        elif line.count(inside) % 2:
            inside = ""
