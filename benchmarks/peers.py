"""What people use instead, as commands on the same logs; and marks of what the machine can do."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.logs import LogSet
from benchmarks.measure import Command, pipeline

PEERS = ("lnav", "mawk", "gawk", "grep", "goaccess")
LNAV_FORMAT = Path(__file__).with_name("lnav") / "tts_log.json"
_LNAV_QUESTION = ";select event, count(*) from tts_log group by event"
# the header's stamp is its first two words
_WINDOW = """ '$1" "$2 >= "DAY 14:00:00" && $1" "$2 < "DAY 15:00:00"' \
| grep -E ' - (WARNING|ERROR|CRITICAL) - ' | wc -l"""
_LENGTHS = """grep 'synthesis_complete: .*status=failed' \
| mawk -F', ' '{for (i = 1; i <= NF; i++) if ($i ~ /^(text_len|error_code)=/) print $i}' \
| paste - - | sort | uniq -c | sort -nr"""
_ONE_COLUMN = """import sys, duckdb
print(duckdb.execute("select count(*), sum(strlen(line)) from read_csv(?, columns={'line': 'varchar'}, delim='\\x01', "
                     "quote='', escape='', header=false, auto_detect=false)", sys.argv[1:]).fetchall()[0][0])"""  # noqa: E501
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


def lnav_command(logs: LogSet, home: Path) -> Command:
    """lnav without a screen: load the log with the same fields, group by event."""
    formats = home / "formats" / "installed"
    formats.mkdir(parents=True, exist_ok=True)
    shutil.copy(LNAV_FORMAT, formats)
    asked = ("-c", _LNAV_QUESTION, "-c", ":write-json-to -")
    place = {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return Command(
        "lnav", ("lnav", "-n", "-I", str(home), *asked, str(logs.plain)), environment=place
    )


def lnav_counts(output: str) -> dict[str, int]:
    """Records by event, as lnav printed them."""
    return {row["event"]: row["count(*)"] for row in json.loads(output) if row["event"]}


def marks(logs: LogSet) -> tuple[Command, Command, Command]:
    """One pass each: awk over header fields, zcat of rotated files, DuckDB over lines."""
    levels = "{n[$3]++} END {for (level in n) print level, n[level]}"
    return (
        Command("mawk -F' - '", ("mawk", "-F", " - ", levels, str(logs.plain))),
        Command("zcat | wc -l", pipeline(f"zcat -f {words(*logs.rotated)} | wc -l")),
        Command(
            "DuckDB, lines as one column", (sys.executable, "-c", _ONE_COLUMN, str(logs.plain))
        ),
    )


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
