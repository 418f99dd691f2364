"""Rows of the store beside those of the plain reference parser."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.support import harness, reference

MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)


def expected(files: Sequence[bytes], **options: object) -> dict[str, list[harness.Row]]:
    """The tables that files of these contents must give."""
    tables = reference.parse_files(
        [(f"f{i}", data) for i, data in enumerate(files)],
        modified_at=MODIFIED,
        **options,  # type: ignore[arg-type]
    )
    return {t: sorted((dict(r) for r in getattr(tables, t)), key=repr) for t in harness.TABLES}


def compare(got: dict[str, list[harness.Row]], want: dict[str, list[harness.Row]]) -> None:
    """Fail unless the rows are the same, whatever their order."""
    for table in harness.TABLES:
        drop = {"error_key", "sample_key"}
        ours = [{k: v for k, v in r.items() if k not in drop} for r in got[table]]
        names = set(ours[0]) if ours else set()
        theirs = [{k: v for k, v in r.items() if not names or k in names} for r in want[table]]

        def key(row: harness.Row) -> str:
            members = {k: sorted(v.items()) if isinstance(v, dict) else v for k, v in row.items()}
            return repr(sorted(members.items(), key=lambda i: i[0]))

        ours, theirs = sorted(ours, key=key), sorted(theirs, key=key)
        for mine, other in zip(ours, theirs, strict=False):
            if mine.get("occurred_at") == MODIFIED:  # only the file's own time is known of it
                mine, other = (
                    {k: v for k, v in r.items() if k != "occurred_at"} for r in (mine, other)
                )
            different = {
                k: (mine.get(k), other.get(k))
                for k in {*mine, *other}
                if mine.get(k) != other.get(k)
            }
            assert not different, (table, different, mine)
        assert len(ours) == len(theirs), (table, ours, theirs)
