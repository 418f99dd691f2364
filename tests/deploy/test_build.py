"""How the package is built where something is missing."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.support.command_line import ROOT


def test_without_a_compiler_the_modules_stay_python(tmp_path: Path) -> None:
    # setup.py alone: the setuptools of this environment may be older than the one that the package
    # is built with
    shutil.copy(ROOT / "setup.py", tmp_path)
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "ingest", tmp_path / "ingest", ignore=ignored)
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", "built"],
        cwd=tmp_path,
        env={**os.environ, "CC": "/bin/false"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "/bin/false" in done.stderr  # it was asked
    assert not list((tmp_path / "built").rglob("*.so"))


def test_the_wheel_holds_every_package_of_the_checkout() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    here = {
        str(module.parent.relative_to(ROOT)).replace("/", ".")
        for package in ("ingest", "ttsq")
        for module in (ROOT / package).rglob("*.py")
    }
    assert here == {p for p in listed if p.split(".")[0] in ("ingest", "ttsq")}
