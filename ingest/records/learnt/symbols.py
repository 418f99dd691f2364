"""Values that nothing may look at: what is made of one is made of any (pure).

A symbol stands for a value in a trial. It can be kept, passed on and asked for its type; whatever
else is done to it raises :class:`Unlearnable`: then what the line does depends on the value.
"""

from collections.abc import Callable
from typing import Any

_ALLOWED = frozenset({
    "__class__", "__new__", "__init__", "__getattribute__", "__setattr__", "__delattr__",
    "__dict__", "__doc__", "__init_subclass__", "__subclasshook__", "__reduce__", "__reduce_ex__",
    "__getnewargs__", "__sizeof__", "__getstate__", "__module__", "__weakref__", "__dir__",
})  # fmt: skip
MARK = "\ue000"  # in the text of each symbol: no function written in C may take it unnoticed
Slot = tuple[Any, ...]


class Unlearnable(Exception):
    """What a line does hangs on one of its values, or is more than a program can say."""


def _looked_at(name: str) -> Callable[..., Any]:
    def refuse(self: object, *_: object, **__: object) -> Any:
        raise Unlearnable(f"{type(self).__name__}.{name}")

    return refuse


def _blind(base: type) -> dict[str, Any]:
    """Methods for a subclass that refuse everything that its base can do."""
    names = (name for kind in base.__mro__ for name in vars(kind))
    return {
        name: _looked_at(name)
        for name in names
        if name not in _ALLOWED and callable(getattr(base, name, None))
    }


class _Slotted:
    slot: Slot


TextSymbol: Any = type("TextSymbol", (_Slotted, str), _blind(str))
NumberSymbol: Any = type("NumberSymbol", (_Slotted, float), _blind(float))
InstantSymbol: Any = type("InstantSymbol", (_Slotted, int), _blind(int))


class _Solid:
    """What is known of a text in which a number stands: it is not empty."""

    def __eq__(self, other: object) -> bool:
        if type(other) is str and not other:
            return False
        raise Unlearnable("a text is compared")

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


SolidSymbol: Any = type("SolidSymbol", (_Solid, TextSymbol), {})


class PathSymbol(_Slotted, str):
    """A path of a known kind: all that is done with one follows from its kind. Its text is one of
    these.
    """

    def partition(self, sep: str) -> tuple[str, str, str]:
        """It holds no query."""
        return self, "", ""


def path(slot: Slot, text: str) -> str:
    """A symbol for a path in a slot, of the kind that this one is of."""
    made = PathSymbol(text)
    made.slot = slot
    return made


def text(slot: Slot, *, is_solid: bool = False) -> str:
    """A symbol for a text in a slot; ``is_solid``: it is never empty."""
    made: str = str.__new__(SolidSymbol if is_solid else TextSymbol, f"{MARK}{slot}")
    made.slot = slot  # type: ignore[attr-defined]
    return made


def number(slot: Slot) -> float:
    """A symbol for a number in a slot."""
    made: float = float.__new__(NumberSymbol, 1.25e77)
    made.slot = slot  # type: ignore[attr-defined]
    return made


def instant(slot: Slot) -> int:
    """A symbol for an instant in a slot."""
    made: int = int.__new__(InstantSymbol, 3 << 80)
    made.slot = slot  # type: ignore[attr-defined]
    return made


def slot_of(value: object) -> Slot | None:
    """The slot that a symbol stands for, None for any other value."""
    return value.slot if isinstance(value, _Slotted) else None
