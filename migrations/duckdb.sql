-- Generated from the revisions: python -m tests.support.schema_script
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE cache_samples (
	sample_key BIGINT NOT NULL, 
	sampled_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	host VARCHAR NOT NULL, 
	path VARCHAR, 
	used_percent DOUBLE PRECISION, 
	threshold_percent DOUBLE PRECISION, 
	used_mb DOUBLE PRECISION, 
	total_mb DOUBLE PRECISION, 
	action VARCHAR, 
	event VARCHAR NOT NULL, 
	file_key BIGINT NOT NULL, 
	byte_offset BIGINT NOT NULL
);
COMMENT ON TABLE cache_samples IS 'One row a cache_dir_usage or cache_health record.';
COMMENT ON COLUMN cache_samples.sample_key IS 'unique key: file_key and byte_offset';
COMMENT ON COLUMN cache_samples.sampled_at IS 'instant of the record';
COMMENT ON COLUMN cache_samples.host IS 'machine the log comes from';
COMMENT ON COLUMN cache_samples.path IS 'cache directory';
COMMENT ON COLUMN cache_samples.used_percent IS 'used, percent';
COMMENT ON COLUMN cache_samples.threshold_percent IS 'alarm threshold, percent';
COMMENT ON COLUMN cache_samples.used_mb IS 'used, MB';
COMMENT ON COLUMN cache_samples.total_mb IS 'capacity, MB';
COMMENT ON COLUMN cache_samples.action IS 'what the service did about it';
COMMENT ON COLUMN cache_samples.event IS 'cache_dir_usage or cache_health';
COMMENT ON COLUMN cache_samples.file_key IS 'log file';
COMMENT ON COLUMN cache_samples.byte_offset IS 'of the record''s first byte, uncompressed';
CREATE TABLE errors (
	error_key BIGINT NOT NULL, 
	occurred_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	time_inferred BOOLEAN NOT NULL, 
	host VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	level VARCHAR NOT NULL, 
	logger VARCHAR, 
	event VARCHAR, 
	code VARCHAR, 
	id VARCHAR, 
	request_id VARCHAR, 
	request_key BIGINT, 
	message VARCHAR, 
	exception_type VARCHAR, 
	exception_message VARCHAR, 
	traceback VARCHAR, 
	location VARCHAR, 
	attributes JSON, 
	file_key BIGINT NOT NULL, 
	byte_offset BIGINT NOT NULL
);
COMMENT ON TABLE errors IS 'One row a WARNING, ERROR or CRITICAL record.';
COMMENT ON COLUMN errors.error_key IS 'unique key: file_key and byte_offset';
COMMENT ON COLUMN errors.occurred_at IS 'instant of the record';
COMMENT ON COLUMN errors.time_inferred IS 'true: the record has no stamp; taken from the one before';
COMMENT ON COLUMN errors.host IS 'machine the log comes from';
COMMENT ON COLUMN errors.service IS 'service the log comes from';
COMMENT ON COLUMN errors.level IS 'WARNING, ERROR or CRITICAL';
COMMENT ON COLUMN errors.logger IS 'name of the Python logger';
COMMENT ON COLUMN errors.event IS 'the event''s name, where the message begins with one';
COMMENT ON COLUMN errors.code IS 'error_code or warning_code';
COMMENT ON COLUMN errors.id IS 'the service''s id of the request';
COMMENT ON COLUMN errors.request_id IS 'X-Request-ID';
COMMENT ON COLUMN errors.request_key IS 'the request, where it is known';
COMMENT ON COLUMN errors.message IS 'the message without its traceback';
COMMENT ON COLUMN errors.exception_type IS 'type of the exception raised last';
COMMENT ON COLUMN errors.exception_message IS 'its message';
COMMENT ON COLUMN errors.traceback IS 'the traceback as logged';
COMMENT ON COLUMN errors.location IS 'file:line in function of the deepest frame that is the service''s own';
COMMENT ON COLUMN errors.attributes IS 'every other key=value pair of the record';
COMMENT ON COLUMN errors.file_key IS 'log file';
COMMENT ON COLUMN errors.byte_offset IS 'of the record''s first byte, uncompressed';
CREATE TABLE ingest_runs (
	run_key BIGINT NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	finished_at TIMESTAMP WITH TIME ZONE, 
	status VARCHAR NOT NULL, 
	files BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	records BIGINT NOT NULL, 
	rows BIGINT NOT NULL, 
	quarantined BIGINT NOT NULL, 
	record_bytes BIGINT NOT NULL, 
	quarantined_bytes BIGINT NOT NULL, 
	ignored_bytes BIGINT NOT NULL, 
	tail_bytes BIGINT NOT NULL, 
	lost_bytes BIGINT NOT NULL, 
	error VARCHAR, 
	PRIMARY KEY (run_key)
);
COMMENT ON TABLE ingest_runs IS 'One row a run of ttsq ingest that read something, or failed.';
COMMENT ON COLUMN ingest_runs.run_key IS 'key of the run';
COMMENT ON COLUMN ingest_runs.started_at IS 'start';
COMMENT ON COLUMN ingest_runs.finished_at IS 'end';
COMMENT ON COLUMN ingest_runs.status IS 'running, done, failed or interrupted';
COMMENT ON COLUMN ingest_runs.files IS 'log files read';
COMMENT ON COLUMN ingest_runs.bytes IS 'uncompressed bytes read';
COMMENT ON COLUMN ingest_runs.records IS 'records';
COMMENT ON COLUMN ingest_runs.rows IS 'rows added to the tables';
COMMENT ON COLUMN ingest_runs.quarantined IS 'pieces put into quarantine';
COMMENT ON COLUMN ingest_runs.record_bytes IS 'bytes in records';
COMMENT ON COLUMN ingest_runs.quarantined_bytes IS 'bytes put into quarantine';
COMMENT ON COLUMN ingest_runs.ignored_bytes IS 'bytes ignored by rule';
COMMENT ON COLUMN ingest_runs.tail_bytes IS 'bytes held back: the last record may still grow';
COMMENT ON COLUMN ingest_runs.lost_bytes IS 'bytes that were gone before they were read';
COMMENT ON COLUMN ingest_runs.error IS 'what went wrong';
CREATE TABLE log_files (
	file_key BIGINT NOT NULL, 
	host VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	fingerprint VARCHAR, 
	header_offset BIGINT, 
	anchor VARCHAR, 
	committed_offset BIGINT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	stored_bytes BIGINT NOT NULL, 
	modified_ns BIGINT NOT NULL, 
	device BIGINT NOT NULL, 
	inode BIGINT NOT NULL, 
	compression VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	records BIGINT NOT NULL, 
	record_bytes BIGINT NOT NULL, 
	quarantined BIGINT NOT NULL, 
	quarantined_bytes BIGINT NOT NULL, 
	ignored_bytes BIGINT NOT NULL, 
	lost_bytes BIGINT NOT NULL, 
	last_logged_at TIMESTAMP WITH TIME ZONE, 
	note VARCHAR, 
	first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	last_ingested_at TIMESTAMP WITH TIME ZONE, 
	PRIMARY KEY (file_key)
);
COMMENT ON TABLE log_files IS 'The log files known, and their checkpoints.';
COMMENT ON COLUMN log_files.file_key IS 'key of the file through all its names';
COMMENT ON COLUMN log_files.host IS 'machine the log comes from';
COMMENT ON COLUMN log_files.service IS 'service the log comes from';
COMMENT ON COLUMN log_files.path IS 'last seen at';
COMMENT ON COLUMN log_files.fingerprint IS 'hashes of its first bytes: length:hash, length:hash, ...';
COMMENT ON COLUMN log_files.header_offset IS 'end of the first record header with a stamp';
COMMENT ON COLUMN log_files.anchor IS 'length:hash of the bytes just before committed_offset';
COMMENT ON COLUMN log_files.committed_offset IS 'everything before it is stored; uncompressed bytes';
COMMENT ON COLUMN log_files.size_bytes IS 'uncompressed size when last read';
COMMENT ON COLUMN log_files.stored_bytes IS 'size on disk when last seen';
COMMENT ON COLUMN log_files.modified_ns IS 'modification time when last seen, ns since the epoch';
COMMENT ON COLUMN log_files.device IS 'device number when last seen';
COMMENT ON COLUMN log_files.inode IS 'inode number when last seen';
COMMENT ON COLUMN log_files.compression IS 'none, gzip or zstd';
COMMENT ON COLUMN log_files.state IS 'live, finished, waiting, damaged, edited or missing';
COMMENT ON COLUMN log_files.records IS 'records read';
COMMENT ON COLUMN log_files.record_bytes IS 'bytes in records';
COMMENT ON COLUMN log_files.quarantined IS 'pieces in quarantine';
COMMENT ON COLUMN log_files.quarantined_bytes IS 'bytes in quarantine';
COMMENT ON COLUMN log_files.ignored_bytes IS 'bytes ignored by rule: blank lines, NUL fill, BOM';
COMMENT ON COLUMN log_files.lost_bytes IS 'bytes seen but gone before they were read';
COMMENT ON COLUMN log_files.last_logged_at IS 'instant of the last record stored';
COMMENT ON COLUMN log_files.note IS 'why nothing was read, or what was noticed';
COMMENT ON COLUMN log_files.first_seen_at IS 'first seen';
COMMENT ON COLUMN log_files.last_ingested_at IS 'last time rows came from it';
CREATE TABLE quarantine (
	file_key BIGINT NOT NULL, 
	byte_offset BIGINT NOT NULL, 
	byte_length BIGINT NOT NULL, 
	reason VARCHAR NOT NULL, 
	raw VARCHAR NOT NULL, 
	quarantined_at TIMESTAMP WITH TIME ZONE NOT NULL
);
COMMENT ON TABLE quarantine IS 'What could not be understood, with its place and reason.';
COMMENT ON COLUMN quarantine.file_key IS 'log file';
COMMENT ON COLUMN quarantine.byte_offset IS 'of its first byte, uncompressed';
COMMENT ON COLUMN quarantine.byte_length IS 'its length';
COMMENT ON COLUMN quarantine.reason IS 'no_header, bad_time or too_long';
COMMENT ON COLUMN quarantine.raw IS 'the text, or its head past the limit';
COMMENT ON COLUMN quarantine.quarantined_at IS 'when';
CREATE TABLE request_parts (
	request_key BIGINT NOT NULL, 
	id VARCHAR, 
	request_id VARCHAR, 
	host VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	logged_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE, 
	completed_at TIMESTAMP WITH TIME ZONE, 
	status VARCHAR, 
	duration_ms DOUBLE PRECISION, 
	text VARCHAR, 
	text_len BIGINT, 
	lang VARCHAR, 
	voice VARCHAR, 
	cache_hit BOOLEAN, 
	cache_saved BOOLEAN, 
	model_stage VARCHAR, 
	error_code VARCHAR, 
	audio_size_kb DOUBLE PRECISION, 
	rms DOUBLE PRECISION, 
	spectral_centroid DOUBLE PRECISION, 
	attributes JSON, 
	start_file_key BIGINT, 
	start_offset BIGINT, 
	end_file_key BIGINT, 
	end_offset BIGINT, 
	file_key BIGINT NOT NULL, 
	first_offset BIGINT NOT NULL, 
	last_offset BIGINT NOT NULL, 
	last_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	is_request BOOLEAN NOT NULL, 
	end_columns BIGINT NOT NULL
);
COMMENT ON TABLE request_parts IS 'Pieces of requests that may still meet others: unfinished, or spread over several log files.';
COMMENT ON COLUMN request_parts.request_key IS 'unique key: file_key and offset of its first record';
COMMENT ON COLUMN request_parts.id IS 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
COMMENT ON COLUMN request_parts.request_id IS 'X-Request-ID, where the log has it';
COMMENT ON COLUMN request_parts.host IS 'machine the log comes from';
COMMENT ON COLUMN request_parts.service IS 'service the log comes from';
COMMENT ON COLUMN request_parts.logged_at IS 'first instant known of the request';
COMMENT ON COLUMN request_parts.started_at IS 'instant of synthesis_start';
COMMENT ON COLUMN request_parts.completed_at IS 'instant of synthesis_complete';
COMMENT ON COLUMN request_parts.status IS 'success, failed, as logged otherwise; null while unfinished';
COMMENT ON COLUMN request_parts.duration_ms IS 'end to end, milliseconds, as logged at the end';
COMMENT ON COLUMN request_parts.text IS 'the text to be spoken (users'' words)';
COMMENT ON COLUMN request_parts.text_len IS 'length of the text in characters, as logged, else code points';
COMMENT ON COLUMN request_parts.lang IS 'language';
COMMENT ON COLUMN request_parts.voice IS 'voice';
COMMENT ON COLUMN request_parts.cache_hit IS 'served from the cache';
COMMENT ON COLUMN request_parts.cache_saved IS 'the result was written to the cache';
COMMENT ON COLUMN request_parts.model_stage IS 'stage reached or failed in, as logged at the end';
COMMENT ON COLUMN request_parts.error_code IS 'error code of a failed request';
COMMENT ON COLUMN request_parts.audio_size_kb IS 'size of the audio, KB';
COMMENT ON COLUMN request_parts.rms IS 'loudness of the audio (root mean square)';
COMMENT ON COLUMN request_parts.spectral_centroid IS 'brightness of the audio, Hz';
COMMENT ON COLUMN request_parts.attributes IS 'every other key=value pair of its records';
COMMENT ON COLUMN request_parts.start_file_key IS 'log file of synthesis_start';
COMMENT ON COLUMN request_parts.start_offset IS 'byte offset of synthesis_start in that file, uncompressed';
COMMENT ON COLUMN request_parts.end_file_key IS 'log file of synthesis_complete';
COMMENT ON COLUMN request_parts.end_offset IS 'byte offset of synthesis_complete, uncompressed';
COMMENT ON COLUMN request_parts.file_key IS 'log file of the piece';
COMMENT ON COLUMN request_parts.first_offset IS 'offset of its first record';
COMMENT ON COLUMN request_parts.last_offset IS 'offset of its last record';
COMMENT ON COLUMN request_parts.last_at IS 'instant of its last record';
COMMENT ON COLUMN request_parts.is_request IS 'false: only errors that name the id';
COMMENT ON COLUMN request_parts.end_columns IS 'bit set of the columns that synthesis_complete filled';
CREATE TABLE requests (
	request_key BIGINT NOT NULL, 
	id VARCHAR, 
	request_id VARCHAR, 
	host VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	logged_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE, 
	completed_at TIMESTAMP WITH TIME ZONE, 
	status VARCHAR, 
	duration_ms DOUBLE PRECISION, 
	text VARCHAR, 
	text_len BIGINT, 
	text_class VARCHAR, 
	lang VARCHAR, 
	voice VARCHAR, 
	cache_hit BOOLEAN, 
	cache_saved BOOLEAN, 
	model_stage VARCHAR, 
	error_code VARCHAR, 
	audio_size_kb DOUBLE PRECISION, 
	rms DOUBLE PRECISION, 
	spectral_centroid DOUBLE PRECISION, 
	attributes JSON, 
	start_file_key BIGINT, 
	start_offset BIGINT, 
	end_file_key BIGINT, 
	end_offset BIGINT
);
COMMENT ON TABLE requests IS 'One row a synthesis request.';
COMMENT ON COLUMN requests.request_key IS 'unique key: file_key and offset of its first record';
COMMENT ON COLUMN requests.id IS 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
COMMENT ON COLUMN requests.request_id IS 'X-Request-ID, where the log has it';
COMMENT ON COLUMN requests.host IS 'machine the log comes from';
COMMENT ON COLUMN requests.service IS 'service the log comes from';
COMMENT ON COLUMN requests.logged_at IS 'first instant known of the request';
COMMENT ON COLUMN requests.started_at IS 'instant of synthesis_start';
COMMENT ON COLUMN requests.completed_at IS 'instant of synthesis_complete';
COMMENT ON COLUMN requests.status IS 'success, failed, as logged otherwise; null while unfinished';
COMMENT ON COLUMN requests.duration_ms IS 'end to end, milliseconds, as logged at the end';
COMMENT ON COLUMN requests.text IS 'the text to be spoken (users'' words)';
COMMENT ON COLUMN requests.text_len IS 'length of the text in characters, as logged, else code points';
COMMENT ON COLUMN requests.text_class IS 'empty, control, emoji, symbols or plain';
COMMENT ON COLUMN requests.lang IS 'language';
COMMENT ON COLUMN requests.voice IS 'voice';
COMMENT ON COLUMN requests.cache_hit IS 'served from the cache';
COMMENT ON COLUMN requests.cache_saved IS 'the result was written to the cache';
COMMENT ON COLUMN requests.model_stage IS 'stage reached or failed in, as logged at the end';
COMMENT ON COLUMN requests.error_code IS 'error code of a failed request';
COMMENT ON COLUMN requests.audio_size_kb IS 'size of the audio, KB';
COMMENT ON COLUMN requests.rms IS 'loudness of the audio (root mean square)';
COMMENT ON COLUMN requests.spectral_centroid IS 'brightness of the audio, Hz';
COMMENT ON COLUMN requests.attributes IS 'every other key=value pair of its records';
COMMENT ON COLUMN requests.start_file_key IS 'log file of synthesis_start';
COMMENT ON COLUMN requests.start_offset IS 'byte offset of synthesis_start in that file, uncompressed';
COMMENT ON COLUMN requests.end_file_key IS 'log file of synthesis_complete';
COMMENT ON COLUMN requests.end_offset IS 'byte offset of synthesis_complete, uncompressed';
CREATE TABLE stage_timings (
	request_key BIGINT, 
	id VARCHAR, 
	host VARCHAR NOT NULL, 
	stage VARCHAR, 
	seq INTEGER, 
	logged_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	elapsed_ms DOUBLE PRECISION, 
	duration_ms DOUBLE PRECISION, 
	file_key BIGINT NOT NULL, 
	byte_offset BIGINT NOT NULL
);
COMMENT ON TABLE stage_timings IS 'One row a stage that a request went through.';
COMMENT ON COLUMN stage_timings.request_key IS 'the request';
COMMENT ON COLUMN stage_timings.id IS 'the service''s id of the request';
COMMENT ON COLUMN stage_timings.host IS 'machine the log comes from';
COMMENT ON COLUMN stage_timings.stage IS 'text_normalize, llm_prompt_gen, llm_inference, ...';
COMMENT ON COLUMN stage_timings.seq IS '1, 2, ... in time within the request';
COMMENT ON COLUMN stage_timings.logged_at IS 'instant of the stage_time record';
COMMENT ON COLUMN stage_timings.elapsed_ms IS 'milliseconds since the request began';
COMMENT ON COLUMN stage_timings.duration_ms IS 'the stage''s own milliseconds';
COMMENT ON COLUMN stage_timings.file_key IS 'log file';
COMMENT ON COLUMN stage_timings.byte_offset IS 'of the record''s first byte, uncompressed';
INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;
CREATE TABLE pruned (
	table_name VARCHAR NOT NULL, 
	pruned_before TIMESTAMP WITH TIME ZONE, 
	text_pruned_before TIMESTAMP WITH TIME ZONE, 
	rows BIGINT NOT NULL, 
	pruned_at TIMESTAMP WITH TIME ZONE, 
	PRIMARY KEY (table_name)
);
COMMENT ON TABLE pruned IS 'One row a table that ttsq prune has taken rows or texts from.';
COMMENT ON COLUMN pruned.table_name IS 'the table';
COMMENT ON COLUMN pruned.pruned_before IS 'rows older than this were removed';
COMMENT ON COLUMN pruned.text_pruned_before IS 'users'' words older than this were removed';
COMMENT ON COLUMN pruned.rows IS 'rows removed so far';
COMMENT ON COLUMN pruned.pruned_at IS 'when the last pruning was complete and its space given back; null before';
UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';
ALTER TABLE ingest_runs ADD COLUMN host VARCHAR;
COMMENT ON COLUMN ingest_runs.host IS 'machine whose logs it read';
UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';
COMMENT ON COLUMN log_files.state IS 'live, finished, waiting, damaged, edited or replaced';
UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';
UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';
ALTER TABLE request_parts ADD COLUMN text_class VARCHAR;
COMMENT ON COLUMN request_parts.text_class IS 'class of the text';
ALTER TABLE request_parts ADD COLUMN text_points BIGINT;
COMMENT ON COLUMN request_parts.text_points IS 'code points of the text';
CREATE TABLE text_salts (
	salt_key INTEGER NOT NULL, 
	salt VARCHAR NOT NULL, 
	made_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	PRIMARY KEY (salt_key)
);
COMMENT ON TABLE text_salts IS 'The key of the hashes that stand for texts (--text hash): readers who do not have it cannot guess them.';
COMMENT ON COLUMN text_salts.salt_key IS '1: there is one';
COMMENT ON COLUMN text_salts.salt IS 'hexadecimal';
COMMENT ON COLUMN text_salts.made_at IS 'made';
UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';
create view all_requests as select
    r.request_key,
    r.id,
    r.request_id,
    r.host,
    r.service,
    cast(r.logged_at at time zone 'UTC' as date) as day,
    r.logged_at,
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
    f.path as log_path,
    coalesce(r.start_offset, r.end_offset) as byte_offset
from requests r
left join log_files f on f.file_key = coalesce(r.start_file_key, r.end_file_key);
comment on view all_requests is 'One row a synthesis request, with where its log begins.';
comment on column all_requests.request_key is 'key of the request; joins the views with each other';
comment on column all_requests.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column all_requests.request_id is 'X-Request-ID, where the log has it';
comment on column all_requests.host is 'machine the log comes from';
comment on column all_requests.service is 'service the log comes from';
comment on column all_requests.day is 'UTC day of logged_at; for ranges, logged_at is faster';
comment on column all_requests.logged_at is 'first instant known of the request; never null';
comment on column all_requests.started_at is 'when it began; null where its start was not logged';
comment on column all_requests.completed_at is 'when it ended; null while unfinished';
comment on column all_requests.status is 'success, failed, as logged otherwise; null while unfinished';
comment on column all_requests.failed is 'true: it ended, and not with success; false also while unfinished';
comment on column all_requests.finished is 'true: its end was logged';
comment on column all_requests.duration_ms is 'end to end, milliseconds';
comment on column all_requests.text_len is 'length of the text, characters';
comment on column all_requests.text_class is 'kind of text: empty, control, emoji, symbols or plain';
comment on column all_requests.lang is 'language';
comment on column all_requests.voice is 'voice';
comment on column all_requests.cache_hit is 'served from the cache';
comment on column all_requests.cache_saved is 'the result was written to the cache';
comment on column all_requests.model_stage is 'stage reached or failed in';
comment on column all_requests.error_code is 'error code of a failed request';
comment on column all_requests.audio_size_kb is 'size of the audio, KB';
comment on column all_requests.rms is 'loudness of the audio (root mean square)';
comment on column all_requests.spectral_centroid is 'brightness of the audio, Hz';
comment on column all_requests.log_path is 'log file of its start (or, without one, its end): where it was seen last';
comment on column all_requests.byte_offset is 'where its start (or, without one, its end) begins in that file, uncompressed bytes';
create view failed_requests as select
    r.request_key,
    r.id,
    r.request_id,
    r.host,
    r.service,
    cast(r.logged_at at time zone 'UTC' as date) as day,
    r.logged_at,
    r.completed_at,
    r.status,
    r.duration_ms,
    r.text_len,
    r.text_class,
    r.lang,
    r.voice,
    r.cache_hit,
    r.model_stage,
    coalesce(r.error_code, e.code) as error_code,
    e.exception_type,
    e.location,
    f.path as log_path,
    case
        when e.file_key is not null then e.byte_offset
        when r.end_file_key is not null then r.end_offset
        else r.start_offset
    end as byte_offset
from requests r
left join lateral (
    select x.code, x.exception_type, x.location, x.file_key, x.byte_offset
    from errors x
    where x.request_key = r.request_key
      and x.level <> 'WARNING'
    order by x.location is null, x.occurred_at, x.error_key
    limit 1
) e on true
left join log_files f on f.file_key = coalesce(e.file_key, r.end_file_key, r.start_file_key)
where r.status <> 'success';
comment on view failed_requests is 'One row a request that failed: with what input, in which function, and which line of which log file says so.';
comment on column failed_requests.request_key is 'key of the request; joins the views with each other';
comment on column failed_requests.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column failed_requests.request_id is 'X-Request-ID, where the log has it';
comment on column failed_requests.host is 'machine the log comes from';
comment on column failed_requests.service is 'service the log comes from';
comment on column failed_requests.day is 'UTC day of logged_at; for ranges, logged_at is faster';
comment on column failed_requests.logged_at is 'first instant known of the request; never null';
comment on column failed_requests.completed_at is 'when it ended';
comment on column failed_requests.status is 'failed, or as logged';
comment on column failed_requests.duration_ms is 'end to end, milliseconds';
comment on column failed_requests.text_len is 'length of the text, characters';
comment on column failed_requests.text_class is 'kind of text: empty, control, emoji, symbols or plain';
comment on column failed_requests.lang is 'language';
comment on column failed_requests.voice is 'voice';
comment on column failed_requests.cache_hit is 'served from the cache';
comment on column failed_requests.model_stage is 'stage it failed in';
comment on column failed_requests.error_code is 'error code, from its end or else from its first error';
comment on column failed_requests.exception_type is 'type of the exception of its first error; the first with a traceback, if any has one';
comment on column failed_requests.location is 'file, line and function of the service''s own code where that was raised';
comment on column failed_requests.log_path is 'log file of that error''s record (without one, the request''s end or start): where it was seen last';
comment on column failed_requests.byte_offset is 'where that error''s record (without one, the request''s end or start) begins in that file, uncompressed bytes';
create view stage_times as select
    s.request_key,
    s.id,
    s.host,
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
left join log_files f on f.file_key = s.file_key;
comment on view stage_times is 'One row a stage that a request went through, with what the request was.';
comment on column stage_times.request_key is 'key of the request; joins the views with each other';
comment on column stage_times.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column stage_times.host is 'machine the log comes from';
comment on column stage_times.service is 'service the log comes from';
comment on column stage_times.day is 'UTC day of logged_at; for ranges, logged_at is faster';
comment on column stage_times.logged_at is 'when the stage ended';
comment on column stage_times.stage is 'text_normalize, llm_prompt_gen, llm_inference, ...';
comment on column stage_times.seq is '1, 2, ... in time within the request';
comment on column stage_times.own_ms is 'the stage''s own milliseconds';
comment on column stage_times.elapsed_ms is 'milliseconds since the request began';
comment on column stage_times.request_ms is 'the request''s milliseconds, end to end';
comment on column stage_times.status is 'the request''s: success, failed, as logged; null while unfinished';
comment on column stage_times.failed is 'true: the request ended, and not with success';
comment on column stage_times.text_len is 'length of the text, characters';
comment on column stage_times.text_class is 'kind of text: empty, control, emoji, symbols or plain';
comment on column stage_times.lang is 'language';
comment on column stage_times.voice is 'voice';
comment on column stage_times.cache_hit is 'served from the cache';
comment on column stage_times.log_path is 'log file of the stage''s record: where it was seen last';
comment on column stage_times.byte_offset is 'where the stage''s record begins in that file, uncompressed bytes';
create view logged_errors as select
    e.error_key,
    e.request_key,
    e.id,
    e.request_id,
    e.host,
    e.service,
    cast(e.occurred_at at time zone 'UTC' as date) as day,
    e.occurred_at,
    e.time_inferred,
    e.level,
    e.logger,
    e.event,
    e.code,
    e.exception_type,
    e.location,
    coalesce(
        lower(e.attributes ->> 'fallback_used') in ('true', 'yes', '1'),
        lower(e.code) like '%fallback%' or lower(e.event) like '%fallback%',
        false
    ) as is_fallback,
    f.path as log_path,
    e.byte_offset
from errors e
left join log_files f on f.file_key = e.file_key;
comment on view logged_errors is 'One row a WARNING, ERROR or CRITICAL record, without what it says.';
comment on column logged_errors.error_key is 'key of the record';
comment on column logged_errors.request_key is 'key of the request it belongs to, where that is known';
comment on column logged_errors.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column logged_errors.request_id is 'X-Request-ID, where the log has it';
comment on column logged_errors.host is 'machine the log comes from';
comment on column logged_errors.service is 'service the log comes from';
comment on column logged_errors.day is 'UTC day of occurred_at; for ranges, occurred_at is faster';
comment on column logged_errors.occurred_at is 'instant of the record';
comment on column logged_errors.time_inferred is 'true: the record has no stamp; taken from the one before';
comment on column logged_errors.level is 'WARNING, ERROR or CRITICAL';
comment on column logged_errors.logger is 'name of the Python logger';
comment on column logged_errors.event is 'the event''s name, where the message begins with one';
comment on column logged_errors.code is 'error code or warning code';
comment on column logged_errors.exception_type is 'type of the exception raised last';
comment on column logged_errors.location is 'file, line and function of the deepest frame of the service''s own';
comment on column logged_errors.is_fallback is 'the service made do with less: a fallback was used, or named';
comment on column logged_errors.log_path is 'log file of the record: where it was seen last';
comment on column logged_errors.byte_offset is 'where the record begins in that file, uncompressed bytes';
create view cache_levels as select
    c.sample_key,
    c.host,
    cast(c.sampled_at at time zone 'UTC' as date) as day,
    c.sampled_at,
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
left join log_files f on f.file_key = c.file_key;
comment on view cache_levels is 'One row a look of the service at how full a cache is.';
comment on column cache_levels.sample_key is 'key of the record';
comment on column cache_levels.host is 'machine the log comes from';
comment on column cache_levels.day is 'UTC day of sampled_at; for ranges, sampled_at is faster';
comment on column cache_levels.sampled_at is 'instant of the record';
comment on column cache_levels.cache_path is 'cache directory';
comment on column cache_levels.used_percent is 'used, percent';
comment on column cache_levels.threshold_percent is 'alarm threshold, percent';
comment on column cache_levels.above_threshold is 'the threshold was reached; null without one';
comment on column cache_levels.used_mb is 'used, MB';
comment on column cache_levels.total_mb is 'capacity, MB';
comment on column cache_levels.action is 'what the service did about it';
comment on column cache_levels.event is 'cache_dir_usage or cache_health';
comment on column cache_levels.log_path is 'log file of the record: where it was seen last';
comment on column cache_levels.byte_offset is 'where the record begins in that file, uncompressed bytes';
comment on table alembic_version is 'The schema revision of this store.';
comment on column alembic_version.version_num is 'the revision';
UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';
CREATE TABLE made_anew(request_key BIGINT NOT NULL, id VARCHAR, request_id VARCHAR, host VARCHAR NOT NULL, service VARCHAR NOT NULL, logged_at TIMESTAMP WITH TIME ZONE NOT NULL, started_at TIMESTAMP WITH TIME ZONE, completed_at TIMESTAMP WITH TIME ZONE, status VARCHAR, duration_ms DOUBLE, "text" VARCHAR using compression zstd, text_len BIGINT, text_class VARCHAR, lang VARCHAR, voice VARCHAR, cache_hit BOOLEAN, cache_saved BOOLEAN, model_stage VARCHAR, error_code VARCHAR, audio_size_kb DOUBLE, rms DOUBLE, spectral_centroid DOUBLE, attributes JSON, start_file_key BIGINT, start_offset BIGINT, end_file_key BIGINT, end_offset BIGINT);;
insert into made_anew select * from requests;
drop table requests;
alter table made_anew rename to requests;
comment on table requests is 'One row a synthesis request.';
comment on column requests."request_key" is 'unique key: file_key and offset of its first record';
comment on column requests."id" is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column requests."request_id" is 'X-Request-ID, where the log has it';
comment on column requests."host" is 'machine the log comes from';
comment on column requests."service" is 'service the log comes from';
comment on column requests."logged_at" is 'first instant known of the request';
comment on column requests."started_at" is 'instant of synthesis_start';
comment on column requests."completed_at" is 'instant of synthesis_complete';
comment on column requests."status" is 'success, failed, as logged otherwise; null while unfinished';
comment on column requests."duration_ms" is 'end to end, milliseconds, as logged at the end';
comment on column requests."text" is 'the text to be spoken (users'' words)';
comment on column requests."text_len" is 'length of the text in characters, as logged, else code points';
comment on column requests."text_class" is 'empty, control, emoji, symbols or plain';
comment on column requests."lang" is 'language';
comment on column requests."voice" is 'voice';
comment on column requests."cache_hit" is 'served from the cache';
comment on column requests."cache_saved" is 'the result was written to the cache';
comment on column requests."model_stage" is 'stage reached or failed in, as logged at the end';
comment on column requests."error_code" is 'error code of a failed request';
comment on column requests."audio_size_kb" is 'size of the audio, KB';
comment on column requests."rms" is 'loudness of the audio (root mean square)';
comment on column requests."spectral_centroid" is 'brightness of the audio, Hz';
comment on column requests."attributes" is 'every other key=value pair of its records';
comment on column requests."start_file_key" is 'log file of synthesis_start';
comment on column requests."start_offset" is 'byte offset of synthesis_start in that file, uncompressed';
comment on column requests."end_file_key" is 'log file of synthesis_complete';
comment on column requests."end_offset" is 'byte offset of synthesis_complete, uncompressed';
CREATE TABLE made_anew(request_key BIGINT NOT NULL, id VARCHAR, request_id VARCHAR, host VARCHAR NOT NULL, service VARCHAR NOT NULL, logged_at TIMESTAMP WITH TIME ZONE NOT NULL, started_at TIMESTAMP WITH TIME ZONE, completed_at TIMESTAMP WITH TIME ZONE, status VARCHAR, duration_ms DOUBLE, "text" VARCHAR using compression zstd, text_len BIGINT, lang VARCHAR, voice VARCHAR, cache_hit BOOLEAN, cache_saved BOOLEAN, model_stage VARCHAR, error_code VARCHAR, audio_size_kb DOUBLE, rms DOUBLE, spectral_centroid DOUBLE, attributes JSON, start_file_key BIGINT, start_offset BIGINT, end_file_key BIGINT, end_offset BIGINT, file_key BIGINT NOT NULL, first_offset BIGINT NOT NULL, last_offset BIGINT NOT NULL, last_at TIMESTAMP WITH TIME ZONE NOT NULL, is_request BOOLEAN NOT NULL, end_columns BIGINT NOT NULL, text_class VARCHAR, text_points BIGINT);;
insert into made_anew select * from request_parts;
drop table request_parts;
alter table made_anew rename to request_parts;
comment on table request_parts is 'Pieces of requests that may still meet others: unfinished, or spread over several log files.';
comment on column request_parts."request_key" is 'unique key: file_key and offset of its first record';
comment on column request_parts."id" is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column request_parts."request_id" is 'X-Request-ID, where the log has it';
comment on column request_parts."host" is 'machine the log comes from';
comment on column request_parts."service" is 'service the log comes from';
comment on column request_parts."logged_at" is 'first instant known of the request';
comment on column request_parts."started_at" is 'instant of synthesis_start';
comment on column request_parts."completed_at" is 'instant of synthesis_complete';
comment on column request_parts."status" is 'success, failed, as logged otherwise; null while unfinished';
comment on column request_parts."duration_ms" is 'end to end, milliseconds, as logged at the end';
comment on column request_parts."text" is 'the text to be spoken (users'' words)';
comment on column request_parts."text_len" is 'length of the text in characters, as logged, else code points';
comment on column request_parts."lang" is 'language';
comment on column request_parts."voice" is 'voice';
comment on column request_parts."cache_hit" is 'served from the cache';
comment on column request_parts."cache_saved" is 'the result was written to the cache';
comment on column request_parts."model_stage" is 'stage reached or failed in, as logged at the end';
comment on column request_parts."error_code" is 'error code of a failed request';
comment on column request_parts."audio_size_kb" is 'size of the audio, KB';
comment on column request_parts."rms" is 'loudness of the audio (root mean square)';
comment on column request_parts."spectral_centroid" is 'brightness of the audio, Hz';
comment on column request_parts."attributes" is 'every other key=value pair of its records';
comment on column request_parts."start_file_key" is 'log file of synthesis_start';
comment on column request_parts."start_offset" is 'byte offset of synthesis_start in that file, uncompressed';
comment on column request_parts."end_file_key" is 'log file of synthesis_complete';
comment on column request_parts."end_offset" is 'byte offset of synthesis_complete, uncompressed';
comment on column request_parts."file_key" is 'log file of the piece';
comment on column request_parts."first_offset" is 'offset of its first record';
comment on column request_parts."last_offset" is 'offset of its last record';
comment on column request_parts."last_at" is 'instant of its last record';
comment on column request_parts."is_request" is 'false: only errors that name the id';
comment on column request_parts."end_columns" is 'bit set of the columns that synthesis_complete filled';
comment on column request_parts."text_class" is 'class of the text';
comment on column request_parts."text_points" is 'code points of the text';
CREATE TABLE made_anew(error_key BIGINT NOT NULL, occurred_at TIMESTAMP WITH TIME ZONE NOT NULL, time_inferred BOOLEAN NOT NULL, host VARCHAR NOT NULL, service VARCHAR NOT NULL, "level" VARCHAR NOT NULL, logger VARCHAR, "event" VARCHAR, code VARCHAR, id VARCHAR, request_id VARCHAR, request_key BIGINT, message VARCHAR using compression zstd, exception_type VARCHAR, exception_message VARCHAR, traceback VARCHAR, "location" VARCHAR, attributes JSON, file_key BIGINT NOT NULL, byte_offset BIGINT NOT NULL);;
insert into made_anew select * from errors;
drop table errors;
alter table made_anew rename to errors;
comment on table errors is 'One row a WARNING, ERROR or CRITICAL record.';
comment on column errors."error_key" is 'unique key: file_key and byte_offset';
comment on column errors."occurred_at" is 'instant of the record';
comment on column errors."time_inferred" is 'true: the record has no stamp; taken from the one before';
comment on column errors."host" is 'machine the log comes from';
comment on column errors."service" is 'service the log comes from';
comment on column errors."level" is 'WARNING, ERROR or CRITICAL';
comment on column errors."logger" is 'name of the Python logger';
comment on column errors."event" is 'the event''s name, where the message begins with one';
comment on column errors."code" is 'error_code or warning_code';
comment on column errors."id" is 'the service''s id of the request';
comment on column errors."request_id" is 'X-Request-ID';
comment on column errors."request_key" is 'the request, where it is known';
comment on column errors."message" is 'the message without its traceback';
comment on column errors."exception_type" is 'type of the exception raised last';
comment on column errors."exception_message" is 'its message';
comment on column errors."traceback" is 'the traceback as logged';
comment on column errors."location" is 'file:line in function of the deepest frame that is the service''s own';
comment on column errors."attributes" is 'every other key=value pair of the record';
comment on column errors."file_key" is 'log file';
comment on column errors."byte_offset" is 'of the record''s first byte, uncompressed';
CREATE TABLE made_anew(file_key BIGINT NOT NULL, byte_offset BIGINT NOT NULL, byte_length BIGINT NOT NULL, reason VARCHAR NOT NULL, raw VARCHAR using compression zstd NOT NULL, quarantined_at TIMESTAMP WITH TIME ZONE NOT NULL);;
insert into made_anew select * from quarantine;
drop table quarantine;
alter table made_anew rename to quarantine;
comment on table quarantine is 'What could not be understood, with its place and reason.';
comment on column quarantine."file_key" is 'log file';
comment on column quarantine."byte_offset" is 'of its first byte, uncompressed';
comment on column quarantine."byte_length" is 'its length';
comment on column quarantine."reason" is 'no_header, bad_time or too_long';
comment on column quarantine."raw" is 'the text, or its head past the limit';
comment on column quarantine."quarantined_at" is 'when';
UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';
drop view all_requests;
drop view logged_errors;
drop view cache_levels;
alter table requests add column time_source text default 'logged';
alter table requests alter column time_source set not null;
comment on column requests.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
alter table requests add column instance text;
comment on column requests.instance is 'container, pod, unit or process within the log';
alter table requests add column id_source text;
comment on column requests.id_source is 'logged, or place: made from where the request begins in its log';
alter table requests add column assembly text;
comment on column requests.assembly is 'how its records were put together: id, sequence or uncertain';
alter table requests add column profile text;
comment on column requests.profile is 'profile that its lines were read by; null for events of its own';
alter table requests add column audio_ms double precision;
comment on column requests.audio_ms is 'length of the audio made, milliseconds';
alter table requests add column rtf double precision;
comment on column requests.rtf is 'real-time factor: as logged, else time taken per time of audio';
alter table requests add column tokens bigint;
comment on column requests.tokens is 'tokens generated';
alter table request_parts add column time_source text default 'logged';
alter table request_parts alter column time_source set not null;
comment on column request_parts.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
alter table request_parts add column instance text;
comment on column request_parts.instance is 'container, pod, unit or process within the log';
alter table request_parts add column id_source text;
comment on column request_parts.id_source is 'logged, or place: made from where the request begins in its log';
alter table request_parts add column assembly text;
comment on column request_parts.assembly is 'how its records were put together: id, sequence or uncertain';
alter table request_parts add column profile text;
comment on column request_parts.profile is 'profile that its lines were read by; null for events of its own';
alter table request_parts add column audio_ms double precision;
comment on column request_parts.audio_ms is 'length of the audio made, milliseconds';
alter table request_parts add column rtf double precision;
comment on column request_parts.rtf is 'real-time factor: as logged, else time taken per time of audio';
alter table request_parts add column tokens bigint;
comment on column request_parts.tokens is 'tokens generated';
update requests set id_source = 'logged', assembly = 'id' where id is not null;
comment on column request_parts.end_columns is 'bits of the columns that synthesis_complete filled: 0 request_id, 1 text, 2 text_len, 3 lang, 4 voice, 5 duration_ms, 6 cache_hit, 7 cache_saved, 8 status, 9 model_stage, 10 error_code, 11 audio_size_kb, 12 rms, 13 spectral_centroid, 14 text_class, 15 text_points, 16 instance, 17 profile, 18 audio_ms, 19 rtf, 20 tokens, 21 id_source, 22 assembly';
alter table errors alter column time_inferred type text using case when time_inferred then 'neighbour' else 'logged' end;
alter table errors rename column time_inferred to time_source;
comment on column errors.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
alter table errors add column instance text;
comment on column errors.instance is 'container, pod, unit or process within the log';
alter table cache_samples add column time_source text default 'logged';
alter table cache_samples alter column time_source set not null;
comment on column cache_samples.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
alter table log_files add column unclaimed bigint default 0;
alter table log_files alter column unclaimed set not null;
comment on column log_files.unclaimed is 'lines that nothing explains';
alter table log_files add column unclaimed_bytes bigint default 0;
alter table log_files alter column unclaimed_bytes set not null;
comment on column log_files.unclaimed_bytes is 'bytes in these';
alter table log_files add column already_stored_bytes bigint default 0;
alter table log_files alter column already_stored_bytes set not null;
comment on column log_files.already_stored_bytes is 'bytes of records stored from another place before';
alter table ingest_runs add column unclaimed bigint default 0;
alter table ingest_runs alter column unclaimed set not null;
comment on column ingest_runs.unclaimed is 'lines that nothing explains';
alter table ingest_runs add column unclaimed_bytes bigint default 0;
alter table ingest_runs alter column unclaimed_bytes set not null;
comment on column ingest_runs.unclaimed_bytes is 'bytes in these';
alter table ingest_runs add column already_stored_bytes bigint default 0;
alter table ingest_runs alter column already_stored_bytes set not null;
comment on column ingest_runs.already_stored_bytes is 'bytes of records stored from another place before';
alter table log_files add column encoding text;
comment on column log_files.encoding is 'encoding of the text; null where nothing has told it yet';
alter table log_files add column format text;
comment on column log_files.format is 'what it is read with, JSON';
alter table log_files add column reading text;
comment on column log_files.reading is 'state of the reading at committed_offset, JSON; null without one';
create table http_requests (http_key bigint not null, logged_at timestamp with time zone not null, time_source text default 'logged' not null, host text not null, service text not null, instance text, server text, client text, method text, path text, query text, protocol text, http_status bigint, bytes_sent bigint, request_ms double precision, upstream_ms double precision, id text, request_id text, request_key bigint, user_agent text, referer text, attributes json, file_key bigint not null, byte_offset bigint not null);
comment on table http_requests is 'One row per access line: a request as an HTTP server logged it.';
comment on column http_requests.http_key is 'unique key: file_key and byte_offset';
comment on column http_requests.logged_at is 'instant of the line';
comment on column http_requests.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
comment on column http_requests.host is 'machine the log comes from';
comment on column http_requests.service is 'service the log comes from';
comment on column http_requests.instance is 'container, pod, unit or process within the log';
comment on column http_requests.server is 'server that logged it: nginx, uvicorn, ...';
comment on column http_requests.client is 'address of the client';
comment on column http_requests.method is 'GET, POST, ...';
comment on column http_requests.path is 'path, without the query';
comment on column http_requests.query is 'query string (users'' words)';
comment on column http_requests.protocol is 'HTTP/1.1, ...';
comment on column http_requests.http_status is 'status of the answer';
comment on column http_requests.bytes_sent is 'bytes sent';
comment on column http_requests.request_ms is 'whole time of the request, milliseconds';
comment on column http_requests.upstream_ms is 'time of the servers behind, milliseconds; of several the sum';
comment on column http_requests.id is 'the service''s id of the request that it answers, where known';
comment on column http_requests.request_id is 'X-Request-ID';
comment on column http_requests.request_key is 'the request that it answers, where known';
comment on column http_requests.user_agent is 'what the client calls itself (users'' words)';
comment on column http_requests.referer is 'page that the client came from (users'' words)';
comment on column http_requests.attributes is 'every other field of the line';
comment on column http_requests.file_key is 'log file';
comment on column http_requests.byte_offset is 'of the line''s first byte, uncompressed';
create view all_requests as select
    r.request_key,
    r.id,
    r.request_id,
    r.host,
    r.service,
    cast(r.logged_at at time zone 'UTC' as date) as day,
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
left join log_files f on f.file_key = coalesce(r.start_file_key, r.end_file_key);
comment on view all_requests is 'One row a synthesis request, with where its log begins.';
comment on column all_requests.request_key is 'key of the request; joins the views with each other';
comment on column all_requests.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column all_requests.request_id is 'X-Request-ID, where the log has it';
comment on column all_requests.host is 'machine the log comes from';
comment on column all_requests.service is 'service the log comes from';
comment on column all_requests.day is 'UTC day of logged_at; for ranges, logged_at is faster';
comment on column all_requests.logged_at is 'first instant known of the request; never null';
comment on column all_requests.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
comment on column all_requests.started_at is 'when it began; null where its start was not logged';
comment on column all_requests.completed_at is 'when it ended; null while unfinished';
comment on column all_requests.status is 'success, failed, as logged otherwise; null while unfinished';
comment on column all_requests.failed is 'true: it ended, and not with success; false also while unfinished';
comment on column all_requests.finished is 'true: its end was logged';
comment on column all_requests.duration_ms is 'end to end, milliseconds';
comment on column all_requests.text_len is 'length of the text, characters';
comment on column all_requests.text_class is 'kind of text: empty, control, emoji, symbols or plain';
comment on column all_requests.lang is 'language';
comment on column all_requests.voice is 'voice';
comment on column all_requests.cache_hit is 'served from the cache';
comment on column all_requests.cache_saved is 'the result was written to the cache';
comment on column all_requests.model_stage is 'stage reached or failed in';
comment on column all_requests.error_code is 'error code of a failed request';
comment on column all_requests.audio_size_kb is 'size of the audio, KB';
comment on column all_requests.rms is 'loudness of the audio (root mean square)';
comment on column all_requests.spectral_centroid is 'brightness of the audio, Hz';
comment on column all_requests.instance is 'container, pod, unit or process within the log';
comment on column all_requests.profile is 'profile that its lines were read by; null for events of its own';
comment on column all_requests.audio_ms is 'length of the audio made, milliseconds';
comment on column all_requests.rtf is 'real-time factor: time taken per time of audio';
comment on column all_requests.tokens is 'tokens generated';
comment on column all_requests.id_source is 'logged, or place: made from where the request begins';
comment on column all_requests.assembly is 'how it was put together: id, sequence or uncertain';
comment on column all_requests.log_path is 'log file of its start (or, without one, its end): where it was seen last';
comment on column all_requests.byte_offset is 'where its start (or, without one, its end) begins in that file, uncompressed bytes';
create view logged_errors as select
    e.error_key,
    e.request_key,
    e.id,
    e.request_id,
    e.host,
    e.service,
    cast(e.occurred_at at time zone 'UTC' as date) as day,
    e.occurred_at,
    e.time_source,
    e.instance,
    e.level,
    e.logger,
    e.event,
    e.code,
    e.exception_type,
    e.location,
    coalesce(
        lower(e.attributes ->> 'fallback_used') in ('true', 'yes', '1'),
        lower(e.code) like '%fallback%' or lower(e.event) like '%fallback%',
        false
    ) as is_fallback,
    f.path as log_path,
    e.byte_offset
from errors e
left join log_files f on f.file_key = e.file_key;
comment on view logged_errors is 'One row a WARNING, ERROR or CRITICAL record, without what it says.';
comment on column logged_errors.error_key is 'key of the record';
comment on column logged_errors.request_key is 'key of the request it belongs to, where that is known';
comment on column logged_errors.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column logged_errors.request_id is 'X-Request-ID, where the log has it';
comment on column logged_errors.host is 'machine the log comes from';
comment on column logged_errors.service is 'service the log comes from';
comment on column logged_errors.day is 'UTC day of occurred_at; for ranges, occurred_at is faster';
comment on column logged_errors.occurred_at is 'instant of the record';
comment on column logged_errors.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
comment on column logged_errors.instance is 'container, pod, unit or process within the log';
comment on column logged_errors.level is 'WARNING, ERROR or CRITICAL';
comment on column logged_errors.logger is 'name of the Python logger';
comment on column logged_errors.event is 'the event''s name, where the message begins with one';
comment on column logged_errors.code is 'error code or warning code';
comment on column logged_errors.exception_type is 'type of the exception raised last';
comment on column logged_errors.location is 'file, line and function of the deepest frame of the service''s own';
comment on column logged_errors.is_fallback is 'the service made do with less: a fallback was used, or named';
comment on column logged_errors.log_path is 'log file of the record: where it was seen last';
comment on column logged_errors.byte_offset is 'where the record begins in that file, uncompressed bytes';
create view cache_levels as select
    c.sample_key,
    c.host,
    cast(c.sampled_at at time zone 'UTC' as date) as day,
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
left join log_files f on f.file_key = c.file_key;
comment on view cache_levels is 'One row a look of the service at how full a cache is.';
comment on column cache_levels.sample_key is 'key of the record';
comment on column cache_levels.host is 'machine the log comes from';
comment on column cache_levels.day is 'UTC day of sampled_at; for ranges, sampled_at is faster';
comment on column cache_levels.sampled_at is 'instant of the record';
comment on column cache_levels.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
comment on column cache_levels.cache_path is 'cache directory';
comment on column cache_levels.used_percent is 'used, percent';
comment on column cache_levels.threshold_percent is 'alarm threshold, percent';
comment on column cache_levels.above_threshold is 'the threshold was reached; null without one';
comment on column cache_levels.used_mb is 'used, MB';
comment on column cache_levels.total_mb is 'capacity, MB';
comment on column cache_levels.action is 'what the service did about it';
comment on column cache_levels.event is 'cache_dir_usage or cache_health';
comment on column cache_levels.log_path is 'log file of the record: where it was seen last';
comment on column cache_levels.byte_offset is 'where the record begins in that file, uncompressed bytes';
create view http_answers as select
    h.http_key,
    h.request_key,
    h.id,
    h.request_id,
    h.host,
    h.service,
    h.instance,
    cast(h.logged_at at time zone 'UTC' as date) as day,
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
left join log_files f on f.file_key = h.file_key;
comment on view http_answers is 'One row per access line, without what users sent.';
comment on column http_answers.http_key is 'key of the line';
comment on column http_answers.request_key is 'key of the request that it answers, where that is known';
comment on column http_answers.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column http_answers.request_id is 'X-Request-ID, where the log has it';
comment on column http_answers.host is 'machine the log comes from';
comment on column http_answers.service is 'service the log comes from';
comment on column http_answers.instance is 'container, pod, unit or process within the log';
comment on column http_answers.day is 'UTC day of logged_at; for ranges, logged_at is faster';
comment on column http_answers.logged_at is 'instant of the line';
comment on column http_answers.time_source is 'where the instant comes from: logged, envelope, neighbour, read or file';
comment on column http_answers.server is 'server that logged it: nginx, uvicorn, ...';
comment on column http_answers.client is 'address of the client';
comment on column http_answers.method is 'GET, POST, ...';
comment on column http_answers.path is 'path, without the query';
comment on column http_answers.protocol is 'HTTP/1.1, ...';
comment on column http_answers.http_status is 'status of the answer';
comment on column http_answers.failed is 'true: a status of 400 or above; null without one';
comment on column http_answers.bytes_sent is 'bytes sent';
comment on column http_answers.request_ms is 'whole time of the request, milliseconds';
comment on column http_answers.upstream_ms is 'time of the servers behind, milliseconds';
comment on column http_answers.log_path is 'log file of the line: where it was seen last';
comment on column http_answers.byte_offset is 'where the line begins in that file, uncompressed bytes';
UPDATE alembic_version SET version_num='0009' WHERE alembic_version.version_num = '0008';
create table stored_lines (file_key bigint not null, byte_offset bigint not null, byte_length bigint not null, mark bigint not null, line_hashes blob not null);
comment on table stored_lines is 'One row per group of lines that were stored: content is recognised by it.';
comment on column stored_lines.file_key is 'log file';
comment on column stored_lines.byte_offset is 'of the first line, uncompressed';
comment on column stored_lines.byte_length is 'up to the line behind the last';
comment on column stored_lines.mark is 'hash of the first line';
comment on column stored_lines.line_hashes is '16 bits of the hash of each line';
create table known_stretches (file_key bigint not null, byte_offset bigint not null, byte_length bigint not null, stored_file_key bigint not null, stored_offset bigint not null, is_edited boolean not null);
comment on table known_stretches is 'One row per stretch of a log file whose records were stored from another place before.';
comment on column known_stretches.file_key is 'log file';
comment on column known_stretches.byte_offset is 'where it begins, uncompressed';
comment on column known_stretches.byte_length is 'its length';
comment on column known_stretches.stored_file_key is 'log file that it was stored from';
comment on column known_stretches.stored_offset is 'where it begins there';
comment on column known_stretches.is_edited is 'true: it is what was stored there, edited afterwards';
UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009';
comment on table requests is 'One row per synthesis request.';
comment on table stage_timings is 'One row per stage that a request went through.';
comment on table errors is 'One row per WARNING, ERROR or CRITICAL record.';
comment on table cache_samples is 'One row per cache_dir_usage or cache_health record.';
comment on table ingest_runs is 'One row per run of ttsq ingest that read something, or failed.';
comment on table pruned is 'One row per table from which ttsq prune has removed rows or texts.';
comment on view all_requests is 'One row per synthesis request, with where its log begins.';
comment on view failed_requests is 'One row per failed request: with what input, in which function, and where in which log file.';
comment on view stage_times is 'One row per stage that a request went through, with what the request was.';
comment on view logged_errors is 'One row per WARNING, ERROR or CRITICAL record, without its message.';
comment on view cache_levels is 'One row per sample of how full a cache is.';
comment on column requests.text is 'the text to be spoken (user text)';
comment on column request_parts.text is 'the text to be spoken (user text)';
comment on column http_answers.upstream_ms is 'time of the upstream servers, milliseconds';
comment on column http_requests.query is 'query string (user text)';
comment on column http_requests.upstream_ms is 'time of the upstream servers, milliseconds; the sum if there are several';
comment on column http_requests.user_agent is 'what the client calls itself (user text)';
comment on column http_requests.referer is 'page that the client came from (user text)';
comment on column log_files.encoding is 'encoding of the text; null while it is not known';
comment on column stored_lines.byte_length is 'up to the line after the last';
comment on column pruned.text_pruned_before is 'user text older than this was removed';
UPDATE alembic_version SET version_num='0011' WHERE alembic_version.version_num = '0010';
comment on table request_parts is 'Parts of requests that later records may join: unfinished, or spread over several log files.';
comment on column request_parts.file_key is 'log file of the part';
comment on table text_salts is 'The key of the hashes of texts (--text hash); without it nobody can guess a text.';
comment on column log_files.ignored_bytes is 'bytes ignored by rule: blank lines, NUL fill, bars';
comment on column quarantine.reason is 'no_header, bad_time, too_long or torn';
UPDATE alembic_version SET version_num='0012' WHERE alembic_version.version_num = '0011';
create or replace view stage_times as select
    s.request_key,
    r.id,
    f.host,
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
left join log_files f on f.file_key = s.file_key;
comment on view stage_times is 'One row per stage that a request went through, with what the request was.';
comment on column stage_times.request_key is 'key of the request; joins the views with each other';
comment on column stage_times.id is 'the service''s id of the request (ts_7f3a2b1c); ids may be reused';
comment on column stage_times.host is 'machine the log comes from';
comment on column stage_times.service is 'service the log comes from';
comment on column stage_times.day is 'UTC day of logged_at; for ranges, logged_at is faster';
comment on column stage_times.logged_at is 'when the stage ended';
comment on column stage_times.stage is 'text_normalize, llm_prompt_gen, llm_inference, ...';
comment on column stage_times.seq is '1, 2, ... in time within the request';
comment on column stage_times.own_ms is 'the stage''s own milliseconds';
comment on column stage_times.elapsed_ms is 'milliseconds since the request began';
comment on column stage_times.request_ms is 'the request''s milliseconds, end to end';
comment on column stage_times.status is 'the request''s: success, failed, as logged; null while unfinished';
comment on column stage_times.failed is 'true: the request ended, and not with success';
comment on column stage_times.text_len is 'length of the text, characters';
comment on column stage_times.text_class is 'kind of text: empty, control, emoji, symbols or plain';
comment on column stage_times.lang is 'language';
comment on column stage_times.voice is 'voice';
comment on column stage_times.cache_hit is 'served from the cache';
comment on column stage_times.log_path is 'log file of the stage''s record: where it was seen last';
comment on column stage_times.byte_offset is 'where the stage''s record begins in that file, uncompressed bytes';
alter table stage_timings drop column id;
alter table stage_timings drop column host;
UPDATE alembic_version SET version_num='0013' WHERE alembic_version.version_num = '0012';
UPDATE alembic_version SET version_num='0014' WHERE alembic_version.version_num = '0013';
