"""Hypothesis strategies for hostile logs: whole requests, interleaved, among everything else.

``logs()`` gives one file's bytes, ``log_files()`` a list of files whose requests span them,
``split_points(data)`` places to cut at. Texts are built with surrogate escapes, so a lone
``\\udcXX`` becomes an invalid byte.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hypothesis import strategies as st

IDS = ("ts_1", "ts_2", "ts_3")
STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render", "x")
HEADER = "2026-03-02 12:00:01,500 - app.tts_engine - {} - {}"
BASES = (
    datetime(2026, 3, 2, 12),
    datetime(2026, 3, 2, 12),
    datetime(2026, 10, 25, 1, 59, 30),  # Europe: the hour from 02:00 comes twice
    datetime(2026, 3, 29, 1, 59, 30),  # Europe: the hour from 02:00 is missing
    datetime(2026, 11, 1, 0, 59, 30),  # America: the hour from 01:00 comes twice
)
STEPS_MS = (0, 1, 3, 12, 250, 250, 900, 30_000, 59_999, 60_000, 60_001, 400_000, 3_600_000)
BACK_MS = (-1, -900, -299_000, -301_000, -3_600_000)

TEXT_PIECES = (
    "hello",
    "你好, 世界",
    " ",
    "",
    ",",
    ", status=failed",
    ", status=failed, error_code=X",
    ', lang=xx, voice="y"',
    '"',
    '", voice=evil',
    '", ',
    '"quoted"',
    '="',
    "\\",
    "\\\\",
    '\\"',
    "\\n",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\nERROR: x",
    "\nWARNING:root:y",
    "\nTraceback (most recent call last):\n  boom\nValueError: z",
    "\n" + HEADER.format("INFO", "synthesis_complete: id=ts_1, status=success"),
    "\n" + HEADER.format("ERROR", 'synthesis_failed: id=ts_2, error_code=Y, text="q", a=b'),
    "🎉",
    "👩\u200d💻",
    "\x07",
    "\x1b[31m",
    "\0",
    "\u200b",
    "\u3000",
    "¥5 + 20%",
    "\udcff",
    "\udce4\udcbd",
    "\ufeff",
    "id=ts_3",
    "text=",
)
NUMBERS = (
    "0",
    "1",
    "12",
    "523",
    "1240ms",
    "1.5s",
    "900us",
    "2min",
    "86 chars",
    "1 char",
    "-5",
    "+7",
    "1e3",
    "1e400",
    "9223372036854775807",
    "9223372036854775808",
    "123456789012345678901234567890",
    "12.75",
    "912MB",
    "3GB",
    "5KiB",
    "91.2%",
    "nan",
    "inf",
    "",
    "abc",
    "1,5",
    '"77"',
    "0x10",
    "1_000",
    "\uff11\uff12",
)
FLAGS = ("true", "false", "True", "NO", "yes", "1", "0", "maybe", "")
EXTRAS = (
    "new_key=1",
    "node=gpu-3",
    'note="a, b=c"',
    'note="open',
    "id=ts_9",
    "error_code=E1 and words",
    "warning_code=W1",
    "fallback_used=true",
    "exc=ValueError: no",
    'exc="RuntimeError: a, b"',
    "some free words",
    "free words key=after",
    "http://x/?a=b",
    "=",
    "status=partial",
    "model_stage=llm_inference",
    "stage=x y",
    "request_id=r-1",
    "9k=v",
    "k.e-y=v",
    "lang=",
)
TRACEBACKS = (
    """Traceback (most recent call last):
  File "/app/app/tts_engine.py", line 387, in _postproc
    spectrum = scipy.fft.rfft(embedding)
  File "/usr/lib/python3.11/site-packages/scipy/fft.py", line 9, in rfft
    return f(x)
RuntimeWarning: invalid value""",
    """Traceback (most recent call last):
  File "a.py", line 1, in f
KeyError: "k"

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2, in g
app.errors.Bad""",
    """  + Exception Group Traceback (most recent call last):
  |   File "a.py", line 3, in h
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: one
    +------------------------------------""",
    """Traceback (most recent call last):
  File "<frozen x>", line 1, in i
ValueError: a
  b

c d""",
    "Traceback (most recent call last):",
    "Traceback (most recent call last):\nKeyboardInterrupt",
)
LOOSE = (
    "ERROR: failed to load model",
    "WARNING:root:careful",
    "INFO: synthesis_start: id=ts_1, text=bare",
    "CRITICAL:a.b:synthesis_failed: id=ts_2, error_code=Z",
    "FATAL: x",
    "WARN: w",
    "DEBUG:x:y",
    "ERROR:",
    "ERRORS: no",
    "  ERROR: indented",
    "garbage \udcff\udc80 here",
    '  File "x.py", line 1, in y',
    "RuntimeError: alone",
    "key=value, text=x",
    '"',
    'end", lang=zh',
    "",
    "   \t",
    "\0\0\0",
    "\0\0ERROR: behind NULs",
    "2026-02-30 25:00:00,000 - app - INFO - synthesis_start: id=ts_1",
    "2026-13-01 00:00:00,000 - app - ERROR - never",
    "2026-03-02 12:00:01,500 - app - INFO",
    "2026-03-02T12:00:02.250Z - app - ERROR - zoned",
    "2026-03-02 12:00:03+08:00 - app - WARNING - zoned: id=ts_3",
)


def hostile_texts() -> st.SearchStrategy[str]:
    """Users' texts, with everything that a parser may trip over."""
    pieces = st.one_of(st.sampled_from(TEXT_PIECES), st.text(max_size=4))
    return st.lists(pieces, max_size=5).map("".join)


def _mode(text: str, mode: str) -> str:
    """Write a text as a service does that escapes all, quotes only, or nothing."""
    if mode in ("full", "quotes"):
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    if mode == "full":
        text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    if mode == "bare":
        return f"text={text}"
    return f'text="{text}' if mode == "unclosed" else f'text="{text}"'


@st.composite
def text_pairs(draw: st.DrawFn) -> str:
    """A ``text`` pair, written in one of five manners."""
    modes = ("full", "full", "full", "quotes", "quotes", "none", "bare", "unclosed")
    return _mode(draw(hostile_texts()), draw(st.sampled_from(modes)))


@st.composite
def _message(draw: st.DrawFn, event: str, pairs: Sequence[str]) -> str:
    """Join pairs to a message: some left out, some added, sometimes in another order."""
    kept = list(pairs)
    if draw(st.integers(0, 7)) == 7 and kept:
        kept.pop(draw(st.integers(0, len(kept) - 1)))
    if draw(st.integers(0, 4)) == 4:
        kept.insert(draw(st.integers(0, len(kept))), draw(st.sampled_from(EXTRAS)))
    if draw(st.integers(0, 5)) == 5:
        kept = draw(st.permutations(kept))
    return f"{event}: " + draw(st.sampled_from((", ", ", ", ", ", ","))).join(kept)


def _numbers(usual: str) -> st.SearchStrategy[str]:
    """The usual number mostly, else an odd one."""
    return st.one_of(st.just(usual), st.just(usual), st.sampled_from(NUMBERS))


@st.composite
def _start(draw: st.DrawFn, name: str) -> tuple[str, str]:
    hit = draw(st.sampled_from(FLAGS))
    pairs = [f"id={name}", draw(text_pairs()), "lang=zh", "voice=alloy"]
    pairs += [f"duration_ms={draw(_numbers('0'))}", f"cache_hit={hit}"]
    return "INFO", draw(_message("synthesis_start", pairs))


@st.composite
def _stage(draw: st.DrawFn, name: str) -> tuple[str, str]:
    stage = draw(st.sampled_from(STAGES))
    pairs = [f"stage={stage}", f"id={name}", f"duration_ms={draw(_numbers('120'))}"]
    return draw(st.sampled_from(("INFO", "INFO", "WARNING"))), draw(_message("stage_time", pairs))


@st.composite
def _metrics(draw: st.DrawFn, name: str) -> tuple[str, str]:
    pairs = [f"id={name}", f"rms={draw(_numbers('0.2'))}"]
    pairs.append(f"spectral_centroid={draw(_numbers('1740.5'))}")
    return "INFO", draw(_message("audio_metrics", pairs))


@st.composite
def _failed(draw: st.DrawFn, name: str) -> tuple[str, str]:
    pairs = [f"id={name}", "error_code=SCIPY_FFT_INVALID", "Invalid input to scipy.fft"]
    message = draw(_message("synthesis_failed", pairs))
    if draw(st.booleans()):
        message += "\n" + draw(st.sampled_from(TRACEBACKS))
    return draw(st.sampled_from(("ERROR", "ERROR", "CRITICAL", "INFO"))), message


@st.composite
def _complete(draw: st.DrawFn, name: str) -> tuple[str, str]:
    pairs = [f"id={name}", f"status={draw(st.sampled_from(('success', 'failed', 'odd')))}"]
    pairs += [f"duration_ms={draw(_numbers('523'))}", f"text_len={draw(_numbers('6 chars'))}"]
    pairs += [
        f"audio_size_kb={draw(_numbers('48'))}",
        f"cache_saved={draw(st.sampled_from(FLAGS))}",
    ]
    return "INFO", draw(_message("synthesis_complete", pairs))


@st.composite
def _other(draw: st.DrawFn, name: str) -> tuple[str, str]:
    """A record that is no step of a request: warnings, cache reports, unknown events."""
    event, *pairs = draw(
        st.sampled_from(
            (
                ("fallback", f"id={name}", "warning_code=VOICE", "fallback_used=true"),
                ("note", f"id={name}", "a=1", "a=2", "a=1"),
                (
                    "cache_dir_usage",
                    "path=/c",
                    "used_percent=92.7",
                    "threshold=90.0",
                    "action=warn",
                ),
                ("cache_health", "path=/c", "used=912MB", "total=1GB", "usage=89.1%"),
                ("cache_health", "path=", "used=x", "total=1e400", "usage=%"),
                ("plain words and", "no pairs"),
            )
        )
    )
    level = draw(st.sampled_from(("DEBUG", "INFO", "WARNING", "ERROR", "WARN", "NOTICE")))
    message = draw(_message(event, pairs))
    if draw(st.integers(0, 4)) == 4:
        message += "\n" + draw(st.sampled_from(TRACEBACKS))
    return level, message


Step = Callable[[str], st.SearchStrategy[tuple[str, str]]]
_STORIES: tuple[tuple[Step, ...], ...] = (
    (_other,),
    (_start,),
    (_complete,),
    (_failed,),
    (_metrics,),
    (_stage, _complete),
    (_start, _complete),
    (_other, _start, _complete, _other),
    (_start, _stage, _failed, _complete),
    (_start, _stage, _other, _complete, _metrics),
    (_start, _stage, _stage, _metrics, _complete),
    (_start, _stage, _stage, _stage, _complete),
)


@st.composite
def _entries(draw: st.DrawFn, max_stories: int) -> list[str]:
    """Stories told at once, step by step, among loose lines: one text a record, no line end."""
    stories = []
    for _ in range(draw(st.integers(0, max_stories))):
        name = draw(st.sampled_from(IDS))
        stories.append([step(name) for step in draw(st.sampled_from(_STORIES))])
    at = draw(st.sampled_from(BASES))
    entries: list[str] = []
    while stories:
        if draw(st.integers(0, 5)) == 5:
            entries.append(draw(st.sampled_from(LOOSE)))
        number = draw(st.integers(0, min(2, len(stories) - 1)))
        level, message = draw(stories[number].pop(0))
        if not stories[number]:
            stories.pop(number)
        back = draw(st.integers(0, 15)) == 15
        at += timedelta(milliseconds=draw(st.sampled_from(BACK_MS if back else STEPS_MS)))
        stamp = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
        entries.append(f"{stamp} - app.tts_engine - {level} - {message}")
    if draw(st.integers(0, 3)) == 3:
        entries += draw(st.lists(st.sampled_from(LOOSE), max_size=3))
    return entries


@st.composite
def _rendered(draw: st.DrawFn, entries: list[str]) -> bytes:
    """Give a file's entries their line ends, and the file its beginning and end."""
    end = draw(st.sampled_from(("\n", "\n", "\n", "\r\n")))
    text = "".join(entry.replace("\n", end) + end for entry in entries)
    text = draw(st.sampled_from(("", "", "", "\ufeff", "\n", "\0\0", "garbage\n"))) + text
    if draw(st.integers(0, 5)) == 5:
        text = text[: -len(end)]
    return text.encode("utf-8", "surrogateescape")


@st.composite
def logs(draw: st.DrawFn, max_stories: int = 6) -> bytes:
    """One log file."""
    return draw(_rendered(draw(_entries(max_stories))))


@st.composite
def log_files(draw: st.DrawFn, max_files: int = 3, max_stories: int = 8) -> list[bytes]:
    """One to ``max_files`` files, in any order, cut from one log so that requests span them."""
    entries = draw(_entries(max_stories))
    places = st.integers(0, len(entries))
    cuts = sorted(draw(st.lists(places, max_size=max_files - 1)))
    shares = zip([0, *cuts], [*cuts, len(entries)], strict=True)
    files = [draw(_rendered(entries[begin:end])) for begin, end in shares]
    return draw(st.permutations(files))


def split_points(data: bytes, max_points: int = 6) -> st.SearchStrategy[list[int]]:
    """Places to cut ``data`` at, sorted: anywhere, and often around line ends."""
    ends = [at + by for at, byte in enumerate(data) if byte == 10 for by in (0, 1, 2)]
    near = [at for at in ends if at <= len(data)] or [0]
    points = st.one_of(st.integers(0, len(data)), st.sampled_from(near))
    return st.lists(points, max_size=max_points, unique=True).map(sorted)
