"""DuckDB and Arrow import pandas when a value is bound: 0.3 s, which ttsq does not need."""

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import MetaPathFinder


class _Absent:
    """A finder that reports pandas as absent; both libraries work without it."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("ttsq does without pandas", name=name)


def do_without_pandas() -> None:
    """For the rest of the process, unless it is loaded already."""
    if not any(isinstance(finder, _Absent) for finder in sys.meta_path):
        sys.meta_path.insert(0, cast("MetaPathFinder", _Absent()))
