"""What people use instead, as commands on the same logs; and marks of what the machine can do."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.logs import LogSet
from benchmarks.measure import Command, pipeline, run

PEERS = ("lnav", "mawk", "gawk", "grep", "goaccess")
LNAV_FORMAT = Path(__file__).with_name("lnav") / "tts_log.json"
LNAV_EVENTS = ";select event, count(*) from tts_log group by event"
# the header's stamp is its first two words
_WINDOW = """ '$1" "$2 >= "DAY 14:00:00" && $1" "$2 < "DAY 15:00:00"' \
| grep -E ' - (WARNING|ERROR|CRITICAL) - ' | wc -l"""
_LENGTHS = """grep 'synthesis_complete: .*status=failed' \
| mawk -F', ' '{for (i = 1; i <= NF; i++) if ($i ~ /^(text_len|error_code)=/) print $i}' \
| paste - - | sort | uniq -c | sort -nr"""
_ONE_COLUMN = """import sys, duckdb
print(duckdb.execute("select count(*), sum(strlen(line)) from read_csv(?, columns={'line': 'varchar'}, delim='\\x01', "
                     "quote='', escape='', header=false, auto_detect=false)", sys.argv[1:]).fetchall()[0][0])"""  # noqa: E501
LEVELS = ("mawk", "-F", " - ", "{n[$3]++} END {for (level in n) print level, n[level]}")
_ACCESS_FORMAT = (
    "--log-format=%d %t,%^ - %v - %^ - %r",
    "--date-format=%Y-%m-%d",
    "--time-format=%H:%M:%S",
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as people ask it of logs: a pipeline that reads a pipe, and its tools."""

    name: str
    tool: str
    pipe: str
    needs: tuple[str, ...]


LENGTHS, WINDOW, LIFE = "failures by length", "errors and warnings 14:00-15:00", "one request"


def questions(logs: LogSet) -> tuple[Question, ...]:
    """Today's pipelines."""
    window = _WINDOW.replace("DAY", logs.day)
    return (
        Question(LENGTHS, "grep, awk, sort", _LENGTHS, ("grep", "mawk")),
        Question(WINDOW, "mawk, grep", "mawk" + window, ("mawk", "grep")),
        Question(WINDOW, "gawk, grep", "gawk" + window, ("gawk", "grep")),
        Question(LIFE, "grep, sort", f"grep {logs.request} | sort", ("grep",)),
    )


def missing(tools: tuple[str, ...] = PEERS) -> tuple[str, ...]:
    """Those of the tools that are not installed."""
    return tuple(t for t in tools if shutil.which(t) is None)


def shell_command(question: Question, logs: LogSet, *, gzipped: bool) -> Command:
    """A question asked of the plain log, or of the rotated files."""
    source = f"cat {words(logs.plain)}" if not gzipped else f"zcat -f {words(*logs.rotated)}"
    how = "zcat" if gzipped else "cat"
    name = f"{question.name}: {how}, {question.tool}"
    return Command(name, pipeline(f"{source} | {question.pipe}"))


def words(*paths: Path) -> str:
    """Paths as a shell's words."""
    return shlex.join(map(str, paths))


def lnav_command(log: Path, home: Path, question: str = LNAV_EVENTS) -> Command:
    """lnav without a screen: load a log, with the same fields where it is ours, and ask; after one
    start that writes its settings.
    """
    formats = home / "formats" / "installed"
    place = {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    if not formats.exists():
        formats.mkdir(parents=True)
        shutil.copy(LNAV_FORMAT, formats)
        run(Command("lnav's first start", ("lnav", "-n", "-N"), environment=place))
    asked = ("-c", question, "-c", ":write-json-to -")
    return Command("lnav", ("lnav", "-n", "-I", str(home), *asked, str(log)), environment=place)


def lnav_counts(output: str) -> dict[str, int]:
    """Records by event, as lnav printed them."""
    return {row["event"]: row["count(*)"] for row in json.loads(output) if row["event"]}


def marks(logs: LogSet) -> tuple[Command, Command, Command]:
    """One pass each: awk over header fields, zcat of rotated files, DuckDB over lines."""
    return (
        Command("mawk -F' - '", (*LEVELS, str(logs.plain))),
        zcat(*logs.rotated),
        Command(
            "DuckDB, lines as one column", (sys.executable, "-c", _ONE_COLUMN, str(logs.plain))
        ),
    )


def zcat(*paths: Path) -> Command:
    """One pass of zcat over files, gzipped or not."""
    return Command("zcat | wc -l", pipeline(f"zcat -f {words(*paths)} | wc -l"))


def goaccess_refusal(logs: LogSet, scratch: Path) -> str:
    """Why GoAccess cannot be compared, in its words; empty if it reads the log after all."""
    command = ["goaccess", str(logs.plain), "--no-global-config", *_ACCESS_FORMAT]
    command += ["-o", str(scratch / "goaccess.json")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return ""
    said = (done.stdout + done.stderr).splitlines()
    kept = [s.split("==", 2)[-1].strip() for s in said if "required" in s or "match" in s]
    return kept[0] if kept else f"exit status {done.returncode}"
