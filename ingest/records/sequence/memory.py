"""What is remembered of each instance, and of lines before a file's first opening line (pure)."""

from typing import Any

from ingest.records import profile_rules as does
from ingest.records.profile_rules import Rule
from ingest.records.sequence.events import Claim
from ingest.records.sequence.state import MOST_INSTANCES, Assembly, Instance, Line, line_to

MOST_ORPHANS, MOST_ORPHAN_BYTES = 64, 16 << 10  # kept with every checkpoint of the file
_ORPHANS = frozenset({does.ADDS, does.CLOSES, does.OUTER_CLOSES, does.FOLLOWS, does.FAILS})


def instance_of(asm: Assembly, name: str | None) -> Instance:
    """The memory of an instance, made at its first line."""
    found = asm.instances.get(name)
    if found is None:
        if len(asm.instances) >= MOST_INSTANCES:
            forget(asm)
        found = asm.instances[name] = Instance()
    return found


def forget(asm: Assembly) -> None:
    """Make room for an instance: forget the first with nothing open, else the first."""
    empty = next((k for k, found in asm.instances.items() if found.is_empty), None)
    del asm.instances[empty if empty is not None else next(iter(asm.instances))]


def keep(
    asm: Assembly, kind: str, line: Line, rule: Rule | None, more: list[Any] | None = None
) -> Claim | None:
    """Keep what stands before the first opening line of its instance; the claim that says so."""
    if asm.kept is None or instance_of(asm, line.instance).opened:
        return None
    if rule is not None and rule.does not in _ORPHANS:
        return None
    if len(asm.kept) >= MOST_ORPHANS:
        return None
    size = sum(len(item[2]) + 64 for item in asm.kept)
    if size + len(line.message) > MOST_ORPHAN_BYTES:
        return None
    asm.kept.append([kind, line_to(line), line.message, more])
    return Claim((), rule.profile, rule.name, held=True) if rule is not None else None
