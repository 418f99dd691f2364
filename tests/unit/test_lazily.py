"""Regular expressions whose compilation waits until they are used."""

import importlib
import pkgutil
import re

import ingest
from ingest.lazily import matcher
from tests.support.warmed import expressions


def test_expression_is_that_of_re() -> None:
    words = matcher(r"(?P<word>[a-z]+)", re.I)
    assert words.pattern == r"(?P<word>[a-z]+)"
    assert words.flags == re.compile(r"(?P<word>[a-z]+)", re.I).flags
    found = words.search("12 Ab cd")
    assert found is not None and found["word"] == "Ab"
    assert words.sub("x", "ab 1 cd") == "x 1 x"
    assert [m[0] for m in words.finditer("a b")] == ["a", "b"]
    assert dict(words.groupindex) == {"word": 1}


def test_every_expression_of_the_code_compiles() -> None:
    """A wrong one would be met only where it is used."""
    for module in pkgutil.walk_packages(ingest.__path__, "ingest."):
        if module.name != "ingest.__main__":
            importlib.import_module(module.name)
    found = list(expressions())
    assert len(found) > 200
    for expression in found:
        re.compile(expression.pattern, expression.flags_given)
