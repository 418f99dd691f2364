"""``python -m docs.generate.services``: writes docs/services.md from the profiles.

``--check`` only says whether the page is as it would be written.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from docs.generate.keep import keep
from ingest.pipeline.profiles import profiles
from ingest.records.profile_rules import WARNS, Rule
from ingest.records.profiles import Profile

PAGE = Path(__file__).resolve().parents[1] / "services.md"

_HEAD = """\
# Which services ttsq reads

Written by `python -m docs.generate.services` from the folder `profiles`; change that, not this page.

Beside its own format ([parsing.md](parsing.md)) ttsq reads what these services print by themselves,
with no option. `ttsq profiles try FILE` shows line by line what is taken; [profiles.md](profiles.md)
shows how to write a profile for another service.

| profile | services | a request fills |
|---|---|---|
"""
_COLUMNS = (
    "text", "text_len", "voice", "lang", "duration_ms", "audio_ms", "rtf", "tokens",
    "audio_size_kb",
)  # fmt: skip


def written() -> str:
    """The page as it ought to be."""
    known = profiles().profiles
    rows = "".join(
        f"| [{p.name}](#{p.name}) | {', '.join(p.services)} | {', '.join(_filled(p))} |\n"
        for p in known
        if p.services
    )
    return _HEAD + rows + "".join(_section(p) for p in known)


def _filled(profile: Profile) -> Iterator[str]:
    """The columns that some rule of a profile fills, in the order of the table."""
    names = {column.name for rule in profile.rules for column in rule.columns}
    names |= {"text"} if any(rule.then == "text" for rule in profile.rules) else set()
    yield from (f"`{name}`" for name in _COLUMNS if name in names)
    if any(name.startswith("stage") for name in names):
        yield "stages"


def _section(profile: Profile) -> str:
    lines = [f"\n## {profile.name}\n\n{profile.summary}. <{profile.origin}>\n"]
    stages = list(dict.fromkeys(stage for rule in profile.rules for stage in _stages(rule)))
    if stages:
        lines.append("\nStages: " + ", ".join(f"`{stage}`" for stage in stages) + ".\n")
    codes = [f"`{rule.code}`" for rule in profile.rules if rule.does == WARNS or rule.level]
    codes += [f"`{code.code}`" for code in profile.codes]
    if codes:
        lines.append("\nCodes: " + ", ".join(dict.fromkeys(codes)) + ".\n")
    return "".join(lines)


def _stages(rule: Rule) -> Iterator[str]:
    for column in rule.columns:
        if column.name.startswith("stage_"):
            yield column.name[6:-3] or rule.stage


def main(arguments: list[str]) -> int:
    """Write the page, or check it; the exit code."""
    return keep(PAGE, written(), "docs.generate.services", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
