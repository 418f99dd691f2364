"""Compiles the modules written in Cython's pure-Python mode; without a compiler they run as Python."""

from Cython.Build import cythonize
from setuptools import Extension, setup

SCANNER = ("scan_bytes", "scan_stamps", "scan_headers", "scan_pairs", "scan")
MODULES = (*SCANNER, "convert", "convert_numbers", "convert_texts", "segments")

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"ingest.{name}",
                [f"ingest/{name}.py"],
                optional=True,
                extra_compile_args=["-O3"],
            )
            for name in MODULES
        ],
        language_level=3,
    )
)
