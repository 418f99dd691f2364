"""What is made when it is first used: regular expressions, and the methods of dataclasses.

A command's modules have hundreds of both, of which it uses a few dozen. To compile an expression
takes 0.13 ms, to write and compile a dataclass's methods 0.5: together a fifth of an ingest of a
few lines.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass

    matcher = re.compile
else:
    import dataclasses
    from threading import RLock

    _METHODS = ("match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split")
    # what the standard decorator adds, but for what Python itself keeps of a class
    _GIVEN = ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")
    _OF_FIELDS = ("__dataclass_fields__", "__dataclass_params__", "__match_args__")
    _OF_ONE_CLASS = ("__dict__", "__weakref__")
    _finishing = RLock()

    class _Matcher:
        """An expression with the methods of :class:`re.Pattern`, compiled when one is called."""

        __slots__ = ("flags_given", "pattern", *_METHODS)

        def __init__(self, pattern: str | bytes, flags: int = 0) -> None:
            self.pattern = pattern
            self.flags_given = flags

        def __getattr__(self, name: str) -> object:
            """What has not been set yet."""
            compiled = re.compile(self.pattern, self.flags_given)
            for method in _METHODS:
                setattr(self, method, getattr(compiled, method))
            return getattr(compiled, name)

        def __repr__(self) -> str:
            return f"matcher({self.pattern!r})"

    def matcher(pattern: str | bytes, flags: int = 0) -> _Matcher:
        """An expression as of :func:`re.compile`; a wrong one raises :class:`re.error` when it is
        first used.
        """
        return _Matcher(pattern, flags)

    def dataclass(
        cls: type | None = None, *, frozen: bool = False, slots: bool = False, eq: bool = True
    ) -> Any:
        """The decorator of :mod:`dataclasses`, which writes the methods of a class when it first
        makes an instance, or is asked for its fields.
        """
        if cls is None:
            return lambda given: _Unfinished(given, frozen, slots, eq).shown
        return _Unfinished(cls, frozen, slots, eq).shown

    class _Unfinished:
        """A class as it was written, and ``shown``, which modules see: the methods are written for
        a copy of the former, then given to the latter.
        """

        def __init__(self, given: type, frozen: bool, slots: bool, eq: bool) -> None:
            self._options = {"frozen": frozen, "eq": eq}
            self._keeps_state = frozen and slots
            self._given = given.__name__, given.__bases__, _members(given)
            self._is_finished = False
            self.shown = _with_slots(given) if slots else given
            for name, value in self._given[2].items():
                if isinstance(value, dataclasses.Field) and not slots:
                    delattr(given, name)
            for name in ("__init__", "__repr__", *(("__eq__", "__hash__") if eq else ())):
                if name not in self._given[2]:
                    setattr(self.shown, name, self._first(name))
            for name in _OF_FIELDS:
                setattr(self.shown, name, _OfFields(name, self))

        def _first(self, name: str) -> object:
            """A method that writes all, then calls the one of its name."""

            def method(*args: object, **named: object) -> object:
                self.finish()
                return getattr(self.shown, name)(*args, **named)

            return method

        def finish(self) -> None:
            """Write the methods; only once, whichever thread comes first."""
            with _finishing:
                if self._is_finished:
                    return
                name, bases, members = self._given
                # without a text of its own, a class would have one made of its signature
                written = type(self.shown)(name, bases, {"__doc__": name, **members})
                written.__qualname__ = self.shown.__qualname__
                before = dict(vars(written))
                dataclasses.dataclass(**self._options)(written)
                added = vars(written)
                for name in (*_OF_FIELDS, *_GIVEN):
                    if name in added and added[name] is not before.get(name, before):
                        setattr(self.shown, name, added[name])
                if self._keeps_state:
                    self.shown.__getstate__, self.shown.__setstate__ = _state, _restore
                self._is_finished = True

    class _OfFields:
        """What a class has of its fields, until its methods are written."""

        def __init__(self, name: str, unfinished: _Unfinished) -> None:
            self._name = name
            self._unfinished = unfinished

        def __get__(self, this: object, cls: type) -> object:
            self._unfinished.finish()
            return getattr(self._unfinished.shown, self._name)

    def _members(given: type) -> dict[str, object]:
        return {name: v for name, v in vars(given).items() if name not in _OF_ONE_CLASS}

    def _with_slots(given: type) -> type:
        """A class of the same members, and a slot in place of each field's default."""
        fields = tuple(vars(given).get("__annotations__", ()))
        members = {name: v for name, v in _members(given).items() if name not in fields}
        made = type(given)(given.__name__, given.__bases__, {**members, "__slots__": fields})
        made.__qualname__ = given.__qualname__
        return made

    def _state(this: object) -> list[object]:
        return [getattr(this, field.name) for field in dataclasses.fields(this)]

    def _restore(this: object, state: list[object]) -> None:
        for field, value in zip(dataclasses.fields(this), state, strict=True):
            object.__setattr__(this, field.name, value)
