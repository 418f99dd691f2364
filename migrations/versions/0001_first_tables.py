"""The first tables (SPEC §2), and the parts of requests that may still meet others.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from ingest.stores.migrate import is_postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_PARTITIONED = {
    "requests": "logged_at",
    "stage_timings": "logged_at",
    "errors": "occurred_at",
    "cache_samples": "sampled_at",
}


def _is_postgresql() -> bool:
    return is_postgresql(op.get_bind())


def _partitioned(table: str) -> dict[str, str]:
    """Options of a table that is partitioned by day, where the database can do that."""
    by = f"RANGE ({_PARTITIONED[table]})"
    return {"postgresql_partition_by": by} if _is_postgresql() else {}


def upgrade() -> None:
    op.create_table(
        "cache_samples",
        sa.Column(
            "sample_key",
            sa.BigInteger(),
            nullable=False,
            comment="unique key: file_key and byte_offset",
        ),
        sa.Column("sampled_at", _INSTANT, nullable=False, comment="instant of the record"),
        sa.Column("host", sa.String(), nullable=False, comment="machine the log comes from"),
        sa.Column("path", sa.String(), comment="cache directory"),
        sa.Column("used_percent", sa.Double(), comment="used, percent"),
        sa.Column("threshold_percent", sa.Double(), comment="alarm threshold, percent"),
        sa.Column("used_mb", sa.Double(), comment="used, MB"),
        sa.Column("total_mb", sa.Double(), comment="capacity, MB"),
        sa.Column("action", sa.String(), comment="what the service did about it"),
        sa.Column("event", sa.String(), nullable=False, comment="cache_dir_usage or cache_health"),
        sa.Column("file_key", sa.BigInteger(), nullable=False, comment="log file"),
        sa.Column(
            "byte_offset",
            sa.BigInteger(),
            nullable=False,
            comment="of the record's first byte, uncompressed",
        ),
        comment="One row a cache_dir_usage or cache_health record.",
        **_partitioned("cache_samples"),
    )
    op.create_table(
        "errors",
        sa.Column(
            "error_key",
            sa.BigInteger(),
            nullable=False,
            comment="unique key: file_key and byte_offset",
        ),
        sa.Column("occurred_at", _INSTANT, nullable=False, comment="instant of the record"),
        sa.Column(
            "time_inferred",
            sa.Boolean(),
            nullable=False,
            comment="true: the record has no stamp; taken from the one before",
        ),
        sa.Column("host", sa.String(), nullable=False, comment="machine the log comes from"),
        sa.Column("service", sa.String(), nullable=False, comment="service the log comes from"),
        sa.Column("level", sa.String(), nullable=False, comment="WARNING, ERROR or CRITICAL"),
        sa.Column("logger", sa.String(), comment="name of the Python logger"),
        sa.Column(
            "event", sa.String(), comment="the event's name, where the message begins with one"
        ),
        sa.Column("code", sa.String(), comment="error_code or warning_code"),
        sa.Column("id", sa.String(), comment="the service's id of the request"),
        sa.Column("request_id", sa.String(), comment="X-Request-ID"),
        sa.Column("request_key", sa.BigInteger(), comment="the request, where it is known"),
        sa.Column("message", sa.String(), comment="the message without its traceback"),
        sa.Column("exception_type", sa.String(), comment="type of the exception raised last"),
        sa.Column("exception_message", sa.String(), comment="its message"),
        sa.Column("traceback", sa.String(), comment="the traceback as logged"),
        sa.Column(
            "location",
            sa.String(),
            comment="file:line in function of the deepest frame that is the service's own",
        ),
        sa.Column("attributes", sa.JSON(), comment="every other key=value pair of the record"),
        sa.Column("file_key", sa.BigInteger(), nullable=False, comment="log file"),
        sa.Column(
            "byte_offset",
            sa.BigInteger(),
            nullable=False,
            comment="of the record's first byte, uncompressed",
        ),
        comment="One row a WARNING, ERROR or CRITICAL record.",
        **_partitioned("errors"),
    )
    op.create_table(
        "ingest_runs",
        sa.Column(
            "run_key",
            sa.BigInteger(),
            primary_key=True,
            autoincrement=False,
            nullable=False,
            comment="key of the run",
        ),
        sa.Column("started_at", _INSTANT, nullable=False, comment="start"),
        sa.Column("finished_at", _INSTANT, comment="end"),
        sa.Column(
            "status", sa.String(), nullable=False, comment="running, done, failed or interrupted"
        ),
        sa.Column("files", sa.BigInteger(), nullable=False, comment="log files read"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="uncompressed bytes read"),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="records"),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="rows added to the tables"),
        sa.Column(
            "quarantined", sa.BigInteger(), nullable=False, comment="pieces put into quarantine"
        ),
        sa.Column("record_bytes", sa.BigInteger(), nullable=False, comment="bytes in records"),
        sa.Column(
            "quarantined_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="bytes put into quarantine",
        ),
        sa.Column(
            "ignored_bytes", sa.BigInteger(), nullable=False, comment="bytes ignored by rule"
        ),
        sa.Column(
            "tail_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="bytes held back: the last record may still grow",
        ),
        sa.Column(
            "lost_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="bytes that were gone before they were read",
        ),
        sa.Column("error", sa.String(), comment="what went wrong"),
        comment="One row a run of ttsq ingest that read something, or failed.",
    )
    op.create_table(
        "log_files",
        sa.Column(
            "file_key",
            sa.BigInteger(),
            primary_key=True,
            autoincrement=False,
            nullable=False,
            comment="key of the file through all its names",
        ),
        sa.Column("host", sa.String(), nullable=False, comment="machine the log comes from"),
        sa.Column("service", sa.String(), nullable=False, comment="service the log comes from"),
        sa.Column("path", sa.String(), nullable=False, comment="last seen at"),
        sa.Column(
            "fingerprint",
            sa.String(),
            comment="hashes of its first bytes: length:hash, length:hash, ...",
        ),
        sa.Column(
            "header_offset", sa.BigInteger(), comment="end of the first record header with a stamp"
        ),
        sa.Column(
            "anchor", sa.String(), comment="length:hash of the bytes just before committed_offset"
        ),
        sa.Column(
            "committed_offset",
            sa.BigInteger(),
            nullable=False,
            comment="everything before it is stored; uncompressed bytes",
        ),
        sa.Column(
            "size_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="uncompressed size when last read",
        ),
        sa.Column(
            "stored_bytes", sa.BigInteger(), nullable=False, comment="size on disk when last seen"
        ),
        sa.Column(
            "modified_ns",
            sa.BigInteger(),
            nullable=False,
            comment="modification time when last seen, ns since the epoch",
        ),
        sa.Column(
            "device", sa.BigInteger(), nullable=False, comment="device number when last seen"
        ),
        sa.Column("inode", sa.BigInteger(), nullable=False, comment="inode number when last seen"),
        sa.Column("compression", sa.String(), nullable=False, comment="none, gzip or zstd"),
        sa.Column(
            "state",
            sa.String(),
            nullable=False,
            comment="live, finished, waiting, damaged, edited or missing",
        ),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="records read"),
        sa.Column("record_bytes", sa.BigInteger(), nullable=False, comment="bytes in records"),
        sa.Column("quarantined", sa.BigInteger(), nullable=False, comment="pieces in quarantine"),
        sa.Column(
            "quarantined_bytes", sa.BigInteger(), nullable=False, comment="bytes in quarantine"
        ),
        sa.Column(
            "ignored_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="bytes ignored by rule: blank lines, NUL fill, BOM",
        ),
        sa.Column(
            "lost_bytes",
            sa.BigInteger(),
            nullable=False,
            comment="bytes seen but gone before they were read",
        ),
        sa.Column("last_logged_at", _INSTANT, comment="instant of the last record stored"),
        sa.Column("note", sa.String(), comment="why nothing was read, or what was noticed"),
        sa.Column("first_seen_at", _INSTANT, nullable=False, comment="first seen"),
        sa.Column("last_ingested_at", _INSTANT, comment="last time rows came from it"),
        comment="The log files known, and their checkpoints.",
    )
    op.create_table(
        "quarantine",
        sa.Column("file_key", sa.BigInteger(), nullable=False, comment="log file"),
        sa.Column(
            "byte_offset",
            sa.BigInteger(),
            nullable=False,
            comment="of its first byte, uncompressed",
        ),
        sa.Column("byte_length", sa.BigInteger(), nullable=False, comment="its length"),
        sa.Column("reason", sa.String(), nullable=False, comment="no_header, bad_time or too_long"),
        sa.Column(
            "raw", sa.String(), nullable=False, comment="the text, or its head past the limit"
        ),
        sa.Column("quarantined_at", _INSTANT, nullable=False, comment="when"),
        comment="What could not be understood, with its place and reason.",
    )
    op.create_table(
        "request_parts",
        sa.Column(
            "request_key",
            sa.BigInteger(),
            nullable=False,
            comment="unique key: file_key and offset of its first record",
        ),
        sa.Column(
            "id",
            sa.String(),
            comment="the service's id of the request (ts_7f3a2b1c); ids may be reused",
        ),
        sa.Column("request_id", sa.String(), comment="X-Request-ID, where the log has it"),
        sa.Column("host", sa.String(), nullable=False, comment="machine the log comes from"),
        sa.Column("service", sa.String(), nullable=False, comment="service the log comes from"),
        sa.Column(
            "logged_at", _INSTANT, nullable=False, comment="first instant known of the request"
        ),
        sa.Column("started_at", _INSTANT, comment="instant of synthesis_start"),
        sa.Column("completed_at", _INSTANT, comment="instant of synthesis_complete"),
        sa.Column(
            "status",
            sa.String(),
            comment="success, failed, as logged otherwise; null while unfinished",
        ),
        sa.Column(
            "duration_ms", sa.Double(), comment="end to end, milliseconds, as logged at the end"
        ),
        sa.Column("text", sa.String(), comment="the text to be spoken (users' words)"),
        sa.Column(
            "text_len",
            sa.BigInteger(),
            comment="length of the text in characters, as logged, else code points",
        ),
        sa.Column("lang", sa.String(), comment="language"),
        sa.Column("voice", sa.String(), comment="voice"),
        sa.Column("cache_hit", sa.Boolean(), comment="served from the cache"),
        sa.Column("cache_saved", sa.Boolean(), comment="the result was written to the cache"),
        sa.Column(
            "model_stage", sa.String(), comment="stage reached or failed in, as logged at the end"
        ),
        sa.Column("error_code", sa.String(), comment="error code of a failed request"),
        sa.Column("audio_size_kb", sa.Double(), comment="size of the audio, KB"),
        sa.Column("rms", sa.Double(), comment="loudness of the audio (root mean square)"),
        sa.Column("spectral_centroid", sa.Double(), comment="brightness of the audio, Hz"),
        sa.Column("attributes", sa.JSON(), comment="every other key=value pair of its records"),
        sa.Column("start_file_key", sa.BigInteger(), comment="log file of synthesis_start"),
        sa.Column(
            "start_offset",
            sa.BigInteger(),
            comment="byte offset of synthesis_start in that file, uncompressed",
        ),
        sa.Column("end_file_key", sa.BigInteger(), comment="log file of synthesis_complete"),
        sa.Column(
            "end_offset", sa.BigInteger(), comment="byte offset of synthesis_complete, uncompressed"
        ),
        sa.Column("file_key", sa.BigInteger(), nullable=False, comment="log file of the piece"),
        sa.Column(
            "first_offset", sa.BigInteger(), nullable=False, comment="offset of its first record"
        ),
        sa.Column(
            "last_offset", sa.BigInteger(), nullable=False, comment="offset of its last record"
        ),
        sa.Column("last_at", _INSTANT, nullable=False, comment="instant of its last record"),
        sa.Column(
            "is_request",
            sa.Boolean(),
            nullable=False,
            comment="false: only errors that name the id",
        ),
        sa.Column(
            "end_columns",
            sa.BigInteger(),
            nullable=False,
            comment="bit set of the columns that synthesis_complete filled",
        ),
        comment="Pieces of requests that may still meet others: unfinished, or spread over several "
        "log files.",
    )
    op.create_table(
        "requests",
        sa.Column(
            "request_key",
            sa.BigInteger(),
            nullable=False,
            comment="unique key: file_key and offset of its first record",
        ),
        sa.Column(
            "id",
            sa.String(),
            comment="the service's id of the request (ts_7f3a2b1c); ids may be reused",
        ),
        sa.Column("request_id", sa.String(), comment="X-Request-ID, where the log has it"),
        sa.Column("host", sa.String(), nullable=False, comment="machine the log comes from"),
        sa.Column("service", sa.String(), nullable=False, comment="service the log comes from"),
        sa.Column(
            "logged_at", _INSTANT, nullable=False, comment="first instant known of the request"
        ),
        sa.Column("started_at", _INSTANT, comment="instant of synthesis_start"),
        sa.Column("completed_at", _INSTANT, comment="instant of synthesis_complete"),
        sa.Column(
            "status",
            sa.String(),
            comment="success, failed, as logged otherwise; null while unfinished",
        ),
        sa.Column(
            "duration_ms", sa.Double(), comment="end to end, milliseconds, as logged at the end"
        ),
        sa.Column("text", sa.String(), comment="the text to be spoken (users' words)"),
        sa.Column(
            "text_len",
            sa.BigInteger(),
            comment="length of the text in characters, as logged, else code points",
        ),
        sa.Column("text_class", sa.String(), comment="empty, control, emoji, symbols or plain"),
        sa.Column("lang", sa.String(), comment="language"),
        sa.Column("voice", sa.String(), comment="voice"),
        sa.Column("cache_hit", sa.Boolean(), comment="served from the cache"),
        sa.Column("cache_saved", sa.Boolean(), comment="the result was written to the cache"),
        sa.Column(
            "model_stage", sa.String(), comment="stage reached or failed in, as logged at the end"
        ),
        sa.Column("error_code", sa.String(), comment="error code of a failed request"),
        sa.Column("audio_size_kb", sa.Double(), comment="size of the audio, KB"),
        sa.Column("rms", sa.Double(), comment="loudness of the audio (root mean square)"),
        sa.Column("spectral_centroid", sa.Double(), comment="brightness of the audio, Hz"),
        sa.Column("attributes", sa.JSON(), comment="every other key=value pair of its records"),
        sa.Column("start_file_key", sa.BigInteger(), comment="log file of synthesis_start"),
        sa.Column(
            "start_offset",
            sa.BigInteger(),
            comment="byte offset of synthesis_start in that file, uncompressed",
        ),
        sa.Column("end_file_key", sa.BigInteger(), comment="log file of synthesis_complete"),
        sa.Column(
            "end_offset", sa.BigInteger(), comment="byte offset of synthesis_complete, uncompressed"
        ),
        comment="One row a synthesis request.",
        **_partitioned("requests"),
    )
    op.create_table(
        "stage_timings",
        sa.Column("request_key", sa.BigInteger(), comment="the request"),
        sa.Column("id", sa.String(), comment="the service's id of the request"),
        sa.Column("host", sa.String(), nullable=False, comment="machine the log comes from"),
        sa.Column(
            "stage", sa.String(), comment="text_normalize, llm_prompt_gen, llm_inference, ..."
        ),
        sa.Column("seq", sa.Integer(), comment="1, 2, ... in time within the request"),
        sa.Column(
            "logged_at", _INSTANT, nullable=False, comment="instant of the stage_time record"
        ),
        sa.Column("elapsed_ms", sa.Double(), comment="milliseconds since the request began"),
        sa.Column("duration_ms", sa.Double(), comment="the stage's own milliseconds"),
        sa.Column("file_key", sa.BigInteger(), nullable=False, comment="log file"),
        sa.Column(
            "byte_offset",
            sa.BigInteger(),
            nullable=False,
            comment="of the record's first byte, uncompressed",
        ),
        comment="One row a stage that a request went through.",
        **_partitioned("stage_timings"),
    )
    if _is_postgresql():  # a row without a partition of its own would be refused
        for name in _PARTITIONED:
            op.execute(f"create table {name}_default partition of {name} default")


def downgrade() -> None:
    for name in (
        "stage_timings",
        "requests",
        "request_parts",
        "quarantine",
        "log_files",
        "ingest_runs",
        "errors",
        "cache_samples",
    ):
        op.drop_table(name)
