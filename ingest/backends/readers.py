"""What a role that only reads may see of a store, as a backend tells it."""

from dataclasses import dataclass
from typing import NamedTuple


class Readable(NamedTuple):
    """A table, and the columns of it that stay closed."""

    table: str
    closed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """What a role may read now; ``warnings`` are sentences about what it can do beyond that, and by whose leave."""

    role: str
    store: str
    schema: str
    with_text: bool
    views: tuple[str, ...]
    tables: tuple[Readable, ...]
    warnings: tuple[str, ...]
