"""Scenarios 46 and 47: what was pruned stays away, and its disk space is given back."""

import gzip
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_replay import misread
from tests.support import harness
from tests.support.command_line import lines
from tests.support.log_writer import instant
from tests.torture.scene import Scene

_OLD, _ALL = 40, 60  # failures that are pruned, of so many


def _prune(scene: Scene, first_kept: int) -> dict[str, int]:
    words = ("prune", "--older-than", instant(first_kept).isoformat(), "--json")
    report = json.loads(scene.ttsq.well(*words))
    scene.journal.forget(0, first_kept)
    return {t["table"]: t["rows"] for t in report["tables"] if t["rows"]}


def _nothing(scene: Scene) -> None:
    pass


def _touched(scene: Scene) -> None:
    scene.path("app.log").touch()


def _grown(scene: Scene) -> None:
    scene.log(5)


def _renamed(scene: Scene) -> None:
    scene.rename("app.log", "app.log.1")
    scene.log(5)


def _compressed(scene: Scene) -> None:
    scene.gzip("app.log", "app.log.2.gz")


def _copied(scene: Scene) -> None:
    scene.copytruncate()
    scene.log(5)


def _doubled(scene: Scene) -> None:
    shutil.copy(scene.path("app.log"), scene.path("other.log"))
    scene.path("again.log").symlink_to("app.log")
    scene.path("packed.log.gz").write_bytes(gzip.compress(scene.path("app.log").read_bytes()))


@pytest.mark.parametrize(
    "later", [_nothing, _touched, _grown, _renamed, _compressed, _copied, _doubled]
)
def test_46_pruned_rows_do_not_come_back_from_files_still_on_disk(
    scene: Scene, later: Callable[[Scene], None]
) -> None:
    scene.log(_ALL)
    scene.run(final=True)
    assert _prune(scene, _OLD) == {"errors": _OLD}
    scene.expect()
    later(scene)
    for _ in range(2):
        scene.run(final=True)
        scene.expect()
    scene.ttsq.well("verify", "logs")


def test_46_the_tail_of_a_file_is_read_the_pruned_part_of_it_is_not(scene: Scene) -> None:
    scene.log(_ALL)
    scene.run()
    scene.expect(held=1)
    _prune(scene, _OLD)
    scene.expect(held=1)
    scene.log(5)
    scene.run(final=True)
    scene.expect()


def _misread(scene: Scene, first: int, count: int) -> Path:
    """A file of requests that the first program does not understand."""
    path = scene.path("odd.log")
    misread(scene.store, path, lines(first, count).encode())
    return path


def _column(scene: Scene, sql: str) -> list[object]:
    with scene.store.reading() as reader:
        return [value for (value,) in reader.query(sql, {}).rows]


@pytest.mark.parametrize("on_disk", [True, False])
@pytest.mark.parametrize("cut", ["2026-03-02T00:40:00Z", "2026-03-02T00:40:00.450Z"])
def test_46_pruned_rows_do_not_come_back_by_replay(scene: Scene, on_disk: bool, cut: str) -> None:
    """Most of a file was not understood while the rows of its time were pruned; it is understood
    later.

    Request 40 ends behind the second cut: its end is a request of its own, as it is when it comes
    after a pruning.
    """
    scene.append_bytes(lines(0, 10).encode())
    scene.run(final=True)
    path = _misread(scene, 10, 50)
    scene.ttsq.well("prune", "--older-than", cut)
    assert _column(scene, "select count(*) from requests") == [0]
    if not on_disk:
        path.unlink()
    kept = [f"ts_{n}" for n in range(40, 60)]
    for _ in range(2):
        scene.ttsq.well("replay", "--final")
        assert _column(scene, "select id from requests order by logged_at") == kept
        assert _column(scene, "select id from errors order by occurred_at") == kept
        stages = _column(scene, "select id from stage_times order by logged_at")
        assert stages == kept["450" in cut :]
    assert _column(scene, "select count(*) from quarantine") == [0]
    if on_disk:
        scene.ttsq.well("verify", "logs")


def test_46_cleared_words_do_not_come_back_by_replay(scene: Scene) -> None:
    scene.append_bytes(lines(0, 3).encode())
    scene.run(final=True)
    _misread(scene, 3, 7)
    scene.ttsq.well("prune", "--text-older-than", "2026-03-02T00:05:00Z")
    scene.ttsq.well("replay", "--final")
    for column in (
        "text from requests order by logged_at",
        "message from errors order by occurred_at",
    ):
        found = _column(scene, f"select {column}")
        assert [text is None for text in found] == [True] * 5 + [False] * 5, column


def test_47_pruning_gives_disk_space_back(scene: Scene) -> None:
    harness.as_a_command_makes_it(scene.store)
    chance = random.Random(47)
    stamp = "2026-03-{:02}T{:02}:{:02}:{:02}"
    text = []
    for number in range(24_000):
        at = stamp.format(2 + number // 4000, *(number % 4000 // n % 60 for n in (3600, 60, 1)))
        said = chance.randbytes(400).hex()
        text.append(f"{at.replace('T', ' ')},000 - app.tts - ERROR - failure {said}\n")
    scene.append_bytes("".join(text).encode())
    scene.run(final=True, chunk=4 << 20)
    size = scene.store.path.stat().st_size
    report = json.loads(scene.ttsq.well("prune", "--older-than", "2026-03-07T00:00:00Z", "--json"))
    assert (report["rows"], report["space_given_back"]) == (20_000, True)
    left = scene.store.path.stat().st_size
    assert (report["bytes_before"], report["bytes_after"]) == (size, left)
    assert left < size / 2.5
    scene.run(final=True)
    assert scene.store.path.stat().st_size < size / 2.5
    with scene.store.reading() as reader:
        assert reader.query("select count(*) from errors", {}).rows == [(4000,)]
    scene.ttsq.well("verify", "logs")
