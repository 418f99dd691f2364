"""A window of the store → findings with all that is said of them: texts, examples, next steps."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.causes.answers import OUTSIDE
from ingest.causes.diagnose import diagnose
from ingest.causes.dimensions import TEXT, TEXT_LEN, Condition
from ingest.causes.findings import Diagnosis, Finding
from ingest.causes.symptoms import CACHE_FILLING, CLOCK, ERRORS, HTTP_ERRORS, HTTP_LATENCY, SILENCE
from ingest.lazily import matcher
from ingest.model import EPOCH
from ingest.stores.contract import Reader
from ingest.tasks.triage import statements as sql
from ingest.tasks.triage.arrays import FILE_SHIFT
from ingest.tasks.triage.fetch import Window, fetched

_EXAMPLES = 3
_HASH = matcher(r"[0-9a-f]{32}")  # what stands in for a text under --text hash


@dataclass(frozen=True, slots=True)
class Example:
    """An affected request or record, and where it is in the logs."""

    id: str | None
    path: str | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with its text in place of the text's key; ``next`` is a command."""

    rank: int
    finding: Finding
    examples: tuple[Example, ...]
    next: str


@dataclass(frozen=True, slots=True)
class TriageReport:
    """What is wrong in a window: ``told`` in rank; ``notes`` counts those beyond the limit."""

    window: Window
    diagnosis: Diagnosis
    told: tuple[Told, ...]
    left_out: int
    uncertain: Finding | None

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is worse than a note."""
        return self.diagnosis.is_healthy


def triage(reader: Reader, window: Window, limit: int | None = None) -> TriageReport:
    """What is wrong in a window of the store; at most so many findings."""
    observed = fetched(reader, window)
    diagnosis = diagnose(observed)
    kept = diagnosis.findings if limit is None else diagnosis.findings[:limit]
    texts = _texts(reader, [*diagnosis.findings, diagnosis.uncertain])
    told = tuple(_told(reader, n, f, texts) for n, f in enumerate(kept, 1))
    unsure = None if diagnosis.uncertain is None else _with_text(diagnosis.uncertain, texts)
    return TriageReport(window, diagnosis, told, len(diagnosis.findings) - len(kept), unsure)


def _told(reader: Reader, rank: int, finding: Finding, texts: Mapping[int, Condition]) -> Told:
    finding = _with_text(finding, texts)
    finding = replace(finding, since_place=_place(reader, finding.since_key))
    examples = _examples(reader, finding)
    return Told(rank, finding, examples, _next(finding, examples))


def _place(reader: Reader, key: int | None) -> str | None:
    """Path and offset of a row that no instant is known of."""
    if key is None:
        return None
    rows = reader.query(sql.PLACE, {"file_key": key >> FILE_SHIFT}).rows
    offset = key & ((1 << FILE_SHIFT) - 1)
    return f"{rows[0][0]} @ {offset:,}" if rows else None


def _texts(reader: Reader, findings: Sequence[Finding | None]) -> dict[int, Condition]:
    """The condition that tells people of each text; its length, where the text is not kept."""
    found: dict[int, Condition] = {}
    every = [f for f in findings if f is not None]
    every += [x for f in every for x in f.consequences]
    for key in {c.value for f in every for c in f.conditions if c.name == TEXT}:
        for text, length in reader.query(sql.TEXT_OF, {"key": key}).rows:
            words = str(text)
            is_kept = not (_HASH.fullmatch(words) and length != len(words))
            of_length = Condition(TEXT_LEN, "=", int(str(length or 0)))
            found[int(key)] = Condition(TEXT, "=", words) if is_kept else of_length
    return found


def with_texts(reader: Reader, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The same with texts instead of their keys."""
    texts = _texts(reader, findings)
    return tuple(_with_text(f, texts) for f in findings)


def _with_text(finding: Finding, texts: Mapping[int, Condition]) -> Finding:
    def told(c: Condition) -> Condition:
        return texts.get(int(c.value), c) if c.name == TEXT and not isinstance(c.value, str) else c

    return replace(
        finding,
        conditions=tuple(map(told, finding.conditions)),
        consequences=tuple(_with_text(x, texts) for x in finding.consequences),
    )


def _examples(reader: Reader, finding: Finding) -> tuple[Example, ...]:
    keys = finding.keys[:_EXAMPLES]
    if not keys:
        return ()
    statement = sql.EXAMPLES
    if finding.symptom == CACHE_FILLING:
        statement = sql.SAMPLE_EXAMPLES
    elif finding.of_records:
        statement = sql.RECORD_EXAMPLES
    elif len(finding.lines):
        statement = sql.ANSWER_EXAMPLES
    rows = reader.query(statement.format(keys=", ".join(map(str, keys))), {}).rows
    by_key = {int(str(r[0])): r for r in rows}
    return tuple(
        Example(
            None if r[1] is None else str(r[1]),
            None if r[2] is None else str(r[2]),
            None if r[3] is None else int(str(r[3])),
        )
        for r in (by_key[k] for k in keys if k in by_key)
    )


def _next(finding: Finding, examples: tuple[Example, ...]) -> str:
    """One command that goes on from a finding."""
    if finding.symptom == SILENCE:
        return f"ttsq run hosts{_around(finding, timedelta(minutes=10))}"
    if finding.symptom == CLOCK:
        return f"ttsq run window_requests{_around(finding, timedelta(minutes=1))}"
    if finding.symptom == ERRORS:
        return f"ttsq run error_groups{_around(finding, timedelta(0))}"
    if finding.symptom == CACHE_FILLING:
        return "ttsq run cache_full_forecast --as-of data"
    if finding.symptom == HTTP_ERRORS:
        is_refused = (finding.code or "").startswith("4")
        name = "rejected_requests" if is_refused else "http_errors"
        return f"ttsq run {name}{_around(finding, timedelta(minutes=1))}"
    if finding.symptom == HTTP_LATENCY:
        name = "time_outside_synthesis" if finding.stage == OUTSIDE else "http_latency_over_time"
        return f"ttsq run {name}{_around(finding, timedelta(minutes=1))}"
    first = next((e.id for e in examples if e.id), None)
    return "ttsq run error_codes" if first is None else f"ttsq trace {shlex.quote(first)}"


def _around(finding: Finding, margin: timedelta) -> str:
    """--since and --until of a finding, as options."""
    if finding.since is None:
        return ""
    since = moment(finding.since) - margin
    told = f" --since {since:%Y-%m-%dT%H:%M:%SZ}"
    if finding.until is not None:
        told += (
            f" --until {moment(finding.until) + margin + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
        )
    return told


def moment(at: float) -> datetime:
    """An instant of a finding, in UTC."""
    return EPOCH + timedelta(seconds=at)
