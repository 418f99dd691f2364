"""What runtimes, shells and the C library print when a program fails or ends: an error each, with
its place; and texts of users that look so, which are none.
"""

from pathlib import Path

import pytest

from ingest.records.dumps import dump_of
from ingest.rows.stacks import read_stack
from tests.real_cases.test_services import asked, compose, ingested

_UP = 'INFO:     Started server process [7]\nINFO:     10.0.0.1:5 - "POST /tts HTTP/1.1" 200 OK\n'
_FAULT = (
    "Fatal Python error: Segmentation fault\n\n"
    "Thread 0x00007f5a4cff9700 (most recent call first):\n"
    '  File "/usr/lib/python3.10/threading.py", line 324 in wait\n'
    '  File "/app/monitor.py", line 60 in run\n\n'
    "Current thread 0x00007f5b0e0b1740 (most recent call first):\n"
    '  File "/usr/lib/python3/dist-packages/torch/nn/functional.py", line 2548 in linear\n'
    '  File "/app/vocoder.py", line 112 in decode\n'
    '  File "/app/server.py", line 58 in synth\n\n'
    "Extension modules: numpy.core._multiarray_umath, torch._C (total: 40)\n"
)
_GO = (
    "panic: runtime error: index out of range [3] with length 3\n"
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\n"
    "goroutine 17 [running]:\nmain.(*Engine).Synthesize(0xc0000b2000, {0xc000016090, 0x5})\n"
    "\t/app/engine.go:88 +0x1d\nmain.handler({0x6f0e28, 0xc0000d8000}, 0xc0000e2000)\n"
    "\t/app/main.go:42 +0x65\ncreated by net/http.(*Server).Serve in goroutine 1\n"
    "\t/usr/local/go/src/net/http/server.go:3086 +0x5cb\nexit status 2\n"
)
_RUST = (
    "thread 'tokio-runtime-worker' panicked at src/synth.rs:88:17:\n"
    "index out of bounds: the len is 3 but the index is 3\n"
    "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
)
_NODE = (
    "/app/src/tts.js:42\n    throw new TypeError('no voice')\n    ^\n\nTypeError: no voice\n"
    "    at synth (/app/src/tts.js:42:11)\n"
    "    at Module._compile (node:internal/modules/cjs/loader:1256:14)\n\nNode.js v18.17.0\n"
)
_CAUGHT = (
    "TypeError: no voice\n    at synth (/app/src/tts.js:42:11)\n    at async /app/main.js:7:3\n"
)
_JAVA = (
    "java.lang.IllegalStateException: voice not loaded\n"
    "\tat com.example.tts.Engine.synth(Engine.java:88)\n"
    "\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:897)\n"
    "Caused by: java.io.FileNotFoundException: nova.bin (No such file or directory)\n"
    "\tat java.base/java.io.FileInputStream.open0(Native Method)\n"
    "\tat com.example.tts.Voices.load(Voices.java:21)\n\t... 50 common frames omitted\n"
)
_NET = (
    "Unhandled exception. System.InvalidOperationException: voice not loaded\n"
    "   at Tts.Engine.Synth(String text) in /src/Engine.cs:line 88\n"
    "   at Tts.Program.Main(String[] args) in /src/Program.cs:line 12\n"
)
_THROWN = (
    "terminate called after throwing an instance of 'c10::Error'\n"
    "  what():  CUDA error: an illegal memory access was encountered\n"
    "Exception raised from c10_cuda_check at ../c10/cuda/Exception.cpp:44 (most recent call first):"
    "\nframe #0: c10::Error::Error(std::string) + 0x57 (0x7f in /usr/lib/libc10.so)\n"
)
_DUMPS = {
    "python": (_FAULT, None, "/app/vocoder.py:112 in decode"),
    "go": (_GO, "panic", "/app/engine.go:88 in main.(*Engine).Synthesize"),
    "rust": (_RUST, "panic", "src/synth.rs:88"),
    "node": (_NODE, "TypeError", "/app/src/tts.js:42 in synth"),
    "javascript": (_CAUGHT, "TypeError", "/app/src/tts.js:42 in synth"),
    "java": (
        _JAVA,
        "java.io.FileNotFoundException",
        "Voices.java:21 in com.example.tts.Voices.load",
    ),
    "net": (_NET, "System.InvalidOperationException", "/src/Engine.cs:88 in Tts.Engine.Synth"),
    "c++": (_THROWN, "c10::Error", "../c10/cuda/Exception.cpp:44 in c10_cuda_check"),
}
_SAYS = "select exception_type, location from errors"


@pytest.mark.parametrize("dump", _DUMPS.values(), ids=_DUMPS)
def test_a_dump_is_one_error_with_its_place(
    dump: tuple[str, str | None, str], tmp_path: Path
) -> None:
    text, raised, place = dump
    store = ingested(tmp_path, (_UP + text + _UP).encode())
    assert asked(store, _SAYS) == [(raised, place)]
    assert asked(store, "select unclaimed, quarantined from log_files") == [(0, 0)]
    assert asked(store, "select count(*) from http_requests") == [(2,)]


@pytest.mark.parametrize("dump", _DUMPS.values(), ids=_DUMPS)
def test_a_dump_is_the_same_in_whatever_pieces_it_comes(
    dump: tuple[str, str | None, str], tmp_path: Path
) -> None:
    log = compose(_UP + dump[0] + _UP)
    columns = "level, code, message, traceback, exception_message, location, byte_offset"
    whole = asked(ingested(tmp_path, log.encode()), f"select {columns} from errors")
    (tmp_path / "b").mkdir()
    lines = log.splitlines(keepends=True)
    grown = ["".join(lines[:n]).encode() for n in range(1, len(lines) + 1)]
    store = ingested(tmp_path / "b", *grown)
    assert asked(store, f"select {columns} from errors") == whole
    assert len(whole) == 1


@pytest.mark.parametrize("before", ["2026-03-02 10:00:05,123 - app.api - ERROR - ", "ERROR:    "])
@pytest.mark.parametrize("name", ["java", "javascript", "net", "go"])
def test_a_stack_behind_a_header_is_that_errors_traceback(
    before: str, name: str, tmp_path: Path
) -> None:
    text, raised, place = _DUMPS[name]
    store = ingested(tmp_path, f"{before}synthesis failed\n{text}".encode())
    if name == "go":
        raised = "panic"
    found = asked(store, "select message, exception_type, location from errors")
    assert found[0] == ("synthesis failed", raised, place) or name == "go"
    assert place in [row[2] for row in found]


def test_without_its_frames_a_first_line_is_nobodys_error(tmp_path: Path) -> None:
    log = (
        _UP + "panic: at the disco\n/app/src/tts.js:42\nsome words\nTypeError: no voice\n"
        "java.lang.IllegalStateException: so what\nmore words\nfatal error: my cat\n" + _UP
    )
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select message from errors") == []
    assert asked(store, "select unclaimed from log_files") == [(7,)]


def test_a_text_that_looks_like_a_dump_stays_a_text(tmp_path: Path) -> None:
    said = _GO.rstrip() + "\nKilled\n" + _JAVA.rstrip()
    native = "2026-03-02 10:00:05,123 - app.tts_engine - {0} - {1}\n"
    log = native.format("INFO", f'synthesis_start: id=ts_1, text="{said}", voice=nova')
    log += native.format("ERROR", f'synthesis_failed: id=ts_1, text="{said}", error_code=X')
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select text, voice from requests") == [(said, "nova")]
    assert asked(store, "select code, exception_type, location, traceback from errors") == [
        ("X", None, None, None)
    ]


def test_what_shells_and_the_library_say_is_an_error_only_as_a_line_of_its_own(
    tmp_path: Path,
) -> None:
    log = (
        "2026-03-02 10:00:05,123 - app.api - INFO - Killed\nINFO:     Killed\n"
        "text: Killed\nThey were Killed\nKilled by a cat\nthe command x: not found\n"
        "INFO:     sh: 1: ffmpeg: not found\n"
    )
    assert asked(ingested(tmp_path, log.encode()), "select message from errors") == []


def test_a_bare_word_does_not_end_an_announced_text(tmp_path: Path) -> None:
    log = (
        "2026-03-02 10:00:05.123 | INFO     | tools.server.inference:f:1 - Using text:\n"
        "Killed\nfree(): invalid pointer\n"
    )
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select count(*) from requests where status = 'failed'") == [(0,)]


def test_a_crash_in_a_script_ends_the_open_request(tmp_path: Path) -> None:
    log = ">> starting inference...\nrun.sh: line 3:    17 Killed                  python api.py\n"
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select status, error_code from requests") == [("failed", "INTERRUPTED")]
    assert asked(store, "select code from errors where code = 'KILLED'") == [("KILLED",)]


def test_javas_full_heap_is_no_full_gpu(tmp_path: Path) -> None:
    log = (
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'
        "\tat com.example.tts.Audio.read(Audio.java:12)\n"
    )
    store = ingested(tmp_path, (_UP + log).encode())
    assert asked(store, "select code, location from errors") == [
        ("OUT_OF_MEMORY", "Audio.java:12 in com.example.tts.Audio.read")
    ]


def test_a_line_with_a_stamp_of_its_own_goes_on_with_no_error(tmp_path: Path) -> None:
    log = "2026/03/02 10:00:05 [ERROR] synthesis failed\n2026/03/02 10:00:06 listening on :8080\n"
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select message from errors") == [("synthesis failed",)]


def test_what_ended_the_one_open_request_is_an_error_of_that(tmp_path: Path) -> None:
    store = ingested(tmp_path, (">> starting inference...\n" + _FAULT + _UP).encode())
    ((key, code),) = asked(store, "select request_key, error_code from requests")
    assert code == "INTERRUPTED"
    found = "select request_key, location from errors where code = 'CRASHED'"
    assert asked(store, found) == [(key, "/app/vocoder.py:112 in decode")]


def test_who_watches_a_process_tells_of_no_request(tmp_path: Path) -> None:
    log = f"tts | >> starting inference...\ntts exited with code 137\n{compose(_UP)}"
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select error_code from requests") == [("INTERRUPTED",)]
    assert asked(store, "select request_key, code from errors") == [(None, "EXIT_137")]


@pytest.mark.parametrize(
    "first", ["panic: x", "terminate called x", "TypeError: x", "/app/tts.js:42"]
)
def test_a_line_of_a_dump_that_repeats_itself_is_looked_through_once(first: str) -> None:
    """Expressions that try each way to part it would take hours for these."""
    dump = dump_of(first.encode())
    assert dump is not None
    for part in (b"a", b"a(", b"(", b"a.", b"/", b" ", b"at ", b"-"):
        dump.takes(part * (500_000 // len(part)) + b"!", [])


def test_a_stack_whose_lines_repeat_themselves_is_read_line_by_line() -> None:
    for part in ("/", "a/", "  ", "-", "-> ", "a.", "(", ") in "):
        line = "    at a" + part * 500 + "!"
        assert read_stack("\n".join(["Error: x", *[line] * 1_000])) is not None
