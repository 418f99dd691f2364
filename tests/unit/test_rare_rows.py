"""Rows that a batch makes of few records of each chunk are those that each chunk would make."""

from datetime import UTC

import pytest

from ingest.model import Origin
from ingest.records.chunks import ChunkReader
from ingest.records.formats import Format, compile_format
from ingest.records.parse import Parser
from ingest.rows import rare
from ingest.rows.assemble import build
from ingest.rows.chunk import Batch, ChunkRows
from ingest.rows.join import join

_ORIGIN = Origin(3, "host", "tts")
_RARE = ("errors", "cache_samples", "http_requests")
_PLAIN = "{at} - {logger} - {level} - {message}"
_RICH = "[{at}] {logger:>12} ({level}) [{rid}] pid={pid} {message} <main.py:{pid}>"
_FORMATS = {
    "plain": (compile_format(), _PLAIN),
    "extras": (
        compile_format(
            "[%(asctime)s] %(name)12s (%(levelname)s) [%(request_id)s] pid=%(process)d %(message)s "
            "<%(filename)s:%(lineno)d>"
        ),
        _RICH,
    ),
}
_MESSAGES = (
    ("INFO", 'synthesis_start: id={id}, text="Grüße, id=none, 你好", lang=de, voice=a'),
    ("WARNING", "fallback: id={id}, warning_code=VOICE_FALLBACK, why=none of these, 世界=3"),
    ("INFO", "cache_health: path=/app/cache, used=7{n}MB, total=1024MB, usage=7{n}.5%"),
    ("ERROR", "synthesis_failed: id={id}, error_code=CUDA_OOM, out of memory"),
    ("CRITICAL", "lost: exc=KeyError('x'), request_id=abc{n}, location=here"),
    ("WARNING", "no event at all"),
    ("INFO", "synthesis_complete: id={id}, status=failed, duration_ms=1{n}"),
)
_TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/app/engine.py", line 3, in infer\n    go()\nRuntimeError: gone, id=3\n'
)


def _log(layout: str, requests: int) -> bytes:
    lines = []
    for n in range(requests):
        for k, (level, message) in enumerate(_MESSAGES):
            line = layout.format(
                at=f"2026-03-02 10:{n // 60:02}:{n % 60:02},{k:03}", logger="app.tts", level=level,
                rid="-" if k % 2 else f"req{n}", pid=100 + k,
                message=message.format(id=f"ts_{n // 2:04}", n=n % 10),
            )  # fmt: skip
            lines.append(line + "\n" + (_TRACEBACK if level == "ERROR" and n % 3 else ""))
    return "".join(lines).encode()


def _chunks(fmt: Format, log: bytes, *, keeps_rare: bool) -> list[ChunkRows]:
    at, carry, rows = 0, dict[str, int](), []

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return log[at - size : at]

    for parsed in ChunkReader(
        Parser(fmt, UTC), read, 0, True, None, 0, chunk_bytes=2500, in_place=True
    ):
        made, carry = build(parsed, fmt, _ORIGIN, carry, keeps_rare=keeps_rare)
        rows.append(made)
    return rows


def _rows(batch: Batch) -> dict[str, list[dict[str, object]]]:
    """The rows of the tables, each with the id and place of its part."""
    parts = batch.parts.select(["id", "first_offset"]).to_pylist()
    found = {}
    for name in _RARE:
        made = batch.records[name]
        rows = made.table.to_pylist()
        if made.part is not None:
            owners = [None if p < 0 else parts[p] for p in made.part.tolist()]
            rows = [{**row, "part": owner} for row, owner in zip(rows, owners, strict=True)]
        found[name] = sorted(rows, key=lambda row: row["byte_offset"] or 0)
    return found


@pytest.mark.parametrize("name", _FORMATS)
@pytest.mark.parametrize("requests", [1, 40])
def test_rows_of_a_batch_are_those_of_its_chunks(name: str, requests: int) -> None:
    fmt, layout = _FORMATS[name]
    log = _log(layout, requests)
    kept = _chunks(fmt, log, keeps_rare=True)
    assert all(set(rows.records) == {"stage_timings"} for rows in kept)
    counts = [rows.counts for rows in kept]
    batch, expected = join(kept), join(_chunks(fmt, log, keeps_rare=False))
    assert _rows(batch) == _rows(expected)
    for table in _RARE:
        schema = expected.records[table].table.schema
        assert batch.records[table].table.schema == schema
        assert batch.records[table].table.num_rows == sum(c[table] for c in counts)
    assert batch.rare is None
    if requests > 1:
        assert len(kept) > 5
        assert any(row["traceback"] for row in _rows(batch)["errors"])


def test_many_such_rows_are_made_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    fmt, layout = _FORMATS["plain"]
    log = _log(layout, 40)
    counts = [rows.counts for rows in _chunks(fmt, log, keeps_rare=True)]
    sizes = sorted(sum(count[name] for name in _RARE) for count in counts)
    monkeypatch.setattr(rare, "MOST", sizes[len(sizes) // 2])
    kept = _chunks(fmt, log, keeps_rare=True)
    made = [rows.rare is None for rows in kept]
    assert any(made) and not all(made)
    assert _rows(join(kept)) == _rows(join(_chunks(fmt, log, keeps_rare=False)))
