-- A row per hour: dbt counts metrics along it.
select hour_at
from generate_series(timestamp '2024-01-01', timestamp '2039-12-31', interval '1 hour') as hours(hour_at)
