"""Blocks: lines that one thread prints without a pause when its audio is made (pure)."""

from dataclasses import replace

from ingest.records import profile_rules as does
from ingest.records.profile_rules import Rule, Value
from ingest.records.profiles import Match
from ingest.records.sequence.ends import close
from ingest.records.sequence.events import Claim, Event, fits, stages
from ingest.records.sequence.state import Assembly, BlockLine, Instance, Line, Request, bare

MOST_TORN = 256  # lines of torn blocks, until what follows counts as a block again


def block(asm: Assembly, instance: Instance, line: Line, match: Match) -> Claim | None:
    """A line of a block: kept until the block is whole, to detect interleaved blocks."""
    rule = match.rule
    profile = asm.profiles.by_name[rule.profile]
    if not profile.has_ids and not expects(instance, rule):
        return None
    block = instance.block
    by_name = profile.rule_named
    if block and instance.block_profile == rule.profile:
        earlier = by_name[block[-1].rule]
        if instance.torn or rule.bit <= earlier.bit:
            return torn(asm, instance, line, rule)
    else:
        block = instance.block = []
        instance.torn = 0
        instance.block_profile = rule.profile
    if rule.needs and not any(by_name[b.rule].bit & rule.needs for b in block):
        return None
    kept = bare(line)
    block.append(BlockLine(rule.name, kept, match.values()))
    if rule.does != does.CLOSES:
        return Claim((), rule.profile, rule.name)
    return whole_block(asm, instance, line, rule, by_name)


def expects(instance: Instance, rule: Rule) -> bool:
    """Whether a request of the rule's profile is open that has had no block."""
    return any(r.profile == rule.profile and not r.has_block for r in instance.requests)


def whole_block(
    asm: Assembly, instance: Instance, line: Line, rule: Rule, by_name: dict[str, Rule]
) -> Claim:
    """The block's closing line: everything that its lines said belongs to one request."""
    block, instance.block = instance.block, []
    values: dict[str, Value] = {}
    for part in block:
        values.update(
            (key, value) for key, value in part.values.items() if not key.startswith("stage")
        )
    request = oldest(instance, rule, line, values)
    if request is None:
        return Claim((), rule.profile, rule.name)
    request.has_block = True
    events: list[Event] = []
    for part in block[:-1]:
        request.seen |= by_name[part.rule].bit
        events += stages(request.id, part.line, by_name[part.rule], dict(part.values))
    events += stages(request.id, block[-1].line, rule, dict(block[-1].values))
    events += close(asm, instance, request, line, rule, values)
    return Claim(tuple(events), rule.profile, rule.name, request.id)


def oldest(instance: Instance, rule: Rule, line: Line, values: dict[str, Value]) -> Request | None:
    """The open request that a whole block belongs to: by its duration, else the oldest."""
    fitting = [r for r in instance.requests if r.profile == rule.profile and not r.has_block]
    if "id" in values:
        return by_id(instance, rule, str(values["id"]))
    duration = values.get("duration_ms")
    if len(fitting) > 1 and line.instant is not None and isinstance(duration, int | float):
        timed = [r for r in fitting if fits(r, line.instant, float(duration))]
        if len(timed) == 1:
            return timed[0]
    return fitting[0] if fitting else None


def by_id(instance: Instance, rule: Rule, id_: str) -> Request:
    """An id's open request; without an opening line its end alone makes it known."""
    for request in instance.requests:
        if request.id == id_:
            return request
    request = Request(id_, "logged", rule.profile, rule.name, instance.count, None)
    instance.opened = True
    instance.requests.append(request)
    return request


def torn(asm: Assembly, instance: Instance, line: Line, rule: Rule) -> Claim:
    """A line out of order: two interleaved blocks, whose values cannot be told apart."""
    block = instance.block
    torn = [line] if instance.torn else [part.line for part in block] + [line]
    instance.torn += 1
    block.append(BlockLine(rule.name, bare(line), {}))
    counts: dict[str, int] = {}
    for part in block:
        counts[part.rule] = counts.get(part.rule, 0) + 1
    mixed = max(counts.values())
    claim = Claim((), rule.profile, rule.name, torn=tuple(torn))
    if len(block) >= MOST_TORN:
        instance.block = []
        instance.torn = 0
        return claim
    if rule.does != does.CLOSES or counts[rule.name] < mixed:
        return claim
    instance.block = []
    instance.torn = 0
    events: list[Event] = []
    for _ in range(mixed):
        fitting = [r for r in instance.requests if r.profile == rule.profile and not r.has_block]
        if fitting:
            fitting[0].uncertain = True
            fitting[0].has_block = True
            events += close(asm, instance, fitting[0], line, rule, {})
    return replace(claim, events=tuple(events))
