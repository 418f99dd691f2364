"""Findings for people: a block each, in 80 columns; or as Markdown, for a ticket."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from ingest.causes.findings import CRITICAL, NOTE, WARNING, Finding
from ingest.causes.symptoms import RTF
from ingest.lazily import matcher
from ingest.render.cells import display_width, escape_controls, zone_label
from ingest.tasks.triage.listing import named
from ingest.tasks.triage.phrases import Clock, duration, number, percent, title, written
from ingest.tasks.triage.phrases_zh import duration_zh, title_zh
from ingest.tasks.triage.report import Example, Told, TriageReport, moment

_WIDTH = 80
_LABEL = 10
_MOST_CONSEQUENCES = 3
# what stays on one line: a Chinese character with the marks behind it, or a word
_PIECES = matcher(
    r" *(?:[\u2e80-\u9fff\uac00-\ud7af][\u3001-\u303f\uff00-\uff65]*|[^ "
    r"\u2e80-\u9fff\uac00-\ud7af]+)| +$"
)
_COLOURS = {CRITICAL: "1;31", WARNING: "1;33", NOTE: "36"}
_ZH = {
    "where": "条件", "in": "位置", "before": "此前", "also": "连带", "lines": "日志",
    "next": "下一步",
    CRITICAL: "严重", WARNING: "警告", NOTE: "提示", "elsewhere": "其他", "all": "全部请求",
    "of": "/",
}  # fmt: skip
_LOOKED_FOR_ZH = "失败、未结束、变慢的阶段、缓存、警告、音频、静默、时钟、HTTP 响应"


@dataclass(frozen=True, slots=True)
class PageLook:
    """In which language (en, zh), with colours or without, and in which zone; ``store`` are the
    words that commands find the store by, if they need any.
    """

    language: str
    colour: bool
    tz: tzinfo
    store: str = ""

    def word(self, name: str) -> str:
        """A word of the page."""
        return _ZH.get(name, name) if self.language == "zh" else name

    @property
    def semicolon(self) -> str:
        """What stands between two things that are told on one line."""
        return "；" if self.language == "zh" else "; "

    def title(self, f: Finding, clock: Clock) -> str:
        """A finding in one sentence."""
        return title_zh(f, clock) if self.language == "zh" else title(f, clock)

    def painted(self, text: str, severity: str) -> str:
        """Text in the colour of a severity."""
        return f"\x1b[{_COLOURS[severity]}m{text}\x1b[0m" if self.colour else text


def page(report: TriageReport, look: PageLook) -> str:
    """All findings; a healthy window says so, and what was looked for."""
    clock = Clock(look.tz, report.window.until)
    blocks = []
    if report.is_healthy:
        blocks.append(healthy(report, look, clock))
    blocks += ["\n".join(_block(told, report, look, clock)) for told in report.told]
    if report.left_out:
        more = f"另有 {report.left_out} 项" if look.language == "zh" else f"{report.left_out} more"
        colon = "：" if look.language == "zh" else ": "
        blocks.append(
            f"{more}{colon}ttsq triage --limit {len(report.told) + report.left_out}{look.store}"
        )
    return "\n\n".join(blocks)


def span_words(report: TriageReport, look: PageLook) -> str:
    """From when to when, with the zone."""
    d = report.diagnosis
    first, last = (moment(t).astimezone(look.tz) for t in (d.since, d.until))
    same = first.date() == last.date()
    end = f"{last:%H:%M}" if same else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} – {end} {zone_label(look.tz, last)}"


def healthy(report: TriageReport, look: PageLook, clock: Clock) -> str:
    """What is said of a window without findings: what was looked for, and over how much."""
    count, span = number(report.diagnosis.requests), span_words(report, look)
    answers = report.diagnosis.answers
    if look.language == "zh":
        count += f" 个请求，{number(answers)} 个 HTTP 响应" if answers else " 个请求"
        told = [f"未发现异常：{count}，{span}", f"已检查：{_LOOKED_FOR_ZH}"]
    else:
        count += f" requests, {number(answers)} HTTP answers" if answers else " requests"
        told = [
            *textwrap.wrap(f"nothing is wrong: {count}, {span}", _WIDTH),
            *textwrap.wrap("looked for " + ", ".join(report.diagnosis.looked_for), _WIDTH),
        ]
    unsure = report.uncertain
    if unsure is not None and unsure.affected >= 3 and not report.told:
        words = "不确定：" if look.language == "zh" else "not certain: "
        told += _wrapped(f"{words}{look.title(unsure, clock)}", 0)
    return "\n".join(told)


def _block(told: Told, report: TriageReport, look: PageLook, clock: Clock) -> Iterator[str]:
    f = told.finding
    severity = look.word(f.severity) if look.language == "zh" else f.severity.upper()
    head = f"{told.rank}  {severity}  "
    words = look.title(f, clock)
    if f.since is not None and f.full_at is None:
        end = report.diagnosis.until if f.until is None else f.until
        lasted = max(0.0, end - f.since)
        is_zh = look.language == "zh"
        words += f"（{duration_zh(lasted)}）" if is_zh else f" ({duration(lasted)})"
    first, *rest = _wrapped(words, display_width(head))
    yield look.painted(head.rstrip(), f.severity) + "  " + first.lstrip()
    yield from rest
    for name, value in facts(told, look, clock):
        label = look.word(name)
        pad = " " * max(1, _LABEL - display_width(label))
        first, *rest = _wrapped(value, 3 + _LABEL) if name != "next" else [value]
        yield f"   {label}{pad}{first.lstrip()}"
        yield from rest


def facts(told: Told, look: PageLook, clock: Clock) -> Iterator[tuple[str, str]]:
    """Label and text of each line below a finding's title."""
    f = told.finding
    where = _where(f, look)
    if where:
        yield "where", where
    if f.stage or f.location:
        yield (
            "in",
            ("，" if look.language == "zh" else ", ").join(
                escape_controls(p) for p in (f.stage, f.location) if p
            ),
        )
    if f.precursors:
        yield (
            "before",
            look.semicolon.join(
                _precursor(p.code, p.records, p.median_lead_s, look) for p in f.precursors
            ),
        )
    if f.consequences:
        also = [look.title(x, clock) for x in f.consequences if named(x) != named(f)]
        if also:
            yield "also", look.semicolon.join(dict.fromkeys(also[:_MOST_CONSEQUENCES]))
    if told.examples:
        yield "lines", _example(told.examples[0], len(told.examples) - 1, look)
    yield "next", told.next + look.store


def _where(f: Finding, look: PageLook) -> str:
    told = ", ".join(map(written, f.conditions)) or look.word("all")
    if not f.population or f.rate is None:
        return ", ".join(map(written, f.conditions))
    low, high = f.interval or (f.rate, f.rate)
    between = f"{percent(low)}–{percent(high)} %"
    counts = f"{number(f.affected)} {look.word('of')} {number(f.population)}"
    between = f"（{percent(low)}%–{percent(high)}%）" if look.language == "zh" else f" ({between})"
    words = f"{told}   {counts}{between}"
    if f.rate_outside is not None:
        sign = "%" if look.language == "zh" else " %"
        words += f"{look.semicolon}{look.word('elsewhere')} {percent(f.rate_outside)}{sign}"
    if f.slow_ms is not None and f.usual_ms is not None and f.usual_ms == f.usual_ms:
        if f.symptom == RTF:
            words += f"{look.semicolon}RTF {f.slow_ms:.2f} / {f.usual_ms:.2f}"
        else:
            words += f"{look.semicolon}{number(f.slow_ms)} ms / {number(f.usual_ms)} ms"
    return words


def _precursor(code: str, records: int, lead: float, look: PageLook) -> str:
    earlier = f"早 {duration_zh(lead)}" if look.language == "zh" else f"{duration(lead)} earlier"
    comma = "，" if look.language == "zh" else ", "
    return f"{escape_controls(code)} ×{records}{comma}{earlier}"


def _example(example: Example, more: int, look: PageLook) -> str:
    parts = [escape_controls(example.id)] if example.id else []
    if example.path is not None:
        parts.append(f"{escape_controls(example.path)} @ {number(example.offset or 0)}")
    told = "  ".join(parts)
    if more:
        told += f"   … {f'另有 {more} 条' if look.language == 'zh' else f'{more} more'}"
    return told


def _wrapped(text: str, indent: int) -> list[str]:
    """Lines of at most 80 columns, indented after the first; Chinese may break anywhere."""
    lines: list[str] = []
    line, room = "", _WIDTH - indent
    for piece in _PIECES.findall(text):
        if line.strip() and display_width((line + piece).rstrip()) > room:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    lines.append(line.rstrip())
    return [lines[0], *(" " * indent + rest for rest in lines[1:])]


def markdown(report: TriageReport, look: PageLook) -> str:
    """The same as Markdown."""
    clock = Clock(look.tz, report.window.until)
    if report.is_healthy and not report.told:
        return healthy(report, look, clock)
    parts = [healthy(report, look, clock)] if report.is_healthy else []
    for told in report.told:
        f = told.finding
        lines = [f"### {told.rank}. {look.word(f.severity)}: {_plain(look.title(f, clock))}", ""]
        for name, value in facts(told, look, clock):
            lines.append(f"- **{look.word(name)}**: `{value.replace('`', chr(39))}`")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    for char in "\\`*_[]<>|#":
        text = text.replace(char, f"&#{ord(char)};" if char in "<>" else f"\\{char}")
    return text
