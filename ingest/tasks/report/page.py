"""A report as one HTML text: findings, then charts, each with its table and SQL folded under it.

The page has no script and allows none (Content-Security-Policy): what a log holds stays text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from ingest.render.cells import is_number, plain, short_number, zone_label
from ingest.render.chart_data import chart_data
from ingest.render.people import readable
from ingest.render.svg import Mark, safe, svg
from ingest.tasks.report.phrases import question, word
from ingest.tasks.report.questions import Answer
from ingest.tasks.report.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LONGEST_CELL = 300  # characters
_CHARTS = ("line", "bars", "heatmap")


@dataclass(frozen=True, slots=True)
class Headline:
    """A finding as text: its title, and label and text of each line; ``since`` marks charts."""

    severity: str
    title: str
    lines: tuple[tuple[str, str], ...]
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """What the page says of itself. ``healthy`` says so where nothing is worse than a note."""

    since: datetime
    until: datetime
    requests: int
    store: str
    hosts: tuple[str, ...]
    written_at: datetime
    version: str
    language: str
    tz: tzinfo
    healthy: str = ""


def page(
    cover: Cover, headlines: Sequence[Headline], sections: Mapping[str, Sequence[Answer]]
) -> str:
    """The whole page."""
    marks = [
        Mark(h.since, f"{word('begins', cover.language)}: {h.title}") for h in headlines if h.since
    ]
    return "".join(
        [
            *_head(cover),
            *_findings(cover, headlines),
            *(
                p
                for name, answers in sections.items()
                for p in _section(cover, name, answers, marks)
            ),
            *_footer(cover),
        ]
    )


def _head(cover: Cover) -> Iterator[str]:
    title = word("Incident report", cover.language)
    yield f'<!doctype html><html lang="{cover.language}"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
    yield f"<title>{title} · {_span(cover)}</title><style>{STYLE}</style></head><body><main>"
    count = f"{cover.requests:,} {word('requests', cover.language)}"
    yield f'<header><h1>{title}</h1><p class="span">{_span(cover)} · {count}</p></header>'


def _span(cover: Cover) -> str:
    first, last = (t.astimezone(cover.tz) for t in (cover.since, cover.until))
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return safe(f"{first:%Y-%m-%d %H:%M} – {end} {zone_label(cover.tz, last)}")


def _findings(cover: Cover, headlines: Sequence[Headline]) -> Iterator[str]:
    yield f"<section><h2>{word('What is wrong', cover.language)}</h2>"
    if cover.healthy:
        yield f'<p class="healthy">{safe_lines(cover.healthy)}</p>'
    for number, found in enumerate(headlines, 1):
        yield f'<article class="finding {safe(found.severity)}">'
        yield (
            f'<h3><span class="badge">{number} · '
            f"{safe(word(found.severity, cover.language))}</span> "
        )
        yield f"{safe(found.title)}</h3><dl>"
        for label, text in found.lines:
            yield f"<dt>{safe(label)}</dt><dd>{safe(text)}</dd>"
        yield "</dl></article>"
    yield "</section>"


def _section(
    cover: Cover, name: str, answers: Sequence[Answer], marks: Sequence[Mark]
) -> Iterator[str]:
    yield f"<section><h2>{word(name, cover.language)}</h2>"
    for answer in answers:
        query = answer.query
        asked = question(query.name, query.question, cover.language)
        yield f'<figure id="{safe(query.name)}"><figcaption><h3>{safe(asked)}</h3>'
        yield f"<p>{safe(query.summary)}</p></figcaption>"
        drawn = ""
        if query.chart.kind in _CHARTS:
            drawn = svg(chart_data(query, answer.result, cover.tz), marks)
        yield drawn
        opened = "" if drawn else " open"
        rows = len(answer.result.rows)
        told = f"{word('table and SQL', cover.language)} · {rows} {word('rows', cover.language)}"
        yield f"<details{opened}><summary>{told}</summary>"
        yield from _table(answer, cover.tz)
        yield f"<pre>{safe_lines(answer.sql)}</pre></details></figure>"
    yield "</section>"


def safe_lines(text: str) -> str:
    """Text of several lines, each harmless."""
    return "\n".join(safe(line) for line in text.splitlines())


def _table(answer: Answer, tz: tzinfo) -> Iterator[str]:
    """The rows without keys, which mean nothing to who reads a page."""
    names = answer.result.columns
    places = [at for at, name in enumerate(names) if not name.endswith("_key")]
    yield '<div class="scroll"><table><thead><tr>'
    helps = {c.name: c.help for c in answer.query.columns}
    for at in places:
        yield f'<th title="{safe(helps.get(names[at], ""))}">{safe(names[at])}</th>'
    yield "</tr></thead><tbody>"
    for row in answer.result.rows:
        yield "<tr>"
        for at in places:
            yield _cell_of(names[at], row[at], tz)
        yield "</tr>"
    yield "</tbody></table></div>"


def _cell_of(name: str, value: object, tz: tzinfo) -> str:
    """A cell; a size or a duration as a person reads it, with the exact number as its tooltip."""
    text = safe(_cell(value, tz))
    if not is_number(value):
        return f"<td>{text}</td>"
    short = readable(name, value)
    told = text if short is None else f'<abbr title="{text}">{safe(short)}</abbr>'
    return f'<td class="number">{told}</td>'


def _cell(value: object, tz: tzinfo) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(tz):%Y-%m-%d %H:%M:%S}"
    if is_number(value):
        return short_number(value)  # type: ignore[arg-type]
    text = plain(value, tz)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _footer(cover: Cover) -> Iterator[str]:
    language = cover.language
    facts = {
        word("hosts", language): ", ".join(cover.hosts),
        word("window", language): None,
        word("store", language): cover.store,
        word("written", language): f"{cover.written_at.astimezone(cover.tz):%Y-%m-%d %H:%M %Z}",
    }
    yield "<footer><dl>"
    for label, text in facts.items():
        yield f"<dt>{safe(label)}</dt><dd>{_span(cover) if text is None else safe(text)}</dd>"
    yield f"</dl><p>ttsq {safe(cover.version)}</p></footer></main></body></html>\n"
