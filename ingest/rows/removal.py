"""A log file's parts are taken away: what becomes of the requests of other files' parts; pure."""

from datetime import datetime

import numpy as np
import pyarrow as pa

from ingest.model import Changes, Origin
from ingest.rows.chunk import Batch
from ingest.rows.grouping import mark_of
from ingest.rows.meeting import Meeting
from ingest.rows.part_table import part_list, part_table, request_table, with_classes
from ingest.rows.parts import Part
from ingest.rows.resolve import SLACK, Resolution, part_of_request, stored_parts


class Removal(Resolution):
    """Decides which requests remain when some parts of one log file go.

    What it must know of the store it asks for as a batch does, of which it is the opposite. All
    parts of the file that it meets on the way go, too.

    :param pieces: rows of request_parts of the file.
    :param requests: whole requests of the file alone.
    """

    def __init__(
        self,
        origin: Origin,
        pieces: pa.Table,
        requests: pa.Table,
        *,
        own_stage_times: bool,
    ) -> None:
        self._key = origin.file_key
        self._schema = pieces.schema
        super().__init__(_nothing(origin, pieces.schema, own_stage_times), set(), (None, None))
        for part in part_list(with_classes(pieces)):
            self._remove(part)
        for row in requests.to_pylist():
            self._remove(part_of_request(row))

    def _remove(self, part: Part) -> None:
        self._parts.stored[part.place] = part
        if part.id not in self._meetings:
            self._meetings[part.id] = Meeting(self._parts.content, is_known=True)
        self._wanting.add(part.id)
        self._meetings[part.id].add_removed(mark_of(part, part.request_key))

    def add(self, pieces: pa.Table | None, requests: pa.Table | None) -> None:
        """Take in what was asked for."""
        for part in stored_parts((pieces, requests)):
            if part.place in self._parts.stored:
                continue
            if part.file_key == self._key:
                self._remove(part)
            else:
                self._parts.stored[part.place] = part
                self._meetings[part.id].add_stored(mark_of(part, part.request_key))

    def changes(self, at: datetime) -> Changes:
        """What goes, and what takes its place; ``at`` is now."""
        found = self.rewritten()
        return Changes(
            quarantined_at=at,
            rows={
                "requests": [request_table(found.requests, self._schema)],
                "request_parts": [part_table(found.parts, self._schema)],
            },
            delete_requests=found.delete_requests,
            delete_parts=found.delete_parts,
            relinks=found.relinks,
            earliest=found.earliest - SLACK if found.earliest else None,
            latest=found.latest + SLACK if found.latest else None,
        )


def _nothing(origin: Origin, schema: pa.Schema, own_stage_times: bool) -> Batch:
    """A batch without any part."""
    no_flags = np.zeros(0, np.bool_)
    no_ids = pa.array([], pa.string())
    parts = pa.table({f.name: pa.array([], f.type) for f in schema}, schema=schema)
    at = parts.column_names.index("id")
    parts = parts.set_column(at, "id", pa.chunked_array([no_ids.dictionary_encode()]))
    return Batch(
        origin=origin, own_stage_times=own_stage_times, parts=parts, whole=no_flags,
        used=no_flags, carried=(), ended=frozenset(), records={}, rejects=(), ids=no_ids,
        startless=no_ids, earliest=0, latest=0,
    )  # fmt: skip
