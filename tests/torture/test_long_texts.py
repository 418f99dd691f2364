"""Texts of a megabyte each, hundreds of them: rows are compressed many at a time, and must fit the
memory together.
"""

from pathlib import Path

import duckdb

from tests.support.command_line import CommandLine

_REQUESTS, _WORDS = 150, 100_000


def test_hundreds_of_long_texts(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path)
    body = "ten bytes " * _WORDS
    with (tmp_path / "app.log").open("w") as log:
        for i in range(_REQUESTS):
            at = f"2026-03-02 10:{i // 60:02}:{i % 60:02},000 - app - "
            log.write(f'{at}INFO - synthesis_start: id=ts_{i}, text="{i} {body}", lang=en\n')
            log.write(f"{at}INFO - synthesis_complete: id=ts_{i}, status=success, duration_ms=5\n")
    ttsq.well("ingest", "app.log", "--final")
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        found = connection.execute(
            "select count(*), sum(length(text)), sum(text_len) from requests where text like "
            "'%ten bytes '"
        ).fetchall()
    total = sum(len(f"{i} {body}") for i in range(_REQUESTS))
    assert found == [(_REQUESTS, total, total)]
    ttsq.well("publish", "published")
