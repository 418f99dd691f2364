"""A log that never changes, for figures that are compared with recorded ones."""

from datetime import UTC, datetime, timedelta

_BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
_TEXTS = (
    "Hello, world. The next train leaves from platform nine.",
    "您的包裹已经送达, 你好, 世界, 欢迎使用语音合成服务。",
    'She said \\"come in\\" and closed the door. id=none, status=failed',
    "🎉 恭喜您. Chapter one: the harbour at dawn.",
)
_STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render")
_TRACEBACK = """\
Traceback (most recent call last):
  File "/app/app/tts_engine.py", line 387, in _postproc
    spectrum = scipy.fft.rfft(embedding)
RuntimeWarning: invalid value encountered in true_divide
"""
_FAILS_EVERY, _SAMPLE_EVERY, _HIT_EVERY = 25, 40, 8  # requests


def fixed_log(size: int) -> bytes:
    """Records of whole requests, at least ``size`` bytes of them; the same ones every time."""
    parts: list[bytes] = []
    written = number = 0
    while written < size:
        parts.append(_request(number).encode())
        written += len(parts[-1])
        number += 1
    return b"".join(parts)


def _request(number: int) -> str:
    """What one request and what is around it log."""
    seed = (number * 2654435761) % (1 << 32)  # spreads neighbours over all 32 bits
    at = _BEGAN + timedelta(milliseconds=number * 1730)
    hit, failed = number % _HIT_EVERY == 0, number % _FAILS_EVERY == 1
    text = " ".join(_TEXTS[(seed >> n) % len(_TEXTS)] for n in range(1 + seed % 4))
    own = f"id=ts_{seed:08x}"
    lines = [
        f'{_head(at)}synthesis_start: {own}, text="{text}", lang={"zh" if seed % 3 else "en"}, '
        f"voice=alloy, duration_ms=0, cache_hit={str(hit).lower()}\n"
    ]
    took = 12 + seed % 30
    for stage in _STAGES if not hit else ():
        took += seed % 211
        later = at + timedelta(milliseconds=took)
        lines.append(f"{_head(later)}stage_time: stage={stage}, {own}, duration_ms={took}\n")
    later = at + timedelta(milliseconds=took + 1)
    lines += _end(later, own, took, failed, seed, len(text))
    if number % _SAMPLE_EVERY == 0:
        share = f"used={700 + number % 200}MB, total=1024MB, usage={70 + number % 20}.{seed % 10}%"
        lines.append(f"{_head(later, 'app.cache')}cache_health: path=/app/cache, {share}\n")
    return "".join(lines)


def _end(at: datetime, own: str, took: int, failed: bool, seed: int, length: int) -> list[str]:
    if not failed:
        return [
            f"{_head(at, 'app.audio')}audio_metrics: {own}, rms=0.{1000 + seed % 2000}, "
            f"spectral_centroid={1700 + seed % 900}.{seed % 10}\n",
            f"{_head(at)}synthesis_complete: {own}, status=success, duration_ms={took}, "
            f"audio_size_kb={100 + seed % 500}, cache_saved=true, text_len={length} chars\n",
        ]
    code = "error_code=SCIPY_FFT_INVALID"
    return [
        f"{_head(at, level='ERROR')}synthesis_failed: {own}, {code}, Invalid input to scipy.fft\n",
        _TRACEBACK,
        f"{_head(at)}synthesis_complete: {own}, status=failed, duration_ms={took}, "
        f"text_len={length} chars, {code}, model_stage=llm_postproc\n",
    ]


def _head(at: datetime, logger: str = "app.tts_engine", level: str = "INFO") -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} - {logger} - {level} - "
