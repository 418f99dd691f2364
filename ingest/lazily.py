"""What is made when it is first used: regular expressions, and the methods of dataclasses.

A command's modules have hundreds of both, of which it uses a few dozen. To compile an expression
takes 0.13 ms, to write and compile a dataclass's methods 0.5, its ``__init__`` alone 0.1.
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
    _GIVEN = ("__repr__", "__eq__", "__hash__")
    _OF_FIELDS = ("__dataclass_fields__", "__dataclass_params__", "__match_args__")
    _OF_ONE_CLASS = ("__dict__", "__weakref__")
    _KEPT = "__as_written__"
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
        """The decorator of :mod:`dataclasses`. A class's ``__init__`` is written when it is first
        called, its other methods when one of them is, or its fields are asked for.
        """
        if cls is None:
            return lambda given: _Unfinished(given, frozen, slots, eq).shown
        return _Unfinished(cls, frozen, slots, eq).shown

    class _Unfinished:
        """A class as it was written, and ``shown``, which modules see. ``fields``: those of its
        bases, and its own, with their defaults, or :data:`dataclasses.MISSING`.
        """

        def __init__(self, given: type, frozen: bool, slots: bool, eq: bool) -> None:
            members = _members(given)
            self._given = given.__name__, given.__bases__, members
            self._frozen, self._eq = frozen, eq
            self._is_finished = False
            self.shown = _with_slots(given) if slots else given
            self.fields: dict[str, Any] = {}
            for base in reversed(given.__mro__[1:]):
                if _KEPT in vars(base):
                    self.fields |= vars(base)[_KEPT].fields
            for name in members.get("__annotations__", ()):
                self.fields[name] = members.get(name, dataclasses.MISSING)
                if isinstance(self.fields[name], dataclasses.Field) and not slots:
                    delattr(given, name)
            for name, value in self._added(slots).items():
                if name not in members:
                    setattr(self.shown, name, value)

        def _added(self, slots: bool) -> dict[str, object]:
            """The members of a class whose methods are not written yet."""
            added: dict[str, object] = {_KEPT: self, "__init__": self._first_init()}
            added |= {name: self._first(name) for name in _GIVEN[: 3 if self._eq else 1]}
            added |= {name: _OfFields(name, self) for name in _OF_FIELDS}
            if self._frozen:
                added |= {
                    "__setattr__": self._kept("assign to"),
                    "__delattr__": self._kept("delete"),
                }
                if slots:
                    added |= {"__getstate__": _state, "__setstate__": _restore}
            return added

        def _kept(self, what: str) -> object:
            """The method that refuses to change a field."""

            def method(this: object, name: str, *value: object) -> None:
                if type(this) is self.shown or name in self.fields:
                    raise dataclasses.FrozenInstanceError(f"cannot {what} field {name!r}")
                getattr(super(self.shown, this), "__setattr__" if value else "__delattr__")(
                    name, *value
                )

            return method

        def _first_init(self) -> object:
            """An ``__init__`` that writes the one which takes its place."""

            def init(*args: object, **named: object) -> None:
                written = self._init()
                self.shown.__init__ = written
                written(*args, **named)

            return init

        def _first(self, name: str) -> object:
            """A method that writes all others, then calls the one of its name."""

            def method(*args: object) -> object:
                self.finish()
                return getattr(self.shown, name)(*args)

            return method

        def _init(self) -> Any:
            names: dict[str, Any] = {"_set": object.__setattr__, "_none": dataclasses.MISSING}
            parameters, lines = ["self"], []
            for name, default in self.fields.items():
                value, made = name, dataclasses.MISSING
                if isinstance(default, dataclasses.Field):
                    made, default = default.default_factory, default.default
                if made is not dataclasses.MISSING:
                    names[f"_made_{name}"], default = made, dataclasses.MISSING
                    parameters.append(f"{name}=_none")
                    value = f"_made_{name}() if {name} is _none else {name}"
                elif default is not dataclasses.MISSING:
                    names[f"_of_{name}"] = default
                    parameters.append(f"{name}=_of_{name}")
                else:
                    parameters.append(name)
                lines.append(
                    f"_set(self, {name!r}, {value})" if self._frozen else f"self.{name} = {value}"
                )
            body = "\n ".join(lines or ["pass"])
            exec(f"def __init__({', '.join(parameters)}):\n {body}", names)
            names["__init__"].__qualname__ = f"{self.shown.__qualname__}.__init__"
            return names["__init__"]

        def finish(self) -> None:
            """Write the other methods; only once, whichever thread comes first."""
            with _finishing:
                if self._is_finished:
                    return
                name, bases, members = self._given
                # without a text of its own, a class would have one made of its signature
                written = type(self.shown)(name, bases, {"__doc__": name, **members})
                written.__qualname__ = self.shown.__qualname__
                before = dict(vars(written))
                # what is frozen refuses by itself, above
                hashed = self._frozen and self._eq and "__hash__" not in members
                dataclasses.dataclass(init=False, eq=self._eq, unsafe_hash=hashed)(written)
                added = vars(written)
                for name in (*_OF_FIELDS, *_GIVEN):
                    if name in added and added[name] is not before.get(name, before):
                        setattr(self.shown, name, added[name])
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
