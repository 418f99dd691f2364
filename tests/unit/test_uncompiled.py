"""The compiled modules give the same answers as their Python source."""

import importlib.util
import json
import re
import sys
from datetime import UTC, tzinfo
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ingest
from benchmarks.foreign import write_log
from ingest.compiled import (
    content,
    envelopes,
    joined,
    layout,
    learnt,
    line_values,
    masks,
    numbers,
    objects,
    parts,
    picked,
    records,
    strings,
    text_classes,
    texts,
    usual,
)
from ingest.model import Origin
from ingest.records import parse
from ingest.records.arrays import view
from ingest.records.formats import Format, compile_format, scanner_arguments
from ingest.records.general import GeneralParser
from ingest.records.learnt import lines
from ingest.records.parse import Parsed, Parser
from ingest.records.units import FAMILIES
from ingest.rows import assemble, columns, rare, stage_timings
from ingest.rows.assemble import build, rare_rows
from tests.support import strategies
from tests.support.shipped_profiles import shipped

_PROFILE = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_FORMATS = (
    compile_format(),
    compile_format(escapes="none"),
    compile_format("%(asctime)s %(levelname)s [%(request_id)s] %(process)d %(name)s <%(message)s>"),
)
Table = np.ndarray[Any, Any]


_SCANNER = ("buffer", "stamps", "headers", "pairs", "numbers", "usual", "records")


def _sources(*names: str) -> dict[str, ModuleType]:
    """Modules of the package as plain Python, though compiled ones stand beside them; one may
    import those before it.
    """
    modules = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            path = Path(ingest.__file__).parent / "compiled" / f"{name}.py"
            spec = importlib.util.spec_from_file_location(f"ingest.compiled.{name}", path)
            assert spec is not None and spec.loader is not None
            modules[name] = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, f"ingest.compiled.{name}", modules[name])
            spec.loader.exec_module(modules[name])
    return modules


_BELOW = ("moments", "envelopes", "bars", "texts")
_OTHERS = ("strings", "text_classes", "parts", "masks", "objects",
           "line_values", "learnt", "content", "joined", "picked")  # fmt: skip
PLAIN = _sources(*_SCANNER, *_BELOW, *_OTHERS)


def test_the_sources_run_uncompiled() -> None:
    assert not any(PLAIN[name].COMPILED for name in ("records", "numbers", "usual", *_OTHERS))
    assert not any(str(module.__file__).endswith(".so") for module in PLAIN.values())


@pytest.mark.parametrize(
    "module",
    [
        records,
        strings,
        numbers,
        text_classes,
        parts,
        masks,
        objects,
        line_values,
        learnt,
        content,
        joined,
        picked,
        usual,
    ],
    ids=lambda m: str(m.__name__),
)
def test_the_package_runs_compiled(module: ModuleType) -> None:
    assert module.COMPILED, (
        f"{module.__name__} is not compiled: install with a C compiler (pip install -e .)"
    )
    assert str(module.__file__).endswith(".so")


def test_compiled_modules_have_the_layout_of_the_others() -> None:
    path = Path(ingest.__file__).parent / "compiled" / "layout.pxd"
    declared = dict(re.findall(r"^    (\w+) = (-?\d+)$", path.read_text(), re.MULTILINE))
    numbers_of = {k: v for k, v in vars(layout).items() if k.isupper() and isinstance(v, int)}
    assert {name: int(number) for name, number in declared.items()} == numbers_of


def _scanned(module: ModuleType, data: bytes, number: int, final: bool) -> tuple[object, ...]:
    fmt = _FORMATS[number]
    scanner = module.Scanner(*scanner_arguments(fmt, 4096))
    rows = max(1024, len(data) // 4)
    records = np.zeros((rows, layout.REC_WIDTH + 2 * len(fmt.extras)), np.int32)
    stamps = np.zeros(rows, np.int64)
    pairs = np.zeros((rows, layout.PAIR_WIDTH), np.int32)
    memory = memoryview(data)
    values, states = np.zeros(rows), np.zeros(rows, np.int8)
    found = view(values), view(states), view(FAMILIES)
    tables = view(records), view(stamps), view(pairs), found
    consumed = scanner.scan(memory, 0, len(data), final, True, *tables)
    n, p = scanner.n_records, scanner.n_pairs
    PLAIN["numbers"].numbers(
        memory, view(pairs[:p]), view(FAMILIES), view(values[:p]), view(states[:p])
    )
    stamped = records[:n, layout.R_KIND] == layout.K_HEADER
    return (
        consumed,
        bool(scanner.giant),
        records[:n].tolist(),
        stamps[:n][stamped].tolist(),
        pairs[:p].tolist(),
        states[:p].tolist(),
        values[:p].tolist(),
        scanner.next_beginning(memory, 0, len(data), final),
        scanner.header_end(memory, len(data)),
    )


@_PROFILE
@given(strategies.logs(), st.integers(0, len(_FORMATS) - 1), st.booleans())
def test_scanner(data: bytes, number: int, final: bool) -> None:
    compiled = _scanned(records, data, number, final)
    assert compiled == _scanned(PLAIN["records"], data, number, final)


def _pairs(data: bytes) -> Table:
    parser = Parser(_FORMATS[0], UTC)
    parsed = parser.parse(memoryview(data), base=0, final=True, last_instant=0, fallback_instant=0)
    return np.ascontiguousarray(parsed.pairs)


def _numbers(module: Any, data: bytes, pairs: Table) -> tuple[list[int], list[float]]:
    values, states = np.zeros(len(pairs)), np.full(len(pairs), numbers.UNREAD, np.int8)
    module.numbers(memoryview(data), view(pairs), view(FAMILIES), view(values), view(states))
    return states.tolist(), values[states == numbers.OK].tolist()


@_PROFILE
@given(strategies.logs())
def test_numbers(data: bytes) -> None:
    pairs = _pairs(data)
    if len(pairs):
        compiled = _numbers(numbers, data, pairs)
        assert compiled == _numbers(PLAIN["numbers"], data, pairs)


def _strings(module: Any, data: bytes, pairs: Table) -> tuple[list[int], bytes]:
    starts = pairs[:, layout.P_VALUE].copy()
    starts[::5] = -1  # nulls
    ends, flags = pairs[:, layout.P_VALUE_END].copy(), pairs[:, layout.P_FLAGS].copy()
    offsets = np.zeros(len(pairs) + 1, np.int32)
    out = np.zeros(3 * int(np.maximum(ends - starts, 0).sum()) + 1, np.uint8)
    columns = view(starts), view(ends), view(flags)
    used = module.strings(memoryview(data), *columns, view(offsets), view(out))
    return offsets.tolist(), out[:used].tobytes()


@_PROFILE
@given(strategies.logs())
def test_strings(data: bytes) -> None:
    pairs = _pairs(data)
    if len(pairs):
        compiled = _strings(strings, data, pairs)
        assert compiled == _strings(PLAIN["strings"], data, pairs)


@_PROFILE
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.text(alphabet="aé您🎉\u0800\ud7ff\0\r\n\\", max_size=20).map(str.encode),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_values_are_copied_the_same_wherever_eight_bytes_end(
    pieces: list[bytes], escaped: bool
) -> None:
    ends = np.cumsum([len(p) for p in pieces] or [0]).astype(np.int32)
    pairs = np.zeros((len(ends), layout.PAIR_WIDTH), np.int32)
    pairs[1:, layout.P_VALUE], pairs[:, layout.P_VALUE_END] = ends[:-1], ends
    pairs[:, layout.P_FLAGS] = layout.ESCAPED * escaped
    data = b"".join(pieces) or b"\0"
    assert _strings(strings, data, pairs) == _strings(PLAIN["strings"], data, pairs)
    every = view(np.arange(len(pairs), dtype=np.int32))
    plain = strings.plain(data, view(pairs), every)
    assert plain == PLAIN["strings"].plain(data, view(pairs), every)
    if plain:
        assert _strings(strings, data, pairs)[1] == _copied(data, pairs)


def _copied(data: bytes, pairs: Table) -> bytes:
    spans = pairs[:, [layout.P_VALUE, layout.P_VALUE_END]].tolist()
    return b"".join(data[low:high] for i, (low, high) in enumerate(spans) if i % 5)


def _built(data: bytes, fmt: Format, zone: tzinfo, carry: dict[str, int]) -> tuple[object, ...]:
    parsed = Parser(fmt, zone).parse(
        memoryview(data), base=7, final=True, last_instant=None, fallback_instant=5
    )
    rows, going_on = build(parsed, fmt, Origin(3, "host", "tts"), carry)
    tables = {name: found.table.to_pydict() for name, found in rows.records.items()}
    parts_of = {n: r.part.tolist() for n, r in rows.records.items() if r.part is not None}
    whole, ids = rows.whole.tolist(), rows.ids.to_pylist()
    kept = [build(parsed, fmt, Origin(3, "host", "tts"), carry, keeps_rare=True)[0] for _ in "ab"]
    few = rare_rows(rare.joined([r.rare for r in kept if r.rare], [0, rows.parts.num_rows]))
    rest = [(found.table.to_pydict(), found.part) for found in few.values()]
    rest = [(table, part if part is None else part.tolist()) for table, part in rest]
    return rows.parts.to_pydict(), tables, parts_of, whole, ids, going_on, parsed.ledger, rest


@_PROFILE
@given(
    strategies.logs(),
    st.integers(0, len(_FORMATS) - 1),
    st.sampled_from([UTC, ZoneInfo("Asia/Shanghai")]),
    st.booleans(),
)
def test_rows(data: bytes, number: int, zone: tzinfo, is_carried: bool) -> None:
    carry = {"ts_1": parts.OPEN, "none": 0} if is_carried else {}
    compiled = _built(data, _FORMATS[number], zone, carry)
    with pytest.MonkeyPatch.context() as patch:
        for module in (assemble, stage_timings):
            patch.setattr(module, "segments", PLAIN["parts"])
        patch.setattr(rare, "picked", PLAIN["picked"])
        patch.setattr(columns, "parts", PLAIN["parts"])
        patch.setattr(columns, "convert", PLAIN["strings"])
        patch.setattr(columns, "convert_numbers", PLAIN["numbers"])
        patch.setattr(parse, "tally", PLAIN["parts"].tally)
        patch.setattr(parse, "in_utc", PLAIN["parts"].infer)
        assert _built(data, _FORMATS[number], zone, carry) == compiled


def _column(texts: list[str]) -> tuple[Table, Table]:
    """Bytes and offsets of an Arrow string column."""
    _, offsets, data = pa.array(texts, pa.string()).buffers()
    held = (
        np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    )
    return held, np.frombuffer(offsets, np.int32)[: len(texts) + 1]


def _objects(module: Any, members: list[tuple[int, str, str]]) -> tuple[object, ...]:
    keys, key_at = _column([m[1] for m in members])
    values, value_at = _column([m[2] for m in members])
    owners = np.array([m[0] for m in members], np.int32)
    offsets, twice = np.zeros(9, np.int32), np.zeros(8, np.uint8)
    out = np.zeros(6 * (len(keys) + len(values)) + 8 * len(members) + 16, np.uint8)
    used = module.objects(keys, key_at, values, value_at, owners, 8, offsets, out, twice)
    return used, offsets.tolist(), twice.tolist(), out[:used].tobytes()


@_PROFILE
@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from(["a", "b", "键", 'q"']), st.text(max_size=12)),
        min_size=1,
        max_size=24,
    )
)
def test_objects(members: list[tuple[int, str, str]]) -> None:
    members = sorted(members, key=lambda m: m[0])
    assert _objects(strings, members) == _objects(PLAIN["strings"], members)


Event = tuple[int, int, int]


def _cut(
    module: Any, events: list[Event], carried: dict[int, int]
) -> tuple[int, list[int], list[list[int]]]:
    kinds = np.array([e[0] for e in events], np.int32)
    ids = np.array([e[1] for e in events], np.int32)
    instants = np.cumsum(np.array([e[2] for e in events], np.int64) * 1_000_000)
    part_of = np.zeros(len(events), np.int32)
    table = np.zeros((len(carried) + len(events), parts.PART_WIDTH), np.int32)
    known, ends = np.array(list(carried), np.int32), np.array(list(carried.values()), np.int64)
    n = module.cut(kinds, ids, instants, known, ends, 4, part_of, table)
    return n, part_of.tolist(), table[:n].tolist()


@_PROFILE
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2, 3, 4, 9]),
            st.integers(-1, 3),
            st.sampled_from([0, 1, 59, 61, -70]),
        ),
        min_size=1,
        max_size=40,
    ),
    st.dictionaries(st.integers(0, 3), st.sampled_from([parts.OPEN, 0, -90_000_000]), max_size=4),
)
def test_cut(events: list[Event], carried: dict[int, int]) -> None:
    assert _cut(parts, events, carried) == _cut(PLAIN["parts"], events, carried)


def _groups(module: Any, stamped: list[bool], sizes: tuple[int, int, int]) -> list[int]:
    cuts = np.zeros(len(stamped), np.int32)
    n = module.groups(view(np.array(stamped, np.uint8)), sizes, view(cuts))
    found: list[int] = cuts[:n].tolist()
    return found


@_PROFILE
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 20))
def test_groups_begin_at_lines_with_a_time_and_are_no_longer_than_they_may(
    stamped: list[bool], last: int
) -> None:
    cuts = _groups(content, stamped, (8, 3, last))
    assert cuts == _groups(PLAIN["content"], stamped, (8, 3, last))
    assert cuts[0] == 0
    for at, end in pairwise([*cuts, len(stamped)]):
        assert at < end <= at + (8 if at < len(stamped) - last else 3)
        if end < len(stamped) and not stamped[end]:
            assert not any(stamped[at + 1 : end])


def _classified(module: Any, texts: list[str], missing: set[int]) -> tuple[object, ...]:
    data, offsets = _column(texts)
    table = (np.arange(0x110000) % 5).astype(np.uint8)
    loaded = np.ones(0x1100, np.uint8)
    loaded[list(missing)] = 0
    classes, lengths = np.zeros(len(texts), np.int8), np.zeros(len(texts), np.int64)
    arguments = view(data), view(offsets), view(table), view(loaded), view(classes), view(lengths)
    stopped = module.classify(*arguments, 0)
    known = len(texts) if stopped is None else stopped[0]
    return stopped, classes[:known].tolist(), lengths[:known].tolist()


@_PROFILE
@given(
    st.lists(st.text(max_size=12), min_size=1, max_size=12),
    st.sets(st.integers(0, 0x10FF), max_size=3),
)
def test_classes_of_texts(texts: list[str], missing: set[int]) -> None:
    compiled = _classified(text_classes, texts, missing)
    assert compiled == _classified(PLAIN["text_classes"], texts, missing)
    if compiled[0] is None:
        assert compiled[1:] == (
            [max((ord(c) % 5 for c in text), default=0) for text in texts],
            [len(text) for text in texts],
        )


@_PROFILE
@given(st.text(alphabet='aZ0123456789.: "\t%|█/[<]\r_', max_size=60))
def test_masks_are_the_same(text: str) -> None:
    line = text.encode()
    compiled, plain = masks.Masker(envelopes.BARE), PLAIN["masks"].Masker(envelopes.BARE)
    assert compiled.of(line) == plain.of(line)
    assert compiled.is_run_of_bars(line) == plain.is_run_of_bars(line)
    assert not compiled.is_run_of_bars(line) or compiled.ends_full() == plain.ends_full()


@_PROFILE
@given(
    st.text(alphabet="aZ9.: \"=-_'好é😀,", max_size=40), st.sampled_from((b"", b"\xff", b"\xe5"))
)
def test_texts_behind_heads_are_the_same(text: str, odd: bytes) -> None:
    line = b"said 7: " + text.encode() + odd
    steps, last = np.zeros((2, 256), np.int32), np.zeros(2, np.uint8)
    steps[1, ord("a")], steps[1, ord("9")], last[0] = 1, texts.MAYBE, 0
    found = []
    for module in (masks, PLAIN["masks"]):
        masker = module.Masker(envelopes.BARE)
        head = masker.of(b"said 7: ")[0]
        masker.know_heads([b"x", head], [0, 1], view(steps), view(last), lambda state, byte: None)
        found.append((masker.of(line), masker.marked()))
    assert found[0] == found[1]


_MEMBERS = st.dictionaries(
    st.sampled_from(("text", "id", "n", "time", "level", "a b")),
    st.one_of(
        st.text(max_size=8), st.integers(), st.floats(), st.none(), st.booleans(),
        st.floats(1.0e9, 2.0e9), st.integers(10**9, 2 * 10**9), st.lists(st.integers(), max_size=2),
        st.datetimes().map(str), st.sampled_from(("2026-03-02T10:00:00+0100", "ts_12", "😀\n")),
    ),
)  # fmt: skip


@_PROFILE
@given(_MEMBERS, st.booleans(), st.sampled_from(("", ",", "}", "\\", "1")))
def test_masks_of_objects_are_the_same(members: Any, is_ascii: bool, odd: str) -> None:
    line = (json.dumps(members, ensure_ascii=is_ascii) + odd).encode("utf-8", "surrogatepass")
    found = []
    for of_lines, of_objects in ((masks, objects), (PLAIN["masks"], PLAIN["objects"])):
        masker, known = of_lines.Masker(envelopes.BARE), of_objects.Objects()
        masked = known.of(masker, line)
        while masked is None and known.lacks and known.know(masker, objects.FREE):
            masked = known.of(masker, line)
        spans = masked[1] if masked is not None else []
        values = [known.written(masker, k) for k in range(len(spans))]
        found.append((masked, values, [known.moment(masker, k) for k in range(len(spans))]))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "shape",
    ["compose", "json-file", "cri", "structlog's JSON", "CosyVoice, texts that come once"],
)
def test_learnt_lines_run_uncompiled(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(tmp_path / "log", shape, 0.06)
    data = (tmp_path / "log").read_bytes()
    parsed = _general(data, shape)
    monkeypatch.setattr(lines, "Learnt", PLAIN["learnt"].Learnt)
    again = _general(data, shape)
    assert bytes(parsed.data) == bytes(again.data)
    assert (parsed.records == again.records).all() and (parsed.pairs == again.pairs).all()
    assert (parsed.instants == again.instants).all()


def _general(data: bytes, shape: str) -> Parsed:
    since = 1_772_416_800_000_000 if shape.startswith("CosyVoice") else None  # dated before
    parser = GeneralParser(compile_format(), UTC, shipped(), head=data[:1024])
    return parser.parse(
        memoryview(data), base=0, final=True, last_instant=since, fallback_instant=10**15
    )
