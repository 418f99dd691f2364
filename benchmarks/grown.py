"""A store of N requests and their log files: ``python -m benchmarks.grown STORE N``."""

import sys
from pathlib import Path

from benchmarks.queries import make_store

# else the next file to be read would get the key of one of these
_FILES = """
insert into log_files by name
select start_file_key as file_key, min(host) as host, 'tts' as service, '/var/log/tts/app.log.' || start_file_key as path,
    max(end_offset) + 100 as committed_offset, max(end_offset) + 100 as size_bytes, max(end_offset) + 100 as stored_bytes,
    0 as modified_ns, 0 as device, start_file_key as inode, 'none' as compression, 'finished' as state, count(*) as records,
    max(end_offset) + 100 as record_bytes, 0 as quarantined, 0 as quarantined_bytes, 0 as ignored_bytes, 0 as lost_bytes,
    max(logged_at) as last_logged_at, min(logged_at) as first_seen_at, max(logged_at) as last_ingested_at
from requests group by start_file_key
"""  # noqa: E501


def main() -> int:
    """Make it."""
    store = make_store(Path(sys.argv[1]), int(sys.argv[2]))
    with store.session(read_only=False) as connection:
        connection.execute(_FILES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
