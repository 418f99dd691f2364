"""``python -m docs.generate.queries``: writes docs/queries.md from the headers of the library.

The outputs in it are real: the demo log set, ingested into a store of its own, asked every query. ``--check`` only says
whether the page is as it would be written.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from docs.generate.keep import keep
from ingest.named_queries.library import (
    CHARTS,
    GROUPS,
    PARAM_TYPES,
    NamedQuery,
    Param,
    load_library,
)
from ingest.named_queries.values import bind_values
from ingest.render.formats import Look, render
from ingest.stores.contract import QueryResult, Reader

PAGE = Path(__file__).resolve().parents[1] / "queries.md"
_NOW = datetime(
    2026, 3, 2, 15, 0, tzinfo=UTC
)  # any fixed instant: the page must not change by itself
_WIDTH = 110  # characters of an output, as a page shows without scrolling
_ROWS = 6  # rows of an output: enough to see what the answer looks like

_HEAD = """\
# Named queries

Written by `python -m docs.generate.queries` from the headers of `queries/*.sql`; change those, not this page.
The outputs are those of the demo log set (`ttsq demo`), cut after {rows} rows; times are UTC.

    ttsq run failure_by_length --since 24h          # a table that fits the terminal
    ttsq run latency_over_time --bucket 60 --chart  # drawn in the terminal
    ttsq run hosts --format csv -o hosts.csv        # also json, jsonl, markdown, parquet
    ttsq run slow_requests --help                   # its parameters and columns
    ttsq show slow_requests --literals              # its SQL, to paste into another tool

`--since` and `--until` take an instant (`2026-03-02T14:00`, with or without a zone), a date or an age (`30m`, `24h`, `7d`);
the window holds what is at or after `--since` and before `--until`. An age counts back from now, with `--as-of data` from the newest
record, with `--as-of INSTANT` from there. Instants without a zone are read, and all are shown, in the zone of `--tz`.

## Alarms

`--fail-if-any` exits with 1 when rows come back, with 0 when none do, and with 2 or more when the question could not be asked.
So any query can be a check, of cron:

    */10 * * * *  ttsq ingest /var/log/tts --json >/dev/null && ttsq run cache_alert --since 20m --fail-if-any || notify "cache"

or of systemd, with `OnFailure=` in the unit that runs

    ExecStart=/usr/local/bin/ttsq run unfinished_requests --since 1h --older-than-ms 60000 --fail-if-any

or of Nagios and its kin, where 1 is a warning. Whole units and scripts are in [alarms.md](alarms.md).

## Your own queries

A folder named by `query_folder` in the settings (or `TTSQ_QUERY_FOLDER`) adds `.sql` files to the library; one with the name of a packaged
query takes its place. `ttsq queries check` compares every header with its statement and with what the store returns, and names file
and line. A file looks like this:

```sql
-- name: long_texts
-- summary: the longest texts
--   (a line with two spaces or more goes on with the one before)
-- question: Who sends books?
-- param: since timestamp -- from this instant on
-- param: least integer = 1000 [1..] -- characters, 1 or more
-- column: voice text -- voice
-- column: requests integer -- requests with such texts
-- least: requests
-- needs: text_len
-- chart: bars x=voice y=requests
-- order: requests desc, voice

select voice, count(*) as requests
from requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and text_len >= cast(:least as bigint)
group by voice
order by requests desc, voice nulls last
```

Types of parameters: {types}; of columns also json. Charts: {charts}; lines and bars have `x=`, `y=` (by comma: a series each) and
`by=` for one series a value, a heat map has `x=`, `y=` and `value=`. `needs` names the golden fields without which the query has no answer
([check.md](check.md)); `least` names the columns that give way on a narrow terminal, the first one first. Both may be omitted.
`group` is where lists show the query ({groups}); `next` is the command to go on with, in which `{{column}}` stands for a
value of the first row. `timed` names the table of whose rows the query leaves out those that have no time except that of their file (`time_source` `file`);
`run` says how many these are. Give parameters a type with `cast`: they may be null.

## The library
"""


def page(library: list[NamedQuery], reader: Reader) -> str:
    """The page, with outputs of a store that holds the demo log set."""
    head = _HEAD.format(
        rows=_ROWS, types=", ".join(PARAM_TYPES), charts=", ".join(CHARTS), groups=", ".join(GROUPS)
    )
    return (
        head
        + "".join(_index(library, group) for group in GROUPS)
        + "".join(_section(query, reader) for query in library)
    )


def _index(library: list[NamedQuery], group: str) -> str:
    rows = "".join(
        f"| [{q.name}](#{q.name}) | {q.question} |\n" for q in library if q.group == group
    )
    return f"\n| {group} | |\n|---|---|\n{rows}" if rows else ""


def _section(query: NamedQuery, reader: Reader) -> str:
    params = "".join(_param(p) for p in query.params)
    columns = "".join(f"| `{c.name}` | {c.type} | {c.help} |\n" for c in query.columns)
    return (
        f"\n### {query.name}\n\n{query.question} {query.summary[:1].upper()}{query.summary[1:]}.\n\n"
        f"| option | type | default | |\n|---|---|---|---|\n{params}\n"
        f"| column | type | |\n|---|---|---|\n{columns}\n"
        f"Order: {', '.join(query.order)}. Chart: {query.chart.kind}.{_needs(query)}\n\n"
        f"```text\n$ ttsq run {query.name}\n{_output(query, reader)}```\n"
    )


def _needs(query: NamedQuery) -> str:
    return f" Needs in the logs: {', '.join(query.needs)}." if query.needs else ""


def _param(param: Param) -> str:
    default = f"`{param.default}`" if param.default is not None else ""
    return f"| `{param.option}` | {param.type} | {default} | {param.help} |\n"


def _output(query: NamedQuery, reader: Reader) -> str:
    result = reader.query(query.sql, bind_values(query, {}, _NOW, UTC))
    look = Look(_WIDTH, UTC, explain_empty="no rows", least=query.least)
    shown = render(QueryResult(result.columns, result.rows[:_ROWS]), "table", look)
    more = len(result.rows) - _ROWS
    if more <= 0:
        return shown
    table, _, footer = shown.rpartition("\n\n")
    return f"{table}\n... {more} more\n\n{footer}".replace(
        f"{_ROWS} rows", f"{len(result.rows)} rows"
    )


def written() -> str:
    """The page as it ought to be; makes a demo log set and a store for it."""
    from ingest.pipeline.ingest import ingest
    from ingest.pipeline.options import Options
    from ingest.records.formats import DEFAULT_FORMAT, compile_format
    from ingest.stores.duckdb.store import DuckDBStore
    from ingest.tasks.demo import write_demo

    with tempfile.TemporaryDirectory() as place:
        logs = Path(place) / "logs"
        write_demo(logs, now=_NOW, tz="UTC")
        store = DuckDBStore(Path(place) / "demo.duckdb")
        options = Options(
            host="tts-1", service="tts", format=compile_format(DEFAULT_FORMAT), tz=UTC, final=True
        )
        ingest(store, [str(logs)], options, now=lambda: _NOW)
        with store.reading() as reader:
            return page(load_library(), reader)


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say whether it is stale; the exit code."""
    return keep(PAGE, written(), "docs.generate.queries", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
