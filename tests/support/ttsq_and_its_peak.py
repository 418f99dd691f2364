"""``ttsq``, and behind its errors its peak memory in KiB:
``python -m tests.support.ttsq_and_its_peak WORDS…``.

Of this process alone: ``ru_maxrss`` begins with what the process had that started it.
"""

import re
import sys
from pathlib import Path

from ingest.cli import main

if __name__ == "__main__":
    try:
        main()
    finally:
        status = Path("/proc/self/status").read_text()
        print(re.findall(r"VmHWM:\s*(\d+)", status)[0], file=sys.stderr)
