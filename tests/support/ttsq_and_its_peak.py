"""``ttsq``, and after its errors its peak memory in KiB and the bytes that it read:
``python -m tests.support.ttsq_and_its_peak WORDS…``.

The peak is of this process alone: ``ru_maxrss`` begins with what the process had that started it.
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
        peak = re.findall(r"VmHWM:\s*(\d+)", status)[0]
        read = re.findall(r"rchar:\s*(\d+)", Path("/proc/self/io").read_text())[0]
        print(peak, read, file=sys.stderr)
