"""The events and keys that the tables know; their order is the code in the scanner's tables."""

# Events whose records become rows; their order is the code in the record table.
EVENTS = (
    "synthesis_start",
    "synthesis_complete",
    "synthesis_failed",
    "stage_time",
    "audio_metrics",
    "cache_dir_usage",
    "cache_health",
    "http_request",
)
START, COMPLETE, FAILED, STAGE_TIME, AUDIO_METRICS, CACHE_DIR_USAGE, CACHE_HEALTH = range(7)
HTTP_REQUEST = 7

# Events that a log's own text may name; an access line is recognised by its shape alone.
PUBLIC_EVENTS = EVENTS[:HTTP_REQUEST]

# Keys with a column somewhere; their order is the code in the pair table.
KEYS = (
    "id",
    "request_id",
    "text",
    "text_len",
    "lang",
    "voice",
    "duration_ms",
    "cache_hit",
    "cache_saved",
    "status",
    "model_stage",
    "error_code",
    "audio_size_kb",
    "rms",
    "spectral_centroid",
    "stage",
    "warning_code",
    "path",
    "used_percent",
    "threshold",
    "action",
    "used",
    "total",
    "usage",
    "exc",
    "instance",
    "profile",
    "audio_ms",
    "rtf",
    "tokens",
    "own_ms",
    "id_source",
    "assembly",
    "server",
    "client",
    "method",
    "query",
    "protocol",
    "http_status",
    "bytes_sent",
    "request_ms",
    "upstream_ms",
    "user_agent",
    "referer",
    "location",
)

# Keys that a log's own text may set; those behind them only ttsq does.
PUBLIC_KEYS = KEYS[: KEYS.index("instance")]

# Keys whose unquoted value ends at the first white space: free text may follow it without a comma.
ONE_WORD_KEYS = frozenset(
    {"id", "request_id", "error_code", "warning_code", "stage", "model_stage"}
)
