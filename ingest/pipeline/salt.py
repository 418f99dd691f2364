"""The secret that a store's texts are hashed with: made once, at random, and kept in the store."""

from collections.abc import Callable
from datetime import datetime

from ingest.rows.words import TextPolicy, Words
from ingest.stores.contract import Store

_SALT_BYTES = 32


def words_of(
    store: Store, policy: TextPolicy, now: Callable[[], datetime], *, dry_run: bool
) -> Words:
    """How to treat users' words in a store at head; whoever calls holds ``Store.ingesting``, or stores nothing.

    :raises StoreError: when the store fails.
    """
    if policy != "hash":
        return Words(policy)
    import secrets

    if dry_run:
        return Words(policy, secrets.token_bytes(_SALT_BYTES))
    with store.reading() as reader:
        found = reader.query("select salt from text_salts", None).rows
    if found:
        return Words(policy, bytes.fromhex(str(found[0][0])))
    with store.writing() as writer:
        salt = writer.text_salt(secrets.token_hex(_SALT_BYTES), now())
        writer.commit([], None)
    return Words(policy, bytes.fromhex(salt))
