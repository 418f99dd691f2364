"""Scenarios 1-5, 10-13 and 24 with logrotate(8) itself, driving services in processes of their own."""  # noqa: E501

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.log_writer import stored_rows
from tests.torture.scene import Scene

NAMED = pytest.mark.parametrize("names", [["app.log"], ["."]], ids=["live file named", "folder"])


def _logrotate(scene: Scene, *directives: str) -> None:
    """Rotate app.log now, as the directives say."""
    tool = shutil.which("logrotate", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert tool, "this test drives logrotate, which is not installed: apt-get install logrotate"
    config = scene.folder.parent / "logrotate.conf"
    lines = ["missingok", "create", "rotate 20", f"su {_owner(scene.folder)}", *directives]
    config.write_text(f"{scene.path('app.log')} {{\n  " + "\n  ".join(lines) + "\n}\n")
    config.chmod(0o644)
    state = scene.folder.parent / "logrotate.state"
    done = subprocess.run(
        [tool, "--force", "--state", str(state), str(config)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _owner(path: Path) -> str:
    return f"{path.owner()} {path.group()}"


def _names(scene: Scene) -> list[str]:
    return sorted(os.listdir(scene.folder))


@NAMED
@pytest.mark.parametrize(
    ("directives", "left"),
    [
        ([], "app.log.3"),
        (["compress"], "app.log.3.gz"),
        (["compress", "delaycompress"], "app.log.1"),
        (["dateext", "dateformat -%Y%m%d-%s"], "app.log-"),
        (["compress", "compresscmd /usr/bin/zstd", "compressext .zst", "compressoptions -q --rm"],
        "app.log.3.zst"),
    ],
    ids=["plain", "compress", "delaycompress", "dateext", "zstd"],
)  # fmt: skip
def test_01_to_05_renamed_by_logrotate(
    scene: Scene, names: list[str], directives: list[str], left: str
) -> None:
    worker = scene.worker("watched")
    for number in range(3):
        worker.log(scene.journal, 20)
        scene.run(*names)
        worker.log(scene.journal, 10)
        if left.endswith("-"):
            directives = ["dateext", f"dateformat -2026112{number}"]
        _logrotate(scene, *directives)
        if number == 1:
            scene.run(*names)  # before the service has opened its new file
        worker.log(scene.journal, 5)
    scene.run(*names)
    assert [n for n in _names(scene) if n.startswith(left)], _names(scene)
    scene.expect(held=1)
    scene.expect_all()


def test_02_renamed_and_no_new_file_yet(scene: Scene) -> None:
    worker = scene.worker("watched")
    worker.log(scene.journal, 20)
    scene.run("app.log")
    worker.log(scene.journal, 10)
    _logrotate(scene, "nocreate")
    ended = scene.ttsq("ingest", "logs/app.log")
    assert (ended.code, "app.log does not exist" in ended.err) == (3, True)
    worker.log(scene.journal, 5)
    scene.run("app.log")
    scene.expect(held=1)
    scene.expect_all()


@NAMED
@pytest.mark.parametrize("runs_between", [True, False], ids=["a run each", "none between"])
def test_03_04_a_chain_of_logrotate_with_delaycompress(
    scene: Scene, names: list[str], runs_between: bool
) -> None:
    worker = scene.worker("watched")
    worker.log(scene.journal, 10)
    scene.run(*names)
    for _ in range(4):
        worker.log(scene.journal, 10)
        _logrotate(scene, "compress", "delaycompress")
        if runs_between:
            scene.run(*names)
    worker.log(scene.journal, 2)
    scene.run(*names)
    assert _names(scene) == ["app.log", "app.log.1", *(f"app.log.{n}.gz" for n in (2, 3, 4))]
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("read", ["all", "part"])
@pytest.mark.parametrize("regrown", [0, 3, 200])
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compress"])
def test_10_11_12_copytruncate_by_logrotate(
    scene: Scene, read: str, regrown: int, compress: bool
) -> None:
    names = ["app.log"]
    worker = scene.worker("append")
    worker.log(scene.journal, 40)
    scene.run(*names, final=read == "all")
    worker.log(scene.journal, 0 if read == "all" else 30)
    _logrotate(scene, "copytruncate", *(["compress"] if compress else []))
    worker.log(scene.journal, regrown)
    assert scene.run(*names).ledger.lost_bytes == 0
    tail_may_grow = regrown or (read == "part" and not compress)
    scene.expect(held=1 if tail_may_grow else 0)
    scene.expect_all()


def test_12_copytruncate_again_and_again(scene: Scene) -> None:
    worker = scene.worker("append")
    for count in (30, 10, 80):
        worker.log(scene.journal, count)
        scene.run("app.log")
        worker.log(scene.journal, 10)
        _logrotate(scene, "copytruncate")
    worker.log(scene.journal, 5)
    scene.run("app.log")
    scene.expect(held=1)
    scene.expect_all()


def test_13_copytruncate_under_a_writer_that_does_not_append(scene: Scene) -> None:
    worker = scene.worker("position")
    worker.log(scene.journal, 40)
    scene.run()
    worker.log(scene.journal, 10)
    _logrotate(scene, "copytruncate")
    hole = scene.path("app.log.1").stat().st_size
    worker.log(scene.journal, 10)
    assert scene.run().ledger.ignored_bytes == hole
    scene.expect(held=1)
    scene.expect_all(ignored=hole)


def test_14_rotate_0_leaves_no_copy_and_the_loss_is_counted(scene: Scene) -> None:
    worker = scene.worker("watched")
    worker.log(scene.journal, 40)
    scene.run()
    (known,) = scene.store.checkpoints()
    held = known.size_bytes - known.committed_offset
    _logrotate(scene, "rotate 0")
    scene.journal.forget(39, 40)
    worker.log(scene.journal, 10)
    assert scene.run().ledger.lost_bytes == held
    scene.expect(held=1)
    scene.expect_all(lost=held)


def test_15_create_gives_a_freed_inode_to_the_new_file(scene: Scene) -> None:
    """rotate 1: each rotation deletes a file, whose inode the next new file may get."""
    worker = scene.worker("watched")
    for count in (30, 5, 60, 30, 5):
        worker.log(scene.journal, count)
        scene.run("app.log")
        _logrotate(scene, "rotate 1")
        scene.run("app.log")
    worker.log(scene.journal, 3)
    scene.run("app.log")
    assert stored_rows(scene.store).errors == scene.journal.rows(without_last=1).errors


def test_24_the_dateext_default_name(scene: Scene) -> None:
    worker = scene.worker("watched")
    worker.log(scene.journal, 20)
    scene.run("app.log")
    worker.log(scene.journal, 20)
    _logrotate(scene, "dateext")
    worker.log(scene.journal, 5)
    scene.run("app.log")
    assert any(n.startswith("app.log-20") for n in _names(scene)), _names(scene)
    scene.expect(held=1)
    scene.expect_all()
