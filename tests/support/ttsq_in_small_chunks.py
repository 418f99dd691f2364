"""``ttsq`` with small commits: ``python -m tests.support.ttsq_in_small_chunks BYTES WORDS…``."""

import sys

from ingest import model

if __name__ == "__main__":
    model.CHUNK_BYTES = model.BATCH_BYTES = int(sys.argv.pop(1))
    model.COMMIT_BYTES = 1

    from ingest.cli import main

    main()
