"""The standard streams of a process that somebody else has started."""

import codecs
import os
import sys
from typing import TextIO

# what stands in tables and charts, for encodings that do not have it; as wide as it
_ALIKE = dict(zip("─·→●█▉▊▋▌▍▎▏▓▒░", "-.>o#####|||#+.", strict=True)) | {"…": "..."}


def settle_streams() -> None:
    """Have the three streams be there, and take every text.

    Of a stream that is closed (cron, ``>&-``) the next file to be opened gets the number: the
    store, into which a library's message would then be written. What the encoding of the locale
    does not have is written as something alike, or ``\\u4e2d``.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    codecs.register_error("alike", _alike)
    sys.stdout = _taking_all(sys.stdout, 1)
    sys.stderr = _taking_all(sys.stderr, 2)


def _taking_all(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:
        return open(number, "w", encoding="utf-8", errors="alike", closefd=False)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="alike")
    return stream


def _alike(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join(_ALIKE.get(c, _escaped(c)) for c in text), error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")
