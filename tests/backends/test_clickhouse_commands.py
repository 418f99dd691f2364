"""Every command says on a ClickHouse store what it says on DuckDB."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pytest

from ingest.tasks.demo import write_demo
from tests.support import clickhouse_server
from tests.support.command_line import CommandLine, Ended

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
# of a run, and of a store: they differ between any two
_OWN = re.compile(
    r"\S*store\.duckdb|clickhousedb://[\w.:]+/\w+|\((?:duckdb|clickhouse), schema \w+\)"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?|\d+(?:\.\d+)? ?s\b|\d+ s ago"
    r"|store=\"\w+\"|.*(?:_seconds|store_bytes).*"
    r"|[\d,]+ bytes before, [\d,]+ now|about [\d,]+ bytes|held by: nobody\n"
)


@dataclass(frozen=True)
class Both:
    """A folder with logs, and a store of each kind with their rows."""

    ttsq: CommandLine
    stores: tuple[str, str]
    request: str

    def __call__(self, *words: str) -> tuple[Ended, Ended]:
        one, two = (self.ttsq("--db", store, *words) for store in self.stores)
        return one, two


def _plain(text: str) -> list[str]:
    return re.sub(r" +", " ", _OWN.sub("X", text)).splitlines()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("commands")
    write_demo(folder / "logs", now=_NOW, requests=60, tz="UTC")
    (folder / "logs" / "app.log").open("a").write("nonsense before it ends\n")
    ttsq = CommandLine(folder)
    server = clickhouse_server.server()
    stores = (f"duckdb:///{ttsq.store}", server.url(server.new_database()))
    made = Both(ttsq, stores, "")
    one, two = made("ingest", "--host", "h", "--tz", "UTC", "--final", "logs/")
    assert (one.code, one.err, _plain(one.out)) == (two.code, two.err, _plain(two.out))
    with duckdb.connect(ttsq.store, read_only=True) as connection:
        sql = "select id from requests where status = 'failed' order by logged_at desc limit 1"
        (name,) = connection.execute(sql).fetchone() or ("",)
    yield Both(ttsq, stores, str(name))


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "triage --as-of data",
        "triage --as-of data --json",
        "trace ID",
        "trace ID --around 10m --json",
        "trace --line app.log:100",
        "top --once --as-of data",
        "verify --tz UTC logs/",
        "replay --dry-run",
        "reread --dry-run --tz Asia/Tokyo logs/app.log",
        "queries --check",
        "run failure_by_length --as-of data --since 24h",
        "run degradations --as-of data",
        "sql 'select count(*) as n from requests'",
        "db check",
        "db current",
        "prune --older-than 1h --dry-run",
        "prune --text-older-than 0d --dry-run",
        "status --metrics -",
    ],
)
def test_a_command_says_the_same(command: str, both: Both) -> None:
    words = [w.strip("'") for w in re.findall(r"'[^']*'|\S+", command.replace("ID", both.request))]
    one, two = both(*words)
    assert (two.code, _plain(two.err)) == (one.code, _plain(one.err))
    assert _plain(two.out) == _plain(one.out)


def test_a_report_has_the_same_findings(both: Both) -> None:
    pages = []
    for number, store in enumerate(both.stores):
        done = both.ttsq("--db", store, "report", "--as-of", "data", "-o", f"r{number}.html")
        assert done.code == 0, done.err
        pages.append((both.ttsq.folder / f"r{number}.html").read_text())
    titles = [re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page) for page in pages]
    assert titles[0] == titles[1]
    assert len(titles[0]) > 3


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_no_text_is_stored_where_none_is_to_be(policy: str, both: Both) -> None:
    server = clickhouse_server.server()
    name = server.new_database()
    words = ("ingest", "--host", "h", "--tz", "UTC", "--text", policy, "--final", "logs/")
    assert both.ttsq("--db", server.url(name), *words).code in (0, 1)
    told = server.ask(
        "select countIf(text is not null and not match(text, '^[0-9a-f]{16,}$')), "
        "countIf(text is not null) > 0 from requests_rows",
        name,
    ).split()
    assert told == ["0", "1" if policy == "hash" else "0"]
    found = "select countIf(message is not null), countIf(traceback is not null) from errors_rows"
    assert server.ask(found, name).split() == ["0", "0"]


def test_publish_is_refused_with_a_reason(both: Both) -> None:
    done = both.ttsq("--db", both.stores[1], "publish")
    assert done.code == 2
    assert "readers connect to ClickHouse itself" in done.err and "Traceback" not in done.err
