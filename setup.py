"""Compiles the modules written in Cython's pure-Python mode; without a compiler they run as Python."""

from Cython.Build import cythonize
from setuptools import Extension, setup

SCANNER = ("scan_bytes", "scan_stamps", "scan_headers", "scan_pairs", "scan")
MODULES = (*SCANNER, "convert", "convert_numbers", "convert_texts", "segments")

extensions = cythonize(
    [
        Extension(f"ingest.{name}", [f"ingest/{name}.py"], extra_compile_args=["-O3"])
        for name in MODULES
    ],
    language_level=3,
)
for extension in extensions:
    extension.optional = True  # which cythonize forgets

setup(ext_modules=extensions)
