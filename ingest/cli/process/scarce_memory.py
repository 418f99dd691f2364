"""Where the address space of the process is limited (``ulimit -v``, LimitAS= of systemd)."""

import importlib
import resource

from ingest.errors import ScarceMemoryError

_LEAST_BYTES = 384 << 20  # DuckDB, NumPy and Arrow take 300 MB before they read a byte


def require_memory() -> None:
    """See that the libraries can be loaded: some of them end the process where they cannot.

    hashlib, which logs a traceback of its own when OpenSSL finds no room, is loaded while there is
    some.

    :raises ScarceMemoryError: when there is less than the libraries take.
    """
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return
    if limit < _LEAST_BYTES:
        raise ScarceMemoryError(
            f"the address space of this process is limited to {limit >> 10:,} KiB (ulimit -v), "
            f"and ttsq needs {_LEAST_BYTES >> 10:,}",
            "raise the limit; what ttsq itself takes is bounded, see docs/operations.md",
        )
    importlib.import_module("hashlib")
