"""Scenarios 30 and 34 to 36: tracebacks that quote headers, processes in turn, unknown shapes,
pairs in quotes, clocks.
"""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.support import harness
from tests.support.log_writer import FORMAT, formatter, stored_rows, to_bytes
from tests.torture.scene import Scene

AT = "2026-03-02 10:00:{:02d},{:03d} - app.tts - {} - {}\n"


def _line(second: int, text: str, level: str = "INFO", ms: int = 0) -> bytes:
    return AT.format(second, ms, level, text).encode()


def _rows(scene: Scene, sql: str) -> list[tuple[object, ...]]:
    with scene.store.reading() as reader:
        return reader.query(sql, {}).rows


def _raise_chained() -> None:
    try:
        raise ValueError("first")
    except ValueError:
        raise RuntimeError("second")  # noqa: B904


def _raise_caused() -> None:
    try:
        raise ValueError("first")
    except ValueError as error:
        raise RuntimeError("second") from error


def _raise_group() -> None:
    raise ExceptionGroup("several", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])


def _raise_quoting() -> None:
    raise RuntimeError(
        "the worker said:\n  2026-03-02 10:00:00,000 - app.tts - ERROR - synthesis_failed: id=ts_no"
    )


def _logged(raiser: object) -> bytes:
    """What Python's own logging makes of an exception."""
    try:
        raiser()  # type: ignore[operator]
    except Exception as error:
        info = (type(error), error, error.__traceback__)
        record = logging.LogRecord("app.tts", logging.ERROR, "", 0, "it failed", None, info)
        return formatter().format(record).encode() + b"\n"
    raise AssertionError


@pytest.mark.parametrize(
    ("raiser", "kind", "message"),
    [
        (_raise_chained, "RuntimeError", "second"),
        (_raise_caused, "RuntimeError", "second"),
        (_raise_group, "ExceptionGroup", "several (2 sub-exceptions)"),
        (_raise_quoting, "RuntimeError", None),
    ],
    ids=["during handling", "direct cause", "exception group", "quotes a header"],
)
@pytest.mark.parametrize("chunk", [150, 100_000])
def test_30_tracebacks_of_pythons_own_logging_are_one_record(
    scene: Scene, raiser: object, kind: str, message: str | None, chunk: int
) -> None:
    data = _logged(raiser)
    scene.append_bytes(_line(0, "before") + data + _line(30, "after", "ERROR"))
    scene.run(final=True, chunk=chunk)
    rows = _rows(scene, "select message, traceback, exception_type, exception_message from errors "
                        "order by byte_offset")  # fmt: skip
    assert len(rows) == 2
    text = data.decode()
    assert rows[0][:3] == ("it failed", text[text.index("\n") + 1 : -1], kind)
    assert message is None or rows[0][3] == message
    assert rows[1][0] == "after"


def test_30_a_traceback_cut_by_a_run_after_each_line(scene: Scene) -> None:
    data = _logged(_raise_group)
    for line in data.splitlines(keepends=True):
        scene.append_bytes(line)
        scene.run()
        assert not _rows(scene, "select 1 from errors")
    scene.append_bytes(_line(30, "after"))
    scene.run()
    text = data.decode()
    assert _rows(scene, "select traceback from errors") == [(text[text.index("\n") + 1 : -1],)]


def test_30_two_processes_in_turn(scene: Scene) -> None:
    """Two processes append to one file: their records alternate, each written whole."""
    one, two = scene.worker("append"), scene.worker("append")
    for count in (3, 1, 5, 2):
        one.log(scene.journal, count)
        scene.append(scene.journal.requests(1))
        two.log(scene.journal, count)
        scene.run()
    scene.expect(held=1)
    scene.expect_all()


def test_30_requests_of_two_processes_interleaved_record_by_record(scene: Scene) -> None:
    first, second = scene.journal.requests(1), scene.journal.requests(1)
    mixed = [r for pair in zip(first, second, strict=True) for r in pair]
    scene.append(mixed[:5])
    scene.run()
    scene.append(mixed[5:])
    scene.expect_all()


TEXTS = (
    "a, status=failed, error_code=X",
    'he said "yes", and left',
    "k=v, k2=v2",
    "a = b == c",
    "comma, comma,, comma",
    'tail quote"',
    "id=ts_00000000, duration_ms=1",
    "[brackets] {json: 1} 'single'",
    "synthesis_complete: id=ts_0, status=failed",
    "-" * 50,
)


_OTHER = "[%(asctime)s] %(levelname)s %(name)s: %(message)s"


def test_34_a_record_of_another_format_is_read_by_its_parts(scene: Scene) -> None:
    """The program was told another format; stamp, level and message are recognised all the same."""
    path = scene.path("app.log")
    scene.log(1)
    harness.run(scene.store, [path], log_format=_OTHER)
    scene.log(6)
    harness.run(scene.store, [path], log_format=_OTHER, final=True)
    lines = path.read_bytes().splitlines(keepends=True)
    places = [sum(map(len, lines[:n])) for n in range(len(lines))]
    assert _rows(scene, "select byte_offset from errors order by 1") == [(p,) for p in places]
    (file,) = scene.store.checkpoints()
    assert (file.quarantined, file.unclaimed) == (0, 0)
    scene.ttsq.well("verify", "logs")


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "bare quotes"])
def test_35_pairs_inside_a_quoted_value_are_text(scene: Scene, escaped: bool) -> None:
    for n, text in enumerate(TEXTS):
        written = text.replace('"', '\\"') if escaped else text
        scene.append_bytes(
            _line(n, f'synthesis_start: id=ts_{n}, text="{written}", lang=zh, voice=alloy')
        )
        scene.append_bytes(_line(n, f"synthesis_complete: id=ts_{n}, status=success", ms=9))
    scene.run(final=True, chunk=200)
    rows = _rows(scene, "select id, text, lang, voice, status, error_code, duration_ms "
                        "from requests order by logged_at")  # fmt: skip
    expected = [(f"ts_{n}", t, "zh", "alloy", "success", None, None) for n, t in enumerate(TEXTS)]
    assert rows == expected
    assert not stored_rows(scene.store).errors


def _stamped(at: datetime, text: str, form: str = "%Y-%m-%d %H:%M:%S,000") -> bytes:
    return f"{at.strftime(form)} - app.tts - ERROR - {text}\n".encode()


def test_36_the_clock_steps_back(scene: Scene) -> None:
    """Order and number of the records are those of the file, whatever their stamps say."""
    at = datetime(2026, 3, 2, 12)
    steps = (0, 5, -3600, -3599, 7200, 7201, -86400, 10)
    for n, seconds in enumerate(steps):
        scene.append_bytes(_stamped(at + timedelta(seconds=seconds), f"step {n}"))
        scene.run(chunk=100)
    scene.run(final=True)
    rows = _rows(scene, "select message, epoch(occurred_at) from errors order by byte_offset")
    base = at.replace(tzinfo=UTC).timestamp()
    assert rows == [(f"step {n}", base + s) for n, s in enumerate(steps)]


def test_36_a_request_across_a_step_back(scene: Scene) -> None:
    scene.append_bytes(_line(30, 'synthesis_start: id=ts_1, text="x"'))
    scene.run()
    scene.append_bytes(_line(28, "synthesis_complete: id=ts_1, status=success, duration_ms=500"))
    scene.append_bytes(_line(29, "later"))
    scene.run()
    rows = _rows(scene, "select id, status, duration_ms from requests")
    assert rows == [("ts_1", "success", 500.0)]


@pytest.mark.parametrize("split", [True, False], ids=["a run each", "one run"])
def test_36_a_dst_fold_loses_and_doubles_nothing(scene: Scene, split: bool) -> None:
    """In Berlin 02:30 comes twice on 2026-10-25; a stamp without a zone cannot say which it is."""
    stamps = ["01:59:59", "02:00:00", "02:30:00", "02:59:59", "02:00:00", "02:30:00", "03:00:00"]
    for n, stamp in enumerate(stamps):
        scene.append_bytes(f"2026-10-25 {stamp},000 - app - ERROR - fold {n}\n".encode())
        if split:
            scene.run(tz="Europe/Berlin")
    scene.run(final=True, tz="Europe/Berlin")
    rows = _rows(scene, "select message from errors order by byte_offset")
    assert rows == [(f"fold {n}",) for n in range(len(stamps))]
    first, last = _rows(scene, "select min(occurred_at), max(occurred_at) from errors")[0]
    assert (first, last) == (
        datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 25, 2, tzinfo=UTC),
    )


def test_36_a_dst_gap(scene: Scene) -> None:
    for n, stamp in enumerate(["01:59:59", "02:30:00", "03:00:00"]):
        scene.append_bytes(f"2026-03-29 {stamp},000 - app - ERROR - gap {n}\n".encode())
    scene.run(final=True, tz="Europe/Berlin")
    assert len(_rows(scene, "select * from errors")) == 3


def test_36_no_milliseconds_and_mixed_zones(scene: Scene) -> None:
    stamps = [
        "2026-03-02 10:00:00",
        "2026-03-02 10:00:01,5",
        "2026-03-02 10:00:02.250",
        "2026-03-02T10:00:03Z",
        "2026-03-02T18:00:04+08:00",
        "2026-03-02T05:00:05.123456-05:00",
        "2026-03-02 10:00:06,000",
    ]
    for n, stamp in enumerate(stamps):
        scene.append_bytes(f"{stamp} - app - ERROR - zone {n}\n".encode())
    scene.run(final=True)
    rows = _rows(scene, "select message, epoch_ms(occurred_at) from errors order by byte_offset")
    base = int(datetime(2026, 3, 2, 10, tzinfo=UTC).timestamp() * 1000)
    offsets = (0, 1500, 2250, 3000, 4000, 5123, 6000)
    assert rows == [(f"zone {n}", base + ms) for n, ms in enumerate(offsets)]


def test_36_two_files_of_two_zones(scene: Scene) -> None:
    scene.append_bytes(_stamped(datetime(2026, 3, 2, 18), "shanghai"), "a.log")
    scene.append_bytes(_stamped(datetime(2026, 3, 2, 10), "utc"), "b.log")
    scene.run("a.log", final=True, tz="Asia/Shanghai")
    scene.run("b.log", final=True)
    assert len(_rows(scene, "select distinct occurred_at from errors")) == 1


def test_the_scenes_format_is_pythons_default_one(scene: Scene) -> None:
    assert FORMAT == "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
    assert to_bytes(scene.journal.requests(1)).count(b" - app.tts - ") == 5
