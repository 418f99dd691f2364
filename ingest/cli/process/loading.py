"""What would be done at the start, and is not needed: a tenth of a run that finds nothing new."""

import gc
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import MetaPathFinder

# made since the last search for garbage, until the next one (Python: 700); an ingest loads more
# modules yet, and four searches among them take as long as reading 1 MB. A service's own line is a
# few objects, none of which refer to each other in a circle: a tenth of the time that it takes
_NEW_OBJECTS = 50_000


def with_garbage() -> None:
    """The command's module is loaded: look for garbage again (:mod:`ingest.__main__`), in what it
    makes from here on.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS)
        gc.enable()


class _Version:
    """Finds and makes DuckDB's module of its version, which would look for it in the metadata of
    what is installed: with modules for mails, sockets and archives. The engine knows its own.
    """

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, cast("None", self)) if name == "duckdb._version" else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        import _duckdb

        number = _duckdb.__version__
        vars(module).update(
            __version__=number,
            __duckdb_version__=number,
            version=lambda: f"{number} (with duckdb {number})",
        )


def without_metadata() -> None:
    """For the rest of the process, unless DuckDB is loaded already."""
    if not any(isinstance(finder, _Version) for finder in sys.meta_path):
        sys.meta_path.insert(0, cast("MetaPathFinder", _Version()))
