"""What one log file of a series hands on to the next: requests that were open at its end (pure)."""

from dataclasses import replace

from ingest.records.general import Reading
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
    for instance in instances.values():
        _moved(instance)
    return Reading(sequence=dump(instances, learned, []), dated=state.dated, told=state.told).text()


def _moved(instance: Instance) -> None:
    """Take the places out of an instance's memory."""
    for request in instance.requests:
        request.last = None
    for number, part in enumerate(instance.block):
        part.line = replace(part.line, offset=-1 - number, end=0)
    if instance.failure is not None:
        instance.failure = replace(instance.failure, at=-1)
    instance.answers = []
