"""Write the dashboard that Grafana provisions, from the library of named queries; ``--check`` only
compares.

Panels of the service's metrics ask Prometheus; the others are named queries on PostgreSQL, with the
dashboard's time range and host for ``since``, ``until`` and ``host``. Run it from a checkout after
a change of a query: ``python deploy/grafana/make_dashboard.py``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ingest.named_queries.library import NamedQuery, load_query
from ingest.named_queries.params import Param
from ingest.stores.binds import replace_binds

DASHBOARD = Path(__file__).with_name("ttsq.json")
_POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "ttsq-postgresql"}
_PROMETHEUS = {"type": "prometheus", "uid": "ttsq-prometheus"}
_WIDTH, _HEIGHT = 12, 8  # of 24 columns; in units of 30 px
# what the dashboard gives in place of a parameter; Grafana quotes these texts
_MACROS = {
    "since": "$__timeFrom()",
    "until": "$__timeTo()",
    "bucket": "greatest($__interval_ms / 1000, 60)",
    "host": "nullif(${host:sqlstring}, '')",
}
_QUERIES = (
    "failure_rate_over_time", "latency_over_time", "failure_by_length", "error_codes",
    "failure_by_cause", "stage_breakdown", "voices", "hosts", "cache_usage", "rtf_over_time",
    "http_errors", "error_groups", "slow_requests", "unfinished_requests",
)  # fmt: skip
_UNITS = {"_rate": "percentunit", "share": "percentunit", "_ms": "ms", "_percent": "percent"}
_METRICS = (
    ("Requests of the last 5 minutes", 'ttsq_recent_requests{window="5m"}', "{{status}}", "short"),
    ("Failures of those that ended", "ttsq_failure_ratio", "{{window}}", "percentunit"),
    (
        "p95 by stage",
        'ttsq_stage_duration_seconds{window="5m",quantile="0.95"}',
        "{{stage}}",
        "s",
    ),
    ("Unfinished", "ttsq_unfinished_requests", "{{window}}", "short"),
    ("Real-time factor, p95", 'ttsq_rtf{quantile="0.95"}', "{{window}}", "short"),
    ("Cache used", "ttsq_cache_used_ratio", "{{host}} {{path}}", "percentunit"),
)


def panel_sql(query: NamedQuery) -> str:
    """A query's statement with default parameters, and with the dashboard's range and host."""
    if any(word in query.sql for word in ("$__", "${", "[[")):
        raise ValueError(f"{query.path}: Grafana would take a part of the statement for a macro")
    written = {p.name: _MACROS.get(p.name) or _default(p) for p in query.params}
    return f"-- {query.name}: {query.question}\n{replace_binds(query.sql, written.__getitem__)}"


def _default(param: Param) -> str:
    if param.default is None:
        return "null"
    if param.type == "timestamp":
        return "now()"
    return param.default if param.type != "text" else "'" + param.default.replace("'", "''") + "'"


def _of_query(query: NamedQuery) -> dict[str, Any]:
    line = query.chart.kind == "line"
    kind = {"line": "timeseries", "bars": "barchart"}.get(query.chart.kind, "table")
    if kind == "barchart" and len(query.chart.columns("x")) > 1:
        kind = "table"
    target = {
        "refId": "A",
        "datasource": _POSTGRES,
        "rawQuery": True,
        "rawSql": panel_sql(query),
        "format": "time_series" if line else "table",
        "editorMode": "code",
    }
    shown = query.chart.columns("y")
    panel = _panel(f"{query.question} ({query.name})", kind, _POSTGRES, target)
    panel["description"] = query.summary
    panel["fieldConfig"]["overrides"] = [
        {
            "matcher": {"id": "byName", "options": c.name},
            "properties": [{"id": "unit", "value": unit}],
        }
        for c in query.columns
        if (unit := _unit(c.name)) is not None
    ]
    if line:
        hidden = [
            c.name
            for c in query.columns
            if c.name not in (*query.chart.columns("x"), *query.chart.columns("by"), *shown)
        ]
        target["format"] = "table"
        panel["transformations"] = [_without(hidden), *_series(query)]
    elif kind == "barchart":
        panel["options"] = {"orientation": "horizontal", "xField": query.chart.columns("x")[0]}
        kept = (*query.chart.columns("x"), *shown)
        panel["transformations"] = [_without([c.name for c in query.columns if c.name not in kept])]
    return panel


def _unit(column: str) -> str | None:
    return next((unit for end, unit in _UNITS.items() if column.endswith(end)), None)


def _without(names: list[str]) -> dict[str, Any]:
    return {"id": "organize", "options": {"excludeByName": dict.fromkeys(names, True)}}


def _series(query: NamedQuery) -> list[dict[str, Any]]:
    """Rows that belong to several lines are divided by the texts in them."""
    if not query.chart.columns("by"):
        return []
    return [{"id": "prepareTimeSeries", "options": {"format": "multi"}}]


def _of_metric(title: str, expression: str, legend: str, unit: str) -> dict[str, Any]:
    target = {
        "refId": "A",
        "datasource": _PROMETHEUS,
        "expr": expression,
        "legendFormat": legend,
    }
    panel = _panel(title, "timeseries", _PROMETHEUS, target)
    panel["fieldConfig"]["defaults"] = {"unit": unit, "min": 0}
    return panel


def _panel(title: str, kind: str, source: dict[str, str], target: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": kind,
        "datasource": source,
        "targets": [target],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {},
    }


def dashboard() -> dict[str, Any]:
    """The dashboard, as the library is now."""
    panels: list[dict[str, Any]] = [_of_metric(*metric) for metric in _METRICS]
    panels += [_of_query(load_query(name, backend="postgresql")) for name in _QUERIES]
    for at, panel in enumerate(panels):
        x, y = at % 2 * _WIDTH, at // 2 * _HEIGHT
        panel |= {"id": at + 1, "gridPos": {"x": x, "y": y, "w": _WIDTH, "h": _HEIGHT}}
    host = {
        "name": "host",
        "label": "Host",
        "type": "query",
        "datasource": _POSTGRES,
        "query": "select distinct host from log_files order by host",
        "includeAll": True,
        "allValue": "",
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }
    return {
        "uid": "ttsq",
        "title": "ttsq: what is wrong with speech synthesis?",
        "tags": ["ttsq", "text-to-speech"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "1m",
        "timezone": "browser",
        "templating": {"list": [host]},
        "panels": panels,
    }


def written() -> str:
    """The file as it ought to be."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; the exit code."""
    if arguments == ["--check"]:
        fresh = DASHBOARD.exists() and DASHBOARD.read_text("utf-8") == written()
        if not fresh:
            print(f"{DASHBOARD}: not as the queries are; run {Path(__file__).name}")
        return 0 if fresh else 1
    DASHBOARD.write_text(written(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
