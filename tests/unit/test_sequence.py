"""Requests without ids: cases that a sentence of docs/profiles.md is about."""

from ingest.records.profile_samples import rows_of
from ingest.records.sequence import Claim, Line, Sequencer
from tests.support.shipped_profiles import shipped

START = ">> starting inference..."
BLOCK = (
    ">> gpt_gen_time: 1.00 seconds",
    ">> Total inference time: 2.00 seconds",
    ">> RTF: 0.5000",
)


class Log:
    """Lines told to a sequencer one after the other, ten bytes each."""

    def __init__(self) -> None:
        self.sequencer = Sequencer(shipped(), b"head", None)
        self.claims: list[Claim | None] = []
        self.offset = 0

    def at(self, message: str = "", seconds: float | None = None, level: int = 0) -> Line:
        instant = None if seconds is None else round(seconds * 1_000_000)
        line = Line(self.offset, self.offset + 10, None, message, level, None, instant)
        self.offset += 10
        return line

    def lines(self, *messages: str, seconds: float | None = None) -> None:
        self.claims += [self.sequencer.line(self.at(m, seconds)) for m in messages]

    def access(self, status: int, path: str = "/tts") -> Claim | None:
        claim = self.sequencer.access(self.at(), "POST", path, status)
        self.claims.append(claim)
        return claim

    def failed(self, exception: str, message: str) -> Claim | None:
        claim = self.sequencer.failed(self.at(), exception, message)
        self.claims.append(claim)
        return claim

    @property
    def rows(self) -> list[dict[str, object]]:
        events = [event for claim in self.claims if claim for event in claim.events]
        return rows_of(events)[0]


def test_a_traceback_behind_its_500_fails_no_other_request() -> None:
    log = Log()
    log.lines(START, START)
    refused = log.access(500)
    told = log.failed("torch.OutOfMemoryError", "CUDA out of memory")
    assert refused is not None and told is not None
    assert refused.id == told.id
    assert ("error_code", "CUDA_OOM") in told.events[0].pairs
    assert [row.get("status") for row in log.rows] == [None, "failed"]


def test_a_500_behind_its_traceback_fails_no_other_request() -> None:
    log = Log()
    log.lines(START, START)
    told = log.failed("ValueError", "no")
    refused = log.access(500)
    assert refused is not None and told is not None
    assert refused.id == told.id
    assert [row.get("status") for row in log.rows] == [None, "failed"]


def test_an_access_line_answers_the_request_that_ended_before_it() -> None:
    log = Log()
    log.lines(START, *BLOCK)
    first = log.access(200)
    log.lines(START, *BLOCK, START, *BLOCK)  # the client of the first of these two is gone
    last = log.access(200)
    assert first is not None and last is not None
    assert [first.id, last.id] == [log.rows[0]["id"], log.rows[2]["id"]]


def test_the_answers_of_health_checks_and_polls_touch_nothing() -> None:
    log = Log()
    log.lines(START)
    assert log.access(500, "/health") is None
    assert log.access(404, "/favicon.ico") is None
    log.lines(*BLOCK)
    assert log.access(200, "/gradio_api/queue/join") is None
    assert log.rows[0]["status"] == "success"


def test_a_path_that_has_been_answered_fails_a_request_with_a_500() -> None:
    log = Log()
    log.lines(START)
    assert log.access(500, "/say-it") is None
    log.lines(*BLOCK)
    answered = log.access(200, "/say-it")
    assert answered is not None and answered.id == log.rows[0]["id"]
    log.lines(START)
    refused = log.access(500, "/say-it")
    assert refused is not None
    assert log.rows[1]["status"] == "failed"


def test_a_traceback_that_overtook_buffered_lines_fails_the_request_behind_it() -> None:
    log = Log()
    assert log.failed("RuntimeError", "device-side assert triggered") is None
    log.lines(START, *BLOCK, START, START, *BLOCK)
    assert [row.get("status") for row in log.rows] == ["success", "failed", "success"]
    assert log.rows[1]["error_code"] == "CUDA_ASSERT"
    assert [row["assembly"] for row in log.rows] == ["sequence"] * 3


def test_a_block_goes_to_the_request_that_its_duration_fits() -> None:
    log = Log()
    log.lines(START, seconds=0.0)  # fails, and nothing is printed of it
    log.lines(START, seconds=60.0)
    log.lines(*BLOCK, seconds=62.0)
    assert [row.get("status") for row in log.rows] == [None, "success"]
    assert log.rows[1]["duration_ms"] == 2000


def test_a_restart_interrupts_what_is_open() -> None:
    log = Log()
    log.lines(START, BLOCK[0], "Started server process [7]", START, *BLOCK)
    assert [row["status"] for row in log.rows] == ["failed", "success"]
    assert log.rows[0]["error_code"] == "INTERRUPTED"
    assert log.rows[0]["stages"] == []


def test_a_container_that_was_killed_interrupts_its_own_requests() -> None:
    sequencer = Sequencer(shipped(), b"head", None)
    claims = [
        sequencer.line(Line(i * 10, i * 10 + 10, name, text, 0, None, None))
        for i, (name, text) in enumerate(
            [("tts-1", START), ("tts-2", START), (None, "tts-1 exited with code 137")]
        )
    ]
    rows, errors = rows_of([event for claim in claims if claim for event in claim.events])
    assert [row.get("status") for row in rows] == ["failed", None]
    assert errors[0]["code"] == "EXIT_137"


def test_two_prints_without_a_line_end_between_them_are_two_lines() -> None:
    log = Log()
    log.lines(START, *BLOCK[:2], f"{BLOCK[2]}{START}", *BLOCK)
    assert [row["status"] for row in log.rows] == ["success", "success"]
    assert len({row["id"] for row in log.rows}) == 2


def test_a_stamp_glued_to_a_number_is_no_part_of_it() -> None:
    log = Log()
    log.lines(START, *BLOCK[:2], ">> RTF: 0.50002026-03-02T10:00:00Z something else")
    assert log.rows[0]["rtf"] == 0.5


def test_several_runs_of_an_engine_in_one_wrapper_add_up() -> None:
    log = Log()
    log.lines("处理TTS请求: text=a, reference_id=r", START, *BLOCK, START, *BLOCK, "TTS推理完成")
    assert len(log.rows) == 1
    assert log.rows[0]["duration_ms"] == 4000
    assert log.rows[0]["text"] == "a"


def test_a_wrapper_around_an_engine_that_prints_nothing_ends_with_its_access_line() -> None:
    log = Log()
    log.lines("收到语音合成请求: 你好", seconds=1.0)
    claim = log.access(200)
    assert claim is not None and claim.id == log.rows[0]["id"]
    assert log.rows[0]["status"] == "success"


def test_the_id_is_of_the_files_beginning_and_the_offset() -> None:
    ids = []
    for head in (b"a" * 2000, b"a" * 1024, b"b"):
        claim = Sequencer(shipped(), head, None).line(Line(5000, 5024, None, START, 0, None, None))
        assert claim is not None
        ids.append(claim.id)
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] is not None and ids[0].endswith("-5000") and len(ids[0]) == 13


def test_an_error_line_with_a_traceback_fails_one_request() -> None:
    log = Log()
    log.lines(
        "Processing 2 text chunks with default voice and parameters:",
        "Processing 3 text chunks with default voice and parameters:",
    )
    line = log.at("✗ TTS generation failed: no more memory", level=4)
    log.claims += [
        log.sequencer.line(line),
        log.sequencer.failed(line, "RuntimeError", "quite other words"),
    ]
    assert [row.get("status") for row in log.rows] == [None, "failed"]


def test_what_is_kept_of_torn_blocks_is_bounded() -> None:
    log = Log()
    log.lines(START, START)
    log.lines(*[BLOCK[0], BLOCK[1]] * 2000)
    assert len(log.sequencer.state()) < 50_000
    log.lines(START, *BLOCK)
    assert all(claim is not None for claim in log.claims)
