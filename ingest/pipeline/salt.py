"""The secret that a store's texts are hashed with: made once, at random, and kept in the store."""

from collections.abc import Callable
from datetime import datetime

from ingest.rows.user_text import Redaction, TextPolicy
from ingest.stores.contract import Store

_SALT_BYTES = 32


def redaction_of(
    store: Store, policy: TextPolicy, now: Callable[[], datetime], *, dry_run: bool
) -> Redaction:
    """How to treat user text in a store at head. The caller holds ``Store.ingesting``, or stores
    nothing.

    :raises StoreError: when the store fails.
    """
    if policy == "keep":
        return Redaction(policy)
    import secrets

    if dry_run:
        return Redaction(policy, secrets.token_bytes(_SALT_BYTES))
    with store.reading() as reader:
        found = reader.query("select salt from text_salts", None).rows
    if found:
        return Redaction(policy, bytes.fromhex(str(found[0][0])))
    with store.writing() as writer:
        salt = writer.text_salt(secrets.token_hex(_SALT_BYTES), now())
        writer.commit([], None)
    return Redaction(policy, bytes.fromhex(salt))
