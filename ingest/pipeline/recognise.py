"""The refusal of a file that holds no record."""

from typing import TYPE_CHECKING

from ingest.errors import LogFileError
from ingest.logfiles.fingerprint import HEAD_BYTES
from ingest.logfiles.known import LogFile
from ingest.logfiles.reader import read_head

if TYPE_CHECKING:
    from ingest.records.parse import ChunkParser
    from ingest.rows.words import Words

BOM = b"\xef\xbb\xbf"
BANNER_BYTES = 4 << 20  # so much before its first record a log may say at its start


def require_records(file: LogFile, parser: "ChunkParser", words: "Words", *, final: bool) -> None:
    """Refuse a file in whose first bytes, a banner of BANNER_BYTES at most, nothing looks like a record.

    :raises LogFileError: for a binary file, or a text whose records have another format.
    """
    head = file.head.removeprefix(BOM)
    if not head.strip(b"\0\r\n\t "):
        return
    text = head.decode("utf-8", "replace")
    odd = sum(1 for c in text if (c < " " and c not in "\t\n\r\x1b\0") or c == "�")
    lines = head.count(b"\n")
    if parser.next_beginning(memoryview(head), 0, True) >= 0:
        return
    if odd > len(text) // 10 or (not lines and len(head) >= HEAD_BYTES and odd):
        raise LogFileError(
            f"{file.stat.path} is a binary file, not a log file",
            "name text logs, plain or compressed",
        )
    if len(file.head) >= HEAD_BYTES:
        banner, _ = read_head(file.stat, BANNER_BYTES)
        if parser.next_beginning(memoryview(banner), 0, True) >= 0:
            return
    if lines >= 3 or final:
        first = text.splitlines()[0][:120].encode("unicode_escape").decode()
        shown = f"; it begins: {first}" if words.are_kept else ""
        raise LogFileError(
            f"no line of {file.stat.path} has the log format{shown}",
            "give the service's logging format string: --log-format '%(asctime)s %(levelname)s ...'",
        )
