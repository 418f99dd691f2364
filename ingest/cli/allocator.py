"""The C library's memory, for commands that read logs."""

import os
from contextlib import suppress

_M_ARENA_MAX = -8  # mallopt(3)


def use_one_arena() -> None:
    """Have all threads take memory from one place; to be called before there is a second thread.

    glibc gives each thread an arena of its own, and what one frees the others do not use: 80 MB of a run over rotated
    files. A C library that has no such setting is left as it is, as is one that was told by MALLOC_ARENA_MAX.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
