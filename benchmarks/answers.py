"""Whether ours and theirs answered the same."""

import json
import re
from collections import Counter
from collections.abc import Mapping

_COUNTED = re.compile(r"\s*(\d+) text_len=(\d+) chars?\terror_code=(\S+)")
# what the tables hold of each event's records; an event that is in no table is not compared
EVENTS = """
select 'synthesis_start' as event, count(started_at) as records from requests
union all select 'synthesis_complete', count(completed_at) from requests
union all select 'audio_metrics', count(rms) from requests
union all select 'stage_time', count(*) from stage_timings
union all (select event, count(*) from cache_samples group by event)
union all (select event, count(*) from errors where event not in (select event from cache_samples) group by event)
"""  # noqa: E501


def lengths_of_shell(output: str) -> Counter[str]:
    """Failures by text length and code, from the lines of ``uniq -c``.

    :raises ValueError: for a line of another shape.
    """
    counts: Counter[str] = Counter()
    for line in output.splitlines():
        found = _COUNTED.fullmatch(line)
        if found is None:
            raise ValueError(f"not a count of failures: {line!r}")
        counts[f"{found[2]} {found[3]}"] += int(found[1])
    return counts


def lengths_of_ours(output: str) -> Counter[str]:
    """The same, from the rows of failure_by_length."""
    return Counter(
        {f"{r['text_len']} {r['error_code']}": r["failures"] for r in json.loads(output)}
    )


def window_of_shell(output: str) -> Counter[str]:
    """How many records."""
    return Counter({"records": int(output)})


def window_of_ours(output: str) -> Counter[str]:
    """The same, from the rows of window_summary."""
    return Counter({"records": sum(r["records"] for r in json.loads(output))})


def life_of_shell(output: str) -> Counter[str]:
    """A request's messages."""
    return Counter(line.split(" - ", 3)[-1] for line in output.splitlines())


def life_of_ours(output: str) -> Counter[str]:
    """The same, from the log lines of a trace."""
    return Counter(line["message"] for line in json.loads(output)["lines"])


def events_of_ours(output: str) -> Counter[str]:
    """Records by event, from the rows of EVENTS."""
    return Counter({r["event"]: r["records"] for r in json.loads(output)})


def compared(theirs: Mapping[str, int], ours: Mapping[str, int], of: str) -> tuple[bool, str]:
    """Whether two answers are the same, and that in words; what differs is named, three at most."""
    different = [k for k in sorted({*theirs, *ours}) if theirs.get(k, 0) != ours.get(k, 0)]
    if not different:
        return True, f"the same answer: {len(ours)} {of}, {sum(ours.values())} in all"
    shown = "; ".join(f"{k}: {theirs.get(k, 0)}, ours {ours.get(k, 0)}" for k in different[:3])
    return False, f"the answers differ in {len(different)} {of}: {shown}"
