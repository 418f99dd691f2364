"""A parameter of a named query."""

from typing import NamedTuple

from ingest.lazily import matcher

_COUNTS_SECONDS = matcher(r"\bseconds\b")


class Param(NamedTuple):
    """A parameter: type, default as written (None: no value), inclusive bounds of a number."""

    name: str
    type: str
    default: str | None
    help: str
    low: float | None = None
    high: float | None = None

    @property
    def option(self) -> str:
        """The command-line option that sets it."""
        return "--" + self.name.replace("_", "-")

    @property
    def unit_seconds(self) -> float | None:
        """Seconds in one of what it counts, if it counts time; as its name or its help says."""
        if self.name.endswith("_ms"):
            return 0.001
        if self.name == "hours":
            return 3600.0
        return 1.0 if _COUNTS_SECONDS.search(self.help) else None
