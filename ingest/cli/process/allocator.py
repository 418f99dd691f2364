"""Where a command that reads logs takes its memory from."""

import os
from contextlib import suppress

_M_ARENA_MAX = -8  # mallopt(3)


def use_one_arena() -> None:
    """Have all threads, and Arrow, take memory from one place; to be called before either is there.

    glibc gives each thread an arena of its own, and what one frees the others do not use: 80 MB of
    a run over rotated files. Arrow's own allocator holds on to what a chunk no longer needs: 15 to
    40 MB. A C library that has no such setting is left as it is, and so is what MALLOC_ARENA_MAX or
    ARROW_DEFAULT_MEMORY_POOL says.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
