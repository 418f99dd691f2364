"""A small speech service as a WSGI application, under one of the servers that Python has.

``python -m tests.support.wsgi_speech SERVER PORT``: SERVER is gunicorn, hypercorn, werkzeug or
gevent. Its log is its standard output and error, with the access lines that SERVER writes itself.
"""

import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

MODULE = "tests.support.wsgi_speech"
_numbers = itertools.count(1)
_log = logging.getLogger("app")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Synthesise; fail where the query says so; 404 elsewhere."""
    if environ["PATH_INFO"] != "/v1/audio/speech":
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    name, fails = f"ts_{next(_numbers):08x}", "fails" in environ["QUERY_STRING"]
    _log.info('synthesis_start: id=%s, text="Hello", voice=alloy', name)
    status = "failed, error_code=FFT_INVALID" if fails else "success"
    _log.info("synthesis_complete: id=%s, duration_ms=3, status=%s", name, status)
    body = b"" if fails else b"RIFF" * 16
    told = "500 Internal Server Error" if fails else "200 OK"
    start_response(told, [("Content-Length", str(len(body)))])
    return [body]


def logged_application() -> Any:
    """The application, with its log on standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False
    return application


def main(server: str, port: int) -> None:
    """Serve until a signal comes."""
    bind = f"127.0.0.1:{port}"
    if server == "werkzeug":
        from werkzeug.serving import run_simple

        run_simple("127.0.0.1", port, logged_application())
    elif server == "gevent":
        from gevent.pywsgi import WSGIServer

        WSGIServer(("127.0.0.1", port), logged_application()).serve_forever()
    else:
        of = f"wsgi:{MODULE}:app" if server == "hypercorn" else f"{MODULE}:app"
        words = ["-m", server, "--bind", bind, "--access-logfile", "-", of]
        os.execv(sys.executable, [sys.executable, *words])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
else:
    app = logged_application()
