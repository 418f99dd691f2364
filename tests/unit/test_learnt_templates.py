"""What is learnt of a line's text: how many digits its numbers may have, and what tells nothing."""

import pytest

from ingest.compiled import line_values
from ingest.records.formats import MAX_RECORD_BYTES, compile_format
from ingest.records.learnt.symbols import Unlearnable
from ingest.records.learnt.templates import Templates
from ingest.records.logical import Reader
from ingest.records.native import NativeFormat
from tests.support.shipped_profiles import shipped

_MAKES = Templates(Reader(NativeFormat(compile_format(), MAX_RECORD_BYTES)), shipped())
_MAKES.ask_of_paths(lambda path: 0)


def test_a_port_has_at_most_five_digits_and_its_access_line_is_learnt() -> None:
    text = b'INFO:     10.3.0.7:43122 - "POST /tts HTTP/1.1" 200 OK'
    template = _MAKES.of(text)
    digits = {text[slice(*span)]: limit for span, limit in zip(template.spans, template.limits,
                                                                strict=True)}  # fmt: skip
    assert digits == {b"10.3.0.7": (0, 3), b"43122": (1, 5), b"/tts": (0, 0)}


def test_of_an_access_line_all_that_a_client_says_may_be_anything() -> None:
    text = (
        b'10.3.0.7 - - [02/Mar/2026:10:00:00 +0100] "POST /tts?voice=a HTTP/1.1" 200 512 "-" '
        b'"curl/8.5" rt=1.250 urt=1.200 rid=0123456789abcdef0123456789abcdef'
    )
    template = _MAKES.of(text)
    assert template.columns["request_ms"] == ("number", 6, 3, line_values.MILLI)
    told = template.path, template.columns["query"], template.columns["user_agent"]
    assert [slot[0] for slot in told] == ["text", "text", "text"]
    assert template.seen.dated


def test_durations_of_several_upstream_servers_are_a_sum_and_not_learnt() -> None:
    text = (
        b'10.3.0.7 - - [02/Mar/2026:10:00:00 +0100] "GET / HTTP/1.1" 200 512 "-" "curl/8.5" '
        b'rt=1.250 urt="1.200, 0.001"'
    )
    with pytest.raises(Unlearnable):
        _MAKES.of(text)


def test_a_number_of_seconds_may_have_any_length() -> None:
    template = _MAKES.of(b">> gpt_gen_time: 2.93 seconds")
    assert template.limits == [(1, 9)]


def test_a_stamp_may_be_any_moment_and_a_line_of_a_file_is_a_name() -> None:
    template = _MAKES.of(b"2026-03-02 10:00:00.123 | INFO     | tts:infer:33 - took 2 of 3")
    assert template.seen.dated
    assert template.limits == [(23, 23), (1, 15), (1, 15)]


@pytest.mark.parametrize(
    "text",
    (
        b"2026-03-02 10:00:00+02:00 INFO tts: ready",
        b"2026-03-02 10:00:00 UTC INFO tts: ready",
        b"03-02 10:00:00 INFO tts: ready",
        b'synthesis_start: id=a1, text="x"',
        b"Traceback (most recent call last):",
        b"tts-1  | >> RTF: 1.5",
    ),
)
def test_a_stamp_an_event_a_traceback_and_an_envelope_are_never_learnt(text: bytes) -> None:
    with pytest.raises(Unlearnable):
        _MAKES.of(text)
