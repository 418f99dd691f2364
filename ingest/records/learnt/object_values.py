"""What may stand in place of a marked value of a JSON object: what a log may have, and what might
mean something to the general path (pure).
"""

import json

from ingest.compiled import masks

_TEXTS = (
    "x", "ERROR", "error", "warning", "200", "500", "404", "-1", "0", "1.5", "1e5", "nan", "true",
    "null", "synthesis_start", "synthesis_complete", "synthesis_failed: id=7", "tts", "stdout",
    "failed", "success", "started", "request completed", "stage", "llm", "ok", "timeout",
    "ValueError: x", "CUDA out of memory", "a.b:c:1", "POST", "GET /tts HTTP/1.1", "/v1/audio/tts",
    "http://10.0.0.1:80/x?y=z", "10.3.0.7", "10.3.0.7:80", "1.2s", "812 ms", "0:00:01.2", "12 kB",
    "10:00:05", "2026-03-02 10:00:00,123", "2026-03-02T10:00:00Z", "1772438400", "1772438400123",
    "Traceback (most recent call last):\n  File", "\n", " ", "\t", "a\nb\n", "a\r\nb", '"', "\\",
    "{}", '{"a": 1}', "[]", "'", "a=b", "id=7, x", "id", "a, b", " - ", ">> RTF: 1.5", "你好，世界",
    "😀", "é", "\u2028", "100%|###| 3/3 [00:01<00:00, 1it/s]", "Bearer x", "zz" * 200, "a b c",
    "550e8400-e29b-41d4-a716-446655440000", "0123456789abcdef" * 2, "zh-CN", "alloy", "INFO",
    "2026", "127.0.0.1 - - [x] \"GET / HTTP/1.1\" 200 5", "message", "text", "request_id",
)  # fmt: skip
_IDS = (
    "7f", "00", "-1", "--", "200", "500", "1.5", "1e5", "true", "null", "GET", "/tts", "/health",
    "stdout", "error", "ERROR", "failed", "1.2s", "tts-1", "ts_12345", "a:b", "a=b", "a,b", "x|y",
    "http://a/b", "550e8400-e29b-41d4-a716-446655440000", "0123456789abcdef" * 2, "z" * 128,
    "2026-03-02", "1772438400", "synthesis_start", "success", "req#1", "<a>", "(1)", "id", "INFO",
)  # fmt: skip
_WHOLE = (
    "0", "1", "-1", "7", "10", "30", "99", "200", "302", "404", "499", "500", "503", "999", "1970",
    "2026", "3599", "3600", "20260302", "86400000", "86400001", "1000000000", "1772438400",
    "1772438400123", "99999999999999", "100000000000000", "-5", "42",
)  # fmt: skip
_REAL = (
    "0.0", "-0.0", "-1.5", "0.5", "9.99", "10.5", "1.50", "200.0", "404.5", "3600.5", "0.0001",
    "1772438400.123456", "1772438400123.5", "123456789.5", "86400000.5", "0.1", "12.345678",
    "1000000000000.25", "1.0", "100.00",
)  # fmt: skip
_STAMPS = (
    "1999-12-31T23:59:59Z", "2024-02-29 12:34:56", "2026-03-02T02:00:00.123456Z",
    "2026-10-25T02:30:00.5+02:00", "2032-11-30 19:07:05,001", "2026-03-02T02:00:00.123456789-0730",
    "1973-03-05T00:00:00.000001+05:45",
)  # fmt: skip
_SINCE = ("1000000000", "1772438400", "1772438400123", "200000000", "9000000000")
_SINCE_REAL = ("1000000000.5", "1772438400.123456", "1772438400123.25", "1772438400.1234567")


def others_of(mark: int, is_moment: bool) -> list[bytes]:
    """Other values of a mark, as they are written; ``is_moment``: only such as the one that says
    when a record was written.
    """
    if mark == masks.INT:
        return [value.encode() for value in (_SINCE if is_moment else _WHOLE)]
    if mark == masks.DECIMAL:
        return [value.encode() for value in (_SINCE_REAL if is_moment else _REAL)]
    if is_moment:
        return [value.encode() for value in _STAMPS]
    if mark == masks.HEX:
        return [value.encode() for value in _IDS]
    found = [json.dumps(value, ensure_ascii=False)[1:-1].encode() for value in _TEXTS]
    return found + [json.dumps(value)[1:-1].encode() for value in _TEXTS if not value.isascii()]
