"""What is remembered of each instance, and of lines before a file's first opening line (pure)."""

from ingest.records import profile_rules as does
from ingest.records.profile_rules import Rule
from ingest.records.sequence.events import Claim
from ingest.records.sequence.state import MOST_INSTANCES, Assembly, Instance, Line

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


def keep(asm: Assembly, line: Line, rule: Rule | None = None) -> Claim | None:
    """Note that a line before its instance's first opening line goes on with something: with a
    request of the file before. The claim that says so.
    """
    if asm.kept is None or instance_of(asm, line.instance).opened:
        return None
    if rule is not None and rule.does not in _ORPHANS:
        return None
    if not asm.kept:
        asm.kept.append(1)
    return Claim((), rule.profile, rule.name, held=True) if rule is not None else None
