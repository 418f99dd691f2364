"""What a runtime prints when a program fails or ends: Go's panics, Rust's, Node's, exceptions of
Java, .NET and JavaScript, C++'s last words, what Python's faulthandler writes (pure).

Such a dump has no header, and its first line might be anybody's text: where that is no proof by
itself, it is an error once its frames have come, and nothing without them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.compiled.layout import L_CRITICAL, L_ERROR, L_WARNING
from ingest.lazily import matcher

_LONGEST_HEAD = 4 << 10  # bytes of a first line
_AT = matcher(rb"\s+at \S")
# behind what was raised, and between its frames
_OF_STACK = matcher(
    rb"\s+at \S|Caused by: |\s+\.\.\. \d+ |\s+-+> | ?-+> |\s+--- End of |\s+Suppressed: |  +\S|\}$"
    rb"|Node\.js v\d|\(Use `node --trace"
)


@dataclass(frozen=True, slots=True)
class Dump:
    """A kind of dump: what its first line is, and what goes on with it.

    ``proof`` is a line that has to come, or the dump is none; ``free`` how many lines of any words
    may stand between the first line and the proof. ``is_told``: a rule of a profile takes the first
    line, and what follows is the traceback of that error.
    """

    head: re.Pattern[bytes]
    level: int
    more: re.Pattern[bytes]
    proof: re.Pattern[bytes] | None = None
    free: int = 0
    is_told: bool = False

    def takes(self, text: bytes, before: Sequence[bytes]) -> bool:
        """Whether a line goes on with the dump, of which these lines came behind the first."""
        if self.more.match(text) is not None:
            return True
        return len(before) < self.free and not (self.proof and self.is_proven(before))

    def is_proven(self, lines: Sequence[bytes]) -> bool:
        """Whether the lines behind the first show that it is one."""
        proof = self.proof
        return proof is None or any(proof.match(line) is not None for line in lines)


_FAULT = Dump(
    matcher(rb"Fatal Python error: "),
    L_CRITICAL,
    matcher(
        rb"(?:Current t|T)hread 0x|Extension modules: |Python runtime state: |Current thread's C "
        rb"|Stack \(most recent|  +\S|<no Python frame>|[A-Za-z_][\w.]*(?:Error|Exception): "
    ),
    is_told=True,
)
_STUCK = Dump(
    matcher(rb"Timeout \(\d+:\d\d:\d\d(?:\.\d+)?\)!$"),
    L_ERROR,
    matcher(rb"(?:Current t|T)hread 0x|  +\S"),
    proof=matcher(rb'  File "'),
)
_THROWN = Dump(
    matcher(rb"terminate called "),
    L_CRITICAL,
    matcher(
        rb" *what\(\): |terminate called recursively|CUDA kernel errors might"
        rb"|For debugging consider|Compile with `?TORCH_USE|Device-side assertion"
        rb"|Exception raised from |frame #\d+: |  +\S"
    ),
    is_told=True,
)
_GO = Dump(
    matcher(rb"(?:panic|fatal error): \S"),
    L_CRITICAL,
    matcher(
        rb"goroutine \d+|\t|\[signal SIG|created by |exit status \d+$|runtime stack:|panic: "
        rb"|(?=.*\)$)[\w./*][\w./*()\[\]{}<>,\x80-\xff$-]*\(.*\)$|r[a-z0-9]{1,2} +0x"
        rb"|\.\.\.(?:additional|\d+ frames)"
    ),
    proof=matcher(rb"goroutine \d+|runtime stack:"),
)
_RUST = Dump(
    matcher(rb"thread '[^'\n]{0,100}' (?:\(\d+\) )?panicked at "),
    L_ERROR,
    matcher(rb"note: |stack backtrace:| +\d+: | +at "),
    free=1,
)
_NODE = Dump(  # the source line that it stands on, a caret, and what was thrown
    matcher(rb"(?:file:///?)?(?:/|[A-Za-z]:[\\/]|node:)[^\s:]{1,300}:\d{1,7}$"),
    L_CRITICAL,
    _OF_STACK,
    proof=_AT,
    free=8,
)
_WARNED = Dump(matcher(rb"\(node:\d+\) (?:\[\w+\] )?\w*Warning: "), L_WARNING, _OF_STACK)
_RAISED = Dump(
    matcher(
        rb"(?:Unhandled [Ee]xception[.:] |Uncaught )?(?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*"
        rb"(?:Error|Exception|Throwable)(?: \[[\w-]+\])?(?::.*)?$"
    ),
    L_ERROR,
    _OF_STACK,
    proof=_AT,
)
_BY_FIRST: dict[bytes, tuple[Dump, ...]] = {
    b"F": (_FAULT, _RAISED),
    b"T": (_STUCK, _RAISED),
    b"t": (_THROWN, _RUST, _RAISED),
    b"p": (_GO, _RAISED),
    b"f": (_GO, _NODE, _RAISED),
    b"n": (_NODE, _RAISED),
    b"/": (_NODE,),
    b"(": (_WARNED,),
}
_OTHERS = (_RAISED,)


def dump_of(text: bytes) -> Dump | None:
    """The kind of dump that a line without a header may begin."""
    if len(text) > _LONGEST_HEAD:
        return None
    for dump in _BY_FIRST.get(text[:1], _OTHERS):
        if dump is _RAISED and b"rror" not in text and b"xception" not in text:
            continue
        if dump.head.match(text) is not None:
            return dump
    return None


def raised_in(first: bytes, more: Sequence[bytes]) -> tuple[str, str]:
    """Type and message of what a dump says was raised, empty where it names nothing."""
    for line in (first, *more[:8]):
        found = _NAMED.match(line)
        if found is not None:
            return found["type"].decode(), (found["message"] or b"").decode("utf-8", "replace")
    return "", ""


_NAMED = matcher(
    rb"(?:Unhandled [Ee]xception[.:] |Uncaught )?(?P<type>(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*"
    rb"(?:Error|Exception|Throwable))(?: \[[\w-]+\])?(?:: ?(?P<message>.*))?$"
)
