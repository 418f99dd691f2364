"""Regular expressions and dataclasses whose making waits until they are used."""

import copy
import importlib
import pickle
import pkgutil
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, field, fields, replace

import pytest

import ingest
from ingest.lazily import dataclass, matcher
from tests.support.warmed import expressions


@dataclass(frozen=True, slots=True)
class Place:
    """A frozen one with slots, a default and a list of its own."""

    name: str
    row: int = 7
    seen: list[int] = field(default_factory=list, compare=False)

    def moved(self) -> "Place":
        return replace(self, row=self.row + 1)


@dataclass(slots=True)
class Tally:
    count: int = 0


@dataclass(slots=True)
class Named(Tally):
    name: str = "none"


@dataclass(slots=True, eq=False)
class Same:
    count: int = 0


@dataclass(frozen=True)
class Open:
    name: str = "open"
    found: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return "as it says"


def test_frozen_with_slots() -> None:
    place = Place("a")
    assert (place.name, place.row, place.seen) == ("a", 7, [])
    assert place == Place("a", 7, [1]) and place != Place("b") and hash(place) == hash(Place("a"))
    assert place.moved() == Place("a", 8)
    assert repr(place) == "Place(name='a', row=7, seen=[])"
    assert asdict(place) == {"name": "a", "row": 7, "seen": []}
    with pytest.raises(FrozenInstanceError):
        place.row = 9  # type: ignore[misc]
    assert not hasattr(place, "__dict__")
    match place:
        case Place(name, row):
            assert (name, row) == ("a", 7)
    assert copy.deepcopy(place) == place == pickle.loads(pickle.dumps(place))
    assert Place("b").seen is not Place("b").seen


def test_of_another_one() -> None:
    named = Named(name="x")
    named.count += 3
    assert (named.count, named.name) == (3, "x")
    assert [f.name for f in fields(Named)] == ["count", "name"]
    with pytest.raises(TypeError):
        hash(named)
    assert Same() != Same() and len({Same(), Same()}) == 2


def test_without_slots() -> None:
    one = Open()
    assert (one.name, one.found, repr(one)) == ("open", [], "as it says")
    assert Open.name == "open" and not hasattr(Open, "found")
    assert vars(one) == {"name": "open", "found": []}
    with pytest.raises(TypeError):
        Open(nothing=1)  # type: ignore[call-arg]


def test_fields_before_an_instance() -> None:
    @dataclass(slots=True)
    class Fresh:
        first: int
        second: int = 2

    assert [f.name for f in fields(Fresh)] == ["first", "second"]
    assert Fresh.__match_args__ == ("first", "second")
    assert Fresh(1) == Fresh(1, 2)


def test_many_threads_make_the_first() -> None:
    for _ in range(50):

        @dataclass(frozen=True, slots=True)
        class Fresh:
            first: int

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(Fresh, range(8)))
        assert made == [Fresh(i) for i in range(8)]


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
