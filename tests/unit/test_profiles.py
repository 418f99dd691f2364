"""Profiles: their samples give the rows expected, and a wrong file is refused with file, line and
advice.
"""

import re
import textwrap
from pathlib import Path

import pytest

from ingest.errors import ProfileError
from ingest.pipeline.profiles import of_folder, profiles
from ingest.records.profile_file import PROFILE_KEYS, RULE_KEYS, read_profile
from ingest.records.profile_kept import kept, of_kept
from ingest.records.profile_rules import ACTIONS
from ingest.records.profile_samples import check_samples
from ingest.records.profiles import together
from ingest.resources import folder
from tests.support.shipped_profiles import shipped

GOOD = """name = "mine"
summary = "An engine"
origin = "https://example.org/mine"

[[rule]]
name = "start"
does = "opens"
pattern = 'begin (?P<text>.*)$'
source = "mine.py"

[[rule]]
name = "end"
does = "closes"
pattern = 'took (?P<duration_s>[0-9.]+) s$'
source = "mine.py"

[[sample]]
lines = '''
begin hello
took 1.5 s
'''
requests = [{ status = "success", text = "hello", duration_ms = 1500 }]
"""


@pytest.mark.parametrize("name", [profile.name for profile in shipped().profiles])
def test_the_samples_of_a_profile_give_the_rows_expected(name: str) -> None:
    profile = shipped().by_name[name]
    assert profile.samples
    assert list(check_samples(shipped(), profile)) == []


@pytest.mark.parametrize("name", [profile.name for profile in shipped().profiles])
def test_every_rule_says_where_its_line_comes_from(name: str) -> None:
    for rule in shipped().by_name[name].rules:
        assert len(rule.source) > 5, rule.name


def test_a_sample_whose_rows_differ_is_named_with_its_line() -> None:
    profile = read_profile("mine.toml", GOOD.replace("duration_ms = 1500", "duration_ms = 1501"))
    assert list(check_samples(together([profile]), profile)) == [
        (17, "request 1: duration_ms is 1500, 1501 expected")
    ]


@pytest.mark.parametrize(
    ("before", "after", "line", "what"),
    [
        ("'begin (?P<text>.*)$'", "'begin (?P<text>.*$'", 8, "missing"),
        ("'begin (?P<text>.*)$'", "'begin (?=x)'", 8, "RE2"),
        ("'begin (?P<text>.*)$'", "'(?:begin)?'", 8, "empty line"),
        ("(?P<text>", "(?P<duration>", 8, "duration is no column"),
        ('does = "closes"', 'does = "shuts"', 13, "'shuts' is no value of does"),
        ('source = "mine.py"\n\n[[rule]]', "[[rule]]", 5, "no source"),
        ('name = "mine"', 'name = "Mine"', 1, "no name of a profile"),
        ('summary = "An engine"', "", 1, "summary is missing"),
        ('summary = "An engine"', "summary = 3", 2, "summary must be a text"),
        ('does = "closes"', 'does = "closes"\ncolour = 3', 14, "colour means nothing here"),
        ('does = "closes"', 'does = "closes"\nneeds = ["stop"]', 14, "'stop'"),
        ('origin = "https', "origin = https", 3, "not TOML"),
    ],
)
def test_a_wrong_profile_is_refused_with_file_and_line(
    before: str, after: str, line: int, what: str
) -> None:
    assert before in GOOD
    with pytest.raises(ProfileError) as caught:
        read_profile("mine.toml", GOOD.replace(before, after, 1))
    assert caught.value.message.startswith(f"mine.toml, line {line}: ")
    assert what in caught.value.message
    assert caught.value.hint and re.match(r"[A-Z]", caught.value.hint)


def test_the_profile_of_the_docs_is_well() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "profiles.md").read_text("utf-8")
    text = textwrap.dedent(page.partition("```toml\n")[2].partition("   ```")[0])
    profile = read_profile("my-engine.toml", text)
    assert len(profile.samples) == 1
    assert list(check_samples(together([*shipped().profiles, profile]), profile)) == []


def test_the_docs_name_every_action_and_key() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "profiles.md").read_text("utf-8")
    for word in (*ACTIONS, *RULE_KEYS, *PROFILE_KEYS):
        assert word in page, word


def test_of_two_profiles_with_one_name_the_later_counts() -> None:
    first = read_profile("a.toml", GOOD)
    second = read_profile("b.toml", GOOD.replace("An engine", "Another"))
    assert [profile.summary for profile in together([first, second]).profiles] == ["Another"]


def test_what_is_kept_of_profiles_is_what_their_files_say() -> None:
    files = of_folder(folder("profiles"))
    assert of_kept(kept(files)) == files == list(profiles().profiles)
