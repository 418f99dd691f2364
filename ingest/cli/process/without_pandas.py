"""DuckDB and Arrow load pandas wherever it is installed, as soon as a value is bound: 0.3 s, for nothing that ttsq uses."""

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import MetaPathFinder


class _Absent:
    """A finder that tells whoever asks that there is no pandas here; both know how to do without."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("ttsq does without pandas", name=name)


def do_without_pandas() -> None:
    """For the rest of the process, unless it is loaded already."""
    if not any(isinstance(finder, _Absent) for finder in sys.meta_path):
        sys.meta_path.insert(0, cast("MetaPathFinder", _Absent()))
