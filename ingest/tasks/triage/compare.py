"""Two spans of time side by side: what is different, as a page or as JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest.causes.changes import LENGTH, RATE, SHARE, TIME, Change, Compared, compared
from ingest.causes.dimensions import TEXT
from ingest.render.cells import display_width, json_text, zone_label
from ingest.stores.contract import Reader
from ingest.tasks.triage.fetch import Window, fetched
from ingest.tasks.triage.page import PageLook
from ingest.tasks.triage.phrases import number, percent, shown, times, whose
from ingest.tasks.triage.phrases_zh import whose_zh
from ingest.tasks.triage.report import moment

_MOST = 20  # changes on the page
_INCLUDED_S = 1e-6  # of a window's end, which is one of its instants
_SYMPTOMS = {
    "failures": ("failures", "失败"), "unfinished": ("requests without an end", "没有结束"),
    "cache_write": ("results not kept in the cache", "未写入缓存"), "cache_hits": ("cache misses",
    "缓存未命中"),
    "warnings": ("warnings", "警告"), "audio_size": ("audio of an odd size", "音频大小异常"),
    "dull_audio": ("dull audio", "音质发闷"), "http_errors": ("HTTP", "HTTP"),
    "silent_failures": ("failures behind HTTP 200", "HTTP 成功而合成失败"),
    "latency": ("", ""), "rtf": ("real-time factor", "实时率"), "http_latency": ("HTTP answers",
    "HTTP 响应"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two windows and what is different between them."""

    before: Window
    after: Window
    found: Compared


def comparison(reader: Reader, before: Window, after: Window) -> Comparison:
    """Compare two windows of the store."""
    whole = Window(min(before.since, after.since), max(before.until, after.until))
    observed = fetched(reader, whole)
    if before.since < moment(observed.since) < before.until:
        before = Window(moment(observed.since), before.until)
    spans = [(w.since.timestamp(), w.until.timestamp() + _INCLUDED_S) for w in (before, after)]
    return Comparison(before, after, compared(observed, spans[0], spans[1]))


def comparison_json(c: Comparison) -> str:
    """One object: both spans, and a list of what is different."""
    spans = {
        name: {"since_at": _iso(w.since), "until_at": _iso(w.until), "requests": round(n)}
        for name, w, n in (
            ("before", c.before, c.found.before),
            ("after", c.after, c.found.after),
        )
    }
    changes = [_object(x) for x in c.found.changes]
    told = {**spans, "enough": c.found.enough, "changes": changes}
    return json.dumps(json.loads(json_text(told, None)), ensure_ascii=False, indent=1)


def _iso(at: datetime) -> str:
    return moment(at.timestamp()).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(c: Change) -> dict[str, object]:
    named = None if c.condition is None else {c.condition.name: c.condition.value}
    if c.condition is not None and c.condition.name == TEXT:
        named = {"text": "one text"}
    return {
        "what": c.what, "symptom": c.symptom, "name": c.name, "condition": named,
        "before": round(c.before, 5), "after": round(c.after, 5),
        "ratio": None if c.ratio is None else round(c.ratio, 3), "net": round(c.net, 1),
    }  # fmt: skip


def comparison_page(c: Comparison, look: PageLook) -> str:
    """Both spans, and below them what is different, the surest first."""
    is_zh = look.language == "zh"
    lines = [
        f"{'此前' if is_zh else 'before'}  {_span(c.before, c.found.before, look)}",
        f"{'此后' if is_zh else 'after '}  {_span(c.after, c.found.after, look)}",
        "",
    ]
    changes = [x for x in c.found.changes if x.condition is None or x.condition.name != TEXT]
    if not c.found.enough:
        lines.append("请求太少，无法比较" if is_zh else "too few requests to compare")
    elif not changes:
        lines.append("没有明显变化" if is_zh else "nothing is different that is more than chance")
    rows = [_row(x, is_zh) for x in changes[:_MOST]]
    widths = [max((display_width(r[i]) for r in rows), default=0) for i in range(3)]
    lines += list(_padded(rows, widths))
    if len(changes) > _MOST:
        more = len(changes) - _MOST
        lines.append(f"另有 {more} 项：--json" if is_zh else f"{more} more: --json")
    return "\n".join(lines)


def _padded(rows: list[tuple[str, str, str, str]], widths: list[int]) -> Iterator[str]:
    for what, before, after, change in rows:
        cells = [what + " " * (widths[0] - display_width(what))]
        cells.append(" " * (widths[1] - display_width(before)) + before)
        cells.append("→ " + " " * (widths[2] - display_width(after)) + after)
        yield "  ".join([*cells, change]).rstrip()


def _row(c: Change, is_zh: bool) -> tuple[str, str, str, str]:
    """What is different, before, after, and by how much."""
    if c.what == TIME:
        what = " ".join(p for p in (_symptom(c, is_zh), shown(c.name) if c.name else "") if p)
        unit = "" if c.symptom == "rtf" else " ms"
        told = [f"{v:.2f}" if c.symptom == "rtf" else number(v) for v in (c.before, c.after)]
        same = "同等长度" if is_zh else "for texts of the same length"
        factor = (
            f"{times(c.ratio or 1.0)} 倍（{same}）"
            if is_zh
            else f"× {times(c.ratio or 1.0)} {same}"
        )
        return what, told[0] + unit, told[1] + unit, factor
    if c.what == LENGTH:
        what = "文本长度（中位数）" if is_zh else "length of texts (median)"
        return what, number(c.before), number(c.after), ""
    told = [f"{percent(v)} %" for v in (c.before, c.after)]
    if c.what == SHARE and c.condition is not None:
        name = whose_zh((c.condition,)) if is_zh else whose((c.condition,))
        note = (
            ("新出现" if is_zh else "new")
            if not c.before
            else ("消失" if is_zh else "gone")
            if not c.after
            else ""
        )
        return (f"占比：{name}" if is_zh else f"share of {name}"), told[0], told[1], note
    assert c.what == RATE
    if c.symptom in ("latency", "http_latency", "rtf"):
        name = _symptom(c, is_zh) or shown(c.name)
        return (f"{name} 偏慢的请求" if is_zh else f"slow requests, {name}"), told[0], told[1], ""
    what = " ".join(p for p in (_symptom(c, is_zh), shown(c.name) if c.name else "") if p)
    return what, told[0], told[1], "" if c.before and c.after else _note(c, is_zh)


def _note(c: Change, is_zh: bool) -> str:
    if not c.before:
        return "新出现" if is_zh else "new"
    return "消失" if is_zh else "gone"


def _symptom(c: Change, is_zh: bool) -> str:
    return _SYMPTOMS.get(c.symptom or "", (c.symptom or "",) * 2)[is_zh]


def _span(window: Window, requests: float, look: PageLook) -> str:
    first, last = (t.astimezone(look.tz) for t in (window.since, window.until))
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    minutes = max((window.until - window.since).total_seconds() / 60, 1e-9)
    rate = requests / minutes
    pace = f"{rate:.1f}" if rate < 10 else number(rate)
    told = f"{first:%Y-%m-%d %H:%M} – {end} {zone_label(look.tz, last)}"
    if look.language == "zh":
        return f"{told}，{number(requests)} 个请求（每分钟 {pace} 个）"
    return f"{told}, {number(requests)} requests ({pace} a minute)"
