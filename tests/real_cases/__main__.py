"""``python -m tests.real_cases [FOLDER] [NAME…]``: compare the logs of a folder with the rows
wanted of them, as a table.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.real_cases.cases import cases_in, compare

OWN = Path(__file__).parent.parent / "cases" / "real"


def main(arguments: list[str]) -> int:
    """Print a line per case, and what differs; 1 where anything does."""
    folder = Path(arguments[0]) if arguments else OWN
    right = fields = wrong = 0
    cases = [c for c in cases_in(folder) if not arguments[1:] or c.name in arguments[1:]]
    for case in cases:
        with TemporaryDirectory() as scratch:
            result = compare(case, Path(scratch))
        right += not result.found
        fields += result.fields
        wrong += len(result.found)
        rows = " ".join(f"{len(case.truth[kind]):>3}" for kind in ("requests", "errors", "http"))
        print(
            f"{'ok   ' if not result.found else 'DIFFERS'} {case.name:40} {rows} {result.fields:>5}"
        )
        for line in result.found:
            print(f"        {line}")
    print(f"{right} of {len(cases)} cases, {fields - wrong} of {fields} fields")
    return 0 if right == len(cases) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
