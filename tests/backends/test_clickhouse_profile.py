"""Whatever the profile of its user says, ttsq stores the same rows on ClickHouse, or is told."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.errors import StoreError
from ingest.stores import migrate
from ingest.stores.clickhouse.store import ClickHouseStore
from tests.backends.test_clickhouse import Growing
from tests.support import clickhouse_server, harness

_USERS = """<clickhouse><profiles>{profiles}</profiles><users>{users}</users>
<quotas><default/></quotas></clickhouse>"""
_USER = """<{name}><password></password><networks><ip>::/0</ip></networks>
<profile>{name}</profile><quota>default</quota></{name}>"""
# the server answers all of this without a word, and otherwise than is asked
_OTHERWISE = {
    "asterisk_include_virtual_columns": "1",
    "compatibility": "23.3",
    "data_type_default_nullable": "1",
    "empty_result_for_aggregation_by_empty_set": "1",
    "join_default_strictness": "ANY",
    "query_cache_nondeterministic_function_handling": "ignore",
    "query_cache_system_table_handling": "ignore",
    "transform_null_in": "1",
    "use_query_cache": "1",
}
_PARTIAL = {
    "rows of a result": {"max_result_rows": "3", "result_overflow_mode": "break"},
    "rows that are read": {"max_rows_to_read": "10", "read_overflow_mode": "break"},
    "rows of a set": {"max_rows_in_set": "2", "set_overflow_mode": "break"},
    "rows of a join": {"max_rows_in_join": "1", "join_overflow_mode": "break"},
}
Opened = Callable[..., ClickHouseStore]


def _name(number: int) -> str:
    return f"bound{number}"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A store of a server, as the user sees it who is named like a profile; and settings."""
    profiles: dict[str, dict[str, str]] = {"default": {}, "otherwise": _OTHERWISE}
    profiles |= {_name(n): p for n, p in enumerate(_PARTIAL.values())}
    said = {
        name: "".join(f"<{s}>{v}</{s}>" for s, v in profile.items())
        for name, profile in profiles.items()
    }
    users = tmp_path_factory.mktemp("users") / "users.xml"
    users.write_text(
        _USERS.format(
            profiles="".join(f"<{name}>{p}</{name}>" for name, p in said.items()),
            users="".join(_USER.format(name=name) for name in said),
        )
    )
    server = clickhouse_server.make_server(f"<users_config>{users}</users_config>")
    yield lambda store, user, more="": ClickHouseStore(server.url(store, user) + more)
    server.remove()


def _stored(store: ClickHouseStore, folder: Path) -> tuple[harness.Tables, harness.Tables]:
    """What a store and another engine have of two logs that grow."""
    logs, other = Growing(folder), harness.new_store(folder)
    for _ in range(2):
        logs.grow()
        for one in (store, other):
            logs.run(one)
    return harness.dump(store, logs.paths), harness.dump(other, logs.paths)


def test_settings_that_change_answers_change_no_rows(opened: Opened, tmp_path: Path) -> None:
    store = opened("otherwise", "otherwise")
    migrate.ensure_head(store)
    found, expected = _stored(store, tmp_path)
    assert found == expected


def test_no_setting_of_the_url_changes_rows(opened: Opened, tmp_path: Path) -> None:
    said = "&".join(
        f"{name}={value}"
        for name, value in {**_OTHERWISE, "limit": "1", "additional_result_filter": "0"}.items()
    )
    store = opened("url", "default", f"?{said}")
    migrate.ensure_head(store)
    found, expected = _stored(store, tmp_path)
    assert found == expected


@pytest.mark.parametrize("number", range(len(_PARTIAL)), ids=[*_PARTIAL])
def test_a_bound_that_is_reached_is_told_and_no_part_of_an_answer_taken(
    opened: Opened, tmp_path: Path, number: int
) -> None:
    whole = opened(_name(number), "default")
    migrate.ensure_head(whole)
    logs = Growing(tmp_path)
    logs.grow()
    logs.run(whole)
    logs.grow()
    bounded, other = opened(_name(number), _name(number)), harness.new_store(tmp_path)
    with pytest.raises(StoreError, match=r"[Ll]imit|exceeded"):
        logs.run(bounded)
    logs.run(whole)
    logs.run(other)
    assert harness.dump(whole, logs.paths) == harness.dump(other, logs.paths)
