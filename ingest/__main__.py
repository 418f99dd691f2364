"""``python -m ingest`` is ``ttsq``."""

from ingest.cli import main

main()
