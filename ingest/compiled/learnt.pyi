from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.compiled.masks import Masker
from ingest.compiled.objects import Objects

COMPILED: bool
ENDED: int
FOREIGN: int
UNKNOWN: int
STATELESS: int
UNLEARNT: int
FULL: int
UNTOLD: int
KEYLESS: int
ASKED: int
HELD: int
MOST_TEMPLATES: int
MOST_STATES: int
MOST_INSTANCES: int
RECORD: int
UNCLAIMED: int
IGNORED: int
BLANK: int
BARS: int
PARTLY: int
HEADER: int
PLACES: int
DATED: int
OWN_PAIRS: int

class Learnt:
    masker: Masker
    objects: Objects
    anywhere: npt.NDArray[np.int32]
    moments: npt.NDArray[np.int32]
    asks: npt.NDArray[np.uint8]
    hold: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.uint8]
    calm: npt.NDArray[np.uint8]
    reason: int
    template: int
    instance: int
    size: int
    ascii_only: bool
    stamped: bool
    may_date: bool
    last: int
    source: int
    offset: int
    low: int
    high: int
    own: npt.NDArray[np.uint8]
    n_rows: int
    n_pairs: int
    n_bytes: int
    next: npt.NDArray[np.int32]
    state: npt.NDArray[np.int32]
    count: npt.NDArray[np.int64]
    registers: npt.NDArray[np.int64]
    named: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    uses: npt.NDArray[np.int64]
    def __init__(self, mode: int, head: bytes) -> None: ...
    def add_template(self, mask: bytes, limits: Sequence[int]) -> int: ...
    def add_program(self, state: int, template: int, program: Sequence[int]) -> bool: ...
    def add_told(self) -> int: ...
    def keep_program(self, program: Sequence[int]) -> int: ...
    def go_on(self, program: int, offset: int, told: bytes) -> bool: ...
    def take(
        self, template: int, offset: int, size: int, told: bytes, ends: Sequence[int]
    ) -> bool: ...
    def know_consts(self, spans: Any) -> None: ...
    def pass_over(self, size: int) -> None: ...
    def write_to(self, rows: Any, pairs: Any, places: Any, out: Any, used: int) -> None: ...
    def run(self, data: Any, pos: int, base: int) -> int: ...
