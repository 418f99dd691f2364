"""``python -m ttsq`` is ``ttsq``."""

from ingest.cli import entry

entry()
