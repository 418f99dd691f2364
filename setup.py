"""Compiles ``ingest/compiled``, Cython's pure-Python mode; it runs as Python uncompiled.

The modules are translated and compiled side by side, one process each, and stripped. A build that
has a C compiler does not need Cython afterwards; without one, Cython stays a dependency.
"""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.egg_info import egg_info
from setuptools.errors import CompileError

UNCOMPILED = {"__init__", "bits", "layout"}  # docstring, what is C's own there, constants
FOLDER = Path("ingest/compiled")
# CFLAGS with -g are of somebody who wants the symbols
KEEP_SYMBOLS = "-g" in os.environ.get("CFLAGS", "").split()
COMPILE = ["-O3"] if KEEP_SYMBOLS else ["-O3", "-g0"]
LINK = ["-Wl,-s"] if sys.platform == "linux" and not KEEP_SYMBOLS else []


class BuildModules(build_ext):  # type: ignore[misc]
    """Translates each module before it is compiled, and says how far it is."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or True  # True: as many as there are cores
        self._done = 0
        self._lock = threading.Lock()

    def build_extension(self, ext: Extension) -> None:
        module = Path(ext.sources[0])
        if module.suffix == ".py":
            ext.sources = [str(translated(module, self.force))]
        super().build_extension(ext)
        with self._lock:
            self._done += 1
            self._say(f"compiling {len(self.extensions)} modules … {self._done}")

    def _say(self, text: str) -> None:
        """A line that grows on a terminal; elsewhere its end only."""
        whole = f"{text}/{len(self.extensions)}"
        last = self._done == len(self.extensions)
        if sys.stderr.isatty():
            print(f"\r{whole}", end="\n" if last else "", file=sys.stderr, flush=True)
        elif last:
            print(whole, file=sys.stderr)


def translated(module: Path, force: bool) -> Path:
    """The C file of a module, written anew where the module or a declaration is newer.

    :raises CompileError: when Cython refuses it.
    """
    target = module.with_suffix(".c")
    newest = max(p.stat().st_mtime for p in (module, *module.parent.glob("*.pxd")))
    if force or not target.exists() or target.stat().st_mtime < newest:
        command = [sys.executable, "-m", "cython", "-3", str(module), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise CompileError(f"{module}: {done.stderr or done.stdout}")
    return target


class Metadata(egg_info):  # type: ignore[misc]
    """Leaves Cython out of the requirements where the modules will be compiled."""

    def finalize_options(self) -> None:
        super().finalize_options()
        needed = self.distribution.install_requires
        if can_compile():
            needed = [n for n in needed if not n.lower().startswith("cython")]
        self.distribution.install_requires = needed
        self.distribution.metadata.install_requires = needed


def can_compile() -> bool:
    """Whether a C compiler makes a module of Python here."""
    from distutils.ccompiler import new_compiler  # setuptools' own
    from distutils.sysconfig import customize_compiler, get_python_inc

    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "tried.c"
        source.write_text("#include <Python.h>\nint tried(void) { return 0; }\n")
        try:
            compiler = new_compiler()
            customize_compiler(compiler)
            compiler.add_include_dir(get_python_inc())
            compiler.compile([str(source)], output_dir=place)
        except Exception:  # whatever is missing, there is no compiler to rely on
            return False
    return True


if __name__ == "__main__":
    setup(
        cmdclass={"build_ext": BuildModules, "egg_info": Metadata},
        ext_modules=[
            Extension(
                f"ingest.compiled.{module.stem}",
                [str(module)],
                depends=[str(p) for p in sorted(FOLDER.glob("*.pxd"))],
                extra_compile_args=COMPILE,
                extra_link_args=LINK,
                optional=True,
            )
            for module in sorted(FOLDER.glob("*.py"))
            if module.stem not in UNCOMPILED
        ],
    )
