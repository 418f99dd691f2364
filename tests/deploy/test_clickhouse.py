"""The example of a replicated ClickHouse cluster: its files are read, and fit each other."""

import os
import re
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree as ET

import pytest

from tests.support import clickhouse_server

FOLDER = Path(__file__).parents[2] / "deploy" / "clickhouse"
PAGE = (FOLDER / "README.md").read_text()


def _file(name: str) -> ET.Element:
    return ET.parse(FOLDER / name).getroot()


def _texts(found: list[ET.Element]) -> list[str]:
    return [str(e.text) for e in found]


def test_the_page_names_every_file_and_says_what_was_not_run() -> None:
    assert set(re.findall(r"`(\w+\.xml)`", PAGE)) == {p.name for p in FOLDER.glob("*.xml")}
    assert "has not been run" in PAGE


@pytest.mark.parametrize("name", sorted(p.name for p in FOLDER.glob("*.xml")))
def test_no_file_has_a_password_in_it(name: str) -> None:
    words = [e for e in _file(name).iter() if re.search("password|secret", e.tag)]
    assert all("from_env" in e.attrib and not e.text for e in words)


def test_the_servers_know_every_keeper_and_the_keepers_each_other() -> None:
    keepers = _texts(_file("keeper.xml").findall(".//raft_configuration/server/hostname"))
    assert _texts(_file("cluster.xml").findall("zookeeper/node/host")) == keepers
    assert len(keepers) % 2 == 1, "most of them must agree"
    ports = set(_texts(_file("cluster.xml").findall("zookeeper/node/port")))
    assert ports == {_file("keeper.xml").findtext("keeper_server/tcp_port")}


def test_the_server_reads_the_cluster() -> None:
    """One shard after the other, each with its own servers, the first of which ingests."""
    section = ET.tostring(_file("cluster.xml").find("remote_servers"), "unicode")  # type: ignore[arg-type]
    with patch.dict(os.environ, {"CLUSTER_SECRET": "word"}):
        server = clickhouse_server.make_server(section)
    try:
        rows = server.ask(
            "select shard_num, replica_num, host_name, internal_replication "
            "from system.clusters where cluster = 'tts' order by 1, 2 format CSV"
        ).split()
        settings = [e.tag for e in _file("users.xml").findall("profiles/ttsq/*")]
        listed = ", ".join(f"'{s}'" for s in settings)
        known = server.ask(f"select count() from system.settings where name in ({listed})")
    finally:
        server.remove()
    assert rows == [
        '1,1,"ch-1a.example.org",1', '1,2,"ch-1b.example.org",1',
        '2,1,"ch-2a.example.org",1', '2,2,"ch-2b.example.org",1',
    ]  # fmt: skip
    assert int(known) == len(settings)
