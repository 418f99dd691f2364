"""``python -m docs.generate.errors``: writes docs/errors.md from the exception classes and exit codes.

``--check`` only says whether the page is as it would be written.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.generate.keep import keep
from ingest import errors
from ingest.errors import ExitCode, TtsqError

PAGE = Path(__file__).resolve().parents[1] / "errors.md"

_HEAD = """\
# Errors and exit codes

Written by `python -m docs.generate.errors` from `ingest/errors.py`; change that, not this page.

An error is one sentence on stderr, then a hint that is worth trying. `--debug` adds the traceback.

```text
ttsq: error: there is no store at logs.duckdb

hint: ingest something first: ttsq ingest PATH
```

## Exit codes

| code | name | meaning |
|---|---|---|
"""
_MEANINGS = {
    ExitCode.DONE: "The command did what it was asked to do.",
    ExitCode.FOUND: "A check found something: `run --fail-if-any`, `triage --fail-if-any`,"
    " `check`, `verify`, `db check`; or `trace` found nothing with the id.",
    ExitCode.USAGE: "An option, an argument, the settings or a query file cannot be used, or `queries check`"
    " found one that is wrong.",
    ExitCode.LOG_FILE: "A log file cannot be read; all others were.",
    ExitCode.STORE: "The store, or the system under it, fails or refuses.",
    ExitCode.BUSY: "Another ingest holds the store.",
    ExitCode.NO_DATA: "An alarm (`--fail-if-any`) has no data in its window.",
    ExitCode.INTERRUPTED: "Interrupted by Ctrl-C; what was committed stays.",
}
_CLASSES = """
A command that SIGTERM ends is ended by that signal, which a shell reports as 143.

## Kinds of errors

Each error belongs to one of these classes, which decides its exit code. From Python they are
raised as they are: `from ingest.errors import StoreError`.

| class | kind of | exit code | when |
|---|---|---|---|
"""


def written() -> str:
    """The page as it ought to be."""
    codes = "".join(f"| {int(c)} | {c.name} | {_MEANINGS[c]} |\n" for c in ExitCode)
    rows = "".join(
        f"| `{kind.__name__}` | `{kind.__mro__[1].__name__}` | {int(kind.exit_code)} | {_when(kind)} |\n"
        for kind in _classes()
    )
    return _HEAD + codes + _CLASSES + rows


def _classes() -> Iterator[type[TtsqError]]:
    """Our exception classes, in the order of the source."""
    for _, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, TtsqError):
            yield kind


def _when(kind: type[TtsqError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say whether it is stale; the exit code."""
    return keep(PAGE, written(), "docs.generate.errors", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
