"""Regular expressions that are compiled when they are first used.

A command's modules have hundreds, of which it uses a few dozen; to compile one takes 0.13 ms.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    matcher = re.compile
else:
    _METHODS = ("match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split")

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
