"""docs/queries.md is as the headers and the demo log set make it."""

from pathlib import Path

import pytest

from docs.generate import queries as query_docs


def test_the_page_is_not_stale() -> None:
    assert query_docs.PAGE.read_text(encoding="utf-8") == query_docs.written(), (
        "write it anew: python -m docs.generate.queries"
    )


def test_a_stale_page_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(query_docs, "PAGE", tmp_path / "queries.md")
    assert query_docs.main(["--check"]) == 1
    assert "write it anew: python -m docs.generate.queries" in capsys.readouterr().err
    assert query_docs.main([]) == 0
    assert query_docs.main(["--check"]) == 0
