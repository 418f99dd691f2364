"""A speech service's two logs, and a store that they are read into."""

from collections.abc import Sequence
from pathlib import Path

from ingest.stores.open import open_store
from tests.support import harness, postgres_server
from tests.support.command_line import CommandLine

_ANSWERS = (
    "select h.byte_offset, r.id from http_requests h "
    "left join requests r on r.request_key = h.request_key order by h.byte_offset"
)


class Service:
    """A store of an engine, and a service's two logs, which grow."""

    def __init__(self, folder: Path, engine: str = "duckdb") -> None:
        folder.mkdir(exist_ok=True)
        self._ttsq = CommandLine(folder)
        self.url = f"duckdb:///{self._ttsq.store}"
        if engine == "postgresql":
            self.url = postgres_server.new_url()
        else:
            harness.new_store(folder)
        self.application, self.access = folder / "app.log", folder / "access.log"

    def ingest(self, path: Path, lines: Sequence[str] = (), *, final: bool = True) -> None:
        """Read a log, with lines appended to it."""
        with path.open("a") as file:
            file.writelines(lines)
        self.run("ingest", path, "--tz", "UTC", *(["--final"] if final else []))

    def run(self, *words: str | Path) -> str:
        return self._ttsq.well("--db", self.url, *words)

    def answers(self) -> dict[int, str]:
        """The id of the request that each access line, by its number, is said to answer."""
        rows = self.rows(_ANSWERS)
        return {number: str(name) for number, (_, name) in enumerate(rows) if name is not None}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a statement finds in the store."""
        with open_store(self.url).reading() as reader:
            return [*reader.query(sql, {}).rows]
