"""What there is to know of each table beside its columns; all that treats tables alike uses it."""

from typing import Literal, NamedTuple

Kind = Literal["rows", "records", "parts", "quarantine", "content", "upkeep"]


class Described(NamedTuple):
    """One table.

    :ivar noun: what its rows are called in a sentence.
    :ivar kind: ``rows``: of several records each; ``records``: of one record each; else what the
        name says.
    :ivar at: the instant that its age, its window and its partition go by; None where rows do not
        age.
    :ivar key: the column whose value is :func:`ingest.model.make_key` of the place of the row's
        first record.
    :ivar place: columns of log file and offset: those of its record, of a request's start and end.
    :ivar user_text: columns that hold user text, or may quote it.
    :ivar follows: the table whose rows take these with them when they go; ``request_key`` names
        them.
    :ivar is_linked: its rows name a request that may become known later, or become another one.
    :ivar is_partitioned: by day, where the backend can do that.
    :ivar has_time_source: its rows say where their instant comes from.
    :ivar is_published: BI readers get it.
    :ivar is_secret: nobody but ttsq reads it.
    """

    name: str
    noun: str
    kind: Kind
    at: str | None = None
    key: str | None = None
    place: tuple[tuple[str, str], ...] = ()
    user_text: tuple[str, ...] = ()
    follows: str | None = None
    is_linked: bool = False
    is_partitioned: bool = False
    has_time_source: bool = False
    is_published: bool = True
    is_secret: bool = False


_PLACE = (("file_key", "byte_offset"),)

TABLES = (
    Described(
        "requests",
        "requests",
        "rows",
        at="logged_at",
        key="request_key",
        place=(("start_file_key", "start_offset"), ("end_file_key", "end_offset")),
        user_text=("text", "attributes"),
        is_partitioned=True,
        has_time_source=True,
    ),
    Described(
        "request_parts",
        "parts of requests",
        "parts",
        at="logged_at",
        place=(("file_key", "first_offset"),),
        user_text=("text", "attributes"),
        follows="requests",
        is_published=False,
    ),
    Described(
        "stage_timings",
        "stage times",
        "records",
        at="logged_at",
        place=_PLACE,
        follows="requests",
        is_partitioned=True,
    ),
    Described(
        "errors",
        "warnings or errors",
        "records",
        at="occurred_at",
        key="error_key",
        place=_PLACE,
        user_text=("message", "exception_message", "traceback", "attributes"),
        is_linked=True,
        is_partitioned=True,
        has_time_source=True,
    ),
    Described(
        "cache_samples",
        "cache samples",
        "records",
        at="sampled_at",
        key="sample_key",
        place=_PLACE,
        is_partitioned=True,
        has_time_source=True,
    ),
    Described(
        "http_requests",
        "HTTP requests",
        "records",
        at="logged_at",
        key="http_key",
        place=_PLACE,
        user_text=("query", "user_agent", "referer", "attributes"),
        is_linked=True,
        is_partitioned=True,
        has_time_source=True,
    ),
    Described(
        "quarantine",
        "pieces in quarantine",
        "quarantine",
        at="quarantined_at",
        place=_PLACE,
        user_text=("raw",),
    ),
    Described(
        "stored_lines",
        "groups of stored lines",
        "content",
        is_published=False,
        is_secret=True,
    ),
    Described(
        "known_stretches",
        "stretches stored before",
        "content",
        is_published=False,
    ),
    Described("ingest_runs", "runs", "upkeep", at="started_at"),
    Described("log_files", "log files", "upkeep"),
    Described("pruned", "prunings", "upkeep"),
    Described("text_salts", "salts", "upkeep", is_published=False, is_secret=True),
)
BY_NAME = {t.name: t for t in TABLES}
# in the order that a commit writes them in
WRITTEN = tuple(t.name for t in TABLES if t.kind in ("rows", "parts", "records", "content"))
# tables that say what was read, not what it means
CONTENT = tuple(t.name for t in TABLES if t.kind == "content")
# tables of one row per record
RECORDS = tuple(t.name for t in TABLES if t.kind == "records")
# the columns of each table that hold user text
USER_TEXT = {t.name: t.user_text for t in TABLES if t.user_text}
