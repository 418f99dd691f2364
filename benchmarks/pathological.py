"""Logs made to cost much: how CPU time and memory of a run grow with what is not new in it.

Each input comes in two sizes. CPU time is that beyond a run with nothing to read, per new MB; the
growth is that of the large size beside the small one. Cost that follows new bytes grows by about 1.

python -m benchmarks.pathological [--only NAME]… [--scale 0.1]
"""

import argparse
import gzip
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backports import zstd

from benchmarks.measure import Command, Figures, run, ttsq

_BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
_LEAST_CPU = 0.05  # seconds that cannot be told from none


@dataclass(frozen=True, slots=True)
class Input:
    """One kind of log.

    :ivar write: writes it into a folder, of a size; the paths to read.
    :ivar more: writes what is new behind a first run; None: all is new.
    """

    name: str
    small: int
    large: int
    write: Callable[[Path, int], list[Path]]
    more: Callable[[Path], int] | None = None


def _line(second: float, message: str, level: str = "INFO") -> str:
    at = _BEGAN + timedelta(seconds=second)
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} - app - {level} - {message}\n"


def _start(second: float, id_: str) -> str:
    return _line(second, f'synthesis_start: id={id_}, text="ping"')


def _only_starts(folder: Path, count: int) -> list[Path]:
    """A health check whose requests never end, for a day."""
    lines = [_start(n * 80_000 / count, "healthcheck") for n in range(count)]
    (folder / "app.log").write_text("".join(lines))
    return [folder / "app.log"]


def _open_ids(folder: Path, count: int) -> list[Path]:
    """As many requests that never end, each with an id of its own."""
    lines = [_start(n * 80_000 / count, f"ts_{n:08x}") for n in range(count)]
    (folder / "app.log").write_text("".join(lines))
    return [folder / "app.log"]


def _one_more_start(folder: Path) -> int:
    more = _start(80_001, "healthcheck") * 2  # the last one stays out until the next header
    with (folder / "app.log").open("a") as file:
        file.write(more)
    return len(more)


def _one_end(folder: Path) -> int:
    """The end of what began first, and a stray, in a log of their own."""
    more = _line(1, "audio_metrics: id=healthcheck, rms=0.1")
    more += _line(2, "synthesis_complete: id=healthcheck, status=success, duration_ms=1")
    (folder / "other.log").write_text(more)
    return len(more)


def _siblings(folder: Path, count: int) -> list[Path]:
    """The last of very many rotated files."""
    for n in range(1, count + 1):
        (folder / f"tts.log.{n}").write_text(_start(count - n, f"ts_{n:08x}"))
    return [folder / f"tts.log.{n}" for n in range(max(1, count - 40), count + 1)]


def _gzip_members(folder: Path, count: int) -> list[Path]:
    members = [gzip.compress(_start(n, f"ts_{n:08x}").encode(), 1) for n in range(count)]
    (folder / "app.log.1.gz").write_bytes(b"".join(members))
    return [folder / "app.log.1.gz"]


def _empty_frames(folder: Path, count: int) -> list[Path]:
    lines = "".join(_start(n, f"ts_{n:08x}") for n in range(100)).encode()
    packed = zstd.compress(lines) + zstd.compress(b"") * count
    (folder / "app.log.1.zst").write_bytes(packed)
    return [folder / "app.log.1.zst"]


def _distinct(message: str, level: str = "INFO") -> Callable[[Path, int], list[Path]]:
    def write(folder: Path, count: int) -> list[Path]:
        with (folder / "app.log").open("w") as file:
            file.writelines(_line(n / 20, message.format(n=n), level) for n in range(count))
        return [folder / "app.log"]

    return write


def _alike(folder: Path, count: int) -> list[Path]:
    """Lines without a time that are all the same, between records."""
    around = ["".join(_start(n, f"ts_{n:08x}") for n in range(k, k + 50)) for k in (0, 80_000)]
    same = "GET /health 200\n" * count
    (folder / "app.log").write_text(around[0] + same + around[1])
    return [folder / "app.log"]


def _alike_elsewhere(folder: Path) -> int:
    """The same lines in another log, between other records."""
    same = (folder / "app.log").read_text().splitlines(keepends=True)[50:-50]
    more = _start(81_000, "one") + "".join(same) + _start(81_001, "two") * 2
    return (folder / "other.log").write_text(more)


def _alike_edited(folder: Path) -> int:
    """Every tenth of the lines changed, in place."""
    lines = (folder / "app.log").read_text().splitlines(keepends=True)
    lines[55:-50:10] = ["GET /*****\n"] * len(lines[55:-50:10])
    return (folder / "app.log").write_text("".join(lines))


def _starts_and_stages(folder: Path, count: int) -> list[Path]:
    """As many lines of requests."""
    pairs = range(count // 2)
    lines = [_start(n, f"ts_{n:08x}") + _line(n, f"stage_time: id=ts_{n:08x}") for n in pairs]
    (folder / "app.log").write_text("".join(lines))
    return [folder / "app.log"]


def _blacked_out(folder: Path) -> int:
    """A word in every other line."""
    lines = (folder / "app.log").read_text().splitlines(keepends=True)
    lines[1::2] = [line.replace("stage_time", "**********") for line in lines[1::2]]
    return (folder / "app.log").write_text("".join(lines))


INPUTS = (
    Input("one line behind starts of one id", 2_000, 240_000, _only_starts, _one_more_start),
    Input("an end among starts of one id", 2_000, 240_000, _only_starts, _one_end),
    Input("one line behind open ids", 2_000, 240_000, _open_ids, _one_more_start),
    Input("starts of one id", 24_000, 240_000, _only_starts),
    Input("forty of very many siblings", 100, 9_999, _siblings),
    Input("gzip members", 10_000, 100_000, _gzip_members),
    Input("empty zstd frames", 10_000, 1_000_000, _empty_frames),
    Input("lines without a time, again", 20_000, 200_000, _alike, _alike_elsewhere),
    Input("edits among lines alike", 20_000, 200_000, _alike, _alike_edited),
    Input("every other line edited", 10_000, 100_000, _starts_and_stages, _blacked_out),
    Input("distinct ids", 100_000, 1_000_000, _distinct("stage_time: id=i{n}, stage=s")),
    Input("distinct keys", 100_000, 1_000_000, _distinct("note: k{n}=1, id=one")),
    Input("distinct codes", 100_000, 1_000_000, _distinct("slow: warning_code=W{n}", "WARNING")),
)


def _measured(given: Input, size: int) -> tuple[Figures, float]:
    """What the run that is measured took, CPU seconds beyond an empty one, and its new MB."""
    with tempfile.TemporaryDirectory() as name:
        logs = Path(name) / "logs"
        logs.mkdir()
        paths = given.write(logs, size)
        command = ttsq("--db", f"duckdb:///{name}/store.duckdb", "ingest", "--tz", "UTC")
        new = sum(p.stat().st_size for p in paths)
        if given.more is not None:
            run(Command("before", (*command, *map(str, paths))))
            new = given.more(logs)
            paths = [logs]
        taken, _ = run(Command(given.name, (*command, *map(str, paths))))
        idle, _ = run(Command("nothing new", (*command, *map(str, paths))))
        cpu = max(taken.cpu - idle.cpu, _LEAST_CPU)
        return Figures(taken.wall, cpu, taken.peak_mb), new / 1e6


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes")
    asked = parser.parse_args(words)
    print(
        f"{'input':34} {'size':>9} {'new MB':>9} {'CPU s':>7} {'peak MB':>8} {'CPU/MB grows':>13}"
    )
    for given in INPUTS:
        if asked.only and not any(word in given.name for word in asked.only):
            continue
        before = 0.0
        for size in (given.small, given.large):
            count = max(1, int(size * asked.scale))
            taken, new = _measured(given, count)
            rate = taken.cpu / new
            grows = f"{rate / before:13.2f}" if before else ""
            before = rate
            cost = f"{taken.cpu:7.2f} {taken.peak_mb:8.0f} {grows}"
            print(f"{given.name:34} {count:9} {new:9.4f} {cost}", flush=True)


if __name__ == "__main__":
    main()
