"""Stage times without the id and the host, which are their request's and their log file's: the view
has them.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

from ingest.stores.migrate import is_postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NOW = ("r.id", "f.host")
_BEFORE = ("s.id", "s.host")
_VIEW = """\
select
    s.request_key,
    {id},
    {host},
    r.service,
    cast(s.logged_at at time zone 'UTC' as date) as day,
    s.logged_at,
    s.stage,
    s.seq,
    s.duration_ms as own_ms,
    s.elapsed_ms,
    r.duration_ms as request_ms,
    r.status,
    coalesce(r.status <> 'success', false) as failed,
    r.text_len,
    r.text_class,
    r.lang,
    r.voice,
    r.cache_hit,
    f.path as log_path,
    s.byte_offset
from stage_timings s
left join requests r on r.request_key = s.request_key
left join log_files f on f.file_key = s.file_key"""
_COMMENTS = (
    (
        "view stage_times",
        "One row per stage that a request went through, with what the request was.",
    ),
    *(
        (f"column stage_times.{column}", meaning)
        for column, meaning in (
            ("request_key", "key of the request; joins the views with each other"),
            ("id", "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
            ("host", "machine the log comes from"),
            ("service", "service the log comes from"),
            ("day", "UTC day of logged_at; for ranges, logged_at is faster"),
            ("logged_at", "when the stage ended"),
            ("stage", "text_normalize, llm_prompt_gen, llm_inference, ..."),
            ("seq", "1, 2, ... in time within the request"),
            ("own_ms", "the stage's own milliseconds"),
            ("elapsed_ms", "milliseconds since the request began"),
            ("request_ms", "the request's milliseconds, end to end"),
            ("status", "the request's: success, failed, as logged; null while unfinished"),
            ("failed", "true: the request ended, and not with success"),
            ("text_len", "length of the text, characters"),
            ("text_class", "kind of text: empty, control, emoji, symbols or plain"),
            ("lang", "language"),
            ("voice", "voice"),
            ("cache_hit", "served from the cache"),
            ("log_path", "log file of the stage's record: where it was seen last"),
            ("byte_offset", "where the stage's record begins in that file, uncompressed bytes"),
        )
    ),
)


def upgrade() -> None:
    # replaced, not dropped: on a server it keeps who may read it
    _replace_view(*_NOW)
    for column in ("id", "host"):
        op.execute(f"alter table stage_timings drop column {column}")


def downgrade() -> None:
    text = 'varchar collate "C"' if is_postgresql(op.get_bind()) else "varchar"
    op.execute(f"alter table stage_timings add column id {text}")
    op.execute(f"alter table stage_timings add column host {text} default ''")
    op.execute("alter table stage_timings alter column host set not null")
    op.execute("alter table stage_timings alter column host drop default")
    op.execute(
        "update stage_timings as s set host = f.host from log_files f where f.file_key = s.file_key"
    )
    op.execute(
        "update stage_timings as s set id = r.id from requests r "
        "where r.request_key = s.request_key"
    )
    op.execute("comment on column stage_timings.id is 'the service''s id of the request'")
    op.execute("comment on column stage_timings.host is 'machine the log comes from'")
    if is_postgresql(op.get_bind()):
        op.execute("create index stage_timings_id on stage_timings (id)")
    _replace_view(*_BEFORE)


def _replace_view(id_: str, host: str) -> None:
    op.execute(f"create or replace view stage_times as {_VIEW.format(id=id_, host=host)}")
    for what, meaning in _COMMENTS:
        doubled = meaning.replace("'", "''")
        op.execute(f"comment on {what} is '{doubled}'")
