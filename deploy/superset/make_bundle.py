"""Write the dashboard that Superset imports, from the library of named queries; ``--check`` only
compares.

Each panel's dataset is a named query, its parameters at their defaults but for those in ``values``;
``since`` and ``until`` follow the dashboard's time range. Run it from a checkout after a change of
a query: ``python deploy/superset/make_bundle.py``.
"""

import re
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml  # type: ignore[import-untyped]
from panels import PANELS, Panel

from ingest.named_queries.library import NamedQuery, Param
from ingest.stores.binds import replace_binds

BUNDLE = Path(__file__).with_name("bundle")
TITLE = "ttsq: what is wrong with speech synthesis?"
SLUG = "ttsq"
_VERSION = "1.0.0"
_STAMP = "2026-01-01T00:00:00+00:00"  # of the bundle; the same files every time
_IDS = UUID("5f1d6a0e-6a5b-4a3c-9b60-7d3f1c7b0a11")
_RANGE = "DATEADD(DATETIME('now'), -24, hour) : now"
_WIDTH, _HEIGHT = 6, 44  # of 12 columns; in units of 8 px
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TYPES = {
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "integer": "BIGINT",
    "number": "DOUBLE PRECISION",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
}
_LITERAL = ("integer", "number", "boolean")  # their defaults stand in SQL as in the header
# the ends of the dashboard's time range, UTC, in Superset's Jinja
_ENDS = {"since": "from_dttm", "until": "to_dttm"}


def dataset_sql(query: NamedQuery) -> str:
    """A query's statement with default parameters, and with the dashboard's time range."""
    if re.search(r"\{[{%#]", query.sql):
        raise ValueError(f"{query.path}: Superset would take a part of the statement for Jinja")
    written = {p.name: _written(p) for p in query.params}
    return f"-- {query.name}: {query.question}\n{replace_binds(query.sql, written.__getitem__)}\n"


def _written(param: Param) -> str:
    value = _default(param)
    end = _ENDS.get(param.name)
    if end is None:
        return value
    return f"{{% if {end} %}}'{{{{ {end} }}}}Z'{{% else %}}{value}{{% endif %}}"


def _default(param: Param) -> str:
    """A parameter's default in SQL; an age counts from the time of the query."""
    if param.default is None:
        return "null"
    if param.type in _LITERAL:
        return param.default
    if param.type == "timestamp":
        if param.default == "now":
            return "now()"
        number, unit = re.fullmatch(r"(\d+)([smhdw])", param.default).groups()  # type: ignore[union-attr]
        return f"now() - interval '{number} {_UNITS[unit]}'"
    return "'" + param.default.replace("'", "''") + "'"


def _uuid(kind: str, name: str) -> str:
    return str(uuid5(_IDS, f"{kind}/{name}"))


def _database() -> dict[str, Any]:
    """The host and the password are put in when it connects: superset_config.py."""
    return {
        "database_name": "ttsq",
        "sqlalchemy_uri": "postgresql+psycopg2://reader@postgres:5432/ttsq",
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "cache_timeout": None,
        "extra": {
            "allows_virtual_table_explore": True,
            "engine_params": {
                "connect_args": {"options": "-c statement_timeout=60s -c timezone=UTC"}
            },
        },
        "uuid": _uuid("database", "ttsq"),
        "version": _VERSION,
    }


def _dataset(query: NamedQuery) -> dict[str, Any]:
    over_time = query.columns[0].name == "bucket_at"
    return {
        "table_name": query.name,
        "main_dttm_col": "bucket_at" if over_time else None,
        "description": f"{query.question} ({query.summary})",
        "schema": "public",
        "sql": dataset_sql(query),
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "uuid": _uuid("dataset", query.name),
        "metrics": [{"metric_name": "count", "expression": "count(*)", "metric_type": "count"}],
        "columns": [
            {
                "column_name": c.name,
                "is_dttm": c.name == "bucket_at",
                "is_active": True,
                "type": _TYPES.get(c.type, "VARCHAR"),
                "groupby": True,
                "filterable": True,
                "description": c.help,
            }
            for c in query.columns
        ],
        "version": _VERSION,
        "database_uuid": _uuid("database", "ttsq"),
    }


def _chart(panel: Panel, query: NamedQuery) -> dict[str, Any]:
    own = {"all_columns": list(panel.columns)} if panel.kind == "table" else {}
    over_time = "bucket_at" in panel.columns
    time = {
        "clause": "WHERE",
        "subject": "bucket_at",
        "operator": "TEMPORAL_RANGE",
        "comparator": "No filter",
        "expressionType": "SIMPLE",
    }
    return {
        "slice_name": _title(query),
        "description": f"{query.name}: {query.summary}",
        "viz_type": panel.kind,
        "params": {
            "viz_type": panel.kind,
            "adhoc_filters": [time] if over_time else [],
            "color_scheme": "supersetColors",
            **panel.look,
            **own,
        },
        "query_context": None,
        "cache_timeout": None,
        "uuid": _uuid("chart", query.name),
        "version": _VERSION,
        "dataset_uuid": _uuid("dataset", query.name),
    }


def _title(query: NamedQuery) -> str:
    """What people ask, and what to say to ``ttsq run``."""
    return f"{query.question} ({query.name})"


def _position(queries: list[NamedQuery]) -> dict[str, Any]:
    """Two panels a row, in their order."""
    root: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": TITLE}},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
    }
    for at, query in enumerate(queries):
        row, chart = f"ROW-{at // 2}", f"CHART-{query.name}"
        if row not in root:
            root["GRID_ID"]["children"].append(row)
            root[row] = {
                "type": "ROW",
                "id": row,
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID"],
                "meta": {"background": "BACKGROUND_TRANSPARENT"},
            }
        root[row]["children"].append(chart)
        root[chart] = {
            "type": "CHART",
            "id": chart,
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID", row],
            "meta": {
                "chartId": at + 1,
                "uuid": _uuid("chart", query.name),
                "sliceName": _title(query),
                "width": _WIDTH,
                "height": _HEIGHT,
            },
        }
    return root


def _dashboard(queries: list[NamedQuery]) -> dict[str, Any]:
    time_range = {
        "id": "NATIVE_FILTER-time",
        "name": "Time range",
        "filterType": "filter_time",
        "type": "NATIVE_FILTER",
        "description": "since and until of every query",
        "targets": [{}],
        "controlValues": {},
        "cascadeParentIds": [],
        "defaultDataMask": {
            "extraFormData": {"time_range": _RANGE},
            "filterState": {"value": _RANGE},
            "ownState": {},
        },
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
    }
    return {
        "dashboard_title": TITLE,
        "description": "The questions that ttsq's named queries answer",
        "css": "",
        "slug": SLUG,
        "uuid": _uuid("dashboard", SLUG),
        "position": _position(queries),
        "metadata": {
            "native_filter_configuration": [time_range],
            "color_scheme": "supersetColors",
            "refresh_frequency": 60,
            "cross_filters_enabled": False,
            "filter_bar_orientation": "HORIZONTAL",
        },
        "published": True,
        "version": _VERSION,
    }


def bundle_files() -> dict[str, str]:
    """Paths in the bundle and their text, as the library is now."""
    queries = [panel.load() for panel in PANELS]
    found: dict[str, dict[str, Any]] = {
        "metadata.yaml": {"version": _VERSION, "type": "assets", "timestamp": _STAMP},
        "databases/ttsq.yaml": _database(),
        "dashboards/ttsq.yaml": _dashboard(queries),
    }
    for panel, query in zip(PANELS, queries, strict=True):
        found[f"datasets/ttsq/{query.name}.yaml"] = _dataset(query)
        found[f"charts/{query.name}.yaml"] = _chart(panel, query)
    return {path: _dumped(content) for path, content in sorted(found.items())}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Longer texts as blocks, so that a statement reads as one; nothing as a reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _dumped(content: dict[str, Any]) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def differences(folder: Path) -> list[str]:
    """Paths of the bundle in a folder that are missing, superfluous or out of date."""
    wanted = bundle_files()
    there = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return sorted(
        path
        for path in wanted.keys() | there.keys()
        if path not in there or there[path].read_text("utf-8") != wanted.get(path)
    )


def write(folder: Path) -> None:
    """Make the folder's files those of the library."""
    wanted = bundle_files()
    for path in differences(folder):
        target = folder / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], "utf-8")
        else:
            target.unlink()


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; the exit code."""
    if arguments == ["--check"]:
        wrong = differences(BUNDLE)
        for path in wrong:
            print(f"{BUNDLE / path}: not as the queries are; run {Path(__file__).name}")
        return 1 if wrong else 0
    if arguments:
        print(__doc__)
        return 2
    write(BUNDLE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
