"""What a C compiler makes one load of, for modules that run as Python; bits.pxd has it for those
that are compiled.
"""

from collections.abc import Sequence


def eight(here: Sequence[int], pos: int) -> int:
    """Eight bytes at a place as a number, the first one lowest."""
    return int.from_bytes(bytes(here[pos : pos + 8]), "little")
