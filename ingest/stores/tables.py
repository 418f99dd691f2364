"""The tables, as SQLAlchemy Core metadata (SPEC §2): names, types and comments.

Migrations create and alter them; this module is what the code believes they are, and
``ttsq db check`` compares the two.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from ingest.rows.parts import BIT_OF

metadata = MetaData()
_TIME_SOURCE = "where the instant comes from: logged, envelope, neighbour, read or file"
_INSTANCE = "container, pod, unit or process within the log"


class _Col(NamedTuple):
    name: str
    type: Any
    comment: str
    nullable: bool = True
    primary: bool = False


_INSTANT = DateTime(timezone=True)


def _table(name: str, comment: str, *columns: _Col) -> Table:
    return Table(
        name,
        metadata,
        *(
            Column(
                c.name,
                c.type,
                comment=c.comment,
                nullable=c.nullable and not c.primary,
                primary_key=c.primary,
                autoincrement=False,
            )
            for c in columns
        ),
        comment=comment,
    )


requests = _table(
    "requests",
    "One row per synthesis request.",
    _Col("request_key", BigInteger, "unique key: file_key and offset of its first record", False),
    _Col("id", String, "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
    _Col("request_id", String, "X-Request-ID, where the log has it"),
    _Col("host", String, "machine the log comes from", False),
    _Col("service", String, "service the log comes from", False),
    _Col("logged_at", _INSTANT, "first instant known of the request", False),
    _Col("time_source", String, _TIME_SOURCE, False),
    _Col("started_at", _INSTANT, "instant of synthesis_start"),
    _Col("completed_at", _INSTANT, "instant of synthesis_complete"),
    _Col("status", String, "success, failed, as logged otherwise; null while unfinished"),
    _Col("duration_ms", Double, "end to end, milliseconds, as logged at the end"),
    _Col("text", String, "the text to be spoken (user text)"),
    _Col("text_len", BigInteger, "length of the text in characters, as logged, else code points"),
    _Col("text_class", String, "empty, control, emoji, symbols or plain"),
    _Col("lang", String, "language"),
    _Col("voice", String, "voice"),
    _Col("cache_hit", Boolean, "served from the cache"),
    _Col("cache_saved", Boolean, "the result was written to the cache"),
    _Col("model_stage", String, "stage reached or failed in, as logged at the end"),
    _Col("error_code", String, "error code of a failed request"),
    _Col("audio_size_kb", Double, "size of the audio, KB"),
    _Col("rms", Double, "loudness of the audio (root mean square)"),
    _Col("spectral_centroid", Double, "brightness of the audio, Hz"),
    _Col("instance", String, _INSTANCE),
    _Col("id_source", String, "logged, or place: made from where the request begins in its log"),
    _Col("assembly", String, "how its records were put together: id, sequence or uncertain"),
    _Col("profile", String, "profile that its lines were read by; null for events of its own"),
    _Col("audio_ms", Double, "length of the audio made, milliseconds"),
    _Col("rtf", Double, "real-time factor: as logged, else time taken per time of audio"),
    _Col("tokens", BigInteger, "tokens generated"),
    _Col("attributes", JSON, "every other key=value pair of its records"),
    _Col("start_file_key", BigInteger, "log file of synthesis_start"),
    _Col("start_offset", BigInteger, "byte offset of synthesis_start in that file, uncompressed"),
    _Col("end_file_key", BigInteger, "log file of synthesis_complete"),
    _Col("end_offset", BigInteger, "byte offset of synthesis_complete, uncompressed"),
)

stage_timings = _table(
    "stage_timings",
    "One row per stage that a request went through.",
    _Col("request_key", BigInteger, "the request"),
    _Col("stage", String, "text_normalize, llm_prompt_gen, llm_inference, ..."),
    _Col("seq", Integer, "1, 2, ... in time within the request"),
    _Col("logged_at", _INSTANT, "instant of the stage_time record", False),
    _Col("elapsed_ms", Double, "milliseconds since the request began"),
    _Col("duration_ms", Double, "the stage's own milliseconds"),
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "of the record's first byte, uncompressed", False),
)

errors = _table(
    "errors",
    "One row per WARNING, ERROR or CRITICAL record.",
    _Col("error_key", BigInteger, "unique key: file_key and byte_offset", False),
    _Col("occurred_at", _INSTANT, "instant of the record", False),
    _Col("time_source", String, _TIME_SOURCE, False),
    _Col("host", String, "machine the log comes from", False),
    _Col("service", String, "service the log comes from", False),
    _Col("instance", String, _INSTANCE),
    _Col("level", String, "WARNING, ERROR or CRITICAL", False),
    _Col("logger", String, "name of the Python logger"),
    _Col("event", String, "the event's name, where the message begins with one"),
    _Col("code", String, "error_code or warning_code"),
    _Col("id", String, "the service's id of the request"),
    _Col("request_id", String, "X-Request-ID"),
    _Col("request_key", BigInteger, "the request, where it is known"),
    _Col("message", String, "the message without its traceback"),
    _Col("exception_type", String, "type of the exception raised last"),
    _Col("exception_message", String, "its message"),
    _Col("traceback", String, "the traceback as logged"),
    _Col(
        "location", String, "file:line in function of the deepest frame that is the service's own"
    ),
    _Col("attributes", JSON, "every other key=value pair of the record"),
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "of the record's first byte, uncompressed", False),
)

cache_samples = _table(
    "cache_samples",
    "One row per cache_dir_usage or cache_health record.",
    _Col("sample_key", BigInteger, "unique key: file_key and byte_offset", False),
    _Col("sampled_at", _INSTANT, "instant of the record", False),
    _Col("time_source", String, _TIME_SOURCE, False),
    _Col("host", String, "machine the log comes from", False),
    _Col("path", String, "cache directory"),
    _Col("used_percent", Double, "used, percent"),
    _Col("threshold_percent", Double, "alarm threshold, percent"),
    _Col("used_mb", Double, "used, MB"),
    _Col("total_mb", Double, "capacity, MB"),
    _Col("action", String, "what the service did about it"),
    _Col("event", String, "cache_dir_usage or cache_health", False),
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "of the record's first byte, uncompressed", False),
)

http_requests = _table(
    "http_requests",
    "One row per access line: a request as an HTTP server logged it.",
    _Col("http_key", BigInteger, "unique key: file_key and byte_offset", False),
    _Col("logged_at", _INSTANT, "instant of the line", False),
    _Col("time_source", String, _TIME_SOURCE, False),
    _Col("host", String, "machine the log comes from", False),
    _Col("service", String, "service the log comes from", False),
    _Col("instance", String, _INSTANCE),
    _Col("server", String, "server that logged it: nginx, uvicorn, ..."),
    _Col("client", String, "address of the client"),
    _Col("method", String, "GET, POST, ..."),
    _Col("path", String, "path, without the query"),
    _Col("query", String, "query string (user text)"),
    _Col("protocol", String, "HTTP/1.1, ..."),
    _Col("http_status", BigInteger, "status of the answer"),
    _Col("bytes_sent", BigInteger, "bytes sent"),
    _Col("request_ms", Double, "whole time of the request, milliseconds"),
    _Col(
        "upstream_ms",
        Double,
        "time of the upstream servers, milliseconds; the sum if there are several",
    ),
    _Col("id", String, "the service's id of the request that it answers, where known"),
    _Col("request_id", String, "X-Request-ID"),
    _Col("request_key", BigInteger, "the request that it answers, where known"),
    _Col("user_agent", String, "what the client calls itself (user text)"),
    _Col("referer", String, "page that the client came from (user text)"),
    _Col("attributes", JSON, "every other field of the line"),
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "of the line's first byte, uncompressed", False),
)

request_parts = _table(
    "request_parts",
    "Parts of requests that later records may join: unfinished, or spread over several log files.",
    *(
        _Col(c.name, c.type, str(c.comment), c.nullable is not False)
        for c in requests.columns
        if c.name not in ("text_class",)
    ),
    _Col("file_key", BigInteger, "log file of the part", False),
    _Col("first_offset", BigInteger, "offset of its first record", False),
    _Col("last_offset", BigInteger, "offset of its last record", False),
    _Col("last_at", _INSTANT, "instant of its last record", False),
    _Col("is_request", Boolean, "false: only errors that name the id", False),
    _Col(
        "end_columns",
        BigInteger,
        "bits of the columns that synthesis_complete filled: "
        + ", ".join(f"{bit} {column}" for column, bit in BIT_OF.items()),
        False,
    ),
    _Col("text_class", String, "class of the text"),
    _Col("text_points", BigInteger, "code points of the text"),
)

text_salts = _table(
    "text_salts",
    "The key of the hashes of texts (--text hash); without it nobody can guess a text.",
    _Col("salt_key", Integer, "1: there is one", primary=True),
    _Col("salt", String, "hexadecimal", False),
    _Col("made_at", _INSTANT, "made", False),
)

log_files = _table(
    "log_files",
    "The log files known, and their checkpoints.",
    _Col("file_key", BigInteger, "key of the file through all its names", primary=True),
    _Col("host", String, "machine the log comes from", False),
    _Col("service", String, "service the log comes from", False),
    _Col("path", String, "last seen at", False),
    _Col("fingerprint", String, "hashes of its first bytes: length:hash, length:hash, ..."),
    _Col("header_offset", BigInteger, "end of the first record header with a stamp"),
    _Col("anchor", String, "length:hash of the bytes just before committed_offset"),
    _Col(
        "committed_offset", BigInteger, "everything before it is stored; uncompressed bytes", False
    ),
    _Col("size_bytes", BigInteger, "uncompressed size when last read", False),
    _Col("stored_bytes", BigInteger, "size on disk when last seen", False),
    _Col("modified_ns", BigInteger, "modification time when last seen, ns since the epoch", False),
    _Col("device", BigInteger, "device number when last seen", False),
    _Col("inode", BigInteger, "inode number when last seen", False),
    _Col("compression", String, "none, gzip or zstd", False),
    _Col("state", String, "live, finished, waiting, damaged, edited or replaced", False),
    _Col("records", BigInteger, "records read", False),
    _Col("record_bytes", BigInteger, "bytes in records", False),
    _Col("quarantined", BigInteger, "pieces in quarantine", False),
    _Col("quarantined_bytes", BigInteger, "bytes in quarantine", False),
    _Col("ignored_bytes", BigInteger, "bytes ignored by rule: blank lines, NUL fill, bars", False),
    _Col("lost_bytes", BigInteger, "bytes seen but gone before they were read", False),
    _Col("last_logged_at", _INSTANT, "instant of the last record stored"),
    _Col("note", String, "why nothing was read, or what was noticed"),
    _Col("first_seen_at", _INSTANT, "first seen", False),
    _Col("last_ingested_at", _INSTANT, "last time rows came from it"),
    _Col("unclaimed", BigInteger, "lines that nothing explains", False),
    _Col("unclaimed_bytes", BigInteger, "bytes in these", False),
    _Col(
        "already_stored_bytes",
        BigInteger,
        "bytes of records stored from another place before",
        False,
    ),
    _Col("encoding", String, "encoding of the text; null while it is not known"),
    _Col("format", String, "what it is read with, JSON"),
    _Col("reading", String, "state of the reading at committed_offset, JSON; null without one"),
)

ingest_runs = _table(
    "ingest_runs",
    "One row per run of ttsq ingest that read something, or failed.",
    _Col("run_key", BigInteger, "key of the run", primary=True),
    _Col("host", String, "machine whose logs it read"),
    _Col("started_at", _INSTANT, "start", False),
    _Col("finished_at", _INSTANT, "end"),
    _Col("status", String, "running, done, failed or interrupted", False),
    _Col("files", BigInteger, "log files read", False),
    _Col("bytes", BigInteger, "uncompressed bytes read", False),
    _Col("records", BigInteger, "records", False),
    _Col("rows", BigInteger, "rows added to the tables", False),
    _Col("quarantined", BigInteger, "pieces put into quarantine", False),
    _Col("record_bytes", BigInteger, "bytes in records", False),
    _Col("quarantined_bytes", BigInteger, "bytes put into quarantine", False),
    _Col("ignored_bytes", BigInteger, "bytes ignored by rule", False),
    _Col("tail_bytes", BigInteger, "bytes held back: the last record may still grow", False),
    _Col("lost_bytes", BigInteger, "bytes that were gone before they were read", False),
    _Col("error", String, "what went wrong"),
    _Col("unclaimed", BigInteger, "lines that nothing explains", False),
    _Col("unclaimed_bytes", BigInteger, "bytes in these", False),
    _Col(
        "already_stored_bytes",
        BigInteger,
        "bytes of records stored from another place before",
        False,
    ),
)

quarantine = _table(
    "quarantine",
    "What could not be understood, with its place and reason.",
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "of its first byte, uncompressed", False),
    _Col("byte_length", BigInteger, "its length", False),
    _Col("reason", String, "no_header, bad_time, too_long or torn", False),
    _Col("raw", String, "the text, or its head past the limit", False),
    _Col("quarantined_at", _INSTANT, "when", False),
)

stored_lines = _table(
    "stored_lines",
    "One row per group of lines that were stored: content is recognised by it.",
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "of the first line, uncompressed", False),
    _Col("byte_length", BigInteger, "up to the line after the last", False),
    _Col("mark", BigInteger, "hash of the first line", False),
    _Col("line_hashes", LargeBinary, "16 bits of the hash of each line", False),
)

known_stretches = _table(
    "known_stretches",
    "One row per stretch of a log file whose records were stored from another place before.",
    _Col("file_key", BigInteger, "log file", False),
    _Col("byte_offset", BigInteger, "where it begins, uncompressed", False),
    _Col("byte_length", BigInteger, "its length", False),
    _Col("stored_file_key", BigInteger, "log file that it was stored from", False),
    _Col("stored_offset", BigInteger, "where it begins there", False),
    _Col("is_edited", Boolean, "true: it is what was stored there, edited afterwards", False),
)

pruned = _table(
    "pruned",
    "One row per table from which ttsq prune has removed rows or texts.",
    _Col("table_name", String, "the table", primary=True),
    _Col("pruned_before", _INSTANT, "rows older than this were removed"),
    _Col("text_pruned_before", _INSTANT, "user text older than this was removed"),
    _Col("rows", BigInteger, "rows removed so far", False),
    _Col(
        "pruned_at",
        _INSTANT,
        "when the last pruning was complete and its space given back; null before",
    ),
)
