"""Fingerprints indexed by their marks: candidates are found without comparing all; pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.logfiles.fingerprint import head_hash, marks


@dataclass(slots=True)
class _Node:
    """Fingerprints that agree up to a mark: ``ends`` stop here, ``next`` continue by mark."""

    ends: set[int] = field(default_factory=set)
    next: dict[int, dict[str, "_Node"]] = field(default_factory=dict)


class PrintIndex:
    """A tree over the marks of fingerprints; a mark is the hash of so many first bytes.

    Files that begin alike share nodes, so the cost of a search follows how many begin alike, not
    how many there are.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, key: int, print_: str | None) -> None:
        """Let ``key`` be found by a fingerprint; one that covers nothing is never found."""
        node = self._root
        for length, hash_ in marks(print_):
            node = node.next.setdefault(length, {}).setdefault(hash_, _Node())
        if node is not self._root:
            node.ends.add(key)

    def remove(self, key: int, print_: str | None) -> None:
        """Undo :meth:`add`."""
        path, node = [], self._root
        for length, hash_ in marks(print_):
            path.append((node, length, hash_))
            node = node.next[length][hash_]
        node.ends.discard(key)
        for parent, length, hash_ in reversed(path):
            child = parent.next[length][hash_]
            if child.ends or child.next:
                return
            del parent.next[length][hash_]
            if not parent.next[length]:
                del parent.next[length]

    def full(self, head: bytes) -> set[int]:
        """Keys of the fingerprints that match first bytes as far as they cover any."""
        return {key for node in self._reached(head) for key in node.ends}

    def alike(self, head: bytes) -> set[int]:
        """These, and the keys of fingerprints that match ``head`` at one mark at least."""
        found = self.full(head)
        for node in self._reached(head):
            for length, children in node.next.items():
                if length > len(head):
                    for child in children.values():
                        found |= _below(child)
        return found

    def _reached(self, head: bytes) -> Iterator[_Node]:
        """Nodes all of whose marks match, one at least."""
        waiting = [self._root]
        hashes: dict[int, str] = {}
        while waiting:
            node = waiting.pop()
            if node is not self._root:
                yield node
            for length, children in node.next.items():
                if length <= len(head):
                    if length not in hashes:
                        hashes[length] = head_hash(head[:length])
                    child = children.get(hashes[length])
                    if child is not None:
                        waiting.append(child)


def _below(node: _Node) -> set[int]:
    found = set(node.ends)
    for children in node.next.values():
        for child in children.values():
            found |= _below(child)
    return found
