"""The end of a process: at once, when everything that counts is closed and written.

Taking apart what Python and DuckDB hold, only for the kernel to take it back, is a tenth of a run
that finds nothing new.
"""

import atexit
import os
import sys
from contextlib import suppress

from ingest.errors import ExitCode

_code: int | None = None


def end_at_once() -> None:
    """Exit without teardown after :func:`with_code`; handlers registered later still run first."""
    atexit.register(_end)


def with_code(code: object) -> None:
    """The exit code of the process; one that is no number is left to Python."""
    global _code
    _code = code if isinstance(code, int) else None


def _end() -> None:
    if _code is None:
        return
    code = _code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):
        return  # Python tells of it, in its own way
    except OSError as error:
        code = int(ExitCode.STORE)
        with suppress(OSError):
            os.write(2, f"ttsq: error: cannot write the output: {error.strerror}\n".encode())
    os._exit(code & 0xFF)
