"""``python -m ingest`` is ``ttsq``."""

from ingest.cli import entry

entry()
