"""ttsq.toml, the environment, ``ttsq config show``, and ``ttsq ingest`` over the sources of the
settings.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cli.settings.file import PRUNE_KEYS, SCALAR_KEYS, SOURCE_KEYS
from ingest.cli.settings.lines import key_lines
from ingest.cli.settings.load import Settings, load, store_url, variable
from ingest.errors import SettingsError
from ingest.stores.urls import with_password, without_password
from tests.support import fork_server
from tests.support.command_line import ROOT, CommandLine, lines

PAGE = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
TOML = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
TEXT = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "ttsq.toml"
    path.write_text(text, encoding="utf-8")
    return path


def show(ttsq: CommandLine, *front: str, **environment: str) -> dict[str, dict[str, Any]]:
    given = {k: v for k, v in ttsq.environment.items() if k != "TTSQ_DB"} | environment
    words = [*front, "config", "show", "--json"]
    code, out, err = fork_server.run(words, ttsq.folder, given, 60)
    assert code == 0, err
    return {entry["key"]: entry for entry in json.loads(out)}


# --- the page ---


def test_the_example_of_the_page_has_every_key_and_parses(tmp_path: Path) -> None:
    values = tomllib.loads(TOML[0])
    assert set(values) == {*SCALAR_KEYS, "prune", "sources"}
    assert set(values["prune"]) == {*PRUNE_KEYS, "tables"}
    assert set(values["sources"][1]) == set(SOURCE_KEYS)
    found = load(settings_file(tmp_path, TOML[0]), {}).settings
    first, second = found.sources
    assert (first.paths, first.host, first.tz) == (("/var/log/tts/",), "tts-1", "Asia/Shanghai")
    assert (second.host, second.escapes, second.stage_time) == ("tts-2", "none", "own")
    assert found.prune.tables == {"cache_samples": "30d"} and found.publish == "true"


def test_the_page_has_every_variable() -> None:
    named = dict(re.findall(r"^\| `(TTSQ_\w+)` \| `([\w.]+)` \|$", PAGE, re.M))
    keys = (*SCALAR_KEYS, *(f"prune.{k}" for k in PRUNE_KEYS))
    assert named == {variable(key): key for key in keys}


def test_config_show_prints_what_the_page_shows(ttsq: CommandLine) -> None:
    settings_file(ttsq.folder, TOML[1])
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "config", "show"],
        cwd=ttsq.folder,
        env={k: v for k, v in ttsq.environment.items() if k != "TTSQ_DB"}
        | {"TTSQ_SERVICE": "tts-batch"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (TEXT[0].split("\n", 1)[1], "")


def test_the_error_of_the_page_is_printed(ttsq: CommandLine) -> None:
    settings_file(ttsq.folder, '[[sources]]\npaths = ["x"]\nhots = "tts-1"\n')
    ended = ttsq("status")
    assert (ended.code, ended.err) == (2, TEXT[1])


# --- what goes over what ---


@pytest.mark.parametrize("key", [*SCALAR_KEYS, *(f"prune.{k}" for k in PRUNE_KEYS)])
def test_every_value_comes_from_its_variable(tmp_path: Path, key: str) -> None:
    value = {"escapes": "none", "stage_time": "own", "text": "drop"}.get(key, "given")
    table, _, name = key.rpartition(".")
    head = f"[{table}]\n" if table else ""
    file = settings_file(tmp_path, f'# here\n{head}{name} = "{value}"\n')
    of_file, of_variable = load(file, {}), load(None, {variable(key): value, "HOME": "/nowhere"})
    assert of_file.settings == of_variable.settings != Settings()
    assert str(of_file.entries[key].place) == f"{file}:{3 if table else 2}"
    assert str(of_variable.entries[key].place) == f"environment {variable(key)}"


def test_options_go_over_variables_over_the_file_over_defaults(ttsq: CommandLine) -> None:
    settings_file(ttsq.folder, 'db = "duckdb:///file"\nhost = "file"\nservice = "file"\n')
    found = show(ttsq, "--db", "duckdb:///option", TTSQ_DB="duckdb:///variable", TTSQ_HOST="var")
    told = {k: (e["value"], e["from"], e["place"], e["line"]) for k, e in found.items()}
    assert told["db"] == ("duckdb:///option", "option", "--db", None)
    assert told["host"] == ("var", "environment", "TTSQ_HOST", None)
    assert told["service"] == ("file", "file", "ttsq.toml", 3)
    assert told["tz"] == ("UTC", "default", None, None)
    assert all(
        set(e) == {"key", "value", "from", "place", "line", "variable"} for e in found.values()
    )
    assert found["prune.older_than"]["variable"] == "TTSQ_PRUNE_OLDER_THAN"


def test_the_file_is_the_one_named(ttsq: CommandLine) -> None:
    settings_file(ttsq.folder, 'host = "here"\n')
    (ttsq.folder / "other.toml").write_text('host = "other"\n')
    assert show(ttsq)["host"]["value"] == "here"
    assert show(ttsq, TTSQ_CONFIG="other.toml")["host"]["value"] == "other"
    assert show(ttsq, "--config", "ttsq.toml", TTSQ_CONFIG="other.toml")["host"]["value"] == "here"
    ended = ttsq("--config", "none.toml", "config", "show")
    assert ended.code == 2 and "--config or TTSQ_CONFIG" in ended.err


def test_sources_take_what_they_leave_out_from_the_top(tmp_path: Path) -> None:
    text = (
        'host = "a"\ntz = "Asia/Shanghai"\n[[sources]]\npaths = "x"\n[[sources]]\npaths = '
        '["y"]\nhost = "b"\n'
    )
    file = settings_file(tmp_path, text)
    assert [(s.paths, s.host, s.tz) for s in load(file, {}).settings.sources] == [
        (("x",), "a", "Asia/Shanghai"),
        (("y",), "b", "Asia/Shanghai"),
    ]
    over = load(file, {"TTSQ_HOST": "v"}).settings
    assert [s.host for s in over.sources] == ["v", "v"]


def test_what_all_sources_say_alike_holds_at_the_top(tmp_path: Path) -> None:
    source = (
        '[[sources]]\npaths = ["x"]\nhost = "h"\ntz = "Asia/Shanghai"\nlog_format = "%(message)s '
        '{}"\n'
    )
    alike = load(settings_file(tmp_path, source * 2), {}).settings
    assert (alike.log_format, alike.tz, alike.host) == ("%(message)s {}", "Asia/Shanghai", "")
    other = load(settings_file(tmp_path, source + source.replace("Shanghai", "Tokyo")), {}).settings
    assert (other.log_format, other.tz) == ("%(message)s {}", None)
    top = load(settings_file(tmp_path, 'tz = "UTC"\n' + source), {}).settings
    assert (top.tz, top.sources[0].tz) == ("UTC", "Asia/Shanghai")


# --- what is wrong with it ---


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ('\nservise = "x"', "ttsq.toml:2 has an unknown key 'servise'", "'service'"),
        ('[prune]\nolder_then = "x"', ":2 has an unknown key 'prune.older_then'", "'older_than'"),
        ("[source]", ":1 has an unknown key 'source'", "'sources'"),
        ("qqq = 1", "unknown key 'qqq'", "known keys: db, "),
        ('a="""\nhost = 1\n"""\n', ":1 has an unknown key 'a'", "known keys"),
        ('x = "y"\nhost = 5\n', ":1 has an unknown key 'x'", "known keys"),
        ("host = 5", ":1 has host = 5, not a text", 'host = "..."'),
        ("prune = 5", ":1 has prune = 5, not a table", "[prune]"),
        ("sources = 5", ":1 has sources = 5, no list", "[[sources]]"),
        ("sources = [5]", ":1 has sources[0] = 5, not a table", "[sources[0]]"),
        ("[[sources]]\nhost = 'x'", ":1 names no paths in sources[0]", 'paths = ["/var'),
        ("[[sources]]\npaths = []", ":2 has sources[0].paths = []", 'paths = ["/var'),
        ("[[sources]]\npaths = [1]", ":2 has sources[0].paths = [1]", 'paths = ["/var'),
        ('[[sources]]\npaths="x"\nescapes = "no"', "ttsq.toml:3", "'none'"),
        ('db = ["postgresql://u:hidden@h/d"]', ":1 has db = ['postgresql://u:***@h/d']", "db ="),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, told: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(settings_file(tmp_path, text), {})
    assert told in caught.value.message
    assert hint in str(caught.value.hint)


def test_a_choice_there_is_not_is_told_of_its_variable() -> None:
    with pytest.raises(SettingsError, match=r"none of keep, hash, drop \(environment TTSQ_TEXT\)"):
        load(None, {"TTSQ_TEXT": "kep"})


_WORDS = st.text("ab-_9", min_size=1, max_size=4)


@given(st.dictionaries(_WORDS, st.dictionaries(_WORDS, st.integers(), max_size=4), max_size=4))
def test_every_key_is_found_on_its_line(tables: dict[str, dict[str, int]]) -> None:
    written, expected = ["# first", 's = """', "[not] = 1", '"""'], {"s": 2}
    for table, values in tables.items():
        written.append(f" [[ {table} ]] # x")
        expected[f"{table}[0]"] = len(written)
        for key, value in values.items():
            written.append(f'  "{key}" = {value}')
            expected[f"{table}[0].{key}"] = len(written)
    assert key_lines("\n".join(written)) == expected
    tomllib.loads("\n".join(written))


# --- passwords ---


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@ss/w@h:5/d", "postgresql://u:***@h:5/d"),
        ("postgresql://u:p\nq@h/d", "postgresql://u:***@h/d"),
        ("postgresql://:p@h/d", "postgresql://:***@h/d"),
        ("postgresql://u@h/d?x=1&password=p&y=2", "postgresql://u@h/d?x=1&password=***&y=2"),
        ("postgresql://u@h/d?sslPassword=p", "postgresql://u@h/d?sslPassword=***"),
        ("duckdb:////var/lib/a.duckdb", "duckdb:////var/lib/a.duckdb"),
    ],
)
def test_passwords_in_urls_are_not_shown(ttsq: CommandLine, url: str, shown: str) -> None:
    assert without_password(url) == shown
    assert show(ttsq, TTSQ_DB=url)["db"]["value"] == shown


def test_the_password_of_a_file_goes_into_the_url(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("p@s/s w:?#\r\nsecond line\n")
    url = store_url("postgresql+psycopg://u@h:5432/d?x=1", str(secret))
    assert url == "postgresql+psycopg://u:p%40s%2Fs%20w%3A%3F%23@h:5432/d?x=1"
    assert store_url("duckdb:///x", "/nowhere") == "duckdb:///x"
    for wrong in ("postgresql://h/d", "postgresql://u:p@h/d"):
        with pytest.raises(SettingsError, match="names no user, or has a password already"):
            store_url(wrong, str(secret))
    with pytest.raises(SettingsError, match="cannot be read"):
        store_url("postgresql://u@h/d", "/nowhere")


def test_the_cluster_goes_into_the_url_of_a_store_that_can_have_one() -> None:
    assert store_url("clickhousedb://h/d", "", "two") == "clickhousedb://h/d?cluster=two"
    assert store_url("clickhousedb://h/d?x=1", "", "two") == "clickhousedb://h/d?x=1&cluster=two"
    assert store_url("clickhousedb://h/d?cluster=one", "", "two").endswith("?cluster=one")
    both = "clickhousedb://h/d?cluster=two&retention=9d"
    assert store_url("clickhousedb://h/d", "", "two", "9d") == both


def test_a_store_that_keeps_rows_until_they_are_pruned_refuses_a_retention() -> None:
    with pytest.raises(SettingsError, match="retention is a setting of stores on ClickHouse"):
        store_url("duckdb:///x.duckdb", "", "", "9d")
    assert store_url("duckdb:///x", "", "two") == "duckdb:///x"


@given(st.text(max_size=8), st.text("abc", min_size=1, max_size=3))
def test_sqlalchemy_reads_the_password_that_was_put_in(password: str, user: str) -> None:
    from sqlalchemy import make_url

    url = with_password(f"postgresql+psycopg://{user}@host/db", password)
    assert url is not None
    read = make_url(url)
    assert (read.username, read.password or "", read.host) == (user, password, "host")
    assert without_password(url) == f"postgresql+psycopg://{user}:***@host/db"


# --- sources ---

_BRACKETS = "[{level}] {time} {message}\n"


def two_sources(ttsq: CommandLine, extra: str = "") -> None:
    (ttsq.folder / "one").mkdir()
    (ttsq.folder / "one/app.log").write_text(lines(0, 6))
    (ttsq.folder / "two.log").write_text(
        "2026-03-02 10:00:00,000 [INFO] synthesis_start: id=ts_b, text_len=3\n" * 2
    )
    settings_file(
        ttsq.folder,
        '[[sources]]\npaths = ["one/"]\nhost = "h1"\n'
        '[[sources]]\npaths = ["two.log"]\nhost = "h2"\nservice = "s2"\ntz = "Asia/Shanghai"\n'
        f'log_format = "%(asctime)s [%(levelname)s] %(message)s"\n{extra}',
    )


def test_ingest_reads_the_sources_each_in_its_way(ttsq: CommandLine) -> None:
    two_sources(ttsq)
    report = json.loads(ttsq.well("ingest", "--final", "--json"))
    assert [f["path"] for f in report["files"]] == [
        str(ttsq.folder / p) for p in ("one/app.log", "two.log")
    ]
    assert report["records"] == sum(f["records"] for f in report["files"])
    assert report["bytes"] == sum(f["bytes"] for f in report["files"])
    counted = ttsq.well("sql", "select host, service, count(*) from requests group by all order by 1", "--format", "csv")  # fmt: skip  # noqa: E501
    assert [line.split(",")[:2] for line in counted.split()[1:]] == [["h1", "tts"], ["h2", "s2"]]
    at = ttsq.well("sql", "select epoch(min(logged_at)) from requests where host = 'h2'", "--format", "csv")  # fmt: skip  # noqa: E501
    assert float(at.split()[1]) == 1772416800  # 10:00 in Shanghai
    assert json.loads(ttsq.well("ingest", "--json"))["records"] == 0
    assert report["rows"]["requests"] > 1


def test_options_go_over_what_sources_say(ttsq: CommandLine) -> None:
    two_sources(ttsq)
    ttsq.well("ingest", "--final", "--host", "all")
    hosts = ttsq.well("sql", "select distinct host from log_files", "--format", "csv")
    assert hosts.split() == ["host", "all"]


def test_a_source_that_is_not_there_does_not_stop_the_others(ttsq: CommandLine) -> None:
    two_sources(ttsq, '[[sources]]\npaths = ["absent.log"]\n')
    ended = ttsq("ingest")
    assert ended.code == 3 and "absent.log does not exist" in ended.err
    assert "two.log" in ended.out and "one/app.log" in ended.out


def test_sources_none_of_which_is_there_are_all_named(ttsq: CommandLine) -> None:
    settings_file(ttsq.folder, '[[sources]]\npaths = ["a.log"]\n[[sources]]\npaths = ["b.log"]\n')
    ended = ttsq("ingest")
    assert ended.code == 3 and "a.log does not exist" in ended.err and "b.log does" in ended.err


def test_a_wrong_source_is_told_before_anything_is_read(ttsq: CommandLine) -> None:
    two_sources(ttsq, '[[sources]]\npaths = ["one/"]\ntz = "Asia/Shangai"\n')
    ended = ttsq("ingest")
    assert ended.code == 2 and "Asia/Shangai" in ended.err
    assert not ttsq.store.exists()


def test_no_path_and_no_source_is_a_usage_error(ttsq: CommandLine) -> None:
    ended = ttsq("ingest")
    assert ended.code == 2 and "no log files are named" in ended.err and "[[sources]]" in ended.err


def test_one_source_says_how_records_look_to_the_other_commands(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(
        "2026-03-02 10:00:00,000 [INFO] synthesis_start: id=ts_b, text_len=3\n"
    )
    settings_file(
        ttsq.folder,
        '[[sources]]\npaths = ["app.log"]\nlog_format = "%(asctime)s [%(levelname)s] '
        '%(message)s"\n',
    )
    ttsq.well("ingest", "--final")
    assert ttsq("verify").code == 0
    assert "synthesis_start" in ttsq.well("trace", "ts_b")


def test_settings_in_a_folder_that_may_not_be_looked_into_are_none(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    unreadable = {"XDG_CONFIG_HOME": str(closed), "HOME": str(tmp_path)}
    program = (
        "import os; from ingest.cli.settings.load import load\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        f"print(load(None, {unreadable!r}).file)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_an_editor_s_byte_order_mark_is_no_part_of_the_settings(tmp_path: Path) -> None:
    path = settings_file(tmp_path, '\ufeffhost = "h1"\n')
    assert load(path, {}).settings.host == "h1"
    password = tmp_path / "password"
    password.write_text("\ufeffsecret\n", encoding="utf-8")
    assert store_url("postgresql://u@h/x", str(password)) == "postgresql://u:secret@h/x"
