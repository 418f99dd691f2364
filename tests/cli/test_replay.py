"""``ttsq replay``: what was not understood becomes rows once it is."""

import gzip
import json
import os
import random
import re
import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.logfiles.fingerprint import anchor, anchor_length, fingerprint
from ingest.model import Ledger, Reject
from ingest.records.arrays import raw_text
from ingest.records.front import FrontParser
from ingest.records.parse import Parsed
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.command_line import CommandLine, lines
from tests.support.truth import make_truth

_OTHER = "[%(asctime)s] %(levelname)s %(name)s: %(message)s"
# Headerless lines are understood whatever the format is, and take what follows with them.
_HEADERLESS = re.compile(
    rb"(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL):|Traceback|.* - a - ERROR"
)
_STAMP = re.compile(rb"(?m)^(2026)-\d\d(-\d\d \d\d:\d\d)")


def _truth(seed: int, requests: int = 40) -> bytes:
    data = make_truth(seed, requests, files=1).files[0]
    return b"".join(x for x in data.splitlines(True) if not _HEADERLESS.match(x))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    os.utime(path, (1, 1))


class _FirstProgram(FrontParser):
    """A program that understands no line yet: all that it reads lands in quarantine."""

    def header_end(self, data: memoryview) -> int:
        return -1

    def parse(
        self,
        data: memoryview,
        *,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
        more: bool = False,
    ) -> Parsed:
        empty = super().parse(
            memoryview(b"\n"), base=base, final=True,
            last_instant=last_instant, fallback_instant=fallback_instant,
        )  # fmt: skip
        whole, at, rejects = bytes(data), 0, []
        end = len(whole) if final else whole.rfind(b"\n") + 1
        for piece in self.pieces(whole[:end]):
            if piece.strip(b" \t\r\n\v\f\0"):
                rejects.append(Reject(base + at, len(piece), "no_header", raw_text(piece)))
            at += len(piece)
        size = sum(r.byte_length for r in rejects)
        ledger = Ledger(quarantined=len(rejects), quarantined_bytes=size, ignored_bytes=end - size)
        return replace(
            empty, data=data, source=None, consumed=end, rejects=tuple(rejects), ledger=ledger
        )

    def pieces(self, data: bytes) -> list[bytes]:
        """Each line by itself."""
        return data.splitlines(keepends=True)


class _FirstProgramOfGiants(_FirstProgram):
    """Takes all that it reads for one piece."""

    def pieces(self, data: bytes) -> list[bytes]:
        return [data]


class _Nothing:
    """What is recognised of a file of which nothing is understood."""

    def text(self, digests: object) -> None:
        return None


def misread(
    store: DuckDBStore,
    path: Path,
    data: bytes,
    *,
    final: bool = True,
    program: type[FrontParser] = _FirstProgram,
) -> None:
    """Ingest a file with a program that does not understand it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.pipeline.one_file.FrontParser", program)
        patch.setattr("ingest.pipeline.one_file.recognised", lambda *_, **__: _Nothing())
        _write(path, data)
        harness.run(store, [path], final=final)
    (here,) = (c for c in store.checkpoints() if c.path == str(path))
    assert not here.records


def _store(folder: Path, name: str) -> DuckDBStore:
    (folder / name).mkdir()
    return harness.new_store(folder / name)


def _replayed(ttsq: CommandLine, *words: str, code: int = 0) -> dict[str, Any]:
    ended = ttsq("replay", "--json", *words)
    assert ended.code == code, ended
    found: dict[str, Any] = json.loads(ended.out)
    return found


def _rows(ttsq: CommandLine, paths: list[Path]) -> dict[str, list[harness.Row]]:
    return harness.dump(DuckDBStore(ttsq.store), paths)


def _ledger(store: DuckDBStore) -> list[tuple[int, ...]]:
    return [
        (c.committed_offset, c.records, c.record_bytes, c.quarantined, c.quarantined_bytes,
        c.ignored_bytes)
        for c in store.checkpoints()
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_tables_are_those_of_the_right_format_from_the_start(seed: int, tmp_path: Path) -> None:
    path, data, ttsq = tmp_path / "app.log", _truth(seed), CommandLine(tmp_path).with_tables()
    store, fresh = harness.new_store(tmp_path), _store(tmp_path, "fresh")
    misread(store, path, data)
    pieces = len(harness.dump(store, [path])["quarantine"])
    assert pieces > 200
    harness.run(fresh, [path], final=True)
    report = _replayed(ttsq)
    assert (report["released"], report["left"]) == (pieces, 0)
    assert _rows(ttsq, [path]) == harness.dump(fresh, [path])
    assert _ledger(store) == _ledger(fresh)
    ttsq.well("verify")


@pytest.mark.parametrize("seed", range(6))
def test_pieces_in_the_middle_of_a_file(seed: int, tmp_path: Path) -> None:
    """Some records have a stamp that is no date: then, in a parser that knows better, they have."""
    chance, path, data = random.Random(seed), tmp_path / "app.log", _truth(seed)
    share = (0.02, 0.3, 0.9)[seed % 3]
    bad = _STAMP.sub(lambda m: m[0] if chance.random() > share else m[1] + b"-13" + m[2], data)
    store, fresh, ttsq = harness.new_store(tmp_path), _store(tmp_path, "f"), CommandLine(tmp_path)
    for point in sorted(chance.randrange(1, len(data)) for _ in range(3)):
        _write(path, bad[:point])
        harness.run(store, [path], chunk_bytes=3000)
    _write(path, bad)
    assert not harness.run(store, [path], final=True).problems
    _write(path, data)
    _take_for(store, data)
    harness.run(fresh, [path], final=True)
    before = json.loads(ttsq.well("verify", "--json"))["files"][0]["understood"]
    report = _replayed(ttsq)
    assert report["released"] == before > 0
    got, want = _rows(ttsq, [path]), harness.dump(fresh, [path])
    far = _far_apart(want)
    assert len(far) < 10
    assert _by_request(got, far) == _by_request(want, far)
    assert _ledger(store) == _ledger(fresh)
    ttsq.well("verify")


def _far_apart(tables: dict[str, list[harness.Row]]) -> set[object]:
    """Ids of requests of which two records in a row lie more than a minute apart.

    What replay brings back is a part of its own, and meets the others by time
    (docs/parsing.md, Requests 2).
    """
    instants: dict[object, list[Any]] = {}
    for table, column in (
        ("requests", "logged_at"), ("requests", "completed_at"),
        ("stage_timings", "logged_at"), ("errors", "occurred_at"),
    ):  # fmt: skip
        for row in tables[table]:
            if row[column] is not None:
                instants.setdefault(row["id"], []).append(row[column])
    return {
        id_
        for id_, ats in instants.items()
        if any((b - a).total_seconds() > 60 for a, b in pairwise(sorted(ats)))
    }


def _by_request(
    tables: dict[str, list[harness.Row]], without: set[object]
) -> dict[str, list[harness.Row]]:
    """The rows with their request's id and first instant instead of its key."""
    names = {r["request_key"]: (r["id"], r["logged_at"]) for r in tables["requests"]}
    return {
        table: sorted(
            (
                {k: names.get(v) if k == "request_key" else v for k, v in row.items()}
                for row in rows
                if row.get("id") is None or row["id"] not in without
            ),
            key=repr,
        )
        for table, rows in tables.items()
    }


def _take_for(store: DuckDBStore, data: bytes) -> None:
    """Let the store believe that this is what it has read."""
    for c in store.checkpoints():
        before = data[: c.committed_offset]
        end = anchor(before[-anchor_length(c.anchor or "0:") :])
        with duckdb.connect(str(store.path)) as connection:
            connection.execute(
                "update log_files set fingerprint = ?, anchor = ? where file_key = ?",
                [fingerprint(before), end, c.file_key],
            )


def test_once_only(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store = harness.new_store(tmp_path)
    misread(store, path, lines(0, 20).encode() + b"not a record at all\n")
    assert "80 records" in ttsq.well("replay")
    counts, runs = ttsq.counts(), _runs(store)
    assert counts is not None
    assert (counts["requests"], counts["quarantine"]) == (20, 0)
    assert "nothing is in quarantine" in ttsq.well("replay")
    assert (ttsq.counts(), _runs(store)) == (counts, runs)
    assert runs[-1] == ("done", 80, counts["requests"] + 20 + 20)


def _runs(store: DuckDBStore) -> list[tuple[object, ...]]:
    with store.reading() as reader:
        return reader.query(
            "select status, records, rows from ingest_runs order by run_key", {}
        ).rows


def test_what_nothing_claims_leaves_quarantine_as_unclaimed(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store, fresh = harness.new_store(tmp_path), _store(tmp_path, "fresh")
    misread(store, path, b"a banner\nof two lines\n\n" + lines(0, 3).encode())
    report = _replayed(ttsq)
    assert (report["released"], report["left"], report["records"]) == (14, 0, 12)
    harness.run(fresh, [path], final=True)
    assert _ledger(store) == _ledger(fresh)
    (here,) = store.checkpoints()
    assert here.unclaimed == 2
    ttsq.well("verify")


def test_a_piece_of_unclaimed_lines_alone_leaves_quarantine(tmp_path: Path) -> None:
    """What stands between records that were understood from the start."""
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store = harness.new_store(tmp_path)
    misread(store, path, b"a banner\nof two lines\n")
    path.write_bytes(b"a banner\nof two lines\n" + lines(0, 3).encode())
    harness.run(store, [path], final=True)
    assert "can be understood now" in ttsq.well("verify")
    assert _replayed(ttsq, "--log-format", "%(created)f|%(message)s")["released"] == 0
    assert "and 2 unclaimed lines, 0 stay" in ttsq.well("replay")
    (here,) = store.checkpoints()
    assert (here.unclaimed, here.quarantined, here.records) == (2, 0, 12)
    assert "can be understood now" not in ttsq.well("verify")


def test_a_line_that_a_profile_may_claim_is_not_called_unclaimed(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    misread(harness.new_store(tmp_path), path, b"a banner\n>> gpt_gen_time: 0.80 seconds\n")
    before = _quarantine(ttsq)
    assert _replayed(ttsq)["released"] == 0
    assert _quarantine(ttsq) == before


def test_what_is_not_understood_stays_as_it_is(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store = harness.new_store(tmp_path)
    bad = b"2026-13-02 10:00:00,000 - app - INFO - x\n"
    misread(store, path, bad + bad + b"\n" + lines(0, 3).encode())
    before = _quarantine(ttsq)
    report = _replayed(ttsq)
    assert (report["released"], report["left"], report["records"]) == (12, 2, 12)
    left = _quarantine(ttsq)
    assert left == before[:2]
    assert [row[1] for row in left] == [0, len(bad)]
    assert _replayed(ttsq)["released"] == 0
    assert _quarantine(ttsq) == left
    ttsq.well("verify")


def _quarantine(ttsq: CommandLine) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        return connection.execute("from quarantine order by byte_offset").fetchall()


def test_the_wrong_format_makes_nothing_worse(tmp_path: Path) -> None:
    ttsq, long = CommandLine(tmp_path).with_tables(), "2026-03-02 10:00:00,000 - app - INFO - x\n"
    (tmp_path / "app.log").write_text(
        long.replace("x", 'synthesis_start: id=ts_0, text="')
        + ("z" * 99 + "\n") * 50_000
        + lines(1, 3)
    )
    (tmp_path / "bad.log").write_text(long + long.replace("-03-", "-13-") + "its line\n" + long)
    ttsq.well("ingest", "app.log", "bad.log", "--final")
    before = _quarantine(ttsq)
    assert sorted(row[3] for row in before) == ["bad_time", "too_long"]
    assert _replayed(ttsq, "--log-format", _OTHER)["released"] == 0
    assert _replayed(ttsq)["released"] == 0
    assert _quarantine(ttsq) == before


def test_a_live_files_last_record_waits(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store, fresh = harness.new_store(tmp_path), _store(tmp_path, "fresh")
    last = b"2026-03-02 10:00:00,000 - app - ERROR - boom\n"
    misread(store, path, lines(0, 5).encode() + last, final=False)
    report = _replayed(ttsq)
    assert (report["released"], report["left"]) == (20, 1)
    assert report["files"][0]["held_bytes"] == len(last)
    _write(path, lines(0, 5).encode() + last + lines(10, 1).encode())
    harness.run(store, [path], final=True)
    assert _replayed(ttsq)["left"] == 0
    harness.run(fresh, [path], final=True)
    assert _rows(ttsq, [path]) == harness.dump(fresh, [path])
    ttsq.well("verify")


def test_final_takes_the_last_record(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    misread(harness.new_store(tmp_path), path, lines(0, 2).encode(), final=False)
    assert _replayed(ttsq, "--final", "--dry-run")["left"] == 0
    assert _replayed(ttsq)["left"] == 1
    assert _replayed(ttsq, "--final")["left"] == 0


def test_a_file_that_is_gone_comes_from_the_text_kept(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store, fresh = harness.new_store(tmp_path), _store(tmp_path, "fresh")
    data = lines(0, 3).encode() + "2026-03-02 10:00:00,000 - app - ERROR - 你好 🎉\nmore\n".encode()
    misread(store, path, data)
    harness.run(fresh, [path], final=True)
    path.unlink()
    report = _replayed(ttsq)
    assert report["files"][0]["source"] == "quarantine"
    assert (report["released"], report["left"]) == (14, 0)
    assert _rows(ttsq, [path]) == harness.dump(fresh, [path])


def test_text_that_is_not_the_files_very_bytes_stays(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    head = b"2026-03-02 10:00:00,000 - app - ERROR - "
    data = (
        head
        + b"one\nits \xff line\n"
        + head
        + b"t\xffo\nit\n"
        + head
        + b"three\n"
        + head
        + b"f\xff\n"
    )
    misread(harness.new_store(tmp_path), path, data)
    path.unlink()
    report = _replayed(ttsq)
    # of the first the end is not to be had, the second not at all; after the third something else begins or goes on  # noqa: E501
    assert (report["records"], report["left"]) == (0, 6)
    path.write_bytes(data)
    assert _replayed(ttsq)["left"] == 0


def test_another_file_at_the_path_is_not_read(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    misread(harness.new_store(tmp_path), path, lines(0, 5).encode())
    _write(path, lines(500, 30).encode())
    report = _replayed(ttsq)
    assert report["files"][0]["source"] == "quarantine"
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        ids = connection.execute("select id from requests order by 1").fetchall()
    assert ids == [(f"ts_{i}",) for i in range(5)]


def test_a_compressed_file(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    data = b"".join(
        x if i % 7 else x + b"no header of its own\n"
        for i, x in enumerate(_truth(1).splitlines(True))
    )
    store, fresh = harness.new_store(tmp_path), _store(tmp_path, "fresh")
    misread(store, path, data)
    harness.run(fresh, [path], final=True)
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(data))
    path.unlink()
    assert _replayed(ttsq)["left"] == 0
    assert _rows(ttsq, [path]) == harness.dump(fresh, [path])


def test_a_giant_piece_is_read_in_chunks(tmp_path: Path) -> None:
    path, ttsq = tmp_path / "app.log", CommandLine(tmp_path).with_tables()
    store, fresh = harness.new_store(tmp_path), _store(tmp_path, "fresh")
    pad = "p" * 300
    data = ("ERROR: first\n" + lines(0, 9000).replace("Hello", pad)).encode()
    assert len(data) > 5 << 20
    misread(store, path, data, program=_FirstProgramOfGiants)
    held = [piece[2] for piece in _quarantine(ttsq)]
    assert sum(held) == len(data)
    assert max(held) > 1 << 20
    harness.run(fresh, [path], final=True)
    report = _replayed(ttsq)
    assert (report["released"], report["left"]) == (len(held), 0)
    got, want = _rows(ttsq, [path]), harness.dump(fresh, [path])
    assert len(want["requests"]) == 9000
    for table in ("requests", "stage_timings", "quarantine"):
        assert got[table] == want[table]
    assert [e["message"] for e in got["errors"]] == [e["message"] for e in want["errors"]]
    assert _ledger(store) == _ledger(fresh)


def test_a_dry_run_counts_and_stores_nothing(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    misread(harness.new_store(tmp_path), tmp_path / "app.log", lines(0, 5).encode())
    before = ttsq.store.read_bytes()
    report = _replayed(ttsq, "--dry-run")
    assert (report["records"], report["left"]) == (20, 0)
    assert ttsq.store.read_bytes() == before
    assert "20 pieces would leave quarantine as 20 records" in ttsq.well("replay", "--dry-run")


def test_nothing_to_replay(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path)
    assert ttsq("replay").code == 4
    (tmp_path / "app.log").write_text(lines(0, 3))
    ttsq.well("ingest", "app.log")
    assert "nothing is in quarantine" in ttsq.well("replay")


@pytest.mark.parametrize(
    ("point", "count"),
    [("inserted", 1), ("rows_in", 2), ("before_commit", 1), ("committed", 1), ("committed", 2)],
)
def test_killed_in_the_middle_the_next_one_goes_on(point: str, count: int, tmp_path: Path) -> None:
    """Two files, each a commit: killed in the first or in the second."""
    paths = [tmp_path / "a.log", tmp_path / "b.log"]
    store, fresh, ttsq = harness.new_store(tmp_path), _store(tmp_path, "f"), CommandLine(tmp_path)
    for seed, path in enumerate(paths):
        misread(store, path, _truth(seed, 20))
    harness.run(fresh, paths, final=True)
    ended = ttsq.with_fault(f"{point}:{count}:kill")("replay")
    assert ended.code == -signal.SIGKILL, ended
    _replayed(ttsq)
    assert _rows(ttsq, paths) == harness.dump(fresh, paths)
    assert sorted(_ledger(store)) == sorted(_ledger(fresh))
    if (point, count) != (
        "committed",
        2,
    ):  # all was done but to say so; the next run that writes does
        assert all(status != "running" for status, _, _ in _runs(store))
    ttsq.well("verify")
