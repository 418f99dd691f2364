"""What tables, views and columns say of themselves: one word for one thing.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# what, as it was, as it is
_COMMENTS = (
    (
        "table requests",
        "One row a synthesis request.",
        "One row per synthesis request.",
    ),
    (
        "table stage_timings",
        "One row a stage that a request went through.",
        "One row per stage that a request went through.",
    ),
    (
        "table errors",
        "One row a WARNING, ERROR or CRITICAL record.",
        "One row per WARNING, ERROR or CRITICAL record.",
    ),
    (
        "table cache_samples",
        "One row a cache_dir_usage or cache_health record.",
        "One row per cache_dir_usage or cache_health record.",
    ),
    (
        "table ingest_runs",
        "One row a run of ttsq ingest that read something, or failed.",
        "One row per run of ttsq ingest that read something, or failed.",
    ),
    (
        "table pruned",
        "One row a table that ttsq prune has taken rows or texts from.",
        "One row per table from which ttsq prune has removed rows or texts.",
    ),
    (
        "view all_requests",
        "One row a synthesis request, with where its log begins.",
        "One row per synthesis request, with where its log begins.",
    ),
    (
        "view failed_requests",
        "One row a request that failed: with what input, in which function, and which line "
        "of which log file says so.",
        "One row per failed request: with what input, in which function, and where in which "
        "log file.",
    ),
    (
        "view stage_times",
        "One row a stage that a request went through, with what the request was.",
        "One row per stage that a request went through, with what the request was.",
    ),
    (
        "view logged_errors",
        "One row a WARNING, ERROR or CRITICAL record, without what it says.",
        "One row per WARNING, ERROR or CRITICAL record, without its message.",
    ),
    (
        "view cache_levels",
        "One row a look of the service at how full a cache is.",
        "One row per sample of how full a cache is.",
    ),
    (
        "column requests.text",
        "the text to be spoken (users' words)",
        "the text to be spoken (user text)",
    ),
    (
        "column request_parts.text",
        "the text to be spoken (users' words)",
        "the text to be spoken (user text)",
    ),
    (
        "column http_answers.upstream_ms",
        "time of the servers behind, milliseconds",
        "time of the upstream servers, milliseconds",
    ),
    (
        "column http_requests.query",
        "query string (users' words)",
        "query string (user text)",
    ),
    (
        "column http_requests.upstream_ms",
        "time of the servers behind, milliseconds; of several the sum",
        "time of the upstream servers, milliseconds; the sum if there are several",
    ),
    (
        "column http_requests.user_agent",
        "what the client calls itself (users' words)",
        "what the client calls itself (user text)",
    ),
    (
        "column http_requests.referer",
        "page that the client came from (users' words)",
        "page that the client came from (user text)",
    ),
    (
        "column log_files.encoding",
        "encoding of the text; null where nothing has told it yet",
        "encoding of the text; null while it is not known",
    ),
    (
        "column stored_lines.byte_length",
        "up to the line behind the last",
        "up to the line after the last",
    ),
    (
        "column pruned.text_pruned_before",
        "users' words older than this were removed",
        "user text older than this was removed",
    ),
)


def upgrade() -> None:
    for what, _, new in _COMMENTS:
        _comment(what, new)


def downgrade() -> None:
    for what, old, _ in _COMMENTS:
        _comment(what, old)


def _comment(what: str, text: str) -> None:
    doubled = text.replace("'", "''")
    op.execute(f"comment on {what} is '{doubled}'")
