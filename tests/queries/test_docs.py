"""docs/queries.md is as the headers and the demo log set make it."""

from pathlib import Path

import pytest

from docs.generate import queries as query_docs


@pytest.fixture(scope="module")
def written() -> str:
    """The page as it ought to be, which a demo log set is made and stored for."""
    return query_docs.written()


def test_the_page_is_not_stale(written: str) -> None:
    assert query_docs.PAGE.read_text(encoding="utf-8") == written, (
        "write it anew: python -m docs.generate.queries"
    )


def test_a_stale_page_is_told(
    written: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(query_docs, "PAGE", tmp_path / "queries.md")
    monkeypatch.setattr(query_docs, "written", lambda: written)
    assert query_docs.main(["--check"]) == 1
    assert "write it anew: python -m docs.generate.queries" in capsys.readouterr().err
    assert query_docs.main([]) == 0
    assert query_docs.main(["--check"]) == 0
