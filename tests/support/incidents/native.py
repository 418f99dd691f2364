"""Requests as records of ttsq's native format, a log file a host."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.support.incidents.scene import STAGES, Request, Scene

PLACES = {
    "text_normalize": ("app/text.py", 61, "normalize"),
    "llm_prompt_gen": ("app/prompt.py", 40, "build"),
    "llm_inference": ("app/llm.py", 118, "infer"),
    "llm_postproc": ("app/tts_engine.py", 387, "_postproc"),
    "audio_render": ("app/audio.py", 77, "write_wav"),
}


def write(scene: Scene, folder: Path) -> dict[str, Path]:
    """The log file of each host."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: dict[str, list[tuple[float, str]]] = {h: [] for h in scene.hosts}
    for request in scene.requests:
        entries[request.host] += records_of(request)
    for host, at, logger, level, message in scene.loose:
        entries[host].append((at, f"{logger} - {level} - {message}"))
    found = {}
    for host, lines in entries.items():
        lines.sort(key=lambda line: line[0])
        jumps = [(at, by) for h, at, by in scene.shifts if h == host]
        path = folder / f"{host}.log"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(
                f"{stamp(at + sum(by for since, by in jumps if at >= since))} - {text}\n"
                for at, text in lines
                if at <= scene.end
            )
        found[host] = path
    return found


def stamp(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d}"


def records_of(r: Request) -> Iterator[tuple[float, str]]:
    engine = "app.tts_engine - INFO - "
    text = r.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    yield (
        r.at,
        f'{engine}synthesis_start: id={r.id}, text="{text}", lang={r.lang}, voice={r.voice}, '
        f"client={r.client}, release={r.release}, duration_ms=0, cache_hit={str(r.cached).lower()}",
    )
    elapsed = 0.0
    for code, logger in r.extra:
        yield r.at + 0.001, f"{logger} - WARNING - fallback: id={r.id}, warning_code={code}"
    if r.cached:
        elapsed = r.own[0] if not r.hangs else 0.0
    else:
        stop = STAGES.index(r.fails[1]) if r.fails else len(STAGES)
        if r.hangs:
            stop = 2
        for stage, own in zip(STAGES[:stop], r.own, strict=False):
            elapsed += own
            yield (
                r.at + elapsed / 1000,
                f"{engine}stage_time: stage={stage}, id={r.id}, duration_ms={elapsed:.0f}",
            )
        elapsed += r.own[stop] if r.fails else 0
    end = r.at + elapsed / 1000
    if r.hangs:
        return
    if r.fails:
        code, stage = r.fails
        file, line, name = PLACES[stage]
        yield (
            end,
            f"app.tts_engine - ERROR - synthesis_failed: id={r.id}, error_code={code}, it failed\n"
            'Traceback (most recent call last):\n  File "/app/app/tts_engine.py", line 300, '
            "in synthesize\n"
            f'    run()\n  File "/app/{file}", line {line}, in {name}\n    '
            f"step()\nRuntimeError: {code}",
        )
        yield (
            end + 0.001,
            f"{engine}synthesis_complete: id={r.id}, status=failed, duration_ms={elapsed + 1:.0f}, "
            f"text_len={r.length} chars, error_code={code}, model_stage={stage}",
        )
        return
    yield (
        end + 0.001,
        f"app.audio - INFO - audio_metrics: id={r.id}, rms=0.18, "
        f"spectral_centroid={r.centroid:.0f}",
    )
    yield (
        end + 0.002,
        f"{engine}synthesis_complete: id={r.id}, status=success, duration_ms={elapsed + 2:.0f}, "
        f"audio_size_kb={r.kb:.1f}, cache_saved={str(r.saved).lower()}, text_len={r.length} chars",
    )
