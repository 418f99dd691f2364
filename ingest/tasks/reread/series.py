"""Files of a series that were read before an earlier one of it are read anew, one behind the
other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from ingest.logfiles.known import Known
from ingest.pipeline.options import Options
from ingest.pipeline.series import to_read_anew
from ingest.stores.contract import Store
from ingest.tasks.reread.report import RereadReport, together
from ingest.tasks.reread.run import reread


def reread_series(
    store: Store, paths: Sequence[str], options: Options, *, now: Callable[[], datetime]
) -> RereadReport:
    """Read at least one file anew, and then those that begin with what one of them hands on; each
    once.

    :raises IngestBusyError: when an ingest holds the store.
    :raises StoreError: when there is no store, or it fails.
    """
    reports: list[RereadReport] = []
    done: set[str] = set()
    left = list(paths)
    while left:
        path = left.pop(0)
        done.add(path)
        reports.append(reread(store, [path], options, now=now))
        following = to_read_anew(Known(store.checkpoints()), [path])
        left = [p for p in dict.fromkeys((*following, *left)) if p not in done]
    return together(reports)
