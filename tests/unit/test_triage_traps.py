"""Each trap of triage as a small made window: what it must find, and what it must not."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from ingest.causes.columns import (
    ERROR,
    NO,
    UNKNOWN,
    YES,
    Answers,
    Arrivals,
    Attribute,
    Bools,
    Floats,
    Labels,
    Observed,
    Records,
    Requests,
    Samples,
    Stage,
)
from ingest.causes.diagnose import diagnose
from ingest.causes.findings import CRITICAL, NOTE, Finding
from ingest.causes.rank import ranked
from ingest.causes.symptoms import CACHE_HITS, FAILURES, HTTP_ERRORS, SILENCE

_DAY = 86_400.0
_BEGIN = 1_770_000_000.0
Chance = np.random.Generator


@dataclass
class Made:
    """Requests, evenly over a day, with which nothing is wrong until a test changes it."""

    n: int = 4000
    seed: int = 1
    chance: Chance = field(init=False)
    at: Floats = field(init=False)
    code: npt.NDArray[np.object_] = field(init=False)
    length: Floats = field(init=False)
    own_ms: Floats = field(init=False)
    columns: dict[str, npt.NDArray[np.object_]] = field(init=False)
    attributes: dict[str, npt.NDArray[np.object_]] = field(default_factory=dict)
    hits: Bools | None = None

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        self.at = _BEGIN + np.linspace(0, _DAY, self.n)
        self.code = np.full(self.n, None, object)
        self.length = np.exp(self.chance.normal(4.3, 0.8, self.n)).round() + 1
        self.own_ms = (200 + 2 * self.length) * np.exp(self.chance.normal(0, 0.15, self.n))
        self.columns = {
            "host": self.drawn("a", "b", "c"),
            "lang": self.drawn("zh", "en"),
            "voice": self.drawn("alloy", "nova", "onyx"),
            "text_class": np.full(self.n, "plain", object),
        }

    def drawn(self, *values: str) -> npt.NDArray[np.object_]:
        return self.chance.choice(np.array(values, object), self.n)

    def after(self, share: float) -> Bools:
        return np.asarray(self.at >= _BEGIN + share * _DAY)

    def fail(self, rows: Bools, rate: float, code: str = "BROKEN") -> None:
        self.code[rows & (self.chance.random(self.n) < rate)] = code

    def observed(self) -> Observed:
        n, failed = self.n, self.code != None  # noqa: E711
        host = _labels(self.columns["host"])
        nan, unknown = np.full(n, np.nan), np.full(n, UNKNOWN, np.int32)
        hits = unknown if self.hits is None else np.where(self.hits, YES, NO).astype(np.int32)
        requests = Requests(
            key=np.arange(n), at=self.at, started=self.at, completed=self.at + self.own_ms / 1000,
            dated=np.ones(n, bool), weight=np.ones(n), sampled=np.ones(n, bool),
            finished=np.ones(n, bool), failed=failed, duration_ms=self.own_ms, text_len=self.length,
            audio_ms=nan, audio_kb=nan, centroid=nan, rtf=nan, cache_hit=hits,
            cache_saved=unknown, concurrency=nan, host=host, error_code=_labels(self.code),
            model_stage=_labels(np.full(n, None, object)),
            plain=tuple(Attribute(k, _labels(v)) for k, v in self.columns.items()),
            attributes=tuple(Attribute(k, _labels(v)) for k, v in self.attributes.items()),
            text=_labels(np.full(n, None, object)), stages=(Stage("infer", self.own_ms),),
        )  # fmt: skip
        none, nothing = np.zeros(0), _labels(np.zeros(0, object))
        keys, no = np.zeros(0, np.int64), np.zeros(0, bool)
        few = np.zeros(0, np.int32)
        plain = ("instance", "server", "path", "client", "method")
        return Observed(
            self.at[0], self.at[-1], n, requests,
            Records(keys, none, no, few, keys, no, nothing, nothing, nothing),
            Samples(keys, none, none, nothing, nothing),
            Arrivals(self.at, host, np.full(len(host.values), self.at[-1])),
            Answers(
                keys, none, no, none, no, few, none, none, keys, nothing,
                tuple(Attribute(p, nothing) for p in plain),
            ), 0,
        )  # fmt: skip

    def worse(self) -> list[Finding]:
        return [f for f in diagnose(self.observed()).findings if f.severity != NOTE]


def _labels(values: npt.NDArray[np.object_]) -> Labels:
    names = sorted({str(v) for v in values if v is not None})
    place = {name: n for n, name in enumerate(names)}
    codes = np.array([-1 if v is None else place[str(v)] for v in values], np.int32)
    return Labels(codes, tuple(names))


def _condition(f: Finding) -> dict[str, object]:
    return {c.name: c.value if c.op == "=" else (c.op, c.value) for c in f.conditions}


def test_texts_that_have_always_failed_do_not_come_before_the_incident() -> None:
    made = Made()
    empty = made.chance.random(made.n) < 0.008
    made.columns["text_class"][empty] = "empty"
    made.length[empty] = 0
    made.fail(empty, 1.0, "TEXT_EMPTY")
    made.fail(made.after(0.7) & (made.columns["voice"] == "nova"), 0.1)
    first, *others = made.worse()
    assert (first.code, _condition(first)) == ("BROKEN", {"voice": "nova"}) and not others


def test_an_incident_from_the_first_record_on_is_found_without_a_healthy_time_before() -> None:
    made = Made()
    made.fail(made.columns["voice"] == "nova", 0.5)
    (first,) = made.worse()
    assert (_condition(first), first.since) == ({"voice": "nova"}, None)


def test_longer_texts_take_longer_and_are_not_a_slow_service() -> None:
    made = Made()
    late = made.after(0.5)
    made.length[late] *= 4
    made.own_ms = (200 + 2 * made.length) * np.exp(made.chance.normal(0, 0.15, made.n))
    assert not made.worse()


def test_more_of_what_always_failed_is_told_as_a_change_of_the_mix() -> None:
    made = Made()
    empty = made.chance.random(made.n) < np.where(made.after(0.7), 0.15, 0.005)
    made.columns["text_class"][empty] = "empty"
    made.length[empty] = 0
    made.fail(empty, 1.0, "TEXT_EMPTY")
    (first,) = made.worse()
    assert first.kind == "mix" and first.since is not None
    assert abs(first.since - _BEGIN - 0.7 * _DAY) < 1800


def test_a_bad_release_is_named_and_not_the_minutes_in_which_it_was_rolled_out() -> None:
    made = Made()
    share = np.clip((made.at - _BEGIN - 0.5 * _DAY) / (0.3 * _DAY), 0, 0.9)
    release = np.where(made.chance.random(made.n) < share, "2", "1").astype(object)
    made.attributes["release"] = release
    made.fail(np.asarray(release == "2"), 0.4)
    assert _condition(made.worse()[0]) == {"attributes.release": "2"}


def test_a_release_that_is_as_good_as_the_old_one_alarms_nobody() -> None:
    made = Made()
    made.attributes["release"] = np.where(made.after(0.5), "2", "1").astype(object)
    made.fail(np.ones(made.n, bool), 0.01)
    assert not made.worse()


@pytest.mark.parametrize("usual", [0.25, 0.6])
def test_a_release_that_turns_the_cache_off_is_told_though_all_requests_are_of_it(
    usual: float,
) -> None:
    made = Made()
    made.attributes["release"] = np.where(made.after(0.5), "2", "1").astype(object)
    made.hits = (made.chance.random(made.n) < usual) & ~made.after(0.5)
    first = made.worse()[0]
    assert first.symptom == CACHE_HITS and first.since is not None
    assert abs(first.since - _BEGIN - 0.5 * _DAY) < 600


def test_a_cache_that_was_cold_at_first_alarms_nobody() -> None:
    made = Made()
    made.hits = (made.chance.random(made.n) < 0.5) & made.after(0.1)
    assert not made.worse()


def test_a_few_requests_of_a_new_kind_that_all_fail_alike_are_told() -> None:
    made = Made()
    tenant = made.drawn("a", "b", "c")
    new = np.zeros(made.n, bool)
    new[-60::10] = True
    tenant[new] = "new"
    made.attributes["tenant"] = tenant
    made.fail(new, 1.0, "TOKEN_SCOPE")
    (first,) = made.worse()
    assert (first.severity, first.code, first.affected) == (CRITICAL, "TOKEN_SCOPE", 6)
    assert _condition(first) == {"attributes.tenant": "new"} and first.since is not None


def test_what_recurs_shortly_is_told_with_its_own_period_and_not_with_a_part_of_it() -> None:
    made = Made(n=9000)
    made.fail(np.asarray(made.at % 420 < 25), 1.0)
    first = made.worse()[0]
    assert first.period_s is not None and abs(first.period_s - 420) < 1
    assert first.rate is not None and first.rate > 0.6


def test_of_two_columns_that_say_the_same_one_is_named() -> None:
    made = Made()
    made.attributes["gpu"] = np.array([f"gpu-{h}" for h in made.columns["host"]], object)
    made.fail(made.after(0.6) & (made.columns["host"] == "b"), 0.4)
    assert _condition(made.worse()[0]) in ({"host": "b"}, {"attributes.gpu": "gpu-b"})


def test_a_condition_that_nearly_all_meet_is_not_said() -> None:
    made = Made()
    rare = made.chance.random(made.n) < 0.03
    made.columns["text_class"][rare] = "emoji"
    made.fail(made.after(0.6) & (made.columns["host"] == "b") & ~rare, 0.6)
    assert _condition(made.worse()[0]) == {"host": "b"}


def test_ids_and_sessions_are_no_conditions() -> None:
    made = Made()
    made.attributes["session"] = np.array([f"s{n}" for n in range(made.n)], object)
    made.fail(made.after(0.6), 0.3)
    assert _condition(made.worse()[0]) == {}


def test_a_night_without_much_traffic_is_no_silence_and_no_incident() -> None:
    made = Made()
    u = np.linspace(0, 1, made.n)
    made.at = _BEGIN + _DAY * (u + 0.95 * np.sin(2 * np.pi * u) / (2 * np.pi))
    made.fail(np.ones(made.n, bool), 0.01)
    assert not made.worse()


def test_a_host_is_not_silent_where_everybody_asks_less() -> None:
    x = np.linspace(0, 1, 10_001)
    pace = np.clip(1 - 20 * np.minimum(x - 0.4, 0.7 - x), 0.005, 1).cumsum()
    for seed in range(4):
        made = Made(seed=seed)
        made.at = _BEGIN + _DAY * np.interp(np.linspace(0, 1, made.n), pace / pace[-1], x)
        made.columns["host"] = made.chance.choice(["a", "b", "c", "d"], made.n).astype(object)
        made.fail(np.ones(made.n, bool), 0.01)
        assert not made.worse()


def test_a_fault_for_most_of_the_window_is_what_is_slow_not_what_is_fast() -> None:
    made = Made()
    made.own_ms[made.after(0.3)] *= 2.5
    (first,) = made.worse()
    assert first.since is not None and abs(first.since - _BEGIN - 0.3 * _DAY) < 1800
    assert first.ratio == pytest.approx(2.5, rel=0.1)


def test_what_slows_down_little_by_little_is_told_since_it_began() -> None:
    made = Made()
    made.own_ms *= 1 + 2 * np.clip((made.at - _BEGIN) / _DAY - 0.4, 0, None) / 0.6
    (first,) = made.worse()
    assert first.kind == "gradual"
    assert first.since is not None and abs(first.since - _BEGIN - 0.4 * _DAY) < 0.12 * _DAY


def test_a_share_of_slow_requests_is_told_as_that_share() -> None:
    made = Made()
    made.own_ms[made.after(0.6) & (made.chance.random(made.n) < 0.25)] *= 4
    (first,) = made.worse()
    assert first.partial and first.ratio == pytest.approx(4, rel=0.15)


def test_a_request_that_is_tried_again_and_again_is_one_failure() -> None:
    made = Made(n=2000)
    for place in (300, 301, 900, 901, 902, 903, 904, 905, 906, 907):
        first = 300 if place < 302 else 900
        made.code[place] = "BROKEN"
        made.at[place] = made.at[first] + 0.1 * (place - first)
        made.length[place] = made.length[first]
        for column in made.columns.values():
            column[place] = column[first]
    assert not made.worse()


def test_values_that_are_not_known_are_no_condition_and_count_all_the_same() -> None:
    made = Made()
    made.columns["voice"][:] = None
    made.fail(made.after(0.6), 0.3)
    first = made.worse()[0]
    assert _condition(first) == {} and first.population > 1000


def test_failures_that_are_dealt_out_at_random_are_found_in_at_most_one_of_fifty_windows() -> None:
    alarms = 0
    for seed in range(50):
        made = Made(n=1500, seed=seed)
        made.fail(np.ones(made.n, bool), 0.03)
        alarms += bool(made.worse())
    assert alarms <= 1


def test_a_sample_finds_what_the_whole_finds() -> None:
    made = Made(n=12_000)
    made.fail(made.after(0.7) & (made.columns["voice"] == "nova"), 0.3)
    whole = made.observed()
    kept = np.flatnonzero(whole.requests.failed | (np.arange(made.n) % 3 == 0))
    sampled = kept % 3 == 0
    r = whole.requests
    thin = Made(n=len(kept))
    thin.at, thin.code, thin.length, thin.own_ms = (
        made.at[kept],
        made.code[kept],
        made.length[kept],
        made.own_ms[kept],
    )
    thin.columns = {k: v[kept] for k, v in made.columns.items()}
    found = thin.observed()
    weight = np.where(r.failed[kept], 1.0, 3.0)
    requests = dataclasses.replace(found.requests, weight=weight, sampled=sampled)
    of_sample = diagnose(dataclasses.replace(found, total=made.n, requests=requests)).findings[0]
    of_whole = diagnose(whole).findings[0]
    assert _condition(of_sample) == _condition(of_whole) == {"voice": "nova"}
    assert of_sample.since == pytest.approx(of_whole.since, abs=600)
    low, high = of_whole.interval or (0, 0)
    assert low - 0.05 <= (of_sample.rate or 0) <= high + 0.05


def test_the_first_requests_behind_a_start_may_be_slow() -> None:
    made = Made()
    made.own_ms[:24] *= 4
    assert made.worse() == []
    made.own_ms[made.after(0.9)] *= 4
    assert [f.symptom for f in made.worse()] == ["latency"]


def test_an_error_of_no_request_that_had_not_come_before_is_named_as_what_came_before() -> None:
    made = Made()
    made.fail(made.after(0.7), 0.9)
    found = made.observed()
    at = np.array([_BEGIN + 0.7 * _DAY - 60])
    one, host = np.zeros(1, np.int32), _labels(np.array(["a"], object))
    code, nothing = _labels(np.array(["FILE_MISSING"], object)), _labels(np.array([None], object))
    loose = Records(
        np.zeros(1, np.int64), at, np.ones(1, bool), one + ERROR, np.full(1, -1, np.int64),
        np.zeros(1, bool), host, code, nothing,
    )  # fmt: skip
    first = diagnose(dataclasses.replace(found, records=loose)).findings[0]
    assert [(p.code, p.records) for p in first.precursors] == [("FILE_MISSING", 1)]


def _share_of_a_tooth(made: Made, teeth: int) -> Floats:
    return np.asarray((made.at - _BEGIN) / _DAY * teeth % 1)


@pytest.mark.parametrize("teeth", [3, 5, 8, 12])
def test_what_gets_slower_until_each_restart_is_one_finding(teeth: int) -> None:
    made = Made()
    made.own_ms *= 1 + 1.5 * _share_of_a_tooth(made, teeth)
    (found,) = made.worse()
    assert (found.symptom, found.kind, found.conditions) == ("latency", "sawtooth", ())
    assert (
        found.since is None and 1.8 < (found.ratio or 0) < 3 and (found.amount or 0) > 2 * teeth - 3
    )


def test_a_leak_on_one_host_is_that_hosts() -> None:
    made = Made()
    ill = made.columns["host"] == "b"
    made.own_ms[ill] *= 1 + 2 * _share_of_a_tooth(made, 5)[ill]
    first = made.worse()[0]
    assert (first.kind, _condition(first)) == ("sawtooth", {"host": "b"})


def test_slow_hours_and_a_slow_wave_are_no_saw_tooth() -> None:
    square, wave = Made(), Made()
    square.own_ms[_share_of_a_tooth(square, 4) > 0.5] *= 2
    wave.own_ms *= 1.5 + 0.5 * np.sin(2 * np.pi * _share_of_a_tooth(wave, 3))
    for made in (square, wave):
        assert "sawtooth" not in [f.kind for f in made.worse()]


@pytest.mark.parametrize("seed", range(6))
def test_in_a_small_log_longer_texts_take_longer_too(seed: int) -> None:
    made = Made(n=90, seed=seed)
    made.own_ms = (20 + 10 * made.length) * np.exp(made.chance.normal(0, 0.15, made.n))
    assert made.worse() == []


def test_what_is_refused_all_day_does_not_follow_from_a_failure_that_began() -> None:
    failures = Finding(
        FAILURES, CRITICAL, "began", "BROKEN", since=_BEGIN, affected=40, rows=np.arange(40)
    )
    refused = Finding(HTTP_ERRORS, NOTE, "standing", "401", affected=12, rows=np.arange(900, 912))
    assert [f.symptom for f in ranked([failures, refused], 900)] == [FAILURES, HTTP_ERRORS]
    at_once = dataclasses.replace(refused, since=_BEGIN + 60)
    assert [f.symptom for f in ranked([failures, at_once], 900)] == [FAILURES]


def test_a_silence_in_which_the_proxy_answers_by_itself_follows_from_its_errors() -> None:
    nobody = np.zeros(0, np.int64)
    quiet = Finding(SILENCE, CRITICAL, "began", since=_BEGIN, until=_BEGIN + 240, score=30.0,
                    rows=nobody)  # fmt: skip
    refused = Finding(HTTP_ERRORS, CRITICAL, "began", "502", since=_BEGIN + 8, score=25.0,
                      until=_BEGIN + 238, affected=25, rows=np.arange(900, 925))  # fmt: skip
    (first,) = ranked([quiet, refused], 900)
    assert (first.symptom, [f.symptom for f in first.consequences]) == (HTTP_ERRORS, [SILENCE])
    later = dataclasses.replace(refused, since=_BEGIN + 9000, until=_BEGIN + 9200)
    assert [f.symptom for f in ranked([quiet, later], 900)] == [SILENCE, HTTP_ERRORS]
