"""Findings in Chinese: one template a symptom."""

from collections.abc import Callable

from ingest.causes.dimensions import ATTRIBUTE, CACHE_HIT, CONCURRENCY, TEXT, TEXT_LEN, Condition
from ingest.causes.findings import Finding
from ingest.render.cells import escape_controls
from ingest.tasks.triage.phrases import Clock, number, percent, quoted, shown, times

_CLASSES = {
    "empty": "空文本",
    "emoji": "含表情符号的文本",
    "control": "含控制字符的文本",
    "symbols": "只有符号的文本",
    "plain": "普通文本",
}
_NAMES = {
    "host": "主机",
    "voice": "音色",
    "lang": "语言",
    "service": "服务",
    "instance": "实例",
    "profile": "引擎",
    "release": "版本",
    "client": "客户端",
    "path": "路径",
    "server": "服务器",
    "method": "方法",
}


def _kind(c: Condition) -> str:
    value = shown(c.value)
    if c.name == TEXT_LEN:
        n = number(float(str(c.value)))
        return {">=": f"{n} 字及以上", "<": f"不足 {n} 字"}.get(c.op, f"恰好 {n} 字")
    if c.name == TEXT:
        return f"文本 {quoted(c.value)}"
    if c.name == CACHE_HIT:
        return "缓存命中" if c.value else "缓存未命中"
    if c.name == CONCURRENCY:
        return f"同时处理 {value} 个及以上"
    if c.name == "text_class":
        return _CLASSES.get(value, value)
    name = c.name.removeprefix(ATTRIBUTE)
    return f"{_NAMES.get(name, name)} {value}"


def whose_zh(conditions: tuple[Condition, ...]) -> str:
    """The requests that meet all conditions."""
    return "、".join(map(_kind, conditions)) if conditions else "全部"


def _since(f: Finding, clock: Clock) -> str:
    since, until = clock.time(f.since), clock.time(f.until)
    if f.since_place:
        return f"自 {escape_controls(f.since_place)} 起"
    if since and until:
        return f"自 {since} 至 {until}"
    if since:
        return f"自 {since} 起"
    return f"至 {until} 为止" if until else "一直"


def _share(f: Finding) -> str:
    """Its rate, with the blank before it that a number has beside words."""
    rate = f.rate or 0.0
    return "全部" if rate > 0.995 else f" {percent(rate)}% "


def _some(f: Finding) -> str:
    """So many have it, or all do."""
    share = _share(f)
    return share if share == "全部" else f"有{share}"


def _requests(f: Finding) -> str:
    """Whose requests."""
    who = whose_zh(f.conditions)
    if not f.conditions or who.endswith("文本"):
        return who if f.conditions else "全部请求"
    return f"{spaced(who)}的请求"


def spaced(text: str) -> str:
    """A blank after a Latin letter or a digit, as written before Chinese words."""
    return f"{text} " if text[-1:].isascii() else text


def period_zh(seconds: float) -> str:
    """The time from one to the next."""
    minutes = seconds / 60
    return f"{minutes:.0f} 分钟" if minutes >= 1.5 else f"{seconds:.0f} 秒"


def duration_zh(seconds: float) -> str:
    """A length of time in two units at most."""
    whole = round(seconds)
    for size, name, below, small in ((86400, "天", 3600, "小时"), (3600, "小时", 60, "分钟")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole // 60} 分钟" if whole >= 60 else f"{whole} 秒"


def _failures(f: Finding, clock: Clock) -> str:
    code = shown(f.code) if f.code else "无错误码"
    if f.kind == "periodic" and f.period_s:
        return f"{code}：每 {period_zh(f.period_s)}失败一次"
    if f.kind == "mix":
        return f"{code}：{_requests(f)}{_since(f, clock)}增多（这类请求一向失败）"
    return f"{code}：{_requests(f)}{_since(f, clock)}{_share(f)}失败"


def _unfinished(f: Finding, clock: Clock) -> str:
    if f.kind == "periodic" and f.period_s:
        return f"每 {period_zh(f.period_s)}有请求没有结束"
    return f"{_requests(f)}{_since(f, clock)}{_some(f)}没有结束"


def _latency(f: Finding, clock: Clock) -> str:
    stage = "合成" if f.stage == "end_to_end" else shown(f.stage)
    if f.kind == "sawtooth":
        return (
            f"{stage} {_since(f, clock)}越来越慢（{whose_zh(f.conditions)}），最多为 "
            f"{times(f.ratio or 1)} 倍，又突然恢复，共 {number(f.amount or 0)} 次"
        )
    if f.kind == "periodic" and f.period_s:
        return f"{stage} 每 {period_zh(f.period_s)}变慢一次"
    if f.kind == "gradual":
        return (
            f"{stage} {_since(f, clock)}越来越慢（{whose_zh(f.conditions)}），现为平时的 "
            f"{times(f.ratio or 1)} 倍"
        )
    if f.partial:
        return f"{_requests(f)}{_since(f, clock)}有{_share(f)}{stage} 变慢 {times(f.ratio or 1)} 倍"
    return f"{stage} 变慢 {times(f.ratio or 1)} 倍（{whose_zh(f.conditions)}），{_since(f, clock)}"


def _warnings(f: Finding, clock: Clock) -> str:
    return f"{shown(f.code)}：{_requests(f)}{_since(f, clock)}{_share(f)}有警告"


def _cache_write(f: Finding, clock: Clock) -> str:
    return f"{_requests(f)}{_since(f, clock)}{_some(f)}没有写入缓存"


def _cache_hits(f: Finding, clock: Clock) -> str:
    before, now = 1 - (f.rate_outside or 0.0), 1 - (f.rate or 0.0)
    return (
        f"缓存命中率（{whose_zh(f.conditions)}）{_since(f, clock)}从 {percent(before)}% 降到 "
        f"{percent(now)}%"
    )


def _audio_size(f: Finding, clock: Clock) -> str:
    return f"{_requests(f)}{_since(f, clock)}{_some(f)}音频大小异常"


def _dull(f: Finding, clock: Clock) -> str:
    return f"{_requests(f)}{_since(f, clock)}{_some(f)}音质发闷"


def _silence(f: Finding, clock: Clock) -> str:
    where = f"主机 {shown(f.subject)}" if f.conditions else "全部主机"
    return f"{spaced(where)}{_since(f, clock)}没有请求"


def _clock(f: Finding, clock: Clock) -> str:
    way = "拨快" if (f.amount or 0) > 0 else "倒退"
    return (
        f"主机 {shown(f.subject)} 的时钟在 {clock.time(f.since)} {way}了 "
        f"{duration_zh(abs(f.amount or 0))}"
    )


def _errors(f: Finding, clock: Clock) -> str:
    where = f"主机 {shown(f.subject)} " if f.subject else ""
    return f"{shown(f.code)}：{where}{_since(f, clock)}有 {number(f.affected)} 条与请求无关的错误"


def _filling(f: Finding, clock: Clock) -> str:
    path = f" {shown(f.subject)} " if f.subject else ""
    host = next((f"主机 {shown(c.value)} 的" for c in f.conditions if c.name == "host"), "")
    if (f.amount or 0) >= 99.5:
        return f"{host}缓存{path}已写满"
    used = f"已用 {f.amount or 0:.0f}%，"
    return f"{host}缓存{path}{used}将于 {clock.time(f.full_at)} 写满"


def _rtf(f: Finding, clock: Clock) -> str:
    return f"{_requests(f)}{_since(f, clock)}{_some(f)}合成比平时慢"


def _http_errors(f: Finding, clock: Clock) -> str:
    who = f"（{shown(f.subject)}）" if f.subject else ""
    return f"HTTP {shown(f.code)}{who}：{_requests(f)}{_since(f, clock)}{_share(f)}出错"


def _http_latency(f: Finding, clock: Clock) -> str:
    where = "合成之外的耗时" if f.stage == "outside_synthesis" else "HTTP 响应"
    slower = f"变慢 {times(f.ratio or 1)} 倍"
    if f.stage == "outside_synthesis":
        slower = f"增加 {duration_zh(((f.slow_ms or 0.0) - (f.usual_ms or 0.0)) / 1000)}"
    return f"{where}{slower}（{whose_zh(f.conditions)}），{_since(f, clock)}"


def _silent_failures(f: Finding, clock: Clock) -> str:
    return f"{_requests(f)}{_since(f, clock)}{_some(f)}合成失败，HTTP 却返回成功"


TITLES_ZH: dict[str, Callable[[Finding, Clock], str]] = {
    "failures": _failures, "unfinished": _unfinished, "latency": _latency,
    "warnings": _warnings, "cache_write": _cache_write, "cache_hits": _cache_hits,
    "audio_size": _audio_size, "dull_audio": _dull, "silence": _silence, "clock": _clock,
    "errors": _errors, "cache_filling": _filling, "rtf": _rtf,
    "http_errors": _http_errors, "http_latency": _http_latency,
    "silent_failures": _silent_failures,
}  # fmt: skip


def title_zh(f: Finding, clock: Clock) -> str:
    """A finding in one sentence."""
    return TITLES_ZH[f.symptom](f, clock)
