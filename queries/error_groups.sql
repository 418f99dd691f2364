-- name: error_groups
-- group: failures
-- summary: warnings and errors grouped by what they say, ids and numbers aside
-- question: Which errors are the same one?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: level text -- only this level: WARNING, ERROR or CRITICAL
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: level text -- WARNING, ERROR or CRITICAL
-- column: code text -- error or warning code
-- column: location text -- deepest frame of the service's own code; of an error that is told twice, once with its code
--   and once with its traceback, the one traceback's
-- column: message text -- first 500 characters, without the event, ids and code that it begins with; where it names no event,
--   followed by the exception that it does not tell; the request's own ids as <id>, the user's text as "...", every other word with
--   a digit in it as #, except exit statuses and errno
-- column: occurrences integer -- records
-- column: requests integer -- different requests among them
-- column: first_at timestamp -- first record
-- column: last_at timestamp -- last record
-- least: last_at, requests, level, first_at
-- chart: bars x=code,message y=occurrences by=level
-- order: occurrences desc, level, code, location, message
-- next: ttsq run warning_precursors

with named as (
    select
        error_key,
        level,
        code,
        location,
        occurred_at,
        request_key,
        id,
        request_id,
        event,
        case
            when message like '%text="%' then regexp_replace(left(message, 500), 'text="[^"]*"?', 'text="..."', 'g')
            else left(message, 500)
        end as message,
        -- Where no event says what failed: "Exception in ASGI application" is any of them.
        case
            when event is not null or replace(message, exception_message, '') <> message then null
            when exception_message is null or exception_message = '' then exception_type
            else regexp_replace(
                left(coalesce(exception_type || ': ', '') || exception_message, 500), 'text="[^"]*"?', 'text="..."', 'g'
            )
        end as exception
    from errors
    where occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and (cast(:level as text) is null or level = upper(cast(:level as text)))
),
without_id as (
    select
        *,
        case when id <> '' then replace(message, id, '<id>') else message end as anonymous,
        case when id <> '' then replace(exception, id, '<id>') else exception end as anonymous_exception
    from named
),
without_ids as (
    select
        *,
        case
            when request_id <> '' then replace(anonymous, request_id, '<id>') else anonymous
        end as said,
        case
            when request_id <> '' then replace(anonymous_exception, request_id, '<id>') else anonymous_exception
        end as raised
    from without_id
),
-- What the message begins with and the columns say, too.
without_prefix as (
    select
        *,
        case
            when raised is not null then coalesce(said || ': ', '') || raised
            when said is null or code is null or event is null or left(said, length(event) + 1) <> event || ':' then said
            else coalesce(
                nullif(
                    regexp_replace(
                        substr(said, length(event) + 2),
                        '^[ ,]*((id|request_id|error_code|warning_code|code)=[^,]*(, *|$))*',
                        ''
                    ),
                    ''
                ),
                event
            )
        end as told
    from without_ids
),
masked as (
    select
        error_key,
        level,
        code,
        location,
        occurred_at,
        request_key,
        regexp_replace(
            told,
            '(([Ee]rrno|ERRNO|[Ee]xit(ed)?[ _-]?(with )?(status|code|value)?|[Rr]eturn[ _-]?code|[Ss]ignal)[ =:]{0,2}-?[0-9]+)'
            || '|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
            || '|[A-Za-z0-9]*[0-9][A-Za-z0-9]*([.][0-9]+)*',
            '\1#',
            'g'
        ) as message
    from without_prefix
),
plain as (
    select
        error_key,
        level,
        code,
        location,
        occurred_at,
        request_key,
        case
            when message like '%#%' then regexp_replace(message, '(([Ee]rrno|ERRNO|[Ee]xit(ed)?[ _-]?(with )?(status|code|value)?|[Rr]eturn[ _-]?code|[Ss]ignal)[ =:]{0,2}-?[0-9]+)#', '\1', 'g') else message
        end as message
    from masked
),
-- Of one request, a record with the code and one with the traceback tell the same error.
twins as (
    select
        *,
        level <> 'WARNING' and request_key is not null as may_be_twin,
        first_value(case when code is not null then location end) over of_code as twin_location,
        first_value(case when code is not null and location is not null then message end) over of_code as twin_message,
        min(case when code is null then location end) over of_request as least_location,
        max(case when code is null then location end) over of_request as greatest_location,
        min(case when location is null then code end) over of_request as least_code,
        max(case when location is null then code end) over of_request as greatest_code,
        count(case when code is not null and location is not null then 1 end) over of_request as whole,
        first_value(case when code is not null and location is null then message end) over of_codes as code_message
    from plain
    window
        of_request as (partition by request_key, level = 'WARNING'),
        of_code as (
            partition by request_key, level = 'WARNING', code
            order by case when location is not null then 0 else 1 end, occurred_at, error_key
        ),
        of_codes as (
            partition by request_key, level = 'WARNING'
            order by case when code is not null and location is null then 0 else 1 end, occurred_at, error_key
        )
),
joined as (
    select
        level,
        case
            when code is null and may_be_twin and location is not null and whole = 0 and least_code = greatest_code
                then least_code
            else code
        end as code,
        case
            when location is null and may_be_twin and code is not null then coalesce(
                twin_location, case when least_location = greatest_location then least_location end
            )
            else location
        end as location,
        case
            when location is null and may_be_twin and code is not null then coalesce(twin_message, message)
            when code is null and may_be_twin and location is not null and whole = 0 and least_code = greatest_code
                then code_message
            else message
        end as message,
        occurred_at,
        request_key
    from twins
),
-- The same message without a traceback is the same error, if it comes from one place only.
placed as (
    select
        level,
        code,
        case
            when location is null and code is not null and min(location) over alike = max(location) over alike
                then min(location) over alike
            else location
        end as location,
        message,
        occurred_at,
        request_key
    from joined
    window alike as (partition by level, code, message)
)
select
    level,
    code,
    location,
    message,
    count(*) as occurrences,
    count(distinct request_key) as requests,
    min(occurred_at) as first_at,
    max(occurred_at) as last_at
from placed
group by level, code, location, message
order by
    occurrences desc,
    level,
    code nulls last,
    location nulls last,
    message nulls last
limit cast(:limit as bigint)
