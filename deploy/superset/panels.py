"""The panels of the dashboard, in their order: a named query each, and how Superset draws it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.named_queries.library import NamedQuery, load_query


@dataclass(frozen=True)
class Panel:
    """A chart of a named query; ``look`` is Superset's own form data."""

    query: str
    kind: str
    columns: tuple[str, ...]
    look: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def load(self) -> NamedQuery:
        """Its query, with the panel's values as defaults."""
        query = load_query(self.query, backend="postgresql")
        params = tuple(p._replace(default=self.values.get(p.name, p.default)) for p in query.params)
        return query._replace(params=params)


def metric(how: str, column: str) -> dict[str, Any]:
    """A metric of a chart: an aggregate that changes nothing where a row is a point."""
    return {
        "expressionType": "SQL",
        "sqlExpression": f"{how}({column})",
        "label": column,
        "hasCustomLabel": True,
        "optionName": f"metric_{how}_{column}",
    }


_LINE: dict[str, Any] = {
    "x_axis": "bucket_at",
    "time_grain_sqla": None,
    "groupby": [],
    "row_limit": 10000,
    "truncateYAxis": False,
    "x_axis_time_format": "%m-%d %H:%M",
    "tooltipTimeFormat": "%Y-%m-%d %H:%M",
    "rich_tooltip": True,
    "show_legend": True,
    "zoomable": False,
    "x_axis_title_margin": 15,
    "y_axis_title_margin": 40,
    "y_axis_title_position": "Left",
}
_BARS: dict[str, Any] = {
    "groupby": [],
    "row_limit": 100,
    "orientation": "horizontal",
    "show_value": True,
    "show_legend": False,
    "y_axis_format": "SMART_NUMBER",
    "x_axis_title_margin": 30,
    "y_axis_title_margin": 15,
}
_TABLE: dict[str, Any] = {
    "query_mode": "raw",
    "order_by_cols": [],
    "row_limit": 1000,  # of Superset; the query's own limit comes first
    "table_timestamp_format": "%Y-%m-%d %H:%M:%S",
    "show_cell_bars": True,
    "color_pn": False,
    "page_length": 0,
}
_QUARTERS = {"bucket": "900"}  # seconds; in five minutes there are too few requests for a rate

PANELS = (
    Panel(
        "failure_rate_over_time",
        "echarts_timeseries_line",
        ("bucket_at", "failure_rate"),
        _LINE | {"metrics": [metric("max", "failure_rate")], "y_axis_format": ".0%"},
        _QUARTERS,
    ),
    Panel(
        "latency_over_time",
        "echarts_timeseries_line",
        ("bucket_at", "p50_ms", "p95_ms"),
        _LINE
        | {
            "metrics": [metric("max", "p50_ms"), metric("max", "p95_ms")],
            "y_axis_format": "~s",
            "y_axis_title": "ms",
        },
        _QUARTERS,
    ),
    Panel(
        "failure_by_length",
        "echarts_timeseries_bar",
        ("text_len", "error_code", "failures"),
        _BARS
        | {
            "x_axis": "text_len",
            "groupby": ["error_code"],
            "metrics": [metric("sum", "failures")],
            "orientation": "vertical",
            "stack": "Stack",
            "show_legend": True,
            "show_value": False,
            "xAxisForceCategorical": True,
            "x_axis_sort": "text_len",
            "x_axis_sort_asc": True,
            "x_axis_title": "characters",
            "row_limit": 1000,
        },
    ),
    Panel(
        "error_codes",
        "echarts_timeseries_bar",
        ("error_code", "failures"),
        _BARS
        | {
            "x_axis": "error_code",
            "metrics": [metric("sum", "failures")],
            "x_axis_sort": "failures",
            "x_axis_sort_asc": True,
        },
    ),
    Panel(
        "failure_by_cause",
        "table",
        ("text_class", "error_code", "failures", "failure_rate", "expected", "cause"),
        _TABLE
        | {
            "order_by_cols": ['["failures", false]'],
            "column_config": {
                "failure_rate": {"d3NumberFormat": ".1%"},
                "expected": {"d3NumberFormat": ".1f"},
            },
        },
    ),
    Panel(
        "stage_breakdown",
        "echarts_timeseries_bar",
        ("stage", "total_ms"),
        _BARS
        | {
            "x_axis": "stage",
            "metrics": [metric("sum", "total_ms")],
            "x_axis_sort": "total_ms",
            "x_axis_sort_asc": True,
            "y_axis_format": "DURATION",
        },
    ),
    Panel(
        "cache_usage",
        "echarts_timeseries_line",
        ("bucket_at", "host", "path", "max_used_percent", "threshold_percent"),
        _LINE
        | {
            "groupby": ["host", "path"],
            "metrics": [metric("max", "max_used_percent"), metric("max", "threshold_percent")],
            "y_axis_title": "%",
            "y_axis_format": "SMART_NUMBER",
            "y_axis_bounds": [0, 100],
            "truncateYAxis": True,
            "connect_nulls": True,
            "markerEnabled": True,
            "markerSize": 2,
        },
    ),
    Panel(
        "slow_requests",
        "table",
        ("id", "started_at", "duration_ms", "slowest_stage", "slowest_stage_ms", "text_len"),
        _TABLE | {"order_by_cols": ['["duration_ms", false]']},
    ),
)
