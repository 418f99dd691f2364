"""Runs one target under atheris: ``python -m tests.fuzz.run --seconds N TARGET``.

Inputs are mutations of the corpus; what is found on the way is kept in a folder of its own, a
failing input is written to ``crash-…`` beside it, to become a file of the corpus. Needs
``pip install atheris``.
"""

import argparse
import sys
import types
from pathlib import Path

import atheris

CORPUS = Path(__file__).with_name("corpus")
_MODULES = (
    "ingest.records.formats",
    "ingest.cli.settings.load",
    "ingest.named_queries.library",
    "ingest.rows.tracebacks",
    "ingest.logfiles.reader",
    "ingest.logfiles.compression",
    "ingest.records.chunks",
    "ingest.records.parse",
)


def main() -> None:
    """Parse the options and fuzz; leaves with libFuzzer's exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--found", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--longest", type=int, default=2000, help="bytes of an input")
    parser.add_argument("target")
    options = parser.parse_args()
    with atheris.instrument_imports(include=list(_MODULES)):
        from tests.fuzz.targets import TARGETS
    _instrument_twins()
    found = options.found / options.target
    found.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.argv[0],
        f"-max_total_time={options.seconds}",
        f"-max_len={options.longest}",
        "-timeout=20",
        "-rss_limit_mb=6000",  # of the fuzzer's own: an hour of it remembers much
        "-print_final_stats=1",
        f"-artifact_prefix={found.parent}/{options.target}-",
        str(found),
        str(CORPUS / options.target),
    ]
    atheris.Setup(arguments, TARGETS[options.target])
    atheris.Fuzz()


def _instrument_twins() -> None:
    """The scanner's Python source tells the fuzzer which branches an input takes; the compiled one
    cannot.
    """
    from tests.unit.test_uncompiled import PLAIN

    for module in PLAIN.values():
        for owner in (module, *vars(module).values()):
            if owner is not module and not isinstance(owner, type):
                continue
            for name, value in list(vars(owner).items()):
                if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
                    setattr(owner, name, atheris.instrument_func(value))


if __name__ == "__main__":
    main()
