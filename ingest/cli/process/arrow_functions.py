"""Arrow's functions, made when they are asked for.

``pyarrow.compute`` makes a function of its own for each of 286, with a signature and a text of
documentation, while it is loaded: a twentieth of an ingest of a few lines. A command calls twenty.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder

_MODULE = "pyarrow.compute"
_ALSO_CALLED = {"and_": "and", "or_": "or"}  # words of Python's
_NAMED_BY_ITSELF = ["utf8_zero_fill"]  # that the module gives a second name


class _Finder:
    """Finds the module as Python does, to load it in another way."""

    def find_spec(
        self, name: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == _MODULE else None
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Loader(spec.loader))
        return spec


class _Loader:
    """Runs the module as if Arrow had no functions; each is made when it is first asked for."""

    def __init__(self, loader: "Loader") -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load it; as a whole, where it is not the module that is known here."""
        from pyarrow import _compute as native

        empty, registry = dict(vars(module)), native.function_registry
        native.function_registry = lambda: _Few(registry())
        try:
            self._loader.exec_module(module)
            make, options_of = module._make_generic_wrapper, module._get_options_class
        except (AttributeError, KeyError, NameError):
            native.function_registry = registry
            vars(module).clear()
            vars(module).update(empty)
            self._loader.exec_module(module)
            return
        finally:
            native.function_registry = registry

        def made(name: str) -> object:
            """What the module has not: a function of Arrow's, or nothing."""
            known = _ALSO_CALLED.get(name, name)
            try:
                function = registry().get_function(known)
            except KeyError:
                raise AttributeError(f"module {_MODULE!r} has no attribute {name!r}") from None
            wrapped = make(known, function, options_of(function), arity=function.arity)
            setattr(module, name, wrapped)
            return wrapped

        vars(module).update(function_registry=registry, __getattr__=made)


class _Few:
    """The registry of Arrow's functions, which lists hardly any."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def list_functions(self) -> list[str]:
        return _NAMED_BY_ITSELF

    def __getattr__(self, name: str) -> object:
        return getattr(self._registry, name)


def make_when_asked_for() -> None:
    """For the rest of the process, unless they are loaded already."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, cast("MetaPathFinder", _Finder()))
