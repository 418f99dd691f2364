"""Words and letters of levels, and what a header says (pure)."""

from dataclasses import dataclass

from ingest.compiled.layout import L_CRITICAL, L_DEBUG, L_ERROR, L_INFO, L_WARNING
from ingest.records.moments import Stamp

LEVELS: dict[bytes, int] = {
    **dict.fromkeys(
        (b"trace", b"debug", b"debu", b"dbug", b"verbose", b"finest", b"fine", b"trc", b"dbg"),
        L_DEBUG,
    ),
    **dict.fromkeys((b"info", b"notice", b"success", b"inf", b"information"), L_INFO),
    **dict.fromkeys((b"warn", b"warning", b"wrn", b"warni"), L_WARNING),
    **dict.fromkeys((b"error", b"erro", b"err", b"severe", b"exception"), L_ERROR),
    **dict.fromkeys(
        (b"critical", b"crit", b"criti", b"fatal", b"alert", b"emerg", b"panic", b"ftl", b"pnc"),
        L_CRITICAL,
    ),
}
# single letters, of glog, klog, absl, Android and PyTorch
LETTERS: dict[bytes, int] = {
    b"V": L_DEBUG,
    b"D": L_DEBUG,
    b"I": L_INFO,
    b"W": L_WARNING,
    b"E": L_ERROR,
    b"C": L_CRITICAL,
    b"F": L_CRITICAL,
}


@dataclass(slots=True)
class Header:
    """What a line's beginning says; ``message`` is where the rest begins (bytes of the line)."""

    level: int
    message: int
    stamp: Stamp | None = None
    logger: bytes | None = None
