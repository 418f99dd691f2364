"""``ttsq status --metrics``: read by Prometheus' own parser; the figures are the store's; the file
is whole or the old one.
"""

import os
import re
import stat
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import promql_parser
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parsed

from ingest.tasks.metrics import Metric, render
from tests.support.command_line import ROOT, CommandLine, lines

Figures = dict[str, dict[tuple[tuple[str, str], ...], float]]


def figures(text: str) -> Figures:
    """Values by name and labels; each metric has help and a type, and the units are base units."""
    found: Figures = {}
    for family in parsed(text):
        counter = "ttsq_requests"  # the parser takes the suffix _total off
        kind = "counter" if family.name == counter else "gauge"
        has_quantiles = any("quantile" in s.labels for s in family.samples)
        allowed = {"summary"} if has_quantiles else {kind} if family.samples else {kind, "summary"}
        assert family.documentation and family.type in allowed, family
        assert family.name.startswith("ttsq_") and not family.name.endswith(("_ms", "_kb"))
        name = f"{counter}_total" if family.name == counter else family.name
        found[name] = {tuple(sorted(s.labels.items())): s.value for s in family.samples}
        assert len(found[name]) == len(family.samples), name
    return found


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path).with_tables()


def metrics(ttsq: CommandLine) -> Figures:
    assert ttsq.well("status", "--metrics", "ttsq.prom") == ""
    return figures((ttsq.folder / "ttsq.prom").read_bytes().decode())


def test_the_figures_are_those_of_the_store(ttsq: CommandLine) -> None:
    log = ttsq.folder / "app.log"
    log.write_text("2026-02-30 10:00:00,000 - app - INFO - no such day\n" + lines(0, 8))
    before = time.time()
    ttsq.well("ingest", "app.log", "--host", "h", "--service", "s")
    found = metrics(ttsq)
    place = (("file", "1"), ("host", "h"), ("path", str(log)), ("service", "s"))
    held = found["ttsq_held_back_bytes"][place]
    assert 0 < held < 200 and found["ttsq_lag_bytes"] == {place: 0}
    assert found["ttsq_log_files"][(("state", "live"),)] == 1
    assert sum(found["ttsq_log_files"].values()) == 1
    assert found["ttsq_lost_bytes"] == {(): 0}
    assert found["ttsq_quarantine_pieces"][(("reason", "bad_time"),)] == 1
    assert found["ttsq_quarantine_bytes"][(("reason", "bad_time"),)] == len(
        "2026-02-30 10:00:00,000 - app - INFO - no such day\n"
    )
    assert found["ttsq_quarantine_bytes"][(("reason", "too_long"),)] == 0
    for table in ("requests", "stage_timings", "errors", "cache_samples", "quarantine"):
        count = ttsq.well("sql", f"select count(*) from {table}", "--format", "csv").split()[1]
        assert found["ttsq_rows"][(("table", table),)] == int(count)
    assert before < found["ttsq_last_success_timestamp_seconds"][(("host", "h"),)] < time.time()
    assert 0 < found["ttsq_last_run_duration_seconds"][(("host", "h"),)] < 60
    assert found["ttsq_last_run_success"] == {(("host", "h"),): 1}
    assert found["ttsq_last_record_timestamp_seconds"][(("host", "h"), ("service", "s"))] > 1.7e9


def test_lag_is_what_was_not_read_and_goes_when_it_is(ttsq: CommandLine) -> None:
    log = ttsq.folder / "app.log"
    log.write_text(lines(0, 4))
    ttsq.well("ingest", "app.log")
    more = lines(10, 4)
    with log.open("a") as file:
        file.write(more)
    assert list(metrics(ttsq)["ttsq_lag_bytes"].values()) == [len(more)]
    ttsq.well("ingest", "app.log")
    assert list(metrics(ttsq)["ttsq_lag_bytes"].values()) == [0]
    log.write_text("")
    ttsq.well("ingest", "app.log")
    assert sum(metrics(ttsq)["ttsq_lost_bytes"].values()) > 0


def test_a_failed_run_is_told(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 4))
    ttsq.well("ingest", "app.log", "--host", "h")
    with duckdb.connect(str(ttsq.store)) as connection:
        connection.execute(
            "insert into ingest_runs select * replace (run_key + 1 as run_key, 'failed' as status, "
            "finished_at + interval 1 hour as finished_at) from ingest_runs"
        )
    found = metrics(ttsq)
    assert found["ttsq_last_run_success"] == {(("host", "h"),): 0}
    assert found["ttsq_last_success_timestamp_seconds"][(("host", "h"),)] < time.time()


def test_a_hostile_path_is_a_label_and_nothing_else(ttsq: CommandLine) -> None:
    name = 'a"} 1\n# TYPE evil counter\nevil 5 \\ \x1b[31m\r.log'
    (ttsq.folder / name).write_text(lines(0, 4))
    ttsq.well("ingest", name)
    found = metrics(ttsq)
    assert not [key for key in found if not key.startswith("ttsq_")]
    [labels] = found["ttsq_lag_bytes"]
    assert dict(labels)["path"] == str(ttsq.folder / name)


# a line feed is the only end of a line to Prometheus; its Python parser takes others, too, for
# space
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]) | st.just("\n"))


@given(st.dictionaries(_TEXT.map(lambda t: f"x{t}x"), st.floats(-1e15, 1e15), max_size=5))
def test_labels_and_values_survive(values: dict[str, float]) -> None:
    metric = Metric("ttsq_x", "a\\b\nc", [((("a", text),), v) for text, v in values.items()])
    [family] = parsed(render([metric]))
    assert family.documentation == "a\\b\nc"
    found = {s.labels["a"]: s.value for s in family.samples}
    assert found.keys() == values.keys()
    assert all(abs(found[k] - v) < 1e-6 for k, v in values.items())


def test_the_file_is_replaced_whole_and_readable_to_all(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 4))
    ttsq.well("ingest", "app.log")
    old = ttsq.folder / "ttsq.prom"
    old.write_text("old\n")
    with old.open() as reader:
        metrics(ttsq)
        assert reader.read() == "old\n"
    assert stat.S_IMODE(old.stat().st_mode) == 0o644
    assert sorted(p.name for p in ttsq.folder.glob("*.prom*")) == ["ttsq.prom"]
    assert sorted(p.name for p in ttsq.folder.glob(".*")) == []
    assert figures(ttsq.well("status", "--metrics", "-")).keys() == metrics(ttsq).keys()


def test_what_cannot_be_written_is_an_error_and_leaves_nothing(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 4))
    ttsq.store.unlink()
    assert ttsq("status", "--metrics", "x.prom").code == 4  # no store
    ttsq.well("ingest", "app.log")
    (ttsq.folder / "folder.prom").mkdir()
    for target in ("absent/ttsq.prom", "folder.prom"):
        ended = ttsq("status", "--metrics", target)
        assert ended.code == 2 and "cannot be written" in ended.err
    assert ttsq("status", "--metrics", "x", "--json").code == 2
    left = {p.name for p in ttsq.folder.iterdir()} - {os.path.basename(ttsq.store), "app.log"}
    assert left == {"folder.prom", "store.duckdb.lock"}


def test_the_page_and_the_alerting_rules_know_the_figures(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 4))
    ttsq.well("ingest", "app.log")
    found = metrics(ttsq)
    page = (ROOT / "docs/timers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`ttsq_[^|]+) \| ([^|]*) \|", page, re.M)
    described = {name: labels for names, labels in rows for name in re.findall(r"`(\w+)`", names)}
    assert described.keys() == found.keys()
    for name, samples in found.items():
        if samples:  # a log of another day has nothing of the last minutes
            assert described[name] == ", ".join(_order(name, samples)), name
    rules = yaml.safe_load((ROOT / "deploy/prometheus/ttsq.rules.yml").read_text("utf-8"))
    used = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert set(re.findall(r"ttsq_\w+", " ".join(used))) <= set(found)
    for expression in used:
        promql_parser.parse(expression)  # with Prometheus' grammar
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m")) and rule["annotations"]["summary"]


def test_the_last_minutes_of_the_service(ttsq: CommandLine) -> None:
    written = datetime.now() - timedelta(minutes=2)

    def at(seconds: float) -> str:
        return (written + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]

    log = []
    for number in range(20):
        name, end = f"ts_{number:08x}", "failed, error_code=E" if number < 5 else "success"
        log.append(f"{at(number)} - app - INFO - synthesis_start: id={name}, text=hi")
        log.append(f"{at(number)} - app - INFO - stage_time: stage=llm, id={name}, duration_ms=90")
        if number < 18:
            log.append(
                f"{at(number + 1)} - app - INFO - synthesis_complete: id={name}, status={end}, "
                "duration_ms=500"
            )
    log.append(f"{at(30)} - app - INFO - cache_health: path=/c, used=9MB, total=10MB, usage=90.0%")
    (ttsq.folder / "app.log").write_text("\n".join(log) + "\n")
    ttsq.well("ingest", "app.log", "--final", "--host", "h")
    found = metrics(ttsq)
    assert found["ttsq_requests_total"][(("status", "failed"),)] == 5
    for window in ("5m", "60m"):
        label = ("window", window)
        assert found["ttsq_recent_requests"][(("status", "success"), label)] == 13
        assert found["ttsq_failure_ratio"][(label,)] == pytest.approx(5 / 18, abs=1e-6)
        assert found["ttsq_unfinished_requests"][(label,)] == 2
        p95 = ("quantile", "0.95")
        assert found["ttsq_request_duration_seconds"][(p95, label)] == 0.5
        assert found["ttsq_stage_duration_seconds"][(p95, ("stage", "llm"), label)] == 0.09
    assert found["ttsq_cache_used_ratio"] == {(("host", "h"), ("path", "/c")): 0.9}


def _order(name: str, samples: dict[tuple[tuple[str, str], ...], float]) -> list[str]:
    order = ["version", "store", "revision", "file", "host", "service", "path", "state", "reason", "table", "window", "status", "stage", "quantile"]  # fmt: skip  # noqa: E501
    labels = {label for key in samples for label, _ in key}
    assert samples and labels <= set(order), name
    return sorted(labels, key=order.index)
