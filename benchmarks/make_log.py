"""Write a large realistic log, quickly: python benchmarks/make_log.py SIZE_MB FILE.

Days of the demo service are rendered once and repeated; every repetition has its own stamps and
ids, so no request and no record occurs twice.
"""

import argparse
import gzip
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.tasks.demo import write_demo

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY_MS = 86_400_000
DAYS_RENDERED = 4  # different texts and numbers; more would only cost start-up time
_STAMP = re.compile(rb"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3}) - ", re.MULTILINE)
_ID = re.compile(rb"\bid=ts_([0-9a-f]{8})\b")

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Day:
    """A rendered day: ``content`` uint8[n_bytes], and where its stamps and ids are.

    ``stamps`` int64[n_records] and ``ids`` int64[n_ids] are places in bytes; ``instants``
    int64[n_records] milliseconds since ``BEGIN``; ``owners`` int64[n_ids] number the request.
    """

    content: Bytes
    stamps: Places
    instants: Places
    ids: Places
    owners: Places
    requests: int


def render_day(seed: int) -> Day:
    """Render one day of the demo service, which ends 24 hours after ``BEGIN``."""
    with tempfile.TemporaryDirectory() as folder:
        now = BEGIN + timedelta(days=1)
        files = write_demo(Path(folder), now=now, seed=seed, tz="UTC").files
        content = b"".join(map(_read, files))
    stamps = list(_STAMP.finditer(content))
    ids = list(_ID.finditer(content))
    texts = np.array([b"%sT%s.%s" % found.groups() for found in stamps]).astype(str)
    names, owners = np.unique([found[1] for found in ids], return_inverse=True)
    begin = np.datetime64(BEGIN.replace(tzinfo=None), "ms")
    return Day(
        content=np.frombuffer(content, np.uint8),
        stamps=np.array([found.start() for found in stamps], np.int64),
        instants=(texts.astype("datetime64[ms]") - begin).astype(np.int64),
        ids=np.array([found.start(1) for found in ids], np.int64),
        owners=owners.astype(np.int64),
        requests=len(names),
    )


def _read(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def repeat_day(day: Day, number: int, chance: np.random.Generator) -> Bytes:
    """Return the day moved to ``number`` days after ``BEGIN``, with new ids: a copy."""
    content = day.content.copy()
    begin = np.datetime64(BEGIN.replace(tzinfo=None), "ms")
    instants = begin + (day.instants + number * DAY_MS).astype("timedelta64[ms]")
    stamps = np.datetime_as_string(instants, unit="ms").astype("S23")
    letters = stamps.view(np.uint8).reshape(-1, 23)
    letters[:, 10], letters[:, 19] = ord(" "), ord(",")
    content[day.stamps[:, None] + np.arange(23)] = letters
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    names = digits[chance.integers(0, 16, (day.requests, 8))]
    content[day.ids[:, None] + np.arange(8)] = names[day.owners]
    return content


def make_log(path: Path, size: int, seed: int = 7, first_day: int = 0) -> int:
    """Write a log of ``size`` bytes, or up to one record less, from so many days after ``BEGIN``
    on; return its size.

    Raises OSError where ``path`` cannot be written.
    """
    chance = np.random.default_rng(seed)
    days = [render_day(seed + n) for n in range(DAYS_RENDERED)]
    written = number = 0
    with path.open("wb") as file:
        while written < size:
            day = days[number % len(days)]
            content = repeat_day(day, first_day + number, chance)
            if written + len(content) > size:
                fits = int(np.searchsorted(day.stamps, size - written, side="right"))
                content = content[: int(day.stamps[max(fits - 1, 0)])]
                file.write(content.tobytes())
                return written + len(content)
            file.write(content.tobytes())
            written += len(content)
            number += 1
    return written


def main() -> int:
    """Read the command line, write the log, say how large and how fast."""
    parser = argparse.ArgumentParser(description="Write a large realistic log.")
    parser.add_argument("size_mb", type=float, nargs="?", default=500.0, help="size in MB (10^6)")
    parser.add_argument("file", type=Path, help="where to write it")
    parser.add_argument("--seed", type=int, default=7, help="other seeds, other logs")
    options = parser.parse_args()
    began = time.perf_counter()
    size = make_log(options.file, int(options.size_mb * 1e6), options.seed)
    seconds = time.perf_counter() - began
    print(f"{options.file}: {size} bytes, {size / 1e6 / seconds:.0f} MB/s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
