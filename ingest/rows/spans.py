"""How long things belong together, said once: between a request's parts, around it, behind its end
(docs/parsing.md).
"""

from datetime import timedelta

from ingest.compiled.parts import GRACE_US, OPEN
from ingest.model import EPOCH

__all__ = [
    "CARRY",
    "CARRY_US",
    "EPOCH",
    "GRACE",
    "GRACE_US",
    "JOIN_GAP",
    "JOIN_GAP_US",
    "NAME_GAP_US",
    "OPEN",
]

_US = timedelta(microseconds=1)
JOIN_GAP = timedelta(hours=24)  # a part begins at most so long after the one it joins has ended
JOIN_GAP_US = JOIN_GAP // _US
GRACE = timedelta(microseconds=GRACE_US)  # how far outside a request's time a stray record may lie
# how long an ended part may still be continued: the grace, and as much for stamps out of order
CARRY = 2 * GRACE
CARRY_US = CARRY // _US
NAME_GAP_US = 24 * 3_600_000_000  # a name means a request up to so long before or after its line
