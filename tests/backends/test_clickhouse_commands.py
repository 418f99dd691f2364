"""Every command says on ClickHouse, on one server and on two shards, what it says on DuckDB."""

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
    r"\S*store\.duckdb|'?clickhousedb://[\w.:]+/\w+(?:\?cluster=two')?"
    r"|\((?:duckdb|clickhouse), schema \w+\)"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?|\d+(?:\.\d+)? ?s\b|\d+ s ago"
    r"|store=\"\w+\"|.*(?:_seconds|store_bytes).*"
    r"|[\d,]+ bytes before, [\d,]+ now|about [\d,]+ bytes|held by: nobody\n"
)


@dataclass(frozen=True)
class Alike:
    """A folder with logs, and stores with their rows: the first one is DuckDB's."""

    ttsq: CommandLine
    stores: tuple[str, ...]
    request: str

    def __call__(self, *words: str) -> list[Ended]:
        return [self.ttsq("--db", store, *words) for store in self.stores]


def _plain(text: str) -> list[str]:
    return re.sub(r" +", " ", _OWN.sub("X", text)).splitlines()


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alike]:
    folder = tmp_path_factory.mktemp("commands")
    write_demo(folder / "logs", now=_NOW, requests=60, tz="UTC")
    (folder / "logs" / "app.log").open("a").write("nonsense before it ends\n")
    ttsq = CommandLine(folder)
    server, shard = clickhouse_server.server(), clickhouse_server.two_shards()[0]
    stores = (
        f"duckdb:///{ttsq.store}",
        server.url(server.new_database()),
        f"{shard.url(shard.new_database())}?cluster=two",
    )
    made = Alike(ttsq, stores, "")
    one, *others = made("ingest", "--host", "h", "--tz", "UTC", "--final", "logs/")
    for two in others:
        assert (one.code, one.err, _plain(one.out)) == (two.code, two.err, _plain(two.out))
    with duckdb.connect(ttsq.store, read_only=True) as connection:
        sql = "select id from requests where status = 'failed' order by logged_at desc limit 1"
        (name,) = connection.execute(sql).fetchone() or ("",)
    yield Alike(ttsq, stores, str(name))


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
def test_a_command_says_the_same(command: str, alike: Alike) -> None:
    words = [w.strip("'") for w in re.findall(r"'[^']*'|\S+", command.replace("ID", alike.request))]
    one, *others = alike(*words)
    for two in others:
        assert (two.code, _plain(two.err)) == (one.code, _plain(one.err))
        assert _plain(two.out) == _plain(one.out)


def test_a_report_has_the_same_findings(alike: Alike) -> None:
    pages = []
    for number, store in enumerate(alike.stores):
        done = alike.ttsq("--db", store, "report", "--as-of", "data", "-o", f"r{number}.html")
        assert done.code == 0, done.err
        pages.append((alike.ttsq.folder / f"r{number}.html").read_text())
    titles = [re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page) for page in pages]
    assert titles[0] == titles[1] == titles[2]
    assert len(titles[0]) > 3


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_no_text_is_stored_where_none_is_to_be(policy: str, alike: Alike) -> None:
    server = clickhouse_server.server()
    name = server.new_database()
    words = ("ingest", "--host", "h", "--tz", "UTC", "--text", policy, "--final", "logs/")
    assert alike.ttsq("--db", server.url(name), *words).code in (0, 1)
    told = server.ask(
        "select countIf(text is not null and not match(text, '^[0-9a-f]{16,}$')), "
        "countIf(text is not null) > 0 from requests_rows",
        name,
    ).split()
    assert told == ["0", "1" if policy == "hash" else "0"]
    found = "select countIf(message is not null), countIf(traceback is not null) from errors_rows"
    assert server.ask(found, name).split() == ["0", "0"]


def test_publish_is_refused_with_a_reason(alike: Alike) -> None:
    done = alike.ttsq("--db", alike.stores[1], "publish")
    assert done.code == 2
    assert "readers connect to the server itself" in done.err and "Traceback" not in done.err
