"""The pager: long output is shown a screen at a time, as git does it."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

_USUAL = "less"
_LESS = "FRX"  # end when it fits, pass colours on, leave the text on the screen


def page(pieces: Iterable[str]) -> bool:
    """Show text in the user's pager if it is longer than the screen; False where there is no pager.

    PAGER names the pager; an empty one, or ``cat``, turns it off. Nothing is paged when the output
    or the input is not a terminal. Where the answer is False, ``pieces`` is untouched.
    """
    command = shlex.split(os.environ.get("PAGER", _USUAL))
    interactive = sys.stdout.isatty() and sys.stdin is not None and sys.stdin.isatty()
    if not interactive or not command or command == ["cat"]:
        return False
    if os.environ.get("TERM", "dumb") == "dumb" or shutil.which(command[0]) is None:
        return False
    text = "".join(pieces)
    if text.count("\n") < shutil.get_terminal_size().lines:
        sys.stdout.write(text)
        return True
    environment = {"LESS": _LESS, **os.environ}
    content = text.encode(sys.stdout.encoding, "replace")
    with suppress(BrokenPipeError):  # the user has left the pager
        subprocess.run(command, input=content, env=environment, check=False)
    return True
