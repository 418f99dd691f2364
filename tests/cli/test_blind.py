"""An alarm that found nothing where nothing could be found has an exit code of its own for that."""

import itertools
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, CommandLine, Ended

_DONE, _FOUND, _STORE, _BLIND = 0, 1, 4, 6
_NUMBERS = itertools.count()


def _log(minutes_ago: list[float], *, failed: bool = False, ended: bool = True) -> str:
    """Requests that began so long ago, each with its end if it is said.

    No two logs share a line: one written over the other is a new log, not an edit of it.
    """
    text = ""
    for n, ago in zip(_NUMBERS, sorted(minutes_ago, reverse=True), strict=False):
        at = datetime.now(UTC) - timedelta(minutes=ago)
        status = "failed, error_code=OOM" if failed else "success"
        text += (
            f"{at:%Y-%m-%d %H:%M:%S},000 - app - INFO - synthesis_start: id=ts_{n}, text_len=3\n"
        )
        if ended:
            text += (
                f"{at:%Y-%m-%d %H:%M:%S},500 - app - INFO - synthesis_complete: id=ts_{n}, "
                f"status={status}, duration_ms=500\n"
            )
    return text


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path).with_tables()


def _ingest(ttsq: CommandLine, text: str, *words: str) -> None:
    (ttsq.folder / "app.log").write_text(text)
    ttsq.well("ingest", "app.log", "--final", "--tz", "UTC", "--host", "h", *words)


def _alarm(ttsq: CommandLine, *words: str) -> Ended:
    return ttsq("run", *(words or ("error_codes", "--since", "30m")), "--fail-if-any")


def _is_blind(ended: Ended, *said: str) -> None:
    assert ended.code == _BLIND, ended
    assert ended.err.startswith("ttsq: error: the alarm cannot tell: ") and "\nhint: " in ended.err
    for text in said:
        assert text in ended.err


def test_rows_are_told_first_and_none_are_good_where_there_is_data(ttsq: CommandLine) -> None:
    _ingest(ttsq, _log([20, 10, 1]))
    assert _alarm(ttsq).code == _DONE
    _ingest(ttsq, _log([20, 10, 1], failed=True))
    assert _alarm(ttsq).code == _FOUND


def test_a_store_of_no_logs(ttsq: CommandLine) -> None:
    _is_blind(_alarm(ttsq), "nothing has been ingested yet")
    _is_blind(ttsq("triage", "--fail-if-any"), "nothing has been ingested yet")
    ttsq.store.unlink()
    assert _alarm(ttsq).code == _STORE


@pytest.mark.parametrize("kind", ["table", "csv", "json", "jsonl", "markdown"])
def test_a_window_without_data_in_every_format(ttsq: CommandLine, kind: str) -> None:
    _ingest(ttsq, _log([300, 200]))
    ended = _alarm(ttsq, "error_codes", "--since", "30m", "--format", kind)
    _is_blind(ended, "there are no requests from ", "--as-of data")
    if kind == "json":
        assert json.loads(ended.out) == []
    assert _alarm(ttsq, "error_codes", "--since", "30m", "--as-of", "data").code == _DONE


def test_old_data_in_the_window(ttsq: CommandLine) -> None:
    _ingest(ttsq, _log([25, 20]))
    _is_blind(_alarm(ttsq), "the newest of the requests is of ", "20 minutes before the end")
    assert _alarm(ttsq, "error_codes", "--since", "60m").code == _DONE
    _is_blind(ttsq("triage", "--since", "30m", "--fail-if-any"), "the newest of the records")
    assert ttsq("triage", "--since", "60m", "--fail-if-any").code == _DONE


def test_what_the_query_reads_must_be_there(ttsq: CommandLine) -> None:
    _ingest(ttsq, _log([20, 10, 1]))
    _is_blind(_alarm(ttsq, "cache_alert", "--since", "30m"), "no cache samples")
    # an hour without an error is no hour without data
    assert _alarm(ttsq, "fallbacks", "--since", "30m").code == _DONE


def test_the_host_that_is_asked_for_must_be_heard_of(ttsq: CommandLine) -> None:
    _ingest(ttsq, _log([20, 10, 1]))
    words = ("error_codes", "--since", "30m", "--host")
    assert _alarm(ttsq, *words, "h").code == _DONE
    _is_blind(_alarm(ttsq, *words, "other"), "no requests of other from ")
    words = ("error_codes", "--since", "30m", "--host", "h", "--service")
    _is_blind(_alarm(ttsq, *words, "other"), "no requests of other of h from ")


def test_the_ends_of_requests_must_be_known(ttsq: CommandLine) -> None:
    _ingest(ttsq, _log([n + 2 for n in range(20)], ended=False) + _log([3, 4, 5]))
    _is_blind(_alarm(ttsq), "of 23 requests", "only 3 have a known end")


def test_what_could_not_be_read_until_an_ingest_reads_it(ttsq: CommandLine) -> None:
    (ttsq.folder / "binary.log").write_bytes(os.urandom(9000))
    (ttsq.folder / "app.log").write_text(_log([20, 10, 1]))
    assert ttsq("ingest", ".", "--final", "--tz", "UTC", "--host", "h").code == 3
    _is_blind(_alarm(ttsq), "the last ingest of h read not all", "binary.log")
    _ingest(ttsq, _log([20, 10, 1]) + _log([0.5]), "--exclude", "binary.log")
    assert _alarm(ttsq).code == _DONE


def test_logs_that_tell_no_time_are_no_data_of_a_window(ttsq: CommandLine) -> None:
    _ingest(ttsq, "ERROR: id=ts_1, error_code=OOM\nsynthesis_start: id=ts_1\n" * 3)
    _is_blind(_alarm(ttsq))


def test_the_check_of_nagios(ttsq: CommandLine) -> None:
    program = ttsq.folder / "ttsq"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ingest "$@"\n')
    program.chmod(0o755)

    def check(*words: str) -> tuple[int, str]:
        environment = ttsq.environment | {"TTSQ": str(program)}
        command = ["/bin/sh", str(ROOT / "deploy" / "nagios" / "check_tts"), *words]
        done = subprocess.run(
            command, cwd=ttsq.folder, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout.splitlines()[0]

    _ingest(ttsq, _log([300]))
    code, told = check("error_codes", "--since", "30m")
    assert code == 3 and told.startswith("UNKNOWN: the alarm cannot tell: there are no requests")
    _ingest(ttsq, _log([20, 10, 1]))
    assert check("error_codes", "--since", "30m") == (0, "OK: error_codes found nothing")
    _ingest(ttsq, _log([20, 10, 1], failed=True))
    assert check("error_codes", "--since", "30m")[0] == 2
    code, told = check("no_such_query")
    assert code == 3 and "no_such_query failed" in told
