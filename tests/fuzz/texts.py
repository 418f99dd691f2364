"""Targets of the readers of small texts: settings, query files, tracebacks."""

import os
import re
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from ingest.cli.settings.load import Settings, load, zone
from ingest.errors import QueryFileError, TtsqError
from ingest.named_queries.help import help_text
from ingest.named_queries.library import read_query
from ingest.records.formats import compile_format, scanner_arguments
from ingest.rows.tracebacks import read_tracebacks

_FOLDER = Path(tempfile.mkdtemp(prefix="ttsq-fuzz-"))
_REPEATED_BYTES = 96 << 10
_SECONDS = 2.0  # of this process; what is linear takes a hundredth of it
_TYPE = re.compile(r"[A-Za-z_][\w.]*$")


def settings(data: bytes) -> None:
    """A settings file, behind a NUL the environment as ``NAME=value`` lines; nothing but a
    TtsqError.
    """
    content, _, given = data.partition(b"\0")
    environment = {}
    for line in given.split(b"\n"):
        name, _, value = line.partition(b"=")
        environment[os.fsdecode(name)] = os.fsdecode(value)
    path = _FOLDER / "ttsq.toml"
    path.write_bytes(content)
    try:
        found = load(path, environment).settings
    except TtsqError as error:
        _told(error)
        return
    _usable(found)


def _usable(found: Settings) -> None:
    """Every value is text that can be stored and shown; those that are read further say what is
    wrong.
    """
    for value in (found.db, found.host, found.service, found.log_format, found.datefmt, found.tz):
        assert value is None or "\0" not in value, value
        (value or "").encode()
    if found.query_folder is not None:
        found.query_folder.is_dir()
    try:
        zone(found.tz)
        fmt = compile_format(
            found.log_format, found.datefmt, escapes=found.escapes, stage_time=found.stage_time
        )
        scanner_arguments(fmt)
    except TtsqError as error:
        _told(error)


def _told(error: TtsqError) -> None:
    assert error.hint
    for text in (error.message, error.hint):
        text.encode()
        assert "\x1b" not in text, "an escape sequence for the terminal"


def query_header(data: bytes) -> None:
    """A named query's file; nothing but a QueryFileError, in time."""
    path = _FOLDER / "name.sql"
    path.write_bytes(data)
    begin = time.process_time()
    try:
        query = read_query(path)
    except QueryFileError as error:
        assert error.hint and error.message.startswith((str(path), "cannot read"))
    else:
        help_text(query)
        assert query.name == path.stem
    spent = time.process_time() - begin
    assert spent < _SECONDS, f"{spent:.1f} s for {len(data)} bytes"


def query_time(data: bytes) -> None:
    """A beginning, a NUL and a piece: the piece over and over is read in time."""
    query_header(_repeated(data))


def _repeated(data: bytes) -> bytes:
    beginning, _, piece = data.partition(b"\0")
    return beginning + (piece or b"x") * (_REPEATED_BYTES // max(len(piece), 1))


def traceback(data: bytes) -> None:
    """A traceback, behind a NUL an ``exc`` pair; what is found stands in them."""
    _traceback(*data.decode("utf-8", "replace").partition("\0")[::2])


def _traceback(text: str, exc: str) -> None:
    begin = time.process_time()
    columns = read_tracebacks(
        pa.array(["", exc, text], pa.string()), pa.array([text or None, text, None], pa.string()),
        pa.array([exc, None, exc], pa.string()),
    )  # fmt: skip
    spent = time.process_time() - begin
    assert spent < _SECONDS, f"{spent:.1f} s for {len(text)} characters"
    for column in columns:
        column.validate(full=True)
        assert len(column) == 3
    for kind, message, where in zip(
        *(c.to_pylist() for c in (columns.types, columns.exception_messages, columns.locations)),
        strict=True,
    ):
        assert kind is None or (_TYPE.match(kind) and (kind in text or kind in exc)), kind
        assert message is None or message, "an empty message is none"
        assert where is None or where.partition(":")[0].split("\n")[0] in text


def traceback_time(data: bytes) -> None:
    """A beginning, a NUL and a piece: the piece over and over is read in time."""
    text = _repeated(data).decode("utf-8", "replace")
    _traceback(text, text)
