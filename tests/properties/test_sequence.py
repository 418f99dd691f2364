"""Requests without ids: any split gives the same, no value crosses to another request, no text
opens or ends one.
"""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from ingest.records.sequence import Claim, Event, Line, Sequencer
from tests.support.reference_assembly import ORDER, Told, assemble
from tests.support.shipped_profiles import shipped

_PRINTED = {
    "gpt_gen": ">> gpt_gen_time: {:.2f} seconds",
    "gpt_forward": ">> gpt_forward_time: {:.2f} seconds",
    "s2mel": ">> s2mel_time: {:.2f} seconds",
    "bigvgan": ">> bigvgan_time: {:.2f} seconds",
    "total": ">> Total inference time: {:.2f} seconds",
    "audio": ">> Generated audio length: {:.2f} seconds",
    "rtf": ">> RTF: {:.4f}",
}
_LINES = st.one_of(
    st.just(">> starting inference..."),
    st.builds(lambda name, n: _PRINTED[name].format(n), st.sampled_from(ORDER), st.integers(1, 99)),
    st.sampled_from(
        [
            "Use the specified emotion vector",
            ">> wav file saved to: a.wav",
            "处理TTS请求: text=>> starting inference..., reference_id=r",
            "TTS推理完成",
            "ref_text   x",
            "gen_text 0 y",
            "Generation failed: CUDA out of memory",
            "Set seed to 4",
            "实际输入的目标文本:",
            "0.049\t0.112\t0.967\t0.129",
            "synthesis text hello",
            "TTS speech request speech-1: text='a', task_type=b",
            "{'type': 'request_level_metrics',",
            " 'request_id': 'speech-1',",
            " 'stages': {}",
            "indextts exited with code 137",
            "nothing that is known",
        ]
    ),
)
_EVERYTHING = st.one_of(
    _LINES,
    st.sampled_from(
        sorted(
            {
                line
                for profile in shipped().profiles
                for sample in profile.samples
                for line in sample.lines
            }
        )
    ),
)
_INSTANCES = st.sampled_from([None, "a", "b"])


def _say(kind: str, instance: str | None, text: str, status: int) -> Told:
    return Told(kind, 0, instance, text, status)


_TOLD = st.one_of(
    st.builds(_say, st.just("line"), _INSTANCES, _EVERYTHING, st.just(0)),
    st.builds(_say, st.just("bar"), _INSTANCES, st.just(""), st.sampled_from([0, 1])),
    st.builds(
        _say, st.just("access"), _INSTANCES, st.just("/tts"), st.sampled_from([200, 404, 500])
    ),
    st.builds(_say, st.just("failed"), _INSTANCES, st.just(""), st.just(0)),
    st.builds(_say, st.just("restarted"), _INSTANCES, st.just(""), st.just(0)),
)


def _placed(told: Iterable[Told]) -> list[Told]:
    placed, offset = [], 0
    for one in told:
        placed.append(Told(one.kind, offset, one.instance, one.text, one.status))
        offset += 100
    return placed


def _tell(sequencer: Sequencer, one: Told) -> Claim | None:
    text = one.text if one.kind == "line" else ""
    line = Line(one.offset, one.offset + 100, one.instance, text, 0, None, None)
    if one.kind == "line":
        return sequencer.line(line)
    if one.kind == "access":
        return sequencer.access(line, "POST", one.text, one.status)
    if one.kind == "failed":
        return sequencer.failed(line, "RuntimeError", "no")
    if one.kind == "bar":
        return sequencer.bar(line, 2500, bool(one.status))
    return sequencer.restarted(line)


def _all(told: list[Told]) -> list[Claim | None]:
    sequencer = Sequencer(shipped(), b"head", None)
    return [_tell(sequencer, one) for one in told]


def _events(claims: Iterable[Claim | None]) -> list[Event]:
    return [event for claim in claims if claim is not None for event in claim.events]


def _rows(claims: Iterable[Claim | None]) -> dict[str, dict[str, object]]:
    """Requests by id; stages under their own names."""
    rows: dict[str, dict[str, object]] = {}
    for event in _events(claims):
        pairs = dict(event.pairs)
        id_ = pairs.pop("id", None)
        if id_ is None or not event.event:
            continue
        row = rows.setdefault(str(id_), {})
        if event.event == "stage_time":
            row[f"stage {pairs['stage']}"] = pairs["own_ms"]
        elif event.event == "synthesis_complete":
            row.update(pairs)
        else:
            row = {**pairs, **row}
        rows[str(id_)] = row
    return rows


@given(st.lists(_TOLD, max_size=40), st.data())
def test_a_state_restored_at_any_line_gives_the_same_claims(
    told: list[Told], data: st.DataObject
) -> None:
    placed = _placed(told)
    cuts = data.draw(st.sets(st.integers(0, max(len(placed), 1)), max_size=5))
    sequencer = Sequencer(shipped(), b"head", None)
    claims = []
    for i, one in enumerate(placed):
        if i in cuts:
            sequencer = Sequencer(shipped(), b"head", sequencer.state())
        claims.append(_tell(sequencer, one))
    assert claims == _all(placed)


@given(st.lists(_TOLD, max_size=60))
def test_every_request_begins_once_and_ends_at_most_once(told: list[Told]) -> None:
    begun, ended = [], []
    for event in _events(_all(_placed(told))):
        id_ = dict(event.pairs).get("id")
        if event.event == "synthesis_start":
            begun.append(id_)
        elif event.event == "synthesis_complete":
            ended.append(id_)
    of_place = [id_ for id_ in begun if not str(id_).startswith("speech-")]
    assert len(of_place) == len(set(of_place))
    ends = [id_ for id_ in ended if not str(id_).startswith("speech-")]
    assert len(ends) == len(set(ends))
    assert set(ends) <= set(of_place)


@given(st.lists(_TOLD, max_size=40))
def test_instances_do_not_touch_each_other(told: list[Told]) -> None:
    placed = [one for one in _placed(told) if "exited" not in one.text]
    together = _all(placed)
    for name in (None, "a", "b"):
        alone = _all([one for one in placed if one.instance == name])
        assert alone == [
            claim for claim, one in zip(together, placed, strict=True) if one.instance == name
        ]


_OF_INDEXTTS = st.one_of(
    st.builds(
        _say,
        st.just("line"),
        st.sampled_from([None, "a"]),
        st.one_of(
            st.just(">> starting inference..."),
            st.builds(
                lambda name, n: _PRINTED[name].format(n), st.sampled_from(ORDER), st.integers(1, 99)
            ),
        ),
        st.just(0),
    ),
    st.just(Told("failed", 0, "a", "RuntimeError: no")),
    st.just(Told("restarted", 0, "a")),
    st.builds(_say, st.just("access"), st.just("a"), st.just("/tts"), st.just(500)),
)


def _blocks(count: int) -> list[list[Told]]:
    """What some threads print, one request each: an opening line, then a block with the thread's
    number in it.
    """
    return [
        [
            Told("line", 0, "a", ">> starting inference..."),
            *(Told("line", 0, "a", _PRINTED[name].format(n + 1)) for name in ORDER),
        ]
        for n in range(count)
    ]


@st.composite
def _threads(draw: st.DrawFn) -> list[Told]:
    """Threads that print into each other's blocks, line by line, in any order."""
    threads = _blocks(draw(st.integers(1, 4)))
    told = []
    while any(threads):
        thread = draw(st.sampled_from([t for t in threads if t]))
        for _ in range(draw(st.integers(1, len(thread)))):
            told.append(thread.pop(0))
    return told


@given(st.one_of(st.lists(_OF_INDEXTTS, max_size=40), _threads()))
def test_the_assembly_is_that_of_the_plain_reference(told: list[Told]) -> None:
    placed = _placed(told)
    wanted = assemble(placed)
    rows = list(_rows(_all(placed)).values())
    assert len(rows) == len(wanted)
    for row, want in zip(rows, wanted, strict=True):
        status = row.get("status", "open")
        if row.get("error_code") == "INTERRUPTED":
            status = "interrupted"
        assert status == want.status
        if status != "open":
            assert (row["assembly"] == "uncertain") == want.uncertain
        for name in ("gpt_gen", "gpt_forward", "s2mel", "bigvgan"):
            assert row.get(f"stage {name}") == (
                want.values[name] * 1000 if name in want.values else None
            )
        if "total" in want.values:
            assert row["duration_ms"] == want.values["total"] * 1000
        assert row.get("rtf") == want.values.get("rtf")


@given(_threads())
def test_values_of_two_requests_are_never_in_one_row(told: list[Told]) -> None:
    rows = _rows(_all(_placed(told)))
    opened = sum(one.text == ">> starting inference..." for one in told)
    assert len(rows) == opened
    for row in rows.values():
        seconds = [
            float(str(row[key])) / 1000
            for key in (*(f"stage {name}" for name in ORDER[:4]), "duration_ms", "audio_ms")
            if key in row
        ]
        factor = [float(str(row["rtf"]))] if "rtf" in row else []
        assert len({*seconds, *factor}) <= 1


@given(_threads())
def test_every_line_of_a_torn_block_goes_to_quarantine_once(told: list[Told]) -> None:
    placed = _placed(told)
    claims = _all(placed)
    torn = [line.offset for claim in claims if claim is not None for line in claim.torn]
    assert len(torn) == len(set(torn))
    used = {event.line.offset for event in _events(claims) if event.event == "stage_time"}
    assert not used & set(torn)


_HOSTILE = st.one_of(
    _LINES,
    st.text(max_size=60),
    st.sampled_from(
        [
            ">> RTF: 0.1 TTS推理完成",
            "x, reference_id=y",
            "] >> starting inference...",
            "a | Set seed to 3",
            "b: >> gpt_gen_time: 9.00 seconds",
            '"; DROP TABLE requests; --',
        ]
    ),
).map(lambda text: "".join(text.splitlines()))


@given(st.lists(_HOSTILE, min_size=1, max_size=6))
def test_a_users_text_opens_ends_and_fills_nothing(texts: list[str]) -> None:
    told = []
    for text in texts:
        told += [
            Told("line", 0, None, f"处理TTS请求: text={text}, reference_id=r"),
            Told("line", 0, None, ">> start inference..."),
            Told("line", 0, None, f"origin text:{text}"),
            *(Told("line", 0, None, _PRINTED[name].format(1)) for name in ORDER),
            Told("line", 0, None, "TTS推理完成"),
        ]
    rows = _rows(_all(_placed(told)))
    assert len(rows) == len(texts)
    for row, text in zip(rows.values(), texts, strict=True):
        assert row["status"] == "success"
        assert row["text"] == text
        assert row["duration_ms"] == 1000
        assert row["voice"] == "r"


@given(st.lists(st.sampled_from(["text", "next"]), max_size=4), _HOSTILE)
def test_a_text_on_a_line_of_its_own_is_a_text(kinds: list[str], text: str) -> None:
    told = []
    for kind in kinds:
        told.append(Told("line", 0, None, "Set seed to 1"))
        if kind == "next":
            told += [Told("line", 0, None, "实际输入的目标文本:"), Told("line", 0, None, text)]
        told.append(Told("line", 0, None, "0.100\t0.100\t0.100\t0.100"))
    rows = _rows(_all(_placed(told)))
    assert [row["status"] for row in rows.values()] == ["success"] * len(kinds)
    for row, kind in zip(rows.values(), kinds, strict=True):
        assert row.get("text") == (text if kind == "next" else None)


def test_a_block_before_the_first_opening_line_is_noticed_and_counts_as_unclaimed() -> None:
    whole = _placed(_blocks(1)[0] + _blocks(1)[0])
    for cut in range(1, 8):
        later = Sequencer(shipped(), b"head", None)
        rest = [_tell(later, one) for one in whole[cut:]]
        assert all(claim is not None and claim.held for claim in rest[: 8 - cut])
        assert '"k":[1]' in later.state()


def test_a_request_that_never_ends_is_dropped_in_the_end() -> None:
    told = _placed([Told("line", 0, "a", ">> starting inference...")] * 3000)
    sequencer = Sequencer(shipped(), b"head", None)
    for one in told:
        _tell(sequencer, one)
    assert len(sequencer.state()) < 300_000


def test_the_state_is_bounded_by_instances() -> None:
    sequencer = Sequencer(shipped(), b"head", None)
    for i in range(5000):
        _tell(sequencer, Told("line", i * 100, f"pod-{i}", ">> starting inference..."))
    assert sequencer.state().count("pod-") == 4096
