-- Generated from the revisions: python -m tests.support.schema_script
CREATE TABLE `alembic_version` (`version_num` VARCHAR(32)) Engine MergeTree ORDER BY version_num;
create table if not exists commits (
    `commit` Int64 comment 'number of the commit',
    `state` UInt8 comment '0 planned, 1 done, 2 withdrawn',
    `lane` String comment 'host whose ingest it is; empty: of all',
    `place` Int64 comment 'its place in the order in which commits were done; 0 while it is not',
    `nonce` String comment 'what its inserts are told apart by',
    `at` DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'when'
)
engine = MergeTree
order by (commit, state)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'What was committed: rows of a commit that is not done are hidden.';
create table if not exists superseded (
    `table_name` LowCardinality(String) comment 'the table',
    `key` Int64 comment 'key of the row, or its log file',
    `place` Int64 comment 'its place there, where the key alone does not name it',
    `version` UInt64 comment 'version of the row',
    `commit` Int64 comment 'the commit that replaced or removed it',
    `at` DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'when'
)
engine = MergeTree
order by (table_name, key, place)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'Rows that were replaced or removed, until they are deleted.';
create table if not exists given_numbers (
    `kind` String comment 'of what: file or run',
    `number` Int64 comment 'the number given last',
    `nonce` String comment 'to whom'
)
engine = ReplacingMergeTree(number)
order by kind
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'Numbers that were given out.';
create table if not exists requests_rows (
    `request_key` Int64 comment 'unique key: file_key and offset of its first record' codec(Delta(8), ZSTD(1)),
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused' codec(ZSTD(1)),
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it' codec(ZSTD(1)),
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `logged_at` DateTime64(6, 'UTC') comment 'first instant known of the request' codec(Delta(8), ZSTD(1)),
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `started_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_start' codec(Delta(8), ZSTD(1)),
    `completed_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_complete' codec(Delta(8), ZSTD(1)),
    `status` LowCardinality(Nullable(String)) comment 'success, failed, as logged otherwise; null while unfinished',
    `duration_ms` Nullable(Float64) comment 'end to end, milliseconds, as logged at the end' codec(ZSTD(1)),
    `text` Nullable(String) comment 'the text to be spoken (user text)' codec(ZSTD(3)),
    `text_len` Nullable(Int64) comment 'length of the text in characters, as logged, else code points',
    `text_class` LowCardinality(Nullable(String)) comment 'empty, control, emoji, symbols or plain',
    `lang` LowCardinality(Nullable(String)) comment 'language',
    `voice` LowCardinality(Nullable(String)) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `cache_saved` Nullable(Bool) comment 'the result was written to the cache',
    `model_stage` LowCardinality(Nullable(String)) comment 'stage reached or failed in, as logged at the end',
    `error_code` LowCardinality(Nullable(String)) comment 'error code of a failed request',
    `audio_size_kb` Nullable(Float64) comment 'size of the audio, KB' codec(ZSTD(1)),
    `rms` Nullable(Float64) comment 'loudness of the audio (root mean square)' codec(ZSTD(1)),
    `spectral_centroid` Nullable(Float64) comment 'brightness of the audio, Hz' codec(ZSTD(1)),
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `id_source` LowCardinality(Nullable(String)) comment 'logged, or place: made from where the request begins in its log',
    `assembly` LowCardinality(Nullable(String)) comment 'how its records were put together: id, sequence or uncertain',
    `profile` LowCardinality(Nullable(String)) comment 'profile that its lines were read by; null for events of its own',
    `audio_ms` Nullable(Float64) comment 'length of the audio made, milliseconds' codec(ZSTD(1)),
    `rtf` Nullable(Float64) comment 'real-time factor: as logged, else time taken per time of audio' codec(ZSTD(1)),
    `tokens` Nullable(Int64) comment 'tokens generated',
    `attributes` Nullable(String) comment 'every other key=value pair of its records' codec(ZSTD(3)),
    `start_file_key` Nullable(Int64) comment 'log file of synthesis_start' codec(Delta(8), ZSTD(1)),
    `start_offset` Nullable(Int64) comment 'byte offset of synthesis_start in that file, uncompressed' codec(Delta(8), ZSTD(1)),
    `end_file_key` Nullable(Int64) comment 'log file of synthesis_complete' codec(Delta(8), ZSTD(1)),
    `end_offset` Nullable(Int64) comment 'byte offset of synthesis_complete, uncompressed' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax,
    index id_bloom `id` type bloom_filter(0.01),
    index request_id_bloom `request_id` type bloom_filter(0.01),
    index request_key_range `request_key` type minmax,
    index start_file_key_range `start_file_key` type minmax,
    index end_file_key_range `end_file_key` type minmax
)
engine = MergeTree
partition by toYYYYMM(logged_at)
order by (logged_at, request_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per synthesis request. All versions of them.';
create table if not exists request_parts_rows (
    `request_key` Int64 comment 'unique key: file_key and offset of its first record' codec(Delta(8), ZSTD(1)),
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused' codec(ZSTD(1)),
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it' codec(ZSTD(1)),
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `logged_at` DateTime64(6, 'UTC') comment 'first instant known of the request' codec(Delta(8), ZSTD(1)),
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `started_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_start' codec(Delta(8), ZSTD(1)),
    `completed_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_complete' codec(Delta(8), ZSTD(1)),
    `status` LowCardinality(Nullable(String)) comment 'success, failed, as logged otherwise; null while unfinished',
    `duration_ms` Nullable(Float64) comment 'end to end, milliseconds, as logged at the end' codec(ZSTD(1)),
    `text` Nullable(String) comment 'the text to be spoken (user text)' codec(ZSTD(3)),
    `text_len` Nullable(Int64) comment 'length of the text in characters, as logged, else code points',
    `lang` LowCardinality(Nullable(String)) comment 'language',
    `voice` LowCardinality(Nullable(String)) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `cache_saved` Nullable(Bool) comment 'the result was written to the cache',
    `model_stage` LowCardinality(Nullable(String)) comment 'stage reached or failed in, as logged at the end',
    `error_code` LowCardinality(Nullable(String)) comment 'error code of a failed request',
    `audio_size_kb` Nullable(Float64) comment 'size of the audio, KB' codec(ZSTD(1)),
    `rms` Nullable(Float64) comment 'loudness of the audio (root mean square)' codec(ZSTD(1)),
    `spectral_centroid` Nullable(Float64) comment 'brightness of the audio, Hz' codec(ZSTD(1)),
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `id_source` LowCardinality(Nullable(String)) comment 'logged, or place: made from where the request begins in its log',
    `assembly` LowCardinality(Nullable(String)) comment 'how its records were put together: id, sequence or uncertain',
    `profile` LowCardinality(Nullable(String)) comment 'profile that its lines were read by; null for events of its own',
    `audio_ms` Nullable(Float64) comment 'length of the audio made, milliseconds' codec(ZSTD(1)),
    `rtf` Nullable(Float64) comment 'real-time factor: as logged, else time taken per time of audio' codec(ZSTD(1)),
    `tokens` Nullable(Int64) comment 'tokens generated',
    `attributes` Nullable(String) comment 'every other key=value pair of its records' codec(ZSTD(3)),
    `start_file_key` Nullable(Int64) comment 'log file of synthesis_start' codec(Delta(8), ZSTD(1)),
    `start_offset` Nullable(Int64) comment 'byte offset of synthesis_start in that file, uncompressed' codec(Delta(8), ZSTD(1)),
    `end_file_key` Nullable(Int64) comment 'log file of synthesis_complete' codec(Delta(8), ZSTD(1)),
    `end_offset` Nullable(Int64) comment 'byte offset of synthesis_complete, uncompressed' codec(Delta(8), ZSTD(1)),
    `file_key` Int64 comment 'log file of the part' codec(Delta(8), ZSTD(1)),
    `first_offset` Int64 comment 'offset of its first record' codec(Delta(8), ZSTD(1)),
    `last_offset` Int64 comment 'offset of its last record' codec(Delta(8), ZSTD(1)),
    `last_at` DateTime64(6, 'UTC') comment 'instant of its last record' codec(Delta(8), ZSTD(1)),
    `is_request` Bool comment 'false: only errors that name the id',
    `end_columns` Int64 comment 'bits of the columns that synthesis_complete filled: 0 request_id, 1 text, 2 text_len, 3 lang, 4 voice, 5 duration_ms, 6 cache_hit, 7 cache_saved, 8 status, 9 model_stage, 10 error_code, 11 audio_size_kb, 12 rms, 13 spectral_centroid, 14 text_class, 15 text_points, 16 instance, 17 profile, 18 audio_ms, 19 rtf, 20 tokens, 21 id_source, 22 assembly',
    `text_class` LowCardinality(Nullable(String)) comment 'class of the text',
    `text_points` Nullable(Int64) comment 'code points of the text',
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax,
    index id_bloom `id` type bloom_filter(0.01),
    index request_key_bloom `request_key` type bloom_filter(0.01)
)
engine = MergeTree
order by (file_key, first_offset)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'Parts of requests that later records may join: unfinished, or spread over several log files. All versions of them.';
create table if not exists stage_timings_rows (
    `request_key` Nullable(Int64) comment 'the request' codec(Delta(8), ZSTD(1)),
    `id` Nullable(String) comment 'the service\'s id of the request' codec(ZSTD(1)),
    `host` LowCardinality(String) comment 'machine the log comes from',
    `stage` LowCardinality(Nullable(String)) comment 'text_normalize, llm_prompt_gen, llm_inference, ...',
    `seq` Nullable(Int32) comment '1, 2, ... in time within the request',
    `logged_at` DateTime64(6, 'UTC') comment 'instant of the stage_time record' codec(Delta(8), ZSTD(1)),
    `elapsed_ms` Nullable(Float64) comment 'milliseconds since the request began' codec(ZSTD(1)),
    `duration_ms` Nullable(Float64) comment 'the stage\'s own milliseconds' codec(ZSTD(1)),
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax,
    index id_bloom `id` type bloom_filter(0.01),
    index request_key_bloom `request_key` type bloom_filter(0.01),
    index file_key_range `file_key` type minmax
)
engine = MergeTree
partition by toYYYYMM(logged_at)
order by (logged_at, file_key, byte_offset)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per stage that a request went through. All versions of them.';
create table if not exists errors_rows (
    `error_key` Int64 comment 'unique key: file_key and byte_offset' codec(Delta(8), ZSTD(1)),
    `occurred_at` DateTime64(6, 'UTC') comment 'instant of the record' codec(Delta(8), ZSTD(1)),
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `level` LowCardinality(String) comment 'WARNING, ERROR or CRITICAL',
    `logger` LowCardinality(Nullable(String)) comment 'name of the Python logger',
    `event` LowCardinality(Nullable(String)) comment 'the event\'s name, where the message begins with one',
    `code` LowCardinality(Nullable(String)) comment 'error_code or warning_code',
    `id` Nullable(String) comment 'the service\'s id of the request' codec(ZSTD(1)),
    `request_id` Nullable(String) comment 'X-Request-ID' codec(ZSTD(1)),
    `request_key` Nullable(Int64) comment 'the request, where it is known' codec(Delta(8), ZSTD(1)),
    `message` Nullable(String) comment 'the message without its traceback' codec(ZSTD(3)),
    `exception_type` LowCardinality(Nullable(String)) comment 'type of the exception raised last',
    `exception_message` Nullable(String) comment 'its message' codec(ZSTD(3)),
    `traceback` Nullable(String) comment 'the traceback as logged' codec(ZSTD(3)),
    `location` Nullable(String) comment 'file:line in function of the deepest frame that is the service\'s own' codec(ZSTD(1)),
    `attributes` Nullable(String) comment 'every other key=value pair of the record' codec(ZSTD(3)),
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax,
    index id_bloom `id` type bloom_filter(0.01),
    index request_id_bloom `request_id` type bloom_filter(0.01),
    index request_key_bloom `request_key` type bloom_filter(0.01),
    index file_key_range `file_key` type minmax
)
engine = MergeTree
partition by toYYYYMM(occurred_at)
order by (occurred_at, error_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per WARNING, ERROR or CRITICAL record. All versions of them.';
create table if not exists cache_samples_rows (
    `sample_key` Int64 comment 'unique key: file_key and byte_offset' codec(Delta(8), ZSTD(1)),
    `sampled_at` DateTime64(6, 'UTC') comment 'instant of the record' codec(Delta(8), ZSTD(1)),
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `path` Nullable(String) comment 'cache directory' codec(ZSTD(1)),
    `used_percent` Nullable(Float64) comment 'used, percent' codec(ZSTD(1)),
    `threshold_percent` Nullable(Float64) comment 'alarm threshold, percent' codec(ZSTD(1)),
    `used_mb` Nullable(Float64) comment 'used, MB' codec(ZSTD(1)),
    `total_mb` Nullable(Float64) comment 'capacity, MB' codec(ZSTD(1)),
    `action` LowCardinality(Nullable(String)) comment 'what the service did about it',
    `event` LowCardinality(String) comment 'cache_dir_usage or cache_health',
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax,
    index file_key_range `file_key` type minmax
)
engine = MergeTree
partition by toYYYYMM(sampled_at)
order by (sampled_at, sample_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per cache_dir_usage or cache_health record. All versions of them.';
create table if not exists http_requests_rows (
    `http_key` Int64 comment 'unique key: file_key and byte_offset' codec(Delta(8), ZSTD(1)),
    `logged_at` DateTime64(6, 'UTC') comment 'instant of the line' codec(Delta(8), ZSTD(1)),
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `server` LowCardinality(Nullable(String)) comment 'server that logged it: nginx, uvicorn, ...',
    `client` Nullable(String) comment 'address of the client' codec(ZSTD(1)),
    `method` LowCardinality(Nullable(String)) comment 'GET, POST, ...',
    `path` Nullable(String) comment 'path, without the query' codec(ZSTD(1)),
    `query` Nullable(String) comment 'query string (user text)' codec(ZSTD(1)),
    `protocol` LowCardinality(Nullable(String)) comment 'HTTP/1.1, ...',
    `http_status` Nullable(Int64) comment 'status of the answer',
    `bytes_sent` Nullable(Int64) comment 'bytes sent',
    `request_ms` Nullable(Float64) comment 'whole time of the request, milliseconds' codec(ZSTD(1)),
    `upstream_ms` Nullable(Float64) comment 'time of the upstream servers, milliseconds; the sum if there are several' codec(ZSTD(1)),
    `id` Nullable(String) comment 'the service\'s id of the request that it answers, where known' codec(ZSTD(1)),
    `request_id` Nullable(String) comment 'X-Request-ID' codec(ZSTD(1)),
    `request_key` Nullable(Int64) comment 'the request that it answers, where known' codec(Delta(8), ZSTD(1)),
    `user_agent` Nullable(String) comment 'what the client calls itself (user text)' codec(ZSTD(1)),
    `referer` Nullable(String) comment 'page that the client came from (user text)' codec(ZSTD(1)),
    `attributes` Nullable(String) comment 'every other field of the line' codec(ZSTD(3)),
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'of the line\'s first byte, uncompressed' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax,
    index id_bloom `id` type bloom_filter(0.01),
    index request_id_bloom `request_id` type bloom_filter(0.01),
    index request_key_bloom `request_key` type bloom_filter(0.01),
    index file_key_range `file_key` type minmax
)
engine = MergeTree
partition by toYYYYMM(logged_at)
order by (logged_at, http_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per access line: a request as an HTTP server logged it. All versions of them.';
create table if not exists quarantine_rows (
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'of its first byte, uncompressed' codec(Delta(8), ZSTD(1)),
    `byte_length` Int64 comment 'its length',
    `reason` LowCardinality(String) comment 'no_header, bad_time, too_long or torn',
    `raw` String comment 'the text, or its head past the limit' codec(ZSTD(3)),
    `quarantined_at` DateTime64(6, 'UTC') comment 'when' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (file_key, byte_offset)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'What could not be understood, with its place and reason. All versions of them.';
create table if not exists stored_lines_rows (
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'of the first line, uncompressed' codec(Delta(8), ZSTD(1)),
    `byte_length` Int64 comment 'up to the line after the last',
    `mark` Int64 comment 'hash of the first line',
    `line_hashes` String comment '16 bits of the hash of each line' codec(ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (mark, file_key, byte_offset)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per group of lines that were stored: content is recognised by it. All versions of them.';
create table if not exists known_stretches_rows (
    `file_key` Int64 comment 'log file' codec(Delta(8), ZSTD(1)),
    `byte_offset` Int64 comment 'where it begins, uncompressed' codec(Delta(8), ZSTD(1)),
    `byte_length` Int64 comment 'its length',
    `stored_file_key` Int64 comment 'log file that it was stored from' codec(Delta(8), ZSTD(1)),
    `stored_offset` Int64 comment 'where it begins there' codec(Delta(8), ZSTD(1)),
    `is_edited` Bool comment 'true: it is what was stored there, edited afterwards',
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (file_key, byte_offset)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per stretch of a log file whose records were stored from another place before. All versions of them.';
create table if not exists ingest_runs_rows (
    `run_key` Int64 comment 'key of the run' codec(Delta(8), ZSTD(1)),
    `host` Nullable(String) comment 'machine whose logs it read',
    `started_at` DateTime64(6, 'UTC') comment 'start' codec(Delta(8), ZSTD(1)),
    `finished_at` Nullable(DateTime64(6, 'UTC')) comment 'end' codec(Delta(8), ZSTD(1)),
    `status` String comment 'running, done, failed or interrupted',
    `files` Int64 comment 'log files read',
    `bytes` Int64 comment 'uncompressed bytes read',
    `records` Int64 comment 'records',
    `rows` Int64 comment 'rows added to the tables',
    `quarantined` Int64 comment 'pieces put into quarantine',
    `record_bytes` Int64 comment 'bytes in records',
    `quarantined_bytes` Int64 comment 'bytes put into quarantine',
    `ignored_bytes` Int64 comment 'bytes ignored by rule',
    `tail_bytes` Int64 comment 'bytes held back: the last record may still grow',
    `lost_bytes` Int64 comment 'bytes that were gone before they were read',
    `error` Nullable(String) comment 'what went wrong' codec(ZSTD(1)),
    `unclaimed` Int64 comment 'lines that nothing explains',
    `unclaimed_bytes` Int64 comment 'bytes in these',
    `already_stored_bytes` Int64 comment 'bytes of records stored from another place before',
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (run_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per run of ttsq ingest that read something, or failed. All versions of them.';
create table if not exists log_files_rows (
    `file_key` Int64 comment 'key of the file through all its names' codec(Delta(8), ZSTD(1)),
    `host` String comment 'machine the log comes from',
    `service` String comment 'service the log comes from',
    `path` String comment 'last seen at' codec(ZSTD(1)),
    `fingerprint` Nullable(String) comment 'hashes of its first bytes: length:hash, length:hash, ...' codec(ZSTD(1)),
    `header_offset` Nullable(Int64) comment 'end of the first record header with a stamp' codec(Delta(8), ZSTD(1)),
    `anchor` Nullable(String) comment 'length:hash of the bytes just before committed_offset' codec(ZSTD(1)),
    `committed_offset` Int64 comment 'everything before it is stored; uncompressed bytes' codec(Delta(8), ZSTD(1)),
    `size_bytes` Int64 comment 'uncompressed size when last read',
    `stored_bytes` Int64 comment 'size on disk when last seen',
    `modified_ns` Int64 comment 'modification time when last seen, ns since the epoch',
    `device` Int64 comment 'device number when last seen',
    `inode` Int64 comment 'inode number when last seen',
    `compression` String comment 'none, gzip or zstd',
    `state` String comment 'live, finished, waiting, damaged, edited or replaced',
    `records` Int64 comment 'records read',
    `record_bytes` Int64 comment 'bytes in records',
    `quarantined` Int64 comment 'pieces in quarantine',
    `quarantined_bytes` Int64 comment 'bytes in quarantine',
    `ignored_bytes` Int64 comment 'bytes ignored by rule: blank lines, NUL fill, bars',
    `lost_bytes` Int64 comment 'bytes seen but gone before they were read',
    `last_logged_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of the last record stored' codec(Delta(8), ZSTD(1)),
    `note` Nullable(String) comment 'why nothing was read, or what was noticed' codec(ZSTD(1)),
    `first_seen_at` DateTime64(6, 'UTC') comment 'first seen' codec(Delta(8), ZSTD(1)),
    `last_ingested_at` Nullable(DateTime64(6, 'UTC')) comment 'last time rows came from it' codec(Delta(8), ZSTD(1)),
    `unclaimed` Int64 comment 'lines that nothing explains',
    `unclaimed_bytes` Int64 comment 'bytes in these',
    `already_stored_bytes` Int64 comment 'bytes of records stored from another place before',
    `encoding` Nullable(String) comment 'encoding of the text; null while it is not known',
    `format` Nullable(String) comment 'what it is read with, JSON' codec(ZSTD(1)),
    `reading` Nullable(String) comment 'state of the reading at committed_offset, JSON; null without one' codec(ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (file_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'The log files known, and their checkpoints. All versions of them.';
create table if not exists pruned_rows (
    `table_name` String comment 'the table' codec(ZSTD(1)),
    `pruned_before` Nullable(DateTime64(6, 'UTC')) comment 'rows older than this were removed' codec(Delta(8), ZSTD(1)),
    `text_pruned_before` Nullable(DateTime64(6, 'UTC')) comment 'user text older than this was removed' codec(Delta(8), ZSTD(1)),
    `rows` Int64 comment 'rows removed so far',
    `pruned_at` Nullable(DateTime64(6, 'UTC')) comment 'when the last pruning was complete and its space given back; null before' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (table_name)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'One row per table from which ttsq prune has removed rows or texts. All versions of them.';
create table if not exists text_salts_rows (
    `salt_key` Int32 comment '1: there is one',
    `salt` String comment 'hexadecimal' codec(ZSTD(1)),
    `made_at` DateTime64(6, 'UTC') comment 'made' codec(Delta(8), ZSTD(1)),
    `version` UInt64 comment 'of the commit that brought the row, and of the step within it' codec(Delta(8), ZSTD(1)),
    index version_range version type minmax
)
engine = MergeTree
order by (salt_key)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
comment 'The key of the hashes of texts (--text hash); without it nobody can guess a text. All versions of them.';
create view if not exists requests (
    `request_key` Int64 comment 'unique key: file_key and offset of its first record',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `logged_at` DateTime64(6, 'UTC') comment 'first instant known of the request',
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `started_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_start',
    `completed_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_complete',
    `status` LowCardinality(Nullable(String)) comment 'success, failed, as logged otherwise; null while unfinished',
    `duration_ms` Nullable(Float64) comment 'end to end, milliseconds, as logged at the end',
    `text` Nullable(String) comment 'the text to be spoken (user text)',
    `text_len` Nullable(Int64) comment 'length of the text in characters, as logged, else code points',
    `text_class` LowCardinality(Nullable(String)) comment 'empty, control, emoji, symbols or plain',
    `lang` LowCardinality(Nullable(String)) comment 'language',
    `voice` LowCardinality(Nullable(String)) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `cache_saved` Nullable(Bool) comment 'the result was written to the cache',
    `model_stage` LowCardinality(Nullable(String)) comment 'stage reached or failed in, as logged at the end',
    `error_code` LowCardinality(Nullable(String)) comment 'error code of a failed request',
    `audio_size_kb` Nullable(Float64) comment 'size of the audio, KB',
    `rms` Nullable(Float64) comment 'loudness of the audio (root mean square)',
    `spectral_centroid` Nullable(Float64) comment 'brightness of the audio, Hz',
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `id_source` LowCardinality(Nullable(String)) comment 'logged, or place: made from where the request begins in its log',
    `assembly` LowCardinality(Nullable(String)) comment 'how its records were put together: id, sequence or uncertain',
    `profile` LowCardinality(Nullable(String)) comment 'profile that its lines were read by; null for events of its own',
    `audio_ms` Nullable(Float64) comment 'length of the audio made, milliseconds',
    `rtf` Nullable(Float64) comment 'real-time factor: as logged, else time taken per time of audio',
    `tokens` Nullable(Int64) comment 'tokens generated',
    `attributes` Nullable(String) comment 'every other key=value pair of its records',
    `start_file_key` Nullable(Int64) comment 'log file of synthesis_start',
    `start_offset` Nullable(Int64) comment 'byte offset of synthesis_start in that file, uncompressed',
    `end_file_key` Nullable(Int64) comment 'log file of synthesis_complete',
    `end_offset` Nullable(Int64) comment 'byte offset of synthesis_complete, uncompressed'
)
as select `request_key`, `id`, `request_id`, `host`, `service`, `logged_at`, `time_source`, `started_at`, `completed_at`, `status`, `duration_ms`, `text`, `text_len`, `text_class`, `lang`, `voice`, `cache_hit`, `cache_saved`, `model_stage`, `error_code`, `audio_size_kb`, `rms`, `spectral_centroid`, `instance`, `id_source`, `assembly`, `profile`, `audio_ms`, `rtf`, `tokens`, `attributes`, `start_file_key`, `start_offset`, `end_file_key`, `end_offset` from requests_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (request_key, 0, version) not in (select key, place, version from superseded where table_name = 'requests' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per synthesis request.';
create view if not exists request_parts (
    `request_key` Int64 comment 'unique key: file_key and offset of its first record',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `logged_at` DateTime64(6, 'UTC') comment 'first instant known of the request',
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `started_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_start',
    `completed_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of synthesis_complete',
    `status` LowCardinality(Nullable(String)) comment 'success, failed, as logged otherwise; null while unfinished',
    `duration_ms` Nullable(Float64) comment 'end to end, milliseconds, as logged at the end',
    `text` Nullable(String) comment 'the text to be spoken (user text)',
    `text_len` Nullable(Int64) comment 'length of the text in characters, as logged, else code points',
    `lang` LowCardinality(Nullable(String)) comment 'language',
    `voice` LowCardinality(Nullable(String)) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `cache_saved` Nullable(Bool) comment 'the result was written to the cache',
    `model_stage` LowCardinality(Nullable(String)) comment 'stage reached or failed in, as logged at the end',
    `error_code` LowCardinality(Nullable(String)) comment 'error code of a failed request',
    `audio_size_kb` Nullable(Float64) comment 'size of the audio, KB',
    `rms` Nullable(Float64) comment 'loudness of the audio (root mean square)',
    `spectral_centroid` Nullable(Float64) comment 'brightness of the audio, Hz',
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `id_source` LowCardinality(Nullable(String)) comment 'logged, or place: made from where the request begins in its log',
    `assembly` LowCardinality(Nullable(String)) comment 'how its records were put together: id, sequence or uncertain',
    `profile` LowCardinality(Nullable(String)) comment 'profile that its lines were read by; null for events of its own',
    `audio_ms` Nullable(Float64) comment 'length of the audio made, milliseconds',
    `rtf` Nullable(Float64) comment 'real-time factor: as logged, else time taken per time of audio',
    `tokens` Nullable(Int64) comment 'tokens generated',
    `attributes` Nullable(String) comment 'every other key=value pair of its records',
    `start_file_key` Nullable(Int64) comment 'log file of synthesis_start',
    `start_offset` Nullable(Int64) comment 'byte offset of synthesis_start in that file, uncompressed',
    `end_file_key` Nullable(Int64) comment 'log file of synthesis_complete',
    `end_offset` Nullable(Int64) comment 'byte offset of synthesis_complete, uncompressed',
    `file_key` Int64 comment 'log file of the part',
    `first_offset` Int64 comment 'offset of its first record',
    `last_offset` Int64 comment 'offset of its last record',
    `last_at` DateTime64(6, 'UTC') comment 'instant of its last record',
    `is_request` Bool comment 'false: only errors that name the id',
    `end_columns` Int64 comment 'bits of the columns that synthesis_complete filled: 0 request_id, 1 text, 2 text_len, 3 lang, 4 voice, 5 duration_ms, 6 cache_hit, 7 cache_saved, 8 status, 9 model_stage, 10 error_code, 11 audio_size_kb, 12 rms, 13 spectral_centroid, 14 text_class, 15 text_points, 16 instance, 17 profile, 18 audio_ms, 19 rtf, 20 tokens, 21 id_source, 22 assembly',
    `text_class` LowCardinality(Nullable(String)) comment 'class of the text',
    `text_points` Nullable(Int64) comment 'code points of the text'
)
as select `request_key`, `id`, `request_id`, `host`, `service`, `logged_at`, `time_source`, `started_at`, `completed_at`, `status`, `duration_ms`, `text`, `text_len`, `lang`, `voice`, `cache_hit`, `cache_saved`, `model_stage`, `error_code`, `audio_size_kb`, `rms`, `spectral_centroid`, `instance`, `id_source`, `assembly`, `profile`, `audio_ms`, `rtf`, `tokens`, `attributes`, `start_file_key`, `start_offset`, `end_file_key`, `end_offset`, `file_key`, `first_offset`, `last_offset`, `last_at`, `is_request`, `end_columns`, `text_class`, `text_points` from request_parts_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (file_key, first_offset, version) not in (select key, place, version from superseded where table_name = 'request_parts' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'Parts of requests that later records may join: unfinished, or spread over several log files.';
create view if not exists stage_timings (
    `request_key` Nullable(Int64) comment 'the request',
    `id` Nullable(String) comment 'the service\'s id of the request',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `stage` LowCardinality(Nullable(String)) comment 'text_normalize, llm_prompt_gen, llm_inference, ...',
    `seq` Nullable(Int32) comment '1, 2, ... in time within the request',
    `logged_at` DateTime64(6, 'UTC') comment 'instant of the stage_time record',
    `elapsed_ms` Nullable(Float64) comment 'milliseconds since the request began',
    `duration_ms` Nullable(Float64) comment 'the stage\'s own milliseconds',
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed'
)
as select `request_key`, `id`, `host`, `stage`, `seq`, `logged_at`, `elapsed_ms`, `duration_ms`, `file_key`, `byte_offset` from stage_timings_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (bitOr(bitShiftLeft(file_key, 40), byte_offset), seq, version) not in (select key, place, version from superseded where table_name = 'stage_timings' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per stage that a request went through.';
create view if not exists errors (
    `error_key` Int64 comment 'unique key: file_key and byte_offset',
    `occurred_at` DateTime64(6, 'UTC') comment 'instant of the record',
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `level` LowCardinality(String) comment 'WARNING, ERROR or CRITICAL',
    `logger` LowCardinality(Nullable(String)) comment 'name of the Python logger',
    `event` LowCardinality(Nullable(String)) comment 'the event\'s name, where the message begins with one',
    `code` LowCardinality(Nullable(String)) comment 'error_code or warning_code',
    `id` Nullable(String) comment 'the service\'s id of the request',
    `request_id` Nullable(String) comment 'X-Request-ID',
    `request_key` Nullable(Int64) comment 'the request, where it is known',
    `message` Nullable(String) comment 'the message without its traceback',
    `exception_type` LowCardinality(Nullable(String)) comment 'type of the exception raised last',
    `exception_message` Nullable(String) comment 'its message',
    `traceback` Nullable(String) comment 'the traceback as logged',
    `location` Nullable(String) comment 'file:line in function of the deepest frame that is the service\'s own',
    `attributes` Nullable(String) comment 'every other key=value pair of the record',
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed'
)
as select `error_key`, `occurred_at`, `time_source`, `host`, `service`, `instance`, `level`, `logger`, `event`, `code`, `id`, `request_id`, `request_key`, `message`, `exception_type`, `exception_message`, `traceback`, `location`, `attributes`, `file_key`, `byte_offset` from errors_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (error_key, 0, version) not in (select key, place, version from superseded where table_name = 'errors' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per WARNING, ERROR or CRITICAL record.';
create view if not exists cache_samples (
    `sample_key` Int64 comment 'unique key: file_key and byte_offset',
    `sampled_at` DateTime64(6, 'UTC') comment 'instant of the record',
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `path` Nullable(String) comment 'cache directory',
    `used_percent` Nullable(Float64) comment 'used, percent',
    `threshold_percent` Nullable(Float64) comment 'alarm threshold, percent',
    `used_mb` Nullable(Float64) comment 'used, MB',
    `total_mb` Nullable(Float64) comment 'capacity, MB',
    `action` LowCardinality(Nullable(String)) comment 'what the service did about it',
    `event` LowCardinality(String) comment 'cache_dir_usage or cache_health',
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed'
)
as select `sample_key`, `sampled_at`, `time_source`, `host`, `path`, `used_percent`, `threshold_percent`, `used_mb`, `total_mb`, `action`, `event`, `file_key`, `byte_offset` from cache_samples_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (sample_key, 0, version) not in (select key, place, version from superseded where table_name = 'cache_samples' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per cache_dir_usage or cache_health record.';
create view if not exists http_requests (
    `http_key` Int64 comment 'unique key: file_key and byte_offset',
    `logged_at` DateTime64(6, 'UTC') comment 'instant of the line',
    `time_source` LowCardinality(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `host` LowCardinality(String) comment 'machine the log comes from',
    `service` LowCardinality(String) comment 'service the log comes from',
    `instance` LowCardinality(Nullable(String)) comment 'container, pod, unit or process within the log',
    `server` LowCardinality(Nullable(String)) comment 'server that logged it: nginx, uvicorn, ...',
    `client` Nullable(String) comment 'address of the client',
    `method` LowCardinality(Nullable(String)) comment 'GET, POST, ...',
    `path` Nullable(String) comment 'path, without the query',
    `query` Nullable(String) comment 'query string (user text)',
    `protocol` LowCardinality(Nullable(String)) comment 'HTTP/1.1, ...',
    `http_status` Nullable(Int64) comment 'status of the answer',
    `bytes_sent` Nullable(Int64) comment 'bytes sent',
    `request_ms` Nullable(Float64) comment 'whole time of the request, milliseconds',
    `upstream_ms` Nullable(Float64) comment 'time of the upstream servers, milliseconds; the sum if there are several',
    `id` Nullable(String) comment 'the service\'s id of the request that it answers, where known',
    `request_id` Nullable(String) comment 'X-Request-ID',
    `request_key` Nullable(Int64) comment 'the request that it answers, where known',
    `user_agent` Nullable(String) comment 'what the client calls itself (user text)',
    `referer` Nullable(String) comment 'page that the client came from (user text)',
    `attributes` Nullable(String) comment 'every other field of the line',
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of the line\'s first byte, uncompressed'
)
as select `http_key`, `logged_at`, `time_source`, `host`, `service`, `instance`, `server`, `client`, `method`, `path`, `query`, `protocol`, `http_status`, `bytes_sent`, `request_ms`, `upstream_ms`, `id`, `request_id`, `request_key`, `user_agent`, `referer`, `attributes`, `file_key`, `byte_offset` from http_requests_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (http_key, 0, version) not in (select key, place, version from superseded where table_name = 'http_requests' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per access line: a request as an HTTP server logged it.';
create view if not exists quarantine (
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of its first byte, uncompressed',
    `byte_length` Int64 comment 'its length',
    `reason` LowCardinality(String) comment 'no_header, bad_time, too_long or torn',
    `raw` String comment 'the text, or its head past the limit',
    `quarantined_at` DateTime64(6, 'UTC') comment 'when'
)
as select `file_key`, `byte_offset`, `byte_length`, `reason`, `raw`, `quarantined_at` from quarantine_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (file_key, byte_offset, version) not in (select key, place, version from superseded where table_name = 'quarantine' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'What could not be understood, with its place and reason.';
create view if not exists stored_lines (
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of the first line, uncompressed',
    `byte_length` Int64 comment 'up to the line after the last',
    `mark` Int64 comment 'hash of the first line',
    `line_hashes` String comment '16 bits of the hash of each line'
)
as select `file_key`, `byte_offset`, `byte_length`, `mark`, `line_hashes` from stored_lines_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (file_key, byte_offset, version) not in (select key, place, version from superseded where table_name = 'stored_lines' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per group of lines that were stored: content is recognised by it.';
create view if not exists known_stretches (
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'where it begins, uncompressed',
    `byte_length` Int64 comment 'its length',
    `stored_file_key` Int64 comment 'log file that it was stored from',
    `stored_offset` Int64 comment 'where it begins there',
    `is_edited` Bool comment 'true: it is what was stored there, edited afterwards'
)
as select `file_key`, `byte_offset`, `byte_length`, `stored_file_key`, `stored_offset`, `is_edited` from known_stretches_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (file_key, byte_offset, version) not in (select key, place, version from superseded where table_name = 'known_stretches' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per stretch of a log file whose records were stored from another place before.';
create view if not exists ingest_runs (
    `run_key` Int64 comment 'key of the run',
    `host` Nullable(String) comment 'machine whose logs it read',
    `started_at` DateTime64(6, 'UTC') comment 'start',
    `finished_at` Nullable(DateTime64(6, 'UTC')) comment 'end',
    `status` String comment 'running, done, failed or interrupted',
    `files` Int64 comment 'log files read',
    `bytes` Int64 comment 'uncompressed bytes read',
    `records` Int64 comment 'records',
    `rows` Int64 comment 'rows added to the tables',
    `quarantined` Int64 comment 'pieces put into quarantine',
    `record_bytes` Int64 comment 'bytes in records',
    `quarantined_bytes` Int64 comment 'bytes put into quarantine',
    `ignored_bytes` Int64 comment 'bytes ignored by rule',
    `tail_bytes` Int64 comment 'bytes held back: the last record may still grow',
    `lost_bytes` Int64 comment 'bytes that were gone before they were read',
    `error` Nullable(String) comment 'what went wrong',
    `unclaimed` Int64 comment 'lines that nothing explains',
    `unclaimed_bytes` Int64 comment 'bytes in these',
    `already_stored_bytes` Int64 comment 'bytes of records stored from another place before'
)
as select `run_key`, `host`, `started_at`, `finished_at`, `status`, `files`, `bytes`, `records`, `rows`, `quarantined`, `record_bytes`, `quarantined_bytes`, `ignored_bytes`, `tail_bytes`, `lost_bytes`, `error`, `unclaimed`, `unclaimed_bytes`, `already_stored_bytes` from ingest_runs_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (run_key, 0, version) not in (select key, place, version from superseded where table_name = 'ingest_runs' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per run of ttsq ingest that read something, or failed.';
create view if not exists log_files (
    `file_key` Int64 comment 'key of the file through all its names',
    `host` String comment 'machine the log comes from',
    `service` String comment 'service the log comes from',
    `path` String comment 'last seen at',
    `fingerprint` Nullable(String) comment 'hashes of its first bytes: length:hash, length:hash, ...',
    `header_offset` Nullable(Int64) comment 'end of the first record header with a stamp',
    `anchor` Nullable(String) comment 'length:hash of the bytes just before committed_offset',
    `committed_offset` Int64 comment 'everything before it is stored; uncompressed bytes',
    `size_bytes` Int64 comment 'uncompressed size when last read',
    `stored_bytes` Int64 comment 'size on disk when last seen',
    `modified_ns` Int64 comment 'modification time when last seen, ns since the epoch',
    `device` Int64 comment 'device number when last seen',
    `inode` Int64 comment 'inode number when last seen',
    `compression` String comment 'none, gzip or zstd',
    `state` String comment 'live, finished, waiting, damaged, edited or replaced',
    `records` Int64 comment 'records read',
    `record_bytes` Int64 comment 'bytes in records',
    `quarantined` Int64 comment 'pieces in quarantine',
    `quarantined_bytes` Int64 comment 'bytes in quarantine',
    `ignored_bytes` Int64 comment 'bytes ignored by rule: blank lines, NUL fill, bars',
    `lost_bytes` Int64 comment 'bytes seen but gone before they were read',
    `last_logged_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of the last record stored',
    `note` Nullable(String) comment 'why nothing was read, or what was noticed',
    `first_seen_at` DateTime64(6, 'UTC') comment 'first seen',
    `last_ingested_at` Nullable(DateTime64(6, 'UTC')) comment 'last time rows came from it',
    `unclaimed` Int64 comment 'lines that nothing explains',
    `unclaimed_bytes` Int64 comment 'bytes in these',
    `already_stored_bytes` Int64 comment 'bytes of records stored from another place before',
    `encoding` Nullable(String) comment 'encoding of the text; null while it is not known',
    `format` Nullable(String) comment 'what it is read with, JSON',
    `reading` Nullable(String) comment 'state of the reading at committed_offset, JSON; null without one'
)
as select `file_key`, `host`, `service`, `path`, `fingerprint`, `header_offset`, `anchor`, `committed_offset`, `size_bytes`, `stored_bytes`, `modified_ns`, `device`, `inode`, `compression`, `state`, `records`, `record_bytes`, `quarantined`, `quarantined_bytes`, `ignored_bytes`, `lost_bytes`, `last_logged_at`, `note`, `first_seen_at`, `last_ingested_at`, `unclaimed`, `unclaimed_bytes`, `already_stored_bytes`, `encoding`, `format`, `reading` from log_files_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (file_key, 0, version) not in (select key, place, version from superseded where table_name = 'log_files' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'The log files known, and their checkpoints.';
create view if not exists pruned (
    `table_name` String comment 'the table',
    `pruned_before` Nullable(DateTime64(6, 'UTC')) comment 'rows older than this were removed',
    `text_pruned_before` Nullable(DateTime64(6, 'UTC')) comment 'user text older than this was removed',
    `rows` Int64 comment 'rows removed so far',
    `pruned_at` Nullable(DateTime64(6, 'UTC')) comment 'when the last pruning was complete and its space given back; null before'
)
as select `table_name`, `pruned_before`, `text_pruned_before`, `rows`, `pruned_at` from pruned_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (reinterpretAsInt64(cityHash64(table_name)), 0, version) not in (select key, place, version from superseded where table_name = 'pruned' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per table from which ttsq prune has removed rows or texts.';
create view if not exists text_salts (
    `salt_key` Int32 comment '1: there is one',
    `salt` String comment 'hexadecimal',
    `made_at` DateTime64(6, 'UTC') comment 'made'
)
as select `salt_key`, `salt`, `made_at` from text_salts_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (salt_key, 0, version) not in (select key, place, version from superseded where table_name = 'text_salts' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'The key of the hashes of texts (--text hash); without it nobody can guess a text.';
create view if not exists all_requests (
    `request_key` Nullable(Int64) comment 'key of the request; joins the views with each other',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it',
    `host` Nullable(String) comment 'machine the log comes from',
    `service` Nullable(String) comment 'service the log comes from',
    `day` Nullable(Date32) comment 'UTC day of logged_at; for ranges, logged_at is faster',
    `logged_at` Nullable(DateTime64(6, 'UTC')) comment 'first instant known of the request; never null',
    `time_source` Nullable(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `started_at` Nullable(DateTime64(6, 'UTC')) comment 'when it began; null where its start was not logged',
    `completed_at` Nullable(DateTime64(6, 'UTC')) comment 'when it ended; null while unfinished',
    `status` Nullable(String) comment 'success, failed, as logged otherwise; null while unfinished',
    `failed` Nullable(Bool) comment 'true: it ended, and not with success; false also while unfinished',
    `finished` Nullable(Bool) comment 'true: its end was logged',
    `duration_ms` Nullable(Float64) comment 'end to end, milliseconds',
    `text_len` Nullable(Int64) comment 'length of the text, characters',
    `text_class` Nullable(String) comment 'kind of text: empty, control, emoji, symbols or plain',
    `lang` Nullable(String) comment 'language',
    `voice` Nullable(String) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `cache_saved` Nullable(Bool) comment 'the result was written to the cache',
    `model_stage` Nullable(String) comment 'stage reached or failed in',
    `error_code` Nullable(String) comment 'error code of a failed request',
    `audio_size_kb` Nullable(Float64) comment 'size of the audio, KB',
    `rms` Nullable(Float64) comment 'loudness of the audio (root mean square)',
    `spectral_centroid` Nullable(Float64) comment 'brightness of the audio, Hz',
    `instance` Nullable(String) comment 'container, pod, unit or process within the log',
    `profile` Nullable(String) comment 'profile that its lines were read by; null for events of its own',
    `audio_ms` Nullable(Float64) comment 'length of the audio made, milliseconds',
    `rtf` Nullable(Float64) comment 'real-time factor: time taken per time of audio',
    `tokens` Nullable(Int64) comment 'tokens generated',
    `id_source` Nullable(String) comment 'logged, or place: made from where the request begins',
    `assembly` Nullable(String) comment 'how it was put together: id, sequence or uncertain',
    `log_path` Nullable(String) comment 'log file of its start (or, without one, its end): where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where its start (or, without one, its end) begins in that file, uncompressed bytes'
)
as select
    r.request_key,
    r.id,
    r.request_id,
    r.host,
    r.service,
    toDate32(r.logged_at, 'UTC') as day,
    r.logged_at,
    r.time_source,
    r.started_at,
    r.completed_at,
    r.status,
    coalesce(r.status <> 'success', false) as failed,
    r.status is not null as finished,
    r.duration_ms,
    r.text_len,
    r.text_class,
    r.lang,
    r.voice,
    r.cache_hit,
    r.cache_saved,
    r.model_stage,
    r.error_code,
    r.audio_size_kb,
    r.rms,
    r.spectral_centroid,
    r.instance,
    r.profile,
    r.audio_ms,
    r.rtf,
    r.tokens,
    r.id_source,
    r.assembly,
    f.path as log_path,
    coalesce(r.start_offset, r.end_offset) as byte_offset
from requests r
left join log_files f on f.file_key = coalesce(r.start_file_key, r.end_file_key)
settings join_use_nulls = 1
comment 'One row per synthesis request, with where its log begins.';
create view if not exists failed_requests (
    `request_key` Nullable(Int64) comment 'key of the request; joins the views with each other',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it',
    `host` Nullable(String) comment 'machine the log comes from',
    `service` Nullable(String) comment 'service the log comes from',
    `day` Nullable(Date32) comment 'UTC day of logged_at; for ranges, logged_at is faster',
    `logged_at` Nullable(DateTime64(6, 'UTC')) comment 'first instant known of the request; never null',
    `completed_at` Nullable(DateTime64(6, 'UTC')) comment 'when it ended',
    `status` Nullable(String) comment 'failed, or as logged',
    `duration_ms` Nullable(Float64) comment 'end to end, milliseconds',
    `text_len` Nullable(Int64) comment 'length of the text, characters',
    `text_class` Nullable(String) comment 'kind of text: empty, control, emoji, symbols or plain',
    `lang` Nullable(String) comment 'language',
    `voice` Nullable(String) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `model_stage` Nullable(String) comment 'stage it failed in',
    `error_code` Nullable(String) comment 'error code, from its end or else from its first error',
    `exception_type` Nullable(String) comment 'type of the exception of its first error; the first with a traceback, if any has one',
    `location` Nullable(String) comment 'file, line and function of the service\'s own code where that was raised',
    `log_path` Nullable(String) comment 'log file of that error\'s record (without one, the request\'s end or start): where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where that error\'s record (without one, the request\'s end or start) begins in that file, uncompressed bytes'
)
as select
    r.request_key as request_key,
    r.id as id,
    r.request_id as request_id,
    r.host as host,
    r.service as service,
    toDate32(r.logged_at, 'UTC') as day,
    r.logged_at as logged_at,
    r.completed_at as completed_at,
    r.status as status,
    r.duration_ms as duration_ms,
    r.text_len as text_len,
    r.text_class as text_class,
    r.lang as lang,
    r.voice as voice,
    r.cache_hit as cache_hit,
    r.model_stage as model_stage,
    coalesce(r.error_code, e.code) as error_code,
    e.exception_type as exception_type,
    e.location as location,
    f.path as log_path,
    multiIf(
        e.file_key is not null, e.byte_offset,
        r.end_file_key is not null, r.end_offset,
        r.start_offset
    ) as byte_offset
from requests as r
left join (
    select request_key, code, exception_type, location, file_key, byte_offset
    from errors
    where level <> 'WARNING' and request_key is not null
    order by location is null, occurred_at, error_key
    limit 1 by request_key
) as e on e.request_key = r.request_key
left join log_files as f on f.file_key = coalesce(e.file_key, r.end_file_key, r.start_file_key)
where r.status <> 'success'
settings join_use_nulls = 1
comment 'One row per failed request: with what input, in which function, and where in which log file.';
create view if not exists stage_times (
    `request_key` Nullable(Int64) comment 'key of the request; joins the views with each other',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `host` Nullable(String) comment 'machine the log comes from',
    `service` Nullable(String) comment 'service the log comes from',
    `day` Nullable(Date32) comment 'UTC day of logged_at; for ranges, logged_at is faster',
    `logged_at` Nullable(DateTime64(6, 'UTC')) comment 'when the stage ended',
    `stage` Nullable(String) comment 'text_normalize, llm_prompt_gen, llm_inference, ...',
    `seq` Nullable(Int32) comment '1, 2, ... in time within the request',
    `own_ms` Nullable(Float64) comment 'the stage\'s own milliseconds',
    `elapsed_ms` Nullable(Float64) comment 'milliseconds since the request began',
    `request_ms` Nullable(Float64) comment 'the request\'s milliseconds, end to end',
    `status` Nullable(String) comment 'the request\'s: success, failed, as logged; null while unfinished',
    `failed` Nullable(Bool) comment 'true: the request ended, and not with success',
    `text_len` Nullable(Int64) comment 'length of the text, characters',
    `text_class` Nullable(String) comment 'kind of text: empty, control, emoji, symbols or plain',
    `lang` Nullable(String) comment 'language',
    `voice` Nullable(String) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `log_path` Nullable(String) comment 'log file of the stage\'s record: where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where the stage\'s record begins in that file, uncompressed bytes'
)
as select
    s.request_key,
    s.id,
    s.host,
    r.service,
    toDate32(s.logged_at, 'UTC') as day,
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
left join log_files f on f.file_key = s.file_key
settings join_use_nulls = 1
comment 'One row per stage that a request went through, with what the request was.';
create view if not exists logged_errors (
    `error_key` Nullable(Int64) comment 'key of the record',
    `request_key` Nullable(Int64) comment 'key of the request it belongs to, where that is known',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it',
    `host` Nullable(String) comment 'machine the log comes from',
    `service` Nullable(String) comment 'service the log comes from',
    `day` Nullable(Date32) comment 'UTC day of occurred_at; for ranges, occurred_at is faster',
    `occurred_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of the record',
    `time_source` Nullable(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `instance` Nullable(String) comment 'container, pod, unit or process within the log',
    `level` Nullable(String) comment 'WARNING, ERROR or CRITICAL',
    `logger` Nullable(String) comment 'name of the Python logger',
    `event` Nullable(String) comment 'the event\'s name, where the message begins with one',
    `code` Nullable(String) comment 'error code or warning code',
    `exception_type` Nullable(String) comment 'type of the exception raised last',
    `location` Nullable(String) comment 'file, line and function of the deepest frame of the service\'s own',
    `is_fallback` Nullable(Bool) comment 'the service made do with less: a fallback was used, or named',
    `log_path` Nullable(String) comment 'log file of the record: where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where the record begins in that file, uncompressed bytes'
)
as select
    e.error_key as error_key,
    e.request_key as request_key,
    e.id as id,
    e.request_id as request_id,
    e.host as host,
    e.service as service,
    toDate32(e.occurred_at, 'UTC') as day,
    e.occurred_at as occurred_at,
    e.time_source as time_source,
    e.instance as instance,
    e.level as level,
    e.logger as logger,
    e.event as event,
    e.code as code,
    e.exception_type as exception_type,
    e.location as location,
    coalesce(
        lower(if(JSONHas(assumeNotNull(e.attributes), 'fallback_used'),
            JSONExtractString(assumeNotNull(e.attributes), 'fallback_used'), null))
            in ('true', 'yes', '1'),
        lower(e.code) like '%fallback%' or lower(e.event) like '%fallback%',
        false
    ) as is_fallback,
    f.path as log_path,
    e.byte_offset as byte_offset
from errors as e
left join log_files as f on f.file_key = e.file_key
settings join_use_nulls = 1
comment 'One row per WARNING, ERROR or CRITICAL record, without its message.';
create view if not exists cache_levels (
    `sample_key` Nullable(Int64) comment 'key of the record',
    `host` Nullable(String) comment 'machine the log comes from',
    `day` Nullable(Date32) comment 'UTC day of sampled_at; for ranges, sampled_at is faster',
    `sampled_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of the record',
    `time_source` Nullable(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `cache_path` Nullable(String) comment 'cache directory',
    `used_percent` Nullable(Float64) comment 'used, percent',
    `threshold_percent` Nullable(Float64) comment 'alarm threshold, percent',
    `above_threshold` Nullable(Bool) comment 'the threshold was reached; null without one',
    `used_mb` Nullable(Float64) comment 'used, MB',
    `total_mb` Nullable(Float64) comment 'capacity, MB',
    `action` Nullable(String) comment 'what the service did about it',
    `event` Nullable(String) comment 'cache_dir_usage or cache_health',
    `log_path` Nullable(String) comment 'log file of the record: where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where the record begins in that file, uncompressed bytes'
)
as select
    c.sample_key,
    c.host,
    toDate32(c.sampled_at, 'UTC') as day,
    c.sampled_at,
    c.time_source,
    c.path as cache_path,
    c.used_percent,
    c.threshold_percent,
    c.used_percent >= c.threshold_percent as above_threshold,
    c.used_mb,
    c.total_mb,
    c.action,
    c.event,
    f.path as log_path,
    c.byte_offset
from cache_samples c
left join log_files f on f.file_key = c.file_key
settings join_use_nulls = 1
comment 'One row per sample of how full a cache is.';
create view if not exists http_answers (
    `http_key` Nullable(Int64) comment 'key of the line',
    `request_key` Nullable(Int64) comment 'key of the request that it answers, where that is known',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `request_id` Nullable(String) comment 'X-Request-ID, where the log has it',
    `host` Nullable(String) comment 'machine the log comes from',
    `service` Nullable(String) comment 'service the log comes from',
    `instance` Nullable(String) comment 'container, pod, unit or process within the log',
    `day` Nullable(Date32) comment 'UTC day of logged_at; for ranges, logged_at is faster',
    `logged_at` Nullable(DateTime64(6, 'UTC')) comment 'instant of the line',
    `time_source` Nullable(String) comment 'where the instant comes from: logged, envelope, neighbour, read or file',
    `server` Nullable(String) comment 'server that logged it: nginx, uvicorn, ...',
    `client` Nullable(String) comment 'address of the client',
    `method` Nullable(String) comment 'GET, POST, ...',
    `path` Nullable(String) comment 'path, without the query',
    `protocol` Nullable(String) comment 'HTTP/1.1, ...',
    `http_status` Nullable(Int64) comment 'status of the answer',
    `failed` Nullable(Bool) comment 'true: a status of 400 or above; null without one',
    `bytes_sent` Nullable(Int64) comment 'bytes sent',
    `request_ms` Nullable(Float64) comment 'whole time of the request, milliseconds',
    `upstream_ms` Nullable(Float64) comment 'time of the upstream servers, milliseconds',
    `log_path` Nullable(String) comment 'log file of the line: where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where the line begins in that file, uncompressed bytes'
)
as select
    h.http_key,
    h.request_key,
    h.id,
    h.request_id,
    h.host,
    h.service,
    h.instance,
    toDate32(h.logged_at, 'UTC') as day,
    h.logged_at,
    h.time_source,
    h.server,
    h.client,
    h.method,
    h.path,
    h.protocol,
    h.http_status,
    h.http_status >= 400 as failed,
    h.bytes_sent,
    h.request_ms,
    h.upstream_ms,
    f.path as log_path,
    h.byte_offset
from http_requests h
left join log_files f on f.file_key = h.file_key
settings join_use_nulls = 1
comment 'One row per access line, without what users sent.';
create or replace view stage_times (
    `request_key` Nullable(Int64) comment 'key of the request; joins the views with each other',
    `id` Nullable(String) comment 'the service\'s id of the request (ts_7f3a2b1c); ids may be reused',
    `host` Nullable(String) comment 'machine the log comes from',
    `service` Nullable(String) comment 'service the log comes from',
    `day` Nullable(Date32) comment 'UTC day of logged_at; for ranges, logged_at is faster',
    `logged_at` Nullable(DateTime64(6, 'UTC')) comment 'when the stage ended',
    `stage` Nullable(String) comment 'text_normalize, llm_prompt_gen, llm_inference, ...',
    `seq` Nullable(Int32) comment '1, 2, ... in time within the request',
    `own_ms` Nullable(Float64) comment 'the stage\'s own milliseconds',
    `elapsed_ms` Nullable(Float64) comment 'milliseconds since the request began',
    `request_ms` Nullable(Float64) comment 'the request\'s milliseconds, end to end',
    `status` Nullable(String) comment 'the request\'s: success, failed, as logged; null while unfinished',
    `failed` Nullable(Bool) comment 'true: the request ended, and not with success',
    `text_len` Nullable(Int64) comment 'length of the text, characters',
    `text_class` Nullable(String) comment 'kind of text: empty, control, emoji, symbols or plain',
    `lang` Nullable(String) comment 'language',
    `voice` Nullable(String) comment 'voice',
    `cache_hit` Nullable(Bool) comment 'served from the cache',
    `log_path` Nullable(String) comment 'log file of the stage\'s record: where it was seen last',
    `byte_offset` Nullable(Int64) comment 'where the stage\'s record begins in that file, uncompressed bytes'
)
as select
    s.request_key,
    r.id,
    f.host,
    r.service,
    toDate32(s.logged_at, 'UTC') as day,
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
left join log_files f on f.file_key = s.file_key
settings join_use_nulls = 1
comment 'One row per stage that a request went through, with what the request was.';
create or replace view stage_timings (
    `request_key` Nullable(Int64) comment 'the request',
    `stage` LowCardinality(Nullable(String)) comment 'text_normalize, llm_prompt_gen, llm_inference, ...',
    `seq` Nullable(Int32) comment '1, 2, ... in time within the request',
    `logged_at` DateTime64(6, 'UTC') comment 'instant of the stage_time record',
    `elapsed_ms` Nullable(Float64) comment 'milliseconds since the request began',
    `duration_ms` Nullable(Float64) comment 'the stage\'s own milliseconds',
    `file_key` Int64 comment 'log file',
    `byte_offset` Int64 comment 'of the record\'s first byte, uncompressed'
)
as select `request_key`, `stage`, `seq`, `logged_at`, `elapsed_ms`, `duration_ms`, `file_key`, `byte_offset` from stage_timings_rows where intDiv(version, 64) not in (select commit from commits where commit not in (select commit from commits where state = 1)) and (bitOr(bitShiftLeft(file_key, 40), byte_offset), seq, version) not in (select key, place, version from superseded where table_name = 'stage_timings' and commit not in (select commit from commits where commit not in (select commit from commits where state = 1)))
comment 'One row per stage that a request went through.';
alter table stage_timings_rows drop index if exists id_bloom;
alter table stage_timings_rows drop column if exists `id`;
alter table stage_timings_rows drop column if exists `host`;
INSERT INTO `alembic_version` (version_num) VALUES ('0014');
