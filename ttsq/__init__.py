"""ttsq from Python: open a store, ask its named queries, get rows, data frames or Arrow tables.

>>> import ttsq
>>> store = ttsq.open("duckdb:///logs.duckdb")
>>> store.query("failure_by_length", since="24h").df()

The package ``ingest`` is the inside and may change; what this module offers stays.
"""

from ingest import __version__
from ingest.errors import TtsqError
from ttsq.rows import Rows
from ttsq.store import Finding, Ingested, Question, Store, open_store

open = open_store

__all__ = [
    "Finding",
    "Ingested",
    "Question",
    "Rows",
    "Store",
    "TtsqError",
    "__version__",
    "open",
]
