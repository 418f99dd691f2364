"""A small speech service under uvicorn, which logs as docs/correlation.md says; its log is its
standard output.

``python -m tests.support.speech_app MODULE PORT``: MODULE is the file with the page's code.
"""

import asyncio
import importlib.util
import itertools
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import uvicorn

_numbers = itertools.count(1)
_log = logging.getLogger("app")


async def _answer(send: Callable[[Any], Awaitable[None]], status: int, name: str) -> None:
    headers = [(b"content-type", b"audio/wav"), (b"x-tts-id", name.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"RIFF" * 16})


async def service(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    """Synthesise: ``ms`` says how long, ``fails`` that it fails although 200 is answered."""
    if scope["type"] != "http":
        return
    if scope["path"] != "/v1/audio/speech":
        await _answer(send, 404, "-")
        return
    query = parse_qs(scope["query_string"].decode())
    ms, fails = int(query.get("ms", ["20"])[0]), "fails" in query
    name = f"ts_{next(_numbers):08x}"
    _log.info('synthesis_start: id=%s, text="Hello", voice=alloy', name)
    await asyncio.sleep(ms / 1000)
    status = "failed, error_code=FFT_INVALID" if fails else "success"
    _log.info("synthesis_complete: id=%s, duration_ms=%d, status=%s", name, ms, status)
    await _answer(send, 200, name)


def main(module: str, port: int) -> None:
    """Serve until a signal comes."""
    spec = importlib.util.spec_from_file_location("of_the_page", module)
    assert spec is not None
    assert spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    page.log_to(sys.stdout)
    _log.setLevel(logging.INFO)
    uvicorn.run(page.with_request_id(service), host="127.0.0.1", port=port, lifespan="off")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
