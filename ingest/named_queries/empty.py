"""Why a query came back empty, in a sentence."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from ingest.lazily import matcher
from ingest.named_queries.library import NamedQuery
from ingest.rows.described import TABLES
from ingest.stores.contract import Reader

_READ = [t for t in TABLES if t.kind in ("rows", "records")]
_TIMES = {t.name: t.at for t in _READ}
_WORDS = {t.name: t.noun for t in _READ}
_FROM = matcher(rf"\bfrom\s+({'|'.join(_TIMES)})\b")

# columns that whole logs do without, and the filters that go by one of another name
_MAY_LACK = (
    "duration_ms", "text_len", "text_class", "lang", "voice", "cache_hit", "cache_saved",
    "model_stage", "audio_size_kb", "rms", "spectral_centroid", "instance",
)  # fmt: skip
_FILTERED = {"min_len": "text_len", "max_len": "text_len"}
_ANY = """
select 1 from requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and {column} is not null
limit 1
"""


def explain_empty(
    reader: Reader, query: NamedQuery, values: Mapping[str, object], tz: tzinfo | None
) -> str:
    """Nothing ingested, none of the rows it reads, a window outside the data, a column that the
    logs lack, or no such rows.
    """
    if not reader.query("select 1 from log_files limit 1", {}).rows:
        return "no rows: nothing has been ingested yet (ttsq ingest PATH)"
    since, until = values.get("since"), values.get("until")
    if isinstance(since, datetime) and isinstance(until, datetime) and since >= until:
        return (
            f"no rows: the window ends ({_shown(until, tz)}) before it begins ({_shown(since, tz)})"
        )
    found = _FROM.search(query.sql)
    if not found:
        return "no rows: nothing in the store answers to this"
    table = found[1]
    column = _TIMES[table]
    row = reader.query(f"select min({column}), max({column}) from {table}", {}).rows[0]
    first, last = row
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return f"no rows: the logs ingested so far hold no {_WORDS[table]}"
    span = f"{_shown(first, tz)} to {_shown(last, tz)}"
    if isinstance(since, datetime) and since > last:
        return (
            f"no rows: the window begins at {_shown(since, tz)}, the {_WORDS[table]} stored are "
            f"of {span} (--as-of data counts ages back from the newest record)"
        )
    if isinstance(until, datetime) and until <= first:
        return (
            f"no rows: the window ends at {_shown(until, tz)}, the {_WORDS[table]} stored are of "
            f"{span}"
        )
    lacking = _lacking(reader, query, values) if table == "requests" else None
    if lacking is not None:
        return (
            f"no rows: of the requests from {span} none was logged with {lacking}: "
            "ttsq run field_coverage shows what is"
        )
    return f"no rows: there are {_WORDS[table]} from {span}, but none that this asks for"


def _lacking(reader: Reader, query: NamedQuery, values: Mapping[str, object]) -> str | None:
    """A column that the query or a filter goes by, and that no request of the window has."""
    asked = [_FILTERED.get(name, name) for name, value in values.items() if value is not None]
    window = {name: values.get(name) for name in ("since", "until")}
    for column in dict.fromkeys([*query.needs, *asked]):
        if column in _MAY_LACK:
            statement = _ANY.format(column=column)
            if not reader.query(statement, window).rows:
                return column
    return None


def _shown(instant: datetime, tz: tzinfo | None) -> str:
    return instant.astimezone(tz).isoformat(sep=" ", timespec="seconds")
