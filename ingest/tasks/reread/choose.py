"""Which known log file stands at a path, and whether it can be read anew."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import LogFileError
from ingest.logfiles.known import Known, LogFile
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Action, Anchored, Decision
from ingest.model import Checkpoint, Origin
from ingest.pipeline.known_content import Content, known_stretches
from ingest.rows.content import Stretch
from ingest.stores.contract import Store


@dataclass(frozen=True, slots=True)
class Chosen:
    """A known file that stands on disk with all that is stored of it.

    ``stretches`` are stored from another place: they stay so. ``is_finished``: nothing will follow
    its end.
    """

    checkpoint: Checkpoint
    stretches: list[Stretch]
    is_finished: bool


def choose(store: Store, known: Known, path: Path, *, final: bool) -> Chosen:
    """The known file at a path.

    :raises LogFileError: when there is none, or when less than what is stored of it is there: its
        rows would be lost.
    """
    problems: list[LogFileError] = []
    files = [f for f in known.observe([path], problems.append) if f.stat.path == path]
    if not files:
        raise problems[0] if problems else _unknown(path)
    file = known.seen_again(files[0])
    while True:
        decision = known.decide(file)
        checkpoint = decision.checkpoint
        if checkpoint is None or not checkpoint.committed_offset:
            raise _unknown(path)
        if decision.edited:
            raise _changed(path, decision.reason)
        if decision.action is Action.SKIP and not decision.offset:
            raise _changed(path, f"{decision.reason}, last seen at {checkpoint.path}")
        found = _proven(store, known, file, decision)
        if found is not None:
            is_finished = known.is_finished(file, final=final) or checkpoint.state == "finished"
            return Chosen(checkpoint, found, is_finished)
        known.reject(file, decision)  # it is not the known file that it looks like


def _proven(store: Store, known: Known, file: LogFile, decision: Decision) -> list[Stretch] | None:
    """What of a file is stored from elsewhere; None where it is not the known file.

    :raises LogFileError: where it ends, or is damaged, before what is stored does.
    """
    checkpoint = decision.checkpoint
    assert checkpoint is not None
    with closing(OpenLog(file, decision)) as opened:
        proof = opened.prove()
        if proof is Anchored.DIFFERENT:
            return None
        if proof is Anchored.SHORT:
            raise opened.damage or _changed(file.stat.path, "shorter than what is stored of it")
        origin = Origin(checkpoint.file_key, checkpoint.host, checkpoint.service)
        content = Content(store, known, is_usable=True)
        return [
            *known_stretches(store, checkpoint.file_key),
            *content.stretches(opened, origin),
        ]


def _unknown(path: Path) -> LogFileError:
    return LogFileError(
        f"nothing is stored of the log file {path}",
        f"it is read for the first time by: ttsq ingest {path}",
    )


def _changed(path: Path, reason: str) -> LogFileError:
    return LogFileError(
        f"the log file {path} is not read anew: it is {reason}, and rows would be lost",
        "its rows stay; ttsq ingest reads what is new in it",
    )
