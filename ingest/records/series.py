"""What one log file of a series hands on to the next: requests that were open at its end (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from ingest.records.general import Reading
from ingest.records.sequence.events import is_place
from ingest.records.sequence.state import Instance, dump, load


def handed_on(reading: str | None) -> str | None:
    """The state in which the next file of a series is read, from that at the end of the one before
    it.

    Places in the file before mean nothing in the next one: lines of a block that goes on there are
    numbered -1, -2, … None where nothing is remembered.
    """
    state = Reading.of(reading)
    if state.sequence is None:
        return None
    instances, learned, _ = load(state.sequence)
    opened = any(found.opened for found in instances.values())
    if not learned and not opened and not state.told.opened:
        return None
    places = count(-1, -1)
    for instance in instances.values():
        _moved(instance, places)
    sequence = dump(instances, learned, [], given=_ids_of_places(instances.values()))
    return Reading(sequence=sequence, dated=state.dated, told=state.told).text()


def _ids_of_places(instances: Iterable[Instance]) -> dict[int, list[str]]:
    """The ids in use that were made of places, by place."""
    found: dict[int, list[str]] = {}
    for instance in instances:
        ids = [request.id for request in instance.requests]
        ids += [id_ for id_, _, _ in instance.awaiting]
        ids += [instance.ended] if instance.ended else []
        ids += [instance.failure.id] if instance.failure else []
        for id_ in filter(is_place, ids):
            same = found.setdefault(int(id_.rpartition("-")[2]), [])
            same += [id_] if id_ not in same else []
    return found


def _moved(instance: Instance, places: Iterator[int]) -> None:
    """Take the places out of an instance's memory; lines of its block get one of their own each."""
    for request in instance.requests:
        request.last, request.before = None, True
    for part in instance.block:
        part.line = replace(part.line, offset=next(places), end=0)
    for outer in instance.outers:
        outer.last = None
    for run in instance.runs:
        run.stages = [(replace(at, offset=next(places), end=0), told) for at, told in run.stages]
    if instance.failure is not None:
        instance.failure = replace(instance.failure, at=-1)
    instance.answers = []
