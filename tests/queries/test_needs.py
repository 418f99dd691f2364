"""What the headers say a query needs of the logs, held to what becomes of its answer without it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import QueryFileError
from ingest.named_queries.golden import BY_NAME
from ingest.named_queries.library import NO_NEEDS, NamedQuery, load_query, parse_query
from ingest.stores.contract import Reader
from ingest.tasks.check.answers import uses
from tests.queries.rows import Rows, draw_rows, make_store
from tests.queries.test_contract import ask, each_text

Answer = list[tuple[Any, ...]]


def without(rows: Rows, field: str) -> Rows:
    """The rows of a log that does not hold a field."""
    if field == "stage_times":
        return replace(rows, stage_timings=[])
    if field == "cache_health":
        return replace(rows, cache_samples=[])
    if field == "warning_code":
        return replace(rows, errors=[replace(e, code=None) for e in rows.errors])
    gone: dict[str, Any] = {{"text": "text_class"}.get(field, field): None}
    if field == "completed_at":  # no record of the end: what it says is not known either
        gone |= {"status": None, "duration_ms": None}
    requests = [replace(r, **gone) for r in rows.requests]
    if field not in ("id", "request_id"):
        return replace(rows, requests=requests)
    errors = [replace(e, **gone) for e in rows.errors]
    stages = [replace(s, id=None) for s in rows.stage_timings] if field == "id" else rows.stage_timings  # fmt: skip  # noqa: E501
    return replace(rows, requests=requests, errors=errors, stage_timings=stages)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str | None, Reader]]:
    """Open readers of a full store, and of one without each field."""
    place = tmp_path_factory.mktemp("needs")
    rows = draw_rows(1)
    with ExitStack() as opened:
        made = {None: make_store(place / "full.duckdb", rows)}
        for field in BY_NAME:
            made[field] = make_store(place / f"{field}.duckdb", without(rows, field))  # type: ignore[index]
        yield {field: opened.enter_context(store.reading()) for field, store in made.items()}


def answer(query: NamedQuery, readers: dict[str | None, Reader], field: str | None) -> Answer:
    return ask(readers[field], query, {"min_z": "1"} if query.param("min_z") else {})


def lost(query: NamedQuery, full: Answer, found: Answer) -> set[str]:
    """Columns that said something and now say the same, or nothing, in every row."""
    names = [c.name for c in query.columns]
    told = {
        n for n, values in zip(names, zip(*full, strict=True), strict=True) if len(set(values)) > 1
    }
    tells = {
        n for n, values in zip(names, zip(*found, strict=True), strict=True) if len(set(values)) > 1
    }
    return told - tells  # fmt: skip


@each_text
def test_without_a_field_it_needs_a_query_has_no_answer(
    query: NamedQuery, readers: dict[str | None, Reader]
) -> None:
    full = answer(query, readers, None)
    for field in query.needs if query.needs != NO_NEEDS else ():
        found = answer(query, readers, field)
        if query.name == "unfinished_requests" and field == "completed_at":
            assert len(found) > 2 * len(full)  # every request seems unfinished
        else:
            assert not found or lost(query, full, found), field


@each_text
def test_fields_that_a_query_does_not_read_change_nothing(
    query: NamedQuery, readers: dict[str | None, Reader]
) -> None:
    if query.needs == NO_NEEDS:
        assert query.name == "field_coverage"
        return
    full, used = answer(query, readers, None), uses(query)
    if "status" in used or "duration_ms" in used:
        used.add("completed_at")  # whose absence takes those with it
    unread = [field for field in BY_NAME if field not in used]
    assert unread
    for field in unread:
        assert answer(query, readers, field) == full, field


@each_text
def test_without_a_field_it_only_reads_a_query_still_has_rows(
    query: NamedQuery, readers: dict[str | None, Reader]
) -> None:
    for field in uses(query) - set(query.needs) - {"completed_at"}:
        assert answer(query, readers, field), field


def test_names_and_strings_are_not_taken_for_fields() -> None:
    query = load_query("stage_breakdown")
    assert uses(query) == {"stage_times"}
    odd = query._replace(
        needs=(), sql="SELECT 'voice', VOICE AS v FROM requests -- lang\n where :id = 1"
    )
    assert uses(odd) == {"voice"}  # fmt: skip


def test_a_field_that_is_none_is_told() -> None:
    text = Path(load_query("voices").path).read_text(encoding="utf-8")
    wrong = text.replace("-- needs: voice", "-- needs: voice, loudness")
    with pytest.raises(QueryFileError, match="there is no golden field 'loudness'"):
        parse_query(wrong, Path("voices.sql"))
    assert parse_query(text.replace("-- needs: voice\n", ""), Path("voices.sql")).needs == ()
