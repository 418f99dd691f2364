"""Arrow's module of functions as the commands load it: the same functions, made when asked for."""

from dis import get_instructions
from importlib.util import module_from_spec
from types import FunctionType, ModuleType

import pyarrow as pa
import pyarrow.compute as whole
import pytest

from ingest.cli.process.arrow_functions import _Finder


def _loaded() -> ModuleType:
    spec = _Finder().find_spec("pyarrow.compute", pa.__path__)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_has_every_function_of_the_whole_module() -> None:
    bare = _loaded()
    assert not hasattr(bare, "no_such_function")
    waiting = set(vars(whole)) - set(vars(bare))
    assert len(waiting) > 200, "this Arrow's module is loaded as a whole"
    for name in waiting:
        assert callable(getattr(bare, name)), name


def test_none_of_its_own_functions_calls_one_that_is_not_made() -> None:
    bare = _loaded()
    waiting = set(vars(whole)) - set(vars(bare))
    own = [f for f in vars(bare).values() if isinstance(f, FunctionType)]
    called = {
        step.argval for f in own for step in get_instructions(f) if step.opname == "LOAD_GLOBAL"
    }
    assert not called & waiting


def test_functions_give_the_same() -> None:
    bare = _loaded()
    column = pa.array(["ab", None, "c"])
    assert bare.is_in(column, value_set=pa.array(["c"])) == whole.is_in(
        column, value_set=pa.array(["c"])
    )
    assert bare.utf8_lpad(column, 3, "x") == whole.utf8_lpad(column, 3, "x")
    assert bare.min_max(pa.array([2, 1])) == whole.min_max(pa.array([2, 1]))
    assert bare.sum(pa.array([2, None]), skip_nulls=False) == pa.scalar(None, pa.int64())
    assert bare.and_(pa.array([True]), pa.array([False])) == pa.array([False])
    assert bare.binary_join_element_wise(column, "z", "-") == pa.array(["ab-z", None, "c-z"])
    with pytest.raises(TypeError):
        bare.equal(column)


def test_another_module_is_loaded_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.cli.process.arrow_functions._NAMED_BY_ITSELF", [])
    module = _loaded()
    assert not set(vars(whole)) - set(vars(module))
