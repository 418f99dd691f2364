"""The decision where to start in a file, as a table; and the fingerprints it rests on."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ingest.logfiles.fingerprint import (
    ANCHOR_BYTES,
    HEAD_BYTES,
    Match,
    anchor,
    anchor_length,
    compare,
    covered,
    fingerprint,
)
from ingest.logfiles.resume import Action, Anchored, Candidate, Decision, decide
from ingest.model import Checkpoint

_AT = datetime(2026, 3, 2, tzinfo=UTC)
_CONTENT = b"".join(
    b"2026-03-02 12:00:%02d,000 - app - INFO - record %d\n" % (i, i) for i in range(60)
)
_BLANK = Checkpoint(
    file_key=1, host="h", service="s", path="/logs/app.log", fingerprint=None, header_offset=20,
    anchor=None, committed_offset=5000, size_bytes=6000, stored_bytes=6000, modified_ns=0, device=1,
    inode=1, compression="none", state="live", records=9, record_bytes=5000, quarantined=0,
    quarantined_bytes=0, ignored_bytes=0, lost_bytes=0, last_logged_at=_AT, note=None,
    first_seen_at=_AT, last_ingested_at=_AT,
)  # fmt: skip


def _candidate(
    match: Match = Match.FULL,
    anchored: Anchored = Anchored.EQUAL,
    *,
    key: int = 1,
    offset: int = 5000,
    equal: int = 1000,
    same_place: bool = True,
    elsewhere: bool = False,
    header: int | None = 20,
) -> Candidate:
    checkpoint = _BLANK._replace(file_key=key, committed_offset=offset, header_offset=header)
    return Candidate(checkpoint, match, equal, anchored, same_place, elsewhere)


@dataclass(frozen=True)
class Case:
    """Known files compared with one at hand, and what is to be done: file_key of the known one,
    offset.
    """

    name: str
    candidates: tuple[Candidate, ...]
    action: Action
    key: int | None = None
    offset: int = 0
    edited: bool = False


_PARTLY, _PREFIX, _NONE = Match.PARTLY, Match.PREFIX, Match.NONE
_DIFFERENT, _SHORT, _UNKNOWN = Anchored.DIFFERENT, Anchored.SHORT, Anchored.UNKNOWN
CASES = (
    Case("no known file", (), Action.START),
    Case("nothing in common", (_candidate(_NONE, equal=0),), Action.START),
    Case("known, in its place", (_candidate(),), Action.RESUME, 1, 5000),
    Case("known, renamed", (_candidate(same_place=False),), Action.RESUME, 1, 5000),
    Case("known, copied", (_candidate(elsewhere=True),), Action.RESUME, 1, 5000),
    Case("compressed", (_candidate(anchored=_UNKNOWN, same_place=False),), Action.RESUME, 1, 5000),
    Case(
        "copy shorter than the fingerprint",
        (_candidate(_PREFIX, same_place=False, elsewhere=True),),
        Action.SKIP,
        1,
    ),
    Case(
        "copy shorter than the offset",
        (_candidate(anchored=_SHORT, same_place=False, elsewhere=True),),
        Action.SKIP,
        1,
    ),
    Case("edited behind its first bytes", (_candidate(anchored=_DIFFERENT),), Action.SKIP, 1, 5000,
    True),
    Case("edited within its first bytes", (_candidate(_PARTLY),), Action.SKIP, 1, 5000, True),
    Case("first record equal, no more", (_candidate(_PARTLY, equal=20),), Action.SKIP, 1, 5000,
    True),
    Case("same banner, other records", (_candidate(_PARTLY, equal=19),), Action.START),
    Case("no stamped record to tell by", (_candidate(_PARTLY, header=None),), Action.START),
    Case("same banner, elsewhere", (_candidate(_PARTLY, same_place=False),), Action.START),
    Case("same start, elsewhere", (_candidate(anchored=_DIFFERENT, same_place=False),),
    Action.START),
    Case("truncated, the old content rotated", (_candidate(_PARTLY, elsewhere=True),),
    Action.START),
    Case(
        "regrown past the offset, the old content rotated",
        (_candidate(anchored=_DIFFERENT, elsewhere=True),),
        Action.START,
    ),
    Case("nothing stored of it yet", (_candidate(_PARTLY, offset=0),), Action.START),
    Case(
        "the longest of several",
        (_candidate(key=1, offset=3000), _candidate(key=2, offset=5000), _candidate(key=3,
        offset=4000)),
        Action.RESUME,
        2,
        5000,
    ),
    Case(
        "its own place before a longer one elsewhere",
        (_candidate(key=1, offset=3000), _candidate(key=2, same_place=False)),
        Action.RESUME,
        1,
        3000,
    ),
    Case(
        "proven before unproven",
        (_candidate(key=1, anchored=_UNKNOWN), _candidate(key=2, offset=10, same_place=False)),
        Action.RESUME,
        2,
        10,
    ),
    Case(
        "known before a file it is a shorter copy of",
        (_candidate(key=1, offset=10), _candidate(key=2, anchored=_SHORT)),
        Action.RESUME,
        1,
        10,
    ),
    Case(
        "a shorter copy before an edited one",
        (_candidate(key=1, anchored=_DIFFERENT), _candidate(_PREFIX, key=2)),
        Action.SKIP,
        2,
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decision(case: Case) -> None:
    decision = decide(list(case.candidates))
    key = None if decision.checkpoint is None else decision.checkpoint.file_key
    assert (decision.action, key, decision.offset, decision.edited) == (
        case.action,
        case.key,
        case.offset,
        case.edited,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decision_does_not_hang_on_the_order_of_known_files(case: Case) -> None:
    def told(decision: Decision) -> tuple[Action, int]:
        return decision.action, decision.offset

    assert told(decide(list(reversed(case.candidates)))) == told(decide(list(case.candidates)))


@pytest.mark.parametrize("length", [1, 63, 64, 65, 1000, len(_CONTENT)])
def test_a_file_that_has_grown_still_matches(length: int) -> None:
    print_ = fingerprint(_CONTENT[:length])
    assert covered(print_) == length
    for longer in range(length, len(_CONTENT) + 1, 97):
        assert compare(print_, _CONTENT[:longer]) == (Match.FULL, length)


def test_a_shorter_copy_matches_as_far_as_it_goes() -> None:
    print_ = fingerprint(_CONTENT)
    assert compare(print_, _CONTENT[:1000]) == (Match.PREFIX, 512)
    assert compare(print_, _CONTENT[:64]) == (Match.PREFIX, 64)


def test_less_than_the_least_length_says_nothing() -> None:
    assert compare(fingerprint(_CONTENT), _CONTENT[:63]) == (Match.NONE, 0)
    assert compare(None, _CONTENT) == (Match.NONE, 0)
    assert compare(fingerprint(b""), _CONTENT) == (Match.NONE, 0)


@pytest.mark.parametrize(
    ("place", "expected"),
    [(0, (Match.NONE, 0)), (63, (Match.NONE, 0)), (64, (Match.PARTLY, 64)), (1500, (Match.PARTLY,
    1024))],
)  # fmt: skip
def test_one_changed_byte_is_seen(place: int, expected: tuple[Match, int]) -> None:
    changed = bytearray(_CONTENT)
    changed[place] ^= 1
    assert compare(fingerprint(_CONTENT), bytes(changed)) == expected


def test_a_fingerprint_covers_no_more_than_the_head() -> None:
    data = _CONTENT * 60
    assert len(data) > HEAD_BYTES
    assert covered(fingerprint(data)) == HEAD_BYTES
    assert fingerprint(data) == fingerprint(data[:HEAD_BYTES])


def test_an_anchor_is_of_the_last_bytes() -> None:
    assert anchor_length(anchor(b"x" * 10)) == 10
    assert anchor_length(anchor(_CONTENT)) == ANCHOR_BYTES
    assert anchor(_CONTENT) == anchor(_CONTENT[-ANCHOR_BYTES:])
    assert anchor(_CONTENT) != anchor(_CONTENT[:-1] + b"x")
