"""``ttsq`` that prunes in small batches: ``tests.support.prune_in_small_batches ROWS WORDS…``."""

import functools
import sys

from ingest.tasks import prune as retention

if __name__ == "__main__":
    retention.prune = functools.partial(retention.prune, batch_rows=int(sys.argv.pop(1)))

    from ingest.cli import main

    main()
