"""Folders of logs with the rows wanted of them (``truth.json``): what differs, field by field.

A case is a folder with log files and ``truth.json``: ``meta`` (``mtime``, ``tz``), ``requests``,
``errors``, ``http``. Every row has ``spans``, the bytes [file, from, to] that it comes from;
``soft`` names the fields that are not compared, a list of values says that each is right, null says
nothing, except that an ``optional`` row may be missing.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness

Row = dict[str, Any]
_NO_LOGS = {"truth.json", "expected.md", "source.md"}
_PARTS = 0.002  # of a value, that a printed one may be rounded by
_REQUEST = (
    "status", "duration_ms", "audio_ms", "rtf", "text", "text_len", "voice", "error_code",
    "request_id", "time_source", "started_at", "instance",
)  # fmt: skip
_ERROR = ("level", "exception_type", "location", "occurred_at", "instance")
_HTTP = (
    "client", "method", "http_status", "request_ms", "upstream_ms", "request_id", "logged_at",
    "instance",
)  # fmt: skip
_ANSWERS = {
    "requests": "select r.*, f.path, r.request_key & 1099511627775 as offset_ from requests r"
    " join log_files f on f.file_key = r.request_key >> 40 order by f.path, offset_",
    "errors": "select e.*, f.path from errors e join log_files f using (file_key) order by f.path, "
    "byte_offset",
    "http": "select h.*, h.path as url, f.path from http_requests h join log_files f using (file_key)"  # noqa: E501
    " order by f.path, byte_offset",
    "stages": "select request_key, stage, duration_ms from stage_timings order by request_key, seq",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One folder: its logs, and the rows wanted."""

    name: str
    logs: tuple[Path, ...]
    truth: Row

    @property
    def tz(self) -> str:
        return str(self.truth["meta"].get("tz", "UTC"))


@dataclass(slots=True)
class Difference:
    """What differs between the rows found and those wanted."""

    fields: int = 0
    found: list[str] = field(default_factory=list)

    def check(self, what: str, is_right: bool, told: str) -> None:
        """Count a field, and note it where it is wrong."""
        self.fields += 1
        if not is_right:
            self.found.append(f"{what}: {told}")


def cases_in(folder: Path) -> list[Case]:
    """The cases of a folder by their names."""
    return [
        Case(
            path.parent.name,
            tuple(sorted(p for p in path.parent.iterdir() if p.name not in _NO_LOGS)),
            json.loads(path.read_text()),
        )
        for path in sorted(folder.glob("*/truth.json"))
    ]


def copied(case: Case, folder: Path) -> list[Path]:
    """The logs of a case in a folder of one's own, with the modification time that the case says."""  # noqa: E501
    paths = []
    for log in case.logs:
        path = folder / log.name
        path.write_bytes(log.read_bytes())
        paths.append(path)
    modified(case, paths)
    return paths


def modified(case: Case, paths: list[Path], hours: int = 0) -> None:
    """Give files the modification time of their case, or one so many hours later."""
    at = case.truth["meta"].get("mtime")
    for path in paths if at else ():
        os.utime(path, (datetime.fromisoformat(at).timestamp() + 3600 * hours,) * 2)


def compare(case: Case, folder: Path) -> Difference:
    """Read a case's logs into a store of one's own, and compare."""
    store = harness.new_store(folder)
    harness.run(store, copied(case, folder), final=True, tz=case.tz)
    return differences(case, rows_of(store))


def rows_of(store: DuckDBStore) -> dict[str, list[Row]]:
    """The rows of a store by kind."""
    rows = {}
    with store.reading() as reader:
        for kind, sql in _ANSWERS.items():
            answer = reader.query(sql, {})
            rows[kind] = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return rows


def differences(case: Case, rows: dict[str, list[Row]]) -> Difference:
    """What differs between a case's rows and those found."""
    result, truth = Difference(), case.truth
    optional = truth["meta"].get("requests_optional", False)
    requests = _paired("request", truth["requests"], rows["requests"], "offset_", result, optional)
    errors = _paired("error", truth["errors"], rows["errors"], "byte_offset", result)
    http = _paired("http", truth["http"], rows["http"], "byte_offset", result)
    for number, (wanted, row) in requests.items():
        _request(number, wanted, row, rows["stages"], result)
    for number, (wanted, row) in errors.items():
        _fields(f"error {number}", wanted, row, _ERROR, result)
        told = " ".join(str(row[name]) for name in ("message", "exception_message", "traceback"))
        result.check(f"error {number} message", (wanted.get("message") or "") in told, told[:200])
        _link(f"error {number}", wanted, row, requests, result)
    for number, (wanted, row) in http.items():
        renamed = {**wanted, "http_status": wanted["status"]}
        _fields(f"http {number}", renamed, row, _HTTP, result)
        path = (row["url"] or "") + (f"?{row['query']}" if row["query"] else "")
        result.check(f"http {number} path", wanted["path"] in (None, path), repr(path))
        _link(f"http {number}", wanted, row, requests, result)
    return result


def _paired(
    kind: str,
    wanted: list[Row],
    rows: list[Row],
    at: str,
    result: Difference,
    optional: bool = False,
) -> dict[int, tuple[Row, Row]]:
    """Each row wanted with the row found that lies in its bytes."""
    left, pairs = list(rows), {}
    for number, want in enumerate(wanted):
        row = next((r for r in left if _lies_in(r, at, want["spans"])), None)
        if row is not None:
            left.remove(row)
            pairs[number] = (want, row)
        else:
            result.check(f"{kind} {number}", bool(want.get("optional")), "is missing")
    told = [f"{r[at]}" for r in left]
    result.check(f"{kind}s", optional or not left, f"too many, at {', '.join(told)}")
    return pairs


def _lies_in(row: Row, at: str, spans: list[list[Any]]) -> bool:
    offset, name = row[at], Path(row["path"]).name if "path" in row else ""
    return offset is not None and any(
        low <= offset < high and (not name or file == name) for file, low, high in spans
    )


def _request(number: int, wanted: Row, row: Row, stages: list[Row], result: Difference) -> None:
    what = f"request {number}"
    _fields(what, wanted, row, _REQUEST, result)
    soft = set(wanted.get("soft") or ())
    _field(f"{what} completed_at", wanted.get("ended_at"), row["completed_at"], result)
    if wanted.get("id") is not None:
        _field(f"{what} id", wanted["id"], row["id"], result)
    if not wanted.get("torn") and wanted.get("certain") is not None:
        uncertain = row["assembly"] == "uncertain"
        result.check(f"{what} assembly", uncertain <= (not wanted["certain"]), row["assembly"])
    if "stages" in soft:
        return
    found = [
        (s["stage"], s["duration_ms"]) for s in stages if s["request_key"] == row["request_key"]
    ]
    want = [tuple(stage) for stage in wanted.get("stages") or ()]
    if not wanted.get("stages_named", True):
        found, want = [("", v) for _, v in found], [("", v) for _, v in want]
    same = len(found) == len(want) and all(
        a[0] == b[0] and _is_right(a[1], b[1]) for a, b in zip(found, want, strict=True)
    )
    result.check(f"{what} stages", same or not want, f"{found}, wanted {want}")


def _fields(what: str, wanted: Row, row: Row, names: tuple[str, ...], result: Difference) -> None:
    for name in names:
        if name not in (wanted.get("soft") or ()):
            _field(f"{what} {name}", wanted.get(name), row[name], result)


def _field(what: str, wanted: Any, found: Any, result: Difference) -> None:
    if wanted is None:
        return
    result.check(what, _is_right(found, wanted), f"{found!r}, wanted {wanted!r}")


def _is_right(found: Any, wanted: Any) -> bool:
    """Whether a value is one of those wanted; numbers as they are rounded in print, instants to two
    milliseconds.
    """
    for want in wanted if isinstance(wanted, list) else [wanted]:
        if found == want or want is None:
            return True
        numbers = isinstance(want, int | float) and isinstance(found, int | float)
        if numbers and abs(found - want) <= max(1, abs(want) * _PARTS):
            return True
        if isinstance(found, datetime):
            away = found.astimezone(UTC) - datetime.fromisoformat(str(want)).astimezone(UTC)
            if abs(away.total_seconds()) < 0.002:
                return True
    return False


def _link(
    what: str, wanted: Row, row: Row, requests: dict[int, tuple[Row, Row]], result: Difference
) -> None:
    """Whether a row goes to the request that it should."""
    if wanted.get("any_request"):
        return
    number = wanted.get("request")
    key = requests[number][1]["request_key"] if number in requests else None
    result.check(
        f"{what} request", row["request_key"] == key, f"{row['request_key']}, wanted {key}"
    )
