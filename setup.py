"""Compiles ``ingest/compiled``, Cython's pure-Python mode; it runs as Python uncompiled."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

UNCOMPILED = {"__init__", "layout"}  # docstring and constants
FOLDER = Path("ingest/compiled")

extensions = cythonize(
    [
        Extension(f"ingest.compiled.{file.stem}", [str(file)], extra_compile_args=["-O3"])
        for file in sorted(FOLDER.glob("*.py"))
        if file.stem not in UNCOMPILED
    ],
    language_level=3,
)
for extension in extensions:
    extension.optional = True  # which cythonize forgets

setup(ext_modules=extensions)
