"""``--text hash`` and ``drop``: user text never reaches the store, but what is computed from it
does.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.pipeline import ingest as pipeline
from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.rows.user_text import TextPolicy, figures_only
from ingest.stores.contract import Store
from tests.support import harness, strategies
from tests.support.command_line import CommandLine

_SETTINGS = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "40")) // 8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
_POLICIES: tuple[TextPolicy, ...] = ("hash", "drop")
# columns that lose words, by table
_WORDS = {
    "requests": {"text", "attributes"},
    "errors": {"message", "exception_message", "traceback", "attributes"},
    "quarantine": {"raw"},
}
_AT = "2026-03-02 00:00:{:02},000 - app - {} - "


def _log(word: str) -> str:
    """Requests with a word wherever a service may log it: complete, in two files, open, failed; a
    line that is none.
    """
    return (
        _AT.format(1,
        "INFO") + f'synthesis_start: id=ts_1, gpu_c=71, mood="{word}", text="{word} 你好"\n'
        + _AT.format(2,
        "ERROR") + f'synthesis_failed: id=ts_1, error_code=OOM, said="{word}", took=5ms, for {word}\n'  # noqa: E501
        + 'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\nValueError: ' f'{word}\n'  # noqa: E501
        + _AT.format(3, "INFO") + "synthesis_complete: id=ts_1, status=failed, duration_ms=500\n"
        + _AT.format(4, "INFO") + f'synthesis_start: id=ts_2, text="{word} 你好"\n'
        + _AT.format(5, "INFO") + f'synthesis_start: id=ts_3, text="{word} 😀"\n'
        + f"2026-02-31 00:00:00,000 - app - INFO - {word}\n"
    )  # fmt: skip


def _rest() -> str:
    return (
        _AT.format(6, "INFO") + "audio_metrics: id=ts_2, rms=0.1, text_len=99\n"
        + _AT.format(7, "INFO") + "synthesis_complete: id=ts_2, status=success, duration_ms=500\n"
    )  # fmt: skip


def _ask(ttsq: CommandLine, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _bytes_of(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.glob("store.duckdb*")))


@pytest.mark.parametrize("policy", _POLICIES)
def test_no_word_comes_to_the_store(policy: str, tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    (tmp_path / "a.log").write_text(_log("secret"))
    ttsq.well("ingest", "a.log", "--text", policy)
    (tmp_path / "b.log").write_text(_rest())
    ttsq.well("ingest", "a.log", "b.log", "--final", "--text", policy)
    assert _ask(
        ttsq, "select id, status, text_len, text_class, duration_ms from requests order by id"
    ) == [
        ("ts_1", "failed", 9, "plain", 500.0),
        ("ts_2", "success", 99, "plain", 500.0),
        ("ts_3", None, 8, "emoji", None),
    ]
    assert _ask(ttsq, "select cast(attributes as varchar) from requests where id = 'ts_1'") == [
        ('{"gpu_c":"71","took":"5ms"}',)
    ]
    assert _ask(
        ttsq,
        "select code, exception_type, location, message, traceback, cast(attributes as "
        "varchar) from errors",
    ) == [("OOM", "ValueError", "/app/a.py:3 in f", None, None, '{"took":"5ms"}')]
    assert b"secret" in (tmp_path / "a.log").read_bytes()
    assert b"secret" not in _bytes_of(tmp_path)
    for words in (("replay",), ("prune", "--text-older-than", "1h"), ("verify",)):
        ttsq.well(*words) if words[0] != "replay" else ttsq.well(*words, "--text", policy)
    for words in (("run", "error_groups"), ("run", "failure_by_cause"), ("trace", "ts_1")):
        ttsq.well(*words)
    assert b"secret" not in _bytes_of(tmp_path)


def test_equal_texts_have_equal_hashes_in_one_store_alone(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        ttsq = CommandLine(tmp_path / name)
        ttsq.folder.mkdir()
        (ttsq.folder / "a.log").write_text(_log("secret"))
        ttsq.well("ingest", "a.log")
        ttsq.execute("delete from requests; delete from request_parts; delete from log_files")
        ttsq.well("ingest", "a.log", "--text", "hash")
        (ttsq.folder / "b.log").write_text(_log("other").replace("ts_", "ts_9"))
        ttsq.well("ingest", "b.log", "--text", "hash")
        hashes.append(dict(_ask(ttsq, "select id, text from requests")))
    for found in hashes:
        assert len(found["ts_1"]) == 32 and set(found["ts_1"]) <= set("0123456789abcdef")
        assert found["ts_1"] == found["ts_2"] != found["ts_3"]
        assert len(set(found.values())) == 4
    assert not set(hashes[0].values()) & set(hashes[1].values())


def test_the_policy_of_the_settings_holds_and_an_option_goes_over_it(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    (tmp_path / "ttsq.toml").write_text('text = "drop"\n')
    for name, words in (("a", ()), ("b", ("--text", "keep"))):
        (tmp_path / f"{name}.log").write_text(_log(name).replace("ts_", f"ts_{name}"))
        ttsq.well("ingest", f"{name}.log", *words)
    found = _ask(ttsq, "select id[4], count(text) from requests group by 1 order by 1")
    assert found == [("a", 0), ("b", 3)]
    assert ttsq("ingest", "a.log", "--text", "some").code == 2


def test_a_line_of_a_file_that_is_no_log_is_not_repeated(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    (tmp_path / "notes.txt").write_text("my secret\nanother\nand a third\n")
    (tmp_path / "a.log").write_text(_log("word"))
    kept = ttsq("ingest", "a.log", "notes.txt")
    assert (kept.code, "my secret" in kept.err) == (3, True)
    dropped = ttsq("ingest", "notes.txt", "a.log", "--text", "drop")
    assert (dropped.code, "secret" in dropped.err + dropped.out) == (3, False)
    assert "has the log format" in dropped.err


def test_the_salt_is_not_published(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    (tmp_path / "a.log").write_text(_log("word"))
    ttsq.well("ingest", "a.log", "--text", "hash")
    ttsq.well("publish")
    (salt,) = _ask(ttsq, "select salt from text_salts")[0]
    assert len(str(salt)) == 64
    copies = [p for p in (tmp_path / "published").iterdir() if p.suffix == ".duckdb"]
    assert copies
    for copy in copies:
        assert str(salt).encode() not in copy.read_bytes()


@given(
    st.dictionaries(
        st.one_of(st.from_regex(r"[a-z_]{1,4}", fullmatch=True), st.text(min_size=1, max_size=4)),
        st.one_of(st.sampled_from(["1", "2.5 ms", "true", "-7%"]), st.text(max_size=6)),
        max_size=5,
    )
)
def test_of_attributes_only_figures_stay(members: dict[str, str]) -> None:
    import json
    import re

    import pyarrow as pa

    figure = re.compile(r"true|false|yes|no|[+-]?\d{1,9}(\.\d{0,9})?( ?[A-Za-z%]+)?", re.ASCII)
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    (found,) = figures_only(pa.chunked_array([[text]])).to_pylist()
    left = json.loads(found) if found else {}
    assert left.items() <= members.items()
    assert all(figure.fullmatch(v) for v in left.values())
    certain = {
        k: v
        for k, v in members.items()
        if v in ("1", "2.5 ms", "true", "-7%") and re.fullmatch("[a-z_]+", k)
    }
    assert certain.items() <= left.items()


def _run(store: Store, path: Path, final: bool, policy: TextPolicy) -> None:
    options = Options(
        "h", "s", compile_format(), UTC, final=final, chunk_bytes=900, batch_bytes=1800, text=policy
    )
    pipeline.ingest(store, [str(path)], options, now=lambda: datetime.now(UTC))


@pytest.mark.parametrize("engine", harness.ENGINES)
@pytest.mark.parametrize("policy", _POLICIES)
@_SETTINGS
@given(
    data=strategies.logs().flatmap(lambda d: st.tuples(st.just(d), strategies.split_points(d))),
)
def test_all_else_is_as_it_would_be(
    engine: str, policy: TextPolicy, data: tuple[bytes, list[int]]
) -> None:
    content, points = data
    note(repr((content, points)))
    with TemporaryDirectory() as name:
        path = Path(name) / "app.log"
        (Path(name) / "kept").mkdir()
        stores = (
            harness.new_store_of(engine, Path(name)),
            harness.new_store_of("duckdb", Path(name) / "kept"),
        )
        for point in [*sorted(points), len(content)]:
            path.write_bytes(content[:point])
            for store, chosen in zip(stores, (policy, "keep"), strict=True):
                _run(store, path, point == len(content), chosen)
        ours, kept = (harness.dump(store, [path]) for store in stores)
    for table, rows in kept.items():
        words = _WORDS.get(table, set())
        for mine, other in zip(ours[table], rows, strict=True):
            same = {k: v for k, v in other.items() if k not in words}
            assert {k: v for k, v in mine.items() if k not in words} == same, table
    texts = [
        (a["text"], b["text"]) for a, b in zip(ours["requests"], kept["requests"], strict=True)
    ]
    assert all((a is None) == (b is None or policy == "drop") for a, b in texts)
    assert len({a for a, _ in texts}) == (len({b for _, b in texts}) if policy == "hash" else bool(texts))  # fmt: skip  # noqa: E501
    for row in ours["errors"]:
        assert row["message"] is row["traceback"] is row["exception_message"] is None
    assert all(row["raw"] == "" for row in ours["quarantine"])


@pytest.mark.parametrize("policy", _POLICIES)
def test_a_service_s_text_of_several_lines_is_read_on_without_it(
    policy: TextPolicy, tmp_path: Path
) -> None:
    """Between any two of its lines a run may end; what is stored of its state has no texts."""
    header = "03-02 10:00:{} |  INFO  | {} | {}\n"
    lines = (
        header.format(10, "server_fastapi.py:200", "127.0.0.1:50122/voice  text=a%0Ab%0Ac")
        + header.format(10, "tts_model.py:410", "Start generating audio data from text:")
        + "a\nb\nc\n"
        + header.format(12, "tts_model.py:480", "Audio data generated successfully")
    ).encode()
    ends = [i + 1 for i, byte in enumerate(lines) if byte == 10]
    path = tmp_path / "app.log"
    for end in ends:
        (tmp_path / str(end)).mkdir()
        store = harness.new_store(tmp_path / str(end))
        for upto in (end, len(lines)):
            path.write_bytes(lines[:upto])
            _run(store, path, upto == len(lines), policy)
        assert [r["status"] for r in harness.dump(store, [path])["requests"]] == ["success"], end
