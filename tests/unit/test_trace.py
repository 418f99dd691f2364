"""Which request an id means, what is gathered of it, and how the page shows it."""

import json
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.errors import ExitCode
from ingest.render.cells import display_width
from ingest.tasks.trace.find import MATCHES, NotTraced
from ingest.tasks.trace.listing import matches_json, matches_text, trace_json
from ingest.tasks.trace.phrases import TraceLook, bar, span
from tests.support.traced import Log, Scene, at, failing

ID = "ts_7f3a2b1c"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.new(tmp_path)


def stored(scene: Scene, log: Log) -> Scene:
    """A scene whose store holds a log."""
    scene.write(log.content)
    scene.ingest("app.log")
    return scene


def brief(log: Log, time: str, id_: str, status: str = "success", more: str = "") -> Log:
    """A request of half a second."""
    log.add(f"{time},000", f"synthesis_start: id={id_}{more}")
    return log.add(f"{time},500", f"synthesis_complete: id={id_}, status={status}, duration_ms=500")


def test_an_id_wins_over_a_request_id_over_a_prefix(scene: Scene) -> None:
    log = brief(Log(), "10:00:00", "abcd")
    brief(log, "10:01:00", "other", more=", request_id=abcd")
    brief(log, "10:02:00", "abcdef", more=", request_id=wxyz1")
    brief(log, "10:03:00", "wxyz12")
    stored(scene, log)

    def meant(wanted: str) -> tuple[str, list[str | None]]:
        found = scene.find(wanted)
        return found.by, [m.id for m in found.matches]

    assert meant("abcd") == ("id", ["abcd"])
    assert meant("wxyz1") == ("request_id", ["abcdef"])
    assert meant("wxy") == ("prefix", ["wxyz12", "abcdef"])
    assert meant("abc") == ("prefix", ["abcdef", "other", "abcd"])


@pytest.mark.parametrize(
    "wanted", ["a%c", "a_c", "abc%", "%%%", "___", "ab' or '1'='1", "abc\\", ":id"]
)
def test_wildcards_and_sql_are_letters(scene: Scene, wanted: str) -> None:
    stored(scene, brief(Log(), "10:00:00", "abc"))
    with pytest.raises(NotTraced):
        scene.find(wanted)


def test_ids_with_wildcards_are_found(scene: Scene) -> None:
    log = brief(brief(Log(), "10:00:00", "a%c_1"), "10:01:00", "abc_1")
    stored(scene, log)
    assert [m.id for m in scene.find("a%c").matches] == ["a%c_1"]


def test_an_id_used_again_is_told_apart_by_an_instant(scene: Scene) -> None:
    log = failing(failing(Log()), at="16:10")
    brief(log, "18:00:00", ID)
    stored(scene, log)
    found = scene.find(ID)
    assert [(m.first_at, m.status) for m in found.matches] == [
        (at("18:00:00"), "success"),
        (at("16:10:37.892"), "failed"),
        (at("14:22:37.892"), "failed"),
    ]
    shown = matches_text(found, TraceLook(tz=UTC))
    assert shown.startswith(f"3 requests have the id {ID}:\n")
    assert shown.endswith(
        f"hint: name an instant near the one you mean: ttsq trace {ID} --at "
        "2026-03-02T18:00:00.000Z\n"
    )
    listed = json.loads(matches_json(found, UTC))
    assert listed["matches"][0]["first_at"] == "2026-03-02T18:00:00+00:00"
    for time, first in (("00:00:00", "14:22:37.892"), ("14:22:38", "14:22:37.892"), ("16:00:00", "16:10:37.892"), ("23:00:00", "18:00:00")):  # fmt: skip  # noqa: E501
        trace = scene.trace(ID, at(time))
        assert trace.first_at == at(first)
        assert {s.logged_at.hour for s in trace.stages} <= {trace.first_at.hour}
        assert {e.occurred_at.hour for e in trace.errors} <= {trace.first_at.hour}
    assert len(scene.trace(ID, at("14:22:38")).errors) == 1


def test_one_request_id_of_several_ids_lists_them(scene: Scene) -> None:
    log = Log()
    for n in range(3):
        brief(log, f"10:0{n}:00", f"ts_{n}", more=", request_id=req-7")
    stored(scene, log)
    found = scene.find("req-7")
    assert (found.by, len(found.matches)) == ("request_id", 3)
    shown = matches_text(found, TraceLook(tz=UTC))
    assert "3 requests have the X-Request-ID req-7:" in shown
    assert shown.endswith("hint: give a whole id: ttsq trace ts_2\n")


def test_more_matches_than_are_listed(scene: Scene) -> None:
    log = Log()
    for n in range(MATCHES + 10):
        brief(log, f"10:{n:02}:00", f"ts_{n:04}")
    stored(scene, log)
    found = scene.find("ts_")
    assert (len(found.matches), found.more) == (MATCHES, True)
    assert found.matches[0].id == f"ts_{MATCHES + 9:04}"
    assert matches_text(found, TraceLook()).startswith(
        f"more than {MATCHES} requests begin with ts_:"
    )
    (match,) = scene.find("ts_", at("10:02:10")).matches
    assert match.id == "ts_0002"


def test_what_a_prefix_needs(scene: Scene) -> None:
    stored(scene, brief(brief(Log(), "10:00:00", "ab"), "10:01:00", "abcd"))
    assert [m.id for m in scene.find("ab").matches] == ["ab"]
    assert [m.id for m in scene.find("abc").matches] == ["abcd"]
    with pytest.raises(NotTraced) as told:
        scene.find("a")
    assert told.value.hint == "the beginning of an id needs at least 3 characters"
    assert told.value.exit_code == ExitCode.FOUND


def test_why_there_is_none(scene: Scene) -> None:
    with pytest.raises(NotTraced, match="nothing has been ingested yet") as told:
        scene.find(ID)
    assert told.value.hint == "ttsq ingest PATH"
    stored(scene, failing(Log()))
    with pytest.raises(NotTraced, match=r"the 2 requests stored are of 2026-03-02 14:22 to 2026-03-02 14:22 UTC"):  # fmt: skip  # noqa: E501
        scene.find("ts_00000000")
    with pytest.raises(NotTraced) as told:
        scene.find("TS_7F3A2B1C")
    assert told.value.hint == f"an id in another spelling exists: ttsq trace {ID}"


def test_an_id_of_errors_alone(scene: Scene) -> None:
    log = Log().add(
        "10:00:00,000", "bad_voice: id=ts_lost, warning_code=NO_VOICE", "WARNING", "first"
    )
    log.add("10:00:09,000", "gave up: id=ts_lost, request_id=req-9, error_code=GIVEN_UP", "ERROR")
    brief(log, "10:05:00", "ts_lost_too")
    stored(scene, log)
    assert [e.code for e in scene.trace("req-9").errors] == ["GIVEN_UP"]
    trace = scene.trace("ts_lost")
    assert trace.request is None
    assert [e.code for e in trace.errors] == ["NO_VOICE", "GIVEN_UP"]
    assert (trace.first_at, trace.last_at) == (at("10:00:00"), at("10:00:09"))
    assert not trace.around.errors
    lines = scene.lines("ts_lost")
    assert (lines[0].offset, lines[0].gone) == (log.offsets["first"], None)
    shown = scene.text("ts_lost")
    assert shown.startswith("request ts_lost: only errors are stored, GIVEN_UP\n")
    assert "+9000 ms" in shown


def test_errors_of_an_id_days_apart_are_two(scene: Scene) -> None:
    log = Log().add("10:00:00,000", "a: id=ts_x, error_code=A", "ERROR")
    content = log.content + log.content.replace(b"03-02", b"03-05").replace(b"=A", b"=B")
    scene.write(content)
    scene.ingest("app.log")
    assert [m.error_code for m in scene.find("ts_x").matches] == ["B", "A"]
    assert [e.code for e in scene.trace("ts_x", at("11:00:00")).errors] == ["A"]


def test_a_request_that_only_its_errors_name(scene: Scene) -> None:
    log = Log().add("10:00:00,000", "synthesis_start: id=ts_1")
    log.add("10:00:00,200", "slow: id=ts_1, request_id=req-1, warning_code=SLOW", "WARNING")
    log.add("10:00:00,300", "http: request_id=req-1, error_code=TIMEOUT", "ERROR")
    log.add("10:00:00,500", "synthesis_complete: id=ts_1, status=success")
    stored(scene, log)
    for wanted in ("req-1", "ts_1"):
        trace = scene.trace(wanted)
        assert (trace.match.id, [e.code for e in trace.errors]) == ("ts_1", ["SLOW", "TIMEOUT"])
        assert len(scene.lines(wanted)) == 4


def test_an_error_without_an_id_goes_by_the_request_id(scene: Scene) -> None:
    log = brief(Log(), "10:00:00", "ts_1", more=", request_id=req-1")
    log.add("10:00:00,600", "http: request_id=req-1, error_code=TIMEOUT", "ERROR")
    log.add("10:00:00,700", "http: request_id=req-1, id=ts_2, error_code=OTHER", "ERROR")
    stored(scene, log)
    assert [m.id for m in scene.find("req-1").matches] == ["ts_2", "ts_1"]
    assert [e.code for e in scene.trace("ts_1").errors] == ["TIMEOUT"]
    assert [e.code for e in scene.trace("ts_2").errors] == ["OTHER"]
    assert [e.code for e in scene.trace("ts_1").around.errors] == ["OTHER"]


def around(log: Log) -> Log:
    """Requests, failures and samples before, in and behind the 30 seconds around a failing one."""
    brief(log, "14:00:00", "ts_early", "failed")
    log.add("14:20:00,000", "cache_health: path=/app/cache, used=900MB, total=1000MB, usage=90%")
    log.add("14:21:00,000", "cache_health: path=/app/cache, used=912MB, total=1000MB, usage=91.2%")
    log.add("14:21:00,001", "cache_health: path=/tmp/cache, used=1MB, total=10MB, usage=10%")
    log.add("14:21:30,000", "synthesis_start: id=ts_long")
    log.add("14:22:00,000", "synthesis_start: id=ts_hung")
    brief(log, "14:22:05", "ts_just_out", "failed")
    brief(log, "14:22:10", "ts_in1", "failed")
    log.add("14:22:20,000", "fallback: id=ts_in1, warning_code=FALLBACK", "WARNING")
    log.add("14:22:30,000", "cache_dir_usage: path=/app/cache, used_percent=92.7, threshold=90.0, action=warn", "WARNING")  # fmt: skip  # noqa: E501
    failing(log)
    brief(log, "14:22:50", "ts_in2", "failed")
    log.add("14:22:55,000", "synthesis_complete: id=ts_long, status=success, duration_ms=85000")
    brief(log, "14:23:30", "ts_late", "failed")
    return log.add("14:25:00,001", "cache_health: path=/app/cache, used=1MB, total=2MB, usage=50%")


def test_what_was_around_it(scene: Scene) -> None:
    stored(scene, around(Log()))
    a = scene.trace(ID, running=True).around
    assert (a.since, a.until) == (at("14:22:07.892"), at("14:23:08.416"))
    assert (a.in_flight.everywhere, a.in_flight.here, a.in_flight.endless) == (2, 2, 1)
    assert [(s.path, s.used_percent) for s in a.samples_before] == [("/app/cache", 91.2), ("/tmp/cache", 10)]  # fmt: skip  # noqa: E501
    assert [(s.used_percent, s.action) for s in a.samples] == [(92.7, "warn")]
    assert [n.id for n in a.failures] == ["ts_in1", "ts_in2"]
    assert [(c.code, c.records) for c in a.failures_by_code] == [(None, 2)]
    assert [(c.level, c.code, c.records) for c in a.errors_by_code] == [
        ("WARNING", "FALLBACK", 1), ("WARNING", "cache_dir_usage", 1),
    ]  # fmt: skip
    assert a.running is not None
    assert [n.id for n in a.running] == ["ts_long", "ts_hung", "ts_in1", "ts_00000001", "ts_in2"]
    wide = scene.trace(ID, window=3600).around
    assert wide.running is None
    assert [n.id for n in wide.failures] == ["ts_early", "ts_just_out", "ts_in1", "ts_in2", "ts_late"]  # fmt: skip  # noqa: E501
    assert len(wide.samples) == 5


def test_the_host_of_the_request_comes_first(scene: Scene) -> None:
    stored(scene, around(Log()))
    import duckdb

    with duckdb.connect(str(scene.store.path)) as connection:
        connection.execute("update requests set host = 'other' where id in ('ts_in1', 'ts_long')")
    a = scene.trace(ID, running=True).around
    assert a.running is not None
    assert [n.id for n in a.running] == ["ts_hung", "ts_00000001", "ts_in2", "ts_long", "ts_in1"]
    assert [n.id for n in a.failures] == ["ts_in2", "ts_in1"]
    assert [(c.records, c.here) for c in a.failures_by_code] == [(2, 1)]
    assert (a.in_flight.everywhere, a.in_flight.here) == (2, 1)
    assert "2 others when it began, 1 of them on h; of 1 no end is known" in scene.text(ID)


def test_the_page(scene: Scene) -> None:
    log = around(Log())
    path = scene.folder / "app.log"
    stored(scene, log)
    shown = scene.text(ID)
    head, stages, errors, lines, others = shown.split("\n\n")
    assert head.splitlines() == [
        f"request {ID}: failed, SCIPY_FFT_INVALID, 523 ms",
        "  began        2026-03-02 14:22:37.892 UTC",
        "  ended        2026-03-02 14:22:38.416",
        "  host         h, service s",
        '  text         "你好, 世界" (6 characters, plain, zh)',
        "  voice        alloy",
        "  cache        hit no",
        "  model stage  llm_postproc",
        "  in flight    2 others when it began; of 1 no end is known",
    ]
    assert stages.splitlines() == [
        "stages: own time, share of 523 ms",
        "  text_normalize                 █                                          12 ms   2.3 %",
        "  llm_inference                  ████████████████████████████████████████  471 ms  90.1 %",
        "  (llm_postproc, no stage_time)  ███▍                                       40 ms   7.6 %",
    ]
    assert errors.splitlines() == [
        "errors: 1",
        "  14:22:38.415  +523 ms  ERROR  SCIPY_FFT_INVALID  app",
        f"    synthesis_failed: id={ID}, error_code=SCIPY_FFT_INVALID, Invalid input to scipy.fft",
        "    at /app/app/tts_engine.py:387 in _postproc",
        "      Traceback (most recent call last):",
        '        File "/app/app/tts_engine.py", line 387, in _postproc',
        "          spectrum = scipy.fft.rfft(embedding)",
        "      RuntimeWarning: invalid value encountered in true_divide",
        f"    {path}:{log.offsets['error']}",
    ]
    assert lines.splitlines()[:5] == [
        "log lines: 6",
        f'  14:22:37.892    +0 ms  INFO   synthesis_start: id={ID}, text="你好, 世界", '
        "lang=zh, voice=alloy, cache_hit=false",
        f"                                {path}:{log.offsets['start']}",
        f"  14:22:37.904   +12 ms  INFO   stage_time: stage=text_normalize, id={ID}, "
        "duration_ms=12",
        f"                                {path}:{log.offsets['stage']}",
    ]
    assert "Invalid input to scipy.fft (and a traceback of 4 lines)\n" in lines
    assert others.splitlines() == [
        "around it: 14:22:07.892 to 14:23:08.416, 30 s before and after",
        "  cache",
        "    14:21:00.000  /app/cache  91.2 % used, 912 of 1000 MB               97.892 s "
        "before it began",
        "    14:21:00.001  /tmp/cache  10 % used, 1 of 10 MB                     97.891 s "
        "before it began",
        "    14:22:30.000  /app/cache  92.7 % used, threshold 90 %, action warn",
        "  other failed requests: 2",
        "    (no code)  2",
        "      14:22:10.000  -27.892 s  ts_in1  failed  500 ms",
        "      14:22:50.000  +12.108 s  ts_in2  failed  500 ms",
        "  other warnings and errors: 2",
        "    WARNING FALLBACK         1",
        "    WARNING cache_dir_usage  1",
        "      14:22:20.000  h  ts_in1  fallback: id=ts_in1, warning_code=FALLBACK",
        "      14:22:30.000  h  cache_dir_usage: path=/app/cache, used_percent=92.7, "
        "threshold=90.0, action=warn",
    ]


def test_the_page_fits_the_terminal_and_the_zone(scene: Scene) -> None:
    stored(scene, around(Log()))
    for width in (60, 80, 132):
        shown = scene.text(ID, TraceLook(width=width, tz=ZoneInfo("Asia/Shanghai")))
        assert max(display_width(line) for line in shown.splitlines()) <= width
        assert "began        2026-03-02 22:22:37.892 Asia/Shanghai" in shown
        assert "RuntimeWarning: invalid value" in shown


HOSTILE = "\x1b[31m\x1b]0;owned\x07\u202e\x9b[bold]red[/bold]:smile:"


def test_text_of_logs_does_not_steer_the_terminal(scene: Scene) -> None:
    log = Log().add("14:00:00,000", f'synthesis_start: id={ID}, text="{HOSTILE}", voice={HOSTILE}, lang={HOSTILE}')  # fmt: skip  # noqa: E501
    log.add("14:00:00,100", f"stage_time: stage={HOSTILE}, id={ID}, duration_ms=100")
    log.add(
        "14:00:00,200",
        f"synthesis_failed: id={ID}, error_code={HOSTILE}, {HOSTILE}\nTraceback (most recent "
        f"call last):\n  {HOSTILE}\nE: {HOSTILE}",
        "ERROR",
    )
    log.add(
        "14:00:00,300",
        f"synthesis_complete: id={ID}, status={HOSTILE}, odd_{'k'}={HOSTILE}, "
        f"model_stage={HOSTILE}",
    )
    log.add("14:00:01,000", f"cache_health: path={HOSTILE}, usage=5%, action={HOSTILE}")
    brief(log, "14:00:02", HOSTILE.replace(" ", ""), "failed")
    stored(scene, log)
    for look in (TraceLook(tz=UTC), TraceLook(width=100, tz=UTC)):
        shown = scene.text(ID, look)
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(shown)
    shown = scene.text(ID, TraceLook(tz=UTC))
    assert r'"\x1b[31m\x1b]0;owned\x07\u202e\x9b[bold]red[/bold]:smile:"' in shown
    found = scene.find(ID)
    written = trace_json(found, scene.trace(ID, running=True), scene.lines(ID), UTC)
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(written)
    assert json.loads(written)["request"]["text"] == HOSTILE
    again = matches_text(scene.find(HOSTILE[:5]), TraceLook(tz=UTC))
    assert "\x1b" not in again


def test_long_texts_and_tracebacks_are_cut_with_a_note(scene: Scene) -> None:
    frames = "".join(f'  File "/app/a.py", line {n}, in f{n}\n' for n in range(40))
    log = Log().add("14:00:00,000", f'synthesis_start: id={ID}, text="{"好" * 1000}"')
    log.add(
        "14:00:00,200",
        f"synthesis_failed: id={ID}, error_code=X\nTraceback (most recent call "
        f"last):\n{frames}E: x",
        "ERROR",
    )
    stored(scene, log)
    shown = scene.text(ID)
    assert f'"{"好" * 300}… (700 characters more, --full)" (1000 characters, plain)' in shown
    assert "… 27 lines left out (--full shows them)" in shown
    assert "line 1, in f1\n" in shown and "line 2, in f2\n" not in shown
    assert "line 28, in f28\n" not in shown and "line 29, in f29\n" in shown and "\n      E: x\n" in shown  # fmt: skip  # noqa: E501
    full = scene.text(ID, TraceLook(tz=UTC, full=True))
    assert "好" * 1000 in full and "line 20, in f20" in full and "--full" not in full


def test_more_rows_than_are_shown_are_said_to_be_there(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip  # noqa: E501
    from ingest.tasks.trace import find as trace

    monkeypatch.setattr(trace, "ROWS", 2)
    log = Log().add("14:00:00,000", f"synthesis_start: id={ID}")
    for n in range(3):
        log.add(f"14:00:00,{n + 1}00", f"x: id={ID}, error_code=E{n}", "ERROR")
    stored(scene, log)
    found = scene.trace(ID)
    assert ([e.code for e in found.errors], found.cut) == (["E0", "E1"], ("errors",))
    assert "errors: 2, more are not shown (--full)" in scene.text(ID)


def test_a_request_without_an_end(scene: Scene) -> None:
    log = Log().add("14:00:00,000", f"synthesis_start: id={ID}")
    log.add("14:00:00,200", f"stage_time: stage=text_normalize, id={ID}, duration_ms=200")
    log.add("14:30:00,000", f"stage_time: stage=llm_inference, id={ID}, duration_ms=1800000")
    stored(scene, log)
    shown = scene.text(ID)
    assert shown.startswith(f"request {ID}: no end is known\n")
    assert "  last seen  2026-03-02 14:30:00.000\n" in shown
    assert "stages: own time\n" in shown
    assert "+1800000 ms" in shown


def test_one_object_for_programs(scene: Scene) -> None:
    log = around(Log())
    stored(scene, log)
    found = scene.find(ID)
    told = json.loads(trace_json(found, scene.trace(ID, running=True), scene.lines(ID), ZoneInfo("Asia/Shanghai")))  # fmt: skip  # noqa: E501
    assert (told["by"], told["id"], told["first_at"]) == ("id", ID, "2026-03-02T22:22:37.892000+08:00")  # fmt: skip  # noqa: E501
    assert told["request"]["start_offset"] == log.offsets["start"]
    assert [s["duration_ms"] for s in told["stages"]] == [12, 471]
    assert told["errors"][0]["traceback"].startswith("Traceback")
    assert told["lines"][0]["offset"] == log.offsets["start"]
    assert {n["id"] for n in told["around"]["running"]} >= {"ts_long", "ts_hung"}
    assert told["around"]["in_flight"] == {"everywhere": 2, "here": 2, "endless": 1}
    assert told["cut"] == []


def test_bars_and_spans() -> None:
    assert [bar(v, 100, 10) for v in (100, 50, 1, 0.001, 0, -5)] == ["█" * 10, "█████", "▏", "▏", "", ""]  # fmt: skip  # noqa: E501
    assert [len(bar(v, 1000, 40)) <= 40 for v in range(0, 1001, 7)] == [True] * 143
    told = [span(timedelta(seconds=s)) for s in (0.25, 30, 119, 120, 7200, 172_800)]
    assert told == ["0.25 s", "30 s", "119 s", "2 min", "2 h", "2 d"]
