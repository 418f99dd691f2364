"""The process ``ttsq``; ``python -m ingest`` is the same."""

import gc


def entry() -> None:
    """Run the command line.

    Until the command's module is loaded, nothing is looked for that is garbage: modules never are.
    """
    gc.disable()
    from ingest.cli import entry

    entry()


if __name__ == "__main__":
    entry()
