-- First the views that need the columns no more, then the columns.
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
