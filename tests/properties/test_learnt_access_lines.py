"""Access lines that are learnt give the records that the general path gives of them, whatever
clients ask for, whoever writes them, and whatever is around them.
"""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from ingest.records import front, in_turn
from ingest.records.learnt import lines as learnt_lines
from ingest.records.learnt import modes
from tests.properties.learnt import assert_both_read_the_same, examples, learn_from_little

_PROFILE = examples(4)
_FORMATS = (
    '{ip} - {user} [{clf} +0000] "{request}" {status} {bytes} "{referer}" "{agent}"',
    '{ip} - {user} [{clf} {zone}] "{request}" {status} {bytes} "{referer}" "{agent}" rt={s} '
    "urt={up} rid={id}",
    '{ip} - {user} [{clf} {zone}] "{request}" {status} {bytes}',
    '{ip} - - [{clf} {zone}] "{request}" {status} {bytes} "{referer}" "{agent}" "{forwarded}" '
    "{s} {up}",
    '{ip} - - [{clf} {zone}] "{request}" {status} {bytes} "{referer}" "{agent}" {us}',
    '{ip} - {user} [{clf} +0000] "{request}" {status} {bytes} "{referer}" "{agent}" {bytes}'
    ' "tts@docker" "http://10.0.0.5:8000" {ms}ms',
    "{ip}:{port} [{clf}.{milli}] main tts/a1 0/0/1/{ms}/{ms} {status} {bytes} - - ---- "
    '1/1/0/0/0 0/0 "{request}"',
    '[{iso}Z] "{request}" {status} - {bytes} {bytes} {ms} {ms} "{forwarded}" "{agent}" "{uuid}"'
    ' "host" "10.0.0.5:80"',
    'INFO:     {ip}:{port} - "{request}" {status} OK',
    '{ip} - - [{clf}] "{request}" {status} -',
    '{ip} - - [{iso}] "{request}" {status} {bytes} {us}',
    '{ip} [{iso}+00:00] host.example.com "{request}" status={status} {bytes} request_time={s} '
    'upstream_response_time="{up}" request_id={name}',
    'tts.example.com:443 {ip} - - [{clf} {zone}] "{request}" {status} {bytes} "{referer}" '
    '"{agent}"',
    '{stamp} INFO [uvicorn.access] {ip}:{port} - "{request}" {status} OK',
    '{{"remote_addr":"{ip}","request":"{request}","status":"{status}","time":"{iso}Z"}}',
)
_PATHS = (
    "/tts",
    "/v1/audio/speech",
    "/health",
    "/audio/{id}.wav",
    "/a/{n}",
    "/",
    "/x",
    "/metrics",
    "/tts/{n}",
)
_QUERIES = ("", "", "?voice=a{n}", "?text=%E4%BD%A0%20{n}", "?", "?a=b&c=[{n}]")
_AGENTS = (
    "curl/8.{n}.0",
    "Mozilla/5.0 (X11; Linux) like Gecko",
    "-",
    "python-httpx/0.{n}",
    "kube-probe/1.3",
)
_REFERERS = ("-", "-", "https://example.com/a?b={n}", "")
# what may stand in any of these
_HOSTILE = (
    '"',
    '\\"',
    "\\x22",
    "\\",
    "\\\\",
    "\\xE4\\xBD\\xA0",
    "\\xe4",
    "你好",
    "\x1b[1m",
    "#033[1m",
    "#015",
    "\t",
    " ",
    "|",
    "%|",
    "100%|##| 3/3 [00:01<00:00, 1it/s]",
    "ERROR",
    "[ERROR]",
    "ERROR:",
    " - ERROR - ",
    "level=error",
    " status=500 ",
    'text="',
    "Traceback (most recent call last):",
    "synthesis_start: ",
    "2026-03-02 10:00:00,123 - tts - INFO - ",
    "2026-03-02T10:00:00Z",
    "GET /tts HTTP/1.1",
    "HTTP/1.1",
    '" 500 3 "',
    "://",
    "http://x",
    "10.0.0.1",
    "::1",
    "0.123",
    "12ms",
    "(internal dummy connection)",
    "0123456789abcdef0123456789abcdef",
    "nan",
    "-",
    "--",
    "'",
    "{",
    "}",
    "\x7f",
    "\u2028",
    "é",
    "/",
    "?",
    "=",
    ",",
    ", 0.5",
    " : ",
    "99999999999999999999",
    "1e5",
    "200",
    "id=7",
    "tts-1  | ",
    "[",
    "]",
    "(",
    ")",
)
_METHODS = ("GET", "POST", "POST", "HEAD", "OPTIONS", "PROPFIND", "get", "G", "-")
_STATUSES = (200, 200, 200, 404, 500, 499, 101, 999, 20, 2000)
_ADDRESSES = (
    "10.3.{a}.{b}",
    "10.3.0.7",
    "2001:db8::{a}",
    "::1",
    "::ffff:10.0.0.{a}",
    "12:34:56::1",
    "-",
    "localhost",
    "999.999.1.1",
    "[2001:db8::{a}]",
    "1.2.3",
    "fe80::1%eth0",
    "unix:",
)
_TIMES = (
    "{:.3f}",
    "{:.3f}",
    "{:.6f}",
    "-",
    "{:.3f}, 0.001",
    "{:.3f} : -",
    "0.000",
    "{:.0f}",
    "{:.1e}",
)
_NAMES = ("req-{n}", "-", "ts_{n}", "01HV{n}ZK", "{n}", "0x{n}", "abc", "{n}.5")
# what else may stand between them
_OTHERS = (
    ">> starting inference...",
    ">> gpt_gen_time: {n}.93 seconds",
    ">> Total inference time: 6.15 seconds",
    "ERROR:    Exception in ASGI application",
    "Traceback (most recent call last):",
    '  File "a.py"',
    "ValueError: {n}",
    "WARNING: {n} left",
    "",
    "x {n}",
    "[02/Mar/2026:10:00:00 +0000] started {n}",
    '2026/03/02 10:00:00 [error] 12#12: *7 upstream timed out, client: 10.0.0.1, "POST /tts"',
    "INFO:     Started server process [{n}]",
    '"GET /tts HTTP/1.1" 200 {n}',
    "synthesis_start: id=a{n}",
)


def _stain(text: str, hostile: float, chance: random.Random) -> str:
    """A field of a client's, sometimes with something that may be taken for what it is not."""
    if chance.random() >= hostile:
        return text
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_HOSTILE) + text[at:]


def _line(form: str, at: datetime, hostile: float, chance: random.Random) -> str:
    odd = hostile > 0 and chance.random() < max(hostile, 0.05)

    def any_of(usual: tuple[str, ...], more: int) -> str:
        return chance.choice(usual if odd else usual[:more])

    numbers = {
        "n": chance.randrange(10 ** chance.randrange(1, 9 if odd else 4)),
        "id": f"{chance.getrandbits(128):032x}",
        "a": chance.randrange(256),
        "b": chance.randrange(256),
    }

    def field(choices: tuple[str, ...], more: int) -> str:
        return _stain(any_of(choices, more).format(**numbers), hostile, chance)

    method = chance.choice(_METHODS if odd else _METHODS[:3])
    protocol = " HTTP/1.1" if not odd else chance.choice((" HTTP/1.1", " HTTP/2.0", " 1.1", ""))
    seconds = chance.uniform(0, 10 ** chance.randrange(9 if odd else 2))
    return form.format(
        ip=any_of(_ADDRESSES, 2).format(**numbers),
        port=chance.randrange(1, 70000),
        user=chance.choice(("-", "-", "-", "frank", "a b", "ERROR")[: 6 if odd else 3]),
        clf=f"{at:%d/%b/%Y:%H:%M:%S}",
        iso=f"{at:%Y-%m-%dT%H:%M:%S}",
        milli=f"{chance.randrange(1000):03}",
        stamp=f"{at:%Y-%m-%d %H:%M:%S},{chance.randrange(1000):03}",
        zone=chance.choice(("+0000", "+0100", "-0730", "+9900")[: 4 if odd else 2]),
        request=f"{method} {field(_PATHS, 9)}{field(_QUERIES, 6)}{protocol}",
        status=chance.choice(_STATUSES if odd else _STATUSES[:4]),
        bytes=chance.choice((0, 5, 512, 70342, 10**6, "-", 10**18)[: 7 if odd else 4]),
        referer=field(_REFERERS, 4),
        agent=field(_AGENTS, 5),
        forwarded=any_of(_ADDRESSES, 2).format(**numbers),
        s=any_of(_TIMES, 2).format(seconds),
        up=any_of(_TIMES, 2).format(seconds / 2),
        us=f"{seconds:.6f}",
        ms=chance.randrange(-1 if odd else 0, 10**4),
        id=numbers["id"],
        uuid="-" if odd else f"{numbers['id'][:8]}-1234-4321-8765-{numbers['id'][:12]}",
        name=any_of(_NAMES, 3).format(**numbers),
    )


Wrap = Callable[[str, datetime], str]


def _json_file(line: str, at: datetime) -> str:
    log = json.dumps(line + "\n", ensure_ascii=at.second % 2 == 0)
    return f'{{"log":{log},"stream":"stdout","time":"{at:%Y-%m-%dT%H:%M:%S.%f}789Z"}}'


_WRAPS: tuple[Wrap, ...] = (
    lambda line, at: line,
    lambda line, at: line,
    lambda line, at: f"nginx-1  | {line}",
    lambda line, at: f"{'nginx-1' if at.second % 7 else 'tts-1':8} | {line}",
    _json_file,
    lambda line, at: f"{at:%Y-%m-%dT%H:%M:%S.%f}789Z stdout F {line}",
    lambda line, at: f"{at:%b %d %H:%M:%S} host nginx[812]: {line}",
)


def _log(seed: int, hostile: float, lines: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(_WRAPS)
    at = chance.choice(
        (datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 10, 25, 0, 50, tzinfo=UTC))
    )
    forms = chance.sample(_FORMATS, chance.choice((1, 1, 2)))
    made: list[bytes] = [b"the service begins " + b"." * 1100 + b"\n"] * (seed % 2)
    while len(made) < lines:
        at += timedelta(milliseconds=chance.randrange(4000))
        text = _line(chance.choice(forms), at, hostile, chance)
        if chance.random() < hostile / 4 or (hostile and chance.random() < 0.02):
            text = chance.choice(_OTHERS).format(n=chance.randrange(10**5))
        data = wrap(text, at).encode()
        if chance.random() < hostile / 20:
            data = data[: chance.randrange(len(data) + 1)]  # a writer that was killed
        if chance.random() < hostile / 20:
            at_byte = chance.randrange(len(data) + 1)
            data = (
                data[:at_byte]
                + chance.choice((b"\xff", b"\xe4\xbd", b"\0", b"\r"))
                + data[at_byte:]
            )
        made.append(data + b"\n")
    return b"".join(made)


@pytest.fixture(autouse=True)
def _little_is_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    learn_from_little(monkeypatch)
    monkeypatch.setattr(front, "FIRST_SLICE", 2000)
    monkeypatch.setattr(learnt_lines, "REQUESTS", 2)


@_PROFILE
@given(
    st.integers(0, 1 << 30),
    st.sampled_from((0.0, 0.01, 0.05, 0.3)),
    st.sampled_from((6000, 1 << 20)),
)
def test_learnt_access_lines_are_what_the_general_path_makes_of_them(
    seed: int, hostile: float, chunk: int
) -> None:
    data = _log(seed, hostile, 500)
    note(repr(data[:4000]))
    assert_both_read_the_same(data, chunk)


@pytest.mark.parametrize("seed", range(2))
def test_a_chunk_whose_tables_are_full_ends_there(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_turn, "MOST_RECORDS", 40)
    monkeypatch.setattr(modes, "_ROWS", 16)
    data = _log(seed, 0.01, 400)
    assert_both_read_the_same(data, 1 << 20)
