"""What tables say of themselves: parts of requests, all reasons of the quarantine.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# what, as it was, as it is
_COMMENTS = (
    (
        "table request_parts",
        "Pieces of requests that may still meet others: unfinished, or spread over several log"
        " files.",
        "Parts of requests that later records may join: unfinished, or spread over several log"
        " files.",
    ),
    (
        "column request_parts.file_key",
        "log file of the piece",
        "log file of the part",
    ),
    (
        "table text_salts",
        "The key of the hashes that stand for texts (--text hash): readers who do not have it"
        " cannot guess them.",
        "The key of the hashes of texts (--text hash); without it nobody can guess a text.",
    ),
    (
        "column log_files.ignored_bytes",
        "bytes ignored by rule: blank lines, NUL fill, BOM",
        "bytes ignored by rule: blank lines, NUL fill, bars",
    ),
    (
        "column quarantine.reason",
        "no_header, bad_time or too_long",
        "no_header, bad_time, too_long or torn",
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
