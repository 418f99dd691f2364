"""Logs of another make than the demo's: long texts, and what a service prints by itself; a first
ingest of each beside one pass of each peer.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import foreign, long_texts, peers
from benchmarks.answers import EVENTS, compared, events_of_ours
from benchmarks.bench import Bench, Store
from benchmarks.logs import MB, warm
from benchmarks.measure import Command, Taken, run, take_in_turn, ttsq
from benchmarks.report import Row, Section, judged, ratio

_FIRST, _FIRST_GZ = "ttsq: first ingest", "ttsq: first ingest, gzipped"
_LNAV, _ZCAT = "lnav", "zcat | wc -l"
_MAX_SHARE, _MAX_PEAK_MB = 0.08, 350.0
_MAX_SERVICE_PEAK_MB = 400.0
_TEXTS_LNAV_TIMES, _ZCAT_TIMES = 1.3, 1.25
_ACCESS = r"""/ HTTP\/1\.1" [0-9]/ {n++} END {print n + 0}"""
_ANY_LINES = ";select count(*) as lines from all_logs"


@dataclass(frozen=True, slots=True)
class OtherLog:
    """A log, how it is written, and what is compared: records by event with lnav, which has its
    format, or access lines with mawk, where lnav takes it for plain text.

    :ivar share: how large it is, of the demo's log.
    :ivar lnav_times: of lnav's speed, the target; None where there is none.
    """

    part: str
    share: float
    title: str
    write: Callable[[Path, float], None]
    mawk: tuple[str, ...]
    lnav_knows: bool
    lnav_times: float | None
    peak_mb: float
    said: str


def _service(path: Path, megabytes: float) -> None:
    foreign.write_log(path, "compose, texts and errors", megabytes)


TEXTS = OtherLog(
    "texts",
    0.4,
    "A plain log of {} MB: texts of 2,000 characters, tracebacks, hostile texts",
    long_texts.write_log,
    peers.LEVELS,
    True,
    _TEXTS_LNAV_TIMES,
    _MAX_PEAK_MB,
    "a text of its own for each request, of words as often as a language has them, a third "
    "English, a third Chinese, a third both; one request in eight fails with a traceback of 25 "
    "lines, one text in ten has quotes, pairs, escapes, control characters or formulas in it",
)
SERVICE = OtherLog(
    "service",
    0.2,
    "A log of {} MB that IndexTTS-2 prints, from `docker compose logs`",
    _service,
    ("mawk", _ACCESS),
    False,
    None,
    _MAX_SERVICE_PEAK_MB,
    "progress bars, a text for each request, warnings, tracebacks, uvicorn's access lines; lines "
    "without a time, which lnav shows as plain text: it has no records to ask for",
)

LOGS = (TEXTS, SERVICE)


def section(bench: Bench, log: OtherLog) -> Section:
    """Make the log, take all commands in turn; ours and theirs as a table."""
    folder = bench.folder / log.part
    folder.mkdir()
    path, packed = folder / "app.log", folder / "packed" / "app.log.gz"
    bench.progress(f"the log of the part {log.part}")
    log.write(path, bench.megabytes * log.share)
    packed.parent.mkdir()
    with packed.open("wb") as file:
        subprocess.run(["gzip", "-c", str(path)], stdout=file, check=True)
    warm((path, packed))
    store, other = Store(folder / "plain.duckdb"), Store(folder / "gzipped.duckdb")
    lacking = peers.missing()
    commands = [
        Command(_FIRST, store.ingest(path), before=store.remove),
        Command(_FIRST_GZ, other.ingest(packed), before=other.remove),
        peers.zcat(packed),
    ]
    if "mawk" not in lacking:
        commands.append(Command("mawk", (*log.mawk, str(path))))
    if "lnav" not in lacking:
        question = peers.LNAV_EVENTS if log.lnav_knows else _ANY_LINES
        commands.append(peers.lnav_command(path, bench.folder / "lnav", question))
    taken = take_in_turn(commands, bench.rounds, bench.progress)
    made = Section(
        log.title.format(f"{path.stat().st_size / MB:.0f}"),
        tuple(_rows(log, taken, (path, packed), store)),
        (log.said, *_checked(bench, log, taken, store)),
    )
    for file in (path, packed):
        file.unlink()
    return made


def _rows(
    log: OtherLog, taken: dict[str, Taken], files: tuple[Path, Path], store: Store
) -> list[Row]:
    """Ours with what it is held to, and theirs; ``files``: the log, and the same gzipped."""
    path, packed = files
    size = path.stat().st_size / MB
    ours, gzipped, zcat, lnav = (taken.get(n) for n in (_FIRST, _FIRST_GZ, _ZCAT, _LNAV))
    assert ours is not None
    assert gzipped is not None
    assert zcat is not None
    verdicts = [_peak(log, ours)]
    if lnav is not None and log.lnav_times is not None:
        fast = lnav.wall / ours.wall
        words = f"{log.lnav_times:g} × lnav's speed"
        verdicts.insert(0, judged(words, ratio(fast, 1), fast >= log.lnav_times))
    times = gzipped.wall / zcat.wall
    met = judged(f"at most {_ZCAT_TIMES:g} × zcat", ratio(times, 1), times <= _ZCAT_TIMES)
    rows = [Row(_FIRST, ours, size, target="\n".join(verdicts))]
    for name in (_LNAV, "mawk"):
        found = taken.get(name)
        if found is None:
            rows.append(Row(name, target="not installed"))
        else:
            rows.append(Row(name, found, size, f"{ratio(found.wall, ours.wall)} ours"))
    rows.append(Row(_FIRST_GZ, gzipped, size, target=f"{met}\n{_peak(log, gzipped)}"))
    rows.append(Row(_ZCAT, zcat, size, f"{ratio(zcat.wall, gzipped.wall)} ours"))
    share, gzip = (p.stat().st_size / path.stat().st_size for p in (store.path, packed))
    verdict = judged("at most 8 %", f"{share:.1%}", share <= _MAX_SHARE)
    rows.append(Row("the store, of the log's bytes", beside=f"{share:.1%}", target=verdict))
    rows.append(Row("the log gzipped, of its bytes", beside=f"{gzip:.1%}"))
    return rows


def _peak(log: OtherLog, taken: Taken) -> str:
    return judged(
        f"at most {log.peak_mb:.0f} MB", f"{taken.peak_mb:.0f} MB", taken.peak_mb <= log.peak_mb
    )


def _checked(bench: Bench, log: OtherLog, taken: dict[str, Taken], store: Store) -> list[str]:
    """Whether ours and theirs counted the same, in words."""
    if log.lnav_knows and _LNAV in taken:
        theirs = peers.lnav_counts(taken[_LNAV].output)
        ours = events_of_ours(_asked(store, EVENTS))
        known = {event: n for event, n in theirs.items() if event in ours}
        words = bench.checked(compared(known, ours, "events"), f"lnav, {log.part}")
        return [f"lnav, records by event: {words}"]
    if not log.lnav_knows and "mawk" in taken:
        rows = json.loads(_asked(store, "select count(*) as n from http_requests"))
        counts = {"access lines": int(taken["mawk"].output)}, {"access lines": rows[0]["n"]}
        words = bench.checked(compared(*counts, "kind"), f"mawk, {log.part}")
        return [f"mawk, access lines: {words}"]
    return []


def _asked(store: Store, sql: str) -> str:
    return run(Command("a count", ttsq("--db", store.url, "sql", sql, "--json")))[1]
