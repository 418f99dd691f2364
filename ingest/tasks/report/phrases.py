"""The words of a report, in English and Chinese."""

from collections.abc import Mapping

LANGUAGES = ("en", "zh")

_ZH: Mapping[str, str] = {
    "Incident report": "故障报告",
    "What is wrong": "结论",
    "failures": "失败",
    "time": "耗时",
    "errors": "错误",
    "cache": "缓存",
    "http": "HTTP",
    "hosts": "主机与音色",
    "requests": "请求",
    "rows": "行",
    "the first": "前",
    "table and SQL": "数据与 SQL",
    "window": "时段",
    "store": "数据库",
    "written": "生成于",
    "critical": "严重",
    "warning": "警告",
    "note": "提示",
    "begins": "开始",
}
_EN: Mapping[str, str] = {
    "failures": "Failures",
    "time": "Time",
    "errors": "Errors",
    "cache": "Cache",
    "http": "HTTP",
    "hosts": "Hosts and voices",
}
_QUESTIONS_ZH: Mapping[str, str] = {
    "failure_rate_over_time": "失败率从何时开始上升？",
    "error_codes": "哪些错误码最多？",
    "failure_by_length": "失败是否集中在某些文本长度？",
    "failure_by_cause": "哪类文本失败，原因是什么？",
    "unfinished_requests": "哪些请求开始后没有结束？",
    "latency_over_time": "耗时从何时变长？",
    "stage_breakdown": "时间花在哪个阶段？",
    "slow_requests": "哪些请求慢，慢在哪个阶段？",
    "rtf_over_time": "合成是否比语音本身还慢？",
    "error_groups": "哪些错误是同一个？",
    "warning_precursors": "错误之前出现过哪些警告？",
    "cache_usage": "缓存用了多少？",
    "cache_full_forecast": "缓存何时写满？",
    "silent_failures": "HTTP 返回 200，合成却失败了？",
    "http_errors": "哪些状态码，在哪些路径？",
    "http_latency_over_time": "客户端感到有多慢？",
    "hosts": "哪台主机有问题？",
    "voices": "各音色情况如何？",
}


def word(name: str, language: str) -> str:
    """A word of the page."""
    return _ZH.get(name, name) if language == "zh" else _EN.get(name, name)


def question(name: str, asked: str, language: str) -> str:
    """The question of a named query: in Chinese where it is known, else as the query asks it."""
    return _QUESTIONS_ZH.get(name, asked) if language == "zh" else asked
