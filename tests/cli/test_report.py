"""``ttsq report``: one page to hand on, in a real browser too; what a log holds stays text in it."""  # noqa: E501

import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ingest.tasks.demo import write_demo
from tests.support.command_line import CommandLine

NOW = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)
_PLANTED = "<script>document.title='planted'</script><img src=x onerror=document.title='planted'>"


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The demo's day, with markup where a log can have it: texts, voices, codes, messages."""
    ttsq = CommandLine(tmp_path_factory.mktemp("report")).with_tables()
    write_demo(ttsq.folder / "logs", now=NOW, tz="UTC")
    stamp = "2026-03-03 14:39:0"
    lines = [
        f'{stamp}{n},000 - app.tts - INFO - synthesis_start: id=ts_<b>{n}, text="{_PLANTED}", '
        f'voice="{_PLANTED}"\n'
        f"{stamp}{n},900 - app.tts - ERROR - synthesis_failed: id=ts_<b>{n}, "
        f'error_code="{_PLANTED}", {_PLANTED}\n'
        f"{stamp}{n},950 - app.tts - INFO - synthesis_complete: id=ts_<b>{n}, status=failed, "
        f'duration_ms=900, error_code="{_PLANTED}"\n'
        for n in range(9)
    ]
    (ttsq.folder / "planted.log").write_text("".join(lines))
    ttsq.well("ingest", "logs", "planted.log", "--final", "--tz", "UTC")
    return ttsq


class _Tags(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(ttsq: CommandLine, *words: str) -> tuple[str, _Tags]:
    ttsq.well("report", "-o", "page.html", "--tz", "UTC", *words)
    text = (ttsq.folder / "page.html").read_text(encoding="utf-8")
    tags = _Tags()
    tags.feed(text)
    return text, tags


def test_the_findings_of_triage_come_first_then_charts_with_table_and_sql(
    incident: CommandLine,
) -> None:
    text, tags = _page(incident)
    first = incident.well("triage", "--tz", "UTC").split("\n")[0]
    title = re.sub(r"^1\s+[A-Z]+\s+", "", first)
    assert title[:30] in tags.text
    assert text.index("What is wrong") < text.index("<svg")
    figures = [a["id"] for tag, a in tags.found if tag == "figure"]
    assert figures[:2] == ["failure_rate_over_time", "error_codes"]
    assert "latency_over_time" in figures
    assert 'class="mark"' in text  # the onset
    assert tags.text.count("select") >= len(figures)
    assert "tts_engine.py:387 in _postproc" in tags.text


def test_nothing_of_a_log_is_markup(incident: CommandLine) -> None:
    text, tags = _page(incident)
    assert "&lt;script&gt;" in text
    assert not {tag for tag, _ in tags.found} & {"script", "img", "iframe", "object", "b"}
    assert not [a for _, a in tags.found if any(name.startswith("on") for name in a)]
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_in_chinese(incident: CommandLine) -> None:
    text, tags = _page(incident, "--language", "zh")
    assert '<html lang="zh">' in text
    assert "故障报告" in tags.text
    assert "失败率从何时开始上升？" in tags.text


def test_a_healthy_window_says_what_was_looked_for(incident: CommandLine) -> None:
    _, tags = _page(incident, "--since", "2026-03-02T16:00Z", "--until", "2026-03-02T18:00Z")
    assert "looked for" in tags.text
    assert "finding critical" not in tags.text


def test_a_page_that_cannot_be_written_leaves_the_old_one(incident: CommandLine) -> None:
    ended = incident("report", "-o", "nowhere/page.html")
    assert ended.code == 4
    assert ended.err.startswith("ttsq: error: cannot write nowhere/page.html")


def test_a_table_shows_durations_as_people_read_them_and_no_keys(incident: CommandLine) -> None:
    text, _ = _page(incident)
    heads = re.findall(r"<th [^>]*>([^<]*)</th>", text)
    assert "duration_ms" in heads and not [name for name in heads if name.endswith("_key")]
    assert re.search(r'<td class="number"><abbr title="\d+">[\d.]+ s</abbr></td>', text)


def _chromium(folder: Path, width: int, *words: str) -> str:
    browser = shutil.which("chromium")
    assert browser is not None, "install Chromium: make tools"
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--enable-logging=stderr", f"--user-data-dir={folder}/profile-{width}",
            f"--window-size={width},1600", *words, f"file://{folder}/page.html",
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def test_a_browser_draws_it_and_runs_nothing_that_was_planted(incident: CommandLine) -> None:
    _page(incident)
    drawn = _chromium(incident.folder, 1000, "--dump-dom")
    assert "<title>Incident report" in drawn
    assert drawn.count("<polyline") >= 2
    assert "<img" not in drawn


def test_it_fits_a_phone(incident: CommandLine) -> None:
    text, _ = _page(incident)
    # a browser reports an overflow in the title of a copy with a probe of the test's own
    probe = (
        "<script>document.title='wide '+(document.documentElement.scrollWidth>innerWidth)</script>"
    )
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    probed = policy.sub("", text).replace("</body>", f"{probe}</body>")
    (incident.folder / "page.html").write_text(probed, encoding="utf-8")
    assert "<title>wide false</title>" in _chromium(incident.folder, 500, "--dump-dom")
