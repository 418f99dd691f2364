"""Generated files of the project: written, or compared with what would be written."""

import sys
from collections.abc import Sequence
from pathlib import Path


def keep(file: Path, text: str, module: str, arguments: Sequence[str]) -> int:
    """Write ``file``, or with ``--check`` report whether it is stale; the exit code."""
    if "--check" not in arguments:
        file.write_text(text, encoding="utf-8")
        return 0
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return 0
    print(f"{file} is stale; write it anew: python -m {module}", file=sys.stderr)
    return 1
