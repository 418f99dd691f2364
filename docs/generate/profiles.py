"""``python -m docs.generate.profiles``: writes profiles/shipped.json from the profiles beside it.

``--check`` only reports whether the file is up to date.
"""

import sys

from docs.generate.keep import keep
from ingest.pipeline.profiles import SHIPPED, of_folder
from ingest.records.profile_kept import kept
from ingest.resources import folder


def main(arguments: list[str]) -> int:
    """Write the file, or compare it; the exit code."""
    shipped = folder("profiles")
    return keep(shipped / SHIPPED, kept(of_folder(shipped)), "docs.generate", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
