"""Imported last by the process that others are forked from: what each ingest would make anew, a
tenth to a third of what it takes in a test. The profiles that come with ttsq are read; regular
expressions, which wait until they are used, are compiled.
"""

import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ingest.lazily import matcher
from ingest.pipeline.profiles import profiles

MATCHER: type = type(matcher(""))


def expressions() -> Iterator[Any]:
    """All that wait in modules of ours which are loaded."""
    return chain.from_iterable(map(_within, _values()))


def _values() -> Iterator[object]:
    for name, module in list(sys.modules.items()):
        if name.startswith("ingest."):
            yield from list(vars(module).values())


def _within(value: object) -> Iterator[Any]:
    if isinstance(value, MATCHER):
        yield value
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(_within, value.values()))
    elif isinstance(value, list | tuple):
        yield from chain.from_iterable(map(_within, value))


def _make_all() -> None:
    for expression in expressions():
        expression.search  # noqa: B018
    known = profiles(None)  # as an ingest asks for them
    known.match("a line of a service")
    known.code_of("a message")
    known.is_synthesis("/tts")


_make_all()
