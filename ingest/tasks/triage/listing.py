"""Findings as JSON: the fields of one are the contract of ``ttsq triage --json``."""

import json
from datetime import timedelta

from ingest.causes.findings import Finding
from ingest.render.cells import escape_controls, json_text
from ingest.tasks.triage.phrases import Clock, title
from ingest.tasks.triage.phrases_zh import title_zh
from ingest.tasks.triage.report import Told, TriageReport, moment


def findings_json(report: TriageReport, clock: Clock) -> str:
    """A list of objects, one a finding; empty where there is nothing, not even to note."""
    objects = [finding_object(t, clock) for t in report.told]
    # json_text writes what could steer a terminal as escapes
    return json.dumps(
        [json.loads(json_text(o, None)) for o in objects], ensure_ascii=False, indent=1
    )


def finding_object(told: Told, clock: Clock) -> dict[str, object]:
    """One finding."""
    f = told.finding
    return {
        "rank": told.rank,
        "severity": f.severity,
        "symptom": f.symptom,
        "title": title(f, clock),
        "title_zh": title_zh(f, clock),
        "since_at": _iso(f.since),
        "since_place": f.since_place,
        "until_at": _iso(f.until),
        "period_s": _rounded(f.period_s, 1),
        "changed": f.changed,
        "kind": f.kind,
        "condition": condition_object(f),
        "error_code": f.code,
        "stage": f.stage,
        "server": f.subject if len(f.lines) else None,
        "location": f.location,
        "affected": round(f.affected),
        "population": round(f.population),
        "rate": _rounded(f.rate, 4),
        "interval": None if f.interval is None else [round(x, 4) for x in f.interval],
        "rate_outside": _rounded(f.rate_outside, 5),
        "risk_ratio": _rounded(f.risk_ratio, 2),
        "ratio": _rounded(f.ratio, 2),
        "score": _rounded(f.score, 1),
        "net": _rounded(f.net, 1),
        "full_at": _iso(f.full_at),
        "precursors": [
            {"code": p.code, "records": p.records, "median_lead_s": round(p.median_lead_s)}
            for p in f.precursors
        ],
        "consequences": [named(x) for x in f.consequences],
        "examples": [{"id": e.id, "path": e.path, "offset": e.offset} for e in told.examples],
        "next": told.next,
    }


def condition_object(f: Finding) -> dict[str, object]:
    """``{"voice": "nova"}``, ``{"text_len": {">=": 512}}``."""
    return {c.name: c.value if c.op == "=" else {c.op: c.value} for c in f.conditions}


def named(f: Finding) -> str:
    """A consequence in a few words: ``latency llm_inference host=tts-1``."""
    parts = [f.symptom, f.code or f.stage or ""]
    parts += [f"{c.name}{c.op}{c.value}" for c in f.conditions]
    return escape_controls(" ".join(p for p in parts if p))


def _iso(at: float | None) -> str | None:
    if at is None:
        return None
    rounded = moment(at) + timedelta(microseconds=500)
    return f"{rounded:%Y-%m-%dT%H:%M:%S}.{rounded.microsecond // 1000:03d}Z"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
