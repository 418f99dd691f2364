"""``ttsq`` with many small commits: ``python -m tests.support.ttsq_in_small_chunks BYTES WORDS…``."""

import sys

from ingest import files

if __name__ == "__main__":
    files.CHUNK_BYTES = files.BATCH_BYTES = int(sys.argv.pop(1))

    from ingest.cli import main

    main()
