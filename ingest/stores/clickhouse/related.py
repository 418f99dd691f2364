"""What a commit asks of the rows before it: parts and requests that its own may belong to.

``{requests}`` and the like stand for what a table holds at the commit's instant; ``batch_…`` are
tables that are sent along.
"""

# ``{mine}`` bounds the ids
CARRIED = """
select id, place, ended from (
    select id, first_offset as place,
        if(end_offset < {offset:Int64}, toUnixTimestamp64Micro(completed_at), null) as ended
    from {request_parts}
    where file_key = {key:Int64} and first_offset < {offset:Int64} {mine}
    union all
    select id, start_offset,
        if(end_offset < {offset:Int64}, toUnixTimestamp64Micro(completed_at), null)
    from {requests}
    where end_file_key = {key:Int64} and start_file_key = {key:Int64}
        and start_offset < {offset:Int64} {mine}
        and (completed_at >= {near:DateTime64(6, 'UTC')} or end_offset >= {offset:Int64}
            or id in (select id from {request_parts} where file_key = {key:Int64}))
) order by place
"""

KNOWN = """
select distinct id from {request_parts}
where id in (select id from batch_ids) and host = {host:String} and service = {service:String}
  and (file_key = {key:Int64} or (last_at >= {earliest:DateTime64(6, 'UTC')}
      and logged_at <= {latest:DateTime64(6, 'UTC')}))
"""

LAST_PIECES = """
with last as (
    select p.id as id, max(p.first_offset) as place
    from {request_parts} as p inner join batch_heads as b on p.id = b.id
    where p.file_key = {key:Int64} and p.first_offset < b.before
    group by p.id
)
select p.* from {request_parts} as p
where p.file_key = {key:Int64} and (p.id, p.first_offset) in (select id, place from last)
"""

LAST_REQUESTS = """
with mine as (
    select r.* from {requests} as r inner join batch_heads as b on r.id = b.id
    where r.start_file_key = {key:Int64} and r.end_file_key = {key:Int64}
      and r.start_offset < b.before
      and r.completed_at >= {earliest:DateTime64(6, 'UTC')}
      and r.logged_at <= {latest:DateTime64(6, 'UTC')}
      and r.request_key not in (select request_key from {request_parts}
          where request_key is not null)
)
select * from mine order by start_offset desc limit 1 by id
"""

# Narrow rows first: an id may have any number of them. A request is fetched with all its rows.
PIECES_NEAR = """
with mine as (
    select id, request_key, logged_at, last_at,
        (start_offset is null) <> (end_offset is null) as is_loose
    from {request_parts}
    where id in (select id from batch_windows) and host = {host:String}
        and service = {service:String}
), edges as (
    select w.id as id, w.low as low, w.high as high,
        max(if(m.is_loose and m.logged_at < w.low, m.logged_at, null)) as before,
        min(if(m.is_loose and m.logged_at > w.high, m.logged_at, null)) as behind
    from batch_windows as w inner join mine as m on m.id = w.id
    group by w.id, w.low, w.high
)
select p.* from {request_parts} as p where p.request_key in (
    select m.request_key from mine as m inner join edges as e on e.id = m.id
    where (m.last_at >= e.low and m.logged_at <= e.high)
       or (m.is_loose and (m.logged_at = e.before or m.logged_at = e.behind))
)
"""

REQUESTS_NEAR = """
select * from {requests}
where request_key in (
    select r.request_key from {requests} as r inner join batch_windows as w on w.id = r.id
    where r.host = {host:String} and r.service = {service:String}
      and r.completed_at >= {earliest:DateTime64(6, 'UTC')}
      and r.logged_at <= {latest:DateTime64(6, 'UTC')}
      and r.started_at is not null and r.completed_at >= w.low and r.logged_at <= w.high
)
and request_key not in (select request_key from {request_parts} where request_key is not null)
"""

# Stages name no id: those of a part are the ones in its stretch of the file that belong to its
# request, as it was or, if they came with this commit, as it is.
# "before" is the last value of the rows before that is not null: the one behind which as many such
# values stand as before the row. One line may tell several stages: they stand in the order that
# they were numbered in. Stages logged with their own times add up to the time since the request
# began; else the difference is their own time.
# Of several parts, stages stand by time; within one part they keep the order of the file, whatever
# the clock did: each counts as logged at the latest instant so far.
RESTAGED = """
with linked as (
    select s.file_key as file_key, s.byte_offset as byte_offset, s.seq as place,
        s.stage as stage, s.logged_at as logged_at,
        l.request_key as request_key, l.part as part, l.is_own as is_own,
        s.elapsed_ms as elapsed_ms, s.duration_ms as duration_ms, s.version as version,
        max(s.logged_at) over (
            partition by l.request_key, l.part order by s.byte_offset, s.seq
        ) as reached_at
    from {stage_timings+version} as s inner join (
        select *, arrayJoin(arrayDistinct([known_key, request_key])) as stage_key from batch_links
    ) as l
      on s.file_key = l.file_key and s.request_key = l.stage_key
    where s.byte_offset between l.first_offset and l.last_offset
      and s.logged_at >= {earliest:DateTime64(6, 'UTC')}
      and s.logged_at <= {latest:DateTime64(6, 'UTC')}
), numbered as (
    select *, row_number() over w as new_seq, sum(duration_ms) over w as so_far,
        count(elapsed_ms) over w as upto,
        count(elapsed_ms) over w - if(elapsed_ms is null, 0, 1) as earlier
    from linked
    window w as (
        partition by request_key order by reached_at, part, byte_offset, place
        rows unbounded preceding
    )
), told as (
    select request_key, upto, elapsed_ms from numbered where elapsed_ms is not null
)
select n.request_key as request_key, n.stage as stage, n.new_seq as seq, n.logged_at as logged_at,
    multiIf(not n.is_own, n.elapsed_ms, n.duration_ms is not null, n.so_far, null) as elapsed_ms,
    multiIf(
        n.is_own, n.duration_ms,
        n.elapsed_ms >= coalesce(b.elapsed_ms, 0), n.elapsed_ms - coalesce(b.elapsed_ms, 0),
        n.elapsed_ms
    ) as duration_ms,
    n.file_key as file_key, n.byte_offset as byte_offset, n.place as place,
    n.version as version
from numbered as n left join told as b
  on isNotDistinctFrom(b.request_key, n.request_key) and b.upto = n.earlier
"""
