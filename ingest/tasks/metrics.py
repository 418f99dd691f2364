"""Figures of a store in Prometheus' text format, for the node exporter's textfile collector.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ingest import __version__
from ingest.errors import UsageProblem
from ingest.model import REASONS, Checkpoint
from ingest.paths import real
from ingest.render.whole_file import replace_whole
from ingest.rows.described import TABLES
from ingest.stores import migrate
from ingest.stores.contract import QueryResult, Reader, Store
from ingest.stores.results import whole
from ingest.tasks.metric import Labels, Metric
from ingest.tasks.service_metrics import of_service

_TABLES = tuple(t.name for t in TABLES if t.place and t.is_published)
_STATES = ("live", "finished", "waiting", "damaged", "edited", "missing", "replaced")
_LAST_RUNS = (
    "select host, status, started_at, finished_at from "
    "(select host, status, started_at, finished_at, "
    "row_number() over (partition by host order by run_key desc) as place "
    "from ingest_runs where finished_at is not null) as ended where place = 1 order by host"
)
_LAST_SUCCESS = (
    "select host, max(finished_at) from ingest_runs where status = 'done' group by host order by "
    "host"
)
_QUARANTINE = (
    "select reason, count(*), cast(sum(byte_length) as bigint) from quarantine group by reason "
    "order by reason"
)
_MODE = 0o644  # the node exporter is another user


def write_metrics(store: Store, path: Path, out: IO[str] | None = None) -> None:
    """Write a store's figures to ``path``, whole or not at all; to ``out`` instead, where there is
    one.

    :raises StoreError: when there is no store, or one of another revision.
    :raises UsageProblem: when the file cannot be written.
    """
    text = render(collect(store))
    if out is not None:
        out.write(text)
        return
    try:
        replace_whole(path, [text.encode("utf-8", "replace")], _MODE)
    except OSError as error:
        raise UsageProblem(
            f"the metrics cannot be written to {path}: {error.strerror or error}",
            "the folder must exist, and the user who runs ttsq must be allowed to write in it",
        ) from error


def collect(store: Store) -> list[Metric]:
    """The figures of a store and of its log files on this machine.

    :raises StoreError: when there is no store, or one of another revision.
    """
    migrate.require_head(store)
    checkpoints = store.checkpoints()
    with store.reading() as reader:
        of_store = [*_of_runs(reader), *_of_quarantine(reader), _rows(reader)]
        service = of_service(reader, datetime.now(UTC))
    about = (("version", __version__), ("store", store.name), ("revision", migrate.head()))
    return [
        Metric("ttsq_build_info", "Version of ttsq, kind and schema of the store", [(about, 1)]),
        *of_store,
        *service,
        *_of_files(checkpoints),
    ]


def lag(checkpoint: Checkpoint) -> int | None:
    """Bytes of a plain file that are not stored yet; None where only reading would tell."""
    try:
        size = os.stat(real(checkpoint.path))
    except (OSError, ValueError):
        return None
    if size.st_ino != checkpoint.inode or checkpoint.compression != "none":
        return None
    return max(0, size.st_size - checkpoint.committed_offset)


def _of_files(checkpoints: Sequence[Checkpoint]) -> list[Metric]:
    behind = [(c, b) for c in checkpoints if c.state != "replaced" and (b := lag(c)) is not None]
    behind = [(c, b) for c, b in behind if b or c.state != "finished"]
    held = [(c, max(0, c.size_bytes - c.committed_offset)) for c, _ in behind]
    states = [c.state for c in checkpoints]
    newest: dict[Labels, float] = {}
    for c in checkpoints:
        if c.last_logged_at is not None:
            key = (("host", c.host), ("service", c.service))
            newest[key] = max(newest.get(key, 0.0), c.last_logged_at.timestamp())
    lost = sum(c.lost_bytes for c in checkpoints)
    return [
        Metric(
            "ttsq_lag_bytes",
            "Bytes of a log file on this machine that were not read yet",
            [(_place(c), max(0, b - h)) for (c, b), (_, h) in zip(behind, held, strict=True)],
        ),
        Metric(
            "ttsq_held_back_bytes",
            "Bytes at the end of a log file that wait until their record is complete",
            [(_place(c), min(b, h)) for (c, b), (_, h) in zip(behind, held, strict=True)],
        ),
        Metric(
            "ttsq_log_files",
            "Log files known, by state",
            [
                ((("state", s),), states.count(s))
                for s in (*_STATES, *sorted(set(states) - set(_STATES)))
            ],
        ),
        Metric("ttsq_lost_bytes", "Bytes that were gone before they were read", [((), lost)]),
        Metric(
            "ttsq_unclaimed_lines",
            "Lines of log files that nothing explains",
            [((), sum(c.unclaimed for c in checkpoints))],
        ),
        Metric(
            "ttsq_unclaimed_bytes",
            "Bytes of log files in lines that nothing explains",
            [((), sum(c.unclaimed_bytes for c in checkpoints))],
        ),
        Metric(
            "ttsq_already_stored_bytes",
            "Bytes of records that were stored from another place before",
            [((), sum(c.already_stored_bytes for c in checkpoints))],
        ),
        Metric(
            "ttsq_last_record_timestamp_seconds",
            "Instant of the newest record stored, seconds since the epoch",
            sorted(newest.items()),
        ),
    ]


def _place(c: Checkpoint) -> Labels:
    return (("file", str(c.file_key)), ("host", c.host), ("service", c.service), ("path", c.path))


def _of_runs(reader: Reader) -> list[Metric]:
    ended = reader.query(_LAST_RUNS, {}).rows
    return [
        Metric(
            "ttsq_last_success_timestamp_seconds",
            "End of the last ingest that read something and was done, seconds since the epoch",
            [(_host(host), _seconds(at)) for host, at in reader.query(_LAST_SUCCESS, {}).rows],
        ),
        Metric(
            "ttsq_last_run_success",
            "1 if the last ingest that read something was done, 0 if it failed or was interrupted",
            [(_host(host), float(status == "done")) for host, status, _, _ in ended],
        ),
        Metric(
            "ttsq_last_run_duration_seconds",
            "How long the last ingest that read something took",
            [(_host(host), _seconds(end) - _seconds(start)) for host, _, start, end in ended],
        ),
    ]


def _of_quarantine(reader: Reader) -> list[Metric]:
    found: QueryResult = reader.query(_QUARANTINE, {})
    counted = dict.fromkeys(REASONS, (0.0, 0.0)) | {
        str(reason): (whole(pieces), whole(size)) for reason, pieces, size in found.rows
    }
    reasons = [((("reason", reason),), *figures) for reason, figures in counted.items()]
    return [
        Metric(
            "ttsq_quarantine_pieces",
            "Pieces of log files that could not be understood",
            [(labels, n) for labels, n, _ in reasons],
        ),
        Metric(
            "ttsq_quarantine_bytes",
            "Bytes of log files that could not be understood",
            [(labels, b) for labels, _, b in reasons],
        ),
    ]


def _rows(reader: Reader) -> Metric:
    counted = " union all ".join(f"select '{t}', count(*) from {t}" for t in _TABLES)
    rows = {str(table): count for table, count in reader.query(counted, {}).rows}
    samples = [((("table", t),), whole(rows[t])) for t in _TABLES]
    return Metric("ttsq_rows", "Rows in a table", samples)


def _host(host: object) -> Labels:
    return (("host", "" if host is None else str(host)),)


def _seconds(instant: object) -> float:
    assert isinstance(instant, datetime)
    return instant.timestamp()


def render(metrics: Iterable[Metric]) -> str:
    """Metrics in the text format, version 0.0.4."""
    lines = []
    for metric in metrics:
        help_ = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {metric.name} {help_}", f"# TYPE {metric.name} {metric.kind}"]
        for labels, value in metric.samples:
            inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
            lines.append(metric.name + (f"{{{inside}}}" if inside else "") + f" {_shown(value)}")
    return "\n".join(lines) + "\n"


def _shown(value: float) -> str:
    """Microseconds are as fine as instants are stored."""
    return str(int(value)) if value == int(value) else str(round(value, 6))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
