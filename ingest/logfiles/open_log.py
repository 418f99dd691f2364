"""A log file that is being read: where, from which proof, and what is settled."""

from datetime import datetime

from ingest.errors import DamagedFileError
from ingest.logfiles import reader
from ingest.logfiles.fingerprint import ANCHOR_BYTES, anchor, anchor_length, fingerprint
from ingest.logfiles.known import LogFile
from ingest.logfiles.reader import LogReader
from ingest.logfiles.resume import Anchored, Decision
from ingest.model import Checkpoint


class OpenLog:
    """A file being read from where the decision says; proves a compressed file's content on the
    way.

    ``committed`` is the offset up to which its bytes are settled, ``end`` that up to which they
    were read.
    """

    def __init__(self, file: LogFile, decision: Decision) -> None:
        self.file = file
        self.decision = decision
        self.reader = LogReader(file.stat)
        if decision.offset == 0:
            head = self.reader.head()
            if not head.startswith(file.head):
                self.reader.close()
                raise reader.moved(file.stat.path)
            # longer, where it has grown since it was looked at
            self.file = file._replace(head=head)
        self.offset = self.committed = decision.offset
        self.recent = b""
        self.header_offset: int | None = None
        self.damage: DamagedFileError | None = None
        self.note: str | None = None  # what is to be said of its content

    def prove(self) -> Anchored:
        """Go to the offset and compare what stands before it with the known file's anchor."""
        c = self.decision.checkpoint
        if c is None or self.offset == 0:
            return Anchored.EQUAL
        length = anchor_length(c.anchor) if c.anchor else 0
        try:
            self.reader.seek_to(self.offset - length)
            self.recent = self._exactly(length)
        except DamagedFileError as error:
            self.damage = error
            return Anchored.SHORT
        if self.reader.position < self.offset:
            return Anchored.SHORT
        if length and anchor(self.recent) != c.anchor:
            return Anchored.DIFFERENT
        return Anchored.EQUAL

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length and (more := self.reader.read(length - len(data))):
            data += more
        return data

    @property
    def end(self) -> int:
        return self.reader.position

    def advance(self, offset: int, data: bytes) -> str | None:
        """Move ``committed`` on; ``data`` are the bytes just before it. The anchor there."""
        gap = offset - self.committed - len(data)
        self.recent = ((self.recent if gap == 0 else b"") + data)[-ANCHOR_BYTES:]
        self.committed = offset
        return anchor(self.recent) if self.recent else None

    def close(self) -> None:
        """Let go of the file."""
        self.reader.close()


def first_checkpoint(file: LogFile, host: str, service: str, now: datetime) -> Checkpoint:
    """What is known of a file before anything of it is stored."""
    stat = file.stat
    return Checkpoint(
        file_key=0,
        host=host,
        service=service,
        path=str(stat.path),
        fingerprint=fingerprint(file.head) or None,
        header_offset=None,
        anchor=None,
        committed_offset=0,
        size_bytes=0,
        stored_bytes=stat.stored_bytes,
        modified_ns=stat.modified_ns,
        device=stat.device,
        inode=stat.inode,
        compression=file.compression,
        state="waiting",
        records=0,
        record_bytes=0,
        quarantined=0,
        quarantined_bytes=0,
        ignored_bytes=0,
        lost_bytes=0,
        last_logged_at=None,
        note=None,
        first_seen_at=now,
        last_ingested_at=now,
    )
