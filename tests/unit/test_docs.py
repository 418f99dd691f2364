"""The documents say what is there: commands, options, settings, exit codes, tables, links, the
demo's output.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from docs.generate import schema as schema_docs
from ingest.cli.settings.load import Settings, load
from ingest.errors import ExitCode
from ingest.records.formats import compile_format
from ingest.stores.tables import metadata
from tests.support import fork_server

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SHELL = ("sh", "cron", "console")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_MACHINE_PATH = re.compile(r"/(?:work|tmp|root|home/\w+|Users/\w+|workspace|mnt/data)\b")
_OPERATORS = {"&&", "||", "|", ";", "&", ">", ">>", "<"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of a document's fenced blocks."""
    return _FENCE.findall(text)


def ttsq_commands(line: str) -> list[list[str]]:
    """The words behind every ``ttsq`` of a shell line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = []
    current: list[str] | None = None
    before = ""
    for word in lexer:
        if word in _OPERATORS:
            current = None
        elif current is not None:
            current.append(word)
        elif word.split("/")[-1] == "ttsq" and before != "-t":
            current = []
            found.append(current)
        before = word
    return found


def shell_lines(text: str) -> list[str]:
    """Lines of the shell blocks, the prompts of shown sessions, and inline commands with their
    words.
    """
    lines = [
        line
        for language, content in blocks(text)
        if language in SHELL
        for line in content.splitlines()
    ]
    for language, content in blocks(text):
        if language == "text":
            lines += [x[2:] for x in content.splitlines() if x.startswith("$ ")]
    prose = _FENCE.sub("", text)
    return lines + [x for x in _INLINE.findall(prose) if x.startswith(("ttsq ", "make "))]


@cache
def help_of(*words: str) -> str:
    """What ``--help`` prints of a command; it must be one."""
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    code, out, err = fork_server.run([*words, "--help"], ROOT, environment, 60)
    assert code == 0, f"ttsq {' '.join(words)} is no command: {err}"
    return out


def options_of(*words: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", help_of(*words)))


def split_command(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Options in front of the command, the command (``db check`` is one), and the words behind it."""  # noqa: E501
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in ("--db", "--config") else 1
    command = words[at : at + 1]
    if command and command[0] in ("db", "queries") and words[at + 1 : at + 2]:
        command = words[at : at + 2]
    return words[:at], command, words[at + len(command) :]


def unknown_words(words: list[str]) -> list[str]:
    """Options of a command line that ``--help`` does not know."""
    front, command, rest = split_command(words)
    known = options_of(*command) | {"--help"}
    if command == ["run"] and rest and not rest[0].startswith("-") and rest[0] != "NAME":
        known |= options_of("run", rest[0])
    wrong = [w for w in front if w.startswith("-") and w not in options_of()]
    return wrong + [w for w in rest if w.startswith("-") and w.split("=")[0] not in known]


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    kept = re.sub(r"[^\w\s-]", "", heading.strip().lower().replace("`", ""))
    return re.sub(r"\s", "-", kept)


@pytest.mark.parametrize("name", [*READMES, "CHANGELOG.md", "docs/schema.md", "docs/design.md"])
def test_every_command_and_option_exists(name: str) -> None:
    commands = [c for line in shell_lines(text_of(name)) for c in ttsq_commands(line)]
    assert commands
    wrong = {" ".join(c): w for c in commands if (w := unknown_words(c))}
    assert wrong == {}


def test_a_command_that_is_not_there_is_noticed() -> None:
    assert unknown_words(["--db", "x", "ingest", "--finale", "app.log"]) == ["--finale"]
    assert unknown_words(["run", "failure_by_length", "--least", "3"]) == ["--least"]
    with pytest.raises(AssertionError, match="is no command"):
        unknown_words(["swallow", "app.log"])
    line = '*/5 * * * *  ttsq --db u ingest /var/log >/dev/null || logger -t ttsq "not done"'
    assert ttsq_commands(line) == [["--db", "u", "ingest", "/var/log"]]


@pytest.mark.parametrize("name", READMES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", text_of("Makefile"), re.M))
    named = {
        word
        for line in shell_lines(text_of(name))
        if line.startswith("make ")
        for word in line.split()[1:]
    }
    assert named >= {"demo", "test"}
    assert named <= targets


def test_both_readmes_have_the_same_code_blocks() -> None:
    english, chinese = (blocks(text_of(name)) for name in READMES)
    assert english == chinese


def test_both_readmes_have_the_same_sections_and_links() -> None:
    english, chinese = (text_of(name) for name in READMES)
    assert [h.count("#") for h in headings(english)] == [h.count("#") for h in headings(chinese)]
    assert set(_LINK.findall(english)) - {READMES[1]} == set(_LINK.findall(chinese)) - {READMES[0]}


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .*$", _FENCE.sub("", text), re.M)


@pytest.mark.parametrize("name", READMES)
def test_every_setting_is_explained_and_none_is_made_up(name: str, tmp_path: Path) -> None:
    keys = list(Settings._fields)
    assert re.findall(r"^\| `(\w+)` \|", text_of(name), re.M) == keys
    example = next(content for language, content in blocks(text_of(name)) if language == "toml")
    assert list(tomllib.loads(example)) == keys
    file = tmp_path / "ttsq.toml"
    file.write_text(example, encoding="utf-8")
    assert load(file, {}).settings.service == "tts"


@pytest.mark.parametrize("name", READMES)
def test_every_log_format_shown_compiles(name: str) -> None:
    shown = [c for line in shell_lines(text_of(name)) for c in ttsq_commands(line)]
    formats = [c[c.index("--log-format") + 1] for c in shown if "--log-format" in c]
    formats += [x for x in _INLINE.findall(text_of(name)) if x.count("%(") > 1]
    assert len(formats) >= 3
    for text in formats:
        assert compile_format(text).text == text


@pytest.mark.parametrize("name", READMES)
def test_every_environment_variable_is_read(name: str) -> None:
    named = set(re.findall(r"`TTSQ_([A-Z_]+)`", text_of(name)))
    assert "DB" in named
    assert named <= {name.upper() for name in Settings._fields}


@pytest.mark.parametrize("name", READMES)
def test_every_exit_code_is_explained(name: str) -> None:
    codes = [int(n) for n in re.findall(r"^\| (\d+) \|", text_of(name), re.M)]
    assert codes == [int(c) for c in ExitCode]


def test_the_output_in_the_readme_is_that_of_the_demo(tmp_path: Path) -> None:
    def ttsq(*words: str) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TTSQ_")}
        own = {"TTSQ_HOST": "tts-1", "TTSQ_DB": f"duckdb:///{tmp_path}/d.duckdb", "LC_ALL": "C"}
        return subprocess.run(
            [sys.executable, "-m", "ingest", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment | own | {"PYTHONUTF8": "1"},
            check=True,
        ).stdout

    shown = next(c for language, c in blocks(text_of(READMES[0])) if language == "text")
    _, *lines = shown.splitlines()
    ttsq("demo", str(tmp_path / "logs"))
    ttsq("ingest", str(tmp_path / "logs"))
    told = ttsq("triage", "--limit", "1").replace(f"{tmp_path}/", "")
    assert _timeless("\n".join(lines)) == _timeless(told.partition("\n\n")[0])


def _timeless(text: str) -> str:
    """A text without what goes by the hour: instants, lengths of time, line breaks, and the offset
    of a line, before which the day's first lines stand or do not.
    """
    text = re.sub(r"@ [\d,]+", "@ OFFSET", text)
    text = re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d", "TIME", " ".join(text.split()))
    return re.sub(r"\d+ (h|min)( \d+ min)?", "SPAN", text)


def test_the_schema_page_is_not_stale() -> None:
    assert schema_docs.PAGE.read_text(encoding="utf-8") == schema_docs.written(), (
        "write it anew: python -m docs.generate.schema"
    )


def test_the_schema_page_has_every_column_and_its_comment() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", schema_docs.written(), re.M | re.S))
    assert list(sections) == list(metadata.tables)
    for table in metadata.tables.values():
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name} has no comment"
            row = rf"^\| `{column.name}` \| [a-z ]+ \| (yes|no) \| {re.escape(column.comment)}"
            assert re.search(row, sections[table.name], re.M), f"{table.name}.{column.name}"


def test_a_stale_schema_page_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema_docs, "PAGE", tmp_path / "schema.md")
    assert schema_docs.main(["--check"]) == 1
    assert "write it anew: python -m docs.generate.schema" in capsys.readouterr().err
    assert schema_docs.main([]) == 0
    assert schema_docs.main(["--check"]) == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.is_file():
            broken.append(link)
        elif anchor:
            found = headings(target.read_text(encoding="utf-8"))
            if anchor not in {slug(h.lstrip("#")) for h in found}:
                broken.append(link)
    assert broken == []


def test_the_tests_that_the_design_page_names_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text_of("docs/design.md")))
    assert len(named) > 20
    for path, name in sorted(named):
        assert (ROOT / path).is_file(), path
        assert not name or f"\ndef {name}(" in text_of(path), f"{path} has no {name}"


def test_every_guarantee_has_its_tests() -> None:
    table = text_of("docs/design.md").partition("| guarantee | tests |")[2].partition("\n\n")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| \d+\. ", line)]
    assert [int(re.findall(r"\d+", row)[0]) for row in rows] == list(range(1, 11))
    assert all("`tests/" in row for row in rows)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_document_names_a_machine_path(path: Path) -> None:
    assert _MACHINE_PATH.findall(path.read_text(encoding="utf-8")) == []
