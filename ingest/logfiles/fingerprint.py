"""First bytes → identity; bytes before an offset → proof (SPEC §3.3). Pure."""

from enum import Enum

HEAD_BYTES = 64 << 10  # a fingerprint covers at most so many first bytes
ANCHOR_BYTES = 1024
# 64 B … 64 KiB: so that a shorter file can be compared
_LENGTHS = tuple(64 << i for i in range(11))


class Match(Enum):
    """How the beginning of a file compares with a fingerprint."""

    NONE = "none"
    FULL = "full"
    PREFIX = "prefix"  # equal as far as the file goes, which is shorter than the fingerprint
    PARTLY = "partly"  # equal at first, then not


def fingerprint(head: bytes) -> str:
    """``length:hash`` at doubling lengths and at the end of ``head`` (at most HEAD_BYTES)."""
    head = head[:HEAD_BYTES]
    lengths = [n for n in _LENGTHS if n < len(head)] + ([len(head)] if head else [])
    return ",".join(f"{n}:{head_hash(head[:n])}" for n in lengths)


def extended(print_: str | None, head: bytes) -> str:
    """The fingerprint of a known file of which more is seen now.

    A first mark below the shortest of all files' stays: by it, a copy made when the file was no
    longer is known.
    """
    first = marks(print_)[:1]
    kept = [f"{n}:{hash_}" for n, hash_ in first if n < min(_LENGTHS[0], len(head))]
    return ",".join([*kept, fingerprint(head)])


def head_hash(data: bytes) -> str:
    """The hash that fingerprints and anchors are made of."""
    from hashlib import blake2b  # it loads OpenSSL, which a run with nothing new does without

    return blake2b(data, digest_size=8).hexdigest()


def covered(print_: str | None) -> int:
    """How many first bytes a fingerprint covers."""
    return int(print_.rsplit(",", 1)[-1].split(":")[0]) if print_ else 0


def marks(print_: str | None) -> list[tuple[int, str]]:
    """A fingerprint's parts: how many first bytes, and their hash; by length."""
    parts = [mark.partition(":") for mark in print_.split(",")] if print_ else []
    return [(int(length), hash_) for length, _, hash_ in parts]


def compare(print_: str | None, head: bytes) -> tuple[Match, int]:
    """How a file that begins with ``head`` compares with a fingerprint, and the equal bytes."""
    equal = 0
    for length, expected in marks(print_):
        if length > len(head):
            return (Match.PREFIX, equal) if equal else (Match.NONE, 0)
        if head_hash(head[:length]) != expected:
            return (Match.PARTLY, equal) if equal else (Match.NONE, 0)
        equal = length
    return (Match.FULL, equal) if equal else (Match.NONE, 0)


def anchor(before: bytes) -> str:
    """``length:hash`` of the last bytes before an offset."""
    tail = before[-ANCHOR_BYTES:]
    return f"{len(tail)}:{head_hash(tail)}"


def anchor_length(anchor_: str) -> int:
    """How many bytes before its offset an anchor covers."""
    return int(anchor_.split(":")[0])
