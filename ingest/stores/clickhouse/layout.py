"""How the tables lie on ClickHouse: versions of rows, and which of them are seen.

A table NAME is a view of ``NAME_rows``. Rows there are only ever added: each has the ``version`` of
the commit that brought it, and of the step within it. What replaces or removes a row notes that in
``superseded``. A row is seen when its commit is done, and no commit that is done has superseded it:
so a single row, the note that a commit is done, makes all that it did be seen at once.
"""

from dataclasses import dataclass

from ingest.model import KEY_SHIFT

STEPS = 64  # versions that one commit has: its inserts, and each change of rows after them
ROWS = "_rows"  # a table's rows, all versions
LEDGER = "superseded"
COMMITS = "commits"
NUMBERS = "given_numbers"
PLANNED, DONE, WITHDRAWN = 0, 1, 2  # states of a commit

# what names a row, as two integers; two rows of one name are versions of each other
_PLACE = ("file_key", "byte_offset")
IDENTITY: dict[str, tuple[str, str]] = {
    "requests": ("request_key", "0"),
    "request_parts": ("file_key", "first_offset"),
    "stage_timings": ("bitOr(bitShiftLeft(file_key, 40), byte_offset)", "seq"),
    "errors": ("error_key", "0"),
    "cache_samples": ("sample_key", "0"),
    "http_requests": ("http_key", "0"),
    "quarantine": _PLACE,
    "stored_lines": _PLACE,
    "known_stretches": _PLACE,
    "ingest_runs": ("run_key", "0"),
    "log_files": ("file_key", "0"),
    "pruned": ("reinterpretAsInt64(cityHash64(table_name))", "0"),
    "text_salts": ("salt_key", "0"),
}
TABLES = tuple(IDENTITY)


@dataclass(frozen=True, slots=True)
class Seen:
    """An instant of the store: commits up to ``newest`` but the ``hidden`` ones, and one's own,
    which may have several numbers.
    """

    newest: int
    hidden: tuple[int, ...]
    own: tuple[int, ...] = ()

    def table(self, name: str) -> str:
        """A subquery that has what a table holds at this instant."""
        return f"(select * except (version) from {name}{ROWS} where {self.where(name)})"

    def versions(self, name: str) -> str:
        """The same, with the version of each row."""
        return f"(select * from {name}{ROWS} where {self.where(name)})"

    def where(self, name: str) -> str:
        """Which rows of ``NAME_rows`` are seen at this instant."""
        shown = f"version < {(self.newest + 1) * STEPS}"
        noted = f"commit <= {self.newest}"
        if self.hidden:
            hidden = ", ".join(map(str, self.hidden))
            shown += f" and intDiv(version, {STEPS}) not in ({hidden})"
            noted += f" and commit not in ({hidden})"
        if self.own:
            mine = " or ".join(
                f"(version >= {own * STEPS} and version < {(own + 1) * STEPS})" for own in self.own
            )
            shown = f"(({shown}) or {mine})"
            noted = f"(({noted}) or commit in ({', '.join(map(str, self.own))}))"
        return f"{shown} and {_not_superseded(name, noted)}"


_UNDONE = (
    f"(select commit from {COMMITS} where commit not in "
    f"(select commit from {COMMITS} where state = {DONE}))"
)


def seen_now(name: str, columns: str) -> str:
    """The query of the view that has some columns of what a table holds now."""
    shown = f"intDiv(version, {STEPS}) not in {_UNDONE}"
    gone = _not_superseded(name, f"commit not in {_UNDONE}")
    return f"select {columns} from {name}{ROWS} where {shown} and {gone}"


def between(name: str, low: int, high: int) -> str:
    """A condition that all rows meet whose keys are so great: an index tells which parts have any,
    and it costs less than to look a key up.
    """
    key = IDENTITY[name][0]
    if name == "stage_timings":
        key, low, high = "file_key", low >> KEY_SHIFT, high >> KEY_SHIFT
    return f"{key} >= {low} and {key} <= {high}"


def _not_superseded(name: str, noted: str) -> str:
    return f"({', '.join(IDENTITY[name])}, version) not in {superseded(name, noted)}"


def superseded(name: str, noted: str) -> str:
    """A subquery that names the rows of a table that were replaced or removed."""
    return f"(select key, place, version from {LEDGER} where table_name = '{name}' and {noted})"
