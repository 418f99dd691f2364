"""Ask a running Superset for the data of every chart of the dashboard; exit code 1 when one has
none.

``python deploy/superset/check.py http://127.0.0.1:8088 secrets/superset_admin_password``; nothing
but the standard library.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

DASHBOARD = "ttsq"
CHARTS = 8
RANGE = "DATEADD(DATETIME('now'), -24, hour) : now"
_SECONDS = 60.0  # a panel slower than this is no use


def call(base: str, path: str, token: str | None, body: object = None) -> Any:
    """What the API answers.

    :raises urllib.error.HTTPError: when it refuses.
    """
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(base + path, data, headers), timeout=_SECONDS) as answer:
        return json.load(answer)


def login(base: str, password: str) -> str:
    """A token of the administrator."""
    body = {"username": "admin", "password": password, "provider": "db", "refresh": False}
    return str(call(base, "/api/v1/security/login", None, body)["access_token"])


def query_context(chart: dict[str, Any]) -> dict[str, Any]:
    """What the page would ask for, to draw a chart in the dashboard's time range."""
    form = chart["form_data"]
    dataset, kind = form["datasource"].split("__")
    axis = [form["x_axis"]] if "x_axis" in form else []
    query = {
        "columns": form.get("all_columns") or axis + form["groupby"],
        "metrics": form.get("metrics", []),
        "filters": [
            {"col": f["subject"], "op": f["operator"], "val": RANGE}
            for f in form["adhoc_filters"]
            if f["operator"] == "TEMPORAL_RANGE"
        ],
        "time_range": RANGE,
        "row_limit": form["row_limit"],
    }
    return {
        "datasource": {"id": int(dataset), "type": kind},
        "queries": [query],
        "force": True,
        "result_format": "json",
        "result_type": "full",
    }


def rows(base: str, token: str, chart: dict[str, Any]) -> int:
    """How many rows a chart gets.

    :raises RuntimeError: when the query, or what it gave, is not as it should be.
    """
    (result,) = call(base, "/api/v1/chart/data", token, query_context(chart))["result"]
    if result.get("error"):
        raise RuntimeError(str(result["error"]))
    if "Z' as timestamptz" not in result["query"]:
        raise RuntimeError("its query does not follow the dashboard's time range")
    return len(result["data"])


def main(arguments: list[str]) -> int:
    """Check them all; the exit code."""
    if len(arguments) != 2:
        print(__doc__)
        return 2
    base, password_file = arguments
    token = login(base.rstrip("/"), Path(password_file).read_text("utf-8").strip())
    charts = call(base, f"/api/v1/dashboard/{DASHBOARD}/charts", token)["result"]
    empty = 0
    for chart in charts:
        found = rows(base, token, chart)
        empty += not found
        print(f"{found:>6} rows  {chart['slice_name']}")
    print(f"{len(charts)} charts, {empty} without data")
    return 0 if len(charts) == CHARTS and not empty else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
