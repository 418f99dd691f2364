"""Requests out of lines that carry no id: opening line, block, closing line, failure (pure).

Lines come in the order of their file; every call says which events of SPEC §1 the line stands for.
What is open crosses chunks, runs and files as a state in JSON. The rules are in docs/profiles.md,
"How requests are put together".
"""

from ingest.records.sequence.events import LEVELS, START, Claim, Event
from ingest.records.sequence.sequencer import Sequencer
from ingest.records.sequence.state import Line

__all__ = ["LEVELS", "START", "Claim", "Event", "Line", "Sequencer"]
