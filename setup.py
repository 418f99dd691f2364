"""Compiles the three modules written in Cython's pure-Python mode; without a compiler they run as Python."""

from Cython.Build import cythonize
from setuptools import Extension, setup

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"ingest.{name}",
                [f"ingest/{name}.py"],
                optional=True,
                extra_compile_args=["-O3"],
            )
            for name in ("scan", "convert", "segments")
        ],
        language_level=3,
    )
)
