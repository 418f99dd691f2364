"""``python -m ttsq`` is ``ttsq``."""

from ingest.__main__ import entry

entry()
