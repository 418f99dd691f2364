"""With ``--text hash`` and ``drop`` no word that a user sent is anywhere in a store.

A word of its own is planted at every place that a log has; then every column of every table is read
as text, and the store's bytes are searched (a column that is compressed does not show its words).
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingest.pipeline import ingest as pipeline
from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.rows.user_text import TextPolicy
from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.prune import cuts, prune
from ingest.tasks.replay.report import Options as ReplayOptions
from ingest.tasks.replay.run import replay
from ingest.tasks.reread.run import reread
from tests.real_cases.cases import cases_in
from tests.support import harness

_POLICIES: tuple[TextPolicy, ...] = ("hash", "drop")
_AT = "2026-03-02 00:{:02}:00,000 - app - {} - "


class Planted:
    """Words by the number of the place that they stand at."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def __call__(self) -> str:
        """What a user may have said, with a new word in it."""
        word = f"zqplant{len(self.words):03}x"
        self.words.append(word)
        return f"to you {word} 你好"


def _native(p: Planted) -> str:
    """Records of ttsq's own format."""
    at, n = "", iter(range(60))

    def record(level: str, message: str) -> str:
        return _AT.format(next(n), level) + message + "\n"

    return at.join(
        [
            f"a banner {p()}\n{p()}\n",
            record("INFO", f'synthesis_start: id=ts_1, text="{p()}", mood="{p()}", voice="{p()}"'),
            record(
                "INFO", f'synthesis_start: id=ts_2, text="{p()}\nover two lines {p()}", lang={p()}'
            ),
            record("INFO", f"stage_time: id=ts_1, stage={p()}, duration_ms=3"),
            record("INFO", f'stage_time: id=ts_1, stage="{p()}", duration_ms=3'),
            record("ERROR", f'synthesis_failed: id=ts_1, error_code="{p()}", said="{p()}", {p()}')
            + 'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\n'
            f'    say("{p()}")\n'
            f"ValueError: {p()}\n{p()}\n",
            record("ERROR", f"{p()}: id={p()}, error_code={p()}"),
            record("ERROR", f'event: id="{p()}", request_id="{p()}", text=\'{p()}\''),
            record("WARNING", f"slow: id=ts_1, warning_code=W {p()}") + f"  goes on {p()}\n",
            record("CRITICAL", f"during {p()}")
            + "Traceback (most recent call last):\n"
            + f'  File "/app/{p()}.py", line 3, in {p()}\nmy.Err: a{p()}\n\n'
            + "During handling of the above exception, another exception occurred:\n\n"
            + f'Traceback (most recent call last):\n  File "/b.py", line 1, in g\nOSError: {p()}\n',
            record("INFO", f'synthesis_complete: id=ts_1, status="{p()}", model_stage="{p()}"'),
            record("INFO", f"cache_dir_usage: path=/var/{p()}, usage=50%, action={p()}"),
            record("INFO", f'cache_health: path="{p()}", used=1MB, total=2MB, usage=50%, x={p()}'),
            # a text whose lines are forged headers, one with a logger that is a sentence
            record(
                "INFO",
                f'synthesis_start: id=ts_3, text="x\n'
                f"2026-03-02 00:01:00,000 - {p()} - ERROR - {p()}\n"
                f"2026-03-02 00:01:00,000 - a.b - ERROR - {p()}: id={p()}\n"
                f"2026-03-02 00:01:00,000 - a.b - ERROR - x: code={p()}, error_code={p()}\n"
                * 2
                + '"',
            ),
            f"2026-02-31 00:00:00,000 - app - INFO - {p()}\n",  # goes to quarantine
            f"ERROR:app:{p()}\nERROR: {p()}\n",
            f'{{"time": "2026-03-02T00:30:00Z", "level": "ERROR", "msg": "{p()}", '
            f'"who": "{p()}"}}\n',
            f'{{"time": "2026-03-02T00:30:00Z", "level": "INFO", "{p()}": {{"a": ["{p()}"]}}}}\n',
            f'{{"time": "2026-03-02T00:30:00Z", "event": "synthesis_start", "id": "{p()}", "text": '
            f'"{p()}", "logger": "{p()}"}}\n',
            f'time=2026-03-02T00:31:00Z level=error msg="{p()}" who="{p()}" code="{p()}"\n',
            f"an unclaimed line {p()}\n",
        ]
    )


def _services(p: Planted) -> str:
    """What services and their servers print."""
    return (
        f'10.3.0.7 - {p()} [02/Mar/2026:10:00:01 +0000] "POST /tts/{p()}?text={p()} HTTP/1.1" '
        "200 512 "
        f'"http://x/{p()}" "{p()}" rt=0.5 rid={p()}\n'
        f'INFO:     127.0.0.1:41 - "GET /tts?text={p().replace(" ", "%20")} HTTP/1.1" 200 OK\n'
        f'INFO:     127.0.0.1:41 - "GET /tts/{p()} HTTP/1.1" 200 OK\n'
        f">> start inference...\norigin text:{p()}\n{p()}\n"
        f">> gpt_gen_time: 1.00 seconds\n>> Total inference time: 2.50 seconds\n"
        f">> Generated audio length: 5.00 seconds\n>> RTF: 0.5000\n"
        f"2026-03-02 10:00:02,000 INFO synthesis text {p()}\n"
        f"2026-03-02 10:00:02,000 INFO yield speech len 3.2, rtf 0.3\n"
        f"2026-03-02 10:00:03.000 | INFO     | app.tts:speak:12 - Generating speech for: {p()}\n"
        f"2026-03-02 10:00:04.000 | ERROR    | app.tts:speak:12 - cannot say {p()}\n"
        f"实际输入的目标文本: {p()}\n实际输入的目标文本(切句后): {p()}\n"
        f"[{p()}] a line in brackets\nText: {p()}\nsynthesizing '{p()}' with voice {p()}\n"
        f'{{"log":"origin text:{p()}\\n","stream":"stderr","time":"2026-03-02T10:00:05Z"}}\n'
        f"tts-1  | origin text:{p()}\n"
        f"Mar  2 10:00:06 gpu-1 tts[12]: {p()}\n"
        f"Mar  2 10:00:07 gpu-1 tts[12]: ERROR:app:{p()}\n"
    )


def _found(store: Store, words: list[str]) -> Iterator[str]:
    """Where the store has these words."""
    with store.reading() as reader:
        tables = reader.query(
            "select table_name from information_schema.tables where table_schema not in "
            "('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'",
            None,
        ).rows
        for (table,) in tables:
            found = reader.query(f'select * from "{table}"', None)
            for row in found.rows:
                for column, value in zip(found.columns, row, strict=True):
                    told = value if isinstance(value, bytes) else str(value).encode()
                    yield from (f"{table}.{column}: {w}" for w in words if w.encode() in told)
    if isinstance(store, DuckDBStore):
        for path in sorted(store.path.parent.glob(store.path.name + "*")):
            data = path.read_bytes() if path.is_file() else b""
            yield from (f"{path.name}: {w}" for w in words if w.encode() in data)


def _ingest(store: Store, folder: Path, policy: TextPolicy, *, final: bool = False) -> None:
    options = Options("h", "s", compile_format(), UTC, final=final, text=policy)
    report = pipeline.ingest(store, [str(folder)], options, now=lambda: datetime.now(UTC))
    assert not report.problems, report.problems


def _new_store(engine: str, folder: Path) -> Store:
    """With blocks as users' stores have them: what is left in one is searched, too."""
    store = harness.new_store_of(engine, folder)
    return harness.as_a_command_makes_it(store) if isinstance(store, DuckDBStore) else store


@pytest.mark.parametrize("engine", harness.ENGINES)
@pytest.mark.parametrize("policy", _POLICIES)
def test_no_planted_word_is_in_the_store(engine: str, policy: TextPolicy, tmp_path: Path) -> None:
    planted, logs = Planted(), tmp_path / "logs"
    logs.mkdir()
    store = _new_store(engine, tmp_path)
    native, services = _native(planted), _services(planted)
    (logs / "native.log").write_text(native[: len(native) // 2])  # a tail is held back
    (logs / "services.log").write_text(services[: len(services) // 2])
    (logs / "packed.log.1.gz").write_bytes(gzip.compress(_native(planted).encode()))
    (logs / "gbk.log").write_bytes(_services(planted).encode("gbk", "replace"))
    (logs / "utf16.log").write_bytes(_native(planted).encode("utf-16"))
    _ingest(store, logs, policy)
    (logs / "native.log").write_text(native)
    (logs / "services.log").write_text(services)
    (logs / "joined.log").write_text(_services(planted) + native)
    _ingest(store, logs, policy)
    assert set(_found(store, planted.words)) == set()
    _ingest(store, logs, policy, final=True)
    now = datetime.now(UTC)
    replay(store, ReplayOptions(compile_format(), UTC, final=True, text=policy), now=lambda: now)
    options = Options("h", "s", compile_format(), UTC, final=True, text=policy)
    reread(store, [str(logs)], options, now=lambda: now)
    assert set(_found(store, planted.words)) == set()
    with store.reading() as reader:
        assert reader.query("select 1 from requests limit 1", None).rows
        assert reader.query("select 1 from quarantine limit 1", None).rows
        assert reader.query("select 1 from http_requests limit 1", None).rows
    prune(store, cuts(None, "2026-03-02T00:20Z", {}, now, UTC), now=lambda: now)
    assert set(_found(store, planted.words)) == set()


_CASES = cases_in(Path(__file__).parents[1] / "cases" / "real")


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_no_text_of_a_real_service_is_in_the_store(case: object, tmp_path: Path) -> None:
    """What ``keep`` stores as text ``drop`` does not."""
    stores = {}
    for policy in ("keep", "drop"):
        (tmp_path / policy).mkdir()
        stores[policy] = _new_store("duckdb", tmp_path / policy)
        options = Options("h", "s", compile_format(), UTC, final=True, text=policy)
        paths = [str(p) for p in case.logs]  # type: ignore[attr-defined]
        pipeline.ingest(stores[policy], paths, options, now=lambda: datetime.now(UTC))
    with duckdb.connect(str(stores["keep"].path), read_only=True) as connection:
        texts = connection.execute(
            "select text from requests union select query from http_requests"
        ).fetchall()
    words = [t for (t,) in texts if t and len(t) > 11]
    assert set(_found(stores["drop"], words)) == set()
