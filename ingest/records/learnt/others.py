"""What may stand in place of a marked part of a line: moments, addresses, ids, words (pure).

Each is what the mark allows and what might mean something to the general path. What of it would
have another mask is no trial.
"""

import random
from collections.abc import Iterator

from ingest.compiled import masks
from ingest.records.levels import LEVELS

_MOMENTS = (
    b"1970-01-01 00:00:00",
    b"1999-12-31 23:59:59",
    b"2024-02-29 12:34:56",
    b"2026-03-02 02:00:00",
    b"2026-10-25 02:30:00",
    b"2032-11-30 19:07:05",
)
_NAMES = (
    b"Jan",
    b"Feb",
    b"Mar",
    b"Apr",
    b"May",
    b"Jun",
    b"Jul",
    b"Aug",
    b"Sep",
    b"Oct",
    b"Nov",
    b"Dec",
)
_ZONES = (b"+00:00", b"+02:00", b"-07:30", b"+05:45")
_ADDRESSES = (b"0.0.0.0", b"127.0.0.1", b"255.255.255.255", b"1.22.3.44", b"10.3.0.107")
_ADDRESSES_6 = (
    b"::1",
    b"::",
    b"2001:db8::7",
    b"fe80::1:2:3",
    b"::ffff:10.0.0.7",
    b"abcd:1::",
    b"2001:0db8:0000:0000:0000:0000:0000:0001",
)
_PATHS = (
    b"/",
    b"/tts",
    b"/v1/audio/speech",
    b"/api/tts/x",
    b"/health",
    b"/health/live",
    b"/metrics",
    b"/a=b",
    b"/level=ERROR",
    b"/ERROR",
    b"/ERROR:",
    b"/200",
    b"/-",
    b"/[ERROR]",
    b"/a|b",
    b"/{a}",
    b"/HTTP/1.1",
    b"/2026-03-02T10:00:00,123",
    b"/x://y",
    b"/10.0.0.1:80",
    b"/text=",
    b"/%22",
    b"/'",
    b"/synthesis_start:",
    b"/INFO:tts:x",
    b"/0.123",
    b"/#1",
    b"/x/" + b"y" * 300,
    b"/5ms",
    b"/:1",
    b"/a,b;c=d",
    b"/proxy.py:1",
    b"/(scheme=",
    b"//",
    b"/@x",
    b"/1e5",
    b"/id=7",
    b"/static/x.js",
)
_QUERIES = (
    b"a=b",
    b"level=error",
    b"status=500&level=info",
    b"text=%E4%BD%A0",
    b"x",
    b"1",
    b"=",
    b"a=1,b=2",
    b"?",
    b"[ERROR]",
    b"ERROR:",
    b"-",
    b"id=7",
    b"request_id=7&text=x",
    b"t=2026-03-02T10:00:00,123",
    b"u=http://a/b",
    b"'",
    b"|",
    b"{}",
    b"HTTP/1.1",
    b"q=" + b"x" * 300,
    b"rt=0.123",
    b"0.123",
)
_WORDS = (
    b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
    b"curl/8.5.0",
    b"ls",
    b"Go-http-client/1.1",
    b"ERROR: x",
    b"WARNING - x",
    b"x ERROR - y",
    b"INFO",
    b"level=error msg=x",
    b"GET /x HTTP/1.1",
    b"is 200 5 ",
    b"hi 0.123",
    b"so rt=0.123",
    b"us",
    b"Traceback (most recent call last):",
    b"synthesis_start: id=7, text=",
    b"my text=",
    b"no -",
    b"ip 10.0.0.1",
    b"at 2026-03-02 10:00:00,123 - a - INFO - x",
    b"x|y",
    b"you 3ms",
    b"ms",
    b"nginx",
    b"id=0123456789abcdef0123456789abcdef",
    b"100%|##| 3/3 [00:01<00:00, 1it/s]",
    b"'",
    b"hello, you",
    b"it [00:01<00:00, 3it/s]",
    b"we {a: b}",
    b"key: [a] (b) <c>",
    b"zz" * 200,
    b"gunicorn",
    b"Apache",
    b"nan",
    b"inf",
    b"infinity",
    b"hexed",
    b"HTTP/1.1",
    b"internal dummy connection",
    b"my 5 ms ",
)
_PLACES = (
    b"https://example.com/a?b=c",
    b"http://10.0.0.1:8000",
    b"http://x/",
    b"ws://h/ERROR: x",
    b"https://e.org/?level=error&status=500",
    b"ftp://user@h/x y",
    b"http://[::1]/",
    b"https://hello",
    b"https://e.org/" + b"x" * 300,
)
_HEXES = (b"0" * 32, b"f" * 32, b"0123456789abcdef" * 2, b"1" * 32, b"12345678e9" + b"0" * 22)
_UUIDS = (
    b"00000000-0000-0000-0000-000000000000",
    b"ABCDEF01-2345-6789-abcd-ef0123456789",
    b"12345678-1234-1234-1234-123456789012",
    b"ffffffff-ffff-4fff-bfff-ffffffffffff",
)
_NAMED = (
    b"req-1234",
    b"ts_12345",
    b"01HV5ZJ0K3M8Q2X7",
    b"a1h2j3",
    b"12345s",
    b"1234ms",
    b"id_2026-03-02",
    b"_1k2l3m4",
    b"-x12y34-",
    b"9" * 40 + b"k",
)
# what plain words may be, and what of them means something elsewhere
PLAIN_WORDS = (
    b"x", b"7", b"200", b"12.5", b"0", b"1e5", b"nan", b"a.b", b"a.b x", b"x.y.z 1", b"it's",
    b"'x'", b"don't, won't", b"GET", b"GET x HTTP 200", b"POST tts HTTP1.1 200 5 ms", b"HTTP",
    b"stdout F x", b"stderr", b"Mar  2", b"Mar 2", b"Mon Mar 2 2026", b"2026-03-02", b"20260302",
    b"10.0.0.1", b"tts-0 server x", b"synthesis_start", b"synthesis_failed id", b"stage_time",
    b"Traceback most recent call last", b"ValueError", b"File a.py line 3 in f", b"WebSocket",
    b"3it, 1it", b"100 of 3", b"ms", b"id", b"text", b"level error", b"in tts", b"root", b"main",
    b"x...", b"...", b".", b"?", b"!", b",", b"x, voice, y", b"\xe4\xbd\xa0\xe5\xa5\xbd",
    b"\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x9a\xe5\x90\xa7\xe3\x80\x82", b"\xc3\xa9t\xc3\xa9",
    b"\xe2\x80\xa8x", b"\xc2\x85x", b"x\xc2\xa0y", b"\xef\xbb\xbfx", b"\xf0\x9f\x98\x80",
    b"x" * 300, b"x y " * 100 + b"z", b"7" * 40,
    *(word.upper() for word in LEVELS), *(b"an " + word + b" x" for word in LEVELS),
    b"ERROR ERROR ERROR", b"E", b"W x", b"I 260302", b"I0302 x",
)  # fmt: skip
_OTHERS = {
    masks.TEXT: PLAIN_WORDS,
    masks.ADDRESS: _ADDRESSES,
    masks.ADDRESS_6: _ADDRESSES_6,
    masks.PATH: _PATHS,
    masks.QUERY: _QUERIES,
    masks.WORDS: _WORDS,
    masks.PLACE: _PLACES,
    masks.HEX: _HEXES,
    masks.UUID: _UUIDS,
    masks.NAME: _NAMED,
}


def others_of(mark: int, written: bytes, chance: random.Random) -> Iterator[bytes]:
    """Other parts of a mark that is no number's, for one that is written so."""
    if mark in (masks.STAMP, masks.BOXED):
        for moment in _MOMENTS:
            yield _stamped(mark, written, moment, chance)
        return
    yield from _OTHERS[mark]
    if mark == masks.PATH:  # most others are of another kind
        yield from (written + other[1:] for other in _PATHS[::4])


def other_stamp(mark: int, written: bytes, chance: random.Random) -> bytes:
    """A stamp as another one is written, at any moment."""
    return _stamped(mark, written, chance.choice(_MOMENTS), chance)


def _stamped(mark: int, like: bytes, at: bytes, chance: random.Random) -> bytes:
    date, rest = at[:10], like[19:]
    if like[2:3] == b"/":
        date, rest = b"/".join((at[8:10], _NAMES[int(at[5:7]) - 1], at[:4])), like[20:]
    between = like[len(date) : len(date) + 1]
    behind = rest.lstrip(b".,0123456789") if rest[:1] in (b".", b",") else rest
    fraction = rest[: len(rest) - len(behind)]
    if fraction:
        fraction = fraction[:1] + digits(len(fraction) - 1, chance)
    return date + between + at[11:] + fraction + _zone(behind, chance)


def _zone(like: bytes, chance: random.Random) -> bytes:
    """Another zone, written as one is."""
    signed = like.lstrip(b" ")
    if signed[:1] not in (b"+", b"-"):
        return like
    zone = chance.choice(_ZONES)
    return like[: len(like) - len(signed)] + (zone if b":" in signed else zone.replace(b":", b""))


def digits(count: int, chance: random.Random) -> bytes:
    """So many digits."""
    return bytes(chance.choice(b"0123456789") for _ in range(count))
