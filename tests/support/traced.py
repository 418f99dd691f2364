"""Log records with known places, and what ``ttsq trace`` gathers of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.records.formats import DEFAULT_FORMAT, compile_format
from ingest.records.read_with import ReadWith
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.trace.find import Found, Trace, find, gather, wanted_records
from ingest.tasks.trace.lines import Line, read_lines
from ingest.tasks.trace.page import trace_text
from ingest.tasks.trace.phrases import TraceLook
from tests.support import harness

DAY = "2026-03-02 "
TRACEBACK = """Traceback (most recent call last):
  File "/app/app/tts_engine.py", line 387, in _postproc
    spectrum = scipy.fft.rfft(embedding)
RuntimeWarning: invalid value encountered in true_divide"""


@dataclass
class Log:
    """The content of a log file as it grows; remembers where each record begins."""

    content: bytes = b""
    offsets: dict[str, int] = field(default_factory=dict)

    def add(self, time: str, message: str, level: str = "INFO", name: str = "") -> "Log":
        """Append a record at a time of the day; ``name`` finds its offset again."""
        if name:
            self.offsets[name] = len(self.content)
        self.content += f"{DAY}{time} - app - {level} - {message}\n".encode()
        return self


def failing(log: Log, id_: str = "ts_7f3a2b1c", at: str = "14:22") -> Log:
    """Six records of a request that fails after 523 ms, with others between them."""
    log.add(f"{at}:37,892", f'synthesis_start: id={id_}, text="你好, 世界", lang=zh, voice=alloy, cache_hit=false', name="start")  # fmt: skip  # noqa: E501
    log.add(f"{at}:37,904", f"stage_time: stage=text_normalize, id={id_}, duration_ms=12", name="stage")  # fmt: skip  # noqa: E501
    log.add(f"{at}:37,950", 'synthesis_start: id=ts_00000001, text="Hello", lang=en')
    log.add(f"{at}:38,000", f"worker 3 took {id_} from the queue", name="between")
    log.add(f"{at}:38,375", f"stage_time: stage=llm_inference, id={id_}, duration_ms=483")
    log.add(f"{at}:38,400", f"worker 3 took {id_}9 from the queue")
    log.add(
        f"{at}:38,415",
        f"synthesis_failed: id={id_}, error_code=SCIPY_FFT_INVALID, Invalid input to "
        f"scipy.fft\n{TRACEBACK}",
        "ERROR",
        "error",
    )
    log.add(
        f"{at}:38,416",
        f"synthesis_complete: id={id_}, status=failed, duration_ms=523, text_len=6 chars, "
        "error_code=SCIPY_FFT_INVALID, model_stage=llm_postproc",
        name="end",
    )
    return log.add(f"{at}:40,000", "synthesis_complete: id=ts_00000001, status=success, duration_ms=2050")  # fmt: skip  # noqa: E501


@dataclass(frozen=True)
class Scene:
    """A folder of logs, and a store."""

    folder: Path
    store: DuckDBStore

    @classmethod
    def new(cls, folder: Path) -> "Scene":
        """An empty one."""
        (folder / "logs").mkdir()
        return cls(folder / "logs", harness.new_store(folder))

    def ingest(self, *names: str, tz: str = "UTC", log_format: str | None = None) -> None:
        """Ingest files to their ends."""
        paths = [self.folder / n for n in names]
        report = harness.run(self.store, paths, final=True, tz=tz, log_format=log_format)
        assert not report.problems

    def write(self, content: bytes, name: str = "app.log") -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def find(self, wanted: str, at: datetime | None = None) -> Found:
        """What an id means."""
        with self.store.reading() as reader:
            return find(reader, wanted, at)

    def trace(self, wanted: str, at: datetime | None = None, *, window: float = 30, running: bool = False) -> Trace:  # fmt: skip  # noqa: E501
        """The one request that is meant."""
        with self.store.reading() as reader:
            (match,) = find(reader, wanted, at).matches
            return gather(reader, match, timedelta(seconds=window), running=running)

    def lines(self, wanted: str, log_format: str = DEFAULT_FORMAT) -> list[Line]:
        """Its records."""
        trace = self.trace(wanted)
        parser = ReadWith(compile_format(log_format), UTC, log_format != DEFAULT_FORMAT)
        return read_lines(trace.files, wanted_records(trace), trace.names, parser)

    def text(self, wanted: str, look: TraceLook | None = None) -> str:
        """The page of it."""
        return trace_text(self.trace(wanted), self.lines(wanted), look or TraceLook(tz=UTC))


def at(time: str) -> datetime:
    """An instant of the day."""
    return datetime.fromisoformat(f"{DAY}{time}").replace(tzinfo=UTC)
